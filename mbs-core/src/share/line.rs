//! The line for slots: its order, and who may take what is free.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ident::BuildId;
use crate::model::{Line, ModuleBuild};
use crate::store::Slots;

/// So much of the line is shown though nothing is free.
const SHOWN: usize = 16;

/// A build's place in the line for slots; the smallest is served first. It does not change with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlaceInLine {
    /// The build's priority, highest first.
    pub priority: Reverse<i32>,
    /// Since when it waits or was last given a slot, plus a handicap for the slots it holds.
    pub turn: Timestamp,
    /// The build.
    pub build: BuildId,
    /// How many slots it could use.
    pub wants: u32,
}

/// Returns the place in line that a build has with a wish: priority (highest first), turn, id. Source: design, section 3.
///
/// `tau` is what a held slot costs in waiting time.
pub fn place_in_line(build: &ModuleBuild, line: Line, tau: Duration) -> PlaceInLine {
    let handicap = tau.saturating_mul(build.slots_held());
    let turn = microseconds(line.since.checked_add(handicap).unwrap_or(line.since));
    PlaceInLine { priority: Reverse(build.new.priority), turn, build: build.id, wants: line.wants }
}

/// Cuts a time to microseconds, as finely as databases keep them: two stores never disagree on who comes first.
pub(crate) fn microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// Returns how many slots may be taken: none during a pause, a great many without a limit.
pub fn free(slots: &Slots) -> u32 {
    match slots.limit {
        _ if slots.is_paused => 0,
        Some(limit) => limit.saturating_sub(slots.in_use),
        None => u32::MAX,
    }
}

/// Says how many slots a build may take that stands, or would stand, at a place in line: what it wants, of what is free less
/// the wishes of those ahead of it.
pub fn grant(slots: &Slots, mine: &PlaceInLine) -> u32 {
    let is_ahead = |place: &&PlaceInLine| place.build != mine.build && *place < mine;
    let ahead = slots.head.iter().filter(is_ahead).fold(0, |sum: u32, place| sum.saturating_add(place.wants));
    mine.wants.min(free(slots).saturating_sub(ahead))
}

/// Returns so much of a line as decides who may take a slot: until the wishes take up all that is free, or so many as people
/// like to see. `line` is in order.
pub fn head<'l>(free: Option<u32>, line: impl IntoIterator<Item = &'l PlaceInLine>) -> Vec<PlaceInLine> {
    let mut left = free.unwrap_or(0);
    let mut head = Vec::new();
    for place in line {
        if left == 0 && head.len() >= SHOWN {
            break;
        }
        left = left.saturating_sub(place.wants);
        head.push(*place);
    }
    head
}

