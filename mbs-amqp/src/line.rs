//! One connection to a broker, and the certainty that it ends.
//!
//! The client library runs each connection on a thread of its own, which waits for the broker as long as that keeps the socket
//! open, even if nobody waits for the thread. So the socket is kept here, too, and cut when nobody wants
//! the connection any more, or waits for it to come about.

use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::{Either, select};
use lapin::tcp::{AMQPUriTcpExt, RustlsConnector, TLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties};
use mbs_core::bus::BusError;
use tokio::time::{sleep, timeout};

use crate::address::{address, is_encrypted};
use crate::{Settings, SettingsError, tls};

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often it is looked whether a connection is still there while its answer is awaited.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A connection; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Line {
    connection: Connection,
    _cord: Arc<Cord>,
}

/// The socket of a connection, once there is one; cut when dropped.
#[derive(Debug, Default)]
struct Cord(Mutex<Option<TcpStream>>);

impl Line {
    /// Connects and logs in.
    ///
    /// # Errors
    /// `Unavailable`, with the broker's words or the network's.
    pub(crate) async fn open(settings: &Settings, name: &str) -> Result<Self, BusError> {
        let address = address(&settings.url, settings.identity.is_some()).map_err(|error| down(&error))?;
        let connector = encryption(settings, &address).map_err(|error| down(&error))?;
        let cord = Arc::new(Cord::default());
        let (held, patience) = (Arc::downgrade(&cord), settings.patience);
        let runtime = lapin::runtime::default_runtime().map_err(|error| down(&error))?;
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = Connection::connector(
            address,
            runtime,
            async move |address: AMQPUri, runtime| {
                let stream = timeout(patience, async {
                    // TLS comes after the cord is tied: a broker that keeps silent in the midst of it is left, too.
                    let plain = AMQPUri { scheme: AMQPScheme::AMQP, ..address.clone() };
                    let stream = plain.connect_with_config_async(TLSConfig::default(), &runtime).await?;
                    if let AsyncTcpStream::Plain(socket) = &stream {
                        tie(&held, socket.get_ref())?;
                    }
                    match &connector {
                        Some(connector) => stream.into_rustls(connector, &address.authority.host).await,
                        None => Ok(stream),
                    }
                });
                Ok(stream.await.map_err(std::io::Error::from).flatten()?)
            },
            properties,
        );
        match timeout(patience, connection).await {
            Ok(connection) => Ok(Self { connection: connection.map_err(|error| down(&error))?, _cord: cord }),
            Err(_) => Err(late("it does not let us in")),
        }
    }

    /// Opens a channel.
    pub(crate) async fn channel(&self) -> Result<Channel, lapin::Error> {
        self.connection.create_channel().await
    }

    /// Waits for an answer, but not beyond the end of the connection: not of all that is under way then does the client library
    /// say that it comes to nothing.
    ///
    /// # Errors
    /// `Unavailable`: the connection has ended.
    pub(crate) async fn answer<T>(&self, answer: impl Future<Output = T>) -> Result<T, BusError> {
        match select(pin!(answer), pin!(self.ended())).await {
            Either::Left((answer, _)) => Ok(answer),
            Either::Right(_) => Err(BusError::Unavailable { reason: "the connection has ended".to_owned() }),
        }
    }

    async fn ended(&self) {
        // At least once: who knows why it ended may say so meanwhile.
        sleep(LOOK_AGAIN).await;
        while self.is_up() {
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Says whether nothing has ended it, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.connection.status().connected()
    }

    /// Says whether the broker reads nothing from it, because it is short of memory or disk.
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Takes leave of the broker, if it listens.
    pub(crate) async fn close(self) {
        drop(timeout(FAREWELL, self.connection.close(200, "bye".into())).await);
    }
}

impl Drop for Cord {
    fn drop(&mut self) {
        let mut socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // It may be closed already.
        drop(socket.take().map(|socket| socket.shutdown(Shutdown::Both)));
    }
}

/// Ties the socket to its line, if anybody still waits for that.
fn tie(cord: &Weak<Cord>, socket: &impl AsFd) -> std::io::Result<()> {
    let cord = cord.upgrade().ok_or(std::io::ErrorKind::ConnectionAborted)?;
    let socket = TcpStream::from(socket.as_fd().try_clone_to_owned()?);
    socket.set_nodelay(true)?;
    *cord.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket);
    Ok(())
}

/// Checks that connections can be made as it is said, without making any.
///
/// # Errors
/// As of [`Settings`].
pub(crate) fn check(settings: &Settings) -> Result<(), SettingsError> {
    let mut names = settings.routing_keys.iter().chain(&settings.queue).chain([&settings.exchange]);
    if let Some(name) = names.find(|name| name.len() > usize::from(u8::MAX)) {
        return Err(SettingsError::TooLong(name.clone()));
    }
    encryption(settings, &address(&settings.url, settings.identity.is_some())?).map(drop)
}

fn encryption(settings: &Settings, address: &AMQPUri) -> Result<Option<RustlsConnector>, SettingsError> {
    if is_encrypted(address) {
        return Ok(Some(tls::connector(settings)?));
    }
    if settings.ca.is_some() || settings.identity.is_some() {
        return Err(SettingsError::Url("certificates are for amqps, and this is amqp".to_owned()));
    }
    Ok(None)
}

/// Tells that a bus is out of reach.
pub(crate) fn down(error: &dyn std::error::Error) -> BusError {
    BusError::Unavailable { reason: error.to_string() }
}

/// Tells that the broker takes too long.
pub(crate) fn late(what: &str) -> BusError {
    BusError::Unavailable { reason: format!("the broker does not answer in time: {what}") }
}
