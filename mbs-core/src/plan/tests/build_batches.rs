//! The state `build`: batches as barriers, tags, repositories, buildroots, the end.

use super::samples::{
    ComponentWords, MACROS_NVR, building, component, just_in_build, list, macros, map, waiting,
    with_buildroot,
};
use super::*;
use crate::ident::Batch;
use crate::model::{Failure, RebuildStrategy, RepoWait, Trouble, Verdict, WhyRebuild};
use crate::modulemd::Profile;
use crate::plan::Why;
use crate::store::Note;

fn repo_asked(build: &mut ModuleBuild, minutes: i64, task: Option<i64>) {
    let shows = TagEvent(61);
    build.repo = Some(RepoWait { asked_at: at(minutes, 0), task: task.map(TaskId), shows });
}

#[test]
fn the_buildroot_comes_before_everything_else() {
    let mut build = just_in_build(vec![macros(), component("liba", 2)], Batch(0));
    build.buildroot = None;
    let seen = Seen::as_recorded(&build).without_tag(TAG).without_tag(BUILD_TAG).without_repo();
    let plan = step(&build, seen);
    assert_eq!((acts(&plan), plan.build.buildroot.clone()), (vec!["buildroot".to_owned()], None));
}

#[test]
fn the_first_repository_is_asked_for_at_once_while_the_macros_are_submitted() {
    let build = just_in_build(vec![macros(), component("liba", 2)], Batch(0));
    let plan = step(&build, Seen::as_recorded(&build).without_repo());
    assert_eq!(acts(&plan), ["repository", "submit module-build-macros 1"]);
    assert_eq!((plan.build.batch, plan.build.slots_held()), (Batch(1), 1));
}

#[test]
fn macros_are_built_in_their_own_target_where_one_is_configured() {
    let policy = Policy { koji_build_macros_target: Some(id("macros")), ..Policy::default() };
    let build = just_in_build(vec![macros(), component("liba", 2)], Batch(1));
    let plan = step_by(&policy, &build, Seen::as_recorded(&build), at(9, 0));
    let Some(Action::Submit { job, .. }) = plan.actions.last() else { panic!("the macros are submitted") };
    assert_eq!((&job.target, &job.module_target), (&id("macros"), &id(TAG)));
    assert!(job.macros.as_ref().is_some_and(|package| package.macros.contains("%_module_name app")));
    let query = missing(&build, &Observation::default(), &policy).build.search.unwrap();
    let macros = id("module-build-macros");
    assert_eq!((query.packages, query.tags), ([(macros, id("macros"))].into(), vec![id(BUILD_TAG)]));
}

#[test]
fn a_batch_begins_only_when_the_one_before_is_complete_tagged_and_in_the_repository() {
    let macros = || macros().complete(MACROS_NVR);
    let batch_after = |macros, repo: i64| {
        let build = just_in_build(vec![macros, component("liba", 2)], Batch(1));
        let plan = step(&build, Seen::as_recorded(&build).repo_at(repo));
        (plan.build.batch.0, plan.build.component("liba").unwrap().holds_slot())
    };
    assert_eq!(batch_after(samples::macros().running(5), 60), (1, false));
    assert_eq!(batch_after(macros(), 60), (1, false));
    assert_eq!(batch_after(macros().in_build_tag(), 50), (1, false));
    assert_eq!(batch_after(macros().in_build_tag(), 51), (2, true));
}

#[test]
fn components_of_a_batch_start_heaviest_first_and_as_written_among_equals() {
    let build = building(vec![
        component("light", 2).weighing(1.0),
        component("heavy", 2).weighing(9.0),
        component("alike", 2).weighing(1.0),
        component("later", 3).weighing(20.0),
    ]);
    let plan = step(&build, Seen::as_recorded(&build));
    assert_eq!(acts(&plan), ["submit heavy 1", "submit light 1", "submit alike 1"]);
}

