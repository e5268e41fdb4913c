//! Koji as a build system: the trait of the core in terms of Koji's nouns.
//!
//! What is to be asked, what answers mean and what has to be done about them is decided in `look`, `buildroot` and
//! `tagging`, without a hub; here it is sent. Every ensure looks first, and does what lacks in one request, which the hub
//! carries out whole. Reads need no session, so looks never wait for each other; writes share a few.
//!
//! | call | requests |
//! | --- | --- |
//! | `observe` in `build` | 1; one more for untagged builds that are adopted |
//! | `observe` in `init` | 1; two more where earlier builds tell weights |
//! | `ensure_buildroot` | 1, and 1 if anything differs |
//! | `submit_all` | 1 for all; the macros 3 more |
//! | `ensure_tagged` | 1, and 1 if anything lacks |
//! | `request_repo` | 2 |
//! | `ensure_untagged`, `cancel`, `remove_target` | 1 |
//!
//! Source: behaviour, sections 6, 7 and 9.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, Effect,
    FinishedModule, TagRequest,
};
use mbs_core::ident::{Arch, TagEvent, TagName, TaskId};
use mbs_core::model::ModuleBuild;
use mbs_core::modulemd::ModuleStream;
use mbs_core::source_control::SourceControl;

use crate::api::{repo, rpm, tag, task};
use crate::content_generator;
use crate::hub::Hub;
use crate::repodata::Repodata;
use crate::xmlrpc::{Struct, Value};

mod buildroot;
mod calls;
mod import;
mod look;
mod refusal;
mod submission;
mod tagging;

use calls::{Answers, Calls};
use look::{External, Look, Repositories, Viewer};

/// What an installation decides about Koji.
#[derive(Debug, Clone)]
pub struct KojiSettings {
    /// Permission that our tags need; it must exist.
    pub tag_permission: String,
    /// Extra settings of our tags.
    pub tag_extra: Struct,
    /// Added to Koji's own priority of builds; larger is later.
    pub build_priority: i64,
    /// How many architectures components are built for, for guesses of their weights.
    pub arches: usize,
    /// What imports say of this installation.
    pub import: content_generator::Settings,
    /// Whether the twin of a module, with what it leaves out, is imported, too.
    pub imports_devel_twin: bool,
    /// Where imported builds go if Koji has not the tag that the record names.
    pub import_tag: TagName,
}

impl KojiSettings {
    /// Makes the usual settings of an installation.
    pub fn new(import: content_generator::Settings) -> Self {
        let tag_extra = Struct::from([
            ("mock.package_manager", Value::from("dnf")),
            ("repo_include_all", true.into()),
            ("mock.new_chroot", 0.into()),
            ("mock.yum.module_hotfixes", 1.into()),
        ]);
        Self {
            tag_permission: "admin".to_owned(),
            tag_extra,
            build_priority: 10,
            arches: 1,
            import,
            imports_devel_twin: true,
            import_tag: TagName::new("modular-updates-candidate").expect("it is the name of a tag"),
        }
    }
}

/// Builds packages on Koji.
pub struct KojiBuildSystem {
    hub: Hub,
    repodata: Repodata,
    sources: Arc<dyn SourceControl>,
    settings: KojiSettings,
}

impl KojiBuildSystem {
    /// Makes a build system of a hub. The hub's user needs the permissions `tag`, `target`, `build` and `repo`, and that of
    /// [`KojiSettings::tag_permission`].
    ///
    /// `hub` should be made of a profile [`without_retries`](crate::profile::Profile::without_retries): the engine tries again by
    /// itself, and people see why. `sources` has the documents of modules, one of which goes into each import.
    pub fn new(
        hub: Hub,
        repodata: Repodata,
        sources: Arc<dyn SourceControl>,
        settings: KojiSettings,
    ) -> Self {
        Self { hub, repodata, sources, settings }
    }

