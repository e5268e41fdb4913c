//! The services that are asked in their own language: store, Koji, bus, PDC, LDAP, git.

use std::path::Path;
use std::sync::Arc;

use mbs_core::source_control::{SourceControl as _, SourceError};
use mbs_koji::hub::{Hub, HubError};
use mbs_koji::profile::Login;
use mbs_koji::xmlrpc::Call;
use mbs_local::SystemClock;
use mbs_local::git::GitSourceControl;
use mbs_pdc::api::Entries;
use mbs_pdc::client::{Pdc, PdcError};
use mbs_pdc::server::ServerFiles;
use reqwest::Url;

use super::{Probe, Trouble, WITHIN, connect};
use crate::config::{AuthMethod, Bus, Config, Place, System, without_password};
use crate::exit::{Stop, chain};

pub(super) fn store(config: &Arc<Config>) -> Probe {
    let config = Arc::clone(config);
    Probe::new(format!("the store {}", without_password(config.service.database.reveal())), async move {
        let opened = mbs_store::open_existing(config.service.database.reveal(), &config.policy).await;
        let opened = opened.map_err(|error| match Stop::from(error) {
            Stop::Usage(why) => Trouble::Wrong(why),
            other => Trouble::Away(other.to_string()),
        })?;
        let asked = opened.store.settings().await;
        asked.map_err(|error| Trouble::Away(error.to_string()))?;
        Ok("its schema is the one that is needed".to_owned())
    })
}

/// The hub, if anything needs one: its version, and whether we may log in.
pub(super) fn koji(config: &Arc<Config>) -> Option<Probe> {
    let building = &config.building;
    if building.system != System::Koji && !building.resolver.contains(&Place::Koji) {
        return None;
    }
    let config = Arc::clone(config);
    let what = format!("the Koji hub of the profile {}", config.koji.koji_profile);
    Some(Probe::new(what, async move {
        let profile = config.koji.profile().map_err(|error| Trouble::Wrong(error.to_string()))?;
        let hub = Hub::new(&profile, Arc::new(SystemClock::new())).map_err(|error| of_hub(&error))?;
        hub.read(&Call::new("getAPIVersion")).await.map_err(|error| of_hub(&error))?;
        let version = hub.version().map(|version| format!(", version {version}")).unwrap_or_default();
        if profile.login == Login::Anonymous {
            return Ok(format!("{}{version}, without a login", profile.server));
        }
        let user = hub.user().await.map_err(|error| of_hub(&error))?;
        hub.log_out().await;
        Ok(format!("{}{version}, as {}", profile.server, user.name))
    }))
}

fn of_hub(error: &HubError) -> Trouble {
    match error {
        HubError::Configuration { .. } => Trouble::Wrong(error.to_string()),
        HubError::Unreachable { reason, .. } => Trouble::Away(reason.clone()),
        _ => Trouble::Away(error.to_string()),
    }
}

pub(super) fn bus(config: &Arc<Config>) -> Option<Probe> {
    let Some(Bus::Amqp(url)) = config.messaging.messaging.clone() else { return None };
    Some(Probe::new(format!("the bus {}", without_password(url.reveal())), async move {
        let url = Url::parse(url.reveal()).map_err(|error| Trouble::Wrong(error.to_string()))?;
        connect(&url, if url.scheme() == "amqps" { 5671 } else { 5672 }).await
    }))
}

pub(super) fn pdc(config: &Arc<Config>) -> Option<Probe> {
    if !config.rules.check_for_eol && !config.building.resolver.contains(&Place::Pdc) {
        return None;
    }
    let server = config.pdc.pdc_url.clone();
    Some(Probe::new(format!("PDC {}", without_password(&server)), async move {
        let found = ServerFiles::usual(std::env::home_dir().as_deref()).find(&server);
        let server = found.map_err(|error| Trouble::Wrong(error.to_string()))?.anonymous();
        let pdc = Pdc::new(&server, Arc::new(SystemClock::new())).map_err(|error| of_pdc(&error))?;
        Entries::newest(pdc).await.map(|_| String::new()).map_err(|error| of_pdc(&error))
    }))
}

fn of_pdc(error: &PdcError) -> Trouble {
    match error {
        PdcError::Configuration { .. } => Trouble::Wrong(error.to_string()),
        PdcError::Unavailable { reason, .. } => Trouble::Away(reason.clone()),
        _ => Trouble::Away(error.to_string()),
    }
}

/// LDAP, if people's groups are asked for there.
pub(super) fn ldap(config: &Arc<Config>) -> Option<Probe> {
    let access = &config.access;
    let uri = access.ldap_uri.clone().filter(|_| access.auth_method == AuthMethod::Kerberos)?;
    Some(Probe::new(format!("the LDAP server {}", without_password(&uri)), async move {
        match Url::parse(&uri) {
            Ok(url) if url.scheme() == "ldaps" => connect(&url, 636).await,
            Ok(url) if url.scheme() == "ldap" => connect(&url, 389).await,
            _ => Err(Trouble::Wrong("`ldap_uri` begins with ldap:// or ldaps://".to_owned())),
        }
    }))
}

/// The repository of default streams, with the git program.
pub(super) fn default_modules(config: &Arc<Config>) -> Option<Probe> {
    let repository = config.policy.default_modules_scm_url.clone();
    if repository.is_empty() {
        return None;
    }
    let mut settings = config.git.settings(&config.building);
    settings.time_limit = settings.time_limit.min(WITHIN);
    settings.cache_dir = settings.cache_dir.filter(|folder| folder.parent().is_some_and(Path::exists));
    let branch = config.policy.rawhide_branch.clone();
    let what = format!("the repository of default streams {}", without_password(&repository));
    Some(Probe::new(what, async move {
        match GitSourceControl::new(settings).default_streams(&repository, &branch).await {
            Ok(Some(streams)) => Ok(format!("it names {} on {branch}", streams.len())),
            Ok(None) => Ok(format!("it has no branch {branch}")),
            Err(SourceError::Unavailable { reason, .. }) => Err(Trouble::Away(reason)),
            Err(error @ SourceError::Rejected { .. }) => Err(Trouble::Wrong(chain(&error))),
            Err(error) => Err(Trouble::Away(chain(&error))),
        }
    }))
}
