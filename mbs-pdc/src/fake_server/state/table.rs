//! The table of modules: rows by uid, and what finds them without looking at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::fake_server::rows::Row;

/// A field that is compared and sorted as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::fake_server) enum Column {
    VariantId,
    Uid,
    Name,
    Kind,
    Stream,
    Version,
    Context,
    KojiTag,
}

impl Column {
    /// The columns that find rows at once.
    const INDEXED: [Self; 3] = [Self::VariantId, Self::Uid, Self::Name];

    /// Returns what a row has there.
    pub(in crate::fake_server) fn of(self, row: &Row) -> &str {
        match self {
            Self::VariantId => &row.variant_id,
            Self::Uid => &row.uid,
            Self::Name => &row.name,
            Self::Kind => &row.kind,
            Self::Stream => &row.stream,
            Self::Version => &row.version,
            Self::Context => &row.context,
            Self::KojiTag => &row.koji_tag,
        }
    }
}

/// Rows by uid.
#[derive(Debug, Clone, Default)]
pub(in crate::fake_server) struct Table {
    rows: BTreeMap<Arc<str>, Arc<Row>>,
    /// Column, value in lower case, uid.
    index: BTreeSet<(Column, Arc<str>, Arc<str>)>,
    /// The uid by name, stream, version and context.
    uids: BTreeMap<[Arc<str>; 4], Arc<str>>,
}

impl Table {
    /// Returns the row with a uid, in this case.
    pub(in crate::fake_server) fn row(&self, uid: &str) -> Option<&Arc<Row>> {
        self.rows.get(uid)
    }

    /// Returns all rows in order of uid.
    pub(in crate::fake_server) fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// Returns the rows that have a value in an indexed column, whatever its case, in order of uid; `None`: the column is not
    /// indexed.
    pub(in crate::fake_server) fn having(&self, column: Column, value: &str) -> Option<Vec<&Arc<Row>>> {
        if !Column::INDEXED.contains(&column) {
            return None;
        }
        let value: Arc<str> = value.to_ascii_lowercase().into();
        let from = (column, Arc::clone(&value), Arc::from(""));
        let found = self.index.range(from..).take_while(|(own, key, _)| *own == column && *key == value);
        Some(found.filter_map(|(_, _, uid)| self.rows.get(uid)).collect())
    }

    /// Returns the row with a name, stream, version and context.
    pub(in crate::fake_server) fn same(&self, nsvc: [&str; 4]) -> Option<&Arc<Row>> {
        self.rows.get(self.uids.get(&nsvc.map(Arc::from))?)
    }

    /// Puts in a row over what has its id, its uid, or its name, stream, version and context.
    pub(in crate::fake_server) fn put(&mut self, row: Row) {
        let uid: Arc<str> = row.uid.as_str().into();
        self.remove(&uid);
        if let Some(other) = self.same(nsvc(&row)).map(|other| other.uid.clone()) {
            self.remove(&other);
        }
        for column in Column::INDEXED {
            self.index.insert(entry(column, &row, &uid));
        }
        self.uids.insert(nsvc(&row).map(Arc::from), Arc::clone(&uid));
        self.rows.insert(uid, Arc::new(row));
    }

    /// Takes out a row, and returns it.
    pub(in crate::fake_server) fn remove(&mut self, uid: &str) -> Option<Arc<Row>> {
        let (uid, row) = self.rows.remove_entry(uid)?;
        for column in Column::INDEXED {
            self.index.remove(&entry(column, &row, &uid));
        }
        self.uids.remove(&nsvc(&row).map(Arc::from));
        Some(row)
    }
}

fn entry(column: Column, row: &Row, uid: &Arc<str>) -> (Column, Arc<str>, Arc<str>) {
    (column, column.of(row).to_ascii_lowercase().into(), Arc::clone(uid))
}

/// Returns what must be unique together.
pub(in crate::fake_server) fn nsvc(row: &Row) -> [&str; 4] {
    [&row.name, &row.stream, &row.version, &row.context]
}
