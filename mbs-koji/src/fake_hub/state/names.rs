//! Ids by name and names by id. A name keeps its id for ever, also when what it named is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Id;

/// Names of one kind of thing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    ids: Arc<BTreeMap<Arc<str>, Id>>,
    names: Arc<BTreeMap<Id, Arc<str>>>,
    /// New ids are above this.
    pub(crate) floor: Id,
}

impl Names {
    /// Returns the id of a name.
    pub(crate) fn id(&self, name: &str) -> Option<Id> {
        self.ids.get(name).copied()
    }

    /// Returns the name of an id.
    pub(crate) fn name(&self, id: Id) -> Option<&Arc<str>> {
        self.names.get(&id)
    }

    /// Returns the id of a name, a new one if it has none.
    pub(crate) fn ensure(&mut self, name: &str) -> Id {
        self.id(name).unwrap_or_else(|| {
            let id = self.names.last_key_value().map_or(1, |(last, _)| last + 1).max(self.floor + 1);
            self.set(id, name);
            id
        })
    }

    /// Gives a name an id; a name that the id had is lost.
    pub(crate) fn set(&mut self, id: Id, name: &str) {
        let name: Arc<str> = name.into();
        let ids = Arc::make_mut(&mut self.ids);
        if let Some(former) = Arc::make_mut(&mut self.names).insert(id, Arc::clone(&name)) {
            ids.remove(&former);
        }
        ids.insert(name, id);
    }

    /// Returns all, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &Arc<str>)> {
        self.names.iter().map(|(id, name)| (*id, name))
    }
}
