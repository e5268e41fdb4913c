//! Package lists of tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Id, State};
use crate::xmlrpc::{Struct, Value};

/// How a package stands in a tag's list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Listed {
    pub(crate) is_blocked: bool,
    pub(crate) extra_arches: Option<Arc<str>>,
}

/// An entry of a package list, perhaps an inherited one.
#[derive(Debug, Clone)]
pub(crate) struct PackageEntry {
    pub(crate) tag: Id,
    pub(crate) package: Id,
    pub(crate) owner: Id,
    pub(crate) listed: Listed,
}

impl State {
    /// Returns a tag's own entries in the order they were made, of one package or of all.
    pub(crate) fn own_packages(&self, tag: Id, package: Option<Id>, at: Option<Id>) -> Vec<PackageEntry> {
        let range = match package {
            Some(package) => (tag, package)..(tag, package + 1),
            None => (tag, Id::MIN)..(tag + 1, Id::MIN),
        };
        let rows = self.listed.rows(range, at).into_iter();
        let owner_of = |key: &(Id, Id)| self.owners.value(key, at).copied().unwrap_or_default();
        let entry = |row: &super::Entry<(Id, Id), Listed>| PackageEntry {
            tag,
            package: row.key.1,
            owner: owner_of(&row.key),
            listed: row.value.clone(),
        };
        rows.map(entry).collect()
    }

    /// Returns a tag's entries with what it inherits, in the order the hub finds them.
    pub(crate) fn all_packages(&self, tag: Id, package: Option<Id>, at: Option<Id>) -> Vec<PackageEntry> {
        let mut entries = self.own_packages(tag, package, at);
        let mut known: BTreeMap<Id, ()> = entries.iter().map(|entry| (entry.package, ())).collect();
        for link in self.inherited(tag, at) {
            for entry in self.own_packages(link.parent, package, at) {
                let passes = link.filter.is_empty() || link.lets_through(&self.package_name(entry.package));
                if passes && known.insert(entry.package, ()).is_none() {
                    entries.push(entry);
                }
            }
        }
        entries
    }

    /// Returns a tag's entry of a package, its own or an inherited one.
    pub(crate) fn package_entry(&self, tag: Id, package: Id, at: Option<Id>) -> Option<PackageEntry> {
        self.all_packages(tag, Some(package), at).into_iter().next()
    }

    /// Returns a package's name.
    pub(crate) fn package_name(&self, package: Id) -> Arc<str> {
        self.packages.name(package).cloned().unwrap_or_default()
    }

    /// Puts a package into a tag's own list.
    pub(crate) fn list_package(&mut self, tag: Id, package: Id, owner: Id, listed: Listed) {
        let stamp = self.stamp();
        self.listed.put((tag, package), listed, stamp);
        if self.owners.value(&(tag, package), None) != Some(&owner) {
            self.owners.put((tag, package), owner, stamp);
        }
    }

    /// Gives a package of a tag another owner.
    pub(crate) fn own_package(&mut self, tag: Id, package: Id, owner: Id) {
        let stamp = self.stamp();
        self.owners.put((tag, package), owner, stamp);
    }

    /// Takes a package out of a tag's own list.
    pub(crate) fn unlist_package(&mut self, tag: Id, package: Id) {
        let stamp = self.stamp();
        self.listed.revoke(&(tag, package), stamp);
        self.owners.revoke(&(tag, package), stamp);
    }

    /// Returns what `listPackages` says of an entry.
    pub(crate) fn package_row(&self, entry: &PackageEntry) -> Struct {
        Struct::from([
            ("package_id", Value::from(entry.package)),
            ("package_name", Value::from(&*self.package_name(entry.package))),
            ("tag_id", entry.tag.into()),
            ("tag_name", Value::from(&*self.tag_name(entry.tag))),
            ("owner_id", entry.owner.into()),
            ("owner_name", Value::from(&*self.user_name(entry.owner))),
            ("extra_arches", entry.listed.extra_arches.as_deref().into()),
            ("blocked", entry.listed.is_blocked.into()),
        ])
    }
}
