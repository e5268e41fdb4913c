//! Addresses of which nothing is wanted but an answer, each server once.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Url;

use super::provider::answers;
use super::{Probe, Trouble, connect};
use crate::config::{Config, Place, System, without_password};

/// Returns the servers that addresses of the configuration name.
pub(super) fn probes(config: &Arc<Config>) -> Vec<Probe> {
    let mut servers: BTreeMap<String, (String, Vec<&str>)> = BTreeMap::new();
    for (key, address) in named(config) {
        let (_, keys) = servers.entry(server(&address)).or_insert_with(|| (address, Vec::new()));
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let probe = |(server, (address, keys)): (String, (String, Vec<&str>))| {
        Probe::new(format!("{server} ({})", keys.join(", ")), async move { look(&address).await })
    };
    servers.into_iter().map(probe).collect()
}

/// Returns keys with the addresses that matter.
fn named(config: &Config) -> Vec<(&'static str, String)> {
    let (policy, building) = (&config.policy, &config.building);
    let mut named: Vec<(&str, String)> =
        config.rules.scmurls.iter().map(|address| ("scmurls", address.clone())).collect();
    named.push(("rpms_default_repository", policy.rpms_default_repository.clone()));
    named.push(("rpms_default_cache", policy.rpms_default_cache.clone()));
    named.push(("modules_default_repository", policy.modules_default_repository.clone()));
    if building.system == System::Koji {
        named.push(("koji_repository_url", config.koji.koji_repository_url.clone()));
    }
    if building.resolver.contains(&Place::Mbs) {
        named.push(("mbs_url", building.mbs_url.clone()));
    }
    let pages = config.product_pages.url.iter().filter(|_| !config.product_pages.streams.is_empty());
    named.extend(pages.map(|address| ("product_pages_url", address.clone())));
    named.extend(config.messaging.datagrepper_url.iter().map(|address| ("datagrepper_url", address.clone())));
    named
        .into_iter()
        .map(|(key, address)| (key, plain(&address).to_owned()))
        .filter(|(_, it)| !it.is_empty())
        .collect()
}

/// Returns an address without what only says that it is one of git.
fn plain(address: &str) -> &str {
    address.strip_prefix("git+").unwrap_or(address)
}

/// Returns scheme, host and port of an address, or all of it if it has none.
fn server(address: &str) -> String {
    let url = Url::parse(address).ok();
    let named = url.as_ref().and_then(|url| Some((url.scheme(), url.host_str()?, url.port())));
    match named {
        Some((scheme, host, Some(port))) => format!("{scheme}://{host}:{port}"),
        Some((scheme, host, None)) => format!("{scheme}://{host}"),
        None => without_password(address),
    }
}

async fn look(address: &str) -> Result<String, Trouble> {
    let url = Url::parse(address).map_err(|error| Trouble::Wrong(format!("it is no address: {error}")))?;
    match url.scheme() {
        "http" | "https" => answers(address).await,
        "git" => connect(&url, 9418).await,
        "ssh" => connect(&url, 22).await,
        "rsync" => connect(&url, 873).await,
        "file" => match std::fs::metadata(url.path()) {
            Ok(_) => Ok(String::new()),
            Err(error) => Err(Trouble::Wrong(error.to_string())),
        },
        scheme => Err(Trouble::Wrong(format!("nothing is known of `{scheme}`"))),
    }
}
