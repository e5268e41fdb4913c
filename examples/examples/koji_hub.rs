//! Asks a Koji hub, as a profile of Koji's own configuration says, or anonymously at an address.
//!
//! ```text
//! cargo run -p mbs-examples --example koji_hub -- --server https://koji.fedoraproject.org/kojihub f40-build f41-build
//! cargo run -p mbs-examples --example koji_hub -- --profile koji --who f40-build
//! ```

use std::io::Write as _;
use std::sync::Arc;

use clap::Parser;
use mbs_koji::hub::Hub;
use mbs_koji::profile::{Login, Profile};
use mbs_koji::xmlrpc::{Call, Value};
use mbs_local::SystemClock;

/// Asks a Koji hub about tags.
#[derive(Parser)]
struct Options {
    /// The profile in Koji's configuration files.
    #[arg(long, default_value = "koji", conflicts_with = "server")]
    profile: String,
    /// The address of a hub, to be asked anonymously.
    #[arg(long)]
    server: Option<String>,
    /// Log in, and say who we are.
    #[arg(long)]
    who: bool,
    /// Names of tags.
    tags: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let profile = match options.server {
        Some(server) => Profile::new("(none)", server, Login::Anonymous),
        None => Profile::find(&options.profile, None)?,
    };
    let hub = Hub::new(&profile, Arc::new(SystemClock::new()))?;
    let mut out = std::io::stdout().lock();
    if options.who {
        let user = hub.user().await?;
        writeln!(out, "we are {}, user {}", user.name, user.id)?;
    }

    // One request, whatever the number of tags.
    let calls: Vec<Call> =
        options.tags.iter().map(|tag| Call::new("getTag").arg(tag).keyword("strict", true)).collect();
    for (tag, answer) in options.tags.iter().zip(hub.read_all(&calls).await?) {
        match answer {
            Ok(found) => {
                let arches = found.member("arches").and_then(Value::as_str).unwrap_or_default();
                writeln!(out, "{tag}: architectures {arches}")?;
            }
            Err(fault) => writeln!(out, "{tag}: {fault}")?,
        }
    }
    hub.log_out().await;

    let figures = hub.figures();
    let version = hub.version();
    let (requests, bytes) = (figures.requests(), figures.bytes_received);
    writeln!(
        out,
        "hub {}: {requests} requests, {bytes} bytes",
        version.as_deref().unwrap_or("of unknown version")
    )?;
    Ok(())
}
