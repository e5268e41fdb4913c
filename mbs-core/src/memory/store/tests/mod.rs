//! What the store does beyond its contract, which [`crate::contract`] tries.

use std::sync::Arc;

use super::*;
use crate::ident::BuildId;
use crate::memory::ManualClock;
use crate::memory::samples::{at, new_build, now_or_panic, running, secs};
use crate::model::{Line, ModuleBuild, State};
use crate::plan::Why;
use crate::store::{
    Amend, Builds, Create, Lease, Loaded, Save, Saved, Settings, Signal, Upkeep, Work, WorkerId,
};

mod builds;
mod cost;
mod outbox;
mod slots;
mod throttle;
mod upkeep;

/// The ids of no builds.
const NOBODY: [i64; 0] = [];

/// A store with a clock at hand. The lease is 60 s, the gap 1 s.
struct Bench {
    clock: Arc<ManualClock>,
    store: MemoryStore,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::new(clock.clone(), at(0), &Policy::default());
        Self { clock, store }
    }

    fn with_limit(limit: u32) -> Self {
        let bench = Self::new();
        bench.set(Settings { limit: Some(limit), ..Settings::default() });
        bench
    }

    fn set(&self, settings: Settings) {
        now_or_panic(self.store.change_settings(settings, "op")).unwrap();
    }

    fn pass(&self, n: u64) {
        self.clock.advance(secs(n));
    }

    fn create(&self, nsvc: &str) -> BuildId {
        now_or_panic(self.store.create(Create::from(new_build(nsvc)))).unwrap().builds[0].id
    }

    fn load(&self, id: BuildId) -> Loaded {
        now_or_panic(self.store.load(id)).unwrap()
    }

    /// Claims by worker `w`; ids only.
    fn claim(&self, n: usize) -> Vec<i64> {
        self.claim_leases(n).into_iter().map(|lease| lease.build.0).collect()
    }

    fn claim_leases(&self, n: usize) -> Vec<Lease> {
        let claims = now_or_panic(self.store.claim(&worker("w"), n)).unwrap();
        claims.into_iter().map(|claim| claim.lease).collect()
    }

    /// Claims the build that is due, which must be this one alone.
    fn claim_only(&self, id: BuildId) -> Lease {
        let mut leases = self.claim_leases(10);
        assert_eq!(leases.iter().map(|lease| lease.build).collect::<Vec<_>>(), [id]);
        leases.remove(0)
    }

    fn release(&self, lease: &Lease, wake_at: Option<Timestamp>) {
        now_or_panic(self.store.release(lease, wake_at, Why::GoingOn, Signal::Quiet)).unwrap();
    }

    /// Makes a build and ends its first look, so that it is due only when woken.
    fn create_asleep(&self, nsvc: &str) -> BuildId {
        let id = self.create(nsvc);
        self.release(&self.claim_only(id), None);
        id
    }

    /// Loads, changes and saves under a lease.
    fn save(&self, lease: &Lease, change: impl FnOnce(&mut ModuleBuild)) -> Result<Saved, StoreError> {
        now_or_panic(self.store.save(self.draft(lease, change)))
    }

    fn draft(&self, lease: &Lease, change: impl FnOnce(&mut ModuleBuild)) -> Save {
        let loaded = self.load(lease.build);
        let mut now = loaded.build.clone();
        change(&mut now);
        Save {
            was: Arc::new(loaded.build),
            now,
            revision: loaded.revision,
            lease: lease.clone(),
            notes: Vec::new(),
            signal: Signal::Quiet,
        }
    }

    fn amend(&self, id: BuildId, change: impl FnOnce(&mut ModuleBuild)) -> Result<Saved, StoreError> {
        let loaded = self.load(id);
        let mut now = loaded.build;
        change(&mut now);
        let amend = Amend { now, revision: loaded.revision, by: "mary".into(), what: "cancelled it".into() };
        now_or_panic(self.store.amend(amend))
    }

    /// Claims, saves and releases without a next look.
    fn look(&self, id: BuildId, change: impl FnOnce(&mut ModuleBuild)) -> Result<Saved, StoreError> {
        now_or_panic(self.store.wake(&[crate::bus::Hint::Build(id)])).unwrap();
        self.pass(1);
        let lease = self.claim_only(id);
        let saved = self.save(&lease, change);
        self.release(&lease, None);
        saved
    }
}

fn worker(name: &str) -> WorkerId {
    WorkerId(name.into())
}

/// Enters a state from a change.
fn enter(build: &mut ModuleBuild, to: State, when: i64) {
    build.enter(to, None, at(when)).unwrap();
}

fn wait_in_line(build: &mut ModuleBuild, since: i64, wants: u32) {
    build.line = Some(Line { since: at(since), wants });
}

/// Takes so many slots.
fn take_slots(build: &mut ModuleBuild, count: usize) {
    for number in build.components.len()..count {
        build.components.push(running(&format!("c{number}"), None).into());
    }
}
