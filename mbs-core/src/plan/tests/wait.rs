//! The state `wait`: tags, verdicts, macros.

use std::sync::Arc;

use super::samples::{
    ComponentWords, component, document, enter, just_in_build, list, macros, map, set_mbs, waiting,
};
use super::*;
use crate::ident::{Batch, BuildId};
use crate::model::{RebuildStrategy, Verdict, WhyRebuild};
use crate::plan::Why;
use crate::policy::Reuse;
use crate::store::Note;

/// Build 3, `ready`, which built these.
fn earlier(packages: &[&str]) -> Arc<ModuleBuild> {
    let components = packages.iter().map(|package| {
        let mut component = component(package, 2);
        component.state = Some(crate::model::BuildState::Complete);
        component.nvr = Some(id(&format!("{package}-0-1")));
        component
    });
    let mut build = waiting(components.collect());
    build.id = BuildId(3);
    Arc::new(enter(enter(enter(build, State::Build), State::Done), State::Ready))
}

fn with_earlier(build: &ModuleBuild, packages: &[&str]) -> Plan {
    let mut seen = Seen::nothing();
    seen.0.reuse = Some(vec![earlier(packages)]);
    step(build, seen)
}

#[test]
fn the_build_to_reuse_from_is_asked_for_unless_all_is_decided_or_rebuilt() {
    let build = waiting(vec![component("liba", 2)]);
    let asks = |build: &ModuleBuild, policy: &Policy| missing(build, &Observation::default(), policy).reuse;
    let question = asks(&build, &Policy::default()).unwrap();
    assert_eq!((question.build, question.states), (BuildId(7), vec![State::Ready]));
    let never = Policy { reuse: Reuse::Never, ..Policy::default() };
    assert_eq!(asks(&build, &never), None);
    let mut all = build.clone();
    all.new.strategy = RebuildStrategy::All;
    assert_eq!(asks(&all, &Policy::default()), None);
    let mut decided = build;
    decided.components[0].verdict = Some(Verdict::Rebuild(WhyRebuild::NoSource));
    assert_eq!(asks(&decided, &Policy::default()), None);
}

#[test]
fn a_tag_that_counts_is_asked_about_once() {
    let mut build = waiting(vec![component("liba", 2)]);
    build.surroundings.reuse_tag = Some(id("f29-modular"));
    let mut seen = Observation::default();
    let asked = |seen: &Observation| missing(&build, seen, &Policy::default()).modules.tagged;
    assert_eq!(asked(&seen), Some(id("f29-modular")));
    seen.tagged = Some(None);
    assert_eq!(asked(&seen), None);
}

#[test]
fn tags_are_named_and_the_macros_become_batch_one() {
    let build = waiting(vec![component("liba", 2)]);
    let plan = step(&build, Seen::nothing());
    assert_eq!((plan.build.state(), plan.build.batch, acts(&plan)), (State::Build, Batch(0), vec![]));
    assert_eq!(plan.build.koji_tag, Some(id(TAG)));
    assert_eq!(plan.build.cg_tag, Some(id("f28-modular-updates-candidate")));
    let macros = &plan.build.components[0];
    assert_eq!((macros.is_macros(), macros.batch, macros.build_time_only), (true, Batch(1), true));
    assert_eq!((plan.why, plan.wake_at), (Why::GoingOn, Some(at(9, 0))));
}

#[test]
fn the_tag_of_the_import_follows_the_base_module_and_scratch_builds_have_none() {
    let cg_tag = |build: &ModuleBuild, policy: &Policy| {
        step_by(policy, build, Seen::nothing(), at(9, 0)).build.cg_tag.map(|tag| tag.to_string())
    };
    let build = waiting(vec![]);
    let off = Policy { koji_cg_tag_build: false, ..Policy::default() };
    assert_eq!(cg_tag(&build, &off), None);
    let mut scratch = build.clone();
    scratch.new.scratch = true;
    assert_eq!(cg_tag(&scratch, &Policy::default()), None);
    let mut baseless = build;
    let mut document = document(&[]);
    set_mbs(&mut document, "buildrequires", map(&[]));
    baseless.new.document = Arc::new(document);
    assert_eq!(cg_tag(&baseless, &Policy::default()).as_deref(), Some("modular-updates-candidate"));
}

#[test]
fn a_scratch_build_has_tags_with_its_id() {
    let mut build = waiting(vec![]);
    build.new.scratch = true;
    let tag = step(&build, Seen::nothing()).build.koji_tag;
    assert_eq!(tag, Some(id("scrmod-app-1-2020-c0ffee00+7")));
}

#[test]
fn verdicts_are_fixed_once_with_a_note_each() {
    let build = waiting(vec![component("liba", 2), component("libb", 2)]);
    let plan = with_earlier(&build, &["liba"]);
    let liba = component_after(&plan, "liba");
    assert!(matches!(&liba.verdict, Some(Verdict::Reuse { build: BuildId(3), .. })));
    assert!(matches!(
        &component_after(&plan, "libb").verdict,
        Some(Verdict::Rebuild(WhyRebuild::NotInSource(_)))
    ));
    assert_eq!(plan.build.new.reuse_from, Some(BuildId(3)));
    let not_there = "libb: will be built, since app:1:2020:c0ffee00 did not build it";
    let notes = [
        Note::from("components are reused from module build 3 (app:1:2020:c0ffee00)"),
        Note::of(&id("liba"), "liba: reused as liba-0-1".into()),
        Note::of(&id("libb"), not_there.into()),
    ];
    assert_eq!(plan.notes, notes);
    assert!(plan.build.components[0].is_macros());
}

