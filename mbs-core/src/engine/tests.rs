//! Whole looks on the memory implementations: what happens when calls fail, processes die and people interfere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;

use super::testing::hesitate;
use super::{Engine, testing};
use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, Effect,
    FinishedModule, TagRequest, TaskFailure, TaskState,
};
use crate::clock::Clock;
use crate::context::Contexts;
use crate::ident::{BuildId, Package, TagName, TaskId};
use crate::memory::{
    Call, Fault, ManualClock, MemoryBuildSystem, MemoryResolver, MemorySourceControl, MemoryStore, Pace,
    TaskKind,
};
use crate::model::{ModuleBuild, NewBuild, RebuildStrategy, State};
use crate::modulemd::{ModuleStream, RpmComponent, Xmd};
use crate::plan::Standard;
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::store::{Amend, Builds, Create, Settings, Upkeep, Work, WorkerId};
use crate::submission;

mod cost;
mod strain;

/// Two components that may build at once, and one after them.
const COMPONENTS: [(&str, i64); 3] = [("liba", 0), ("libb", 0), ("prog", 1)];

struct World {
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    system: Arc<MemoryBuildSystem>,
    engine: Engine,
}

impl World {
    fn new(limit: Option<u32>) -> Self {
        let policy = Policy { rpms_allow_repository: true, ..Policy::default() };
        let clock = Arc::new(ManualClock::new());
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let store = Arc::new(MemoryStore::new(clock.clone(), start, &policy));
        let system = Arc::new(MemoryBuildSystem::new());
        system.add_tag(&"f40-build".parse().unwrap(), &["x86_64".parse().unwrap()]);
        system.set_pace(TaskKind::Repo, Pace::AtOnce);
        let sources = MemorySourceControl::new();
        for (package, _) in COMPONENTS {
            sources.commit(&format!("memory:{package}"), "main", start, &[("a.spec", "Name: a")]);
        }
        let base = KnownModule {
            nsvc: "platform:f40:1:00000000".parse().unwrap(),
            tag: Some("f40-build".parse().unwrap()),
            document: Arc::default(),
            is_ready: true,
        };
        let engine = Engine {
            store: store.clone(),
            build_system: system.clone(),
            resolver: Arc::new(MemoryResolver::new([base]).unwrap()),
            source_control: Arc::new(sources),
            clock: clock.clone(),
            planner: Arc::new(Standard),
            policy: Arc::new(policy),
            worker: WorkerId("one".into()),
            looks_at_once: 8,
        };
        let world = World { clock, store, system, engine };
        world.run(world.store.change_settings(Settings { limit, ..Settings::default() }, "test")).unwrap();
        world
    }

    /// Runs a future to its end; time passes only as far as it sleeps.
    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        testing::run(&self.clock, future)
    }

    fn submit(&self, version: u64) -> BuildId {
        let created = self.run(self.store.create(Create::from(new_build(version)))).unwrap();
        created.builds[0].id
    }

    fn cancel(&self, id: BuildId) {
        let loaded = self.run(self.store.load(id)).unwrap();
        let now = self.run(self.store.now()).unwrap();
        let now = submission::cancel(&loaded.build, "anna", now).unwrap();
        let amend = Amend { now, revision: loaded.revision, by: "anna".into(), what: "cancel".into() };
        self.run(self.store.amend(amend)).unwrap();
    }

    fn build(&self, id: BuildId) -> ModuleBuild {
        self.run(self.store.load(id)).unwrap().build
    }

    /// Lets the engine look at everything due, then half a minute pass; until something holds.
    fn until(&self, engine: &Engine, mut holds: impl FnMut(&Self) -> bool) {
        for _ in 0..200 {
            self.run(engine.round()).unwrap();
            if holds(self) {
                return;
            }
            self.clock.advance(Duration::from_secs(30));
        }
        panic!("it never came so far");
    }

    fn live(&self) -> Vec<String> {
        self.system
            .live_tasks()
            .into_iter()
            .filter_map(|task| task.package)
            .map(|package| package.to_string())
            .collect()
    }

    /// Ends every live task well.
    fn finish_tasks(&self) {
        for task in self.system.live_tasks() {
            self.system.finish(task.id).unwrap();
        }
    }

    fn until_ended(&self, id: BuildId) -> State {
        self.until(&self.engine, |world| {
            world.finish_tasks();
            matches!(world.build(id).state(), State::Ready | State::Failed)
        });
        self.build(id).state()
    }

    fn builds_of(&self, package: &str) -> usize {
        let is_mine = |of: Option<Package>| of.is_some_and(|of| of.as_str() == package);
        self.system.tasks().into_iter().filter(|task| is_mine(task.package.clone())).count()
    }
}

