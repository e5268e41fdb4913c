//! A scripted build system and the engine's loop without its traits, so that whole histories can be told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::{Action, ActionKey, AskingTrouble, Observation, ObservationQuery, Outcome, missing, plan};
use super::init_sources::commit_of;
use super::named;
use super::samples::module;
use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystemError, ComponentJob, Effect, Found, FoundBuild, RepoSeen,
    Search, TagRequest, TaggedBuild, TaskFailure, TaskSeen, TaskState,
};
use crate::ident::{Nvr, Package, RepoId, TagEvent, TagName, TaskId};
use crate::model::{ComponentBuild, ModuleBuild, Ordering, State};
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::shared::Shared;
use crate::store::Slots;

/// More plans than this in one look would be a plan that never comes to rest.
const MOST_PLANS: usize = 40;

/// A task of the scripted build system.
pub(super) struct Task {
    pub(super) package: Option<Package>,
    pub(super) state: TaskState,
    nvr: Option<Nvr>,
    is_package_fault: bool,
    tag: TagName,
}

/// How the next submission goes wrong: nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubmitFault {
    /// It never arrived.
    NotTaken,
    /// It was taken all the same.
    Taken,
}

/// Pretends to be a build system. Tags are filled when the script says so.
#[derive(Default)]
pub(super) struct Hub {
    pub(super) tags: BTreeMap<TagName, Vec<TaggedBuild>>,
    pub(super) repos: BTreeMap<TagName, RepoSeen>,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    pub(super) asked_tags: Vec<TagRequest>,
    pub(super) event: i64,
    pub(super) last_task: i64,
    pub(super) is_down: bool,
    pub(super) submit_fault: Option<SubmitFault>,
    pub(super) imports: u32,
}

fn no_answer() -> BuildSystemError {
    BuildSystemError::Unavailable { reason: "no answer".into(), retry_after: None, effect: Effect::Unknown }
}

impl Hub {
    fn begin(&mut self, package: Option<Package>, nvr: Option<Nvr>, tag: TagName) -> TaskId {
        self.last_task += 1;
        let id = TaskId(self.last_task);
        self.tasks.insert(id, Task { package, state: TaskState::Open, nvr, is_package_fault: false, tag });
        id
    }

    /// Ends a task well; a repository shows the tag as of now.
    pub(super) fn close(&mut self, task: i64) {
        let task = self.tasks.get_mut(&TaskId(task)).unwrap();
        task.state = TaskState::Closed;
        if task.package.is_none() {
            let repo = RepoSeen { id: RepoId(self.event), event: TagEvent(self.event) };
            self.repos.insert(task.tag.clone(), repo);
        }
    }

    /// Ends a task badly.
    pub(super) fn end(&mut self, task: i64, state: TaskState, is_package_fault: bool) {
        let task = self.tasks.get_mut(&TaskId(task)).unwrap();
        (task.state, task.is_package_fault) = (state, is_package_fault);
    }

    /// Carries out what was asked to be tagged, one event each.
    pub(super) fn tag_now(&mut self) {
        for TagRequest { tag, package, nvr } in std::mem::take(&mut self.asked_tags) {
            let Some(builds) = self.tags.get_mut(&tag) else { continue };
            if !builds.iter().any(|build| build.nvr == nvr) {
                self.event += 1;
                builds.push(TaggedBuild { package, nvr, task: None, event: TagEvent(self.event) });
            }
        }
    }

    pub(super) fn live(&self) -> impl Iterator<Item = (TaskId, Option<&Package>)> {
        let live = self.tasks.iter().filter(|(_, task)| task.state.is_live());
        live.map(|(id, task)| (*id, task.package.as_ref()))
    }

    fn observe(&self, asked: &BuildQuestions) -> BuildAnswers {
        let seen = |task: &Task| TaskSeen {
            state: task.state,
            builds: task.nvr.iter().filter(|_| task.state == TaskState::Closed).cloned().collect(),
        };
        let failure = |task: &TaskId| TaskFailure {
            reason: format!("task {task} failed"),
            is_package_fault: self.tasks[task].is_package_fault,
        };
        BuildAnswers {
            tasks: per(&asked.tasks, |task| self.tasks.get(task).map(seen)),
            tags: per(&asked.tags, |tag| self.tags.get(tag).cloned()),
            repo: asked.repo_of.as_ref().map(|tag| self.repos.get(tag).copied()),
            repo_tries: None,
            search: asked.search.as_ref().map(|search| self.search(search)),
            failures: per(&asked.failures, failure),
            rpms_of_builds: per(&asked.rpms_of_builds, |_| Vec::new()),
            tag_arches: per(&asked.tag_arches, |_| None),
            tag_rpms: per(&asked.tag_rpms, |_| Vec::new()),
            weights: per(&asked.weights, |_| crate::ident::Weight::UNKNOWN),
        }
    }

