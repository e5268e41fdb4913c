//! Whatever is asked in whatever order: the file answers as the store in memory does, which is the contract by definition.
//!
//! Nobody stands in line here: who is woken for a slot may differ.

use mbs_core::bus::Hint;
use mbs_core::ident::ComponentId;
use mbs_core::memory::MemoryStore;
use mbs_core::model::{AttemptEnd, RepoWait, State};
use mbs_core::store::{
    Amend, Catalogue as _, Column, Condition, Create, Direction, EventNumber, Filter, IdempotencyKey, Import,
    Logged, Note, Order, Outbox as _, Page, Restored, Retention, Settings, Sink, Trim, Upkeep as _, Value,
};

use super::*;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn build(&mut self) -> BuildId {
        BuildId(1 + self.below(8) as i64)
    }
}

/// The same call on both.
macro_rules! same {
    ($both:expr, $store:ident => $call:expr) => {{
        let $store = &$both.memory;
        let wanted = $call.await;
        let $store = &$both.fixture.store;
        let found = $call.await;
        assert_eq!(found, wanted, "after {:?}", $both.done);
        wanted
    }};
}

struct Both {
    memory: MemoryStore,
    fixture: Fixture,
    leases: Vec<Lease>,
    done: Vec<String>,
}

impl Both {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let memory = MemoryStore::new(fixture.clock.clone(), start(), &Policy::default());
        Self { memory, fixture, leases: Vec::new(), done: Vec::new() }
    }

    async fn step(&mut self, dice: &mut Dice) {
        let step = dice.below(16);
        self.done.push(format!("step {step}"));
        match step {
            0 => self.create(dice).await,
            1 => self.claim(dice).await,
            2..=4 => self.save(dice).await,
            5 => self.amend(dice).await,
            6 => self.release(dice).await,
            7 => self.wake(dice).await,
            8 => self.publish(dice).await,
            9 => self.trim(dice).await,
            10 => self.settings(dice).await,
            11 => self.list(dice).await,
            12 => self.resume(dice).await,
            13 => self.import(dice).await,
            14 => self.restore(dice).await,
            _ => self.fixture.clock.advance(Duration::from_millis(dice.below(20_000) as u64)),
        }
        let id = dice.build();
        same!(self, store => store.load(id)).ok();
        // Which past moment it was makes no difference.
        let now = self.memory.now().await.unwrap();
        let next =
            async |store: &dyn Store| Ok::<_, StoreError>(store.next_due().await?.map(|due| due.max(now)));
        same!(self, store => next(store)).unwrap();
        same!(self, store => store.explain(id)).ok();
    }

    async fn create(&mut self, dice: &mut Dice) {
        let nsvc = format!("app:{}:{}:c{}", dice.below(2), dice.below(3), dice.below(3));
        let mut new = new_build(&nsvc);
        new.scratch = dice.below(4) == 0;
        new.base_modules = vec!["platform:f40:1:c".parse().unwrap()];
        let key = IdempotencyKey { key: format!("k{}", dice.below(9)), content: nsvc };
        let existing = (dice.below(4) == 0).then(|| dice.build()).into_iter().collect();
        let notes = vec!["one".into(), "two".into()];
        let create = Create { key: Some(key.clone()), existing, notes, ..new.into() };
        same!(self, store => store.create(create.clone())).ok();
        same!(self, store => store.created_with(&key)).ok();
    }

    async fn claim(&mut self, dice: &mut Dice) {
        let (worker, n) = (WorkerId(format!("w{}", dice.below(2))), dice.below(4));
        let claims = same!(self, store => store.claim(&worker, n)).unwrap();
        self.leases.extend(claims.into_iter().map(|claim| claim.lease));
        if dice.below(10) == 0 {
            // Whether a lease that has ended counts makes no difference.
            same!(self, store => async { store.void_leases(&worker).await.map(drop) }).unwrap();
        }
    }

    fn lease(&mut self, dice: &mut Dice) -> Option<Lease> {
        let last = self.leases.len().checked_sub(1)?;
        self.leases.get(last.saturating_sub(dice.below(3))).cloned()
    }

    async fn save(&mut self, dice: &mut Dice) {
        let Some(lease) = self.lease(dice) else { return };
        let Ok(loaded) = self.memory.load(lease.build).await else { return };
        let mut now = loaded.build.clone();
        change(&mut now, dice);
        let was = Arc::new(loaded.build);
        let (revision, signal) = (loaded.revision, [Signal::Quiet, Signal::Strained][dice.below(2)]);
        let save = Save { was, now, revision, lease, notes: notes(dice), signal };
        same!(self, store => store.save(save.clone())).ok();
        // Once more with what is stale by now.
        same!(self, store => store.save(save.clone())).ok();
        same!(self, store => store.renew(&save.lease)).ok();
    }

    async fn amend(&mut self, dice: &mut Dice) {
        let id = dice.build();
        let Ok(loaded) = self.memory.load(id).await else { return };
        let mut now = loaded.build;
        change(&mut now, dice);
        let amend = Amend { now, revision: loaded.revision, by: "anna".into(), what: "x".into() };
        same!(self, store => store.amend(amend.clone())).ok();
        same!(self, store => store.trace(id)).unwrap();
        same!(self, store => store.log(id)).unwrap();
        same!(self, store => store.audit(id)).unwrap();
        let of = [Logged::Build(id), Logged::Component(ComponentId(1 + dice.below(9) as i64))][dice.below(2)];
        let page = Page { before: None, skip: dice.below(3) as u64, limit: dice.below(9) };
        same!(self, store => store.log_page(of, page)).unwrap();
        same!(self, store => store.count_log(of)).unwrap();
        let components: Vec<_> = (1..30).map(ComponentId).collect();
        same!(self, store => store.component_traces(&components)).unwrap();
        let both = [id, dice.build()];
        same!(self, store => store.details(&both)).unwrap();
    }

    async fn resume(&mut self, dice: &mut Dice) {
        let Ok(loaded) = self.memory.load(dice.build()).await else { return };
        let mut now = loaded.build;
        now.enter(State::Init, None, start()).ok();
        let new = vec![new_build(&format!("lib:1:{}:a", dice.below(5)))];
        let resumed = vec![(now, loaded.revision)];
        let create = Create { new, resumed, by: "anna".into(), ..Create::default() };
        same!(self, store => store.create(create.clone())).ok();
    }

    async fn import(&mut self, dice: &mut Dice) {
        let nsvc = format!("app:{}:{}:c{}", dice.below(2), dice.below(3), dice.below(3));
        let document = new_build(&nsvc).document;
        let import = Import { document, nsvc: nsvc.parse().unwrap(), koji_tag: None, by: "op".into() };
        same!(self, store => store.import(import.clone())).ok();
    }

    async fn restore(&mut self, dice: &mut Dice) {
        let id = BuildId(1 + dice.below(20) as i64);
        let mut build = ModuleBuild::begin(new_build(&format!("app:0:{}:r", dice.below(9))), id, id, start());
        build.life.take_unsaved();
        build.components = vec![component("liba").into()];
        build.components[0].id = Some(ComponentId(1 + dice.below(40) as i64));
        let record = Restored {
            build,
            trace: Vec::new(),
            component_traces: Default::default(),
            log: vec![(None, start(), "before".into())],
            bases: vec![dice.build()],
        };
        same!(self, store => store.restore(vec![record.clone()])).ok();
    }

    async fn release(&mut self, dice: &mut Dice) {
        let Some(lease) = self.lease(dice) else { return };
        let now = self.memory.now().await.unwrap();
        let wake_at = (dice.below(2) == 0).then(|| now + Duration::from_secs(dice.below(40) as u64));
        same!(self, store => store.release(&lease, wake_at, Why::GoingOn, Signal::Quiet)).unwrap();
    }

    async fn wake(&mut self, dice: &mut Dice) {
        let tag = format!("module-{}{}", dice.below(3), ["", "-build"][dice.below(2)]);
        let all = [
            Hint::Build(dice.build()),
            Hint::Task(TaskId(dice.below(12) as i64)),
            Hint::Tag(tag.parse().unwrap()),
            Hint::Everything,
        ];
        let first = dice.below(all.len());
        let hints = &all[first..all.len().min(first + dice.below(3))];
        same!(self, store => store.wake(hints)).unwrap();
    }

    async fn publish(&mut self, dice: &mut Dice) {
        let sink = Sink(format!("s{}", dice.below(2)));
        let n = 1 + dice.below(6);
        let taken = same!(self, store => store.take(&sink, n)).unwrap();
        let some: Vec<EventNumber> =
            taken.iter().map(|delivery| delivery.number).filter(|_| dice.below(3) > 0).collect();
        same!(self, store => store.ack(&sink, &some)).unwrap();
        same!(self, store => store.ack(&sink, &[EventNumber(1 << 40)])).unwrap_err();
        let after = EventNumber(dice.below(20) as u64);
        same!(self, store => store.published(after, n)).unwrap();
        same!(self, store => store.last_published()).unwrap();
    }

    async fn trim(&mut self, dice: &mut Dice) {
        let now = self.memory.now().await.unwrap();
        let mut moment = || (dice.below(3) > 0).then(|| now - Duration::from_secs(dice.below(30) as u64));
        let kept = Retention { log: moment(), events: moment(), audit: moment(), keys: moment() };
        for trim in [Trim::Count, Trim::Remove] {
            same!(self, store => store.trim(&kept, trim)).unwrap();
        }
    }

    async fn settings(&mut self, dice: &mut Dice) {
        let limit = (dice.below(3) > 0).then(|| dice.below(6) as u32);
        let settings = Settings { limit, paused: dice.below(4) == 0, draining: dice.below(3) == 0 };
        same!(self, store => store.change_settings(settings.clone(), "op")).unwrap();
        same!(self, store => store.settings()).unwrap();
        same!(self, store => store.settings_audit()).unwrap();
    }

    async fn list(&mut self, dice: &mut Dice) {
        let state = Condition::AtMost(Column::State, Value::Number(dice.below(5) as i64));
        let columns = if dice.below(2) == 0 { vec![state] } else { Vec::new() };
        let filter = Filter { columns, ..Filter::default() };
        let by = vec![Column::ALL[dice.below(Column::ALL.len())], Column::ALL[dice.below(Column::ALL.len())]];
        let order = Order { by, direction: [Direction::Ascending, Direction::Descending][dice.below(2)] };
        let before = (dice.below(3) == 0).then(|| dice.build());
        let page = Page { before, skip: dice.below(3) as u64, limit: dice.below(9) };
        same!(self, store => store.list(&filter, &order, page)).unwrap();
        same!(self, store => store.count(&filter)).unwrap();
        let of = ["app:0:0:c", "app:1:2:c1", "lib:1:1:a"].map(|nsvc| nsvc.parse().unwrap());
        same!(self, store => store.find(&of)).unwrap();
        same!(self, store => store.unfinished(&of)).unwrap();
        same!(self, store => store.scratch_count(&of[0])).unwrap();
        same!(self, store => store.figures()).unwrap();
        let since = self.memory.now().await.unwrap() - Duration::from_secs(dice.below(20) as u64);
        let n = dice.below(9);
        same!(self, store => store.standing(since, n)).unwrap();
    }
}

