//! What a save writes of components and attempts where they are rows of tables: those that differ, and no others.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ComponentColumns;
use crate::ident::{BuildId, ComponentId};
use crate::model::{Attempt, ComponentBuild, ModuleBuild};
use crate::shared::Shared;

/// A row of the table of components. As JSON its columns stand beside `id`, `build_id`, `position` and `record`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentRow {
    /// Its id.
    pub id: ComponentId,
    /// The module build it belongs to.
    pub build_id: BuildId,
    /// Its place in the record, from 0.
    pub position: usize,
    /// What lists are filtered and sorted by.
    #[serde(flatten)]
    pub columns: ComponentColumns,
    /// The component without its attempts.
    pub record: ComponentBuild,
}

/// A row of the table of attempts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttemptRow {
    /// The component.
    pub component_id: ComponentId,
    /// Its place in the record, from 0.
    pub position: usize,
    /// Its task.
    pub task: Option<i64>,
    /// Whether it holds a slot.
    pub is_live: bool,
    /// The attempt.
    pub record: Attempt,
}

/// What differs between two records of a build.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// Components that are new or changed.
    pub components: Vec<ComponentRow>,
    /// Components that are gone.
    pub gone: Vec<ComponentId>,
    /// Attempts that are new or changed.
    pub attempts: Vec<AttemptRow>,
    /// Components that have fewer attempts than before, and how many they have.
    pub shorter: Vec<(ComponentId, usize)>,
}

impl Changes {
    /// Compares two records of a build; all components have ids. `None`: there was none.
    pub fn between(was: Option<&ModuleBuild>, now: &ModuleBuild) -> Self {
        let was = was.map(|was| &was.components[..]).unwrap_or_default();
        let place = |(position, component): (usize, &Shared<ComponentBuild>)| {
            component.id.map(|id| (id, (position, component.clone())))
        };
        let before: BTreeMap<ComponentId, _> = was.iter().enumerate().filter_map(place).collect();
        let mut changes = Self::default();
        let mut kept = BTreeSet::new();
        for (position, component) in now.components.iter().enumerate() {
            let Some(id) = component.id else { continue };
            kept.insert(id);
            match before.get(&id) {
                Some(old) if *old == (position, component.clone()) => {}
                old => changes.of_component(now.id, position, old.map(|(at, old)| (*at, &**old)), component),
            }
        }
        changes.gone = before.into_keys().filter(|id| !kept.contains(id)).collect();
        changes
    }

    fn of_component(
        &mut self,
        build_id: BuildId,
        position: usize,
        old: Option<(usize, &ComponentBuild)>,
        component: &ComponentBuild,
    ) {
        let Some(id) = component.id else { return };
        let bare = |component: &ComponentBuild| ComponentBuild { attempts: Vec::new(), ..component.clone() };
        let record = bare(component);
        if old.is_none_or(|(at, old)| at != position || bare(old) != record) {
            let columns = ComponentColumns::of(component);
            self.components.push(ComponentRow { id, build_id, position, columns, record });
        }
        let before = old.map(|(_, old)| &old.attempts[..]).unwrap_or_default();
        for (position, attempt) in component.attempts.iter().enumerate() {
            if before.get(position) != Some(attempt) {
                self.attempts.push(AttemptRow {
                    component_id: id,
                    position,
                    task: attempt.task.map(|task| task.0),
                    is_live: attempt.end.is_none(),
                    record: attempt.clone(),
                });
            }
        }
        if component.attempts.len() < before.len() {
            self.shorter.push((id, component.attempts.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::TaskId;
    use crate::memory::samples::{at, component, new_build, running};

    fn build(components: &[ComponentBuild]) -> ModuleBuild {
        let mut build = ModuleBuild::begin(new_build("app:1:1:a"), BuildId(7), BuildId(7), at(0));
        let numbered = |(id, component): (i64, &ComponentBuild)| ComponentBuild {
            id: component.id.or(Some(ComponentId(id))),
            ..component.clone()
        };
        build.components = (1..).zip(components).map(numbered).map(Shared::from).collect();
        build
    }

    #[test]
    fn nothing_is_written_of_what_is_the_same() {
        let one = build(&[component("liba"), running("libb", None)]);
        assert_eq!(Changes::between(Some(&one), &one.clone()), Changes::default());
    }

    #[test]
    fn everything_is_written_of_a_new_record() {
        let changes = Changes::between(None, &build(&[component("liba"), running("libb", Some(3))]));
        let components: Vec<_> = changes.components.iter().map(|row| (row.id.0, row.position)).collect();
        assert_eq!(components, [(1, 0), (2, 1)]);
        let attempts: Vec<_> = changes
            .attempts
            .iter()
            .map(|row| (row.component_id.0, row.position, row.task, row.is_live))
            .collect();
        assert_eq!(attempts, [(2, 0, Some(3), true)]);
        assert!(changes.components.iter().all(|row| row.record.attempts.is_empty()));
    }

    #[test]
    fn of_an_attempt_that_got_its_task_only_the_attempt_is_written() {
        let was = build(&[component("liba"), running("libb", None)]);
        let mut now = was.clone();
        now.components[1].attempts[0].task = Some(TaskId(3));
        let changes = Changes::between(Some(&was), &now);
        assert!(changes.components.is_empty());
        assert_eq!(changes.attempts.len(), 1);
    }

    #[test]
    fn what_moved_is_written_and_what_is_gone_is_told() {
        let was = build(&[component("liba"), component("libb"), running("libc", None)]);
        let mut now = was.clone();
        now.components.remove(0);
        now.components[1].attempts.clear();
        let changes = Changes::between(Some(&was), &now);
        assert_eq!(changes.gone, [ComponentId(1)]);
        assert_eq!(changes.components.iter().map(|row| row.id.0).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(changes.shorter, [(ComponentId(3), 0)]);
    }
}
