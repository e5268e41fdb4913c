//! Logging in: by password, certificate or ticket, for a new session or to renew one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mbs_http::{Negotiation, TicketError, Tickets};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::after::Past;
use super::carry::{End, Reply};
use super::error::HubError;
use super::figures::Kind;
use super::parcel::{Content, Deadline, Parcel};
use super::pass::Pass;
use super::wire::Wire;
use crate::profile::Login;
use crate::xmlrpc::{Call, Value, encode_call};

/// A session that a login is to renew, with the number of its next call.
pub(super) struct Renewal<'s> {
    pub(super) pass: &'s Pass,
    pub(super) callnum: i64,
    pub(super) is_exclusive: bool,
}

/// Logs in, or renews a session.
///
/// # Errors
/// [`HubError::Login`], [`HubError::Unreachable`], [`HubError::Offline`]; nothing happened either way.
pub(super) async fn log_in(
    wire: &Wire,
    renewal: Option<Renewal<'_>>,
    until: Deadline,
) -> Result<Pass, HubError> {
    let until = until.at_most(wire.profile.auth_timeout);
    let entry = Entry { wire, renewal, until };
    let reply = match &wire.profile.login {
        Login::Anonymous => {
            let reason =
                format!("the profile `{}` has authtype noauth, which allows reads only", wire.profile.name);
            return Err(HubError::login(reason));
        }
        Login::Password { user, password } => {
            let call = Call::new("login").arg(user).arg(password.reveal()).keyword("opts", Value::Nil);
            entry.send(&entry.parcel(wire.hub.clone(), call, None)).await?
        }
        Login::Certificate { .. } => entry.send(&entry.ssl_login(None)).await?,
        Login::Kerberos { .. } => entry.negotiate().await?,
    };
    let value = reply.answer.map_err(|fault| HubError::login(fault.text))?;
    Pass::of(&value)
}

struct Entry<'e> {
    wire: &'e Wire,
    renewal: Option<Renewal<'e>>,
    until: Deadline,
}

impl Entry<'_> {
    fn ssl_login(&self, token: Option<&[u8]>) -> Parcel {
        let mut url = self.wire.hub.clone();
        url.set_path(&format!("{}/ssllogin", url.path().trim_end_matches('/')));
        let call = Call::new("sslLogin").keyword("proxyuser", self.wire.profile.proxyuser.as_deref());
        self.parcel(url, call, token)
    }

    fn parcel(&self, mut url: Url, mut call: Call, token: Option<&[u8]>) -> Parcel {
        let mut headers = HeaderMap::new();
        if let Some(renewal) = &self.renewal {
            call = call.keyword("renew", true).keyword("exclusive", renewal.is_exclusive);
            renewal.pass.show(renewal.callnum, &mut url, &mut headers);
        }
        if let Some(token) = token {
            let text = format!("Negotiate {}", STANDARD.encode(token));
            let mut value = HeaderValue::try_from(text).expect("base64 can stand in a header");
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Parcel::new(Kind::Login, call.method(), url, headers, Content::Xml(encode_call(&call)))
    }

    async fn send(&self, parcel: &Parcel) -> Result<Reply, HubError> {
        match self.wire.carry(parcel, &mut Past::default(), self.until).await? {
            End::Reply(reply) => Ok(reply),
            End::Challenge => {
                Err(HubError::login("the hub asks for a Kerberos ticket, or another one than ours"))
            }
            End::Stale(_) => unreachable!("a login has no session to renew"),
        }
    }

    /// Asks without ticket, as not every hub wants one each time, then with one.
    async fn negotiate(&self) -> Result<Reply, HubError> {
        let Some(tickets) = self.wire.tickets.clone() else {
            return Err(HubError::login("this program was built without Kerberos (feature gssapi)"));
        };
        let parcel = self.ssl_login(None);
        match self.wire.carry(&parcel, &mut Past::default(), self.until).await? {
            End::Reply(reply) => Ok(reply),
            End::Challenge => self.show_ticket(tickets).await,
            End::Stale(_) => unreachable!("a login has no session to renew"),
        }
    }

    async fn show_ticket(&self, tickets: Arc<dyn Tickets>) -> Result<Reply, HubError> {
        let host = self.wire.hub.host_str().unwrap_or_default().to_owned();
        let begun = self.apart(move || {
            let mut negotiation = tickets.begin(&host)?;
            let token = negotiation.step(None)?;
            Ok((negotiation, token))
        });
        let (negotiation, token) = begun.await?;
        let mut reply = self.send(&self.ssl_login(token.as_deref())).await?;
        if let Some(proof) = reply.proof.take() {
            self.apart(move || check(negotiation, &proof)).await?;
        }
        Ok(reply)
    }

    /// Runs what may block for long on a thread of its own.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, TicketError> + Send + 'static,
    ) -> Result<T, HubError> {
        let late = || TicketError { reason: "no ticket came in time".to_owned(), is_transient: true };
        let done = match self.until.bound(tokio::task::spawn_blocking(work)).await {
            Some(Ok(done)) => done,
            Some(Err(_)) | None => Err(late()),
        };
        done.map_err(|TicketError { reason, is_transient }| HubError::Login { reason, is_transient })
    }
}

/// Checks that the other side is the hub.
fn check(mut negotiation: Box<dyn Negotiation>, proof: &[u8]) -> Result<(), TicketError> {
    match negotiation.step(Some(proof))? {
        None => Ok(()),
        Some(_) => {
            Err(TicketError { reason: "the hub did not prove who it is".to_owned(), is_transient: false })
        }
    }
}
