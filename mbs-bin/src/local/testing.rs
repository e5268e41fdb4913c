//! Small records for the tests of this crate.

use std::path::PathBuf;
use std::sync::Arc;

use mbs_core::context::Contexts;
use mbs_core::ident::{Batch, BuildId, CommitId, Nsvc, Package, TaskId};
use mbs_core::model::{ComponentBuild, ComponentSource, ModuleBuild, NewBuild, RebuildStrategy};
use mbs_core::modulemd::ModuleStream;

use super::machine::Places;

/// A module build in `init`.
pub(crate) fn module_build(nsvc: &str) -> ModuleBuild {
    let nsvc: Nsvc = nsvc.parse().unwrap();
    let document = ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        ..ModuleStream::default()
    };
    let new = NewBuild {
        nsvc,
        owner: "anna".into(),
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
    };
    let now = "2024-01-02T03:04:05Z".parse().unwrap();
    ModuleBuild::begin(new, BuildId(1), BuildId(1), now)
}

/// A component of batch 2 that was not begun.
pub(crate) fn component(package: &str) -> ComponentBuild {
    let commit = CommitId::new("a".repeat(40)).unwrap();
    let source = ComponentSource::Git { url: format!("file:///{package}"), commit };
    ComponentBuild::new(Package::new(package).unwrap(), source, Batch(2))
}

/// Places that need no files.
#[derive(Debug)]
pub(crate) struct Folder;

impl Places for Folder {
    fn log_of(&self, task: TaskId) -> PathBuf {
        format!("/logs/{task}").into()
    }

    fn repository_of(&self, build: &ModuleBuild) -> PathBuf {
        format!("/results/{}", build.nsvc()).into()
    }
}
