//! What the engine and the publisher ask of a store, look by look.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use mbs_core::bus::Hint;
use mbs_core::context::Contexts;
use mbs_core::ident::{Batch, BuildId, CommitId, Nvr, TaskId};
use mbs_core::model::{
    Attempt, AttemptEnd, BuildState, ComponentBuild, ComponentSource, Failure, ModuleBuild, NewBuild, State,
};
use mbs_core::plan::Why;
use mbs_core::store::{Lease, ModulesAsked, Save, Saved, Signal, Sink, Store, WorkerId};

use crate::dice::Dice;
use crate::fleet::{Fleet, build_id};
use crate::lists::RUNS;
use crate::table::{self, Figures};

/// Components of the large build, and how many of them a save changes.
const LARGE: usize = 150;
const CHANGED: usize = 10;

const CLAIM_BUDGET: f64 = 2.0;
const SAVE_BUDGET: f64 = 5.0;

/// Takes the time of everything but lists.
pub(crate) async fn show(store: &dyn Store, fleet: Fleet) {
    table::head("work");
    let bench = Bench { store, fleet };
    bench.looks(1).await;
    bench.looks(20).await;
    bench.wakes().await;
    bench.large().await;
    bench.questions().await;
}

struct Bench<'a> {
    store: &'a dyn Store,
    fleet: Fleet,
}

fn worker() -> WorkerId {
    WorkerId("bench".into())
}

