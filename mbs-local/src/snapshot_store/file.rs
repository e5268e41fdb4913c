//! The file of the store: its form, and how it is read and replaced.
//!
//! JSON with a number for its form. A file is replaced as a whole, and one that is not understood is never touched.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use mbs_core::ident::BuildId;
use mbs_core::memory::{MemoryStore, Snapshot};
use serde::{Deserialize, Serialize};

use crate::error::LocalError;
use crate::files::write_atomically;
use crate::leftovers::remove_leftovers;

/// The store's file in the results directory.
pub const STATE_FILE: &str = "state.json";

/// The form that is written, and the newest that is read.
const FORM: u32 = 1;

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not understood. It is left as it is: a person has to look.
    #[error(
        "{} is no record of builds that this program can read ({reason}); it was left untouched: restore it from a copy, or begin anew in another results directory",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file or the directory cannot be used: see the reason.
    #[error(transparent)]
    Machine(#[from] LocalError),
}

/// The file, and what of the store is in it.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The generation of the memory store that is in the file; `None`: nothing was written by this process.
    written: Option<u64>,
    origins: BTreeMap<BuildId, String>,
    /// Whether `origins` holds what the file does not.
    has_new_origins: bool,
}

/// What every form begins with.
#[derive(Deserialize)]
struct Head {
    form: u32,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    origins: BTreeMap<BuildId, String>,
    store: Snapshot,
}

#[derive(Serialize)]
struct Written<'a> {
    form: u32,
    origins: &'a BTreeMap<BuildId, String>,
    store: Snapshot,
}

impl StateFile {
    /// Reads the file of a directory, which is locked; the snapshot is `None` if there is no file yet.
    pub(super) fn open(directory: &Path) -> Result<(Self, Option<Snapshot>), OpenError> {
        let path = directory.join(STATE_FILE);
        let content = match fs::read(&path) {
            Ok(bytes) => Some(
                understand(&bytes).map_err(|reason| OpenError::Unreadable { path: path.clone(), reason })?,
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(LocalError::of_file(&path, error).into()),
        };
        // Only in a directory whose record is understood: it is ours.
        remove_leftovers(directory)?;
        let (origins, snapshot) = match content {
            Some(Content { origins, store }) => (origins, Some(store)),
            None => (BTreeMap::new(), None),
        };
        let state = Mutex::new(State { written: None, origins, has_new_origins: false });
        Ok((Self { path, state }, snapshot))
    }

    pub(super) fn origin(&self, id: BuildId) -> Option<String> {
        self.state().origins.get(&id).cloned()
    }

    /// Notes what a build was made from, for the next write.
    pub(super) fn note_origin(&self, id: BuildId, origin: &str) {
        let mut state = self.state();
        state.origins.insert(id, origin.to_owned());
        state.has_new_origins = true;
    }

    /// Replaces the file if the memory is newer. The content is taken under the lock, so that an older one never replaces a
    /// newer one, and calls that wait here share one write.
    pub(super) fn write(&self, memory: &MemoryStore) -> Result<(), LocalError> {
        let mut state = self.state();
        let generation = memory.generation();
        if state.written == Some(generation) && !state.has_new_origins {
            return Ok(());
        }
        let written = Written { form: FORM, origins: &state.origins, store: memory.snapshot() };
        let bytes = serde_json::to_vec(&written)
            .map_err(|error| LocalError::Io { path: self.path.clone(), source: error.into() })?;
        write_atomically(&self.path, &bytes)?;
        state.written = Some(generation);
        state.has_new_origins = false;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the file")
    }
}

fn understand(bytes: &[u8]) -> Result<Content, String> {
    let Head { form } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if form > FORM {
        return Err(format!("a newer program wrote it, in form {form}; this one knows {FORM}"));
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