pub(super) fn new_build(version: u64) -> NewBuild {
    let component = |(package, buildorder): (&str, i64)| {
        let repository = Some(format!("memory:{package}"));
        let component =
            RpmComponent { repository, git_ref: Some("main".into()), buildorder, ..RpmComponent::default() };
        (package.to_owned(), component)
    };
    let mut entry = Xmd::default();
    for (key, value) in
        [("stream", "f40"), ("version", "1"), ("context", "00000000"), ("koji_tag", "f40-build")]
    {
        entry.set(key, value.into());
    }
    let map = |key: &str, value: Xmd| Xmd::Map(vec![(key.to_owned(), value)]);
    let document = ModuleStream {
        name: Some("app".into()),
        stream: Some("1".into()),
        summary: "An example".into(),
        description: "An example.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd: map("mbs", map("buildrequires", map("platform", entry))),
        rpms: COMPONENTS.into_iter().map(component).collect(),
        ..ModuleStream::default()
    };
    NewBuild {
        nsvc: format!("app:1:{version}:c0ffee00").parse().unwrap(),
        owner: "anna".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::All,
        reuse_from: None,
        origin: None,
        document: Arc::new(document),
        contexts: Contexts::default(),
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    }
}

fn no_answer(effect: Effect) -> BuildSystemError {
    BuildSystemError::Unavailable { reason: "time-out".into(), retry_after: None, effect }
}

#[test]
fn a_module_is_built_batch_by_batch_and_becomes_ready() {
    let world = World::new(None);
    let id = world.submit(1);
    world.until(&world.engine, |world| world.live() == ["module-build-macros"]);
    world.finish_tasks();
    world.until(&world.engine, |world| world.live() == ["liba", "libb"]);
    world.finish_tasks();
    world.until(&world.engine, |world| world.live() == ["prog"]);
    assert_eq!(world.until_ended(id), State::Ready);
    let states: Vec<State> =
        world.run(world.store.trace(id)).unwrap().into_iter().map(|change| change.to).collect();
    assert_eq!(states, [State::Init, State::Wait, State::Build, State::Done, State::Ready]);
    assert_eq!(world.system.imports().len(), 1);
    // The first one, one with the macros, one after batch 2.
    assert_eq!(world.system.calls(Call::RequestRepo), 3);
}

#[test]
fn a_login_that_expired_for_a_while_fails_no_build() {
    let world = World::new(None);
    let id = world.submit(1);
    world.until(&world.engine, |world| world.live() == ["module-build-macros"]);
    let denied = BuildSystemError::Denied { what: "the login expired".into() };
    world.system.inject(Call::Observe, Fault::Before(denied));
    assert_eq!(world.until_ended(id), State::Ready);
}

