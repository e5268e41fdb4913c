//! The audit trail: who changed what.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fake_server::rows::{Dependency, Package, Row};

/// What one request changed.
#[derive(Debug, Clone)]
pub(in crate::fake_server) struct Changeset {
    pub(in crate::fake_server) id: u64,
    pub(in crate::fake_server) author: Option<String>,
    pub(in crate::fake_server) requested_on: Timestamp,
    pub(in crate::fake_server) committed_on: Timestamp,
    pub(in crate::fake_server) changes: Vec<Change>,
    pub(in crate::fake_server) comment: Option<String>,
}

/// One thing that changed; `Null`: it was not, or is no more.
#[derive(Debug, Clone)]
pub(in crate::fake_server) struct Change {
    pub(in crate::fake_server) resource: &'static str,
    pub(in crate::fake_server) resource_id: u64,
    pub(in crate::fake_server) old: Value,
    pub(in crate::fake_server) new: Value,
}

impl Change {
    /// Describes what became of a module.
    pub(in crate::fake_server) fn of_module(old: Option<&Row>, new: Option<&Row>) -> Self {
        let id = old.or(new).map_or(0, |row| row.id);
        let value = |row: Option<&Row>| row.map_or(Value::Null, module);
        Self { resource: "module", resource_id: id, old: value(old), new: value(new) }
    }

    /// Describes a new package.
    pub(in crate::fake_server) fn of_package(id: u64, new: &Package) -> Self {
        Self { resource: "rpm", resource_id: id, old: Value::Null, new: package(new) }
    }

    /// Describes something new about components.
    pub(in crate::fake_server) fn of_new(resource: &'static str, id: u64, new: Value) -> Self {
        Self { resource, resource_id: id, old: Value::Null, new }
    }
}

impl Changeset {
    /// Returns it as the endpoint shows it.
    pub(in crate::fake_server) fn shown(&self) -> Value {
        let micros = self.committed_on.as_microsecond() - self.requested_on.as_microsecond();
        let changes: Vec<Value> = self.changes.iter().map(Change::shown).collect();
        json!({
            "id": self.id,
            "author": self.author,
            "requested_on": spelled(self.requested_on),
            "committed_on": spelled(self.committed_on),
            "duration": format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000),
            "changes": changes,
            "comment": self.comment,
        })
    }
}

impl Change {
    fn shown(&self) -> Value {
        json!({
            "resource": self.resource,
            "resource_id": self.resource_id.to_string(),
            "old_value": self.old.to_string(),
            "new_value": self.new.to_string(),
        })
    }
}

fn spelled(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn module(row: &Row) -> Value {
    let names =
        |all: &[Dependency]| -> Vec<String> { all.iter().map(|one| one.dependency.clone()).collect() };
    json!({
        "uid": row.uid,
        "variant_id": row.variant_id,
        "name": row.name,
        "stream": row.stream,
        "version": row.version,
        "context": row.context,
        "type": row.kind,
        "active": row.active,
        "koji_tag": row.koji_tag,
        "modulemd": row.modulemd,
        "runtime_deps": names(&row.runtime_deps),
        "build_deps": names(&row.build_deps),
        "rpms": row.rpms.iter().map(|one: &Arc<Package>| package(one)).collect::<Vec<_>>(),
    })
}

fn package(package: &Package) -> Value {
    json!({
        "name": package.name,
        "epoch": package.epoch,
        "version": package.version,
        "release": package.release,
        "arch": package.arch,
        "filename": package.filename,
        "srpm_name": package.srpm_name,
        "srpm_nevra": package.srpm_nevra,
        "linked_releases": [],
        "dependencies": {
            "provides": [], "requires": [], "obsoletes": [], "conflicts": [], "recommends": [], "suggests": [],
        },
    })
}
