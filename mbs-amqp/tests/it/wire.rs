//! A wire to the broker that can be cut, and that can fall silent.

use std::net::{Ipv4Addr, SocketAddr};

use mbs_http::Secret;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// It passes everything on.
    Well,
    /// It takes connections and passes nothing on.
    Silent,
    /// It ends connections at once.
    Cut,
}

/// A wire between us and a broker.
pub(crate) struct Net {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
}

impl Net {
    pub(crate) async fn to(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = watch::Sender::new(Wire::Well);
        let of_all = wire.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass_on(near, broker, of_all.clone()));
            }
        });
        Self { address, wire }
    }

    /// Changes how the wire is, for the connections there are and those to come.
    pub(crate) fn is(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    pub(crate) fn url(&self) -> Secret {
        Secret::new(format!("amqp://guest:guest@{}", self.address))
    }
}

async fn pass_on(mut near: TcpStream, broker: SocketAddr, mut wire: watch::Receiver<Wire>) {
    let Ok(mut far) = TcpStream::connect(broker).await else { return };
    loop {
        let now = *wire.borrow_and_update();
        match now {
            Wire::Cut => return,
            Wire::Silent => drop(wire.changed().await),
            Wire::Well => {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
                    _ = wire.changed() => {}
                }
            }
        }
    }
}
