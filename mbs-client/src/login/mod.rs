//! Who we are: tokens of a file, tokens of an OpenID Connect provider, Kerberos tickets.
//!
//! Changes show it, reads do not. What may be done with it the service decides. Nothing here is printed: tokens are
//! [`Secret`]s.
//!
//! | module | has tokens |
//! | --- | --- |
//! | `token_file` | from a file that nobody else may read |
//! | `oidc`, `provider`, `listener` | from a provider, by a person in a browser or in exchange for an older one |
//! | `cache` | from the file that other programs of the same person share |
//! | `kerberos` | for a ticket of the system's library |

mod cache;
mod kerberos;
mod listener;
mod oidc;
mod provider;
mod token_file;

use mbs_http::Secret;
use reqwest::header::HeaderValue;

pub use kerberos::Kerberos;
pub use oidc::{Oidc, OidcSettings, Person};
pub use token_file::token_file;

/// How we show who we are.
#[derive(Debug, Clone)]
pub enum Login {
    /// Not at all: everybody may read, and some services let everybody submit.
    Anonymous,
    /// By a bearer token that somebody gave us.
    Token(Secret),
    /// By a bearer token of an OpenID Connect provider.
    Oidc(Oidc),
    /// By a Kerberos ticket (HTTP Negotiate).
    Ticket(Kerberos),
}

impl Login {
    /// Says whether something is sent that nobody else should see.
    pub(crate) fn has_secret(&self) -> bool {
        !matches!(self, Self::Anonymous)
    }
}

/// Why it cannot be shown who we are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Whoever vouches for us does not: log in again, or get another token.
    #[error("{reason}")]
    Denied {
        /// Who, and in which words.
        reason: String,
    },
    /// This machine is not as it has to be: a file, a port, a program without Kerberos. Mend it.
    #[error("{reason}")]
    Unable {
        /// What, and what to do.
        reason: String,
    },
    /// Whoever vouches for us cannot be asked. Try later.
    #[error("{reason}")]
    Unavailable {
        /// Who, and what happened.
        reason: String,
    },
}

impl LoginError {
    /// Says whether it may work later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    fn denied(reason: impl Into<String>) -> Self {
        Self::Denied { reason: reason.into() }
    }

    fn unable(reason: impl Into<String>) -> Self {
        Self::Unable { reason: reason.into() }
    }
}

/// Returns the header that shows a token.
pub(crate) fn bearer(token: &Secret) -> Result<HeaderValue, LoginError> {
    let header = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
    let mut header = header.map_err(|_| LoginError::unable("the token has characters that no token has"))?;
    header.set_sensitive(true);
    Ok(header)
}
