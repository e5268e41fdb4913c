//! Tags, targets, and what is put into them.

use std::collections::BTreeSet;

use super::plant::{Plant, Tag, TagSummary, Target, Task, TaskKind};
use super::{conflict, missing, rejected};
use crate::build_system::{BuildSystemError, BuildrootSpec, FinishedModule, TagRequest, TaggedBuild};
use crate::bus::Hint;
use crate::ident::{Nvr, Package, TagEvent, TagName, TaskId};

impl Plant {
    pub(super) fn ensure_buildroot(&mut self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        check_spec(spec)?;
        for inherited in &spec.inherits {
            self.tag_of(inherited)?;
        }
        let target = Target { build_tag: spec.build_tag.clone(), tag: spec.tag.clone() };
        if let Some(other) = self.targets.get(&spec.target).filter(|other| **other != target) {
            return Err(conflict(format!(
                "the target {} builds from {} into {}, not from {} into {}",
                spec.target, other.build_tag, other.tag, target.build_tag, target.tag
            )));
        }
        let before = self.tags.get(&spec.build_tag).map(|tag| tag.view.clone());
        let is_new = before.is_none();
        self.set_up(&spec.tag, spec);
        let build_tag = self.set_up(&spec.build_tag, spec);
        if is_new {
            build_tag.blocked = spec.blocked.iter().cloned().collect();
        }
        build_tag.blocked.retain(|package| !spec.unblocked.contains(package));
        for (group, names) in [("build", &spec.build_group), ("srpm-build", &spec.srpm_build_group)] {
            build_tag.groups.entry(group.to_owned()).or_default().extend(names.iter().cloned());
        }
        build_tag.inherits = spec.inherits.clone();
        let is_changed = before.as_ref() != Some(&*build_tag);
        self.targets.insert(spec.target.clone(), target);
        let at = self.tag_of(&spec.build_tag)?.set_up_at.filter(|_| !is_changed);
        let at = at.unwrap_or_else(|| self.next_event());
        self.tag_mut(&spec.build_tag)?.set_up_at = Some(at);
        Ok(at)
    }

    /// Makes a tag if it is new, with architectures and package list, and returns it.
    fn set_up(&mut self, name: &TagName, spec: &BuildrootSpec) -> &mut TagSummary {
        let view = &mut self.tags.entry(name.clone()).or_default().view;
        view.arches = spec.arches.clone();
        view.packages.extend(spec.packages.iter().cloned());
        view
    }

    /// Puts finished builds into tags; all that do not exist are named.
    pub(super) fn tag_all(&mut self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        let (known, gone): (Vec<_>, Vec<_>) =
            requests.iter().partition(|request| self.builds.contains_key(&request.nvr));
        known.into_iter().try_for_each(|request| self.tag(request))?;
        let gone: BTreeSet<Nvr> = gone.into_iter().map(|request| request.nvr.clone()).collect();
        if gone.is_empty() {
            Ok(())
        } else {
            Err(BuildSystemError::BuildsGone { builds: gone.into_iter().collect() })
        }
    }

    /// Puts a finished build into a tag; one that is there stays as it is.
    fn tag(&mut self, request: &TagRequest) -> Result<(), BuildSystemError> {
        let TagRequest { tag: name, package, nvr } = request;
        let tag = self.tag_of(name)?;
        let built = self.builds.get(nvr).ok_or_else(|| missing("build", nvr))?;
        if nvr.name() != package.as_str() {
            return Err(rejected(format!("{nvr} is no build of {package}")));
        }
        if tag.builds.iter().any(|build| build.nvr == *nvr) {
            return Ok(());
        }
        if !tag.view.packages.contains(package) {
            return Err(rejected(format!("the package {package} is not in the list of the tag {name}")));
        }
        if tag.view.blocked.contains(package) {
            return Err(rejected(format!("the package {package} is blocked in the tag {name}")));
        }
        let task = built.task;
        self.put(name, package.clone(), nvr.clone(), task)
    }

    /// Puts a build into a tag without asking whether it may be there.
    pub(super) fn put(
        &mut self,
        name: &TagName,
        package: Package,
        nvr: Nvr,
        task: Option<TaskId>,
    ) -> Result<(), BuildSystemError> {
        let event = self.next_event();
        self.tag_mut(name)?.builds.push(TaggedBuild { package, nvr, task, event });
        self.news.insert(Hint::Tag(name.clone()));
        Ok(())
    }

    /// Takes a build out of a tag, if both are there.
    pub(super) fn untag(&mut self, name: &TagName, nvr: &Nvr) {
        let Some(tag) = self.tags.get_mut(name) else { return };
        let had = tag.builds.len();
        tag.builds.retain(|build| build.nvr != *nvr);
        if tag.builds.len() < had {
            self.next_event();
            self.news.insert(Hint::Tag(name.clone()));
        }
    }

    /// Removes a target, unless a live task still builds for it.
    pub(super) fn remove_target(&mut self, target: &TagName) -> Result<(), BuildSystemError> {
        let is_build = |task: &Task| task.work.kind() == TaskKind::Build;
        if let Some((task, _)) = self.live_in(target).find(|(_, task)| is_build(task)) {
            return Err(conflict(format!("the task {task} still builds for the target {target}")));
        }
        self.targets.remove(target);
        Ok(())
    }

    /// Takes in a finished module; all that belongs into its tag must be there.
    pub(super) fn import(&mut self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        let build = &module.build;
        let nvr = build.nsvc().nvr();
        if self.imports.contains_key(&nvr) {
            return Ok(());
        }
        if build.new.scratch {
            return Err(rejected(format!("{} is a scratch build, which is never imported", build.nsvc())));
        }
        let name = build.koji_tag.as_ref().ok_or_else(|| rejected(format!("{nvr} has no tag")))?;
        let tag = self.tag_of(name)?;
        for component in build.components.iter().filter(|component| !component.build_time_only) {
            if !is_in(tag, component.nvr.as_ref()) {
                return Err(rejected(format!("{} is not in the tag {name}", component.package)));
            }
        }
        self.imports.insert(nvr, module.clone());
        Ok(())
    }
}

fn is_in(tag: &Tag, nvr: Option<&Nvr>) -> bool {
    tag.builds.iter().any(|build| Some(&build.nvr) == nvr)
}

fn check_spec(spec: &BuildrootSpec) -> Result<(), BuildSystemError> {
    let is_strictly_sorted = spec.arches.is_sorted_by(|a, b| a < b)
        && spec.packages.is_sorted_by(|a, b| a < b)
        && spec.blocked.is_sorted_by(|a, b| a < b)
        && spec.unblocked.is_sorted_by(|a, b| a < b)
        && spec.build_group.is_sorted_by(|a, b| a < b)
        && spec.srpm_build_group.is_sorted_by(|a, b| a < b);
    let complaint = if !is_strictly_sorted {
        "has a list that is not sorted or holds something twice"
    } else if spec.arches.is_empty() {
        "has no architectures"
    } else if spec.tag == spec.build_tag {
        "is built from the tag it goes into"
    } else if !spec.unblocked.iter().all(|package| spec.blocked.contains(package)) {
        "unblocks a package that was never blocked"
    } else {
        return Ok(());
    };
    Err(rejected(format!("the buildroot of {} {complaint}", spec.tag)))
}
