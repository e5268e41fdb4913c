//! I1 and I12: the limit, and the line.

use std::time::Duration;

use super::{Books, Inspector, Invariant};
use crate::ident::BuildId;
use crate::model::{Line, ModuleBuild, State};
use crate::share::{PlaceInLine, place_in_line};
use crate::store::Saved;

/// A slot may stay free for so long while nothing is wrong: the gap between two looks, one look, and the way of its calls.
const IDLE_WHEN_CALM: Duration = Duration::from_secs(20);

/// And for so long after something went wrong: a lease has to end, a call that is never answered, too.
const IDLE_AFTER_HARM: Duration = Duration::from_secs(900);

impl Books {
    /// I1: a save that takes more slots leaves no more in use than the limit allows.
    pub(super) fn check_limit(&mut self, before: &ModuleBuild, saved: &Saved) {
        let (held, holds) = (before.slots_held(), saved.build.slots_held());
        if holds <= held {
            return;
        }
        let others: u32 = self.held_by_others(saved.build.id);
        let in_use = others + holds;
        // The save's own signal may have moved the limit after the check.
        let limit = match (self.limit, saved.slots.limit) {
            (Some(before), Some(after)) => before.max(after),
            (None, _) | (_, None) => return,
        };
        if in_use > limit {
            let what =
                format!("it took {} slots: {in_use} are in use, and the limit is {limit}", holds - held);
            self.report(Invariant::I1, Some(saved.build.id), what);
        }
    }

    fn held_by_others(&self, build: BuildId) -> u32 {
        let others = self.builds.values().filter(|watched| watched.record.id != build);
        others.map(|watched| watched.record.slots_held()).sum()
    }

    /// I12: who is served was first in line, or leaves enough for those ahead. Who came ahead a moment ago may have been unseen.
    pub(super) fn check_turns(&mut self, before: &ModuleBuild, after: &ModuleBuild, tau: Duration) {
        let Some(limit) = self.limit else { return };
        let mut free = limit.saturating_sub(self.held_by_others(after.id) + after.slots_held());
        let Some(mine) = place_when_served(before, after, tau) else { return };
        let unseen = if self.is_calm() { IDLE_WHEN_CALM } else { IDLE_AFTER_HARM };
        for place in self.line(tau).into_iter().filter(|place| *place < mine && place.build != after.id) {
            if free >= place.wants {
                free -= place.wants;
                continue;
            }
            let since = self.in_place_since.get(&place.build).filter(|(was, _)| was.turn == place.turn);
            if since.is_some_and(|(_, since)| self.now.saturating_sub(*since) > unseen) {
                let what = format!("module build {} was served before it, out of turn", after.id);
                self.report(Invariant::I12, Some(place.build), what);
            }
        }
    }

    fn is_calm(&self) -> bool {
        self.now.saturating_sub(self.last_harm) > IDLE_AFTER_HARM
    }

    /// Returns the line as the records say, first come first.
    fn line(&self, tau: Duration) -> Vec<PlaceInLine> {
        let in_build = self.builds.values().filter(|watched| watched.record.state() == State::Build);
        let mut line: Vec<PlaceInLine> =
            in_build.filter_map(|w| Some(place_in_line(&w.record, w.record.line?, tau))).collect();
        line.sort();
        line
    }
}

/// Returns the place in line at which a build was given slots: a newcomer's turn is the moment it came, and who
/// comes back from a pause has the one he had. `None` if it was given
/// none: what it holds may be the same though one attempt ended and another began.
fn place_when_served(before: &ModuleBuild, after: &ModuleBuild, tau: Duration) -> Option<PlaceInLine> {
    let mut without = after.clone();
    let mut served_at = None;
    for component in &mut without.components {
        let known = before.component(component.package.as_str()).map_or(0, |earlier| earlier.attempts.len());
        if component.holds_slot() && component.attempts.len() > known {
            served_at = component.attempts.pop().map(|attempt| attempt.intended_at);
        }
    }
    let since = before.turn().or(served_at)?;
    served_at.map(|_| place_in_line(&without, Line { since, wants: 1 }, tau))
}

/// The line as it was when something was last committed.
#[derive(Debug, Default)]
pub(super) struct LineSeen {
    at_commit: u64,
    first: Option<BuildId>,
    is_open: bool,
}

impl Inspector {
    /// I12: no slot stays free while somebody in line could use it.
    pub(in crate::sim) fn check_idle_slots(&self) {
        if !self.checks_steps() {
            return;
        }
        let mut books = self.books();
        if books.line.at_commit != books.commits {
            self.see_line(&mut books);
        }
        let now = books.now;
        let Some(first) = books.line.first.filter(|_| books.line.is_open) else {
            books.idle_since = None;
            return;
        };
        let since = *books.idle_since.get_or_insert(now);
        let bound = if books.is_calm() { IDLE_WHEN_CALM } else { IDLE_AFTER_HARM };
        if now.saturating_sub(since) > bound {
            let idle = now.saturating_sub(since).as_secs();
            let what = format!("a slot is free for {idle} s though module build {first} waits in line");
            books.report(Invariant::I12, Some(first), what);
        }
    }

    /// Notes that no backend is up: then slots stay free.
    pub(in crate::sim) fn nobody_works(&self) {
        self.books().idle_since = None;
    }

    fn see_line(&self, books: &mut Books) {
        let line = books.line(self.policy.tau);
        let in_use: u32 = books.builds.values().map(|watched| watched.record.slots_held()).sum();
        let is_free = books.limit.is_none_or(|limit| in_use < limit);
        let now = books.now;
        let stood = std::mem::take(&mut books.in_place_since);
        let since = |place: &PlaceInLine| match stood.get(&place.build) {
            Some((was, since)) if was.turn == place.turn => *since,
            Some(_) | None => now,
        };
        books.in_place_since = line.iter().map(|place| (place.build, (*place, since(place)))).collect();
        let first = line.first().map(|place| place.build);
        books.line = LineSeen { at_commit: books.commits, first, is_open: is_free && !books.settings.paused };
    }
}
