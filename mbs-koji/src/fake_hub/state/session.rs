//! Sessions: who is logged in, how far its calls are, and whose user is locked.

use std::sync::Arc;

use super::{Answer, Id, State};
use crate::fake_hub::python::quoted;
use crate::fake_hub::time::Moment;
use crate::xmlrpc::{Fault, FaultCode, Struct, Value};

/// Numbers of the ways to log in.
pub(crate) mod authtype {
    pub(crate) const PASSWORD: i64 = 0;
    pub(crate) const SSL: i64 = 2;
    pub(crate) const GSSAPI: i64 = 3;
}

/// Methods that may be called though another session has locked the user.
const UNLOCKED: [&str; 3] = ["exclusiveSession", "login", "logout"];
/// Methods that may be repeated under a call number that was used.
const REPEATABLE: [&str; 3] = ["host.taskWait", "host.taskUnwait", "host.taskSetWait"];

/// A session.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) key: Arc<str>,
    pub(crate) user: Id,
    pub(crate) authtype: i64,
    pub(crate) master: Option<Id>,
    pub(crate) callnum: Option<i64>,
    pub(crate) is_exclusive: bool,
    pub(crate) is_closed: bool,
    pub(crate) is_expired: bool,
    pub(crate) began: Moment,
    pub(crate) renewed: Option<Moment>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What a request says of its session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim {
    pub(crate) id: Id,
    pub(crate) key: String,
    pub(crate) callnum: Option<i64>,
}

fn auth(text: impl Into<String>) -> Fault {
    Fault::new(FaultCode::AuthError, text)
}

impl State {
    /// Returns the session a request claims, in order.
    pub(crate) fn check_session(&self, claim: &Claim, method: &str, lifetime_micros: i64) -> Answer<Id> {
        let session = self.sessions.get(&claim.id).filter(|session| !session.is_closed);
        let session = session.filter(|session| *session.key == *claim.key);
        let session = session.ok_or_else(|| auth("Invalid session or bad credentials"))?;
        let since = session.renewed.unwrap_or(session.began);
        let is_old = self.now.0 - since.0 > lifetime_micros;
        let is_renewal = matches!(method, "login" | "sslLogin" | "logout");
        if (session.is_expired || is_old) && !is_renewal {
            let text = format!("session \"{}\" has expired", claim.id);
            return Err(Fault::new(FaultCode::AuthExpired, text));
        }
        check_callnum(session, claim, method)?;
        if self.is_locked(claim.id, session) && !UNLOCKED.contains(&method) {
            return Err(Fault::new(FaultCode::AuthLockError, "User locked by another session"));
        }
        Ok(claim.id)
    }

    fn is_locked(&self, id: Id, session: &Session) -> bool {
        let holder = self.exclusive_session(session.user);
        holder.is_some_and(|holder| holder != id && Some(holder) != session.master)
    }

    /// Returns the session that has locked a user.
    pub(crate) fn exclusive_session(&self, user: Id) -> Option<Id> {
        let mut sessions = self.sessions.iter();
        let is_holder =
            |session: &Session| session.user == user && session.is_exclusive && !session.is_closed;
        sessions.find(|(_, session)| is_holder(session)).map(|(id, _)| *id)
    }

    /// Makes a session and returns what the login answers.
    pub(crate) fn open_session(
        &mut self,
        user: Id,
        authtype: i64,
        master: Option<Id>,
        secret: &str,
    ) -> Value {
        self.touch();
        self.last_session += 1;
        let id = self.last_session;
        let sub = if master.is_some() { "sub" } else { "" };
        let key: Arc<str> = format!("{user}-{sub}{secret}").into();
        let session = Session {
            key: Arc::clone(&key),
            user,
            authtype,
            master,
            callnum: None,
            is_exclusive: false,
            is_closed: false,
            is_expired: false,
            began: self.now,
            renewed: None,
        };
        Arc::make_mut(&mut self.sessions).insert(id, session);
        login_answer(id, &key)
    }

    /// Gives a session a new key and a new life.
    pub(crate) fn renew_session(&mut self, id: Id, secret: &str) -> Value {
        self.touch();
        let now = self.now;
        let Some(session) = Arc::make_mut(&mut self.sessions).get_mut(&id) else { return Value::Nil };
        session.key = format!("{}-{secret}", session.user).into();
        session.callnum = None;
        session.is_expired = false;
        session.renewed = Some(now);
        login_answer(id, &session.key)
    }

