//! Small records.

use std::sync::Arc;

use jiff::Timestamp;
use mbs_core::context::Contexts;
use mbs_core::ident::{Batch, Nsvc, TaskId};
use mbs_core::model::{Attempt, BuildState, ComponentBuild, ComponentSource, NewBuild, RebuildStrategy};
use mbs_core::modulemd::ModuleStream;

/// When the time of stores under test begins.
pub(crate) fn start() -> Timestamp {
    "2024-01-02T03:04:05Z".parse().unwrap()
}

pub(crate) fn new_build(nsvc: &str) -> NewBuild {
    let nsvc: Nsvc = nsvc.parse().unwrap();
    let document = ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        version: Some(nsvc.version.0),
        context: Some(nsvc.context.to_string()),
        summary: "A module".into(),
        description: "A module of the tests.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        ..ModuleStream::default()
    };
    NewBuild {
        nsvc,
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::default(),
        reuse_from: None,
        origin: None,
        document: Arc::new(document),
        contexts: Contexts::default(),
        srpms: [].into(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    }
}

/// A component with a live attempt, which holds a slot.
pub(crate) fn running(package: &str) -> ComponentBuild {
    let attempt =
        Attempt { number: 1, intended_at: start(), not_after: start(), task: Some(TaskId(7)), end: None };
    let source = ComponentSource::Git {
        url: "https://src.example.com/rpms/liba".into(),
        commit: "a".repeat(40).parse().unwrap(),
    };
    let mut component = ComponentBuild::new(package.parse().unwrap(), source, Batch(2));
    component.state = Some(BuildState::Building);
    component.attempts = vec![attempt];
    component
}
