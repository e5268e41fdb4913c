//! The groups of people whom the web server in front logged in.

use std::collections::BTreeSet;

use super::super::problem::Problem;
use crate::config::Access;

/// Returns the groups of somebody.
pub(super) async fn groups(access: &Access, name: &str) -> Result<BTreeSet<String>, Problem> {
    let unset = |key: &str| Problem::forbidden(format!("{key} must be set in server config."));
    let server = access.ldap_uri.as_deref().ok_or_else(|| unset("LDAP_URI"))?;
    let below = access.ldap_groups_dn.as_deref().ok_or_else(|| unset("LDAP_GROUPS_DN"))?;
    found(server, below, name).await.map_err(|reason| {
        tracing::error!(server, reason, "the groups of {name} cannot be asked for");
        Problem::forbidden("The connection to the LDAP server failed. Group membership couldn't be obtained.")
    })
}

/// Asks the server for the groups right below an entry that somebody is a member of.
#[cfg(feature = "ldap")]
async fn found(server: &str, below: &str, name: &str) -> Result<BTreeSet<String>, String> {
    use std::time::Duration;

    use ldap3::{LdapConnAsync, LdapConnSettings, Scope, SearchEntry, ldap_escape};

    const WITHIN: Duration = Duration::from_secs(15);
    let told = |error: ldap3::LdapError| error.to_string();
    let settings = LdapConnSettings::new().set_conn_timeout(WITHIN);
    let (connection, mut ldap) = LdapConnAsync::with_settings(settings, server).await.map_err(told)?;
    ldap3::drive!(connection);
    let filter = format!("(memberUid={})", ldap_escape(name));
    let searched = ldap.with_timeout(WITHIN).search(below, Scope::OneLevel, &filter, ["cn"]).await;
    let (entries, _) = searched.and_then(|answer| answer.success()).map_err(told)?;
    let first_name =
        |entry| SearchEntry::construct(entry).attrs.remove("cn").and_then(|names| names.into_iter().next());
    let groups = entries.into_iter().filter_map(first_name).collect();
    // That the goodbye does not arrive takes nothing away.
    drop(ldap.unbind().await);
    Ok(groups)
}

#[cfg(not(feature = "ldap"))]
async fn found(_server: &str, _below: &str, _name: &str) -> Result<BTreeSet<String>, String> {
    Err("this program was built without LDAP".to_owned())
}
