//! Watches a world and says when a promise is broken: the invariants I1 to I15 of the design, each a named check.
//!
//! It is told what backends send, what arrives and what is committed, sees how things really stand, and keeps books of its
//! own. It never trusts what a planner or a store says of itself, and changes nothing.

mod life;
mod order;
mod promise;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use super::figures::{Figures, Ledger};
use super::grounds::Grounds;
use super::story::Story;
use crate::bus::Hint;
use crate::ident::{BuildId, Package, Revision, TagName, TaskId};
use crate::model::{ModuleBuild, State, Transition};
use crate::plan::Why;
use crate::policy::Policy;
use crate::share::PlaceInLine;
use crate::store::{Claim, Created, IdempotencyKey, Lease, Saved, Settings, Slots, StateChange, StoreError};

pub use promise::{Inspection, Invariant, Violation};

/// Watches one world.
pub(super) struct Inspector {
    inspection: Inspection,
    grounds: Arc<dyn Grounds>,
    policy: Policy,
    story: Arc<Story>,
    books: Mutex<Books>,
}

/// What the inspector keeps.
#[derive(Default)]
struct Books {
    now: Duration,
    violations: Vec<Violation>,
    builds: BTreeMap<BuildId, Watched>,
    leases: BTreeMap<BuildId, (u64, Timestamp)>,
    keys: BTreeMap<String, (String, Vec<BuildId>)>,
    settings: Settings,
    /// The effective limit, as the store last said.
    limit: Option<u32>,
    /// Components of which a call came later than anybody could expect.
    late: BTreeSet<(BuildId, Package)>,
    /// Tasks that failed because their package does not build.
    package_faults: BTreeSet<TaskId>,
    /// When strangers last touched a tag.
    meddled: BTreeMap<TagName, Duration>,
    /// Since when a slot is free while somebody waits in line.
    idle_since: Option<Duration>,
    /// The place of each build in line, and since when it has had it.
    in_place_since: BTreeMap<BuildId, (PlaceInLine, Duration)>,
    /// When something last went wrong.
    last_harm: Duration,
    seen_generation: u64,
    /// Whether something was committed since the grounds were looked at.
    is_stale: bool,
    /// How often something was committed or set.
    commits: u64,
    line: slots::LineSeen,
    ledger: Ledger,
}

/// What was committed.
pub(super) struct Commit<'c> {
    /// The revision that was loaded before.
    pub(super) based_on: Revision,
    pub(super) saved: &'c Saved,
    pub(super) transitions: &'c [Transition],
}

/// A build as last committed.
pub(super) struct Watched {
    pub(super) record: ModuleBuild,
    pub(super) revision: Revision,
    pub(super) trace: Vec<Transition>,
    /// The number of its last published event.
    pub(super) published: u64,
    /// What people did to it that was committed, in order.
    pub(super) deeds: Vec<(String, State)>,
    /// When it was looked at since a plan for it first found a contradiction; `None`: none did.
    pub(super) poisoned_looks: Option<Vec<Duration>>,
    /// How often hints, people or the store made it due for another reason than its own.
    pub(super) wakes: usize,
}

impl Watched {
    /// Says whether a hint names the build, a tag or a task of it.
    fn is_named_by(&self, hint: &Hint) -> bool {
        let build = &self.record;
        match hint {
            Hint::Everything => true,
            Hint::Build(id) => build.id == *id,
            Hint::Tag(tag) => build.koji_tag.as_ref() == Some(tag) || build.build_tag().as_ref() == Some(tag),
            Hint::Task(task) => {
                let attempts = build.components.iter().flat_map(|component| &component.attempts);
                attempts.filter_map(|attempt| attempt.task).chain(build.repo_tasks()).any(|own| own == *task)
            }
        }
    }

    /// Says whether every change that was committed is published.
    pub(super) fn is_published(&self) -> bool {
        self.published >= self.trace.len() as u64
    }

    /// Returns when the build was last resumed, or submitted.
    pub(super) fn leg_began(&self) -> Timestamp {
        let is_begin = |change: &&Transition| {
            matches!(change.to, State::Init) || change.from == Some(State::Failed) && change.to == State::Wait
        };
        let begins = self.trace.iter().filter(is_begin);
        begins.map(|change| change.at).max().unwrap_or(self.record.submitted_at)
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspector").field("violations", &self.books().violations).finish_non_exhaustive()
    }
}

