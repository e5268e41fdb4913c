//! Kerberos tickets shown by HTTP Negotiate: a ticket for the service's host goes out with each change.
//!
//! That the service proves in turn who it is, is not asked for: TLS does.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mbs_http::{TicketError, Tickets, system_tickets};
use reqwest::header::HeaderValue;

use super::LoginError;

/// Somebody's tickets.
#[derive(Debug, Clone)]
pub struct Kerberos(Arc<dyn Tickets>);

impl Kerberos {
    /// Takes the tickets of the system's library: those of whoever runs this program.
    ///
    /// # Errors
    /// `Unable`: this program was built without Kerberos.
    pub fn of_system() -> Result<Self, LoginError> {
        system_tickets(None, None).map(Self).ok_or_else(|| {
            LoginError::unable(
                "the server wants Kerberos, and this program was built without (feature gssapi)",
            )
        })
    }

    /// Takes tickets from elsewhere.
    pub fn new(tickets: Arc<dyn Tickets>) -> Self {
        Self(tickets)
    }

    /// Returns the header that shows a ticket to a host.
    pub(crate) async fn header(&self, host: &str) -> Result<HeaderValue, LoginError> {
        let (tickets, host) = (Arc::clone(&self.0), host.to_owned());
        let first = move || Ok(tickets.begin(&host)?.step(None)?.unwrap_or_default());
        let asked = tokio::task::spawn_blocking(first).await;
        let ticket = asked.unwrap_or_else(|_| {
            Err(TicketError { reason: "asking for it was stopped".into(), is_transient: true })
        });
        let ticket = ticket.map_err(|error| unable(&error))?;
        let header = HeaderValue::from_str(&format!("Negotiate {}", STANDARD.encode(ticket)));
        let mut header = header.expect("base64 can stand in a header");
        header.set_sensitive(true);
        Ok(header)
    }

    /// Tells that the service did not take the ticket.
    pub(crate) fn refused(&self) -> LoginError {
        LoginError::denied(
            "Authentication using Kerberos failed. Make sure you have a valid Kerberos ticket.",
        )
    }
}

fn unable(error: &TicketError) -> LoginError {
    let reason = format!(
        "Authentication using Kerberos failed. Make sure you have a valid Kerberos ticket. ({error})"
    );
    if error.is_transient { LoginError::Unavailable { reason } } else { LoginError::denied(reason) }
}
