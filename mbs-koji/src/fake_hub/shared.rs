//! The hub behind its lock: how a request or a look from outside gets at the state, and what follows a change.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use mbs_core::bus::Hint;

use super::builder::{self, Scripts};
use super::config::{Config, PERMISSIONS, Setup};
use super::context::Context;
use super::counters::Counters;
use super::faults::{Dice, Faults};
use super::http::Asked;
use super::messages::Message;
use super::methods;
use super::state::{Answer, Id, State, User};
use super::time::Moment;
use crate::xmlrpc::{Call, Struct, Value};

/// How many messages are kept for somebody who might take them.
const MOST_MESSAGES: usize = 100_000;

/// A hub.
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    pub(crate) config: Config,
    pub(crate) faults: Faults,
    start: Moment,
    /// What the clock read at the start.
    zero: Duration,
}

/// What the lock protects.
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) scripts: Scripts,
    pub(crate) counters: Counters,
    pub(crate) hints: BTreeSet<Hint>,
    pub(crate) messages: Vec<Message>,
    /// Grows with every change.
    pub(crate) generation: u64,
    dice: Dice,
}

impl Shared {
    pub(crate) fn new(setup: Setup) -> Self {
        let start = Moment::of(setup.start.unwrap_or_else(Timestamp::now));
        let zero = setup.clock.as_ref().map_or_else(|| elapsed_of(Timestamp::now()), |clock| clock.reading());
        let mut state = State::default();
        state.begin(start, 0);
        populate(&mut state, &setup);
        state.news.clear();
        let dice = Dice(u64::try_from(start.0).unwrap_or_default());
        let inner = Inner {
            state,
            scripts: Scripts::default(),
            counters: Counters::default(),
            hints: BTreeSet::new(),
            messages: Vec::new(),
            generation: 0,
            dice,
        };
        Self { inner: Mutex::new(inner), config: Config::new(setup), faults: Faults::default(), start, zero }
    }

    /// Returns the hub's time.
    pub(crate) fn now(&self) -> Moment {
        let reading = match &self.config.setup.clock {
            Some(clock) => clock.reading(),
            None => elapsed_of(Timestamp::now()),
        };
        self.start + reading.saturating_sub(self.zero)
    }

    /// Waits by the hub's clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        match &self.config.setup.clock {
            Some(clock) => clock.sleep_until(clock.reading() + duration).await,
            None => tokio::time::sleep(duration).await,
        }
    }

    /// Takes the lock, with what the time has brought due already done.
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves the state of a call half done, which a test that panics does not care for.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.state.begin(self.now(), 0);
        let Inner { state, scripts, .. } = &mut *inner;
        builder::pump(state, &self.config, scripts);
        inner.settle();
        inner.state.begin(self.now(), 0);
        inner
    }

    pub(crate) fn count_request(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).counters.requests += 1;
    }

    /// Lets the session expire that a request claims.
    pub(crate) fn expire_session_of(&self, asked: &Asked) {
        if let Ok(Some(claim)) = asked.claim(&self.config) {
            self.inner().state.expire_session(claim.id);
        }
    }

    /// Runs a call that came over the wire.
    pub(crate) fn call(&self, asked: &Asked, call: &Call) -> Answer {
        self.in_session(asked, call.method(), |context| methods::run(context, call))
    }

    /// Does something for a request, in the session it claims; a change uses its call number up.
    pub(crate) fn in_session(
        &self,
        asked: &Asked,
        method: &str,
        act: impl FnOnce(&mut Context<'_>) -> Answer,
    ) -> Answer {
        let mut guard = self.inner();
        let inner = &mut *guard;
        inner.counters.count(method);
        let claim = asked.claim(&self.config)?;
        let lifetime = self.config.session_lifetime_micros();
        let session =
            claim.as_ref().map(|claim| inner.state.check_session(claim, method, lifetime)).transpose()?;
        let user = session.and_then(|id| inner.state.sessions.get(&id)).map_or(0, |session| session.user);
        inner.state.begin(self.now(), user);
        let Inner { state, counters, dice, .. } = inner;
        let mut secrets = || letters(dice);
        let callnum = claim.as_ref().and_then(|claim| claim.callnum);
        let mut context = Context {
            state,
            config: &self.config,
            counters,
            session,
            callnum,
            client: asked.client(),
            secrets: &mut secrets,
        };
        let answer = act(&mut context)?;
        if let (Some(session), Some(callnum)) = (session, callnum)
            && inner.state.is_changed
            && !matches!(method, "login" | "sslLogin")
        {
            inner.state.store_callnum(session, callnum);
        }
        inner.settle();
        Ok(answer)
    }
}

impl Inner {
    /// Passes on what a change had to say.
    pub(crate) fn settle(&mut self) {
        self.generation += u64::from(self.state.is_changed);
        for news in std::mem::take(&mut self.state.news) {
            self.hints.extend(news.hint);
            self.messages.extend(news.message.filter(|_| self.messages.len() < MOST_MESSAGES));
        }
    }
}

fn elapsed_of(timestamp: Timestamp) -> Duration {
    timestamp.as_duration().try_into().unwrap_or_default()
}

/// Returns letters and digits that nobody guesses by accident.
fn letters(dice: &mut Dice) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| {
        let at = usize::try_from(dice.next() % 62).unwrap_or_default();
        char::from(LETTERS[at])
    };
    (0..19).map(letter).collect()
}

/// Makes what a hub has from its beginning.
fn populate(state: &mut State, setup: &Setup) {
    for (name, _) in PERMISSIONS {
        state.permissions.ensure(name);
    }
    for name in ["rpm", "maven", "win", "image", "module"] {
        state.build_types.ensure(name);
    }
    populate_builders(state, setup);
    for user in &setup.users {
        let id = state.add_user(User {
            name: user.name.as_str().into(),
            password: user.password.as_deref().map(Into::into),
            principals: user.principals.iter().map(|name| name.as_str().into()).collect(),
            is_blocked: user.is_blocked,
            kind: i64::from(user.is_host),
        });
        grant(state, id, &user.permissions);
    }
}

fn populate_builders(state: &mut State, setup: &Setup) {
    let (nil, now) = (Value::Nil, state.now.seconds());
    let builder = setup.users.iter().position(|user| user.is_host);
    if let Some((at, user)) = builder.and_then(|at| Some((at, setup.users.get(at)?))) {
        let host = Struct::from([
            ("id", Value::from(1)),
            ("name", (&user.name).into()),
            ("user_id", i64::try_from(at + 1).unwrap_or_default().into()),
            ("arches", "x86_64 aarch64 noarch".into()),
            ("capacity", 60.0.into()),
            ("task_load", 0.0.into()),
            ("comment", nil.clone()),
            ("description", nil.clone()),
            ("enabled", true.into()),
            ("ready", true.into()),
            ("update_ts", now.into()),
        ]);
        Arc::make_mut(&mut state.hosts).insert(1, host);
    }
    for (id, name) in [(1, "default"), (2, "createrepo")] {
        let channel = Struct::from([
            ("id", Value::from(id)),
            ("name", name.into()),
            ("comment", nil.clone()),
            ("description", nil.clone()),
            ("enabled", true.into()),
        ]);
        Arc::make_mut(&mut state.channels).insert(id, channel);
    }
}

/// Gives permissions to a user, new ones if need be.
pub(crate) fn grant(state: &mut State, user: Id, permissions: &[String]) {
    for name in permissions {
        let permission = state.permissions.ensure(name);
        let stamp = state.stamp();
        state.user_permissions.put((user, permission), (), stamp);
    }
}