#[test]
fn a_submission_names_our_target_and_dist_tag_and_its_time_limit() {
    let build = building(vec![component("liba", 2)]);
    let plan = step(&build, Seen::as_recorded(&build));
    let Some(Action::Submit { job, .. }) = plan.actions.first() else { panic!("liba is submitted") };
    assert_eq!((job.target.as_str(), job.build_tag.as_ref().unwrap().as_str()), (TAG, BUILD_TAG));
    assert_eq!((job.dist.as_str(), job.not_after), (DIST, at(9, 30)));
    assert!(job.arch_override.is_empty() && job.macros.is_none());
    let policy = Policy { allow_arch_override: true, ..Policy::default() };
    let plan = step_by(&policy, &build, Seen::as_recorded(&build), at(9, 0));
    let Some(Action::Submit { job, .. }) = plan.actions.first() else { panic!("liba is submitted") };
    assert_eq!(job.arch_override, [id("x86_64")]);
}

#[test]
fn nothing_of_a_batch_is_tagged_before_all_of_it_is_complete() {
    let build = building(vec![component("liba", 2).running(100), component("libb", 2).running(101)]);
    let plan = step(&build, Seen::as_recorded(&build).task(100).closed("liba-1-1"));
    assert!(component_after(&plan, "liba").is_complete());
    assert_eq!(acts(&plan), Vec::<String>::new());
    let seen = Seen::as_recorded(&plan.build).task(101).closed("libb-1-1");
    let plan = step(&plan.build, seen);
    assert_eq!(
        acts(&plan),
        [
            "liba-1-1 into build tag",
            "liba-1-1 into final tag",
            "libb-1-1 into build tag",
            "libb-1-1 into final tag"
        ]
    );
}

#[test]
fn macros_go_into_the_build_tag_alone() {
    let build = just_in_build(vec![macros().running(5), component("liba", 2)], Batch(1));
    let plan = step(&build, Seen::as_recorded(&build).task(5).closed(MACROS_NVR));
    assert_eq!(acts(&plan), [format!("{MACROS_NVR} into build tag")]);
    let tagged = Seen::as_recorded(&plan.build).tagged(TAG, MACROS_NVR, 52).tagged(BUILD_TAG, MACROS_NVR, 51);
    let macros = step(&plan.build, tagged).build.components.remove(0);
    assert_eq!((macros.tagged, macros.tagged_in_final, macros.tag_asked_at), (true, false, None));
}

#[test]
fn macros_join_both_groups_once_they_are_tagged() {
    let before = just_in_build(vec![macros().complete(MACROS_NVR), component("liba", 2)], Batch(1));
    assert_eq!(super::super::buildroot_spec(&before).unwrap().build_group, Vec::<String>::new());
    let plan = step(&before, Seen::as_recorded(&before).tagged(BUILD_TAG, MACROS_NVR, 51));
    let Some(Action::EnsureBuildroot(spec, _)) = plan.actions.first() else {
        panic!("groups have to change")
    };
    assert_eq!((&spec.build_group, &spec.srpm_build_group), (&spec.srpm_build_group, &spec.build_group));
    assert_eq!(spec.build_group, ["module-build-macros"]);
}

#[test]
fn tagging_is_not_asked_for_again_before_its_time() {
    let build = building(vec![component("liba", 2).complete("liba-1-1"), component("prog", 3)]);
    let asked = step(&build, Seen::as_recorded(&build)).build;
    assert_eq!(asked.component("liba").unwrap().tag_asked_at, Some(at(9, 0)));
    let early = step_at(&asked, Seen::as_recorded(&asked), at(18, 59));
    assert_quiet(&early, &asked);
    let since = at(9, 0);
    assert_eq!(early.why, Why::WaitingForTags { packages: vec![id("liba")], since });
    assert_eq!(early.wake_at, Some(at(19, 0)));
    let again = step_at(&asked, Seen::as_recorded(&asked), at(19, 0));
    assert_eq!(acts(&again), ["liba-1-1 into build tag", "liba-1-1 into final tag"]);
}

#[test]
fn only_the_tag_that_lacks_a_build_is_asked_for() {
    let build =
        building(vec![component("liba", 2).complete("liba-1-1").in_build_tag(), component("prog", 3)]);
    assert_eq!(acts(&step(&build, Seen::as_recorded(&build))), ["liba-1-1 into final tag"]);
}