#[test]
fn a_look_that_hangs_holds_up_no_other_build() {
    let world = World::new(None);
    let (stuck, other) = (world.submit(1), world.submit(2));
    let hung = Some("module-app-1-1-c0ffee00".parse().unwrap());
    let build_system = Arc::new(Hesitant { hung, ..Hesitant::of(&world) });
    let engine = Engine { build_system, ..world.engine.clone() };
    let mut running = std::pin::pin!(engine.run(std::future::pending, std::future::pending()));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..2_000 {
        assert!(running.as_mut().poll(&mut context).is_pending());
        world.finish_tasks();
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!((world.build(stuck).state(), world.build(other).state()), (State::Build, State::Ready));
}

#[test]
fn a_submission_that_took_effect_without_an_answer_is_adopted_and_not_repeated() {
    let world = World::new(None);
    world.system.inject(Call::Submit, Fault::After(no_answer(Effect::Unknown)));
    let id = world.submit(1);
    assert_eq!(world.until_ended(id), State::Ready);
    assert_eq!(world.builds_of("module-build-macros"), 1);
}

#[test]
fn a_submission_that_never_arrived_is_repeated_once_that_is_certain() {
    let world = World::new(None);
    world.system.inject(Call::Submit, Fault::Before(no_answer(Effect::Unknown)));
    let id = world.submit(1);
    assert_eq!(world.until_ended(id), State::Ready);
    assert_eq!(world.builds_of("module-build-macros"), 1);
    assert_eq!(world.build(id).component("module-build-macros").unwrap().attempts.len(), 2);
}

#[test]
fn a_hub_that_is_down_for_an_hour_only_costs_time() {
    let world = World::new(None);
    let id = world.submit(1);
    world.until(&world.engine, |world| world.live() == ["module-build-macros"]);
    for _ in 0..12 {
        world.system.inject(Call::Observe, Fault::Before(no_answer(Effect::None)));
    }
    world.until(&world.engine, |world| world.build(id).trouble.is_some());
    assert_eq!(world.until_ended(id), State::Ready);
    assert_eq!(world.build(id).trouble, None);
}

/// Waits before and after each call, so that a process can die between a call and what it is called for.
#[derive(Debug)]
struct Hesitant {
    system: Arc<MemoryBuildSystem>,
    /// Questions about this tag are never answered.
    hung: Option<TagName>,
    /// How long each of the waits lasts; `None`: no time passes.
    pause: Option<(Arc<ManualClock>, Duration)>,
}

impl Hesitant {
    fn of(world: &World) -> Self {
        Self { system: world.system.clone(), hung: None, pause: None }
    }

    async fn wait(&self) {
        match &self.pause {
            Some((clock, pause)) => clock.sleep_until(clock.reading() + *pause).await,
            None => hesitate().await,
        }
    }
}

macro_rules! hesitantly {
    ($($method:ident($argument:ty) -> $answer:ty;)*) => {
        #[async_trait::async_trait]
        impl BuildSystem for Hesitant {
            async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
                self.wait().await;
                if self.hung.as_ref().is_some_and(|tag| questions.tags.contains(tag)) {
                    std::future::pending::<()>().await;
                }
                self.system.observe(questions).await
            }

            $(async fn $method(&self, argument: $argument) -> Result<$answer, BuildSystemError> {
                self.wait().await;
                let answer = self.system.$method(argument).await;
                self.wait().await;
                answer
            })*
        }
    };
}
hesitantly! {
    ensure_buildroot(&BuildrootSpec) -> crate::ident::TagEvent;
    submit(&ComponentJob) -> TaskId;
    ensure_tagged(&[TagRequest]) -> ();
    ensure_untagged(&[TagRequest]) -> ();
    request_repo(&TagName) -> Option<TaskId>;
    cancel(&[TaskId]) -> ();
    import_module(&FinishedModule) -> ();
    remove_target(&TagName) -> ();
}

#[test]
fn processes_that_die_anywhere_in_a_look_lose_nothing_and_build_nothing_twice() {
    for polls in 1..40 {
        let world = World::new(None);
        let id = world.submit(1);
        let build_system = Arc::new(Hesitant::of(&world));
        for life in 0..30 {
            let worker = WorkerId(format!("mortal {life}"));
            let mortal = Engine { worker, build_system: build_system.clone(), ..world.engine.clone() };
            let mut round = std::pin::pin!(mortal.round());
            let mut context = Context::from_waker(Waker::noop());
            let _ = (0..polls).find(|_| round.as_mut().poll(&mut context).is_ready());
            world.finish_tasks();
            world.clock.advance(Duration::from_secs(100));
        }
        assert_eq!(world.until_ended(id), State::Ready, "after lives of {polls} polls");
        for (package, _) in COMPONENTS {
            assert_eq!(world.builds_of(package), 1, "{package} after lives of {polls} polls");
        }
    }
}

#[test]
fn cancelling_stops_the_tasks_and_settles_the_build() {
    let world = World::new(None);
    let id = world.submit(1);
    world.until(&world.engine, |world| world.live() == ["module-build-macros"]);
    world.cancel(id);
    world.until(&world.engine, |world| world.build(id).life.is_settled());
    let build = world.build(id);
    assert_eq!((build.state(), build.life.reason()), (State::Failed, Some("Canceled by anna.")));
    assert!(
        world.system.tasks().iter().all(|task| task.state == TaskState::Canceled || !task.state.is_live())
    );
    assert_eq!(build.slots_held(), 0);
}

