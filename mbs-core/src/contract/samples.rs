//! Small records that suites, and the tests of the implementations in memory, work on.

use std::sync::Arc;

use jiff::Timestamp;

use crate::context::Contexts;
use crate::ident::{Batch, CommitId, Nsvc, TaskId};
use crate::model::{Attempt, BuildState, ComponentBuild, ComponentSource, NewBuild, RebuildStrategy};
use crate::modulemd::ModuleStream;

/// Parses a name that is written in a suite.
pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("names in suites and tests are valid")
}

/// Returns a moment so many seconds after a fixed one.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + secs).expect("suites are about the present")
}

/// Returns a hash that no repository has, of one digit repeated.
pub(crate) fn commit(digit: char) -> CommitId {
    CommitId::new(digit.to_string().repeat(40)).expect("40 hexadecimal digits are a commit")
}

pub(crate) fn new_build(nsvc: &str) -> NewBuild {
    let nsvc: Nsvc = id(nsvc);
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
        srpms: Default::default(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    }
}

pub(crate) fn component(package: &str) -> ComponentBuild {
    let url = format!("https://src.example.com/rpms/{package}");
    let source = ComponentSource::Git { url, commit: commit('a') };
    let mut component = ComponentBuild::new(id(package), source, Batch(2));
    component.arches = vec![id("x86_64")];
    component
}

/// Returns a component with a live attempt, which holds a slot.
pub(crate) fn running(package: &str, task: Option<i64>) -> ComponentBuild {
    let task = task.map(TaskId);
    let attempt = Attempt { number: 1, intended_at: at(0), not_after: at(30), task, end: None };
    ComponentBuild { state: Some(BuildState::Building), attempts: vec![attempt], task, ..component(package) }
}