impl Bench<'_> {
    /// Returns the number of a build that has not ended.
    fn under_way(&self, dice: &mut Dice) -> usize {
        let first = self.fleet.first_under_way();
        first + dice.below(self.fleet.size - first)
    }

    /// Claims, renews and releases so many at once; the others are due later.
    async fn looks(&self, count: usize) {
        let [mut claims, mut renewals, mut releases, mut next] = [(); 4].map(|()| Figures::default());
        let mut dice = Dice::of("looks", count);
        for _ in 0..RUNS {
            let first = self.under_way(&mut dice);
            let hints: Vec<Hint> =
                (0..count).map(|n| Hint::Build(build_id(first.saturating_sub(n)))).collect();
            self.store.wake(&hints).await.expect("builds can be woken");
            let claimed =
                claims.time(self.store.claim(&worker(), count)).await.expect("builds can be claimed");
            claims.rows += claimed.len();
            for claim in &claimed {
                renewals.time(self.store.renew(&claim.lease)).await.expect("the lease is fresh");
                self.release(&mut releases, &claim.lease).await;
            }
            next.time(self.store.next_due()).await.expect("the store knows");
        }
        table::row(&format!("claim {count}"), &claims, Some(CLAIM_BUDGET));
        if count == 1 {
            table::row("renew", &renewals, None);
            table::row("release", &releases, None);
            table::row("next_due", &next, None);
        }
    }

    async fn release(&self, figures: &mut Figures, lease: &Lease) {
        let later = Timestamp::now() + SignedDuration::from_hours(24 * 300);
        let released = self.store.release(lease, Some(later), Why::GoingOn, Signal::Quiet);
        figures.time(released).await.expect("builds can be released");
    }

    async fn wakes(&self) {
        let mut dice = Dice::of("wakes", 0);
        let builds: Vec<ModuleBuild> =
            (0..40 * RUNS).map(|_| self.fleet.build(self.under_way(&mut dice)).build).collect();
        let id = builds.iter().map(|build| Hint::Build(build.id));
        let tag = builds.iter().filter_map(|build| build.build_tag()).map(Hint::Tag);
        let task =
            |build: &ModuleBuild| build.components.iter().filter_map(|c| c.live_attempt()?.task).next_back();
        let task = builds.iter().filter_map(task).map(Hint::Task);
        let old = (0..RUNS).map(|n| Hint::Task(TaskId(30_000_001 + 20 * n as i64)));
        self.wake("wake by id", id).await;
        self.wake("wake by build tag", tag).await;
        self.wake("wake by task", task).await;
        self.wake("wake by the task of a build that ended", old).await;
    }

    async fn wake(&self, what: &str, hints: impl Iterator<Item = Hint>) {
        let mut figures = Figures::default();
        for hint in hints.take(RUNS) {
            figures.rows += figures.time(self.store.wake(&[hint])).await.expect("builds can be woken");
            self.put_to_sleep().await;
        }
        table::row(what, &figures, None);
    }

    /// Claims and releases whatever is due.
    async fn put_to_sleep(&self) {
        for claim in self.store.claim(&worker(), 1_000).await.expect("builds can be claimed") {
            self.release(&mut Figures::default(), &claim.lease).await;
        }
    }

    async fn large(&self) {
        let (mut saved, lease) = self.begin_large().await;
        let [mut loads, mut saves, mut changes, mut takes, mut acks] = [(); 5].map(|()| Figures::default());
        for _ in 0..RUNS {
            let loaded = loads.time(self.store.load(saved.build.id)).await.expect("it is there");
            loads.rows += loaded.build.components.len();
        }
        for round in 0..RUNS {
            let save = next(&saved, &lease, |build| change(build, round));
            saved = saves.time(self.store.save(save)).await.expect("the lease is fresh");
            saves.rows += CHANGED;
        }
        let sink = Sink("bus".into());
        for round in 0..RUNS {
            let save = next(&saved, &lease, |build| {
                change(build, RUNS + round);
                enter_next(build);
            });
            saved = changes.time(self.store.save(save)).await.expect("the lease is fresh");
            changes.rows += CHANGED;
            let taken = takes.time(self.store.take(&sink, 100)).await.expect("events can be taken");
            takes.rows += taken.len();
            let numbers: Vec<_> = taken.iter().map(|delivery| delivery.number).collect();
            acks.time(self.store.ack(&sink, &numbers)).await.expect("events can be acknowledged");
        }
        self.release(&mut Figures::default(), &lease).await;
        table::row("load of 150 components", &loads, None);
        table::row("save of 150 components, 10 changed", &saves, Some(SAVE_BUDGET));
        table::row("the same with a change of state", &changes, Some(SAVE_BUDGET));
        table::row("take", &takes, None);
        table::row("ack", &acks, None);
    }

    /// Makes a build of 150 components that is in `build`, and claims it.
    async fn begin_large(&self) -> (Saved, Lease) {
        let stamp = Timestamp::now().as_second();
        let new = large(stamp);
        let created = self.store.create(new.into()).await.expect("it is new");
        let id = created.builds[0].id;
        let claimed = self.store.claim(&worker(), 100).await.expect("builds can be claimed");
        let claim = claimed.into_iter().find(|claim| claim.lease.build == id).expect("it is due");
        let loaded = self.store.load(id).await.expect("it is there");
        let mut saved = Saved { build: loaded.build, revision: loaded.revision, slots: loaded.slots };
        let save = next(&saved, &claim.lease, |build| {
            build.components = (0..LARGE).map(|place| component(place).into()).collect();
            enter_next(build);
            enter_next(build);
        });
        saved = self.store.save(save).await.expect("the lease is fresh");
        let sink = Sink("bus".into());
        loop {
            let taken = self.store.take(&sink, 100).await.expect("events can be taken");
            if taken.is_empty() {
                return (saved, claim.lease);
            }
            let numbers: Vec<_> = taken.iter().map(|delivery| delivery.number).collect();
            self.store.ack(&sink, &numbers).await.expect("events can be acknowledged");
        }
    }

    /// What resolvers ask.
    async fn questions(&self) {
        let mut dice = Dice::of("questions", 0);
        let mut builds = |count: usize| -> Vec<ModuleBuild> {
            let number = |_| self.fleet.build(dice.below(self.fleet.size)).build;
            (0..count).map(number).collect()
        };
        let [mut streams, mut names, mut exactly, mut tags, mut documents] =
            [(); 5].map(|()| Figures::default());
        for _ in 0..RUNS {
            let of = builds(12);
            let asked = ModulesAsked {
                streams: of.iter().map(|build| build.nsvc().name_stream()).collect(),
                ..ModulesAsked::default()
            };
            self.modules(&mut streams, &asked).await;
            let asked = ModulesAsked { names: vec![of[0].nsvc().name.clone()], ..ModulesAsked::default() };
            self.modules(&mut names, &asked).await;
            let exact = of.iter().map(|build| build.nsvc().clone()).collect();
            self.modules(&mut exactly, &ModulesAsked { exactly: exact, ..ModulesAsked::default() }).await;
            let asked = ModulesAsked { tag: of[0].koji_tag.clone(), ..ModulesAsked::default() };
            self.modules(&mut tags, &asked).await;
            let ids: Vec<BuildId> = of.iter().map(|build| build.id).collect();
            let read = documents.time(self.store.documents(&ids)).await;
            documents.rows += read.expect("documents can be read").len();
        }
        table::row("modules of 12 names and streams", &streams, None);
        table::row("modules of a name", &names, None);
        table::row("12 modules exactly", &exactly, None);
        table::row("modules of a tag", &tags, None);
        table::row("12 documents", &documents, None);
    }

    async fn modules(&self, figures: &mut Figures, asked: &ModulesAsked) {
        let found = figures.time(self.store.modules(asked)).await;
        figures.rows += found.expect("modules can be found").len();
    }
}