#[test]
fn a_build_that_somebody_untagged_is_tagged_again() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let mut build = building(vec![liba, component("prog", 3).running(100)]);
    build.batch = Batch(3);
    assert_quiet(&step(&build, Seen::as_recorded(&build)), &build);
    let plan = step(&build, Seen::as_recorded(&build).untagged(BUILD_TAG, "liba-1-1"));
    assert_eq!(acts(&plan), ["liba-1-1 into build tag"]);
}

#[test]
fn a_repository_is_asked_for_once_the_whole_batch_is_tagged() {
    let liba = || component("liba", 2).complete("liba-1-1");
    let tagged = liba().in_both_tags();
    let half =
        building(vec![tagged.clone(), component("libb", 2).complete("libb-1-1"), component("prog", 3)]);
    let seen = Seen::as_recorded(&half).repo_at(51);
    assert!(!acts(&step(&half, seen)).contains(&"repository".to_owned()));
    let whole = building(vec![tagged, component("prog", 3)]);
    let plan = step(&whole, Seen::as_recorded(&whole).repo_at(51));
    assert_eq!(acts(&plan), ["repository"]);
    let shows = TagEvent(60);
    assert_eq!(plan.build.repo, Some(RepoWait { asked_at: at(9, 0), task: None, shows }));
}

#[test]
fn a_repository_is_not_asked_for_twice_before_its_time() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let mut build = building(vec![liba, component("prog", 3)]);
    repo_asked(&mut build, 0, None);
    let seen = || Seen::as_recorded(&build).untagged(BUILD_TAG, "liba-1-1").tagged(BUILD_TAG, "liba-1-1", 61);
    let waits = step(&build, seen());
    assert_quiet(&waits, &build);
    assert_eq!(waits.why, Why::WaitingForRepo { task: None, since: at(0, 0) });
    assert_eq!(waits.wake_at, Some(at(9, 30)));
    assert_eq!(step_at(&build, seen(), at(9, 50)).wake_at, Some(at(10, 0)));
    assert_eq!(acts(&step_at(&build, seen(), at(10, 0))), ["repository"]);
}

#[test]
fn a_repository_whose_task_lives_is_not_asked_for_again_however_long_it_takes() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let mut build = building(vec![liba, component("prog", 3)]);
    repo_asked(&mut build, 0, Some(99));
    let seen = Seen::as_recorded(&build).repo_at(59);
    assert_quiet(&step_at(&build, seen, at(50, 0)), &build);
}

#[test]
fn a_repository_is_asked_for_again_when_its_task_failed() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let mut build = building(vec![liba, component("prog", 3)]);
    repo_asked(&mut build, 8, Some(99));
    let seen = || Seen::as_recorded(&build).untagged(BUILD_TAG, "liba-1-1").tagged(BUILD_TAG, "liba-1-1", 61);
    assert_quiet(&step(&build, seen()), &build);
    let plan = step(&build, seen().task(99).is(TaskState::Failed, &[]));
    assert!(acts(&plan).is_empty());
    let trouble = plan.build.trouble.clone().unwrap();
    assert_eq!(trouble.last, "the repository task 99 made no repository: it was cancelled or lost");
    let seen =
        Seen::as_recorded(&plan.build).untagged(BUILD_TAG, "liba-1-1").tagged(BUILD_TAG, "liba-1-1", 61);
    let again = step_at(&plan.build, seen, trouble.next_try);
    assert_eq!(acts(&again), ["repository"]);
}

#[test]
fn the_repository_task_that_is_awaited_is_kept_for_people() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let build = building(vec![liba, component("prog", 3)]);
    let asked = step(&build, Seen::as_recorded(&build).repo_at(51)).build;
    let outcome = Ok(Outcome::RepoRequested(Some(TaskId(101))));
    let seen = Seen::as_recorded(&asked).repo_at(51).outcome(ActionKey::Repo, outcome);
    let plan = step(&asked, seen);
    assert_eq!(plan.build.repo.as_ref().and_then(|repo| repo.task), Some(TaskId(101)));
    assert_eq!(plan.build.repo_task, Some(TaskId(101)));
}