fn notes(dice: &mut Dice) -> Vec<Note> {
    let package = format!("c{}", dice.below(9)).parse().unwrap();
    vec!["went on".into(), Note::of(&package, "went on, too".into())]
}

/// Changes a record in one of the ways that records change, a few of them forbidden.
fn change(build: &mut ModuleBuild, dice: &mut Dice) {
    match dice.below(8) {
        0 | 1 => _ = build.enter(State::ALL[dice.below(7)], Some("so".into()), start()),
        2 => {
            build.components.push(running(&format!("c{}", dice.below(9)), Some(dice.below(9) as i64)).into());
        }
        3 => build.components.push(component(&format!("c{}", dice.below(9))).into()),
        4 => {
            let live = build.components.iter_mut().filter_map(|component| component.live_attempt_mut());
            live.for_each(|attempt| attempt.end = Some(AttemptEnd::Lost));
        }
        5 => _ = build.components.pop(),
        6 => build.components.reverse(),
        _ => {
            build.koji_tag = Some(format!("module-{}", dice.below(3)).parse().unwrap());
            let task = Some(TaskId(dice.below(12) as i64));
            build.repo = Some(RepoWait { asked_at: start(), task, shows: mbs_core::ident::TagEvent(1) });
            let mut document = (**build.document()).clone();
            document.summary = format!("Summary {}", dice.below(3));
            build.new.document = Arc::new(document);
        }
    }
}

#[tokio::test]
async fn the_file_answers_as_the_store_in_memory_does() {
    for seed in 0..6 {
        let (mut both, mut dice) = (Both::new().await, Dice(seed));
        for _ in 0..150 {
            both.step(&mut dice).await;
        }
    }
}
