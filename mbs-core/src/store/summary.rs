//! What events and lists tell of a build, without its document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ident::{ComponentId, Nsvc, Nvr, Package, TagName, TaskId};
use crate::model::{BuildState, ComponentBuild, ModuleBuild, RebuildStrategy, State};
use crate::modulemd::{ModuleStream, Xmd};

/// The fields of a build that events and lists show, without parsing documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its identity.
    pub nsvc: Nsvc,
    /// Its state.
    pub state: State,
    /// Why it is in it.
    pub reason: Option<String>,
    /// Who submitted it.
    pub owner: String,
    /// Whether it is a try only.
    pub scratch: bool,
    /// Where it was submitted from.
    pub scmurl: Option<String>,
    /// What is built again.
    pub strategy: RebuildStrategy,
    /// The destination tag.
    pub koji_tag: Option<TagName>,
    /// The batch being built.
    pub batch: u32,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When its state last changed.
    pub modified_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The last repository task.
    #[serde(default)]
    pub repo_task: Option<TaskId>,
    /// Source RPMs that the user gave.
    #[serde(default)]
    pub srpms: Vec<String>,
    /// What is known of each module that it is built with, by name, from `xmd.mbs.buildrequires`.
    #[serde(default)]
    pub buildrequires: BTreeMap<String, BTreeMap<String, Detail>>,
    /// Its components, in order.
    #[serde(default)]
    pub components: Vec<ComponentSummary>,
}

/// What a summary tells of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentSummary {
    /// Its id; `None` before it was saved.
    pub id: Option<ComponentId>,
    /// Its package.
    pub package: Package,
    /// Its state; `None`: not started.
    pub state: Option<BuildState>,
    /// Why it is in it.
    pub reason: Option<String>,
    /// The latest task.
    pub task: Option<TaskId>,
    /// What was built or is reused.
    pub nvr: Option<Nvr>,
}

/// A value in the description of a buildrequired module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Detail {
    /// Nothing is known.
    Null,
    /// Text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
}

impl ComponentSummary {
    fn of(component: &ComponentBuild) -> Self {
        Self {
            id: component.id,
            package: component.package.clone(),
            state: component.state,
            reason: component.reason.clone(),
            task: component.task,
            nvr: component.nvr.clone(),
        }
    }
}

impl Detail {
    fn of(value: &Xmd) -> Self {
        match value.spelling() {
            Some("" | "~" | "null" | "Null" | "NULL") => Self::Null,
            Some(text) => Self::Text(text.to_owned()),
            None => Self::List(value.texts().into_iter().map(str::to_owned).collect()),
        }
    }
}

/// Returns what a document says of the modules it is built with.
pub fn buildrequires(document: &ModuleStream) -> BTreeMap<String, BTreeMap<String, Detail>> {
    let Some(Xmd::Map(modules)) = document.xmd.at(&["mbs", "buildrequires"]) else { return BTreeMap::new() };
    let details = |module: &Xmd| match module {
        Xmd::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), Detail::of(value))).collect(),
        Xmd::Text(_) | Xmd::Bool(_) | Xmd::Seq(_) => BTreeMap::new(),
    };
    modules.iter().map(|(name, module)| (name.clone(), details(module))).collect()
}

impl Summary {
    /// Takes the summary of a record.
    pub fn of(build: &ModuleBuild) -> Self {
        Self {
            nsvc: build.nsvc().clone(),
            state: build.state(),
            reason: build.life.reason().map(str::to_owned),
            owner: build.new.owner.clone(),
            scratch: build.new.scratch,
            scmurl: build.new.scmurl.clone(),
            strategy: build.new.strategy,
            koji_tag: build.koji_tag.clone(),
            batch: build.batch.0,
            submitted_at: build.submitted_at,
            modified_at: build.life.changed_at(),
            completed_at: build.life.completed_at(),
            repo_task: build.repo_task,
            srpms: build.srpms().into_iter().cloned().collect(),
            buildrequires: buildrequires(build.document()),
            components: build.components.iter().map(|component| ComponentSummary::of(component)).collect(),
        }
    }
}
