//! What `mbs-client` does against recorded traffic and a server that answers as it is told.

#![cfg(feature = "fake-server")]
#![expect(clippy::unwrap_used, reason = "tests fail for want of anything")]

mod client;
mod events;
mod golden;
#[cfg(test)]
mod golden_expansions;
mod logins;
#[cfg(test)]
mod recorded;
mod resolver;
mod universe;

use mbs_client::client::Client;
use mbs_client::fake_server::FakeServer;
use mbs_client::login::Login;
use mbs_client::server::Server;

/// Returns the settings of a server that is asked again at once.
fn settings(server: &FakeServer) -> Server {
    Server { retry_pause: std::time::Duration::ZERO, ..Server::new(server.url()) }
}

fn client(server: &FakeServer) -> Client {
    Client::new(settings(server), Login::Anonymous).unwrap()
}
