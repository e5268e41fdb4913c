//! How a server is set up.

use std::net::SocketAddr;

use jiff::civil::Date;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where it listens; `None`: a free port of this machine.
    pub address: Option<SocketAddr>,
    /// Who may write. Reading needs nobody.
    pub users: Vec<User>,
    /// The day that decides whether a branch is at its end of life; `None`: the real one, in UTC.
    pub today: Option<Date>,
    /// What the server is able to do.
    pub flavour: Flavour,
    /// The host that absolute addresses name, as `pdc.example.com`; `None`: the one that the client has named.
    pub host: Option<String>,
    /// Whether the web server in front wants a ticket for whatever is about tokens, as the stock configuration has it.
    pub asks_for_negotiate: bool,
    /// For how many seconds answers may be kept, as the answers say it. The server itself keeps none.
    pub cache_seconds: u32,
}

impl Default for Setup {
    /// Returns a server with the users of the recordings: `admin` (forty times `a` is the token), `module-bot` (`b`), who may
    /// write modules, `nobody` (`c`), who may only read, and `disabled` (`d`).
    fn default() -> Self {
        let token = |letter: &str| letter.repeat(40);
        let disabled = User { is_active: false, ..User::new("disabled", &token("d"), Rights::Modules) };
        Self {
            address: None,
            users: vec![
                User::new("admin", &token("a"), Rights::All),
                User::new("module-bot", &token("b"), Rights::Modules),
                User::new("nobody", &token("c"), Rights::Read),
                disabled,
            ],
            today: None,
            flavour: Flavour::Current,
            host: None,
            asks_for_negotiate: false,
            cache_seconds: 0,
        }
    }
}

/// Somebody whom the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name, as a ticket has it before the `@`.
    pub name: String,
    /// The token; `None` until one is obtained with a ticket.
    pub token: Option<String>,
    /// What the user may do.
    pub rights: Rights,
    /// Whether the user may do anything at all.
    pub is_active: bool,
}

impl User {
    /// Describes an active user with a token.
    pub fn new(name: &str, token: &str, rights: Rights) -> Self {
        Self { name: name.to_owned(), token: Some(token.to_owned()), rights, is_active: true }
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// Read, as everybody.
    Read,
    /// Also create, change and delete modules, through either endpoint.
    Modules,
    /// Everything.
    All,
}

/// How old a server is. The older, the less it is able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flavour {
    /// Before March 2017: as below, and there is no `active`.
    WithoutActive,
    /// March 2017: as below, and there are no `rpms` and no filters over packages.
    WithoutPackages,
    /// From April 2017 to early 2018: there is no `modules` and no `variant_context`.
    WithoutContexts,
    /// From 2018 on.
    Current,
}

impl Flavour {
    /// Says whether there is `modules`, and contexts.
    pub(super) fn has_contexts(self) -> bool {
        self >= Self::Current
    }

    /// Says whether entries have packages.
    pub(super) fn has_packages(self) -> bool {
        self >= Self::WithoutContexts
    }

    /// Says whether entries are active or not.
    pub(super) fn has_active(self) -> bool {
        self >= Self::WithoutPackages
    }
}
