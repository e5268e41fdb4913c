//! Entries over one endpoint: found, made, changed.

use mbs_core::build_system::Effect;

use super::row::{Modules, Row, Shown, Unreadable, Variants};
use super::{Change, Entry, Face, Filter, NewEntry};
use crate::client::{Method, Pdc, PdcError, Request};

/// The entries of a PDC as one endpoint has them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Entries {
    pdc: Pdc,
    face: Face,
}

impl Entries {
    /// Works on an endpoint.
    pub fn new(pdc: Pdc, face: Face) -> Self {
        Self { pdc, face }
    }

    /// Works on `modules`, or on `unreleasedvariants` where a server is too old to have that.
    ///
    /// # Errors
    /// Any: nothing is known.
    pub async fn newest(pdc: Pdc) -> Result<Self, PdcError> {
        let probe = Request::new(Method::Get, [Face::Modules.path()]).query("page_size", "1");
        let face = match pdc.read::<serde::de::IgnoredAny>(&probe).await {
            Err(PdcError::NotFound { .. }) => Face::Variants,
            outcome => outcome.map(|_| Face::Modules)?,
        };
        Ok(Self { pdc, face })
    }

    /// Returns the endpoint.
    pub fn face(&self) -> Face {
        self.face
    }

    /// Returns the client.
    pub fn pdc(&self) -> &Pdc {
        &self.pdc
    }

    /// Returns all entries that match, in PDC's order: by uid as text. One that cannot be read is told with its uid in the log,
    /// and left out.
    ///
    /// # Errors
    /// Any: nothing is known; `Configuration` if the server has no such endpoint.
    pub async fn find(&self, filter: &Filter) -> Result<Vec<Entry>, PdcError> {
        let request = filter.request(self.face);
        let found = match self.face {
            Face::Variants => self.pdc.list::<Row<Variants>>(&request).await.map(readable),
            Face::Modules => self.pdc.list::<Row<Modules>>(&request).await.map(readable),
        };
        found.map_err(|error| match error {
            // A list that holds nothing is there all the same.
            PdcError::NotFound { what, reason } => PdcError::Configuration {
                what: format!(
                    "there is no {what} below {}, is the root of the API right? {reason}",
                    self.pdc.root()
                ),
            },
            error => error,
        })
    }

    /// Returns the entry with this key, which matches with case.
    ///
    /// # Errors
    /// `NotFound`: there is none. Others: nothing is known.
    pub async fn entry(&self, uid: &str) -> Result<Entry, PdcError> {
        let request = Request::new(Method::Get, [self.face.path(), uid]);
        let shown = self.pdc.read(&request).await?;
        self.understood(shown, Effect::None)
    }

    /// Makes an entry. It is not safe to repeat: look first, and after an error with an unknown effect.
    ///
    /// # Errors
    /// `Exists`: there is one with this identity or uid. Others by their effect.
    pub async fn create(&self, entry: &NewEntry, comment: &str) -> Result<Entry, PdcError> {
        self.written(entry.request(self.face).comment(comment)).await
    }

    /// Changes an entry, and returns it as it is then. It is safe to repeat.
    ///
    /// # Errors
    /// `NotFound`: there is none. Others by their effect.
    pub async fn change(&self, uid: &str, change: &Change, comment: &str) -> Result<Entry, PdcError> {
        self.written(change.request(self.face, uid).comment(comment)).await
    }

    async fn written(&self, request: Request) -> Result<Entry, PdcError> {
        let shown = self.pdc.write(&request).await?;
        // It was done, but nobody knows as what.
        let nothing = || PdcError::odd_after("it shows nothing of what was written", Effect::Unknown);
        self.understood(shown.ok_or_else(nothing)?, Effect::Unknown)
    }

    fn understood(&self, shown: serde_json::Value, effect: Effect) -> Result<Entry, PdcError> {
        let odd = |error| PdcError::odd_after(format!("an entry of a module: {error}"), effect);
        Entry::read(self.face, shown).map_err(odd)
    }
}

fn readable<F: Shown>(rows: Vec<Row<F>>) -> Vec<Entry> {
    let entry = |row: Row<F>| row.entry().map_err(|unreadable| leave_out(&unreadable)).ok();
    rows.into_iter().filter_map(entry).collect()
}

fn leave_out(Unreadable { uid, why }: &Unreadable) {
    match uid {
        Some(uid) => tracing::warn!(pdc.uid = uid, "PDC's entry {uid:?} is left out: {why}"),
        None => tracing::warn!("an entry of PDC is left out: {why}"),
    }
}
