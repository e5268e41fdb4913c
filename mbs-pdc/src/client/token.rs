//! How a token is had for a Kerberos ticket.
//!
//! The web server before PDC checks the ticket; PDC then answers with the user's token, the same each time. The path has had
//! three spellings. Source: PDC's client library 1.8.0, `obtain_token`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mbs_core::build_system::Effect;
use mbs_http::{Secret, TicketError, Tickets};
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::allowance::Allowance;
use super::{Method, Pdc, PdcError, Request};

/// The spellings of the path, in the order in which they are tried.
const PATHS: [[&str; 3]; 3] =
    [["auth", "token", "obtain"], ["auth", "obtain-token", ""], ["auth", "obtain_token", ""]];

#[derive(Deserialize)]
struct Obtained {
    token: Box<str>,
}

impl Pdc {
    /// Returns our token for a Kerberos ticket.
    ///
    /// # Errors
    /// `Denied`: there is no ticket, or it is not accepted. `Configuration`: PDC gives no tokens, or this program was built
    /// without Kerberos.
    pub async fn token(&self) -> Result<Secret, PdcError> {
        self.obtain_token(&mut Allowance::of_answer(&self.0.server)).await
    }

    /// Returns the token that all requests share; a new one if it is this one, which is not accepted.
    pub(super) async fn own_token(
        &self,
        refused: Option<&Secret>,
        allowance: &mut Allowance,
    ) -> Result<Secret, PdcError> {
        // Who comes meanwhile waits here, and then has it.
        let mut token = self.in_line(self.0.token.lock()).await.ok_or_else(too_late)?;
        match token.clone().filter(|token| Some(token) != refused) {
            Some(token) => Ok(token),
            None => Ok(token.insert(self.obtain_token(allowance).await?).clone()),
        }
    }

    async fn obtain_token(&self, allowance: &mut Allowance) -> Result<Secret, PdcError> {
        let mut unknown = String::new();
        for path in PATHS {
            let parts = path.into_iter().filter(|part| !part.is_empty());
            let request = Request::new(Method::Get, parts);
            let ticket = allowance.spend(self.ticket()).await.ok_or_else(too_late)??;
            match self.send(&request, Some(ticket), allowance, false).await {
                Err(PdcError::NotFound { reason, .. }) => unknown = reason,
                outcome => return token_in(&outcome?),
            }
        }
        // What the request is about may well be there.
        Err(PdcError::unusable(format!("no token is configured, and PDC gives none for a ticket: {unknown}")))
    }

    async fn ticket(&self) -> Result<HeaderValue, PdcError> {
        let Some(tickets) = &self.0.tickets else {
            return Err(PdcError::unusable(
                "no token is configured, and this program was built without Kerberos, which one could be had with",
            ));
        };
        let host = self.0.root.host_str().unwrap_or_default().to_owned();
        let tickets = Arc::clone(tickets);
        let asked = tokio::task::spawn_blocking(move || first_token(&*tickets, &host)).await;
        let asked = asked.unwrap_or_else(|_| {
            Err(TicketError { reason: "asking for it was stopped".into(), is_transient: true })
        });
        let ticket = asked.map_err(|error| refused(&error))?;
        let header = format!("Negotiate {}", STANDARD.encode(ticket));
        let mut header = HeaderValue::from_str(&header).expect("base64 can stand in a header");
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Reads an answer with a token. What is wrong with it is not quoted: that may be the token.
fn token_in(body: &[u8]) -> Result<Secret, PdcError> {
    let obtained: Option<Obtained> = serde_json::from_slice(body).ok();
    let is_token = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let obtained = obtained.filter(|obtained| is_token(&obtained.token));
    obtained.map(|obtained| Secret::new(obtained.token)).ok_or_else(|| PdcError::odd("it holds no token"))
}

fn too_late() -> PdcError {
    let reason = "no token could be had in time".to_owned();
    PdcError::Unavailable { reason, effect: Effect::None, retry_after: None }
}

fn first_token(tickets: &dyn Tickets, host: &str) -> Result<Vec<u8>, TicketError> {
    Ok(tickets.begin(host)?.step(None)?.unwrap_or_default())
}

fn refused(error: &TicketError) -> PdcError {
    let reason = format!("no Kerberos ticket could be had: {error}");
    if error.is_transient {
        PdcError::Unavailable { reason, effect: Effect::None, retry_after: None }
    } else {
        PdcError::Denied { status: 401, reason }
    }
}