    fn search(&self, search: &Search) -> Found {
        let wanted = |package: &Package| search.packages.contains_key(package);
        let live = self.live().filter_map(|(task, package)| Some((package?.clone(), task)));
        let mut found =
            Found { live: live.filter(|(package, _)| wanted(package)).collect(), ..Found::default() };
        for tag in &search.tags {
            let builds = self.tags.get(tag).into_iter().flatten().filter(|build| wanted(&build.package));
            found.builds.extend(builds.map(|TaggedBuild { package, nvr, task, .. }| FoundBuild {
                package: package.clone(),
                nvr: nvr.clone(),
                task: *task,
                tag: Some(tag.clone()),
            }));
        }
        for (id, task) in self.tasks.iter().filter(|(_, task)| task.state == TaskState::Closed) {
            let (Some(package), Some(nvr)) = (&task.package, &task.nvr) else { continue };
            if wanted(package) && !found.builds.iter().any(|build| build.nvr == *nvr) {
                let (package, nvr, task) = (package.clone(), nvr.clone(), Some(*id));
                found.builds.push(FoundBuild { package, nvr, task, tag: None });
            }
        }
        found
    }

    fn submit(&mut self, job: &ComponentJob) -> Result<Outcome, BuildSystemError> {
        let fault = self.submit_fault.take();
        if fault == Some(SubmitFault::NotTaken) {
            return Err(no_answer());
        }
        let twin = self.live().find(|(_, package)| *package == Some(&job.package)).map(|(id, _)| id);
        assert_eq!(twin, None, "{} is submitted while a task of it lives", job.package);
        let nvr = Nvr::of(job.package.as_str(), "1", &format!("1{}", job.dist));
        let task = self.begin(Some(job.package.clone()), Some(nvr), job.build_tag.clone().unwrap());
        if fault.is_some() { Err(no_answer()) } else { Ok(Outcome::Submitted(task)) }
    }

    pub(super) fn act(&mut self, action: &Action) -> Result<Outcome, BuildSystemError> {
        if self.is_down {
            return Err(no_answer());
        }
        match action {
            Action::EnsureBuildroot(spec, _) => {
                self.tags.entry(spec.tag.clone()).or_default();
                self.tags.entry(spec.build_tag.clone()).or_default();
                self.event += 1;
                return Ok(Outcome::BuildrootHolds(TagEvent(self.event)));
            }
            Action::RequestRepo(tag) => {
                return Ok(Outcome::RepoRequested(Some(self.begin(None, None, tag.clone()))));
            }
            Action::Tag(requests) => self.asked_tags.extend(requests.iter().cloned()),
            Action::Submit { job, .. } => return self.submit(job),
            Action::Cancel(tasks) => tasks.iter().for_each(|task| {
                let task = self.tasks.get_mut(task).unwrap();
                task.state = if task.state.is_live() { TaskState::Canceled } else { task.state };
            }),
            Action::Import => self.imports += 1,
            Action::Untag(requests) => requests.iter().for_each(|request| {
                self.tags.entry(request.tag.clone()).or_default().retain(|build| build.nvr != request.nvr);
            }),
            Action::RemoveTarget(_) => {}
        }
        Ok(Outcome::Done)
    }
}

fn per<K: Ord + Clone, V>(asked: &BTreeSet<K>, answer: impl Fn(&K) -> V) -> Option<BTreeMap<K, V>> {
    (!asked.is_empty()).then(|| asked.iter().map(|key| (key.clone(), answer(key))).collect())
}

/// One module build, its build system, and the slots it shares with others.
pub(super) struct Tale {
    pub(super) build: ModuleBuild,
    pub(super) hub: Hub,
    pub(super) policy: Policy,
    pub(super) limit: Option<u32>,
    /// Slots that other builds hold.
    pub(super) others: u32,
    /// So many they hold by the time of the next save.
    pub(super) rush: Option<u32>,
    /// The process dies instead of sending another submission than these.
    pub(super) submissions_before_death: Option<usize>,
    /// Every change of state, in order.
    pub(super) states: Vec<State>,
}

/// How a look went.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    /// Per plan that changed or did something: its actions.
    pub(super) rows: Vec<Vec<String>>,
    /// Why it sleeps.
    pub(super) why: String,
    pub(super) wake_at: Option<Timestamp>,
}

impl Tale {
    pub(super) fn new(build: ModuleBuild, limit: Option<u32>) -> Self {
        Tale {
            build,
            hub: Hub::default(),
            policy: Policy::default(),
            limit,
            others: 0,
            rush: None,
            submissions_before_death: None,
            states: Vec::new(),
        }
    }

