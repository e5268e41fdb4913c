//! The rows of builds, which count how often they are read.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::tables::Row;
use crate::ident::BuildId;

/// A row for each build. Whoever looks into a row is counted, so that tests can tell what a call costs without a stopwatch.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    rows: BTreeMap<BuildId, Row>,
    read: Cell<u64>,
}

impl Rows {
    /// Returns how many rows were read; one that is read twice counts twice.
    pub(super) fn read(&self) -> u64 {
        self.read.get()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn contains(&self, id: BuildId) -> bool {
        self.rows.contains_key(&id)
    }

    pub(super) fn row(&self, id: BuildId) -> Option<&Row> {
        self.rows.get(&id).inspect(|_| count(&self.read))
    }

    pub(super) fn row_mut(&mut self, id: BuildId) -> Option<&mut Row> {
        self.rows.get_mut(&id).inspect(|_| count(&self.read))
    }

    /// Returns all rows, smallest id first.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.values().inspect(|_| count(&self.read))
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        self.rows.values_mut().inspect(|_| count(&self.read))
    }

    pub(super) fn insert(&mut self, row: Row) {
        self.rows.insert(row.build.id, row);
    }
}

fn count(read: &Cell<u64>) {
    read.set(read.get() + 1);
}
