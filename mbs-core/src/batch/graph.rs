//! The graph from `buildafter`: each component waits for those it names, and only for them.
//!
//! A document that uses `buildorder` beside others that use `buildafter` becomes part of the graph: each of its groups
//! waits for the group before. Following an included module means following all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Entry, FIRST_BATCH, Folder, Item, MOST_EDGES, OrderError};
use crate::ident::{Batch, Package, Weight};
use crate::model::ComponentBuild;
use crate::shared::Shared;

/// Wires the components of a document and of what it includes.
pub(super) fn entries(root: &Folder) -> Result<Vec<Entry>, OrderError> {
    let mut wiring = Wiring::default();
    wiring.wire(root, &BTreeSet::new())?;
    Ok(wiring.entries)
}

/// What is wired so far; predecessors always come first.
#[derive(Default)]
struct Wiring {
    entries: Vec<Entry>,
    batches: BTreeMap<Package, Batch>,
    edges: usize,
}

impl Wiring {
    /// Wires a document behind the packages `before`, and returns what must be awaited to follow all of it.
    fn wire(&mut self, folder: &Folder, before: &BTreeSet<Package>) -> Result<BTreeSet<Package>, OrderError> {
        let predecessors = predecessors(folder)?;
        let mut ends = vec![BTreeSet::new(); folder.items.len()];
        for index in sorted(folder, &predecessors)? {
            let awaited = match &predecessors[index] {
                none if none.is_empty() => before.clone(),
                some => some.iter().flat_map(|one| ends[*one].clone()).collect(),
            };
            ends[index] = self.wire_item(folder, &folder.items[index], awaited)?;
        }
        let followed: BTreeSet<usize> = predecessors.into_iter().flatten().collect();
        let last = ends.into_iter().enumerate().filter(|(index, _)| !followed.contains(index));
        Ok(if folder.items.is_empty() { before.clone() } else { last.flat_map(|(_, ends)| ends).collect() })
    }

    fn wire_item(
        &mut self,
        folder: &Folder,
        item: &Item,
        awaited: BTreeSet<Package>,
    ) -> Result<BTreeSet<Package>, OrderError> {
        let (package, component) = match &item.content {
            Content::Module(inner) => return self.wire(inner, &awaited),
            Content::Component { package, component } => (package, component),
        };
        self.edges += awaited.len();
        check_edges(self.edges)?;
        let behind = awaited.iter().filter_map(|package| self.batches.get(package)).max();
        let batch = behind.map_or(FIRST_BATCH, |behind| Batch(behind.0 + 1));
        self.batches.insert(package.clone(), batch);
        self.entries.push(Entry {
            package: package.clone(),
            key: item.key.to_owned(),
            via: folder.via.clone(),
            component: (*component).clone(),
            batch,
            after: awaited.into_iter().collect(),
        });
        Ok(BTreeSet::from([package.clone()]))
    }
}

fn check_edges(count: usize) -> Result<(), OrderError> {
    if count > MOST_EDGES {
        Err(OrderError::TooLarge { what: "waits between components", count, most: MOST_EDGES })
    } else {
        Ok(())
    }
}

/// Returns for each item of a document those it directly follows.
fn predecessors(folder: &Folder) -> Result<Vec<BTreeSet<usize>>, OrderError> {
    if folder.says_buildafter() {
        check_edges(folder.items.iter().map(|item| item.buildafter.len()).sum())?;
        let keys = Keys::of(folder);
        return folder.items.iter().map(|item| keys.predecessors(folder, item)).collect();
    }
    let mut groups: BTreeMap<i64, BTreeSet<usize>> = BTreeMap::new();
    for (index, item) in folder.items.iter().enumerate() {
        groups.entry(item.buildorder).or_default().insert(index);
    }
    let group_before = |order: i64| groups.range(..order).next_back().map(|(_, group)| group.clone());
    Ok(folder.items.iter().map(|item| group_before(item.buildorder).unwrap_or_default()).collect())
}

