//! What a test or a driver does to the build system, beside calling it: set it up, end its tasks, break things, look.

use super::plant::{Pace, Recipe, TagSummary, TaskKind, TaskSummary};
use super::{MemoryBuildSystem, missing};
use crate::build_system::{BuildSystemError, FinishedModule, RepoSeen, TaggedBuild, TaskFailure};
use crate::bus::Hint;
use crate::ident::{Arch, Nevra, Nvr, Package, TagEvent, TagName, TaskId, Weight};

/// Set-up.
impl MemoryBuildSystem {
    /// Makes a tag with its architectures, or changes those of one that exists.
    pub fn add_tag(&self, tag: &TagName, arches: &[Arch]) {
        let mut arches = arches.to_vec();
        arches.sort();
        self.floor().plant.tags.entry(tag.clone()).or_default().view.arches = arches;
    }

    /// Makes a target of two tags that exist.
    ///
    /// # Errors
    /// `NotFound` names a tag that does not.
    pub fn add_target(
        &self,
        target: &TagName,
        build_tag: &TagName,
        tag: &TagName,
    ) -> Result<(), BuildSystemError> {
        let mut floor = self.floor();
        floor.plant.tag_of(build_tag)?;
        floor.plant.tag_of(tag)?;
        let tags = super::plant::Target { build_tag: build_tag.clone(), tag: tag.clone() };
        floor.plant.targets.insert(target.clone(), tags);
        Ok(())
    }

    /// Adds a complete build that no task made.
    ///
    /// # Errors
    /// `Conflict` if it exists.
    pub fn add_build(&self, nvr: &Nvr, arches: &[Arch]) -> Result<(), BuildSystemError> {
        let mut floor = self.floor();
        floor.plant.check_new(nvr)?;
        floor.plant.complete_build(nvr.clone(), None, arches);
        Ok(())
    }

    /// Puts a complete build into a tag, as a stranger may: no package list is asked.
    ///
    /// # Errors
    /// `NotFound` names a tag or build that does not exist.
    pub fn put_in_tag(&self, tag: &TagName, package: &Package, nvr: &Nvr) -> Result<(), BuildSystemError> {
        let mut floor = self.floor();
        let task = floor.plant.builds.get(nvr).ok_or_else(|| missing("build", nvr))?.task;
        floor.plant.put(tag, package.clone(), nvr.clone(), task)
    }

    /// Says what comes out when a package is built: its version, and the names of its RPMs. Without that it is version 1 with
    /// one RPM of its own name, for each architecture.
    pub fn set_recipe(&self, package: &Package, version: &str, rpm_names: &[&str]) {
        let rpm_names = rpm_names.iter().map(|name| (*name).to_owned()).collect();
        let recipe = Recipe { version: version.to_owned(), rpm_names };
        self.floor().plant.recipes.insert(package.clone(), recipe);
    }

    /// Says which RPMs a complete build has.
    ///
    /// # Errors
    /// `NotFound` if there is no such build.
    pub fn set_rpms(&self, nvr: &Nvr, rpms: Vec<Nevra>) -> Result<(), BuildSystemError> {
        let mut floor = self.floor();
        let built = floor.plant.builds.get_mut(nvr).ok_or_else(|| missing("build", nvr))?;
        built.rpms = rpms;
        Ok(())
    }

    /// Says which RPMs the external repositories of a tag hold.
    pub fn set_external_rpms(&self, tag: &TagName, rpms: Vec<Nevra>) {
        self.floor().plant.external_rpms.insert(tag.clone(), rpms);
    }

    /// Says what a package costs to build.
    pub fn set_weight(&self, package: &Package, weight: Weight) {
        self.floor().plant.weights.insert(package.clone(), weight);
    }

    /// Says when tasks of a kind end by themselves.
    pub fn set_pace(&self, kind: TaskKind, pace: Pace) {
        self.floor().plant.paces.insert(kind, pace);
    }

    /// Lets a component have a second live task, and a package a second task for one NVR, as Koji does: what calls that come
    /// late then do is for the caller to mend. The second one to finish fails.
    pub fn permit_twins(&self) {
        self.floor().plant.permits_twins = true;
    }

    /// Lets searches say that no call can still be under way; otherwise they leave that open.
    pub fn make_searches_final(&self) {
        self.floor().plant.search_is_final = true;
    }
}

/// What happens to tasks and builds.
impl MemoryBuildSystem {
    /// Ends a task well: a build is complete, a repository is there.
    ///
    /// # Errors
    /// `NotFound` for an unknown task, `Rejected` for one that ended, `Conflict` if the build exists already; the task lives on.
    pub fn finish(&self, task: TaskId) -> Result<(), BuildSystemError> {
        self.floor().plant.finish(task, None)
    }