impl Inspector {
    pub(super) fn new(
        inspection: Inspection,
        grounds: Arc<dyn Grounds>,
        policy: Policy,
        settings: Settings,
        story: Arc<Story>,
    ) -> Self {
        let ledger = Ledger::new(settings.limit);
        let books = Books { limit: settings.limit, settings, ledger, ..Books::default() };
        Self { inspection, grounds, policy, story, books: Mutex::new(books) }
    }

    /// Says whether every step is checked.
    pub(super) fn checks_steps(&self) -> bool {
        self.inspection == Inspection::Steps
    }

    /// Tells what time it is.
    pub(super) fn turn(&self, now: Duration) {
        self.books().now = now;
    }

    /// Notes that something went wrong, so that patience is in place for a while.
    pub(super) fn harm(&self) {
        let mut books = self.books();
        books.last_harm = books.now;
    }

    /// Returns a number that grows with every commit.
    pub(super) fn commits(&self) -> u64 {
        self.books().commits
    }

    /// Notes how long a task of a component will take.
    pub(super) fn task(&self, build: BuildId, package: &Package, takes: Duration) {
        self.books().ledger.task(build, package, takes);
    }

    /// Returns the history so far in figures.
    pub(super) fn figures(&self) -> Figures {
        self.books().ledger.figures()
    }

    /// Notes that no plan can be made for a build.
    pub(super) fn is_poisoned(&self, build: BuildId) {
        if let Some(watched) = self.books().builds.get_mut(&build) {
            watched.poisoned_looks.get_or_insert_default();
        }
    }

    /// Notes that hints may have made builds due.
    pub(super) fn woken(&self, hints: &[Hint]) {
        for watched in self.books().builds.values_mut() {
            watched.wakes += usize::from(hints.iter().any(|hint| watched.is_named_by(hint)));
        }
    }

    /// Notes that a task fails because its package does not build.
    pub(super) fn package_fails(&self, task: TaskId) {
        self.books().package_faults.insert(task);
    }

    /// Notes that strangers touched a tag.
    pub(super) fn meddled(&self, tag: &TagName) {
        let mut books = self.books();
        let now = books.now;
        books.meddled.insert(tag.clone(), now);
    }

    /// Returns the first promise that was broken.
    pub(super) fn violation(&self) -> Option<Violation> {
        self.books().violations.first().cloned()
    }

    /// Notes a promise that was found broken elsewhere.
    pub(super) fn report(&self, invariant: Invariant, build: Option<BuildId>, what: String) {
        self.books().report(invariant, build, what);
    }

    /// Shows the builds as last committed.
    pub(super) fn with_builds<T>(&self, look: impl FnOnce(&BTreeMap<BuildId, Watched>) -> T) -> T {
        look(&self.books().builds)
    }

    /// Returns the build that a target or tag belongs to.
    pub(super) fn owner_of(&self, place: &TagName) -> Option<BuildId> {
        let books = self.books();
        let destination = place.as_str().strip_suffix("-build").unwrap_or(place.as_str());
        let owns = |watched: &&Watched| {
            watched.record.koji_tag.as_ref().is_some_and(|tag| tag.as_str() == destination)
        };
        books.builds.values().rev().find(owns).map(|watched| watched.record.id)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("no check panics")
    }
}

/// What the store tells.
impl Inspector {
    pub(super) fn created(&self, key: Option<&IdempotencyKey>, answer: &Result<Created, StoreError>) {
        let mut books = self.books();
        books.check_key(key, answer);
        let Ok(created) = answer else { return };
        for build in &created.builds {
            if books.builds.contains_key(&build.id) {
                continue;
            }
            let trace =
                vec![Transition { from: None, to: State::Init, at: build.submitted_at, reason: None }];
            self.story.tell(Some(build.id), &build.new.owner, || {
                format!("submits {} as module build {}", build.nsvc(), build.id)
            });
            let watched = Watched {
                record: build.clone(),
                revision: Revision(0),
                trace,
                published: 0,
                deeds: Vec::new(),
                poisoned_looks: None,
                wakes: 0,
            };
            let now = books.now;
            books.ledger.note(now, build);
            books.builds.insert(build.id, watched);
            books.commits += 1;
        }
    }

    /// Shows the slots as a load found them.
    pub(super) fn shown(&self, slots: &Slots) {
        self.books().see_limit(slots.limit);
    }

