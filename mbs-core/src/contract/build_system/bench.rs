//! What the promises of a build system are tried with: its calls in few words, and what is read back.

use super::BuildSystemGround;
use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildrootSpec, Found, RepoSeen, Search, TagRequest,
    TaggedBuild, TaskSeen,
};
use crate::contract::promise::{Verdict, equal, there};
use crate::contract::samples::id;
use crate::ident::{Nvr, TagEvent, TagName, TaskId};

/// A build system, its ground, and the module's buildroot.
pub(super) struct Bench<'a> {
    pub(super) ground: &'a dyn BuildSystemGround,
    pub(super) system: &'a dyn BuildSystem,
    pub(super) spec: BuildrootSpec,
}

/// A package that was built.
pub(super) struct Built {
    pub(super) task: TaskId,
    pub(super) nvr: Nvr,
}

impl<'a> Bench<'a> {
    pub(super) fn on(ground: &'a dyn BuildSystemGround) -> Self {
        Self { ground, system: ground.build_system(), spec: ground.buildroot() }
    }

    pub(super) async fn observe(&self, questions: BuildQuestions) -> Verdict<BuildAnswers> {
        Ok(self.system.observe(&questions).await?)
    }

    pub(super) async fn ensure(&self) -> Verdict<TagEvent> {
        Ok(self.system.ensure_buildroot(&self.spec).await?)
    }

    pub(super) async fn submit(&self, package: &str) -> Verdict<TaskId> {
        Ok(self.system.submit(&self.ground.job(&id(package))).await?)
    }

    /// Makes the buildroot and a build of a package.
    pub(super) async fn built(&self, package: &str) -> Verdict<Built> {
        self.ensure().await?;
        let task = match self.ground.built(&id(package)).await {
            Some(task) => task,
            None => {
                let task = self.submit(package).await?;
                self.ground.end(task).await;
                task
            }
        };
        let builds = there("finished task", self.task(task).await?)?.builds;
        equal("the number of builds of a task that ended well", builds.len(), 1)?;
        Ok(Built { task, nvr: builds[0].clone() })
    }

    /// Observes a task; `None` if it is unknown.
    pub(super) async fn task(&self, task: TaskId) -> Verdict<Option<TaskSeen>> {
        let answers = self.observe(BuildQuestions { tasks: [task].into(), ..Default::default() }).await?;
        there("answer about the task", answers.tasks.and_then(|mut tasks| tasks.remove(&task)))
    }

    /// Observes the builds in a tag; `None` if it is unknown.
    pub(super) async fn builds_in(&self, tag: &TagName) -> Verdict<Option<Vec<TaggedBuild>>> {
        let questions = BuildQuestions { tags: [tag.clone()].into(), ..Default::default() };
        let answers = self.observe(questions).await?;
        there("answer about the tag", answers.tags.and_then(|mut tags| tags.remove(tag)))
    }

    /// Returns the NVRs in a tag that must be known.
    pub(super) async fn nvrs_in(&self, tag: &TagName) -> Verdict<Vec<Nvr>> {
        let builds = there("tag of the buildroot", self.builds_in(tag).await?)?;
        Ok(builds.into_iter().map(|build| build.nvr).collect())
    }

    pub(super) async fn repo(&self) -> Verdict<Option<RepoSeen>> {
        let tag = Some(self.spec.build_tag.clone());
        let answers = self.observe(BuildQuestions { repo_of: tag, ..Default::default() }).await?;
        there("answer about the repository", answers.repo)
    }

    /// Asks for a repository of the build tag, and returns its event when it is there.
    pub(super) async fn new_repo(&self) -> Verdict<TagEvent> {
        let tag = &self.spec.build_tag;
        let task = self.system.request_repo(tag).await?;
        self.ground.end_repo(tag, task).await;
        Ok(there("repository after one was asked for", self.repo().await?)?.event)
    }

    pub(super) fn request(&self, tag: &TagName, nvr: &Nvr) -> TagRequest {
        TagRequest { tag: tag.clone(), package: id(nvr.name()), nvr: nvr.clone() }
    }

    pub(super) async fn tag(&self, tag: &TagName, nvr: &Nvr) -> Verdict {
        Ok(self.system.ensure_tagged(&[self.request(tag, nvr)]).await?)
    }

    /// Searches for a package in the module's own target and its two tags.
    pub(super) async fn search(&self, package: &str) -> Verdict<Found> {
        self.search_in(package, &self.spec.target).await
    }

    pub(super) async fn search_in(&self, package: &str, target: &TagName) -> Verdict<Found> {
        let search = Search {
            packages: [(id(package), target.clone())].into(),
            module_target: self.spec.target.clone(),
            tags: vec![self.spec.build_tag.clone(), self.spec.tag.clone()],
            dist_suffix: self.ground.job(&id(package)).dist,
        };
        let answers = self.observe(BuildQuestions { search: Some(search), ..Default::default() }).await?;
        there("answer to the search", answers.search)
    }

    /// Returns a name like the module's tag, of which nothing exists.
    pub(super) fn unknown(&self) -> TagName {
        id(&format!("{}-unknown", self.spec.tag))
    }
}
