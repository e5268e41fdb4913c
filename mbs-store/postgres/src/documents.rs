//! Parsed documents, so that a look does not parse its build's YAML again.
//!
//! What is here never decides which document a build has: that says the digest in its row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mbs_core::ident::BuildId;
use mbs_core::modulemd::ModuleStream;
use mbs_core::store::StoreError;
use mbs_core::store::checks::rejected;

/// So many documents are kept.
const MOST: usize = 256;

/// A build and the digest of its document: even if two documents had the same, none would come to another build.
pub(crate) type Key = (BuildId, String);

/// The documents used last.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_key: BTreeMap<Key, (u64, Arc<ModuleStream>)>,
    uses: u64,
}

impl Documents {
    /// Returns a document if it is kept.
    pub(crate) fn kept(&self, key: &Key) -> Option<Arc<ModuleStream>> {
        let mut kept = self.kept.lock().expect("nothing panics while it holds the documents");
        kept.uses += 1;
        let uses = kept.uses;
        let (used, document) = kept.by_key.get_mut(key)?;
        *used = uses;
        Some(document.clone())
    }

    /// Keeps a document, instead of the one that was not used for longest if there are many.
    pub(crate) fn keep(&self, key: Key, document: Arc<ModuleStream>) {
        let mut kept = self.kept.lock().expect("nothing panics while it holds the documents");
        kept.uses += 1;
        let uses = kept.uses;
        kept.by_key.insert(key, (uses, document));
        if kept.by_key.len() > MOST {
            let oldest = kept.by_key.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.map(|key| kept.by_key.remove(&key));
        }
    }

    /// Reads a document, and keeps it.
    pub(crate) fn parse(&self, key: &Key, text: &str) -> Result<Arc<ModuleStream>, StoreError> {
        let document = ModuleStream::from_stored(text)
            .map_err(|error| rejected(format!("a stored document cannot be read: {error}")))?;
        let document = Arc::new(document);
        self.keep(key.clone(), document.clone());
        Ok(document)
    }
}
