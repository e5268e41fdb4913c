//! Tasks from their begin to their end, and the builds and repositories they make.

use super::plant::{Built, Pace, Plant, Recipe, Task, TaskKind, TaskWork};
use super::{conflict, missing, rejected};
use crate::build_system::{BuildSystemError, ComponentJob, RepoSeen, TaskFailure, TaskState};
use crate::bus::Hint;
use crate::ident::{Arch, Nevra, Nvr, Package, RepoId, TagEvent, TagName, TaskId};
use crate::model::ComponentSource;

/// The version of module-build-macros.
const MACROS_VERSION: &str = "0.1";

impl Plant {
    /// Begins to build a component. Its package joins the lists of both tags, as an adapter sees to.
    pub(super) fn submit(&mut self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        let target = self.targets.get(&job.target).ok_or_else(|| missing("target", &job.target))?;
        let (build_tag, tag) = (target.build_tag.clone(), target.tag.clone());
        if let Some(meant) = job.build_tag.as_ref().filter(|meant| **meant != build_tag) {
            return Err(conflict(format!(
                "the target {} builds from {build_tag}, not from {meant}",
                job.target
            )));
        }
        let nvr = self.check_job(job)?;
        for name in [&build_tag, &tag] {
            self.tag_mut(name)?.view.packages.insert(job.package.clone());
        }
        let arches = self.arches_of(job, &build_tag)?;
        let work = TaskWork::Build {
            package: job.package.clone(),
            target: job.target.clone(),
            dist: job.dist.clone(),
            arches,
            nvr,
        };
        Ok(self.begin(work))
    }

    /// Checks that a component may be begun, and returns the NVR it will have.
    fn check_job(&self, job: &ComponentJob) -> Result<Nvr, BuildSystemError> {
        let package = &job.package;
        if (job.source == ComponentSource::Macros) != job.macros.is_some() {
            return Err(rejected(format!(
                "{package} must come with its spec if it is the macros, else without"
            )));
        }
        if !job.dist.is_empty() && !job.dist.starts_with('.') {
            return Err(rejected(format!("the dist tag {:?} of {package} lacks its dot", job.dist)));
        }
        let is_twin = |task: &Task| task.builds(package, &job.target, &job.dist);
        if !self.permits_twins && self.live_in(&job.target).any(|(_, task)| is_twin(task)) {
            return Err(conflict(format!("a live task builds {package} for {} already", job.target)));
        }
        let recipe = self.recipe(package);
        let version = if job.macros.is_some() { MACROS_VERSION.to_owned() } else { recipe.version };
        let nvr = Nvr::of(package.as_str(), &version, &format!("1{}", job.dist));
        if !self.permits_twins {
            self.check_new(&nvr)?;
        }
        Ok(nvr)
    }

    fn arches_of(&self, job: &ComponentJob, build_tag: &TagName) -> Result<Vec<Arch>, BuildSystemError> {
        if job.macros.is_some() {
            return Ok(vec![arch("noarch")]);
        }
        if !job.arch_override.is_empty() {
            return Ok(job.arch_override.clone());
        }
        Ok(self.tag_of(build_tag)?.view.arches.clone())
    }

    /// Begins a repository that shows its tag as it is at this moment.
    pub(super) fn request_repo(&mut self, tag: &TagName) -> Result<TaskId, BuildSystemError> {
        if self.tag_of(tag)?.view.arches.is_empty() {
            return Err(rejected(format!("the tag {tag} has no architectures to make a repository for")));
        }
        let event = self.next_event();
        Ok(self.begin(TaskWork::Repo { tag: tag.clone(), event }))
    }

    fn begin(&mut self, work: TaskWork) -> TaskId {
        self.generation += 1;
        self.last_task += 1;
        let id = TaskId(self.last_task);
        let pace = self.pace(work.kind());
        self.live.insert((work.place().clone(), id));
        let task = Task { state: TaskState::Open, work, built: None, failure: None, begun_at: self.observes };
        self.tasks.insert(id, task);
        if pace == Pace::AtOnce {
            self.finish_or_fail(id);
        }
        id
    }

    /// Ends a task well. A build gets the NVR it was begun with, unless another is given.
    pub(super) fn finish(&mut self, id: TaskId, other: Option<Nvr>) -> Result<(), BuildSystemError> {
        let task = self.live_task(id)?;
        match &task.work {
            TaskWork::Build { nvr, arches, .. } => {
                let (nvr, arches) = (other.unwrap_or_else(|| nvr.clone()), arches.clone());
                self.check_new(&nvr)?;
                self.complete_build(nvr.clone(), Some(id), &arches);
                self.end(id, TaskState::Closed, |task| task.built = Some(nvr))
            }
            TaskWork::Repo { tag, event } => {
                let (tag, event) = (tag.clone(), *event);
                self.complete_repo(&tag, event)?;
                self.end(id, TaskState::Closed, |_| {})
            }
        }
    }

