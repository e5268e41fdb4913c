//! What the promises of a store are tried with: its calls in few words, and what is read back.

use std::sync::Arc;

use jiff::Timestamp;

use super::StoreGround;
use crate::bus::Hint;
use crate::contract::promise::{Verdict, equal, seen, there};
use crate::contract::samples::{at, new_build, running};
use crate::ident::BuildId;
use crate::model::{AttemptEnd, Line, ModuleBuild, State, Transition};
use crate::plan::Why;
use crate::store::{
    Amend, AuditEntry, Create, Delivery, Lease, Loaded, LogLine, Save, Saved, Settings, Signal, Sink, Store,
    StoreError, WorkerId,
};

/// A store and its ground.
pub(super) struct Bench<'a> {
    pub(super) ground: &'a dyn StoreGround,
    pub(super) store: &'a dyn Store,
}

/// All that a save may change.
#[derive(Debug, PartialEq)]
pub(super) struct Everything {
    loaded: Loaded,
    trace: Vec<Transition>,
    log: Vec<LogLine>,
    audit: Vec<AuditEntry>,
    events: Vec<(u64, State)>,
}

impl<'a> Bench<'a> {
    pub(super) fn on(ground: &'a dyn StoreGround) -> Self {
        Self { ground, store: ground.store() }
    }

    pub(super) async fn create(&self, nsvc: &str) -> Verdict<BuildId> {
        self.create_as(new_build(nsvc).into()).await
    }

    pub(super) async fn create_as(&self, create: Create) -> Verdict<BuildId> {
        let created = self.store.create(create).await?;
        there("build of the submission", created.builds.first().map(|build| build.id))
    }

    /// Makes a build and ends its first look, so that it is due only when woken.
    pub(super) async fn create_asleep(&self, nsvc: &str) -> Verdict<BuildId> {
        let id = self.create(nsvc).await?;
        self.put_to_sleep(id).await?;
        Ok(id)
    }

    /// Claims what is due, which must be this build alone, and gives it back until it is woken.
    pub(super) async fn put_to_sleep(&self, id: BuildId) -> Verdict {
        let lease = self.claim_only(id).await?;
        self.release(&lease, None).await
    }

    pub(super) async fn load(&self, id: BuildId) -> Verdict<Loaded> {
        Ok(self.store.load(id).await?)
    }

    /// Claims by worker `w`.
    pub(super) async fn claim(&self, n: usize) -> Verdict<Vec<BuildId>> {
        Ok(self.leases("w", n).await?.into_iter().map(|lease| lease.build).collect())
    }

    pub(super) async fn leases(&self, by: &str, n: usize) -> Verdict<Vec<Lease>> {
        let claims = self.store.claim(&worker(by), n).await?;
        Ok(claims.into_iter().map(|claim| claim.lease).collect())
    }

    /// Claims what is due, which must be this build alone.
    pub(super) async fn claim_only(&self, id: BuildId) -> Verdict<Lease> {
        let mut leases = self.leases("w", 10).await?;
        match leases.pop() {
            Some(lease) if leases.is_empty() && lease.build == id => Ok(lease),
            last => seen(format!("due should be build {id} alone, not {leases:?} and {last:?}")),
        }
    }

    pub(super) async fn release(&self, lease: &Lease, wake_at: Option<Timestamp>) -> Verdict {
        Ok(self.store.release(lease, wake_at, Why::GoingOn, Signal::Quiet).await?)
    }

    pub(super) async fn wake(&self, hint: Hint) -> Verdict<usize> {
        Ok(self.store.wake(&[hint]).await?)
    }

    /// Returns what a look would save if it changed the record so.
    pub(super) async fn draft(&self, lease: &Lease, change: impl FnOnce(&mut ModuleBuild)) -> Verdict<Save> {
        let loaded = self.load(lease.build).await?;
        let mut now = loaded.build.clone();
        change(&mut now);
        Ok(Save {
            was: Arc::new(loaded.build),
            now,
            revision: loaded.revision,
            lease: lease.clone(),
            notes: Vec::new(),
            signal: Signal::Quiet,
        })
    }

    /// Loads, changes and saves under a lease. The outer error is the ground's, the inner one the store's.
    pub(super) async fn try_save(
        &self,
        lease: &Lease,
        change: impl FnOnce(&mut ModuleBuild),
    ) -> Verdict<Result<Saved, StoreError>> {
        let draft = self.draft(lease, change).await?;
        Ok(self.store.save(draft).await)
    }

    pub(super) async fn save(&self, lease: &Lease, change: impl FnOnce(&mut ModuleBuild)) -> Verdict<Saved> {
        Ok(self.try_save(lease, change).await??)
    }

    pub(super) async fn try_amend(
        &self,
        id: BuildId,
        change: impl FnOnce(&mut ModuleBuild),
    ) -> Verdict<Result<Saved, StoreError>> {
        let Loaded { build: mut now, revision, .. } = self.load(id).await?;
        change(&mut now);
        Ok(self.store.amend(Amend { now, revision, by: "mary".into(), what: "cancelled it".into() }).await)
    }

    pub(super) async fn amend(&self, id: BuildId, change: impl FnOnce(&mut ModuleBuild)) -> Verdict<Saved> {
        Ok(self.try_amend(id, change).await??)
    }

