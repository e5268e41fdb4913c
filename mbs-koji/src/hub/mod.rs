//! A client of a Koji hub, usable alone.
//!
//! [`Hub`] reads without session, any number of calls at once, and writes in sessions that it makes, renews and replaces by
//! itself. It decides alone, by rules that cost no effect twice, when a request goes out again; [`HubError`] says what is known
//! after it gave up. It knows nothing of tags and builds, and never decides what is called.
//!
//! | module | does |
//! | --- | --- |
//! | `after`, `carry` | what follows what a request met with: decided (pure), and done |
//! | `wire`, `parcel`, `answer`, `tls` | one HTTP exchange after another: connections, deadlines, bounds |
//! | `login`, `pass` | who we are |
//! | `session`, `pool`, `upload`, `multicall` | calls under rising numbers, and what is made of them |
//!
//! ```no_run
//! use mbs_koji::hub::{Hub, HubError};
//! use mbs_koji::profile::{Login, Profile};
//! use mbs_koji::xmlrpc::Call;
//!
//! # async fn shown(clock: std::sync::Arc<dyn mbs_core::clock::Clock>) -> Result<(), HubError> {
//! let profile = Profile::new("koji", "https://koji.example.org/kojihub", Login::Anonymous);
//! let hub = Hub::new(&profile, clock)?;
//! let tag = hub.read(&Call::new("getTag").arg("f40")).await?;
//! println!("{tag:?}, {} requests", hub.figures().requests());
//! # Ok(())
//! # }
//! ```

mod after;
mod answer;
mod carry;
mod error;
mod figures;
mod login;
mod multicall;
mod parcel;
mod pass;
mod pool;
mod session;
mod tls;
mod upload;
mod wire;

use std::fmt;
use std::sync::Arc;

use mbs_core::build_system::Effect;
use mbs_core::clock::Clock;
use reqwest::header::HeaderMap;
use tokio::sync::OnceCell;

pub use error::HubError;
pub use figures::Figures;
pub use mbs_http::{Negotiation, TicketError, Tickets};
pub use multicall::CALLS_PER_REQUEST;
pub use pass::Pass;
pub use session::Session;

use after::Past;
use carry::End;
use figures::Kind;
use multicall::{pack, unpack};
use parcel::{Content, Deadline, Parcel};
use pool::Pool;
use wire::Wire;

use crate::profile::{Login, Profile};
use crate::xmlrpc::{Call, Fault, Value, encode_call};

/// The answers to many calls, in their order.
pub type Answers = Vec<Result<Value, Fault>>;

/// A hub. Cheap to clone; clones share connections, sessions and counts.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    wire: Arc<Wire>,
    pool: Pool,
    user: OnceCell<User>,
}

/// A user of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub id: i64,
    /// The user's name.
    pub name: String,
}

impl Hub {
    /// Makes a client. It reads certificates, but asks the hub nothing. Pauses between attempts go by the clock, deadlines by
    /// real time.
    ///
    /// # Errors
    /// [`HubError::Configuration`]: the address or a certificate cannot be used.
    pub fn new(profile: &Profile, clock: Arc<dyn Clock>) -> Result<Self, HubError> {
        let tickets = match &profile.login {
            Login::Kerberos { principal, keytab } => {
                mbs_http::system_tickets(principal.as_deref(), keytab.as_deref())
            }
            Login::Anonymous | Login::Password { .. } | Login::Certificate { .. } => None,
        };
        Self::made(profile, clock, tickets)
    }