    /// Closes a session with its subsessions.
    pub(crate) fn close_session(&mut self, id: Id) {
        self.touch();
        for (other, session) in Arc::make_mut(&mut self.sessions) {
            if *other == id || session.master == Some(id) {
                session.is_closed = true;
                session.is_exclusive = false;
            }
        }
    }

    /// Says whether a session locks its user.
    pub(crate) fn set_exclusive(&mut self, id: Id, is_exclusive: bool) {
        self.touch();
        if let Some(session) = Arc::make_mut(&mut self.sessions).get_mut(&id) {
            session.is_exclusive = is_exclusive;
        }
    }

    /// Notes that a session's call of this number changed something.
    pub(crate) fn store_callnum(&mut self, id: Id, callnum: i64) {
        if let Some(session) = Arc::make_mut(&mut self.sessions).get_mut(&id) {
            session.callnum = Some(callnum);
        }
    }

    /// Lets a session expire.
    pub(crate) fn expire_session(&mut self, id: Id) {
        if let Some(session) = Arc::make_mut(&mut self.sessions).get_mut(&id) {
            session.is_expired = true;
        }
    }

    /// Returns what `showSession` says.
    pub(crate) fn session_text(&self, id: Id, callnum: Option<i64>) -> String {
        let Some(session) = self.sessions.get(&id) else { return "None".into() };
        let number = |number: Option<i64>| number.map_or_else(|| "None".into(), |number| number.to_string());
        let truth = |truth: bool| if truth { "True" } else { "False" };
        let user = self.users.get(&session.user);
        let status = i64::from(user.is_some_and(|user| user.is_blocked));
        let kind = user.map_or(0, |user| user.kind);
        let (key, name) = (quoted(&session.key), quoted(&self.user_name(session.user)));
        let (master, stored) = (number(session.master), number(session.callnum));
        let exclusive = if session.is_exclusive { "True" } else { "None" };
        format!(
            "session {id}: {{'logged_in': True, 'id': {id}, 'master': {master}, 'key': {key}, 'user_id': {user_id}, \
             'authtype': {authtype}, 'hostip': '127.0.0.1', 'user_data': {{'name': {name}, 'status': {status}, \
             'usertype': {kind}}}, 'message': '', 'exclusive': {is_exclusive}, 'lockerror': None, 'callnum': {callnum}, \
             '_perms': None, '_groups': None, '_host_id': '', 'session_data': {{'authtype': {authtype}, 'callnum': \
             {stored}, 'exclusive': {exclusive}, 'expired': False, 'master': {master}, 'renew_time': None, 'renew_ts': \
             None, 'start_time': {time}, 'start_ts': {ts}, 'update_time': {time}, 'update_ts': {ts}, 'user_id': \
             {user_id}}}}}",
            user_id = session.user,
            authtype = session.authtype,
            is_exclusive = truth(session.is_exclusive),
            callnum = number(callnum),
            time = datetime(session.began),
            ts = session.began.seconds(),
        )
    }
}

fn datetime(moment: Moment) -> String {
    let text = moment.text().replace(['-', ' ', ':', '.', '+'], ",");
    let parts: Vec<i64> = text.split(',').take(7).filter_map(|part| part.parse().ok()).collect();
    let parts: Vec<String> = parts.iter().map(i64::to_string).collect();
    format!("datetime.datetime({}, tzinfo=datetime.timezone.utc)", parts.join(", "))
}

fn check_callnum(session: &Session, claim: &Claim, method: &str) -> Answer<()> {
    let (Some(last), Some(callnum)) = (session.callnum, claim.callnum) else { return Ok(()) };
    if last > callnum {
        let text = format!("{last} > {callnum} (session {})", claim.id);
        return Err(Fault::new(FaultCode::SequenceError, text));
    }
    if last == callnum && !REPEATABLE.contains(&method) {
        let text = format!("unable to retry call {callnum} (method {method}) for session {}", claim.id);
        return Err(Fault::new(FaultCode::RetryError, text));
    }
    Ok(())
}

fn login_answer(id: Id, key: &str) -> Value {
    let members =
        [("session-id", Value::from(id)), ("session-key", key.into()), ("header-auth", true.into())];
    Value::Struct(Struct::from(members))
}
