//! Lists the entries of a module in a PDC, named as in PDC's own configuration or given by its address.
//!
//! ```text
//! cargo run -p mbs-examples --example pdc_entries -- --server https://pdc.example.org/rest_api/v1 --active perl 5.26
//! cargo run -p mbs-examples --example pdc_entries -- --server prod platform
//! ```

use std::io::Write as _;
use std::sync::Arc;

use clap::Parser;
use mbs_local::SystemClock;
use mbs_pdc::api::{Entries, Face, Filter};
use mbs_pdc::client::Pdc;
use mbs_pdc::server::ServerFiles;

/// Lists the entries of a module in a PDC.
#[derive(Parser)]
struct Options {
    /// The root of the API, or the server's name in PDC's configuration files.
    #[arg(long)]
    server: String,
    /// Only those that may be required.
    #[arg(long)]
    active: bool,
    /// The module's name.
    name: String,
    /// Its stream; without it, all of them.
    stream: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let home = std::env::home_dir();
    // Reading needs no credentials.
    let server = ServerFiles::usual(home.as_deref()).find(&options.server)?.anonymous();
    let pdc = Pdc::new(&server, Arc::new(SystemClock::new()))?;
    let wanted = Filter {
        name: Some(options.name),
        stream: options.stream,
        active: options.active.then_some(true),
        ..Filter::default()
    };

    // One request, whatever the number of entries. Every PDC has this endpoint, the newer ones `Face::Modules` too.
    let entries = Entries::new(pdc.clone(), Face::Variants).find(&wanted).await?;
    let mut out = std::io::stdout().lock();
    for entry in &entries {
        let state = if entry.active { "active" } else { "inactive" };
        writeln!(out, "{}: version {}, context {}, {state}", entry.uid, entry.version, entry.context)?;
        writeln!(out, "    Koji tag {}, {} packages", entry.koji_tag, entry.rpms.len())?;
    }
    let figures = pdc.figures();
    let (requests, bytes) = (figures.requests(), figures.bytes_received);
    writeln!(out, "{} entries: {requests} requests, {bytes} bytes", entries.len())?;
    Ok(())
}
