//! How an endpoint names what is stored.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::fake_server::answer::Refusal;
use crate::fake_server::python;
use crate::fake_server::rows::Row;
use crate::fake_server::setup::Flavour;
use crate::fake_server::state::{Column, Table};

const VARIANTS: &[(&str, Column)] = &[
    ("variant_id", Column::VariantId),
    ("variant_uid", Column::Uid),
    ("variant_name", Column::Name),
    ("variant_type", Column::Kind),
    ("variant_version", Column::Stream),
    ("variant_release", Column::Version),
    ("variant_context", Column::Context),
    ("koji_tag", Column::KojiTag),
];
const MODULES: &[(&str, Column)] = &[
    ("uid", Column::Uid),
    ("name", Column::Name),
    ("stream", Column::Stream),
    ("version", Column::Version),
    ("context", Column::Context),
    ("koji_tag", Column::KojiTag),
];
/// What the store itself calls its columns: either endpoint sorts by these names, too.
const STORED: &[(&str, Column)] = &[
    ("variant_id", Column::VariantId),
    ("uid", Column::Uid),
    ("name", Column::Name),
    ("stream", Column::Stream),
    ("version", Column::Version),
    ("context", Column::Context),
    ("type", Column::Kind),
    ("koji_tag", Column::KojiTag),
];

/// Which endpoint it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fake_server) enum Kind {
    Variants,
    Modules,
}

/// An endpoint, as old as the server is.
#[derive(Debug, Clone, Copy)]
pub(in crate::fake_server) struct Face {
    pub(in crate::fake_server) kind: Kind,
    pub(in crate::fake_server) flavour: Flavour,
}

impl Face {
    /// Returns the fields that are text and can be filtered by, with what they are called.
    pub(super) fn columns(self) -> impl Iterator<Item = (&'static str, Column)> {
        let all = match self.kind {
            Kind::Variants => VARIANTS,
            Kind::Modules => MODULES,
        };
        let has_contexts = self.flavour.has_contexts();
        all.iter().copied().filter(move |(_, column)| has_contexts || *column != Column::Context)
    }

    /// Says whether entries have a field.
    pub(super) fn has(self, name: &str) -> bool {
        match name {
            "modulemd" | "runtime_deps" | "build_deps" => true,
            "active" => self.flavour.has_active(),
            "rpms" => self.flavour.has_packages(),
            _ => self.columns().any(|(own, _)| own == name),
        }
    }

    /// Returns the names that entries can be sorted by, in the order in which the server lists them.
    pub(super) fn sorted_by(self) -> Vec<&'static str> {
        let has = |name: &&'static str| self.has(name);
        let stored = STORED.iter().map(|(name, _)| *name).chain(["active", "modulemd"]);
        let others = ["modulemd", "runtime_deps", "build_deps", "active", "rpms"].into_iter().filter(has);
        let shown = self.columns().map(|(name, _)| name).chain(others);
        python::union(std::iter::once("id").chain(stored), shown)
    }

    /// Returns the column that a name to sort by stands for.
    pub(super) fn sort_column(self, name: &str) -> Option<Column> {
        let all = self.columns().chain(STORED.iter().copied());
        all.into_iter().find(|(own, _)| *own == name).map(|(_, column)| column)
    }

    /// Says whether the endpoint shows a row.
    pub(super) fn shows(self, row: &Row) -> bool {
        self.kind == Kind::Variants || row.kind == "module"
    }

    /// Returns the row with a uid.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn find(self, table: &Table, uid: &str) -> Result<Arc<Row>, Refusal> {
        let row = table.row(uid).filter(|row| self.shows(row));
        row.cloned().ok_or_else(Refusal::not_found)
    }

    /// Returns a row as the endpoint shows it.
    pub(super) fn show(self, row: Arc<Row>) -> Shown {
        Shown { row, face: self }
    }
}

/// A row as an endpoint shows it.
pub(super) struct Shown {
    row: Arc<Row>,
    face: Face,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { row, face } = self;
        let mut map = serializer.serialize_map(None)?;
        for (name, column) in face.columns() {
            map.serialize_entry(name, column.of(row))?;
        }
        map.serialize_entry("modulemd", &row.modulemd)?;
        map.serialize_entry("runtime_deps", &row.runtime_deps)?;
        map.serialize_entry("build_deps", &row.build_deps)?;
        if face.has("active") {
            map.serialize_entry("active", &row.active)?;
        }
        if face.has("rpms") {
            let rpms: Vec<String> = row.rpms.iter().map(ToString::to_string).collect();
            map.serialize_entry("rpms", &rpms)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_to_sort_by_have_the_order_of_the_servers_own_table() {
        let order = |kind| Face { kind, flavour: Flavour::Current }.sorted_by().join(" ");
        let variants = "uid stream variant_name variant_context variant_id active id variant_uid name \
            variant_release build_deps rpms variant_type version koji_tag runtime_deps context modulemd type \
            variant_version";
        assert_eq!(order(Kind::Variants), variants);
        let modules = "uid stream variant_id active id name build_deps rpms version koji_tag runtime_deps \
            context modulemd type";
        assert_eq!(order(Kind::Modules), modules);
    }
}
