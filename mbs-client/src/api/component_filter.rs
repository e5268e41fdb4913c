//! What is looked for among component builds.

use mbs_core::ident::{BuildId, ComponentId, TaskId};
use mbs_core::model::BuildState;

use super::Order;
use super::filter::{Pair, each, given, number, spelled};
use crate::client::{Method, Request};

/// Which component builds are wanted: all that have every given value. `None` and empty: any.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComponentFilter {
    /// Of this module build.
    pub module_build: Option<BuildId>,
    /// The package.
    pub package: Option<String>,
    /// What is built of it.
    pub format: Option<String>,
    /// Where its source is.
    pub scmurl: Option<String>,
    /// The commit of its source.
    pub git_ref: Option<String>,
    /// What was built.
    pub nvr: Option<String>,
    /// The last reason that was given.
    pub state_reason: Option<String>,
    /// Any of these states; components that have not begun cannot be asked for.
    pub states: Vec<BuildState>,
    /// Its task at Koji.
    pub task_id: Option<TaskId>,
    /// Its batch.
    pub batch: Option<u32>,
    /// The component build that it was taken from.
    pub reused_component_id: Option<ComponentId>,
    /// What it costs.
    pub weight: Option<f64>,
    /// Whether it is in the build tag.
    pub tagged: Option<bool>,
    /// Whether it is in the tag for what is built.
    pub tagged_in_final: Option<bool>,
    /// Whether it is needed while the module is built only.
    pub build_time_only: Option<bool>,
    /// The same, as the document says.
    pub buildonly: Option<bool>,
    /// Which come first.
    pub order: Order,
}

impl ComponentFilter {
    /// Returns the request of a list, without what says how it comes.
    pub fn request(&self) -> Request {
        let query = given(self.pairs()).chain(each("state", &self.states)).chain(self.order.pairs());
        Request { query: query.collect(), ..Request::new(Method::Get, ["component-builds", ""]) }
    }

    fn pairs(&self) -> [Pair; 15] {
        [
            ("module_build", spelled(self.module_build)),
            ("package", self.package.clone()),
            ("format", self.format.clone()),
            ("scmurl", self.scmurl.clone()),
            ("ref", self.git_ref.clone()),
            ("nvr", self.nvr.clone()),
            ("state_reason", self.state_reason.clone()),
            ("task_id", spelled(self.task_id)),
            ("batch", spelled(self.batch)),
            ("reused_component_id", spelled(self.reused_component_id)),
            ("weight", number(self.weight)),
            ("tagged", spelled(self.tagged)),
            ("tagged_in_final", spelled(self.tagged_in_final)),
            ("build_time_only", spelled(self.build_time_only)),
            ("buildonly", spelled(self.buildonly)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_as_the_service_reads_them() {
        assert_eq!(ComponentFilter::default().request().to_string(), "GET component-builds/");
        let components = ComponentFilter {
            states: vec![BuildState::Failed],
            weight: Some(1.5),
            order: Order::By(vec!["batch".into()]),
            ..ComponentFilter::default()
        };
        assert_eq!(
            components.request().to_string(),
            "GET component-builds/?weight=1.5&state=FAILED&order_by=batch"
        );
    }
}
