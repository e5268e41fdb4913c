//! What is kept of how builds and their components came about: log, traces, audit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ident::{BuildId, ComponentId, LogId, Package, TaskId};
use crate::model::{BuildState, ComponentBuild, ModuleBuild};

/// A line of a build's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number; of two lines of a build the later one has the larger.
    pub id: LogId,
    /// The component it speaks of; `None`: the build as a whole.
    pub component: Option<ComponentId>,
    /// When, by the store's clock.
    pub at: Timestamp,
    /// What, for people.
    pub text: String,
}

/// A line for a build's log that is not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The component of the build that it speaks of; `None`, and a package that the build does not have: the build as a whole.
    pub component: Option<Package>,
    /// What, for people; it names the component itself.
    pub text: String,
}

impl Note {
    /// Makes a line that speaks of one component.
    pub fn of(component: &Package, text: String) -> Self {
        Self { component: Some(component.clone()), text }
    }

    /// Returns what is written of notes that are saved with a record, whose components have ids: the component each speaks of,
    /// when, and what.
    pub fn lines(
        notes: &[Self],
        build: &ModuleBuild,
        at: Timestamp,
    ) -> Vec<(Option<ComponentId>, Timestamp, String)> {
        notes.iter().map(|note| (note.component_in(build), at, note.text.clone())).collect()
    }

    /// Returns the id of the component it speaks of in the record it is saved with, whose components have ids.
    pub fn component_in(&self, build: &ModuleBuild) -> Option<ComponentId> {
        build.component(self.component.as_ref()?.as_str())?.id
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self { component: None, text }
    }
}

impl From<&str> for Note {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// Whose log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// A build's, lines of its components included.
    Build(BuildId),
    /// That of one component.
    Component(ComponentId),
}

/// A change of a component's state, as its trace keeps it; the first is its appearance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentTransition {
    /// When it was saved, by the store's clock.
    pub at: Timestamp,
    /// The state after; `None`: not started.
    pub state: Option<BuildState>,
    /// Why, for people; `None` where the state says it all.
    pub reason: Option<String>,
    /// The latest task at that moment; `None`: there was none yet.
    #[serde(default)]
    pub task: Option<TaskId>,
}

impl ComponentTransition {
    fn of(component: &ComponentBuild, at: Timestamp) -> Self {
        Self { at, state: component.state, reason: component.reason.clone(), task: component.task }
    }

    /// Compares two records of a build, the later one saved at a moment, and returns what its components' traces get, in the
    /// order of the components; all have ids. `None`: there was no record before.
    pub fn between(was: Option<&ModuleBuild>, now: &ModuleBuild, at: Timestamp) -> Vec<(ComponentId, Self)> {
        let was = was.map(|was| &was.components[..]).unwrap_or_default();
        let before: BTreeMap<ComponentId, Option<BuildState>> =
            was.iter().filter_map(|component| Some((component.id?, component.state))).collect();
        let changed = now.components.iter().filter_map(|component| {
            let id = component.id?;
            (before.get(&id) != Some(&component.state)).then(|| (id, Self::of(component, at)))
        });
        changed.collect()
    }
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::samples::{at, component, id, new_build, running};
    use crate::shared::Shared;

    fn build(components: Vec<ComponentBuild>) -> ModuleBuild {
        let mut build = ModuleBuild::begin(new_build("app:1:1:a"), BuildId(7), BuildId(7), at(0));
        build.components = components.into_iter().map(Shared::from).collect();
        build
    }

    fn numbered(number: i64, component: ComponentBuild) -> ComponentBuild {
        ComponentBuild { id: Some(ComponentId(number)), ..component }
    }

    #[test]
    fn a_component_is_traced_when_it_appears_and_when_its_state_changes() {
        let was = build(vec![numbered(1, component("liba")), numbered(2, running("libb", None))]);
        let appeared = ComponentTransition::between(None, &was, at(1));
        let told: Vec<_> = appeared.iter().map(|(id, change)| (id.0, change.state, change.at)).collect();
        assert_eq!(told, [(1, None, at(1)), (2, Some(BuildState::Building), at(1))]);
        let mut now = was.clone();
        now.components[0].state = Some(BuildState::Complete);
        now.components[0].reason = Some("reused".into());
        now.components[0].task = Some(TaskId(9));
        now.components[1].attempts[0].task = Some(TaskId(3));
        let (state, reason, task) = (Some(BuildState::Complete), Some("reused".into()), Some(TaskId(9)));
        let change = ComponentTransition { at: at(2), state, reason, task };
        assert_eq!(ComponentTransition::between(Some(&was), &now, at(2)), [(ComponentId(1), change)]);
        assert_eq!(ComponentTransition::between(Some(&now), &now, at(3)), []);
    }

    #[test]
    fn a_note_finds_its_component_if_the_build_has_it() {
        let build = build(vec![numbered(1, component("liba"))]);
        let of = |package: &str| Note::of(&id(package), "went on".into()).component_in(&build);
        assert_eq!((of("liba"), of("libb")), (Some(ComponentId(1)), None));
        assert_eq!(Note::from("went on").component_in(&build), None);
    }
}