    /// Makes a client that has its Kerberos tickets from elsewhere than the system's library.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_tickets(
        profile: &Profile,
        clock: Arc<dyn Clock>,
        tickets: Arc<dyn Tickets>,
    ) -> Result<Self, HubError> {
        Self::made(profile, clock, Some(tickets))
    }

    fn made(
        profile: &Profile,
        clock: Arc<dyn Clock>,
        tickets: Option<Arc<dyn Tickets>>,
    ) -> Result<Self, HubError> {
        let wire = Arc::new(Wire::new(profile, clock, tickets)?);
        Ok(Self(Arc::new(Inner { wire, pool: Pool::new(profile.sessions), user: OnceCell::new() })))
    }

    /// Asks without session. The call may go out several times, so it must change nothing.
    ///
    /// # Errors
    /// Any of [`HubError`], with no effect.
    pub async fn read(&self, call: &Call) -> Result<Value, HubError> {
        self.read_until(call, self.deadline()).await
    }

    /// Asks many calls without session, [`CALLS_PER_REQUEST`] in a request, and returns the answers in order.
    ///
    /// # Errors
    /// As for [`read`](Self::read); a call that is refused is an answer.
    pub async fn read_all(&self, calls: &[Call]) -> Result<Answers, HubError> {
        let until = self.deadline();
        let mut answers = Vec::with_capacity(calls.len());
        for some in calls.chunks(CALLS_PER_REQUEST) {
            let packed = pack(some);
            let value = self.read_until(&packed, until).await?;
            answers.extend(unpack(value, some.len()).map_err(|what| HubError::Protocol {
                method: packed.method().to_owned(),
                what,
                effect: Effect::None,
            })?);
        }
        Ok(answers)
    }

    async fn read_until(&self, call: &Call, until: Deadline) -> Result<Value, HubError> {
        let wire = &self.0.wire;
        let content = Content::Xml(encode_call(call));
        let parcel = Parcel::new(Kind::Read, call.method(), wire.hub.clone(), HeaderMap::new(), content);
        match wire.carry(&parcel, &mut Past::default(), until).await? {
            End::Reply(reply) => Ok(reply.answer?),
            End::Stale(_) | End::Challenge => unreachable!("a read has no session and no login"),
        }
    }

    /// Calls in a session.
    ///
    /// # Errors
    /// Any of [`HubError`]; its `effect` says whether it may have happened.
    pub async fn write(&self, call: &Call) -> Result<Value, HubError> {
        let until = self.deadline();
        self.0.pool.take(&self.0.wire, until).await?.call_until(call, until).await
    }

    /// Makes many calls in a session, [`CALLS_PER_REQUEST`] in a request, and returns the answers in order. A call that is
    /// refused does not keep the others from being done.
    ///
    /// # Errors
    /// As for [`write`](Self::write); after the first request with an unknown effect, as the first calls were done.
    pub async fn write_all(&self, calls: &[Call]) -> Result<Answers, HubError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let until = self.deadline();
        self.0.pool.take(&self.0.wire, until).await?.call_all_until(calls, until).await
    }

    /// Uploads a file into a directory of the hub's work area; a file of that name is replaced. After imports the hub leaves
    /// links there that cannot be replaced: use a new directory for each attempt. Each part has the time of a call.
    ///
    /// # Errors
    /// As for [`write`](Self::write). Whatever has arrived is of no consequence until another call names the file.
    pub async fn upload(&self, directory: &str, name: &str, content: &[u8]) -> Result<(), HubError> {
        self.0.pool.take(&self.0.wire, self.deadline()).await?.upload(directory, name, content).await
    }

    /// Returns who we are; the first time it asks, logging in if need be.
    ///
    /// # Errors
    /// As for [`write`](Self::write), without effect.
    pub async fn user(&self) -> Result<User, HubError> {
        self.0.user.get_or_try_init(|| self.logged_in_user()).await.cloned()
    }

    async fn logged_in_user(&self) -> Result<User, HubError> {
        let answer = self.write(&Call::new("getLoggedInUser")).await?;
        let id = answer.member("id").and_then(Value::as_int);
        let name = answer.member("name").and_then(Value::as_str);
        match (id, name) {
            (Some(id), Some(name)) => Ok(User { id, name: name.to_owned() }),
            _ => Err(HubError::login("the hub does not say who we are")),
        }
    }

    /// Returns what was asked so far.
    pub fn figures(&self) -> Figures {
        self.0.wire.figures()
    }

    /// Returns the hub's version as its last answer told it; `None` before the first, and for hubs before 1.35.
    pub fn version(&self) -> Option<Arc<str>> {
        self.0.wire.version()
    }

    /// Returns where people look at builds, if the profile says so.
    pub fn web_url(&self) -> Option<&str> {
        self.0.wire.profile.weburl.as_deref()
    }

    /// Returns where repositories and packages are downloaded from, if the profile says so.
    pub fn top_url(&self) -> Option<&str> {
        self.0.wire.profile.topurl.as_deref()
    }

    /// Ends the sessions that no call is using. Later writes log in anew.
    pub async fn log_out(&self) {
        for session in self.0.pool.drain() {
            if let Err(error) = session.log_out().await {
                tracing::debug!("a session stays open until it expires: {error}");
            }
        }
    }

    fn wire(&self) -> &Arc<Wire> {
        &self.0.wire
    }

    fn deadline(&self) -> Deadline {
        Deadline::within(self.0.wire.profile.timeout)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hub").field(&self.0.wire.hub.as_str()).finish()
    }
}
