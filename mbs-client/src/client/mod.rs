//! A client of a service, usable alone.
//!
//! [`Client`] sends [`Request`]s: reads without credentials and again if no answer comes, changes once and with who we are. No
//! answer takes longer than the server's time, and none is read beyond its bound. A redirect with status 308 is followed on the
//! same host, any other is an error. What is asked and what answers mean is [`api`](crate::api)'s.
//!
//! ```no_run
//! use mbs_client::api::{Filter, Form};
//! use mbs_client::client::{Client, ClientError};
//! use mbs_client::login::Login;
//! use mbs_client::server::Server;
//! use mbs_core::model::State;
//!
//! # async fn shown() -> Result<(), ClientError> {
//! let client = Client::new(Server::new("https://mbs.example.org"), Login::Anonymous)?;
//! let ready = Filter { name: Some("perl".into()), states: vec![State::Ready], ..Filter::default() };
//! for build in client.module_builds(&ready, Form::Short).all(1000).await? {
//!     println!("{} {}:{}", build.id, build.name, build.stream);
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod answer;
mod carry;
mod error;
pub(crate) mod event_stream;
mod pages;
mod request;

use std::fmt;
use std::sync::Arc;

use reqwest::Url;
use serde::de::DeserializeOwned;

pub use error::ClientError;
pub(crate) use error::told;
pub use pages::{Meta, Page, Pages};
pub use request::{Method, Request};

use address::Root;
use answer::effect;

use crate::login::Login;
use crate::server::{ApiVersion, Server, Trust};

/// A module build service. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    server: Server,
    root: Root,
    login: Login,
    http: reqwest::Client,
}

impl Client {
    /// Makes a client. It reads certificates, but asks the service nothing.
    ///
    /// # Errors
    /// `Configuration`: the address or a certificate cannot be used.
    pub fn new(server: Server, login: Login) -> Result<Self, ClientError> {
        let root = Root::of(&server)?;
        let http = connections(&server, &root.url)?;
        Ok(Self(Arc::new(Inner { server, root, login: Login::Anonymous, http })).with_login(login))
    }

    /// Returns the client as somebody else; connections are shared.
    #[must_use]
    pub fn with_login(&self, login: Login) -> Self {
        let Inner { server, root, http, .. } = &*self.0;
        if login.has_secret() && root.url.scheme() == "http" && !mbs_http::is_here(&root.url) {
            tracing::warn!("who we are goes to {} without encryption", root.url);
        }
        Self(Arc::new(Inner { server: server.clone(), root: root.clone(), login, http: http.clone() }))
    }

    /// Returns the service's settings.
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// Returns the version that is spoken if one was chosen, in the address or beside it.
    pub fn chosen_version(&self) -> Option<ApiVersion> {
        self.0.root.version.or(self.0.server.version)
    }

    /// Returns the address that a request goes to.
    ///
    /// # Errors
    /// `Configuration`: a part of its path cannot stand in one.
    pub fn address(&self, request: &Request) -> Result<Url, ClientError> {
        let version = request.version.or(self.chosen_version()).unwrap_or(ApiVersion::One);
        self.0.root.address(request, version)
    }

    /// Asks, and asks again after a pause if no answer comes.
    ///
    /// # Errors
    /// Any of [`ClientError`] with no effect; `Odd` also if the answer is not of the wanted shape.
    pub async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ClientError> {
        decoded(&self.asked(request).await?, request)
    }

    /// Changes something.
    ///
    /// # Errors
    /// Any of [`ClientError`]; its `effect` says whether it may have happened.
    pub async fn write<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ClientError> {
        decoded(&self.written(request).await?, request)
    }

    /// Asks for a text.
    ///
    /// # Errors
    /// Any of [`ClientError`] with no effect.
    pub async fn read_text(&self, request: &Request) -> Result<String, ClientError> {
        let body = self.asked(request).await?;
        String::from_utf8(body).map_err(|_| ClientError::odd("it is no text", effect(request)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.root.url.as_str()).finish()
    }
}

/// Makes what connects to the service.
fn connections(server: &Server, url: &Url) -> Result<reqwest::Client, ClientError> {
    http(url, &server.trust, server).map_err(|error| ClientError::unusable(error.to_string()))
}

/// Makes what connects to a server, with a service's patience.
pub(crate) fn http(
    url: &Url,
    trust: &Trust,
    server: &Server,
) -> Result<reqwest::Client, mbs_http::TrustError> {
    let client = mbs_http::client(url).user_agent("mbs-client").connect_timeout(server.connect_timeout);
    mbs_http::trusting(client, trust).and_then(mbs_http::built)
}

/// Reads an answer as what is wanted.
fn decoded<T: DeserializeOwned>(body: &[u8], request: &Request) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| {
        let beginning = String::from_utf8_lossy(&body[..body.len().min(200)]);
        let beginning: String = beginning.chars().take(80).collect();
        ClientError::odd(format!("{error}, in what begins `{beginning}`"), effect(request))
    })
}