#[test]
fn a_refused_repository_request_is_forgotten_so_that_it_is_made_again() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let build = building(vec![liba, component("prog", 3)]);
    let asked = step(&build, Seen::as_recorded(&build).repo_at(51)).build;
    let seen =
        Seen::as_recorded(&asked).repo_at(51).outcome(ActionKey::Repo, Err(unavailable(Effect::Unknown)));
    assert_eq!(step(&asked, seen).build.repo, None);
}

#[test]
fn no_repository_is_needed_after_the_last_batch() {
    let build = building(vec![component("liba", 2).complete("liba-1-1").in_both_tags()]);
    let plan = step(&build, Seen::as_recorded(&build).repo_at(51));
    assert_eq!(acts(&plan), ["import"]);
}

#[test]
fn the_buildroot_is_made_again_when_somebody_removed_a_tag() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let build = building(vec![liba, component("prog", 3).running(100)]);
    let plan = step(&build, Seen::as_recorded(&build).without_tag(TAG));
    assert_eq!((acts(&plan), plan.build.buildroot.clone()), (vec!["buildroot".to_owned()], None));
    let Some(Action::EnsureBuildroot(_, digest)) = plan.actions.first() else { panic!("see above") };
    let done = (ActionKey::Buildroot(digest.clone()), Ok(Outcome::BuildrootHolds(TagEvent(50))));
    let seen = Seen::as_recorded(&plan.build).without_tag(TAG).outcome(done.0, done.1);
    let plan = step(&plan.build, seen);
    assert_eq!(acts(&plan), ["liba-1-1 into final tag"]);
}

/// The macros were tagged at event 51, and then the groups changed: the buildroot holds from event 57 on.
fn with_changed_groups() -> ModuleBuild {
    let tagged = macros().complete(MACROS_NVR).in_build_tag();
    let mut build = just_in_build(vec![tagged, component("liba", 2)], Batch(1));
    build.buildroot.as_mut().unwrap().event = TagEvent(57);
    build
}

#[test]
fn a_barrier_waits_for_a_repository_that_shows_the_changed_groups() {
    let build = with_changed_groups();
    // It began after the tagging, but before the groups were ensured.
    let asked = step(&build, Seen::as_recorded(&build).repo_at(55));
    assert_eq!((acts(&asked), asked.build.batch), (vec!["repository".to_owned()], Batch(1)));
    assert_eq!(asked.build.repo.as_ref().unwrap().shows, TagEvent(57));
    let waits = step(&asked.build, Seen::as_recorded(&asked.build).repo_at(55));
    assert_quiet(&waits, &asked.build);
    assert_eq!(step(&asked.build, Seen::as_recorded(&asked.build).repo_at(58)).build.batch, Batch(2));
}

#[test]
fn a_repository_request_that_was_never_sent_is_made_again() {
    let build = with_changed_groups();
    let asked = step(&build, Seen::as_recorded(&build).repo_at(55)).build;
    let later = step_at(&asked, Seen::as_recorded(&asked).repo_at(55), at(20, 0));
    assert_eq!((acts(&later), later.build.batch), (vec!["repository".to_owned()], Batch(1)));
}

#[test]
fn a_repository_request_that_failed_opens_no_barrier() {
    let build = with_changed_groups();
    let asked = step(&build, Seen::as_recorded(&build).repo_at(55)).build;
    let no_answer = Err(unavailable(Effect::Unknown));
    let seen = Seen::as_recorded(&asked).repo_at(55).outcome(ActionKey::Repo, no_answer);
    let failed = step(&asked, seen);
    let again = step_at(&failed.build, Seen::as_recorded(&failed.build).repo_at(55), at(9, 10));
    assert_eq!((acts(&again), again.build.batch), (vec!["repository".to_owned()], Batch(1)));
}

#[test]
fn a_request_from_before_the_groups_changed_is_not_waited_for() {
    let mut build = with_changed_groups();
    build.repo = Some(RepoWait { asked_at: at(8, 59), task: Some(TaskId(99)), shows: TagEvent(51) });
    let seen = Seen::as_recorded(&build).repo_at(40).task(99).is(TaskState::Open, &[]);
    assert_eq!(acts(&step(&build, seen)), ["repository"]);
}

