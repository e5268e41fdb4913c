//! `proptest` strategies for scenarios and what they are made of, for documents and for universes; and scenarios by number.
//!
//! Worlds are mostly small, with a tail of big ones: a small world shows most faults, and thousands of them fit in a minute.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::fault::{CallFault, Fault, RepoFault, StoreFault, TaskFault};
use super::scenario::{
    BackendScript, ComponentScript, Deed, Happening, Messages, ModuleScript, Order, Scenario, Timing, Until,
};
use crate::memory::Call;
use crate::model::RebuildStrategy;

mod documents;
mod universes;

pub use documents::{documents, names, streams};
pub use universes::universes;

/// How much goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Faults {
    /// Nothing.
    None,
    /// Now and then something.
    Light,
    /// Much at once.
    Heavy,
}

/// How big a world is; `None` leaves it to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many modules.
    pub modules: Option<usize>,
    /// How many backends.
    pub backends: Option<usize>,
    /// How much goes wrong.
    pub faults: Faults,
}

impl Size {
    /// Makes the size of worlds that are explored by the thousand.
    pub const MIXED: Self = Self { modules: None, backends: None, faults: Faults::Heavy };
}

/// The longest time within which something goes wrong by itself.
const HORIZON_SECS: u64 = 1_200;

/// Returns the scenario of a number, always the same.
pub fn scenario_of(seed: u64, size: Size) -> Scenario {
    tree_of(seed, size).current()
}

/// Returns the scenario of a number as a tree that can be made simpler.
pub fn tree_of(seed: u64, size: Size) -> impl ValueTree<Value = Scenario> {
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    scenarios(size).new_tree(&mut runner).expect("no scenario is rejected")
}

/// Makes whole scenarios.
pub fn scenarios(size: Size) -> impl Strategy<Value = Scenario> {
    let modules = match size.modules {
        Some(count) => prop::collection::vec(modules(6), count).boxed(),
        None => prop_oneof![
            24 => prop::collection::vec(modules(5), 1..=3),
            6 => prop::collection::vec(modules(10), 1..=6),
            1 => prop::collection::vec(modules(24), 4..=10),
        ]
        .boxed(),
    };
    let backends = match size.backends {
        Some(count) => count..=count,
        None => 1..=5,
    };
    let happenings = match size.faults {
        Faults::None => Just(Vec::new()).boxed(),
        Faults::Light => prop::collection::vec(happenings(), 0..=3).boxed(),
        Faults::Heavy => prop_oneof![
            3 => prop::collection::vec(happenings(), 0..=12),
            1 => prop::collection::vec(happenings(), 12..=40),
        ]
        .boxed(),
    };
    let limit = prop_oneof![1 => Just(None), 5 => (1..=6_u32).prop_map(Some)];
    (
        any::<u64>(),
        modules,
        prop::collection::vec(backend_scripts(), backends),
        limit,
        happenings,
        messages(size.faults),
        prop_oneof![30 => Just(Until::Ended), 1 => Just(Until::SweptUp)],
    )
        .prop_map(|(seed, modules, backends, limit, happenings, messages, until)| Scenario {
            seed,
            modules,
            backends,
            limit,
            happenings,
            messages,
            timing: Timing::default(),
            until,
        })
}

/// Makes modules of up to so many components.
pub fn modules(most: usize) -> impl Strategy<Value = ModuleScript> {
    let strategy = prop_oneof![
        1 => Just(RebuildStrategy::All),
        3 => Just(RebuildStrategy::ChangedAndAfter),
        2 => Just(RebuildStrategy::OnlyChanged)
    ];
    let again = prop_oneof![3 => Just(None), 2 => (0..2_usize).prop_map(Some)];
    (
        0..600_u64,
        again,
        prop_oneof![3 => batches(most).prop_map(|c| (c, Order::Batches)), 2 => graphs(most).prop_map(|c| (c, Order::Graph))],
        prop::bool::weighted(0.15),
        strategy,
        prop_oneof![8 => Just(0), 1 => -2..=2_i32],
        prop::bool::weighted(0.03),
    )
        .prop_map(|(at, again, (components, order), scratch, strategy, priority, poisoned)| ModuleScript {
            // A later version comes when the earlier one may be finished.
            submitted_at: Duration::from_secs(at + again.map_or(0, |_| 900)),
            again,
            components,
            order,
            scratch,
            strategy,
            priority,
            poisoned,
        })
}

fn fails() -> impl Strategy<Value = u8> {
    prop_oneof![20 => Just(0), 1 => 1..=2_u8]
}

fn commits() -> impl Strategy<Value = u8> {
    prop_oneof![5 => Just(0), 1 => Just(1)]
}

/// Makes components in batches.
pub fn batches(most: usize) -> impl Strategy<Value = Vec<ComponentScript>> {
    let component = (0..3_u8, fails(), prop::bool::weighted(0.1), commits()).prop_map(
        |(group, fails, buildonly, commit)| ComponentScript {
            group,
            after: Vec::new(),
            fails,
            buildonly,
            expected: None,
            commit,
        },
    );
    prop::collection::vec(component, 0..=most)
}