    /// Notes what operators set.
    pub(super) fn set(&self, settings: &Settings) {
        self.woken(&[Hint::Everything]);
        let mut books = self.books();
        books.commits += 1;
        books.settings = settings.clone();
        books.limit = match (books.limit, settings.limit) {
            (Some(effective), Some(maximum)) => Some(effective.max(maximum)),
            (None, maximum) => maximum,
            (_, None) => None,
        };
        let (now, limit) = (books.now, books.limit);
        books.ledger.limit(now, limit);
    }

    /// Notes a claim. Says whether it took over from somebody who never gave the build back.
    pub(super) fn claimed(&self, claim: &Claim) -> bool {
        let mut books = self.books();
        let until = claim.store_now.checked_add(self.policy.lease).unwrap_or(Timestamp::MAX);
        let id = claim.lease.build;
        let held_until = books.leases.get(&id).map(|(_, held_until)| *held_until);
        if held_until.is_some_and(|held_until| held_until > claim.store_now) {
            let what = format!("it was claimed by {} while somebody's lease lived", claim.lease.worker.0);
            books.report(Invariant::I8, Some(id), what);
        }
        books.leases.insert(id, (claim.lease.token, until));
        books.check_poison(id, &self.policy);
        held_until.is_some()
    }

    /// Returns the number of the lease on a build, if somebody holds one.
    pub(super) fn lease_on(&self, build: BuildId) -> Option<u64> {
        self.books().leases.get(&build).map(|(token, _)| *token)
    }

    pub(super) fn renewed(&self, lease: &Lease, now: Timestamp) {
        let until = now.checked_add(self.policy.lease).unwrap_or(Timestamp::MAX);
        if let Some(held) = self.books().leases.get_mut(&lease.build).filter(|held| held.0 == lease.token) {
            held.1 = until;
        }
    }

    pub(super) fn released(&self, lease: &Lease, why: &Why) {
        let mut books = self.books();
        if books.leases.get(&lease.build).is_some_and(|held| held.0 == lease.token) {
            books.leases.remove(&lease.build);
        }
        self.story.tell(Some(lease.build), &lease.worker.0, || {
            format!("leaves module build {}: {why}", lease.build)
        });
    }

    pub(super) fn saved(&self, lease: &Lease, commit: &Commit<'_>, now: Timestamp) {
        let mut books = self.books();
        books.check_lease(lease, now);
        self.commit(&mut books, &lease.worker.0, commit);
    }

    pub(super) fn amended(&self, what: &str, commit: &Commit<'_>) {
        let mut books = self.books();
        let (id, state) = (commit.saved.build.id, commit.saved.build.state());
        self.commit(&mut books, &commit.saved.build.new.owner, commit);
        if let Some(watched) = books.builds.get_mut(&id) {
            watched.deeds.push((what.to_owned(), state));
            // What a person did begins a new course, and with it short pauses.
            watched.poisoned_looks = None;
        }
    }

    /// I15: an event is published after its commit, as it was committed, and without a gap after the one before.
    pub(super) fn published(&self, event: &StateChange) {
        let mut books = self.books();
        let Some(watched) = books.builds.get_mut(&event.build) else {
            return books.report(
                Invariant::I15,
                Some(event.build),
                "an event of no build is published".into(),
            );
        };
        let committed =
            usize::try_from(event.seq).ok().and_then(|seq| watched.trace.get(seq.checked_sub(1)?));
        let what = if committed != Some(&event.transition) || event.summary.state != event.transition.to {
            format!("event {} is published, and no such change was committed", event.seq)
        } else if event.seq > watched.published + 1 {
            format!("event {} is published after event {}", event.seq, watched.published)
        } else {
            watched.published = watched.published.max(event.seq);
            return;
        };
        books.report(Invariant::I15, Some(event.build), what);
    }

    /// Checks a commit against the books, and enters it.
    fn commit(&self, books: &mut Books, who: &str, commit: &Commit<'_>) {
        let Commit { based_on, saved, transitions } = *commit;
        let build = &saved.build;
        let Some(watched) = books.builds.get(&build.id) else {
            return books.report(Invariant::I8, Some(build.id), "it was saved before it was made".into());
        };
        let before = watched.record.clone();
        if watched.revision != based_on {
            let what = format!(
                "a save was based on its revision {}, and revision {} was overwritten",
                based_on.0, watched.revision.0
            );
            books.report(Invariant::I8, Some(build.id), what);
        }
        self.tell_changes(who, &before, build, transitions);
        if self.checks_steps() {
            books.check_arrows(&before, build, transitions);
            books.check_limit(&before, saved);
            self.check_end(books, &before, build);
        }
        if let Some(watched) = books.builds.get_mut(&build.id) {
            watched.record = build.clone();
            watched.revision = saved.revision;
            watched.trace.extend(transitions.iter().cloned());
        }
        if self.checks_steps() {
            books.check_turns(&before, build, self.policy.tau);
        }
        books.see_limit(saved.slots.limit);
        let now = books.now;
        books.ledger.note(now, build);
        books.is_stale = true;
        books.commits += 1;
    }

