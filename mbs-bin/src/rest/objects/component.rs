//! Component builds.

use mbs_core::model::BuildState;
use mbs_core::store::{ComponentTransition, ListedComponent};
use serde::Serialize;

use super::{Step, time};

/// What lists and single components show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ComponentStandard {
    format: &'static str,
    id: i64,
    module_build: i64,
    nvr: Option<String>,
    package: String,
    state: Option<u8>,
    state_name: Option<&'static str>,
    state_reason: Option<String>,
    task_id: Option<i64>,
}

/// What is shown where everything is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ComponentExtended {
    #[serde(flatten)]
    standard: ComponentStandard,
    batch: u32,
    state_trace: Vec<Step>,
    state_url: String,
}

impl ComponentStandard {
    pub(crate) fn of(listed: ListedComponent) -> Self {
        Self {
            format: "rpms",
            id: listed.id.0,
            module_build: listed.build.0,
            nvr: listed.nvr.map(|nvr| nvr.to_string()),
            package: listed.package.to_string(),
            state: listed.state.map(BuildState::number),
            state_name: listed.state.map(BuildState::name),
            state_reason: listed.reason,
            task_id: listed.task.map(|task| task.0),
        }
    }
}

impl ComponentExtended {
    /// Puts a component together; `state_url` is its path as clients see it.
    pub(crate) fn of(listed: ListedComponent, trace: Vec<ComponentTransition>, state_url: String) -> Self {
        Self {
            batch: listed.batch.0,
            standard: ComponentStandard::of(listed),
            state_trace: trace.into_iter().map(Step::of_component).collect(),
            state_url,
        }
    }
}

impl Step {
    fn of_component(transition: ComponentTransition) -> Self {
        Self {
            reason: transition.reason,
            state: transition.state.map(BuildState::number),
            state_name: transition.state.map(BuildState::name),
            time: time(transition.at),
        }
    }
}