    /// Ends a build task well, with another NVR than it would have had.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_as(&self, task: TaskId, nvr: &Nvr) -> Result<(), BuildSystemError> {
        self.floor().plant.finish(task, Some(nvr.clone()))
    }

    /// Ends a task badly.
    ///
    /// # Errors
    /// `NotFound` for an unknown task, `Rejected` for one that ended.
    pub fn fail(&self, task: TaskId, failure: TaskFailure) -> Result<(), BuildSystemError> {
        self.floor().plant.fail(task, failure)
    }

    /// Cancels a task as somebody else would.
    ///
    /// # Errors
    /// `NotFound` for an unknown task.
    pub fn cancel_by_stranger(&self, task: TaskId) -> Result<(), BuildSystemError> {
        self.floor().plant.cancel(task)
    }

    /// Forgets a task, as after a purge.
    ///
    /// # Errors
    /// `NotFound` for an unknown task.
    pub fn forget_task(&self, task: TaskId) -> Result<(), BuildSystemError> {
        let mut floor = self.floor();
        floor.plant.generation += 1;
        let forgotten = floor.plant.tasks.remove(&task).ok_or_else(|| missing("task", &task))?;
        floor.plant.live.remove(&(forgotten.work.package().cloned(), task));
        Ok(())
    }

    /// Removes a tag with its targets and repositories, as an administrator may.
    ///
    /// # Errors
    /// `NotFound` for an unknown tag.
    pub fn remove_tag(&self, tag: &TagName) -> Result<(), BuildSystemError> {
        let mut floor = self.floor();
        floor.plant.tags.remove(tag).ok_or_else(|| missing("tag", tag))?;
        floor.plant.generation += 1;
        floor.plant.targets.retain(|_, target| target.tag != *tag && target.build_tag != *tag);
        floor.plant.news.insert(Hint::Tag(tag.clone()));
        Ok(())
    }

    /// Takes a build out of a tag, as a stranger may; one that is not there is no error.
    pub fn take_out(&self, tag: &TagName, nvr: &Nvr) {
        self.floor().plant.untag(tag, nvr);
    }

    /// Deletes a build and takes it out of every tag.
    ///
    /// # Errors
    /// `NotFound` for an unknown build.
    pub fn delete_build(&self, nvr: &Nvr) -> Result<(), BuildSystemError> {
        let mut floor = self.floor();
        floor.plant.builds.remove(nvr).ok_or_else(|| missing("build", nvr))?;
        let tags: Vec<TagName> = floor.plant.tags.keys().cloned().collect();
        tags.iter().for_each(|tag| floor.plant.untag(tag, nvr));
        Ok(())
    }
}

/// What is there.
impl MemoryBuildSystem {
    /// Returns all tasks, oldest first.
    pub fn tasks(&self) -> Vec<TaskSummary> {
        self.floor().plant.tasks.iter().map(|(id, task)| task.summary(*id)).collect()
    }

    /// Returns the tasks that have not ended, oldest first.
    pub fn live_tasks(&self) -> Vec<TaskSummary> {
        let floor = self.floor();
        let live = floor.plant.live.iter().filter_map(|(_, id)| Some((*id, floor.plant.tasks.get(id)?)));
        let mut live: Vec<TaskSummary> = live.map(|(id, task)| task.summary(id)).collect();
        live.sort_by_key(|task| task.id);
        live
    }

    /// Returns how a tag is set up; `None` for an unknown one.
    pub fn tag(&self, tag: &TagName) -> Option<TagSummary> {
        self.floor().plant.tags.get(tag).map(|tag| tag.view.clone())
    }

    /// Returns the builds in a tag, oldest tagging first; empty for an unknown one.
    pub fn builds_in(&self, tag: &TagName) -> Vec<TaggedBuild> {
        self.floor().plant.tags.get(tag).map(|tag| tag.builds.clone()).unwrap_or_default()
    }

    /// Returns the newest repository of a tag.
    pub fn newest_repo(&self, tag: &TagName) -> Option<RepoSeen> {
        self.floor().plant.tags.get(tag)?.repo
    }

    /// Returns the complete builds of a package, in the order of their NVRs.
    pub fn builds_of(&self, package: &Package) -> Vec<Nvr> {
        let floor = self.floor();
        floor.plant.builds_of(package).map(|(nvr, _)| nvr.clone()).collect()
    }

    /// Returns all tags, in order.
    pub fn tags(&self) -> Vec<TagName> {
        self.floor().plant.tags.keys().cloned().collect()
    }

    /// Returns a number that grows with every change; equal numbers mean that nothing changed.
    pub fn generation(&self) -> u64 {
        self.floor().plant.generation
    }

    /// Says whether a target exists.
    pub fn has_target(&self, target: &TagName) -> bool {
        self.floor().plant.targets.contains_key(target)
    }

    /// Returns the modules that were imported, by NVR.
    pub fn imports(&self) -> Vec<FinishedModule> {
        self.floor().plant.imports.values().cloned().collect()
    }

    /// Returns the moment of the last change.
    pub fn last_event(&self) -> TagEvent {
        TagEvent(self.floor().plant.last_event)
    }

    /// Takes what a message bus would have said since this was last asked, without doubles.
    pub fn take_hints(&self) -> Vec<Hint> {
        std::mem::take(&mut self.floor().plant.news).into_iter().collect()
    }
}
