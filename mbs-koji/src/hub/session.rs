//! One session: calls under rising numbers, one at a time.

use std::sync::Arc;

use mbs_core::build_system::Effect;
use reqwest::header::HeaderMap;

use super::after::{Next, Past};
use super::carry::End;
use super::error::HubError;
use super::figures::Kind;
use super::login::{Renewal, log_in};
use super::multicall::{CALLS_PER_REQUEST, pack, unpack};
use super::parcel::{Content, Deadline, Parcel};
use super::pass::Pass;
use super::wire::Wire;
use super::{Answers, Hub};
use crate::xmlrpc::{Call, Value, encode_call};

/// A session with a hub. Its calls go out one after another, each under a number of its own; a repeated request keeps its
/// number, so that the hub can tell.
///
/// It can be used alone; [`Hub::write`] keeps some of its own. Dropped, it stays open at the hub until it expires there;
/// [`log_out`](Self::log_out) ends it.
pub struct Session {
    wire: Arc<Wire>,
    pass: Pass,
    callnum: i64,
    /// It came of our login, so that another login can renew or replace it.
    is_own: bool,
    is_exclusive: bool,
    is_in_doubt: bool,
}

/// What goes out in a session.
pub(super) struct Message<'m> {
    pub(super) method: &'m str,
    pub(super) body: Body<'m>,
}

pub(super) enum Body<'m> {
    Xml(String),
    /// A part of a file, and what is said of it in the address.
    Part {
        about: Vec<(&'static str, String)>,
        bytes: &'m [u8],
    },
}

impl Session {
    /// Logs in as the hub's profile says.
    ///
    /// # Errors
    /// [`HubError::Login`], [`HubError::Unreachable`], [`HubError::Offline`]; nothing happened either way.
    pub async fn log_in(hub: &Hub) -> Result<Self, HubError> {
        let wire = hub.wire();
        Self::begin(wire, Deadline::within(wire.profile.auth_timeout)).await
    }

    pub(super) async fn begin(wire: &Arc<Wire>, until: Deadline) -> Result<Self, HubError> {
        let pass = log_in(wire, None, until).await?;
        Ok(Self { is_own: true, ..Self::new(wire.clone(), pass) })
    }

    /// Goes on with a session that was begun elsewhere, `callnum` being the next call's number. It is neither renewed nor
    /// replaced when it ends, unless [`renewing`](Self::renewing) says so.
    pub fn resume(hub: &Hub, pass: Pass, callnum: i64) -> Self {
        Self { callnum, ..Self::new(hub.wire().clone(), pass) }
    }

    /// Lets logins by the hub's profile renew or replace it. They have to be the same user's.
    #[must_use]
    pub fn renewing(self) -> Self {
        Self { is_own: true, ..self }
    }

    fn new(wire: Arc<Wire>, pass: Pass) -> Self {
        Self { wire, pass, callnum: 0, is_own: false, is_exclusive: false, is_in_doubt: false }
    }

    /// Returns what proves that a call belongs to it.
    pub fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Says whether a call of it may still be under way or done without our knowing: do not use it any more.
    pub fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    /// Calls the hub, as often as the profile says and the hub allows.
    ///
    /// # Errors
    /// Any of [`HubError`]; its `effect` says whether it may have happened.
    pub async fn call(&mut self, call: &Call) -> Result<Value, HubError> {
        let until = self.deadline();
        self.call_until(call, until).await
    }

    pub(super) async fn call_until(&mut self, call: &Call, until: Deadline) -> Result<Value, HubError> {
        let message = Message { method: call.method(), body: Body::Xml(encode_call(call)) };
        self.send(&message, until).await.map(|(value, _)| value)
    }

    /// Makes calls with as few requests as may be, and returns the answers in order. A call that is refused does not keep the
    /// others from being done.
    ///
    /// # Errors
    /// As for [`call`](Self::call); after the first request with an unknown effect, as the first calls were done.
    pub async fn call_all(&mut self, calls: &[Call]) -> Result<Answers, HubError> {
        let until = self.deadline();
        self.call_all_until(calls, until).await
    }

