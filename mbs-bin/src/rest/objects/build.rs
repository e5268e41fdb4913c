//! Module builds, short and standard.

use std::collections::BTreeMap;

use mbs_core::ident::BuildId;
use mbs_core::model::ModuleBuild;
use mbs_core::store::{ComponentSummary, Detail, ListedBuild, Summary};
use serde::Serialize;

use super::time;

/// What the shortest form shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct BuildShort {
    pub(crate) context: String,
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) scratch: bool,
    pub(crate) state: u8,
    pub(crate) state_name: &'static str,
    pub(crate) stream: String,
    pub(crate) version: String,
}

impl BuildShort {
    pub(crate) fn of(id: BuildId, summary: &Summary) -> Self {
        let (nsvc, state) = (&summary.nsvc, summary.state);
        Self {
            context: nsvc.context.to_string(),
            id: id.0,
            name: nsvc.name.to_string(),
            scratch: summary.scratch,
            state: state.number(),
            state_name: state.name(),
            stream: nsvc.stream.to_string(),
            version: nsvc.version.to_string(),
        }
    }
}

/// What lists and single builds show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct BuildStandard {
    #[serde(flatten)]
    short: BuildShort,
    batch: u32,
    buildrequires: BTreeMap<String, BTreeMap<String, Detail>>,
    component_builds: Vec<i64>,
    koji_tag: Option<String>,
    new_repo_task_id: Option<i64>,
    owner: String,
    rebuild_strategy: &'static str,
    scmurl: Option<String>,
    siblings: Vec<i64>,
    srpms: Vec<String>,
    state_reason: Option<String>,
    /// Left out of events, and of the answers about imported modules.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<BTreeMap<&'static str, BTreeMap<String, Task>>>,
    time_completed: Option<String>,
    time_modified: String,
    time_submitted: String,
}

/// A component among the tasks of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Task {
    nvr: Option<String>,
    state: Option<u8>,
    state_reason: Option<String>,
    task_id: Option<i64>,
}

impl BuildStandard {
    pub(crate) fn of(listed: ListedBuild) -> Self {
        let ListedBuild { id, summary, siblings } = listed;
        let tasks: BTreeMap<String, Task> = summary
            .components
            .iter()
            .map(|component| (component.package.to_string(), Task::of(component)))
            .collect();
        let tasks = if tasks.is_empty() { BTreeMap::new() } else { BTreeMap::from([("rpms", tasks)]) };
        Self {
            short: BuildShort::of(id, &summary),
            batch: summary.batch,
            component_builds: summary.components.iter().filter_map(|c| c.id).map(|id| id.0).collect(),
            koji_tag: summary.koji_tag.map(|tag| tag.to_string()),
            new_repo_task_id: summary.repo_task.map(|task| task.0),
            rebuild_strategy: summary.strategy.name(),
            siblings: siblings.into_iter().map(|id| id.0).collect(),
            tasks: Some(tasks),
            time_completed: summary.completed_at.map(time),
            time_modified: time(summary.modified_at),
            time_submitted: time(summary.submitted_at),
            buildrequires: summary.buildrequires,
            owner: summary.owner,
            scmurl: summary.scmurl,
            srpms: summary.srpms,
            state_reason: summary.reason,
        }
    }

    /// Reads the form off a record.
    pub(crate) fn of_record(build: &ModuleBuild, siblings: Vec<BuildId>) -> Self {
        Self::of(ListedBuild { id: build.id, summary: Summary::of(build), siblings })
    }

    /// Leaves the tasks out.
    pub(crate) fn without_tasks(self) -> Self {
        Self { tasks: None, ..self }
    }
}

impl Task {
    fn of(component: &ComponentSummary) -> Self {
        Self {
            nvr: component.nvr.as_ref().map(ToString::to_string),
            state: component.state.map(|state| state.number()),
            state_reason: component.reason.clone(),
            task_id: component.task.map(|task| task.0),
        }
    }
}
