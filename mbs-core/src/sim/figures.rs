//! A history in figures: how long builds took and what they waited for, and how full the slots were.
//!
//! It counts what was committed and how long the world let tasks take. It judges nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ident::{BuildId, Package};
use crate::model::{BuildState, ModuleBuild, State};

/// What a history was like. Times are since the world began.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// The builds, by id.
    pub builds: BTreeMap<BuildId, BuildFigures>,
    /// For how long slots were held, added up over all slots.
    pub held: Duration,
    /// For how long there were slots to hold while any build was open, added up over all slots; `None`: for a while there was
    /// no limit.
    pub offered: Option<Duration>,
}

/// What the history of one build was like.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BuildFigures {
    /// When it was submitted.
    pub submitted: Duration,
    /// When half of its components were complete, the macros not counted; `None`: never.
    pub half_built: Option<Duration>,
    /// When it was last seen to end: `done`, `ready` or `failed`; `None`: it is open.
    pub ended: Option<Duration>,
    /// For how long it waited in line for slots, with or without holding some.
    pub in_line: Duration,
    /// For how long it was in `build`, held no slot and could not have used one: tags and repositories were awaited.
    pub between: Duration,
    /// How long the last task of each component took that the world let begin, the macros included.
    pub tasks: BTreeMap<Package, Duration>,
}

impl Figures {
    /// Returns the time from the first submission until the last build ended; an open build counts as if it took no time.
    pub fn makespan(&self) -> Duration {
        let first = self.builds.values().map(|build| build.submitted).min().unwrap_or_default();
        let last = self.builds.values().filter_map(|build| build.ended).max().unwrap_or_default();
        last.saturating_sub(first)
    }

    /// Returns the part of the slots that was held, 1 being all of them all the time; `None` without a limit, or a build.
    pub fn utilisation(&self) -> Option<f64> {
        self.offered.filter(|offered| !offered.is_zero()).map(|o| self.held.as_secs_f64() / o.as_secs_f64())
    }
}

impl BuildFigures {
    /// Returns the time from its submission to its end; `None`: it is open.
    pub fn makespan(&self) -> Option<Duration> {
        Some(self.ended?.saturating_sub(self.submitted))
    }

    /// Returns how long all its tasks took, added up.
    pub fn work(&self) -> Duration {
        self.tasks.values().sum()
    }
}

/// Counts while a world turns.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    figures: Figures,
    standings: BTreeMap<BuildId, Standing>,
    limit: Option<u32>,
    /// Until when `figures.offered` is counted.
    offered_until: Duration,
    open: usize,
}

/// How a build stands since its last commit.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    since: Duration,
    held: u32,
    is_in_line: bool,
    is_between: bool,
}

impl Ledger {
    pub(super) fn new(limit: Option<u32>) -> Self {
        let figures = Figures { offered: Some(Duration::ZERO), ..Figures::default() };
        Self { figures, limit, ..Self::default() }
    }

    /// Enters a build as it was committed.
    pub(super) fn note(&mut self, now: Duration, build: &ModuleBuild) {
        self.offer_until(now);
        let has_ended = has_ended(build.state());
        let figures = self.figures.builds.entry(build.id).or_insert_with(|| {
            self.open += 1;
            BuildFigures { submitted: now, ..BuildFigures::default() }
        });
        let standing = self.standings.entry(build.id).or_default();
        let lasted = now.saturating_sub(standing.since);
        self.figures.held += lasted * standing.held;
        figures.in_line += if standing.is_in_line { lasted } else { Duration::ZERO };
        figures.between += if standing.is_between { lasted } else { Duration::ZERO };
        let (held, is_in_line) = (build.slots_held(), build.line.is_some());
        let is_between = build.state() == State::Build && held == 0 && !is_in_line;
        *standing = Standing { since: now, held, is_in_line, is_between };
        if is_half_built(build) {
            figures.half_built.get_or_insert(now);
        }
        match (figures.ended.is_some(), has_ended) {
            (false, true) => {
                figures.ended = Some(now);
                self.open -= 1;
            }
            (true, false) => {
                figures.ended = None;
                self.open += 1;
            }
            (false, false) | (true, true) => {}
        }
    }

    /// Enters the limit as it holds from now on.
    pub(super) fn limit(&mut self, now: Duration, limit: Option<u32>) {
        self.offer_until(now);
        self.limit = limit;
    }

