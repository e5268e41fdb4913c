//! Serves the frontend over recorded state, for programs that compare its answers with the recorded ones.
//!
//! ```text
//! rest-golden-server --state FOLDER --profile open|strict|oidc|kerberos --listen 127.0.0.1:PORT [--database URL]
//! ```

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use mbs_bin::rest::Door;
use mbs_tests::rest_golden::{Recorded, set_up};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves the frontend over recorded state.
#[derive(Debug, Parser)]
struct Options {
    /// The folder of the recordings
    #[arg(long)]
    state: PathBuf,
    /// The settings: open, strict, oidc or kerberos
    #[arg(long)]
    profile: String,
    /// Where to listen; port 0: any free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// An empty store; a new file if not given
    #[arg(long)]
    database: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let recorded = set_up(&options.state, &options.profile, options.database).await?;
    let listener = TcpListener::bind(options.listen).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let Recorded { frontend, folder, opened } = recorded;
    mbs_bin::rest::serve(Arc::new(frontend), Door::Tcp(listener), stop).await;
    drop((folder, opened));
    Ok(())
}
