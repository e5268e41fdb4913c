//! What is allowed, and still worth a word.

use crate::config::{AuthMethod, Config, System};

/// Returns what somebody should know who runs a service like this.
pub(super) fn notes(config: &Config) -> Vec<String> {
    login(config).into_iter().chain(koji(config)).collect()
}

fn login(config: &Config) -> Option<String> {
    let access = &config.access;
    if access.no_auth {
        return Some(
            "nobody has to log in (`no_auth`): whoever reaches the service may do everything".to_owned(),
        );
    }
    match access.auth_method {
        AuthMethod::Kerberos if access.trusted_proxies.is_empty() => {
            Some("nobody can log in: no web server in front is believed (`trusted_proxies`)".to_owned())
        }
        AuthMethod::Kerberos => None,
        AuthMethod::Oidc => {
            let oidc = &access.oidc;
            let is_known = oidc.is_complete() || oidc.client_secrets.is_some() || oidc.jwks.is_some();
            if !is_known {
                return Some(
                    "nobody can log in: there is no identity provider (`oidc_client_secrets`)".to_owned(),
                );
            }
            let lacks_scope = oidc.required_scope.is_empty();
            lacks_scope.then(|| {
                "nobody can log in: no scope is required of tokens (`oidc_required_scope`)".to_owned()
            })
        }
    }
}

fn koji(config: &Config) -> Vec<String> {
    if config.building.system != System::Koji {
        return Vec::new();
    }
    let mut notes = Vec::new();
    let repository = &config.policy.rpms_default_repository;
    if ["http://", "https://"].iter().any(|scheme| repository.starts_with(scheme)) {
        notes.push(format!("Koji takes no sources from {repository}, but it would from git+{repository} (`rpms_default_repository`)"));
    }
    if config.messaging.messaging.is_none() {
        notes.push("Koji is only asked, not listened to: there is no bus (`messaging`)".to_owned());
    }
    notes
}