    fn tell_changes(&self, who: &str, before: &ModuleBuild, after: &ModuleBuild, transitions: &[Transition]) {
        for change in transitions {
            self.story.tell(Some(after.id), who, || {
                let reason = change.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                format!("module build {} becomes {}{reason}", after.id, change.to)
            });
        }
        if before.batch != after.batch {
            self.story.tell(Some(after.id), who, || {
                format!("module build {} begins batch {}", after.id, after.batch)
            });
        }
        for component in &after.components {
            let earlier = before.component(component.package.as_str());
            let (was, is) = (earlier.and_then(|earlier| earlier.attempts.last()), component.attempts.last());
            if was != is
                && let Some(attempt) = is
            {
                self.story.tell(Some(after.id), who, || {
                    let task = attempt.task.map(|task| format!(" task {task}")).unwrap_or_default();
                    match &attempt.end {
                        None if task.is_empty() => {
                            format!("means to submit {} (try {})", component.package, attempt.number)
                        }
                        None => format!("{} (try {}) is{task}", component.package, attempt.number),
                        Some(end) => {
                            format!("{} (try {}){task} ended: {end:?}", component.package, attempt.number)
                        }
                    }
                });
            }
        }
    }
}

impl Books {
    /// I13: a poisoned build is looked at ever more rarely, but for wakes.
    fn check_poison(&mut self, id: BuildId, policy: &Policy) {
        let now = self.now;
        let Some(watched) = self.builds.get_mut(&id) else { return };
        let wakes = watched.wakes;
        let Some(looks) = &mut watched.poisoned_looks else { return };
        looks.push(now);
        let lasts = now.saturating_sub(looks[0]);
        // The pause doubles from the first to the longest; each pause may end a look early by a wake, or a crash.
        let doublings =
            (policy.backoff_longest.as_secs_f64() / policy.backoff_first.as_secs_f64()).log2().ceil();
        let most = doublings as usize + (lasts.as_secs() / policy.backoff_longest.as_secs()) as usize + 4;
        if looks.len() > most + wakes {
            let what = format!(
                "no plan can be made for it, and it was looked at {} times in {} s",
                looks.len(),
                lasts.as_secs()
            );
            self.report(Invariant::I13, Some(id), what);
        }
    }

    fn see_limit(&mut self, limit: Option<u32>) {
        if self.limit != limit {
            self.limit = limit;
            self.ledger.limit(self.now, limit);
            self.commits += 1;
        }
    }

    fn report(&mut self, invariant: Invariant, build: Option<BuildId>, what: String) {
        let at = self.now;
        self.violations.push(Violation { invariant, build, what, at });
    }

    /// I14: one key, one submission, the same builds each time.
    fn check_key(&mut self, key: Option<&IdempotencyKey>, answer: &Result<Created, StoreError>) {
        let Some(key) = key else { return };
        let known = self.keys.get(&key.key).cloned();
        match (known, answer) {
            (None, Ok(created)) => {
                let ids = created.builds.iter().map(|build| build.id).collect();
                self.keys.insert(key.key.clone(), (key.content.clone(), ids));
            }
            (Some((content, ids)), Ok(created)) => {
                let now: Vec<BuildId> = created.builds.iter().map(|build| build.id).collect();
                if content != key.content {
                    let what = format!("the key {} was taken for another submission", key.key);
                    self.report(Invariant::I14, ids.first().copied(), what);
                } else if now != ids {
                    let what = format!("the key {} gave {now:?} after {ids:?}", key.key);
                    self.report(Invariant::I14, ids.first().copied(), what);
                }
            }
            (Some((content, ids)), Err(StoreError::KeyReused(_) | StoreError::Taken(_)))
                if content == key.content =>
            {
                let what = format!("the same submission with the key {} was refused", key.key);
                self.report(Invariant::I14, ids.first().copied(), what);
            }
            (_, Err(_)) => {}
        }
    }
}
