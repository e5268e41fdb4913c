//! What a login gives: the proof that a call belongs to a session.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::error::HubError;
use crate::profile::Secret;
use crate::xmlrpc::Value;

const ID: HeaderName = HeaderName::from_static("koji-session-id");
const KEY: HeaderName = HeaderName::from_static("koji-session-key");
const CALLNUM: HeaderName = HeaderName::from_static("koji-session-callnum");

/// A session's number and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    id: i64,
    key: Secret,
    form: Form,
}

/// Where a pass is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Headers,
    Address,
}

impl Pass {
    /// Makes a pass of a known session, to be shown in headers.
    ///
    /// # Errors
    /// [`HubError::Configuration`]: the key has characters that no header has.
    pub fn new(id: i64, key: Secret) -> Result<Self, HubError> {
        if HeaderValue::from_str(key.reveal()).is_err() {
            return Err(HubError::unusable("a session's key cannot stand in a header"));
        }
        Ok(Self { id, key, form: Form::Headers })
    }

    /// Has it shown in the address in place of headers, as hubs before 1.30 want.
    #[must_use]
    pub fn in_address(self) -> Self {
        Self { form: Form::Address, ..self }
    }

    /// Returns the session's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Reads the answer to a login.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn of(answer: &Value) -> Result<Self, HubError> {
        let refused = || HubError::login("the hub's answer to it holds no session");
        let id = answer.member("session-id").and_then(Value::as_int).ok_or_else(refused)?;
        let key = answer.member("session-key").and_then(Value::as_str).ok_or_else(refused)?;
        let mut pass = Self::new(id, Secret::new(key)).map_err(|_| refused())?;
        if answer.member("header-auth").and_then(Value::as_bool) != Some(true) {
            pass = pass.in_address();
        }
        Ok(pass)
    }

    /// Shows it with a request.
    pub(super) fn show(&self, callnum: i64, url: &mut Url, headers: &mut HeaderMap) {
        match self.form {
            Form::Address => {
                url.query_pairs_mut()
                    .append_pair("session-id", &self.id.to_string())
                    .append_pair("session-key", self.key.reveal())
                    .append_pair("callnum", &callnum.to_string());
            }
            Form::Headers => {
                let mut key = HeaderValue::from_str(self.key.reveal()).expect("the key was checked");
                key.set_sensitive(true);
                headers.insert(ID, self.id.into());
                headers.insert(KEY, key);
                headers.insert(CALLNUM, callnum.into());
            }
        }
    }
}
