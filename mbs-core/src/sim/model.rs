//! The reference model: what a module's history must end in, told as simply as possible.
//!
//! It knows which components fail and what people did, goes through batches or graph once, in order, and knows nothing of
//! time, messages, backends or slots.

use std::collections::BTreeSet;

use super::scenario::{ModuleScript, Order};

/// How a module must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Everything is built: `ready`, or `done` if it is a try only.
    Built,
    /// It was cancelled, and nobody went on with it.
    Cancelled,
    /// These components do not build, by their places; the rest of what could be built was.
    Fails(BTreeSet<usize>),
}

/// What the model is told of a history.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Whether the last thing a person did to it was to cancel it.
    pub is_cancelled: bool,
    /// Per component how many builds failed before it was last resumed, by its own fault.
    pub failed_before: Vec<u8>,
    /// Components that were taken from an earlier build.
    pub reused: BTreeSet<usize>,
}

/// Returns how a module must end.
pub fn expected(script: &ModuleScript, told: &Told) -> Expected {
    if told.is_cancelled {
        return Expected::Cancelled;
    }
    let will_fail = |place: usize| {
        let before = told.failed_before.get(place).copied().unwrap_or(0);
        !told.reused.contains(&place) && script.components[place].fails > before
    };
    let failing = match script.order {
        Order::Batches => first_failing_group(script, will_fail),
        Order::Graph => failing_of_graph(script, will_fail),
    };
    if failing.is_empty() { Expected::Built } else { Expected::Fails(failing) }
}

/// Batches are barriers: those of the first group with a failure are all tried, and nothing later is.
fn first_failing_group(script: &ModuleScript, will_fail: impl Fn(usize) -> bool) -> BTreeSet<usize> {
    let places = 0..script.components.len();
    let group = |place: usize| script.components[place].group;
    let failing: Vec<usize> = places.filter(|place| will_fail(*place)).collect();
    let first = failing.iter().map(|place| group(*place)).min();
    failing.into_iter().filter(|place| Some(group(*place)) == first).collect()
}

/// Of a graph everything is tried that comes after no failure.
fn failing_of_graph(script: &ModuleScript, will_fail: impl Fn(usize) -> bool) -> BTreeSet<usize> {
    let (mut failing, mut out_of_reach) = (BTreeSet::new(), BTreeSet::new());
    for (place, component) in script.components.iter().enumerate() {
        let is_cut_off = component
            .after
            .iter()
            .filter(|earlier| **earlier < place)
            .any(|earlier| out_of_reach.contains(earlier));
        if is_cut_off {
            out_of_reach.insert(place);
        } else if will_fail(place) {
            out_of_reach.insert(place);
            failing.insert(place);
        }
    }
    failing
}

#[cfg(test)]
mod tests {
    use super::super::scenario::ComponentScript;
    use super::*;

    fn failing(component: ComponentScript, fails: u8) -> ComponentScript {
        ComponentScript { fails, ..component }
    }

    #[test]
    fn of_batches_the_first_with_a_failure_ends_the_module() {
        let group = ComponentScript::in_group;
        let script = ModuleScript::of(
            vec![group(0), failing(group(1), 1), group(1), failing(group(2), 1)],
            Order::Batches,
        );
        assert_eq!(expected(&script, &Told::default()), Expected::Fails([1].into()));
        let resumed = Told { failed_before: vec![0, 1, 0, 0], ..Told::default() };
        assert_eq!(expected(&script, &resumed), Expected::Fails([3].into()));
        let resumed = Told { failed_before: vec![0, 1, 0, 1], ..Told::default() };
        assert_eq!(expected(&script, &resumed), Expected::Built);
    }

    #[test]
    fn of_a_graph_only_what_follows_a_failure_is_out_of_reach() {
        let after = |places: &[usize]| ComponentScript::after(places.to_vec());
        let script = ModuleScript::of(
            vec![failing(after(&[]), 1), failing(after(&[0]), 1), failing(after(&[]), 1)],
            Order::Graph,
        );
        assert_eq!(expected(&script, &Told::default()), Expected::Fails([0, 2].into()));
        let reused = Told { reused: [0].into(), ..Told::default() };
        assert_eq!(expected(&script, &reused), Expected::Fails([1, 2].into()));
    }

    #[test]
    fn a_cancelled_module_is_cancelled_whatever_fails() {
        let script = ModuleScript::of(vec![failing(ComponentScript::in_group(0), 1)], Order::Batches);
        let told = Told { is_cancelled: true, ..Told::default() };
        assert_eq!(expected(&script, &told), Expected::Cancelled);
    }
}
