//! Lists the builds of a module at a module build service, ours or the original; with `--follow` also what happens there then.
//!
//! ```text
//! cargo run -p mbs-examples --example service_builds -- --server https://mbs.example.org --ready perl 5.26
//! ```

use std::io::Write as _;

use clap::Parser;
use mbs_client::api::{Filter, Form};
use mbs_client::client::Client;
use mbs_client::login::Login;
use mbs_client::server::Server;
use mbs_core::model::State;

/// Lists the builds of a module at a module build service.
#[derive(Parser)]
struct Options {
    /// The service's address.
    #[arg(long)]
    server: String,
    /// Only those that may be required.
    #[arg(long)]
    ready: bool,
    /// Go on with the service's events; only ours have any.
    #[arg(long)]
    follow: bool,
    /// The module's name.
    name: String,
    /// Its stream; without it, all of them.
    stream: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    // Reading needs no login.
    let client = Client::new(Server::new(options.server), Login::Anonymous)?;
    let wanted = Filter {
        name: Some(options.name),
        stream: options.stream,
        states: if options.ready { vec![State::Ready] } else { Vec::new() },
        ..Filter::default()
    };

    // Pages are asked for as they are needed: of a long list only as much is read as is wanted.
    let builds = client.module_builds(&wanted, Form::Standard).per_page(50).all(200).await?;
    let mut out = std::io::stdout().lock();
    for build in &builds {
        writeln!(
            out,
            "{}: {}:{}:{}, {}",
            build.id, build.name, build.stream, build.version, build.state_name
        )?;
    }
    writeln!(out, "{} builds", builds.len())?;

    if options.follow {
        let mut events = client.events(None);
        loop {
            let event = events.next().await?;
            writeln!(out, "{}: {}", event.kind, event.data)?;
        }
    }
    Ok(())
}
