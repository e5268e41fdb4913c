//! The settings that a profile was recorded with, as our configuration.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use mbs_bin::config::Config;
use serde_json::Value;

/// Where our configuration has the settings that matter; each names a table and its keys.
const TABLES: [(&str, &str); 3] = [
    (
        "access",
        "no_auth auth_method oidc_token_introspection_uri oidc_userinfo_uri oidc_client_id oidc_client_secret \
         oidc_required_scope allowed_groups_to_import_module admin_groups allowed_users",
    ),
    ("modules", "stream_suffixes br_stream_override_regexes"),
    (
        "submission",
        "scmurls modules_default_repository rpms_default_repository yaml_submit_allowed modules_allow_scratch \
         rebuild_strategy_allow_override rebuild_strategies_allowed scratch_build_only_branches",
    ),
];

/// Settings that are set up otherwise, or that a frontend has no use for.
const ELSEWHERE: &str =
    "messaging system koji_server net_timeout net_retry_interval scm_net_timeout scm_net_retry_interval";

/// A profile.
#[derive(Debug)]
pub(super) struct Profile {
    /// The configuration.
    pub(super) config: Config,
    /// Whether a build system can be asked.
    pub(super) has_build_system: bool,
}

/// Reads a profile from the recorded settings; `services` is the address of what stands in for Koji and the identity provider.
///
/// # Errors
/// There is no such profile, or it has a setting that we do not know.
pub(super) fn read(settings: &str, name: &str, services: &str) -> Result<Profile> {
    let settings = settings.replace("{services}", services);
    let mut tables: BTreeMap<String, BTreeMap<String, Value>> = toml_edit::de::from_str(&settings)?;
    let mut flat = tables.remove("common").unwrap_or_default();
    flat.extend(tables.remove(name).with_context(|| format!("there is no profile {name}"))?);
    let has_build_system = flat.get("system").and_then(Value::as_str) == Some("koji");
    let mut text = String::new();
    for (table, keys) in TABLES {
        text.push_str(&format!("[{table}]\n"));
        for key in keys.split_ascii_whitespace() {
            if let Some(value) = flat.remove(key) {
                text.push_str(&format!("{key} = {}\n", toml(&value)));
            }
        }
    }
    flat.retain(|key, _| !ELSEWHERE.split_ascii_whitespace().any(|one| one == key));
    ensure!(flat.is_empty(), "settings that nobody takes care of: {:?}", flat.keys());
    Ok(Profile { config: Config::read("settings", &text, &[], None)?, has_build_system })
}

/// Writes a value as TOML does; but for tables it is as in JSON.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{} = {}", Value::from(key.as_str()), toml(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