#[test]
fn nothing_more_of_a_batch_starts_while_an_earlier_one_is_out_of_the_repository() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let build = building(vec![liba, component("prog", 3).running(100), component("tool", 3)]);
    let mut build = ModuleBuild { batch: Batch(3), ..build };
    build = with_buildroot(build);
    let untagged = step(&build, Seen::as_recorded(&build).untagged(BUILD_TAG, "liba-1-1"));
    assert_eq!(acts(&untagged), ["liba-1-1 into build tag"]);
    let tagged = Seen::as_recorded(&build).untagged(BUILD_TAG, "liba-1-1").tagged(BUILD_TAG, "liba-1-1", 63);
    assert_eq!(acts(&step(&build, tagged)), ["repository"]);
    assert_eq!(acts(&step(&build, Seen::as_recorded(&build))), ["submit tool 1"]);
}

#[test]
fn own_buildroot_profiles_apply_to_what_comes_after_the_component_that_brings_them() {
    let mut liba = component("liba", 2).complete("liba-1-1");
    (liba.buildroot, liba.srpm_buildroot) = (true, true);
    let mut build = building(vec![liba, component("prog", 3)]);
    let profile = |rpm: &str| Profile { rpms: [rpm.to_owned()].into(), ..Profile::default() };
    let document = std::sync::Arc::make_mut(&mut build.new.document);
    document.profiles.insert("buildroot".into(), profile("liba-tools"));
    document.profiles.insert("srpm-buildroot".into(), profile("liba-srpm-macros"));
    assert_eq!(with_buildroot(build.clone()).buildroot, build.buildroot);
    let seen = Seen::as_recorded(&build).tagged(BUILD_TAG, "liba-1-1", 61).tagged(TAG, "liba-1-1", 62);
    let plan = step(&build, seen);
    let Some(Action::EnsureBuildroot(spec, _)) = plan.actions.first() else {
        panic!("groups have to change")
    };
    assert_eq!(spec.build_group, ["liba-tools", "module-build-macros"]);
    assert_eq!(spec.srpm_build_group, ["liba-srpm-macros", "module-build-macros"]);
}

#[test]
fn a_blocked_package_is_let_in_when_it_is_built_and_before_it_is_tagged() {
    let mut build = building(vec![component("liba", 2), component("prog", 3)]);
    let document = std::sync::Arc::make_mut(&mut build.new.document);
    document.xmd.set("mbs_options", map(&[("blocked_packages", list(&["prog", "liba", "liba"]))]));
    let mut build = with_buildroot(build);
    let spec = super::super::buildroot_spec(&build).unwrap();
    assert_eq!((spec.blocked, spec.unblocked), (vec![id("liba"), id("prog")], vec![]));
    let place = build.components.iter().position(|c| c.package.as_str() == "liba").unwrap();
    build.components[place] = component("liba", 2).complete("liba-1-1").into();
    let plan = step(&build, Seen::as_recorded(&build));
    let [Action::EnsureBuildroot(spec, _)] = &plan.actions[..] else { panic!("{:?}", plan.actions) };
    assert_eq!(spec.unblocked, [id("liba")]);
}

#[test]
fn the_buildroot_holds_what_the_document_asks_for() {
    let mut build = building(vec![component("liba", 2)]);
    let document = std::sync::Arc::make_mut(&mut build.new.document);
    document.buildopts.whitelist = ["other".to_owned()].into();
    let asked = [("repo_include_all", "false".into()), ("dynamic_buildrequires", "true".into())];
    document.xmd.set("mbs_options", map(&asked));
    let spec = super::super::buildroot_spec(&build).unwrap();
    assert_eq!(spec.packages, [id("liba"), id("module-build-macros"), id("other")]);
    assert_eq!((spec.repo_include_all, spec.dynamic_buildrequires), (Some(false), Some(true)));
    assert_eq!((spec.tag.as_str(), spec.build_tag.as_str(), spec.target.as_str()), (TAG, BUILD_TAG, TAG));
    assert_eq!((spec.owner.as_str(), spec.inherits), ("mary", vec![id("f28-build")]));
}