/// Makes components of a graph: each comes after up to three of the earlier ones.
pub fn graphs(most: usize) -> impl Strategy<Value = Vec<ComponentScript>> {
    let component = (
        prop::collection::vec(any::<prop::sample::Index>(), 0..=3),
        fails(),
        prop::bool::weighted(0.1),
        commits(),
    );
    prop::collection::vec(component, 0..=most).prop_map(|components| {
        let of = |(place, (after, fails, buildonly, commit)): (
            usize,
            (Vec<prop::sample::Index>, u8, bool, u8),
        )| {
            let mut after: Vec<usize> =
                if place == 0 { Vec::new() } else { after.iter().map(|index| index.index(place)).collect() };
            after.sort_unstable();
            after.dedup();
            ComponentScript { group: 0, after, fails, buildonly, expected: None, commit }
        };
        components.into_iter().enumerate().map(of).collect()
    })
}

/// Makes backends, some with a clock that is off.
pub fn backend_scripts() -> impl Strategy<Value = BackendScript> {
    let ahead = prop_oneof![3 => Just(0), 1 => 1..1_000_000_u64];
    let drift = prop_oneof![3 => Just(0), 1 => -300..=300_i32];
    (ahead, drift, 3..=8_usize).prop_map(|(ahead, drift_ppm, looks_at_once)| BackendScript {
        ahead: Duration::from_secs(ahead),
        drift_ppm,
        looks_at_once,
    })
}

fn messages(faults: Faults) -> BoxedStrategy<Messages> {
    match faults {
        Faults::None => Just(Messages::default()).boxed(),
        Faults::Light => (0..=5_u8, 0..=5_u8, 0..=5_u8).prop_map(messages_of).boxed(),
        Faults::Heavy => {
            let lost = prop_oneof![3 => 0..=30_u8, 1 => Just(100)];
            (lost, 0..=30_u8, 0..=30_u8).prop_map(messages_of).boxed()
        }
    }
}

fn messages_of((lost, doubled, late): (u8, u8, u8)) -> Messages {
    Messages { lost, doubled, late }
}

/// Makes things that happen, with their time.
pub fn happenings() -> impl Strategy<Value = (Duration, Happening)> {
    let what = prop_oneof![
        5 => faults().prop_map(Happening::Goes),
        2 => deeds().prop_map(Happening::Does),
    ];
    ((0..HORIZON_SECS * 10).prop_map(|tenths| Duration::from_millis(tenths * 100)), what)
}

/// Makes faults.
pub fn faults() -> impl Strategy<Value = Fault> {
    let secs = |range: std::ops::Range<u64>| range.prop_map(Duration::from_secs);
    let nth = || 0..64_usize;
    prop_oneof![
        10 => (calls(), call_faults()).prop_map(|(call, how)| Fault::Call(call, how)),
        1 => secs(5..900).prop_map(Fault::Outage),
        3 => (nth(), task_faults()).prop_map(|(nth, how)| Fault::Task(nth, how)),
        2 => repo_faults().prop_map(Fault::Repo),
        1 => nth().prop_map(Fault::TagRemoved),
        1 => nth().prop_map(Fault::Untagged),
        1 => nth().prop_map(Fault::BuildDeleted),
        1 => any::<u64>().prop_map(Fault::Forged),
        4 => (nth(), 0..60_u32, secs(1..300)).prop_map(|(nth, polls, down)| Fault::Killed(nth, polls, down)),
        2 => (nth(), secs(5..200)).prop_map(|(nth, time)| Fault::Frozen(nth, time)),
        3 => prop_oneof![Just(StoreFault::Before), Just(StoreFault::After)].prop_map(Fault::Store),
        1 => secs(10..600).prop_map(Fault::BusDown),
        1 => secs(10..900).prop_map(Fault::ResolverDown),
        1 => secs(10..900).prop_map(Fault::SourcesDown),
    ]
}

fn calls() -> impl Strategy<Value = Option<Call>> {
    prop_oneof![
        2 => Just(None),
        3 => Just(Some(Call::Submit)),
        1 => Just(Some(Call::Observe)),
        1 => Just(Some(Call::EnsureBuildroot)),
        1 => Just(Some(Call::EnsureTagged)),
        1 => Just(Some(Call::RequestRepo)),
        1 => Just(Some(Call::Cancel)),
        1 => Just(Some(Call::ImportModule)),
    ]
}

fn call_faults() -> impl Strategy<Value = CallFault> {
    prop::sample::select(vec![
        CallFault::Refused,
        CallFault::Overloaded,
        CallFault::Lost,
        CallFault::AnswerLost,
        CallFault::NoAnswer,
        CallFault::Late,
        CallFault::BeyondMargin,
        CallFault::Slow,
        CallFault::Nonsense,
    ])
}

fn task_faults() -> impl Strategy<Value = TaskFault> {
    prop::sample::select(vec![TaskFault::Broken, TaskFault::Cancelled, TaskFault::Forgotten])
}

fn repo_faults() -> impl Strategy<Value = RepoFault> {
    prop_oneof![
        Just(RepoFault::Fails),
        Just(RepoFault::Never),
        (300..3_000_u64).prop_map(|secs| RepoFault::Hangs(Duration::from_secs(secs))),
    ]
}

/// Makes what people do.
pub fn deeds() -> impl Strategy<Value = Deed> {
    let module = || 0..6_usize;
    let time = || (20..900_u64).prop_map(Duration::from_secs);
    prop_oneof![
        2 => module().prop_map(Deed::SubmitAgain),
        1 => module().prop_map(Deed::ReuseKey),
        3 => module().prop_map(Deed::Cancel),
        4 => module().prop_map(Deed::Resume),
        2 => prop_oneof![1 => Just(None), 5 => (1..=6_u32).prop_map(Some)].prop_map(Deed::Limit),
        1 => time().prop_map(Deed::Pause),
        1 => time().prop_map(Deed::Drain),
    ]
}
