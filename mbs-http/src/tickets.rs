//! Where Kerberos tickets come from.
//!
//! Servers ask for one by HTTP Negotiate; [`Tickets`] is who has them. With the feature `gssapi` it is the system's library.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

/// Who has tickets. Its methods may block.
pub trait Tickets: Debug + Send + Sync + 'static {
    /// Begins to prove to the service `HTTP` of a host who we are.
    ///
    /// # Errors
    /// There are no credentials.
    fn begin(&self, host: &str) -> Result<Box<dyn Negotiation>, TicketError>;
}

/// One proof under way. Its methods may block.
pub trait Negotiation: Send {
    /// Returns the next token for the other side, after its last one; `None` if nothing is left to say.
    ///
    /// # Errors
    /// The other side is not who it should be, or no ticket for it could be had.
    fn step(&mut self, token: Option<&[u8]>) -> Result<Option<Vec<u8>>, TicketError>;
}

/// Why there is no ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TicketError {
    /// The library's words.
    pub reason: String,
    /// Whether there may be one later without anybody doing anything.
    pub is_transient: bool,
}

/// Returns the system's tickets of a principal, `None`: the default one; the environment must name the keytab, if one is given.
/// `None` if this program was built without Kerberos.
pub fn system_tickets(principal: Option<&str>, keytab: Option<&Path>) -> Option<Arc<dyn Tickets>> {
    #[cfg(feature = "gssapi")]
    let tickets: Option<Arc<dyn Tickets>> = Some(Arc::new(crate::gssapi::SystemTickets {
        principal: principal.map(str::to_owned),
        keytab: keytab.map(Path::to_owned),
    }));
    #[cfg(not(feature = "gssapi"))]
    let tickets = {
        let _ = (principal, keytab);
        None
    };
    tickets
}
