//! Rows that are never lost: each has an event that made it and, once it no longer counts, an event that revoked it.

use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::sync::Arc;

use super::Id;

/// Who did something, and at which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) event: Id,
    pub(crate) user: Id,
}

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct Entry<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) made: Stamp,
    pub(crate) revoked: Option<Stamp>,
}

impl<K, V> Entry<K, V> {
    /// Says whether the row counts: at an event, or without one at present.
    pub(crate) fn counts(&self, at: Option<Id>) -> bool {
        match at {
            None => self.revoked.is_none(),
            Some(event) => {
                self.made.event <= event && self.revoked.is_none_or(|revoked| revoked.event > event)
            }
        }
    }
}

/// Rows of one kind; of those with one key at most one counts. Copies are cheap until they are written to.
#[derive(Debug, Clone)]
pub(crate) struct Table<K, V> {
    rows: Arc<Rows<K, V>>,
}

#[derive(Debug, Clone)]
struct Rows<K, V> {
    all: Vec<Arc<Entry<K, V>>>,
    live: BTreeMap<K, usize>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: Arc::new(Rows { all: Vec::new(), live: BTreeMap::new() }) }
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Table<K, V> {
    /// Returns the row of a key that counts.
    pub(crate) fn row(&self, key: &K, at: Option<Id>) -> Option<&Entry<K, V>> {
        match at {
            None => self.rows.live.get(key).map(|row| &*self.rows.all[*row]),
            Some(_) => self.rows.all.iter().map(|row| &**row).find(|row| row.key == *key && row.counts(at)),
        }
    }

    /// Returns the value of a key.
    pub(crate) fn value(&self, key: &K, at: Option<Id>) -> Option<&V> {
        self.row(key, at).map(|row| &row.value)
    }

    /// Returns the rows that count whose keys are in a range, in the order they were made.
    pub(crate) fn rows(&self, keys: impl RangeBounds<K>, at: Option<Id>) -> Vec<&Entry<K, V>> {
        if at.is_some() {
            let rows = self.rows.all.iter().map(|row| &**row);
            return rows.filter(|row| keys.contains(&row.key) && row.counts(at)).collect();
        }
        let mut found: Vec<usize> = self.rows.live.range(keys).map(|(_, row)| *row).collect();
        found.sort_unstable();
        found.into_iter().map(|row| &*self.rows.all[row]).collect()
    }

    /// Returns every row there ever was, in the order they were made.
    pub(crate) fn history(&self) -> impl Iterator<Item = &Entry<K, V>> {
        self.rows.all.iter().map(|row| &**row)
    }

    /// Returns the last event that made or revoked a row which a question chooses.
    pub(crate) fn last_change(&self, chosen: impl Fn(&K) -> bool) -> Option<Id> {
        let rows = self.rows.all.iter().filter(|row| chosen(&row.key));
        rows.flat_map(|row| [Some(row.made.event), row.revoked.map(|revoked| revoked.event)]).flatten().max()
    }

    /// Makes a row; the one it replaces is revoked.
    pub(crate) fn put(&mut self, key: K, value: V, stamp: Stamp) {
        self.revoke(&key, stamp);
        let rows = Arc::make_mut(&mut self.rows);
        rows.live.insert(key.clone(), rows.all.len());
        rows.all.push(Arc::new(Entry { key, value, made: stamp, revoked: None }));
    }

    /// Revokes the row of a key, and says whether there was one.
    pub(crate) fn revoke(&mut self, key: &K, stamp: Stamp) -> bool {
        if !self.rows.live.contains_key(key) {
            return false;
        }
        let rows = Arc::make_mut(&mut self.rows);
        let Some(row) = rows.live.remove(key) else { return false };
        Arc::make_mut(&mut rows.all[row]).revoked = Some(stamp);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(event: Id) -> Stamp {
        Stamp { event, user: 1 }
    }

    #[test]
    fn a_row_counts_from_its_event_until_the_one_that_revokes_it() {
        let mut table = Table::default();
        table.put(1, "a", at(3));
        table.put(1, "b", at(5));
        table.revoke(&1, at(8));
        let seen: Vec<_> = [2, 3, 4, 5, 7, 8].map(|event| table.value(&1, Some(event)).copied()).into();
        assert_eq!(seen, [None, Some("a"), Some("a"), Some("b"), Some("b"), None]);
        assert_eq!((table.value(&1, None), table.last_change(|_| true)), (None, Some(8)));
    }

    #[test]
    fn a_copy_does_not_see_what_is_written_later() {
        let mut table = Table::default();
        table.put(1, "a", at(1));
        let saved = table.clone();
        table.put(1, "b", at(2));
        assert_eq!((saved.value(&1, None), table.value(&1, None)), (Some(&"a"), Some(&"b")));
    }
}
