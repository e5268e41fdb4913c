//! Serves a fake Koji hub until it is interrupted.
//!
//! Usage: `koji-fake-hub [ADDRESS]`, by default `127.0.0.1:0`. It prints the URL clients call. The hub has the users of
//! [`Setup`]'s default, the tags `f40` and `f40-build` with a target, and builders that end every task after ten seconds.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use mbs_koji::fake_hub::{Builder, FakeHub, Setup, TagPlan};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut setup = Setup::default();
    if let Some(address) = std::env::args().nth(1) {
        let address: Result<SocketAddr, _> = address.parse();
        setup.address =
            Some(address.map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?);
    }
    let hub = FakeHub::start(setup).await?;
    let arches = vec!["aarch64".to_owned(), "x86_64".to_owned()];
    hub.plant_tag_as("f40", &TagPlan { arches: arches.clone(), ..TagPlan::default() });
    hub.plant_tag_as("f40-build", &TagPlan { arches, inherits: vec!["f40".into()], ..TagPlan::default() });
    hub.plant_target("f40", "f40-build", "f40");
    let duration = Duration::from_secs(10);
    hub.auto(Builder { build: duration, repo: duration, ..Builder::default() });
    writeln!(std::io::stdout(), "{}", hub.url())?;
    tokio::signal::ctrl_c().await
}