#[test]
fn earlier_builds_with_other_modules_are_named_as_the_reason() {
    let mut other = ModuleBuild::clone(&earlier(&["liba"]));
    let mut baseless = document(&[]);
    set_mbs(&mut baseless, "buildrequires", map(&[]));
    other.new.document = Arc::new(baseless);
    let mut seen = Seen::nothing();
    seen.0.reuse = Some(vec![Arc::new(other)]);
    let policy = Policy { reuse: Reuse::ReadyAndFailed, ..Policy::default() };
    let plan = step_by(&policy, &waiting(vec![component("liba", 2)]), seen, at(9, 0));
    let note = "liba: will be built, since there is no earlier build with the same buildrequired modules";
    assert_eq!(plan.notes, [Note::from(note)], "it is a matter of the module");
}

/// A build about to submit its macros, which reuses liba; a buildrequired module of this name filters an RPM of it.
fn reusing_beside(buildrequired: &str) -> ModuleBuild {
    let filtered = map(&[("filtered_rpms", list(&["liba-tests-0:0-1", "other-0:0-1"]))]);
    let mut build = just_in_build(vec![macros(), component("liba", 2).reusable("liba-0-1")], Batch(1));
    let mut document = document(&[]);
    set_mbs(&mut document, "buildrequires", map(&[(buildrequired, filtered)]));
    build.new.document = Arc::new(document);
    build
}

#[test]
fn the_rpms_of_what_is_reused_are_asked_for_if_the_module_buildrequires_itself() {
    let asked = |build: &ModuleBuild| {
        missing(build, &Observation::default(), &Policy::default()).build.rpms_of_builds
    };
    let mut build = reusing_beside("app");
    assert_eq!(asked(&build), [id("liba-0-1")].into());
    assert!(asked(&reusing_beside("lib")).is_empty());
    build.components[0] = macros().complete("module-build-macros-0.1-1").into();
    assert!(asked(&build).is_empty());
}

#[test]
fn every_rpm_of_a_reused_build_stays_installable_beside_the_macros() {
    let spec_for = |build: &ModuleBuild| {
        let seen =
            Seen::as_recorded(build).rpms("liba-0-1", &["liba-0:0-1.x86_64", "liba-tests-0:0-1.noarch"]);
        let plan = step(build, seen);
        let job = plan.actions.iter().find_map(|action| match action {
            Action::Submit { job, .. } => job.macros.clone(),
            _ => None,
        });
        job.unwrap().spec
    };
    let itself = spec_for(&reusing_beside("app"));
    assert!(!itself.contains("liba-tests") && itself.contains("Conflicts: other = 0:0-1"), "{itself}");
    assert!(spec_for(&reusing_beside("lib")).contains("Conflicts: liba-tests = 0:0-1"));
}

#[test]
fn verdicts_of_a_first_try_hold_on_a_resume() {
    let mut build = waiting(vec![component("liba", 2)]);
    let first = Verdict::Rebuild(WhyRebuild::OtherMacros);
    build.components[0].verdict = Some(first.clone());
    let plan = with_earlier(&build, &["liba"]);
    assert_eq!(component_after(&plan, "liba").verdict, Some(first));
}

#[test]
fn a_module_that_is_reused_whole_gets_no_macros_and_is_in_its_last_batch() {
    let build = waiting(vec![component("liba", 2), component("libb", 2)]);
    let plan = with_earlier(&build, &["liba", "libb"]);
    assert_eq!((plan.build.components.len(), plan.build.batch), (2, Batch(2)));
}

#[test]
fn a_module_without_components_gets_no_macros() {
    let plan = step(&waiting(vec![]), Seen::nothing());
    assert_eq!((plan.build.components.len(), plan.build.state()), (0, State::Build));
}

#[test]
fn macros_of_a_first_try_are_not_added_twice() {
    let first = step(&waiting(vec![component("liba", 2)]), Seen::nothing()).build;
    let mut again = waiting(vec![]);
    again.components = first.components;
    again.components[0].state = Some(crate::model::BuildState::Complete);
    let plan = step(&again, Seen::nothing());
    assert_eq!(plan.build.components, again.components);
}

#[test]
fn a_service_that_runs_dry_keeps_builds_in_wait() {
    let build = waiting(vec![component("liba", 2)]);
    let plan = step(&build, Seen::nothing().draining());
    assert_quiet(&plan, &build);
    assert_eq!((plan.why, plan.wake_at), (Why::Draining { state: State::Wait }, Some(at(19, 0))));
}

#[test]
fn what_was_ensured_for_a_first_try_is_ensured_anew() {
    let mut build = waiting(vec![component("liba", 2)]);
    build.buildroot =
        Some(crate::model::Buildroot { digest: crate::model::Digest("old".into()), event: TagEvent(1) });
    build.is_target_removed = true;
    let plan = step(&build, Seen::nothing());
    assert_eq!((plan.build.buildroot.clone(), plan.build.is_target_removed), (None, false));
}

#[test]
fn tasks_of_a_first_try_are_watched_and_give_their_slots_back() {
    let build = waiting(vec![component("liba", 2).running(100)]);
    let asked = missing(&build, &Observation::default(), &Policy::default()).build;
    assert_eq!(asked.tasks, [TaskId(100)].into());
    let plan = step(&build, Seen::nothing().draining().task(100).cancelled());
    assert_eq!(plan.build.slots_held(), 0);
}
