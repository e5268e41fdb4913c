//! What earlier attempts left: live tasks of ours, builds in our tags, untagged builds with our dist tag.
//!
//! A task is ours if it carries our package and our module's target among its options, which only we write there. Builds are
//! looked for in the tags first, in their order. An untagged one is told by its release; which task made it the hub does not
//! say in its list, so it is asked once more for those few.

use std::collections::BTreeMap;

use mbs_core::build_system::{BuildSystemError, Found, FoundBuild, Search, TaggedBuild};
use mbs_core::ident::{Nvr, Package, TagName, TaskId};

use crate::api::build::{self, BuildState};
use crate::api::task::{self, Task};
use crate::build_system::calls::{Answers, Calls, Ticket};

/// Where the answers are.
#[derive(Debug)]
pub(super) struct Asked {
    live: Option<Ticket>,
    untagged: Vec<(Package, Ticket)>,
}

/// What was found, and builds of which the task is still to be asked.
#[derive(Debug, Default)]
pub(super) struct Adoption {
    found: Found,
    untagged: Vec<(Package, Nvr)>,
    asked: Vec<Ticket>,
}

impl Asked {
    /// `user`: without one nothing can be ours.
    pub(super) fn ask(search: &Search, user: Option<i64>, calls: &mut Calls) -> Self {
        let live = user.map(|user| calls.add(task::live_builds(user)));
        let ask = |package: &Package| (package.clone(), calls.add(build::untagged(package)));
        Self { live, untagged: search.packages.keys().map(ask).collect() }
    }

    pub(super) fn read(
        &self,
        search: &Search,
        tags: &BTreeMap<TagName, Option<Vec<TaggedBuild>>>,
        answers: &Answers,
    ) -> Result<Adoption, BuildSystemError> {
        let mut adoption = Adoption::default();
        if let Some(ticket) = self.live {
            let tasks = answers
                .read(ticket, "to show our live tasks", |value| task::read_list("listTasks", value))?;
            adoption.found.live = live(search, &tasks);
        }
        for (package, ticket) in &self.untagged {
            if let Some(build) = tagged(search, package, tags) {
                adoption.found.builds.push(build);
                continue;
            }
            let doing = format_args!("to show untagged builds of {package}");
            let builds = answers.read(*ticket, doing, build::read_untagged)?;
            let is_ours =
                |nvr: &Nvr| nvr.name() == package.as_str() && nvr.release().ends_with(&search.dist_suffix);
            let ours = builds.into_iter().filter(is_ours);
            adoption.untagged.extend(ours.map(|nvr| (package.clone(), nvr)));
        }
        Ok(adoption)
    }
}

/// Returns those of the tasks that build a package for its target and for this module, oldest first.
fn live(search: &Search, tasks: &[Task]) -> Vec<(Package, TaskId)> {
    let mut live: Vec<_> = tasks.iter().filter_map(|task| Some((ours(search, task)?, task.id))).collect();
    live.sort_by_key(|(_, id)| *id);
    live
}

fn ours(search: &Search, task: &Task) -> Option<Package> {
    let (package, target, module_target) = task.built_for()?;
    let (package, wanted) = search.packages.get_key_value(package)?;
    let is_ours = target == wanted.as_str() && module_target == search.module_target.as_str();
    is_ours.then(|| package.clone())
}

/// Returns the newest build of a package in the first of the tags that has one.
fn tagged(
    search: &Search,
    package: &Package,
    tags: &BTreeMap<TagName, Option<Vec<TaggedBuild>>>,
) -> Option<FoundBuild> {
    search.tags.iter().find_map(|tag| {
        let builds = tags.get(tag)?.as_ref()?;
        let newest = builds.iter().rev().find(|build| build.package == *package)?;
        let (package, nvr) = (package.clone(), newest.nvr.clone());
        Some(FoundBuild { package, nvr, task: newest.task, tag: Some(tag.clone()) })
    })
}

impl Adoption {
    pub(super) fn ask(&mut self, calls: &mut Calls) {
        if self.asked.is_empty() {
            self.asked = self.untagged.iter().map(|(_, nvr)| calls.add(build::build(nvr))).collect();
        } else {
            self.asked.clear();
            self.untagged.clear();
        }
    }

    /// Of several builds of a package the one that was made last counts.
    pub(super) fn take(&mut self, answers: &Answers) -> Result<(), BuildSystemError> {
        let mut newest: BTreeMap<&Package, build::Build> = BTreeMap::new();
        for ((package, nvr), ticket) in self.untagged.iter().zip(&self.asked) {
            let doing = format_args!("to show the build {nvr}");
            let Some(build) = answers.read(*ticket, doing, build::read)? else { continue };
            let is_newer = newest.get(package).is_none_or(|other| other.id < build.id);
            if build.state == BuildState::Complete && is_newer {
                newest.insert(package, build);
            }
        }
        let adopted = newest.into_iter().map(|(package, build)| FoundBuild {
            package: package.clone(),
            nvr: build.nvr,
            task: build.task,
            tag: None,
        });
        self.found.builds.extend(adopted);
        Ok(())
    }

    /// Never final: a call of another process may be on its way to the hub.
    pub(super) fn found(self) -> Found {
        self.found
    }
}
