//! Tickets of the system's Kerberos library. Credential caches and keytabs are those of the environment (`KRB5CCNAME`,
//! `KRB5_CLIENT_KTNAME`): with a keytab the library fetches and renews tickets by itself.

use std::path::PathBuf;

use libgssapi::context::{ClientCtx, CtxFlags};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::{Error, MajorFlags};
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_SPNEGO, GSS_NT_HOSTBASED_SERVICE, GSS_NT_KRB5_PRINCIPAL};

use crate::tickets::{Negotiation, TicketError, Tickets};

/// The environment's variable that names the keys which tickets are fetched with.
const KEYTAB: &str = "KRB5_CLIENT_KTNAME";

/// The system's tickets for one principal, or for the default one.
#[derive(Debug)]
pub(crate) struct SystemTickets {
    pub(crate) principal: Option<String>,
    pub(crate) keytab: Option<PathBuf>,
}

impl SystemTickets {
    /// The library reads the environment alone, and a library like ours cannot safely change that of its process.
    fn check_keytab(&self) -> Result<(), TicketError> {
        let Some(wanted) = &self.keytab else { return Ok(()) };
        let set = std::env::var(KEYTAB).unwrap_or_default();
        if set.strip_prefix("FILE:").unwrap_or(&set) == wanted.as_os_str() {
            return Ok(());
        }
        let reason = format!("{KEYTAB} has to name the profile's keytab, {}", wanted.display());
        Err(TicketError { reason, is_transient: false })
    }
}

impl Tickets for SystemTickets {
    fn begin(&self, host: &str) -> Result<Box<dyn Negotiation>, TicketError> {
        self.check_keytab()?;
        let service = Name::new(format!("HTTP@{host}").as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE));
        let credentials = self.principal.as_deref().map(credentials_of).transpose()?;
        let flags = CtxFlags::GSS_C_MUTUAL_FLAG;
        let context = ClientCtx::new(credentials, service.map_err(told)?, flags, Some(GSS_MECH_SPNEGO));
        Ok(Box::new(SystemNegotiation(context)))
    }
}

fn credentials_of(principal: &str) -> Result<Cred, TicketError> {
    let name = Name::new(principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL)).map_err(told)?;
    Cred::acquire(Some(&name), None, CredUsage::Initiate, None).map_err(told)
}

struct SystemNegotiation(ClientCtx);

impl Negotiation for SystemNegotiation {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Option<Vec<u8>>, TicketError> {
        let token = self.0.step(token, None).map_err(told)?;
        Ok(token.map(|token| token.to_vec()))
    }
}

/// Failures of the mechanism are a server that is away, or a ticket that just ran out; all else is wrong settings.
fn told(error: Error) -> TicketError {
    let passing = [MajorFlags::GSS_S_FAILURE, MajorFlags::GSS_S_CREDENTIALS_EXPIRED];
    let is_transient = passing.iter().any(|flags| flags.bits() == error.major.bits());
    TicketError { reason: error.to_string().trim().to_owned(), is_transient }
}