    /// Enters how long a task of a component will take.
    pub(super) fn task(&mut self, build: BuildId, package: &Package, takes: Duration) {
        if let Some(figures) = self.figures.builds.get_mut(&build) {
            figures.tasks.insert(package.clone(), takes);
        }
    }

    /// Returns what was counted.
    pub(super) fn figures(&self) -> Figures {
        self.figures.clone()
    }

    fn offer_until(&mut self, now: Duration) {
        let lasted = now.saturating_sub(std::mem::replace(&mut self.offered_until, now));
        if self.open > 0 && !lasted.is_zero() {
            let offered = self.limit.and_then(|limit| Some(self.figures.offered? + lasted * limit));
            self.figures.offered = offered;
        }
    }
}

fn has_ended(state: State) -> bool {
    match state {
        State::Done | State::Ready | State::Failed | State::Garbage => true,
        State::Init | State::Wait | State::Build => false,
    }
}

fn is_half_built(build: &ModuleBuild) -> bool {
    let own = || build.components.iter().filter(|component| !component.is_macros());
    let complete = own().filter(|component| component.state == Some(BuildState::Complete)).count();
    complete > 0 && complete * 2 >= own().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Nvr;
    use crate::memory::samples::{at, new_build, running};
    use crate::model::{Line, ModuleBuild};

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn build(id: i64) -> ModuleBuild {
        let mut build = ModuleBuild::begin(new_build("a:1:1:a"), BuildId(id), BuildId(id), at(0));
        build.enter(State::Wait, None, at(0)).unwrap();
        build.enter(State::Build, None, at(0)).unwrap();
        build
    }

    fn complete(build: &mut ModuleBuild, place: usize) {
        let component = &mut build.components[place];
        component.attempts.clear();
        component.state = Some(BuildState::Complete);
        component.nvr = Some(Nvr::of("a", "1", "1"));
    }

    #[test]
    fn slots_are_counted_from_commit_to_commit_and_offered_while_a_build_is_open() {
        let mut ledger = Ledger::new(Some(4));
        let mut one = build(1);
        ledger.note(secs(10), &one);
        one.components = vec![running("a", Some(1)).into(), running("b", Some(2)).into()];
        ledger.note(secs(20), &one);
        ledger.limit(secs(30), Some(2));
        complete(&mut one, 0);
        ledger.note(secs(40), &one);
        complete(&mut one, 1);
        one.enter(State::Done, None, at(60)).unwrap();
        ledger.note(secs(60), &one);
        ledger.limit(secs(90), Some(2));
        let figures = ledger.figures();
        assert_eq!((figures.held, figures.offered), (secs(2 * 20 + 20), Some(secs(4 * 20 + 2 * 30))));
        assert_eq!((figures.utilisation(), figures.makespan()), (Some(60.0 / 140.0), secs(50)));
        assert_eq!(figures.builds[&BuildId(1)].half_built, Some(secs(40)));
    }

    #[test]
    fn what_is_awaited_without_a_slot_is_no_wait_in_line() {
        let mut ledger = Ledger::new(None);
        let mut one = build(1);
        one.line = Some(Line { since: at(0), wants: 1 });
        ledger.note(secs(0), &one);
        one.line = None;
        ledger.note(secs(7), &one);
        one.components = vec![running("a", Some(1)).into()];
        ledger.note(secs(20), &one);
        ledger.note(secs(60), &one);
        let figures = ledger.figures();
        let one = &figures.builds[&BuildId(1)];
        assert_eq!((one.in_line, one.between, one.makespan()), (secs(7), secs(13), None));
        assert_eq!(figures.offered, None, "there is no limit");
    }

    #[test]
    fn a_resumed_build_is_open_again() {
        let mut ledger = Ledger::new(Some(1));
        let mut one = build(1);
        ledger.note(secs(0), &one);
        one.enter(State::Failed, Some("no".into()), at(5)).unwrap();
        ledger.note(secs(5), &one);
        one.enter(State::Wait, None, at(100)).unwrap();
        ledger.note(secs(100), &one);
        assert_eq!(ledger.figures().builds[&BuildId(1)].ended, None);
        one.enter(State::Failed, Some("no".into()), at(110)).unwrap();
        ledger.note(secs(110), &one);
        ledger.task(BuildId(1), &running("a", Some(1)).package, secs(3));
        let figures = ledger.figures();
        assert_eq!((figures.offered, figures.makespan()), (Some(secs(15)), secs(110)));
        assert_eq!(figures.builds[&BuildId(1)].work(), secs(3));
    }
}
