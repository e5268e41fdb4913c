//! One call: the state it works on, who makes it, and how.

use super::config::Config;
use super::counters::Counters;
use super::state::{Answer, Id, State, build_state};
use crate::xmlrpc::{Fault, FaultCode, Value};

/// What the web server in front of a hub says of the client; the fake takes it from headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client {
    /// `SUCCESS`, `NONE`, …: whether a certificate was checked; `None` without TLS.
    pub(crate) verified: Option<String>,
    /// The subject of its certificate.
    pub(crate) subject: Option<String>,
    /// The principal that Negotiate proved.
    pub(crate) principal: Option<String>,
}

/// One call under way.
pub(crate) struct Context<'h> {
    pub(crate) state: &'h mut State,
    pub(crate) config: &'h Config,
    pub(crate) counters: &'h mut Counters,
    pub(crate) session: Option<Id>,
    pub(crate) callnum: Option<i64>,
    pub(crate) client: Client,
    /// Letters for keys and tokens.
    pub(crate) secrets: &'h mut dyn FnMut() -> String,
}

/// Makes the no of a call that is not allowed.
pub(crate) fn not_allowed(text: impl Into<String>) -> Fault {
    Fault::new(FaultCode::ActionNotAllowed, text)
}

impl Context<'_> {
    /// Returns the user who calls; 0 for nobody.
    pub(crate) fn user(&self) -> Id {
        self.session.and_then(|id| self.state.sessions.get(&id)).map_or(0, |session| session.user)
    }

    /// Refuses a call without a login.
    pub(crate) fn assert_login(&self) -> Answer<Id> {
        match self.session {
            Some(_) => Ok(self.user()),
            None => Err(not_allowed("you must be logged in for this operation")),
        }
    }

    /// Says whether the caller has a permission or is an administrator.
    pub(crate) fn may(&self, permission: &str) -> bool {
        let user = self.user();
        self.state.has_own_permission(user, permission) || self.state.has_own_permission(user, "admin")
    }

    /// Refuses a call without a permission.
    pub(crate) fn assert_permission(&self, permission: &str) -> Answer<()> {
        if self.may(permission) {
            return Ok(());
        }
        let who = match self.session {
            Some(_) => format!("(logged in as {})", self.state.user_name(self.user())),
            None => "(user not logged in)".into(),
        };
        Err(not_allowed(format!("{permission} permission required {who}")))
    }

    /// Refuses to put builds into a tag or take them out, unless an administrator forces it.
    pub(crate) fn assert_tag_access(&self, tag: Id, is_forced: bool) -> Answer<()> {
        let overrides = is_forced && self.may("admin");
        match self.state.tag_access(tag, self.user()) {
            Err(reason) if !overrides => Err(not_allowed(reason)),
            _ => Ok(()),
        }
    }

    /// Refuses a build that is not complete.
    pub(crate) fn assert_complete(&self, build: Id) -> Answer<()> {
        match self.state.builds.get(&build) {
            Some(build) if build.state != build_state::COMPLETE => {
                let text =
                    format!("build {} not complete: state {}", build.nvr(), build_state::name(build.state));
                Err(Fault::new(FaultCode::TagError, text))
            }
            _ => Ok(()),
        }
    }

    /// Counts a call inside a multicall.
    pub(crate) fn count(&mut self, method: &str) {
        self.counters.count_inner(method);
    }

    /// Returns letters that nobody knows.
    pub(crate) fn secret(&mut self) -> String {
        (self.secrets)()
    }
}

/// Returns nil.
pub(crate) fn nothing() -> Answer {
    Ok(Value::Nil)
}
