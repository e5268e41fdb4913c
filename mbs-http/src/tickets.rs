//! Where Kerberos tickets come from.
//!
//! The hub asks for one by HTTP Negotiate; [`Tickets`] is who has them. With the feature `gssapi` it is the system's library.

use std::fmt::Debug;
use std::sync::Arc;

#[cfg(feature = "gssapi")]
use crate::profile::Login;
use crate::profile::Profile;

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

/// Returns the system's tickets for a profile; `None` if this program was built without Kerberos, or the profile needs none.
#[cfg(not(feature = "gssapi"))]
pub(super) fn system_tickets(_: &Profile) -> Option<Arc<dyn Tickets>> {
    None
}

/// Returns the system's tickets for a profile; `None` if it needs none.
#[cfg(feature = "gssapi")]
pub(super) fn system_tickets(profile: &Profile) -> Option<Arc<dyn Tickets>> {
    let Login::Kerberos { principal, keytab } = &profile.login else { return None };
    let (principal, keytab) = (principal.clone(), keytab.clone());
    Some(Arc::new(super::gssapi::SystemTickets { principal, keytab }))
}