    /// Returns the hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Asks all in one request, without a session.
    async fn read(&self, calls: &Calls, doing: &str) -> Result<Answers, BuildSystemError> {
        let answers = self.hub.read_all(calls.as_slice()).await;
        Answers::to(calls, answers.map_err(|error| refusal::of_request(error, doing))?)
    }

    /// Tells all in one request, in a session.
    async fn write(&self, calls: &Calls, doing: &str) -> Result<Answers, BuildSystemError> {
        let answers = self.hub.write_all(calls.as_slice()).await;
        Answers::to(calls, answers.map_err(|error| refusal::of_request(error, doing))?)
    }

    /// Returns Koji's id of our user and its name.
    async fn user(&self) -> Result<crate::hub::User, BuildSystemError> {
        self.hub.user().await.map_err(|error| refusal::of_request(error, "who we are"))
    }

    /// Reads the external repositories that tags reach, each once.
    async fn repositories(
        &self,
        external: &External,
        arches: &BTreeSet<Arch>,
    ) -> Result<Repositories, BuildSystemError> {
        let places = external.values().flatten().flat_map(|repo| look::places(repo, arches));
        let mut repositories = Repositories::new();
        for place in places.collect::<BTreeSet<_>>() {
            let rpms = self.repodata.rpms(&place).await.map_err(|error| refusal::of_repository(&error))?;
            repositories.insert(place, rpms);
        }
        Ok(repositories)
    }

    /// Puts finished builds into tags, those that are not there.
    async fn put_into_tags(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        let mut calls = Calls::default();
        let question = tagging::Question::ask(requests, &mut calls);
        if calls.is_empty() {
            return Ok(());
        }
        let standing = question.read(&self.read(&calls, "which builds are tagged").await?)?;
        let mut calls = Calls::default();
        let asked = tagging::tag_all(&standing.missing, &mut calls);
        if !calls.is_empty() {
            tagging::check_tagged(&asked, &self.write(&calls, "to tag builds").await?)?;
        }
        match standing.gone.is_empty() {
            true => Ok(()),
            false => Err(BuildSystemError::BuildsGone { builds: standing.gone.into_iter().collect() }),
        }
    }

    /// Says whether the hub makes repositories on demand: hubs tell their version since they do.
    fn has_requests(&self) -> bool {
        self.hub.version().is_some()
    }

    fn web(&self) -> Option<&str> {
        self.hub.web_url().map(|web| web.trim_end_matches('/'))
    }
}