/// Returns those for whom a free slot is left: the first in line, until their wishes take up all that is free.
///
/// `line` is in order. It is read no further than the answer goes.
pub fn first_in_line<'l>(
    free: u32,
    line: impl IntoIterator<Item = &'l PlaceInLine>,
) -> impl Iterator<Item = BuildId> {
    let mut left = free;
    let mut line = line.into_iter();
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let place = line.next()?;
        left = left.saturating_sub(place.wants);
        Some(place.build)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::memory::samples::{at, new_build, running, secs};

    fn place(build: i64, turn: i64, wants: u32) -> PlaceInLine {
        PlaceInLine { priority: Reverse(0), turn: at(turn), build: BuildId(build), wants }
    }

    fn slots(in_use: u32, limit: u32, head: &[PlaceInLine]) -> Slots {
        Slots { limit: Some(limit), in_use, head: head.to_vec(), ..Slots::default() }
    }

    #[test]
    fn priority_comes_before_turn_and_turn_before_id() {
        let urgent = PlaceInLine { priority: Reverse(1), ..place(9, 99, 1) };
        let mut line = [place(3, 20, 1), place(2, 20, 5), place(1, 30, 1), urgent];
        line.sort();
        assert_eq!(line.map(|place| place.build.0), [9, 2, 3, 1]);
    }

    #[test]
    fn each_slot_that_is_held_costs_waiting_time() {
        let mut build = ModuleBuild::begin(new_build("a:1:1:a"), BuildId(7), BuildId(7), at(0));
        build.components = vec![running("liba", None).into(), running("libb", None).into()];
        let line = Line { since: at(10), wants: 3 };
        assert_eq!(place_in_line(&build, line, secs(60)), place(7, 130, 3));
        assert_eq!(
            place_in_line(&build, line, Duration::MAX).turn,
            at(10),
            "at the end of time it does not count"
        );
    }

    #[test]
    fn a_pause_leaves_nothing_free_whatever_the_limit() {
        let paused = |limit| Slots { limit, is_paused: true, ..Slots::default() };
        assert_eq!((free(&paused(None)), free(&paused(Some(5)))), (0, 0));
        assert_eq!(free(&slots(7, 5, &[])), 0);
        assert_eq!(free(&Slots::default()), u32::MAX);
    }

    #[test]
    fn a_newcomer_leaves_what_those_ahead_want_and_passes_those_behind() {
        let slots = slots(0, 5, &[place(1, 10, 3), place(2, 30, 9)]);
        assert_eq!(grant(&slots, &place(3, 20, 4)), 2);
        assert_eq!(grant(&slots, &place(3, 5, 4)), 4);
        assert_eq!(grant(&slots, &place(3, 40, 4)), 0);
    }

    fn line() -> impl Strategy<Value = Vec<PlaceInLine>> {
        let one = (-1..2_i32, 0..50_i64, 1..5_u32);
        proptest::collection::vec(one, 0..40).prop_map(|places| {
            let with_id = |(build, (priority, turn, wants))| PlaceInLine {
                priority: Reverse(priority),
                ..place(build, turn, wants)
            };
            let line: BTreeSet<_> = (1..).zip(places).map(with_id).collect();
            line.into_iter().collect()
        })
    }

    proptest! {
        #[test]
        fn what_all_may_take_is_all_that_is_free_and_no_more(
            line in line(), in_use in 0..20_u32, limit in 0..20_u32,
        ) {
            let slots = slots(in_use, limit, &line);
            let taken: u32 = line.iter().map(|place| grant(&slots, place)).sum();
            let wanted = line.iter().map(|place| place.wants).sum();
            prop_assert_eq!(taken, free(&slots).min(wanted));
        }

        #[test]
        fn exactly_those_are_woken_who_may_take_a_slot(
            line in line(), in_use in 0..20_u32, limit in 0..20_u32, is_paused: bool,
        ) {
            let slots = Slots { is_paused, ..slots(in_use, limit, &line) };
            let woken: Vec<_> = first_in_line(free(&slots), &line).collect();
            let may = line.iter().filter(|place| grant(&slots, place) > 0).map(|place| place.build);
            prop_assert_eq!(woken, may.collect::<Vec<_>>());
        }

        #[test]
        fn the_head_of_a_line_decides_as_the_whole_of_it(
            line in line(), in_use in 0..90_u32, limit in 0..99_u32, mine in (0..200_i64, 1..40_u32),
        ) {
            let whole = slots(in_use, limit, &line);
            let shown = Slots { head: head(Some(free(&whole)), &line), ..whole.clone() };
            let mine = place(99, mine.0, mine.1);
            prop_assert_eq!(grant(&shown, &mine), grant(&whole, &mine));
            prop_assert!(shown.head.len() <= SHOWN.max(free(&whole) as usize));
        }

        #[test]
        fn nobody_takes_more_than_the_same_wish_would_get_further_ahead(
            line in line(), in_use in 0..20_u32, limit in 0..20_u32, wants in 1..5_u32, turn in 0..50_i64,
        ) {
            let slots = slots(in_use, limit, &line);
            let [sooner, later] = [turn, turn + 7].map(|turn| grant(&slots, &place(99, turn, wants)));
            prop_assert!(sooner >= later);
        }
    }
}
