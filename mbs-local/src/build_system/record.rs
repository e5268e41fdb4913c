//! What is written to the state directory, as JSON; a program reads what the one before it wrote.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use mbs_core::build_system::TaggedBuild;
use mbs_core::ident::{Arch, Nevra, Nvr, Package, TagEvent, TagName, TaskId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{AtPath as _, LocalError};
use crate::files::write_atomically;

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct TagRecord {
    pub(super) arches: Vec<Arch>,
    pub(super) packages: BTreeSet<Package>,
    /// Packages in each chroot that mock makes.
    pub(super) build_group: Vec<String>,
    pub(super) inherits: Vec<TagName>,
    /// Oldest tagging first.
    pub(super) builds: Vec<Tagged>,
    /// When its builds last changed; 0 if never.
    pub(super) changed: i64,
}

/// A build in a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tagged {
    pub(super) package: Package,
    pub(super) nvr: Nvr,
    pub(super) task: TaskId,
    pub(super) event: i64,
}

impl Tagged {
    pub(super) fn seen(&self) -> TaggedBuild {
        TaggedBuild {
            package: self.package.clone(),
            nvr: self.nvr.clone(),
            task: Some(self.task),
            event: TagEvent(self.event),
        }
    }
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TargetRecord {
    pub(super) tag: TagName,
    pub(super) build_tag: TagName,
}

/// A task, as submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskRecord {
    pub(super) package: Package,
    pub(super) target: TagName,
    pub(super) build_tag: TagName,
}

/// How a task ended; written when nothing of it lives any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TaskEnd {
    /// It built this; RPM files lie in its `results`, the source RPM first.
    Closed { nvr: Nvr, rpms: Vec<RpmRecord> },
    /// It failed.
    Failed { reason: String, is_package_fault: bool },
    /// It was cancelled.
    Canceled,
    /// The program that ran it ended before it did.
    Lost,
}

/// One RPM of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RpmRecord {
    pub(super) file: String,
    pub(super) nevra: Nevra,
}

/// Reads a record; `None` if the file is not there. A damaged one is trouble of the machine: no user wrote it.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LocalError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.at(path)?,
    };
    let record = serde_json::from_slice(&text);
    record.map(Some).map_err(|error| {
        let damage = io::Error::new(io::ErrorKind::InvalidData, format!("it is damaged: {error}"));
        LocalError::of_file(path, damage)
    })
}

/// Writes a record, whole or not at all.
pub(super) fn write(path: &Path, record: &impl Serialize) -> Result<(), LocalError> {
    let text = serde_json::to_vec_pretty(record).map_err(io::Error::from).at(path)?;
    write_atomically(path, &text)
}

/// Reads the records of a directory, `NAME.json` each; those whose name is none of ours are left alone.
pub(super) fn read_named<T: DeserializeOwned>(directory: &Path) -> Result<Vec<(TagName, T)>, LocalError> {
    let mut records = Vec::new();
    for path in crate::files::files_ending(directory, ".json")? {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if let (Ok(name), Some(record)) = (TagName::new(stem), read(&path)?) {
            records.push((name, record));
        }
    }
    Ok(records)
}