#[test]
fn names_of_buildonly_rpms_join_the_filter_before_anything_is_tagged() {
    let build = building(vec![component("tool", 2).complete("tool-1-1").buildonly(), component("prog", 3)]);
    let asked = missing(&build, &Observation::default(), &Policy::default()).build;
    assert_eq!(asked.rpms_of_builds, [id("tool-1-1")].into());
    assert_quiet(&step(&build, Seen::as_recorded(&build)), &build);
    let rpms = ["tool-0:1-1.src", "tool-0:1-1.x86_64", "tool-libs-0:1-1.x86_64"];
    let plan = step(&build, Seen::as_recorded(&build).rpms("tool-1-1", &rpms));
    assert_eq!(acts(&plan), ["tool-1-1 into build tag", "tool-1-1 into final tag"]);
    let filter = &plan.build.document().filter;
    assert_eq!(filter.iter().map(String::as_str).collect::<Vec<_>>(), ["tool", "tool-libs"]);
    assert!(component_after(&plan, "tool").is_filtered);
}

#[test]
fn rpms_of_a_buildonly_component_are_asked_for_in_the_look_that_sees_it_built() {
    let build = building(vec![component("tool", 2).running(100).buildonly()]);
    let seen = Seen::as_recorded(&build).task(100).closed("tool-1-1");
    let asked = missing(&build, &seen.0, &Policy::default()).build;
    assert_eq!(asked.rpms_of_builds, [id("tool-1-1")].into());
}

#[test]
fn a_buildonly_build_that_nobody_knows_is_asked_for_once_and_found_gone_when_tagged() {
    let tool = component("tool", 2).reusable("tool-0-1").complete("tool-0-1").buildonly();
    let build = building(vec![tool, component("prog", 3)]);
    let mut seen = Seen::as_recorded(&build);
    let question = missing(&build, &seen.0, &Policy::default()).build;
    assert_eq!(question.rpms_of_builds, [id("tool-0-1")].into());
    seen.0.note_asked(&question, at(9, 0));
    seen.0.build.rpms_of_builds = Some(BTreeMap::new());
    assert!(missing(&build, &seen.0, &Policy::default()).is_empty());
    assert_eq!(acts(&step(&build, seen)), ["tool-0-1 into build tag", "tool-0-1 into final tag"]);
}

#[test]
fn a_reused_component_is_complete_when_its_batch_begins_and_tagged_like_a_fresh_one() {
    let build = building(vec![component("liba", 2).reusable("liba-0-1"), component("libb", 2)]);
    let plan = step(&build, Seen::as_recorded(&build));
    let liba = component_after(&plan, "liba");
    assert_eq!(liba.reason.as_deref(), Some("Reused component from previous module build"));
    assert_eq!((liba.nvr.clone(), liba.task), (Some(id("liba-0-1")), Some(TaskId(33))));
    assert_eq!((acts(&plan), plan.build.slots_held()), (vec!["submit libb 1".to_owned()], 1));
    let later = building(vec![component("libb", 2), component("prog", 3).reusable("prog-0-1")]);
    assert_eq!(component_after(&step(&later, Seen::as_recorded(&later)), "prog").state, None);
}

#[test]
fn a_module_that_is_reused_whole_is_tagged_and_builds_nothing() {
    let liba = component("liba", 2).reusable("liba-0-1");
    let build = just_in_build(vec![liba, component("prog", 3).reusable("prog-0-1")], Batch(3));
    let plan = step(&build, Seen::as_recorded(&build).without_repo());
    assert_eq!(
        acts(&plan),
        [
            "liba-0-1 into build tag",
            "liba-0-1 into final tag",
            "prog-0-1 into build tag",
            "prog-0-1 into final tag"
        ]
    );
    assert_eq!(plan.build.component("module-build-macros"), None);
}

/// Two reused components that were asked to be tagged, of which one is gone.
fn after_loss(strategy: RebuildStrategy, gone: &str) -> Plan {
    let liba = component("liba", 2).reusable("liba-0-1").complete("liba-0-1");
    let mut build = building(vec![liba, component("prog", 3).reusable("prog-0-1")]);
    build.new.strategy = strategy;
    build.components[1].tag_asked_at = Some(at(8, 59));
    let gone = BuildSystemError::BuildsGone { builds: vec![id(gone)] };
    let seen = Seen::as_recorded(&build).outcome(ActionKey::Tag, Err(gone));
    step(&build, seen)
}