#[async_trait]
impl BuildSystem for KojiBuildSystem {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        let user = match look::needs_user(questions) {
            true => Some(self.user().await?.id),
            false => None,
        };
        let viewer =
            Viewer { user, web: self.web(), arches: self.settings.arches, has_requests: self.has_requests() };
        let mut look = Look::new(questions, viewer);
        loop {
            let calls = look.ask();
            if calls.is_empty() {
                break;
            }
            look.take(&self.read(&calls, "how things stand").await?)?;
        }
        let repositories = self.repositories(look.external(), &questions.arches).await?;
        Ok(look.finish(&repositories))
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        let mut calls = Calls::default();
        let question = buildroot::Question::ask(spec, &mut calls);
        let doing = &format!("how the tag {} stands", spec.tag);
        let standing = question.read(&self.read(&calls, doing).await?)?;
        let stand_in = match standing.knows_owner {
            true => String::new(),
            false => self.user().await?.name,
        };
        let changes = buildroot::differences(spec, &standing, &self.settings, &stand_in)?;
        if changes.is_empty() {
            return Ok(standing.event);
        }
        let mut calls = Calls::default();
        let asked = buildroot::calls_of(&changes, &mut calls);
        let event = calls.add(repo::last_event());
        let answers = self.write(&calls, &format!("to make the buildroot of {}", spec.tag)).await?;
        buildroot::check(&asked, &answers)?;
        answers.read(event, "to show its last event", repo::read_event)
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        let answers = self.submit_all(std::slice::from_ref(job)).await;
        answers.into_iter().next().expect("each job has an answer")
    }

    async fn submit_all(&self, jobs: &[ComponentJob]) -> Vec<Result<TaskId, BuildSystemError>> {
        self.build(jobs).await
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.put_into_tags(requests).await
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        let mut calls = Calls::default();
        let asked = tagging::Untagging::ask(requests, &mut calls);
        if calls.is_empty() {
            return Ok(());
        }
        asked.check(&self.write(&calls, "to untag builds").await?)
    }

    /// A repository that shows the hub's last event is asked for, for that is what was promised of buildroots.
    async fn request_repo(&self, name: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        let doing = &format!("to make a repository of the tag {name}");
        let mut calls = Calls::default();
        let (known, event) = (calls.add(tag::tag(name)), calls.add(repo::last_event()));
        let answers = self.read(&calls, doing).await?;
        if answers.read(known, doing, tag::read)?.is_none() {
            return Err(BuildSystemError::NotFound { what: format!("the tag {name}") });
        }
        let event = answers.read(event, doing, repo::read_event)?;
        let is_on_demand = self.has_requests();
        let call = if is_on_demand { repo::request(name, event) } else { repo::make(name) };
        let answer = self.hub.write(&call).await.map_err(|error| refusal::of_request(error, doing))?;
        let task = match is_on_demand {
            true => repo::read_request(&answer),
            false => task::read_id("newRepo", &answer).map(Some),
        };
        task.map_err(|odd| refusal::of_odd(&odd))
    }

    /// Whether they ended is seen in the same request.
    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        if tasks.is_empty() {
            return Ok(());
        }
        let mut calls = Calls::default();
        let each: Vec<_> = tasks.iter().map(|id| (*id, calls.add(task::cancel(*id)))).collect();
        let seen = calls.add(task::tasks(tasks.iter().copied()));
        let answers = self.write(&calls, "to cancel tasks").await?;
        let seen = answers.read(seen, "to show tasks", task::read_tasks)?;
        let Some(task) = seen.into_iter().flatten().find(|task| task.state.is_live()) else { return Ok(()) };
        let refused = each.iter().find(|(id, _)| *id == task.id);
        if let Some(Err(fault)) = refused.map(|(_, ticket)| answers.of(*ticket)) {
            return Err(refusal::of_fault(fault, format_args!("to cancel task {}", task.id)));
        }
        let reason = format!("task {} still lives after it was cancelled", task.id);
        Err(BuildSystemError::Unavailable { reason, retry_after: None, effect: Effect::Unknown })
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.import(module).await
    }

    /// The hub refuses to remove a target that never was; so it says in the same request whether there is one.
    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        let doing = &format!("to remove the target {target}");
        let mut calls = Calls::default();
        let (known, removed) = (calls.add(tag::target(target)), calls.add(tag::delete_target(target)));
        let answers = self.write(&calls, doing).await?;
        if answers.read(known, doing, tag::read_target)?.is_none() {
            return Ok(());
        }
        answers.read(removed, doing, |_| Ok(()))
    }

    async fn final_documents(
        &self,
        build: &ModuleBuild,
    ) -> Result<BTreeMap<Arch, ModuleStream>, BuildSystemError> {
        self.documents(build).await
    }

    async fn tags_of_rpm(&self, file_name: &str) -> Result<Vec<TagName>, BuildSystemError> {
        let doing = &format!("which tags hold {file_name}");
        let read = |call| async move {
            self.hub.read(&call).await.map_err(|error| refusal::of_request(error, doing))
        };
        let rpm = read(rpm::rpm(file_name)).await?;
        let build = rpm::read_build(&rpm).map_err(|odd| refusal::of_odd(&odd))?;
        let Some(build) = build else { return Ok(Vec::new()) };
        let tags = read(tag::holding(build)).await?;
        tag::read_names(&tags).map_err(|odd| refusal::of_odd(&odd))
    }
}

impl fmt::Debug for KojiBuildSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KojiBuildSystem").field("settings", &self.settings).finish_non_exhaustive()
    }
}
