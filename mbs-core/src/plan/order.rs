//! Whom the order of components lets begin: barriers between batches, or the edges of a graph.
//!
//! It is told what of a component is met (complete, or in the repository) and never judges that itself.

use std::collections::BTreeSet;

use crate::ident::{Batch, Package};
use crate::model::{ComponentBuild, ModuleBuild, Ordering};

/// What the order lets begin, as one moment has it.
pub(super) struct Gate {
    /// Nothing of later batches may begin. On graphs only the macros are such a barrier.
    open: Batch,
    /// On graphs: what others may follow.
    met: BTreeSet<Package>,
}

impl Gate {
    /// Looks at every component once.
    pub(super) fn of(build: &ModuleBuild, is_met: impl Fn(&ComponentBuild) -> bool) -> Self {
        let is_graph = build.ordering == Ordering::Graph;
        let (mut open, mut met) = (Batch(u32::MAX), BTreeSet::new());
        for component in &build.components {
            let is_barrier = !is_graph || component.batch.0 <= 1;
            if is_met(component) {
                met.extend(is_graph.then(|| component.package.clone()));
            } else if is_barrier {
                open = open.min(component.batch);
            }
        }
        Self { open, met }
    }

    /// Says whether everything is met that a component comes after.
    pub(super) fn lets_begin(&self, component: &ComponentBuild) -> bool {
        component.batch <= self.open && component.after.iter().all(|package| self.met.contains(package))
    }

    /// Says whether everything up to a batch is met; on graphs the macros.
    pub(super) fn is_past(&self, batch: Batch) -> bool {
        batch < self.open
    }
}
