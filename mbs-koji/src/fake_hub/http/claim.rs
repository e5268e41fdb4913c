//! What a request says of its session: in headers, or in the query string as old clients do.

use std::collections::BTreeMap;

use axum::http::HeaderMap;

use super::text;
use crate::fake_hub::config::Config;
use crate::fake_hub::python::quoted;
use crate::fake_hub::state::{Answer, Claim};
use crate::xmlrpc::{Fault, FaultCode};

/// A request, its body apart.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
}

fn exception(text: String) -> Fault {
    Fault::new(FaultCode::Exception, text)
}

fn number(text: &str) -> Answer<i64> {
    text.trim().parse().map_err(|_| {
        let quoted = quoted(text);
        exception(format!("<class 'ValueError'>: invalid literal for int() with base 10: {quoted}"))
    })
}

impl Asked {
    /// Returns what the query string says.
    pub(crate) fn fields(&self) -> BTreeMap<String, String> {
        let query = self.query.as_deref().unwrap_or_default().as_bytes();
        form_urlencoded::parse(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// Returns the session a request claims to belong to; `None` for an anonymous one.
    pub(crate) fn claim(&self, config: &Config) -> Answer<Option<Claim>> {
        if let Some(id) = text(&self.headers, "koji-session-id") {
            return self.header_claim(&id).map(Some);
        }
        match &self.query {
            Some(query) if config.setup.takes_url_sessions && !query.is_empty() => {
                self.query_claim().map(Some)
            }
            _ => Ok(None),
        }
    }

    fn header_claim(&self, id: &str) -> Answer<Claim> {
        let id = number(id)?;
        let missing = || exception("<class 'KeyError'>: 'HTTP_KOJI_SESSION_KEY'".into());
        let key = text(&self.headers, "koji-session-key").ok_or_else(missing)?;
        let callnum =
            text(&self.headers, "koji-session-callnum").or_else(|| text(&self.headers, "koji-callnum"));
        let callnum = callnum.map(|callnum| number(&callnum)).transpose()?;
        Ok(Claim { id, key, callnum })
    }

    fn query_claim(&self) -> Answer<Claim> {
        let fields = self.fields();
        let field = |name: &str| {
            let missing =
                || Fault::new(FaultCode::AuthError, format!("'{name}' not specified in session args"));
            fields.get(name).ok_or_else(missing)
        };
        let id = number(field("session-id")?)?;
        let key = field("session-key")?.clone();
        let invalid =
            |text: &String| Fault::new(FaultCode::AuthError, format!("Invalid callnum: {}", quoted(text)));
        let callnum =
            fields.get("callnum").map(|text| text.parse().map_err(|_| invalid(text))).transpose()?;
        Ok(Claim { id, key, callnum })
    }
}