/// Where the items of a document are, by key: components and included modules have key spaces of their own.
struct Keys<'f> {
    components: BTreeMap<&'f str, usize>,
    modules: BTreeMap<&'f str, usize>,
}

impl<'f> Keys<'f> {
    fn of(folder: &'f Folder) -> Self {
        let mut keys = Self { components: BTreeMap::new(), modules: BTreeMap::new() };
        for (index, item) in folder.items.iter().enumerate() {
            match &item.content {
                Content::Component { .. } => keys.components.insert(item.key, index),
                Content::Module(_) => keys.modules.insert(item.key, index),
            };
        }
        keys
    }

    /// Finds what an item names, among the items of its own kind first.
    fn predecessors(&self, folder: &Folder, item: &Item) -> Result<BTreeSet<usize>, OrderError> {
        let (same, other) = match &item.content {
            Content::Component { .. } => (&self.components, &self.modules),
            Content::Module(_) => (&self.modules, &self.components),
        };
        let place = |key: &String| {
            let found = same.get(key.as_str()).or_else(|| other.get(key.as_str()));
            found.copied().ok_or_else(|| OrderError::UnknownPredecessor {
                document: folder.title(),
                component: item.key.to_owned(),
                missing: key.clone(),
            })
        };
        item.buildafter.iter().map(place).collect()
    }
}

/// Sorts items so that each comes behind its predecessors.
fn sorted(folder: &Folder, predecessors: &[BTreeSet<usize>]) -> Result<Vec<usize>, OrderError> {
    let mut awaited: Vec<usize> = predecessors.iter().map(BTreeSet::len).collect();
    let mut followers = vec![Vec::new(); predecessors.len()];
    for (index, before) in predecessors.iter().enumerate() {
        before.iter().for_each(|one| followers[*one].push(index));
    }
    let mut sorted: Vec<usize> = (0..predecessors.len()).filter(|index| awaited[*index] == 0).collect();
    let mut next = 0;
    while let Some(done) = sorted.get(next).copied() {
        next += 1;
        for follower in &followers[done] {
            awaited[*follower] -= 1;
            if awaited[*follower] == 0 {
                sorted.push(*follower);
            }
        }
    }
    if sorted.len() == predecessors.len() {
        return Ok(sorted);
    }
    let left = (0..predecessors.len()).filter(|index| awaited[*index] > 0).collect();
    Err(circle(folder, predecessors, &left))
}

/// Walks back from any item that is left, each of which follows another one that is left, until one comes again.
fn circle(folder: &Folder, predecessors: &[BTreeSet<usize>], left: &BTreeSet<usize>) -> OrderError {
    let mut walked: Vec<usize> = Vec::new();
    let mut at = left.first().copied();
    while let Some(index) = at.filter(|index| !walked.contains(index)) {
        walked.push(index);
        at = predecessors[index].intersection(left).next().copied();
    }
    let begin = walked.iter().position(|index| Some(*index) == at).unwrap_or_default();
    let circle = walked[begin..].iter().chain(&at);
    OrderError::Circle {
        document: folder.title(),
        keys: circle.map(|index| folder.items[*index].key.to_owned()).collect(),
    }
}

/// Returns for each component the cost of the longest way from its begin to the end of the module.
///
/// On a graph the largest is the most urgent; where batches order, it is the component's own weight.
pub fn remaining_path(components: &[Shared<ComponentBuild>]) -> BTreeMap<&Package, Weight> {
    let mut paths: BTreeMap<&Package, Weight> = BTreeMap::new();
    let mut longest_behind: BTreeMap<&Package, f64> = BTreeMap::new();
    let mut deepest_first: Vec<_> = components.iter().collect();
    deepest_first.sort_by_key(|component| std::cmp::Reverse(component.batch));
    for component in deepest_first {
        let behind = longest_behind.get(&component.package).copied().unwrap_or_default();
        let path = component.weight.cost() + behind;
        paths.insert(&component.package, Weight::new(path));
        for predecessor in &component.after {
            let longest = longest_behind.entry(predecessor).or_default();
            *longest = longest.max(path);
        }
    }
    paths
}
