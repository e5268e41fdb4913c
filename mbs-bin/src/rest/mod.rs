//! The REST interface: what clients ask of the service over HTTP, and the answers they know.
//!
//! ```text
//! address -> resource -> who asks -> what for -> store, desk or build system -> answer
//! ```
//!
//! It never drives builds: submissions and cancellations are recorded, and backends see to the rest. What may be submitted and
//! what comes of it is decided in [`mbs_core::submission`]. Everything that is read has a bound.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use mbs_core::build_system::BuildSystem;
use mbs_core::engine::Desk;
use mbs_core::store::Store;
use tokio::sync::{Semaphore, watch};

mod answer;
mod body;
mod explaining;
mod json;
mod leftover;
mod lists;
mod login;
mod metrics;
pub(crate) mod objects;
mod openapi;
mod origin;
mod plain;
mod problem;
mod query;
mod reading;
mod request;
mod route;
mod serve;
mod streaming;
#[cfg(test)]
mod tests;
mod writing;

pub use serve::{Door, serve};

use answer::Answer;
use body::Members;
use login::Gate;
use origin::Origin;
use problem::Problem;
use query::Query;
use request::Seen;
use route::{Astray, Resource, Route};

use crate::config::Access;

/// What the interface needs.
#[derive(Debug)]
pub struct Setup {
    /// Keeps the records.
    pub store: Arc<dyn Store>,
    /// Takes submissions.
    pub desk: Desk,
    /// Says what is in tags; `None`: no build system that could be asked.
    pub build_system: Option<Arc<dyn BuildSystem>>,
    /// Who may do what.
    pub access: Access,
    /// The longest body that is read, in bytes.
    pub most_body: usize,
    /// Most items on a page of a list.
    pub most_per_page: usize,
    /// How long a request may take; its body half of it.
    pub within: Duration,
    /// Changes when there may be events that nobody was told of; streams of events look then.
    pub news: watch::Receiver<u64>,
}

/// Most clients that follow events at a time.
const MOST_STREAMS: usize = 200;

/// The interface, ready to answer. Cheap to share.
#[derive(Debug)]
pub struct Frontend {
    store: Arc<dyn Store>,
    desk: Desk,
    build_system: Option<Arc<dyn BuildSystem>>,
    gate: Gate,
    most_body: usize,
    most_per_page: usize,
    within: Duration,
    news: watch::Receiver<u64>,
    /// Turns for streams of events.
    streams: Arc<Semaphore>,
    /// Whether no more is served: streams end.
    stopped: watch::Sender<bool>,
}

impl Frontend {
    /// Makes the interface; nothing is asked yet.
    ///
    /// # Errors
    /// The identity provider's addresses cannot be used; the text says why.
    pub fn new(setup: Setup) -> Result<Self, String> {
        Ok(Self {
            gate: Gate::new(setup.access, Arc::clone(&setup.store))?,
            store: setup.store,
            desk: setup.desk,
            build_system: setup.build_system,
            most_body: setup.most_body,
            most_per_page: setup.most_per_page,
            within: setup.within,
            news: setup.news,
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            stopped: watch::Sender::new(false),
        })
    }

    /// Ends what would otherwise go on for as long as clients want: streams of events.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Answers a request; `peer` is who is at the other end of the connection, `None` at a socket of this machine.
    pub async fn answer(&self, request: Request<Body>, peer: Option<IpAddr>) -> Answer {
        let (parts, body) = request.into_parts();
        let origin = Origin::of(&parts.headers);
        let path = origin.below(parts.uri.path());
        let query = parts.uri.query().unwrap_or_default();
        let route = match Route::of(&parts.method, path) {
            Ok(route) => route,
            Err(astray) => return astray_answer(&astray, &origin, query),
        };
        let seen =
            Seen { version: route.version, query: Query::read(query), origin, headers: parts.headers, peer };
        let answered =
            tokio::time::timeout(self.within, self.dispatch(&parts.method, route, &seen, body)).await;
        let late = || Err(Problem::unavailable("The request took too long. Try again later."));
        answered.unwrap_or_else(|_| late()).unwrap_or_else(Answer::from)
    }

    /// Reads the body of a request, in half of the time that the request may take.
    async fn members(&self, seen: &Seen, body: Body) -> Result<Members, Problem> {
        let read = Members::read(&seen.headers, body, self.most_body);
        let late =
            || Problem::new(StatusCode::REQUEST_TIMEOUT, "The body of the request did not come in time");
        tokio::time::timeout(self.within / 2, read).await.unwrap_or_else(|_| Err(late()))
    }

    async fn dispatch(
        &self,
        method: &Method,
        route: Route,
        seen: &Seen,
        body: Body,
    ) -> Result<Answer, Problem> {
        match route.resource {
            Resource::About => Ok(self.about()),
            Resource::Builds if method == Method::POST => self.submit(seen, body).await,
            Resource::Builds => self.builds(seen).await,
            Resource::Build(id) if method == Method::PATCH => self.cancel(seen, id, body).await,
            Resource::Build(id) => self.build(seen, id).await,
            Resource::BuildMessages(id) => self.build_messages(seen, id).await,
            Resource::Explain(id) => self.explain(id).await,
            Resource::Log(id) => self.log(id).await,
            Resource::Components => self.components(seen).await,
            Resource::Component(id) => self.component(seen, id).await,
            Resource::ComponentMessages(id) => self.component_messages(seen, id).await,
            Resource::Strategies => Ok(self.strategies()),
            Resource::FinalDocuments(id) => self.final_documents(id).await,
            Resource::Import => self.import(seen, body).await,
            Resource::Plan => self.plan(seen, body).await,
            Resource::Description => Ok(Self::description(seen)),
            Resource::Page => Ok(Self::page(seen)),
            Resource::Health => Ok(plain::text("alive\n")),
            Resource::Readiness => self.readiness().await,
            Resource::Metrics => self.metrics().await,
            Resource::Events => self.events(seen).await,
        }
    }
}

fn unknown() -> Problem {
    Problem::missing("There is no such address.")
}

fn astray_answer(astray: &Astray, origin: &Origin, query: &str) -> Answer {
    match astray {
        Astray::Moved(path) if query.is_empty() => answer::moved(&origin.url(path)),
        Astray::Moved(path) => answer::moved(&format!("{}?{query}", origin.url(path))),
        Astray::Unknown => unknown().into(),
        Astray::Version => Problem::missing("The requested API version is not available").into(),
        Astray::Options(allow) => answer::options(allow),
        Astray::Method(allow) => {
            let message = format!("The address takes other methods: {allow}");
            Problem { allow: Some(allow), ..Problem::new(StatusCode::METHOD_NOT_ALLOWED, message) }.into()
        }
    }
}

/// Tells browsers and proxies to take answers for what they are.
fn harden(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