    fn slots(&self) -> Slots {
        let in_use = self.others + self.build.slots_held();
        let place =
            self.build.line.map(|line| crate::share::place_in_line(&self.build, line, self.policy.tau));
        Slots { limit: self.limit, in_use, head: place.into_iter().collect(), ..Slots::default() }
    }

    /// One look of the engine.
    pub(super) fn look(&mut self, now: Timestamp) -> Told {
        let mut rows = Vec::new();
        let mut seen = Observation { slots: self.slots(), ..Observation::default() };
        for _ in 0..MOST_PLANS {
            self.ask(&mut seen, now);
            let plan_now = || plan(&self.build, &seen, &self.policy, now).unwrap();
            let planned = plan_now();
            assert_eq!(planned, plan_now());
            let is_changed = planned.build != self.build;
            if !is_changed && planned.actions.is_empty() {
                return Told { rows, why: planned.why.to_string(), wake_at: planned.wake_at };
            }
            if is_changed && !self.save(planned.build) {
                rows.push(vec!["no slot".into()]);
                seen.slots = self.slots();
                continue;
            }
            seen.slots = self.slots();
            rows.push(planned.actions.iter().flat_map(named).collect());
            // As the engine does: an outcome counts once.
            seen.outcomes.clear();
            for action in &planned.actions {
                let Some((key, outcome)) = self.perform(action) else {
                    return Told { rows, why: "died".into(), wake_at: None };
                };
                seen.note_outcome(key, outcome);
            }
            if self.submissions_before_death == Some(0) {
                self.submissions_before_death = None;
                return Told { rows, why: "died".into(), wake_at: None };
            }
        }
        panic!("the plan does not come to rest: {rows:?}");
    }

    fn save(&mut self, mut build: ModuleBuild) -> bool {
        self.others = self.rush.take().unwrap_or(self.others);
        let held = build.slots_held();
        let is_above = self.limit.is_some_and(|limit| self.others + held > limit);
        if is_above && held > self.build.slots_held() {
            return false;
        }
        for change in build.life.take_unsaved() {
            assert_eq!(change.from, Some(self.states.last().copied().unwrap_or(State::Init)));
            self.states.push(change.to);
        }
        self.build = build;
        true
    }

    /// `None`: the process died.
    fn perform(&mut self, action: &Action) -> Option<(ActionKey, Result<Outcome, BuildSystemError>)> {
        if matches!(action, Action::Submit { .. })
            && let Some(left) = &mut self.submissions_before_death
        {
            if *left == 0 {
                self.submissions_before_death = None;
                return None;
            }
            *left -= 1;
        }
        if let Action::Submit { job, .. } = action {
            self.check_order(&job.package);
        }
        Some((action.key(), self.hub.act(action)))
    }

    /// What is submitted finds all that it comes after in the repository.
    fn check_order(&self, package: &Package) {
        let component = self.build.component(package.as_str()).unwrap();
        let build_tag = self.build.build_tag().unwrap();
        let shown = self.hub.repos.get(&build_tag).map(|repo| repo.event);
        let is_before = |other: &&Shared<ComponentBuild>| match self.build.ordering {
            Ordering::Graph if other.batch.0 > 1 => component.after.contains(&other.package),
            Ordering::Graph | Ordering::Batches => other.batch < component.batch,
        };
        for before in self.build.components.iter().filter(is_before) {
            let tagged = self.hub.tags[&build_tag].iter().find(|build| build.package == before.package);
            assert!(
                tagged.is_some_and(|build| Some(build.event) <= shown),
                "{package} is submitted while {} is in no repository",
                before.package
            );
        }
    }

    fn ask(&self, seen: &mut Observation, now: Timestamp) {
        for _ in 0..8 {
            let query = missing(&self.build, seen, &self.policy);
            if query.is_empty() {
                return;
            }
            self.answer(query, seen, now);
        }
        panic!("the questions do not end");
    }

    fn answer(&self, query: ObservationQuery, seen: &mut Observation, now: Timestamp) {
        if self.hub.is_down && !query.build.is_empty() {
            seen.troubles.push(AskingTrouble {
                what: no_answer().to_string(),
                is_final: false,
                retry_after: None,
            });
        } else {
            seen.note_asked(&query.build, now);
            seen.build.absorb(self.hub.observe(&query.build));
        }
        let known = |nsvc: crate::ident::Nsvc| {
            let base: KnownModule = module(&nsvc.to_string(), Some("f28-build"), &[]);
            (nsvc, Some(base))
        };
        seen.modules.extend(query.modules.builds.into_iter().map(known));
        let refs = query.sources.refs.into_iter();
        seen.refs.extend(refs.map(|question| (question.clone(), Ok(commit_of(&question.git_ref)))));
        if query.reuse.is_some() {
            seen.reuse = Some(Vec::new());
        }
    }
}