    pub(super) async fn call_all_until(
        &mut self,
        calls: &[Call],
        until: Deadline,
    ) -> Result<Answers, HubError> {
        let mut answers = Vec::with_capacity(calls.len());
        for some in calls.chunks(CALLS_PER_REQUEST) {
            let packed = pack(some);
            let value = self.call_until(&packed, until).await;
            let value = value.map_err(|error| error.after(answers.len()))?;
            answers.extend(unpack(value, some.len()).map_err(|what| HubError::Protocol {
                method: packed.method().to_owned(),
                what,
                effect: Effect::Unknown,
            })?);
        }
        Ok(answers)
    }

    /// Locks the user to this session: calls of the user's other sessions are refused.
    ///
    /// # Errors
    /// As for [`call`](Self::call); the fault `AuthLockError` if another session has the lock.
    pub async fn lock(&mut self) -> Result<(), HubError> {
        self.make_exclusive(false).await
    }

    /// Locks the user to this session and ends the one that has the lock.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub async fn lock_by_force(&mut self) -> Result<(), HubError> {
        self.make_exclusive(true).await
    }

    async fn make_exclusive(&mut self, by_force: bool) -> Result<(), HubError> {
        self.call(&Call::new("exclusiveSession").keyword("force", by_force)).await?;
        self.is_exclusive = true;
        Ok(())
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub async fn unlock(&mut self) -> Result<(), HubError> {
        self.call(&Call::new("sharedSession")).await?;
        self.is_exclusive = false;
        Ok(())
    }

    /// Begins a session that ends with this one. It is neither renewed nor replaced.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub async fn subsession(&mut self) -> Result<Self, HubError> {
        let answer = self.call(&Call::new("subsession")).await?;
        Ok(Self::new(self.wire.clone(), Pass::of(&answer)?))
    }

    /// Ends it at the hub, and those begun from it.
    ///
    /// # Errors
    /// As for [`call`](Self::call); whether it was ended may be unknown.
    pub async fn log_out(mut self) -> Result<(), HubError> {
        self.is_own = false;
        self.call(&Call::new("logout").keyword("session_id", Value::Nil)).await.map(drop)
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::within(self.wire.profile.timeout)
    }

    pub(super) fn blocksize(&self) -> usize {
        self.wire.profile.upload_blocksize.max(1)
    }

    /// Sends a message, and says whether it went out more than once.
    pub(super) async fn send(
        &mut self,
        message: &Message<'_>,
        until: Deadline,
    ) -> Result<(Value, bool), HubError> {
        let mut past = Past { is_write: true, has_session: true, is_own: self.is_own, ..Past::default() };
        // Stays if the caller stops waiting.
        self.is_in_doubt = true;
        let end = loop {
            let parcel = self.parcel(message);
            match self.wire.carry(&parcel, &mut past, until).await {
                Ok(End::Stale(next)) => self.freshen(next, until).await?,
                Ok(End::Reply(reply)) => break reply.answer.map_err(HubError::Fault),
                Ok(End::Challenge) => unreachable!("only logins are challenged"),
                Err(error) => break Err(error),
            }
        };
        self.is_in_doubt = matches!(&end, Err(error) if error.leaves_doubt());
        end.map(|value| (value, past.has_repeated || past.retries > 0 || past.has_renewed))
    }

    fn parcel(&mut self, message: &Message<'_>) -> Parcel {
        let (mut url, mut headers) = (self.wire.hub.clone(), HeaderMap::new());
        if let Body::Part { about, .. } = &message.body {
            url.query_pairs_mut().extend_pairs(about);
        }
        self.pass.show(self.callnum, &mut url, &mut headers);
        self.callnum += 1;
        let (kind, content) = match &message.body {
            Body::Xml(xml) => (Kind::Write, Content::Xml(xml.clone())),
            Body::Part { bytes, .. } => (Kind::Upload, Content::Bytes(bytes.to_vec())),
        };
        Parcel::new(kind, message.method, url, headers, content)
    }

    async fn freshen(&mut self, next: Next, until: Deadline) -> Result<(), HubError> {
        let Self { pass, callnum, is_exclusive, .. } = self;
        let renewal =
            (next == Next::Renew).then_some(Renewal { pass, callnum: *callnum, is_exclusive: *is_exclusive });
        self.pass = log_in(&self.wire, renewal, until).await?;
        self.is_exclusive &= next == Next::Renew;
        self.callnum = 0;
        Ok(())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("pass", &self.pass)
            .field("callnum", &self.callnum)
            .finish_non_exhaustive()
    }
}
