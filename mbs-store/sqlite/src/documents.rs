//! Documents, read once: a document is YAML text in the file, and reading that again for each load would cost most of it.
//!
//! Keeps what was read by build and digest, so that a document that changed is another one. Never decides by what it keeps: the
//! file is asked for the digest each time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mbs_core::modulemd::ModuleStream;
use sqlx::SqliteConnection;

use crate::error::Outcome;
use crate::record::unreadable;
use crate::text::json;

/// So many documents are kept, about as many as there are builds under way.
const KEPT: usize = 256;

/// A build, and the digest of its document.
type Key = (i64, String);

/// Documents that were read lately.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// With the number of its last use.
    documents: BTreeMap<Key, (u64, Arc<ModuleStream>)>,
    uses: u64,
}

impl Documents {
    /// Returns the documents of builds; unknown ones are missing.
    pub(crate) async fn of(
        &self,
        connection: &mut SqliteConnection,
        ids: &[i64],
    ) -> Outcome<BTreeMap<i64, Arc<ModuleStream>>> {
        let asked = json(ids)?;
        let rows = sqlx::query!(
            "SELECT build_id, digest FROM documents WHERE build_id IN (SELECT value FROM json_each(?1))",
            asked,
        );
        let (mut known, mut unread) = (BTreeMap::new(), Vec::new());
        for row in rows.fetch_all(&mut *connection).await? {
            match self.kept().find(&(row.build_id, row.digest)) {
                Some(document) => _ = known.insert(row.build_id, document),
                None => unread.push(row.build_id),
            }
        }
        if !unread.is_empty() {
            known.extend(self.read(connection, &unread).await?);
        }
        Ok(known)
    }

    async fn read(
        &self,
        connection: &mut SqliteConnection,
        ids: &[i64],
    ) -> Outcome<Vec<(i64, Arc<ModuleStream>)>> {
        let asked = json(ids)?;
        let rows = sqlx::query!(
            "SELECT build_id, digest, text FROM documents WHERE build_id IN (SELECT value FROM json_each(?1))",
            asked,
        );
        let mut read = Vec::new();
        for row in rows.fetch_all(connection).await? {
            let of = || format!("the stored document of module build {}", row.build_id);
            let document = ModuleStream::from_stored(&row.text).map_err(|error| unreadable(&of(), &error))?;
            let document = Arc::new(document);
            self.kept().keep((row.build_id, row.digest), document.clone());
            read.push((row.build_id, document));
        }
        Ok(read)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, key: &Key) -> Option<Arc<ModuleStream>> {
        self.uses += 1;
        let (used, document) = self.documents.get_mut(key)?;
        *used = self.uses;
        Some(document.clone())
    }

    fn keep(&mut self, key: Key, document: Arc<ModuleStream>) {
        self.uses += 1;
        self.documents.insert(key, (self.uses, document));
        if self.documents.len() > KEPT {
            let oldest = self.documents.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.documents.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut kept = Kept::default();
        let key = |build: usize| (build as i64, String::new());
        (0..KEPT).for_each(|build| kept.keep(key(build), Arc::default()));
        assert!(kept.find(&key(0)).is_some());
        kept.keep(key(KEPT), Arc::default());
        assert_eq!(kept.documents.len(), KEPT);
        assert!(kept.find(&key(0)).is_some());
        assert!(kept.find(&key(1)).is_none());
    }

    #[test]
    fn a_document_that_changed_is_another_one() {
        let mut kept = Kept::default();
        kept.keep((7, "one".into()), Arc::default());
        assert!(kept.find(&(7, "two".into())).is_none());
        assert!(kept.find(&(8, "one".into())).is_none());
    }
}