    /// Wakes, claims, saves and releases without a next look.
    pub(super) async fn try_look(
        &self,
        id: BuildId,
        change: impl FnOnce(&mut ModuleBuild),
    ) -> Verdict<Result<Saved, StoreError>> {
        self.wake(Hint::Build(id)).await?;
        self.pass_the_gap().await;
        let lease = self.claim_only(id).await?;
        let saved = self.try_save(&lease, change).await?;
        self.release(&lease, None).await?;
        Ok(saved)
    }

    pub(super) async fn look(&self, id: BuildId, change: impl FnOnce(&mut ModuleBuild)) -> Verdict<Saved> {
        Ok(self.try_look(id, change).await??)
    }

    pub(super) async fn set(&self, settings: Settings) -> Verdict {
        Ok(self.store.change_settings(settings, "op").await?)
    }

    pub(super) async fn limit(&self, limit: u32) -> Verdict {
        self.set(Settings { limit: Some(limit), ..Settings::default() }).await
    }

    pub(super) async fn pass_the_gap(&self) {
        self.ground.pass(self.ground.policy().min_gap).await;
    }

    /// Lets a part of a lease's length pass.
    pub(super) async fn pass_of_a_lease(&self, percent: u32) {
        self.ground.pass(self.ground.policy().lease * percent / 100).await;
    }

    /// Returns the next whole second of the store's time, and so many later.
    pub(super) async fn in_secs(&self, secs: i64) -> Verdict<Timestamp> {
        Ok(Timestamp::from_second(self.store.now().await?.as_second() + 1 + secs)?)
    }

    pub(super) async fn take(&self, sink: &str, n: usize) -> Verdict<Vec<Delivery>> {
        Ok(self.store.take(&Sink(sink.into()), n).await?)
    }

    pub(super) async fn ack(&self, sink: &str, deliveries: &[Delivery]) -> Verdict {
        let numbers: Vec<_> = deliveries.iter().map(|delivery| delivery.number).collect();
        Ok(self.store.ack(&Sink(sink.into()), &numbers).await?)
    }

    /// Takes all events of a build for a sink that nobody else uses.
    pub(super) async fn drain_events(&self, sink: &str, of: BuildId) -> Verdict<Vec<Delivery>> {
        let mut events = Vec::new();
        loop {
            let next = self.take(sink, 100).await?;
            if next.is_empty() {
                return Ok(events);
            }
            self.ack(sink, &next).await?;
            events.extend(next.into_iter().filter(|delivery| delivery.event.build == of));
        }
    }

    /// Reads all that a save of this build may change. `sink` must be a new one.
    pub(super) async fn everything(&self, id: BuildId, sink: &str) -> Verdict<Everything> {
        let events = self.drain_events(sink, id).await?;
        Ok(Everything {
            loaded: self.load(id).await?,
            trace: self.store.trace(id).await?,
            log: self.store.log(id).await?,
            audit: self.store.audit(id).await?,
            events: events.iter().map(|e| (e.event.seq, e.event.transition.to)).collect(),
        })
    }

    /// Makes builds that sleep in line since the given seconds, each for one slot.
    pub(super) async fn line(&self, since: &[i64]) -> Verdict<Vec<BuildId>> {
        let mut ids = Vec::new();
        for (number, since) in since.iter().enumerate() {
            let id = self.create_asleep(&format!("line:{number}:1:a")).await?;
            self.look(id, |build| wait_in_line(build, *since)).await?;
            ids.push(id);
        }
        self.pass_the_gap().await;
        Ok(ids)
    }

    /// Checks who is due; in no particular order.
    pub(super) async fn due_are(&self, wanted: &[BuildId]) -> Verdict {
        let mut due = self.claim(100).await?;
        due.sort();
        equal("due", due, wanted)
    }
}

pub(super) fn worker(name: &str) -> WorkerId {
    WorkerId(name.into())
}

/// Takes a new build to `ready`.
pub(super) fn finish(build: &mut ModuleBuild, when: i64) {
    for state in [State::Wait, State::Build, State::Done, State::Ready] {
        enter(build, state, when);
    }
}

/// Enters a state from a change.
pub(super) fn enter(build: &mut ModuleBuild, to: State, when: i64) {
    build.enter(to, None, at(when)).expect("suites follow the arrows");
}

/// Fails a build, as a person who cancels does.
pub(super) fn fail(build: &mut ModuleBuild) {
    let failed = build.life.fail("Canceled by mary".into(), crate::model::Failure::User, at(1));
    failed.expect("suites follow the arrows");
}

/// Takes so many slots.
pub(super) fn take_slots(build: &mut ModuleBuild, count: usize) {
    for number in build.components.len()..count {
        build.components.push(running(&format!("c{number}"), None).into());
    }
}

/// Ends the live attempts of all components.
pub(super) fn free_slots(build: &mut ModuleBuild) {
    for attempt in build.components.iter_mut().filter_map(|component| component.live_attempt_mut()) {
        attempt.end = Some(AttemptEnd::Lost);
    }
}

pub(super) fn wait_in_line(build: &mut ModuleBuild, since: i64) {
    build.line = Some(Line { since: at(since), wants: 1 });
}