    /// Ends a task well, or badly if what it makes cannot be.
    fn finish_or_fail(&mut self, id: TaskId) {
        if let Err(error) = self.finish(id, None) {
            let failure = TaskFailure { reason: error.to_string(), is_package_fault: false };
            self.fail(id, failure).expect("the task lives, or finishing it had not been tried");
        }
    }

    pub(super) fn fail(&mut self, id: TaskId, failure: TaskFailure) -> Result<(), BuildSystemError> {
        self.live_task(id)?;
        self.end(id, TaskState::Failed, |task| task.failure = Some(failure))
    }

    /// Cancels a task; one that ended is left alone.
    pub(super) fn cancel(&mut self, id: TaskId) -> Result<(), BuildSystemError> {
        if self.task_mut(id)?.state.is_live() {
            self.end(id, TaskState::Canceled, |_| {})?;
        }
        Ok(())
    }

    /// Counts an observe and ends the live tasks whose pace says so, oldest first.
    pub(super) fn pass_an_observe(&mut self) {
        self.observes += 1;
        let mut over = Vec::new();
        for kind in [TaskKind::Build, TaskKind::Repo] {
            let Pace::AfterObserves(n) = self.pace(kind) else { continue };
            let is_over =
                |task: &Task| task.work.kind() == kind && self.observes - task.begun_at >= u64::from(n);
            let live = self.live.iter().filter_map(|(_, id)| Some((*id, self.tasks.get(id)?)));
            over.extend(live.filter(|(_, task)| is_over(task)).map(|(id, _)| id));
        }
        over.sort_unstable();
        over.into_iter().for_each(|id| self.finish_or_fail(id));
    }

    /// Records a complete build with the RPMs of its recipe.
    pub(super) fn complete_build(&mut self, nvr: Nvr, task: Option<TaskId>, arches: &[Arch]) {
        let package = Package::new(nvr.name());
        let recipe = package.map(|package| self.recipe(&package));
        let rpms = recipe.map(|recipe| rpms_of(&nvr, &recipe, arches)).unwrap_or_default();
        let made = self.next_event();
        self.builds.insert(nvr, Built { task, rpms, made });
    }

    pub(super) fn check_new(&self, nvr: &Nvr) -> Result<(), BuildSystemError> {
        if self.builds.contains_key(nvr) {
            return Err(conflict(format!("the build {nvr} exists already")));
        }
        Ok(())
    }

    /// Records a repository; one of an older moment than the newest changes nothing.
    fn complete_repo(&mut self, tag: &TagName, event: TagEvent) -> Result<(), BuildSystemError> {
        self.last_repo += 1;
        let id = RepoId(self.last_repo);
        let repo = &mut self.tag_mut(tag)?.repo;
        if repo.is_none_or(|newest| newest.event < event) {
            *repo = Some(RepoSeen { id, event });
        }
        self.news.insert(Hint::Tag(tag.clone()));
        Ok(())
    }

    fn live_task(&self, id: TaskId) -> Result<&Task, BuildSystemError> {
        let task = self.tasks.get(&id).ok_or_else(|| missing("task", &id))?;
        if task.state.is_live() { Ok(task) } else { Err(rejected(format!("the task {id} ended already"))) }
    }

    fn end(
        &mut self,
        id: TaskId,
        state: TaskState,
        result: impl FnOnce(&mut Task),
    ) -> Result<(), BuildSystemError> {
        let task = self.task_mut(id)?;
        task.state = state;
        result(task);
        let live = (task.work.place().clone(), id);
        self.live.remove(&live);
        self.generation += 1;
        self.news.insert(Hint::Task(id));
        Ok(())
    }
}

fn arch(name: &str) -> Arch {
    Arch::new(name).expect("the built-in architectures are valid")
}

/// Returns the source RPM of a build, and each of its RPMs for each architecture.
fn rpms_of(nvr: &Nvr, recipe: &Recipe, arches: &[Arch]) -> Vec<Nevra> {
    let rpm = |name: &str, arch: Arch| Nevra {
        name: name.to_owned(),
        epoch: 0,
        version: nvr.version().to_owned(),
        release: nvr.release().to_owned(),
        arch,
    };
    let mut rpms = vec![rpm(nvr.name(), arch("src"))];
    for name in &recipe.rpm_names {
        rpms.extend(arches.iter().map(|arch| rpm(name, arch.clone())));
    }
    rpms
}
