//! Batches from `buildorder`: nothing of one begins before all of the one before is ready.

use std::collections::BTreeMap;

use super::{Content, Entry, FIRST_BATCH, Folder, Item};
use crate::ident::Batch;

/// Numbers the components of a document and of what it includes.
pub(super) fn entries(root: &Folder) -> Vec<Entry> {
    let mut entries = Vec::new();
    place(root, FIRST_BATCH, &mut entries);
    entries
}

/// Places a document from a batch on and returns the first batch behind it; an empty document takes none.
fn place(folder: &Folder, first: Batch, entries: &mut Vec<Entry>) -> Batch {
    let mut groups: BTreeMap<i64, Vec<&Item>> = BTreeMap::new();
    for item in &folder.items {
        groups.entry(item.buildorder).or_default().push(item);
    }
    let mut next = first;
    for group in groups.into_values() {
        let batch = next;
        for item in group {
            let behind = place_item(folder, item, batch, entries);
            next = next.max(behind);
        }
    }
    next
}

fn place_item(folder: &Folder, item: &Item, batch: Batch, entries: &mut Vec<Entry>) -> Batch {
    match &item.content {
        Content::Module(inner) => place(inner, batch, entries),
        Content::Component { package, component } => {
            entries.push(Entry {
                package: package.clone(),
                key: item.key.to_owned(),
                via: folder.via.clone(),
                component: (*component).clone(),
                batch,
                after: Vec::new(),
            });
            Batch(batch.0 + 1)
        }
    }
}
