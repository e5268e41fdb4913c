//! Serves a fake PDC until it is interrupted.
//!
//! Usage: `pdc-fake-server [ADDRESS]`, by default `127.0.0.1:0`. It prints the root of the interface. Nothing is stored in the
//! beginning. The users are those of [`Setup`]'s default; their tokens are forty times a letter:
//!
//! | token | user | may |
//! | --- | --- | --- |
//! | `aaaa…` | `admin` | everything |
//! | `bbbb…` | `module-bot` | write modules |
//! | `cccc…` | `nobody` | read |
//! | `dddd…` | `disabled` | nothing |
//!
//! `Authorization: Negotiate <ticket of USER@REALM>` stands for a Kerberos ticket.

use std::io::Write as _;
use std::net::SocketAddr;

use mbs_pdc::fake_server::{FakePdc, Setup};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut setup = Setup::default();
    if let Some(address) = std::env::args().nth(1) {
        let address: Result<SocketAddr, _> = address.parse();
        setup.address =
            Some(address.map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?);
    }
    let pdc = FakePdc::start(setup).await?;
    writeln!(std::io::stdout(), "{}", pdc.url())?;
    tokio::signal::ctrl_c().await
}
