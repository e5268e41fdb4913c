//! Who may do what, and how people prove who they are. Whether somebody is allowed is decided by the frontend.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::forms;
use super::oidc::Oidc;

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Nobody logs in: everybody is `anonymous` in the group `packager`.
    pub no_auth: bool,
    /// Nobody logs in, and not only those on this machine may ask. Without it `no_auth` is refused elsewhere.
    pub no_auth_anywhere: bool,
    /// How people log in; it is also shown to clients while nobody has to.
    pub auth_method: AuthMethod,
    /// The identity provider.
    #[serde(skip)]
    pub oidc: Oidc,
    /// The header in which the web server in front hands over who logged in.
    pub remote_user_header: String,
    /// Whose header of that name counts. Empty: nobody's.
    #[serde(with = "forms::texts")]
    pub trusted_proxies: Vec<TrustedPeer>,
    /// The LDAP server that knows the groups of people; `None`: there is none.
    #[serde(with = "forms::if_any")]
    pub ldap_uri: Option<String>,
    /// The entry below which groups stand; `None`: none is configured.
    #[serde(with = "forms::if_any")]
    pub ldap_groups_dn: Option<String>,
    /// Groups that may submit and cancel. Empty: everybody who is logged in.
    pub allowed_groups: BTreeSet<String>,
    /// People who need no group.
    pub allowed_users: BTreeSet<String>,
    /// Groups that may cancel what others own.
    pub admin_groups: BTreeSet<String>,
    /// Groups that may import modules. Empty: importing is switched off.
    pub allowed_groups_to_import_module: BTreeSet<String>,
}

/// How people log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMethod {
    /// With a token of an identity provider.
    Oidc,
    /// With a ticket, at the web server in front.
    Kerberos,
}

/// Somebody whose headers are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedPeer {
    /// Whoever may connect to our Unix socket.
    Unix,
    /// The addresses of a network.
    Network(IpNet),
}

impl Access {
    /// Says whether the header of a peer about who is logged in counts; `None` is a peer on our Unix socket.
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        self.trusted_proxies.iter().any(|trusted| match (trusted, peer) {
            (TrustedPeer::Unix, None) => true,
            (TrustedPeer::Network(network), Some(address)) => network.contains(&address.to_canonical()),
            (TrustedPeer::Unix, Some(_)) | (TrustedPeer::Network(_), None) => false,
        })
    }
}

impl Default for Access {
    fn default() -> Self {
        Self {
            no_auth: false,
            no_auth_anywhere: false,
            auth_method: AuthMethod::Oidc,
            oidc: Oidc::default(),
            remote_user_header: "Remote-User".to_owned(),
            trusted_proxies: Vec::new(),
            ldap_uri: None,
            ldap_groups_dn: None,
            allowed_groups: ["packager".to_owned()].into(),
            allowed_users: BTreeSet::new(),
            admin_groups: BTreeSet::new(),
            allowed_groups_to_import_module: BTreeSet::new(),
        }
    }
}

impl AuthMethod {
    /// Returns the word that clients read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Kerberos => "kerberos",
        }
    }
}

impl fmt::Display for TrustedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix => f.write_str("unix"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

impl FromStr for TrustedPeer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(|network| Self::Network(network.trunc()))
            .map_err(|_| format!("`{text}` is no address, no network like 10.0.0.0/8, and not the word unix"))
    }
}
