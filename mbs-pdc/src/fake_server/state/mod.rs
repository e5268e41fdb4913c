//! What is stored. A copy of it is cheap enough to be changed as a whole or not at all.

mod changes;
mod components;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rows::{NewRow, Package, PackageKey, Row};
use super::setup::User;

pub(super) use changes::{Change, Changeset};
pub(super) use components::{Branch, Components, Sla, SlaType};
pub(super) use table::{Column, Table, nsvc};

/// Everything that is stored.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) table: Table,
    pub(super) components: Components,
    pub(super) changesets: Vec<Arc<Changeset>>,
    pub(super) users: Vec<User>,
    packages: BTreeMap<PackageKey, (u64, Arc<Package>)>,
    last_id: u64,
}

impl State {
    pub(super) fn new(users: Vec<User>) -> Self {
        Self { users, ..Self::default() }
    }

    /// Returns the next number of a row, package or changeset.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Returns a package that is stored.
    pub(super) fn package(&self, key: &PackageKey) -> Option<Arc<Package>> {
        self.packages.get(key).map(|(_, package)| Arc::clone(package))
    }

    /// Stores a package, or finds it, and says its number.
    pub(super) fn add_package(&mut self, mut package: Package) -> (u64, Arc<Package>) {
        if let Some((id, stored)) = self.packages.get(&package.key()) {
            return (*id, Arc::clone(stored));
        }
        if package.filename.is_empty() {
            package.filename = package.usual_filename();
        }
        let id = self.next_id();
        let key = package.key();
        let package = Arc::new(package);
        self.packages.insert(key, (id, Arc::clone(&package)));
        (id, package)
    }

    /// Puts in a row over what has its uid, or its name, stream, version and context.
    pub(super) fn plant(&mut self, row: NewRow) {
        let id = self.next_id();
        let rpms = row.rpms.into_iter().map(|package| self.add_package(package).1).collect();
        self.table.put(Row {
            id,
            uid: row.uid,
            variant_id: row.name.clone(),
            name: row.name,
            kind: "module".into(),
            stream: row.stream,
            version: row.version,
            context: row.context,
            active: row.active,
            koji_tag: row.koji_tag,
            modulemd: row.modulemd,
            runtime_deps: row.runtime_deps,
            build_deps: row.build_deps,
            rpms: sorted(rpms),
        });
    }
}

/// Puts packages into the order of answers, each once.
pub(super) fn sorted(mut packages: Vec<Arc<Package>>) -> Vec<Arc<Package>> {
    packages.sort_by_cached_key(|package| package.key());
    packages.dedup();
    packages
}