#[test]
fn a_reused_build_that_is_gone_is_built_and_so_is_what_comes_after_by_the_strategy() {
    let plan = after_loss(RebuildStrategy::ChangedAndAfter, "liba-0-1");
    let gone = Verdict::Rebuild(WhyRebuild::Gone(id("liba-0-1")));
    let liba = component_after(&plan, "liba");
    assert_eq!((liba.verdict.as_ref(), liba.state, &liba.nvr), (Some(&gone), None, &None));
    let earlier = Verdict::Rebuild(WhyRebuild::EarlierChanged("liba".into()));
    assert_eq!(component_after(&plan, "prog").verdict, Some(earlier));
    let note = "liba: liba-0-1 is gone from the build system and is built again";
    assert_eq!(plan.notes, [Note::of(&id("liba"), note.into())]);
    let only = after_loss(RebuildStrategy::OnlyChanged, "liba-0-1");
    assert!(matches!(component_after(&only, "prog").verdict, Some(Verdict::Reuse { .. })));
}

#[test]
fn a_build_of_its_own_that_is_gone_is_built_again_and_turns_no_verdict() {
    let liba = component("liba", 2).complete("liba-1-1");
    let mut build = building(vec![liba, component("libb", 2).complete("libb-1-1")]);
    build.components[1].tag_asked_at = Some(at(8, 59));
    let verdicts = build.components.clone();
    let gone = BuildSystemError::BuildsGone { builds: vec![id("liba-1-1")] };
    let plan = step(&build, Seen::as_recorded(&build).outcome(ActionKey::Tag, Err(gone)));
    let liba = component_after(&plan, "liba");
    assert_eq!((liba.state, &liba.nvr, liba.discarded.as_ref()), (None, &None, Some(&id("liba-1-1"))));
    assert!(plan.build.components.iter().zip(&verdicts).all(|(now, was)| now.verdict == was.verdict));
}

#[test]
fn a_loss_of_another_build_turns_no_verdict() {
    let plan = after_loss(RebuildStrategy::ChangedAndAfter, "my-liba-0-1");
    assert!(matches!(component_after(&plan, "liba").verdict, Some(Verdict::Reuse { .. })));
    assert_eq!(component_after(&plan, "liba").tag_asked_at, None);
}

#[test]
fn a_loss_in_a_module_that_was_reused_whole_brings_the_macros_back() {
    let liba = component("liba", 2).reusable("liba-0-1").complete("liba-0-1");
    let mut build = just_in_build(vec![liba], Batch(2));
    build.components[0].tag_asked_at = Some(at(8, 59));
    let gone = BuildSystemError::BuildsGone { builds: vec![id("liba-0-1")] };
    let plan = step(&build, Seen::as_recorded(&build).outcome(ActionKey::Tag, Err(gone)));
    assert_eq!((plan.build.components[0].is_macros(), plan.build.batch), (true, Batch(0)));
}

#[test]
fn what_was_reused_after_a_build_that_is_gone_leaves_the_tags_before_it_is_built() {
    let mut prog = component("prog", 2);
    (prog.discarded, prog.verdict) = (Some(id("prog-0-1")), Some(Verdict::Rebuild(WhyRebuild::NoSource)));
    let build = building(vec![prog]);
    let still_there = Seen::as_recorded(&build).tagged(BUILD_TAG, "prog-0-1", 55);
    let plan = step(&build, still_there.found_built("prog-0-1", Some(BUILD_TAG)));
    assert_eq!(acts(&plan), ["prog-0-1 out of build tag"]);
    assert_eq!(plan.build, build);
    let left = step(&build, Seen::as_recorded(&build).searched(&["prog"]));
    assert_eq!(
        (acts(&left), left.build.components[1].discarded.as_ref()),
        (vec!["submit prog 1".to_owned()], None)
    );
}

