//! What the HTTP clients of the module build service share: whom they trust, how much of an answer they read, and what kept an
//! answer away, in few words.
//!
//! It knows no protocol above HTTP, sends nothing by itself, and never decides whether something is sent again.

mod body;
#[cfg(feature = "gssapi")]
mod gssapi;
mod secret;
mod tickets;
mod trouble;
mod trust;

pub use body::{beginning, said, whole};
pub use secret::Secret;
pub use tickets::{Negotiation, TicketError, Tickets, system_tickets};
pub use trouble::{Failure, Trouble};
pub use trust::{Trust, TrustError, built, certificates, client, identity, is_here, pem_file, trusting};