/// Makes what a look saves.
fn next(saved: &Saved, lease: &Lease, change: impl FnOnce(&mut ModuleBuild)) -> Save {
    let was = Arc::new(saved.build.clone());
    let mut now = saved.build.clone();
    change(&mut now);
    let notes = vec!["Something happened".into()];
    Save { was, now, revision: saved.revision, lease: lease.clone(), notes, signal: Signal::Quiet }
}

/// Begins or ends ten components, each time the next ones.
fn change(build: &mut ModuleBuild, round: usize) {
    let (first, at) = (round * CHANGED % LARGE, Timestamp::UNIX_EPOCH);
    for (place, component) in build.components.iter_mut().enumerate().skip(first).take(CHANGED) {
        let task = Some(TaskId(900_000_000 + (round * LARGE + place) as i64));
        match component.live_attempt_mut() {
            Some(attempt) => {
                let nvr = Nvr::of("large", "1", &format!("{round}.{place}"));
                attempt.end = Some(AttemptEnd::Complete(nvr.clone()));
                component.nvr = Some(nvr);
                component.state = Some(BuildState::Complete);
                component.tagged = true;
            }
            None => {
                let number = component.attempts.len() as u32 + 1;
                component.attempts.push(Attempt { number, intended_at: at, not_after: at, task, end: None });
                (component.task, component.state) = (task, Some(BuildState::Building));
                component.reason = Some("Building it".into());
            }
        }
    }
}

fn enter_next(build: &mut ModuleBuild) {
    let at = Timestamp::now();
    let entered = match build.state() {
        State::Build => build.life.fail("It does not build".into(), Failure::User, at),
        State::Wait => build.enter(State::Build, None, at),
        _ => build.enter(State::Wait, None, at),
    };
    entered.expect("the way follows the arrows");
}

fn component(place: usize) -> ComponentBuild {
    let commit = CommitId::new(Dice::of("large", place).digits(40)).expect("40 digits are a commit");
    let url = format!("https://src.example.org/rpms/large{place:03}");
    let package = format!("large{place:03}").parse().expect("it is a name");
    let batch = Batch(2 + place as u32 / 30);
    ComponentBuild::new(package, ComponentSource::Git { url, commit }, batch)
}

fn large(stamp: i64) -> NewBuild {
    let base = "platform:f42:1:00000000".parse().expect("four parts are an identity");
    let nsvc: mbs_core::ident::Nsvc =
        format!("large:1:{stamp}:c0ffee00").parse().expect("four parts are an identity");
    let document = mbs_core::modulemd::ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        summary: "A large module".into(),
        description: "A module of many packages.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        ..mbs_core::modulemd::ModuleStream::default()
    };
    NewBuild {
        nsvc,
        owner: "packager01".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: mbs_core::model::RebuildStrategy::All,
        reuse_from: None,
        origin: None,
        document: Arc::new(document),
        contexts: Contexts::default(),
        srpms: std::collections::BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: vec![base],
    }
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("fleet", &self.fleet).finish_non_exhaustive()
    }
}
