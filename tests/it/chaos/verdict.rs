//! What is wrong with what came out: builds, components, events. Each answer names all faults; empty: none.

use std::collections::BTreeMap;

use mbs_core::ident::{BuildId, Package, TagName};
use mbs_core::model::{State, Transition};
use mbs_core::store::StateChange;
use mbs_tests::chaos::ledger::{Component, Tally};

/// What the store says of a module build.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) target: TagName,
    pub(crate) packages: Vec<Package>,
    pub(crate) trace: Vec<Transition>,
    /// Tries at its components.
    pub(crate) attempts: usize,
    /// Those that never reached the hub.
    pub(crate) lost: usize,
}

/// The states that each build goes through, and no others.
const WAY: [State; 5] = [State::Init, State::Wait, State::Build, State::Done, State::Ready];

/// A component that was begun and built once.
const ONCE: Tally = Tally { begun: 1, live: 0, most_live: 1, built: 1 };

/// Returns what is wrong with traces: each goes the whole way.
pub(crate) fn of_traces(told: &BTreeMap<BuildId, Told>) -> Vec<String> {
    let way = |told: &Told| told.trace.iter().map(|change| change.to).collect::<Vec<_>>();
    let wrong = told.iter().filter(|(_, told)| way(told) != WAY);
    wrong.map(|(id, told)| format!("module build {id} went through {:?}", way(told))).collect()
}

/// Returns what is wrong with components: each is begun and built once, and no other.
pub(crate) fn of_components(told: &BTreeMap<BuildId, Told>, seen: &[(Component, Tally)]) -> Vec<String> {
    let mut seen: BTreeMap<&Component, &Tally> = seen.iter().map(|(key, tally)| (key, tally)).collect();
    let mut faults = Vec::new();
    for told in told.values() {
        for package in &told.packages {
            let key = (told.target.clone(), package.clone());
            match seen.remove(&key) {
                Some(tally) if *tally == ONCE => {}
                tally => faults.push(format!("{package} of {}: {tally:?}", told.target)),
            }
        }
    }
    faults
        .extend(seen.into_keys().map(|(target, package)| format!("nobody asked for {package} of {target}")));
    faults
}

/// Returns what is wrong with what was published: without repetitions it is each build's trace, in order.
pub(crate) fn of_events(told: &BTreeMap<BuildId, Told>, published: &[StateChange]) -> Vec<String> {
    let mut first: BTreeMap<BuildId, Vec<&StateChange>> = BTreeMap::new();
    let mut faults = Vec::new();
    for event in published {
        let of_build = first.entry(event.build).or_default();
        match of_build.iter().find(|earlier| earlier.seq == event.seq) {
            None => of_build.push(event),
            Some(earlier) if *earlier == event => {}
            Some(_) => faults.push(format!("two events {} of module build {}", event.seq, event.build)),
        }
    }
    for (id, told) in told {
        let events = first.remove(id).unwrap_or_default();
        let is_whole = events.len() == told.trace.len()
            && events.iter().zip(1..).all(|(event, seq)| event.seq == seq)
            && events.iter().zip(&told.trace).all(|(event, change)| event.transition == *change);
        if !is_whole {
            let came: Vec<_> = events.iter().map(|event| (event.seq, event.transition.to)).collect();
            faults.push(format!("module build {id} told {came:?}, its trace has {}", told.trace.len()));
        }
    }
    faults.extend(first.into_keys().map(|id| format!("there is no module build {id} to tell of")));
    faults
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use mbs_core::model::ModuleBuild;
    use mbs_core::store::StateChange;
    use mbs_tests::chaos::cast;

    use super::*;

    const ID: BuildId = BuildId(1);

    /// What the store tells, what the hub saw, and what was published.
    type Story = (BTreeMap<BuildId, Told>, Vec<(Component, Tally)>, Vec<StateChange>);

    /// A build that went all the way.
    fn good() -> Story {
        let mut build = ModuleBuild::begin(cast::new_build(0), ID, ID, jiff::Timestamp::UNIX_EPOCH);
        for state in &WAY[1..] {
            build.enter(*state, None, jiff::Timestamp::UNIX_EPOCH).unwrap();
        }
        let trace = build.life.take_unsaved();
        let events = StateChange::all_of(&build, 0, None, &trace);
        let (target, package): (TagName, Package) = ("module-a".parse().unwrap(), "a".parse().unwrap());
        let seen = vec![((target.clone(), package.clone()), ONCE)];
        ([(ID, Told { target, packages: vec![package], trace, attempts: 1, lost: 0 })].into(), seen, events)
    }

    #[test]
    fn what_went_well_has_no_faults_and_repetitions_are_none() {
        let (told, seen, mut events) = good();
        events.insert(3, events[0].clone());
        assert_eq!(of_traces(&told), Vec::<String>::new());
        assert_eq!(of_components(&told, &seen), Vec::<String>::new());
        assert_eq!(of_events(&told, &events), Vec::<String>::new());
    }

    #[test]
    fn a_build_that_was_not_built_or_built_twice_is_a_fault() {
        let (told, seen, _) = good();
        let (key, once) = seen[0].clone();
        for tally in [Tally { built: 0, ..once }, Tally { built: 2, ..once }, Tally { begun: 2, ..once }] {
            assert_eq!(of_components(&told, &[(key.clone(), tally)]).len(), 1, "{tally:?}");
        }
        let stranger = ((key.0, "b".parse().unwrap()), once);
        assert_eq!(of_components(&told, &[]).len(), 1);
        assert_eq!(of_components(&told, &[seen, vec![stranger]].concat()).len(), 1);
    }

    #[test]
    fn an_event_that_is_lost_early_altered_or_of_nobody_is_a_fault() {
        let (told, _, events) = good();
        let with = |change: &dyn Fn(&mut Vec<StateChange>)| {
            let mut events = events.clone();
            change(&mut events);
            of_events(&told, &events).len()
        };
        assert_eq!(with(&|events| events.truncate(4)), 1);
        assert_eq!(with(&|events| drop(events.remove(1))), 1);
        assert_eq!(with(&|events| events.swap(1, 2)), 1);
        assert_eq!(with(&|events| events[2].transition.reason = Some("other".into())), 1);
        assert_eq!(with(&|events| events.push(StateChange { build: BuildId(2), ..events[0].clone() })), 1);
        let other = StateChange { transition: events[1].transition.clone(), ..events[0].clone() };
        assert_eq!(with(&|events| events.extend_from_slice(from_ref(&other))), 1);
    }

    #[test]
    fn another_way_is_a_fault() {
        let (mut told, ..) = good();
        told.get_mut(&ID).unwrap().trace.pop();
        assert_eq!(of_traces(&told).len(), 1);
    }
}
