//! How a world ended, and whether that is what the reference model expects.

use std::collections::BTreeSet;
use std::time::Duration;

use super::cast;
use super::fault::Coverage;
use super::figures::Figures;
use super::grounds::Grounds;
use super::inspector::{Inspector, Invariant, Violation, Watched};
use super::model::{Expected, Told, expected};
use super::scenario::Scenario;
use super::story::Line;
use crate::ident::{BuildId, Nvr, Package, TaskId};
use crate::model::{AttemptEnd, ComponentBuild, ModuleBuild, State, Verdict};
use crate::shared::Shared;

/// How a world ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The first promise that was broken.
    pub violation: Option<Violation>,
    /// The builds as last committed, by id.
    pub records: Vec<ModuleBuild>,
    /// What happened; empty if the world was untold.
    pub story: Vec<Line>,
    /// What went wrong, how often.
    pub coverage: Coverage,
    /// How long builds took, and how full the slots were.
    pub figures: Figures,
    /// How long it took, in the world's time.
    pub took: Duration,
    /// How many moments passed.
    pub moments: u64,
    /// How many plans were made.
    pub steps: u64,
    /// How many calls of the build system were made.
    pub calls: u64,
    /// How often backends were polled: the number of points at which they could have died.
    pub polls: u64,
    /// How often the publisher was polled.
    pub publisher_polls: u64,
}

/// A build of a package that failed by its own fault.
#[derive(Debug, Clone)]
pub(super) struct PackageFailure {
    pub(super) build: BuildId,
    pub(super) package: Package,
    pub(super) task: TaskId,
}

/// Compares every build with what the model expects of it.
pub(super) fn check(
    scenario: &Scenario,
    inspector: &Inspector,
    grounds: &dyn Grounds,
    failures: &[PackageFailure],
) {
    let mut found = Vec::new();
    inspector.with_builds(|builds| {
        for watched in builds.values() {
            let place = usize::try_from(watched.record.nsvc().version.0).unwrap_or(0).wrapping_sub(1);
            if scenario.modules.get(place).is_none_or(|module| module.poisoned) {
                continue;
            }
            if let Some(what) = differs(scenario, place, watched, grounds, failures) {
                found.push((watched.record.id, what));
            }
        }
    });
    for (build, what) in found {
        inspector.report(Invariant::I10, Some(build), what);
    }
}

/// Says how a build differs from what the model expects.
fn differs(
    scenario: &Scenario,
    place: usize,
    watched: &Watched,
    grounds: &dyn Grounds,
    failures: &[PackageFailure],
) -> Option<String> {
    let (script, build) = (&scenario.modules[place], &watched.record);
    let first = cast::first_of(scenario, place);
    let packages: Vec<Package> =
        (0..script.components.len()).map(|component| cast::package(first, component)).collect();
    let told = Told {
        is_cancelled: watched.deeds.last().is_some_and(|(what, _)| what == "cancel"),
        failed_before: packages.iter().map(|package| failed_before(watched, package, failures)).collect(),
        reused: reused(build, &packages),
    };
    let expected = expected(script, &told);
    let ended_as = match build.state() {
        // Only what failed is retired here.
        State::Garbage => State::Failed,
        state => state,
    };
    match (&expected, ended_as) {
        (Expected::Built, State::Ready | State::Done) => is_lacking(build, grounds),
        (Expected::Cancelled, State::Failed) => None,
        (Expected::Fails(places), State::Failed) => {
            let names: BTreeSet<&Package> = places.iter().map(|place| &packages[*place]).collect();
            let failed: BTreeSet<&Package> = failed_by_themselves(build).collect();
            (names != failed && !is_given_up(build))
                .then(|| format!("{failed:?} failed, and the model expects {names:?}"))
        }
        (_, State::Failed) if is_given_up(build) => None,
        (_, state) => Some(format!("it ended in {state}, and the model expects {expected:?}")),
    }
}

/// Counts the failures of a component whose tries began before the build was last resumed.
fn failed_before(watched: &Watched, package: &Package, failures: &[PackageFailure]) -> u8 {
    let resumed_at = watched.leg_began();
    let Some(component) = watched.record.component(package.as_str()) else { return 0 };
    let is_earlier = |failure: &&PackageFailure| {
        let attempt = component.attempts.iter().find(|attempt| attempt.task == Some(failure.task));
        failure.build == watched.record.id
            && failure.package == *package
            && attempt.is_none_or(|attempt| attempt.intended_at < resumed_at)
    };
    u8::try_from(failures.iter().filter(is_earlier).count()).unwrap_or(u8::MAX)
}

fn reused(build: &ModuleBuild, packages: &[Package]) -> BTreeSet<usize> {
    let is_reused = |package: &Package| {
        let component = build.component(package.as_str());
        component.is_some_and(|component| matches!(component.verdict, Some(Verdict::Reuse { .. })))
    };
    (0..packages.len()).filter(|place| is_reused(&packages[*place])).collect()
}

fn failed_by_themselves(build: &ModuleBuild) -> impl Iterator<Item = &Package> {
    let is_own = |c: &&Shared<ComponentBuild>| {
        let last = c.attempts.last().and_then(|attempt| attempt.end.as_ref());
        c.is_unsuccessful() && matches!(last, Some(AttemptEnd::Failed { .. }))
    };
    build.components.iter().filter(is_own).map(|component| &component.package)
}

/// Says whether the build system used up its budget on a component; the inspector has judged that already.
fn is_given_up(build: &ModuleBuild) -> bool {
    let is_infra = |end: &AttemptEnd| matches!(end, AttemptEnd::Aborted(_) | AttemptEnd::Vanished);
    build.components.iter().any(|component| {
        let last = component.attempts.last().and_then(|attempt| attempt.end.as_ref());
        component.is_unsuccessful() && last.is_some_and(is_infra) && component.attempts.len() > 2
    })
}

/// Says what a finished build lacks, or has twice.
fn is_lacking(build: &ModuleBuild, grounds: &dyn Grounds) -> Option<String> {
    let tag = build.koji_tag.as_ref()?;
    let lacking = build.components.iter().find(|component| !component.is_complete());
    if let Some(component) = lacking {
        return Some(format!("it is finished without {}", component.package));
    }
    let dist = |nvr: &Nvr| nvr.release().to_owned();
    let own = build.components.iter().filter(|c| !matches!(c.verdict, Some(Verdict::Reuse { .. })));
    for component in own {
        let nvr = component.nvr.as_ref()?;
        let same = grounds.builds_of(&component.package).into_iter().filter(|b| dist(b) == dist(nvr)).count();
        if same > 1 {
            return Some(format!("{} was built {same} times for {tag}", component.package));
        }
    }
    None
}