#[test]
fn a_repository_that_is_begun_while_somebody_cancels_is_cancelled_too() {
    let world = World::new(None);
    world.system.set_pace(TaskKind::Repo, Pace::ByHand);
    let id = world.submit(1);
    let build_system = Arc::new(Hesitant::of(&world));
    let engine = Engine { build_system, ..world.engine.clone() };
    let repos = || world.system.tasks().into_iter().filter(|task| task.package.is_none()).collect::<Vec<_>>();
    {
        let mut round = std::pin::pin!(engine.round());
        let mut context = Context::from_waker(Waker::noop());
        while repos().is_empty() {
            assert!(round.as_mut().poll(&mut context).is_pending(), "no repository is asked for");
        }
        world.cancel(id);
        let is_over = (0..999).any(|_| round.as_mut().poll(&mut context).is_ready());
        assert!(is_over, "the look does not end");
    }
    world.until(&world.engine, |world| world.build(id).life.is_settled());
    assert!(repos().iter().all(|task| task.state == TaskState::Canceled), "{:?}", repos());
}

#[test]
fn a_look_that_leaves_the_rest_for_later_takes_in_what_it_did() {
    let world = World::new(None);
    let id = world.submit(1);
    let policy = Arc::new(Policy { steps_per_look: 1, ..(*world.engine.policy).clone() });
    let engine = Engine { policy, ..world.engine.clone() };
    world.until(&engine, |world| {
        let build = world.build(id);
        let doubtful = build.components.iter().find(|component| component.is_in_doubt());
        assert!(doubtful.is_none(), "{doubtful:?}");
        world.live() == ["module-build-macros"]
    });
}

#[test]
fn a_component_that_does_not_build_fails_the_module_after_its_batch() {
    let world = World::new(None);
    let id = world.submit(1);
    world.until(&world.engine, |world| world.live() == ["module-build-macros"]);
    world.finish_tasks();
    world.until(&world.engine, |world| world.live() == ["liba", "libb"]);
    let liba = world.system.live_tasks()[0].id;
    let failure = TaskFailure { reason: "%build failed, see build.log".into(), is_package_fault: true };
    world.system.fail(liba, failure).unwrap();
    assert_eq!(world.until_ended(id), State::Failed);
    let build = world.build(id);
    assert_eq!(build.life.reason(), Some("Component(s) liba failed to build."));
    assert!(build.component("libb").unwrap().is_complete());
    assert!(!build.component("libb").unwrap().tagged);
    assert_eq!(world.builds_of("prog"), 0);
}

#[test]
fn the_limit_holds_over_all_builds_and_nobody_starves() {
    let world = World::new(Some(1));
    let ids = [world.submit(1), world.submit(2)];
    world.until(&world.engine, |world| {
        assert!(world.live().len() <= 1, "{:?}", world.live());
        world.finish_tasks();
        ids.iter().all(|id| world.build(*id).state() == State::Ready)
    });
}

#[test]
fn an_engine_that_is_told_to_stop_gives_its_builds_back() {
    let world = World::new(None);
    let id = world.submit(1);
    let build_system = Arc::new(Hesitant::of(&world));
    let engine = Engine { build_system, ..world.engine.clone() };
    let polls = std::cell::Cell::new(0);
    let stop = std::future::poll_fn(|_| {
        polls.set(polls.get() + 1);
        if polls.get() > 3 { Poll::Ready(()) } else { Poll::Pending }
    });
    world.run(engine.run(std::future::pending, stop));
    assert!(matches!(world.run(world.store.next_due()), Ok(Some(_))), "no lease is left");
    assert_eq!(world.run(world.store.load(id)).unwrap().build.state(), State::Build);
}

#[test]
fn an_engine_at_its_cap_claims_nothing() {
    let world = World::new(None);
    world.submit(1);
    world.submit(2);
    let hung = Some("module-app-1-1-c0ffee00".parse().unwrap());
    let build_system = Arc::new(Hesitant { hung, ..Hesitant::of(&world) });
    let engine = Engine { build_system, looks_at_once: 1, ..world.engine.clone() };
    let mut running = std::pin::pin!(engine.run(std::future::pending, std::future::pending()));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..50 {
        assert!(running.as_mut().poll(&mut context).is_pending());
        world.clock.advance(Duration::from_millis(100));
    }
    let renewal = engine.policy.lease / 3;
    assert!(world.clock.next_deadline().unwrap() >= renewal, "it sleeps instead of asking again and again");
}
