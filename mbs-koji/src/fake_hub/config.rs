//! What a hub is set up with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mbs_core::clock::Clock;

/// The permissions a hub has from its beginning.
pub(crate) const PERMISSIONS: [(&str, Option<&str>); 16] = [
    ("admin", Some("Full administrator access. Perform all actions.")),
    ("appliance", Some("Create appliance builds - deprecated.")),
    ("dist-repo", Some("Create a dist-repo.")),
    ("host", Some("Add, remove, enable, disable hosts and channels.")),
    ("image", Some("Start image tasks.")),
    ("image-import", Some("Import image archives.")),
    ("livecd", Some("Start livecd tasks.")),
    ("maven-import", Some("Import maven archives.")),
    ("repo", Some("Manage repos: newRepo, repoExpire, repoDelete, repoProblem.")),
    ("sign", Some("Import RPM signatures and write signed RPMs.")),
    ("tag", Some("Manage packages in tags: add, block, remove, and clone tags.")),
    ("target", Some("Add, edit, and remove targets.")),
    (
        "win-admin",
        Some("The default hub policy rule for \"vm\" requires this permission to trigger Windows builds."),
    ),
    ("win-import", Some("Import win archives.")),
    (
        "draft-promoter",
        Some(
            "The permission required in the default \"draft_promotion\" hub policy rule to promote draft build.",
        ),
    ),
    ("build", None),
];

/// A user of the hub.
#[derive(Clone)]
pub struct UserSetup {
    /// The name; also the common name in a certificate.
    pub name: String,
    /// What `login` takes; `None`: the user has no password.
    pub password: Option<String>,
    /// The Kerberos principals.
    pub principals: Vec<String>,
    /// The permissions, by name; names the hub does not know yet become permissions.
    pub permissions: Vec<String>,
    /// Whether logins are refused.
    pub is_blocked: bool,
    /// Whether it is a builder.
    pub is_host: bool,
}

impl UserSetup {
    /// Describes a user with a password and permissions.
    pub fn new(name: &str, password: &str, permissions: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            password: Some(password.to_owned()),
            principals: Vec::new(),
            permissions: permissions.iter().map(|name| (*name).to_owned()).collect(),
            is_blocked: false,
            is_host: false,
        }
    }
}

impl fmt::Debug for UserSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSetup").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a hub is set up with. The default has the users `kojiadmin` (password `adminpw`), `mbs` (`mbspw`), `nobody` (`nopw`),
/// `blocked` (`blockedpw`), `kojira` and the builder `buildhost1`.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The users, by id from 1.
    pub users: Vec<UserSetup>,
    /// What the hub says it is. From 1.35 on it has `repo.request` and its kin, and the header `Koji-Version`.
    pub version: String,
    /// Its time; `None`: the system's.
    pub clock: Option<Arc<dyn Clock>>,
    /// What the time is when the clock reads what it reads at the start. `None`: the system's time then.
    pub start: Option<Timestamp>,
    /// How long a session lives without renewal.
    pub session_lifetime: Duration,
    /// Whether a login by an unknown certificate makes a user.
    pub creates_users: bool,
    /// Whether sessions may stand in the query string.
    pub takes_url_sessions: bool,
    /// Certificate subjects that may log in as somebody else.
    pub proxy_subjects: Vec<String>,
    /// Principals that may log in as somebody else.
    pub proxy_principals: Vec<String>,
    /// Whether `/ssllogin` asks for Negotiate.
    pub asks_for_negotiate: bool,
    /// How long a request may be.
    pub request_limit: usize,
    /// When repository requests become tasks.
    pub requests_begin: RequestsBegin,
    /// When tasks of `tagBuild` end.
    pub tagging: Tagging,
    /// The URL in front of the hub's port; `None`: none.
    pub address: Option<std::net::SocketAddr>,
}

/// When repository requests become tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestsBegin {
    /// When the hub is asked anything else afterwards.
    #[default]
    WithTheNextCall,
    /// When [`serve_requests`](super::FakeHub::serve_requests) says so.
    ByHand,
}

/// When tasks of `tagBuild` end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tagging {
    /// In the call that makes them.
    #[default]
    AtOnce,
    /// That much later by the hub's clock, with a call or look that comes then.
    After(Duration),
    /// As other tasks, by [`finish`](super::FakeHub::finish).
    ByHand,
}

impl Default for Setup {
    fn default() -> Self {
        let mut blocked = UserSetup::new("blocked", "blockedpw", &[]);
        blocked.is_blocked = true;
        let mut builder = UserSetup::new("buildhost1", "hostpw", &["host"]);
        builder.is_host = true;
        let users = vec![
            UserSetup::new("kojiadmin", "adminpw", &["admin"]),
            UserSetup::new("mbs", "mbspw", &["repo", "tag", "target", "build", "mbs-tag-lock"]),
            UserSetup::new("nobody", "nopw", &[]),
            blocked,
            UserSetup::new("kojira", "kojirapw", &["repo"]),
            builder,
        ];
        Self {
            users,
            version: "1.35.3".into(),
            clock: None,
            start: None,
            session_lifetime: Duration::from_hours(24),
            creates_users: true,
            takes_url_sessions: true,
            proxy_subjects: Vec::new(),
            proxy_principals: Vec::new(),
            asks_for_negotiate: false,
            request_limit: 4 << 20,
            requests_begin: RequestsBegin::default(),
            tagging: Tagging::default(),
            address: None,
        }
    }
}

/// The part of the set-up that calls look at.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) setup: Setup,
    version: (u32, u32),
}

impl Config {
    pub(crate) fn new(setup: Setup) -> Self {
        let mut parts = setup.version.split('.').map(|part| part.parse().unwrap_or_default());
        let version = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self { setup, version }
    }

    /// Says whether the hub is of the days of repository requests.
    pub(crate) fn is_recent(&self) -> bool {
        self.version >= (1, 35)
    }

    /// Says whether a hub of this version has a method.
    pub(crate) fn offers(&self, method: &str) -> bool {
        match method {
            "getKojiVersion" => self.version >= (1, 23),
            _ => self.is_recent() || !method.starts_with("repo."),
        }
    }

    /// Says whether logins answer that sessions go into headers.
    pub(crate) fn has_header_sessions(&self) -> bool {
        self.version >= (1, 30)
    }

    pub(crate) fn session_lifetime_micros(&self) -> i64 {
        i64::try_from(self.setup.session_lifetime.as_micros()).unwrap_or(i64::MAX)
    }
}
