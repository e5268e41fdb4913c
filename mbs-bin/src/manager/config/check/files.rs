//! Files and folders that are named: whether they are there and hold what they should.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Probe, Trouble};
use crate::config::{Bus, Config, Place};

/// Returns the files and folders that matter.
pub(super) fn probes(config: &Arc<Config>) -> Vec<Probe> {
    let messaging = &config.messaging;
    let building = &config.building;
    let mut probes = Vec::new();
    if let Some(Bus::Amqp(_)) = messaging.messaging {
        probes.extend(messaging.amqp_ca.clone().map(|path| file("amqp_ca", path, certificates)));
        probes.extend(messaging.amqp_cert.clone().map(|path| file("amqp_cert", path, certificates)));
        probes.extend(messaging.amqp_key.clone().map(|path| file("amqp_key", path, readable)));
    }
    if let Some(Bus::Log(path)) = &messaging.messaging {
        probes.push(file("messaging", path.clone(), folder_of));
    }
    if building.resolver.contains(&Place::Files) {
        probes.extend(building.module_files.iter().map(|path| file("module_files", path.clone(), there)));
    }
    probes.extend(building.build_logs_dir.clone().map(|path| file("build_logs_dir", path, folder)));
    probes.extend(building.cache_dir.clone().map(|path| file("cache_dir", path, folder)));
    probes.extend(config.koji.krb_keytab.clone().map(|path| file("krb_keytab", path, readable)));
    probes
}

fn file(key: &str, path: PathBuf, check: fn(&Path) -> Result<(), String>) -> Probe {
    Probe::new(format!("`{key}` {}", path.display()), async move {
        check(&path).map(|()| String::new()).map_err(Trouble::Wrong)
    })
}

fn certificates(path: &Path) -> Result<(), String> {
    mbs_http::certificates(path).map(drop).map_err(|error| error.to_string())
}

fn readable(path: &Path) -> Result<(), String> {
    std::fs::File::open(path).map(drop).map_err(|error| error.to_string())
}

fn there(path: &Path) -> Result<(), String> {
    std::fs::metadata(path).map(drop).map_err(|error| error.to_string())
}

/// A folder, or one that can be made.
fn folder(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => Ok(()),
        Ok(_) => Err("it is no folder".to_owned()),
        Err(_) => folder_of(path),
    }
}

/// A path in a folder that is there.
fn folder_of(path: &Path) -> Result<(), String> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() || parent.is_dir() => Ok(()),
        _ => Err("the folder that it should be in does not exist".to_owned()),
    }
}