#[test]
fn a_module_without_components_is_imported_and_ready() {
    let build = just_in_build(vec![], Batch(0));
    let plan = step(&build, Seen::as_recorded(&build).without_repo());
    assert_eq!(acts(&plan), ["import"]);
    let seen = Seen::as_recorded(&build).without_repo().outcome(ActionKey::Import, Ok(Outcome::Done));
    let plan = step(&build, seen);
    assert_eq!(plan.build.state(), State::Ready);
    let states: Vec<State> = plan.build.life.unsaved().iter().map(|change| change.to).collect();
    assert_eq!(states, [State::Done, State::Ready]);
}

#[test]
fn what_is_imported_has_its_time_of_completion() {
    let build = building(vec![component("liba", 2).complete("liba-1-1").in_both_tags()]);
    let plan = step(&build, Seen::as_recorded(&build));
    assert_eq!((acts(&plan), plan.build.life.completed_at()), (vec!["import".to_owned()], Some(at(9, 0))));
    let imported = Seen::as_recorded(&plan.build).outcome(ActionKey::Import, Ok(Outcome::Done));
    let done = step_at(&plan.build, imported, at(9, 7));
    assert_eq!((done.build.state(), done.build.life.completed_at()), (State::Ready, Some(at(9, 0))));
}

#[test]
fn a_finished_build_is_done_only_when_all_is_in_the_final_tag() {
    let liba = component("liba", 2).complete("liba-1-1").in_build_tag();
    let mut build = building(vec![liba]);
    build.components[1].tag_asked_at = Some(at(8, 59));
    build.is_imported = true;
    assert_quiet(&step(&build, Seen::as_recorded(&build)), &build);
    let plan = step(&build, Seen::as_recorded(&build).tagged(TAG, "liba-1-1", 62));
    assert_eq!((plan.build.state(), plan.build.life.completed_at()), (State::Ready, Some(at(9, 0))));
}

#[test]
fn without_imports_a_finished_build_is_ready_at_once() {
    let policy = Policy { koji_enable_content_generator: false, ..Policy::default() };
    let build = building(vec![component("liba", 2).complete("liba-1-1").in_both_tags()]);
    let plan = step_by(&policy, &build, Seen::as_recorded(&build), at(9, 0));
    assert_eq!((plan.build.state(), acts(&plan)), (State::Ready, vec![]));
}

#[test]
fn a_scratch_build_is_done_and_never_imported() {
    let mut build = waiting(vec![]);
    build.new.scratch = true;
    build.koji_tag = Some(id("scrmod-app-1-2020-c0ffee00+7"));
    let build = with_buildroot(samples::enter(build, State::Build));
    let mut seen = Seen::nothing().without_repo();
    let tags = build.koji_tag.clone().into_iter().chain(build.build_tag());
    seen.0.build.tags = Some(tags.map(|tag| (tag, Some(vec![]))).collect());
    let plan = step(&build, seen);
    assert_eq!((plan.build.state(), acts(&plan)), (State::Done, vec![]));
}

#[test]
fn a_refused_import_fails_the_build_by_the_infrastructure() {
    let build = building(vec![component("liba", 2).complete("liba-1-1").in_both_tags()]);
    let plan = step(&build, Seen::as_recorded(&build).outcome(ActionKey::Import, Err(denied())));
    assert_fails(&plan, "not allowed: the permission is missing", Failure::Infra);
}

#[test]
fn an_import_that_misses_a_tag_is_repeated_and_its_own_tag_made_again() {
    let build = building(vec![component("liba", 2).complete("liba-1-1").in_both_tags()]);
    let missing = BuildSystemError::NotFound { what: format!("the tag {TAG}") };
    let plan = step(&build, Seen::as_recorded(&build).outcome(ActionKey::Import, Err(missing)));
    assert_eq!(plan.build.state(), State::Build);
    assert!(matches!(plan.build.trouble, Some(Trouble { tries: 1, .. })), "{:?}", plan.build.trouble);
    let again = step_at(&plan.build, Seen::as_recorded(&plan.build).without_tag(TAG), at(20, 0));
    assert_eq!(acts(&again), ["buildroot"]);
}
