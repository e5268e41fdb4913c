//! Tasks from begin to end.

use super::*;

#[test]
fn a_task_stays_open_until_it_is_finished_and_then_has_its_build() {
    let plant = plant();
    let task = submit(&plant, &job("liba"));
    assert_eq!(look(&plant, task), Some((TaskState::Open, vec![])));
    plant.finish(task).unwrap();
    assert_eq!(look(&plant, task), Some((TaskState::Closed, vec![format!("liba-1-1{DIST}")])));
    assert!(is_rejected(&plant.finish(task)), "it ended already");
}

#[test]
fn a_recipe_or_the_script_decides_the_nvr() {
    let plant = plant();
    plant.set_recipe(&id("liba"), "2.5", &["liba"]);
    let task = submit(&plant, &job("liba"));
    plant.finish(task).unwrap();
    assert_eq!(look(&plant, task).unwrap().1, [format!("liba-2.5-1{DIST}")]);
    let task = submit(&plant, &job("libb"));
    plant.finish_as(task, &id("libb-9-9")).unwrap();
    assert_eq!(look(&plant, task).unwrap().1, ["libb-9-9"]);
    let task = submit(&plant, &macros_job());
    plant.finish(task).unwrap();
    assert_eq!(look(&plant, task).unwrap().1, [format!("module-build-macros-0.1-1{DIST}")]);
}

#[test]
fn a_task_that_never_was_cannot_be_cancelled() {
    let plant = plant();
    assert!(is_missing(&now_or_panic(plant.cancel(&[TaskId(99)])), "the task 99"));
}

#[test]
fn a_submission_into_the_tags_of_another_target_is_refused() {
    let crossed = ComponentJob { build_tag: Some(id("f29-build")), ..job("liba") };
    assert!(is_conflict(&now_or_panic(plant().submit(&crossed))));
}

#[test]
fn a_second_live_task_for_a_component_is_refused() {
    let plant = plant();
    let first = submit(&plant, &job("liba"));
    assert!(is_conflict(&now_or_panic(plant.submit(&job("liba")))));
    plant.cancel_by_stranger(first).unwrap();
    assert!(submit(&plant, &job("liba")) > first);
}

#[test]
fn two_modules_may_build_their_macros_in_one_target() {
    let plant = plant();
    submit(&plant, &macros_job());
    submit(&plant, &ComponentJob { dist: ".module+f29+2+def".into(), ..macros_job() });
}

#[test]
fn a_second_complete_build_of_an_nvr_is_refused() {
    let plant = plant();
    let nvr = build(&plant, "liba");
    assert!(is_conflict(&now_or_panic(plant.submit(&job("liba")))));
    let task = submit(&plant, &job("libb"));
    assert!(is_conflict(&plant.finish_as(task, &nvr)));
    assert_eq!(look(&plant, task).unwrap().0, TaskState::Open, "it lives on");
    assert!(is_conflict(&plant.add_build(&nvr, &[])));
}

#[test]
fn a_job_that_contradicts_itself_is_refused() {
    let plant = plant();
    let refused = |job: ComponentJob| is_rejected(&now_or_panic(plant.submit(&job)));
    assert!(refused(ComponentJob { macros: None, ..macros_job() }));
    assert!(refused(ComponentJob { macros: macros_job().macros, ..job("liba") }));
    assert!(refused(ComponentJob { dist: "module+f29".into(), ..job("liba") }));
}

#[test]
fn at_once_means_in_the_call() {
    let plant = plant();
    plant.set_pace(TaskKind::Build, Pace::AtOnce);
    let task = submit(&plant, &job("liba"));
    assert_eq!(look(&plant, task).unwrap().0, TaskState::Closed);
    let repo = now_or_panic(plant.request_repo(&id("module-app-build"))).unwrap().unwrap();
    assert_eq!(look(&plant, repo).unwrap().0, TaskState::Open, "repositories have a pace of their own");
}

#[test]
fn a_pace_counts_observes_from_the_begin_of_the_task() {
    let plant = plant();
    plant.set_pace(TaskKind::Build, Pace::AfterObserves(2));
    let first = submit(&plant, &job("liba"));
    assert_eq!(look(&plant, first).unwrap().0, TaskState::Open);
    let second = submit(&plant, &job("libb"));
    assert_eq!(look(&plant, first).unwrap().0, TaskState::Closed);
    assert_eq!(look(&plant, second).unwrap().0, TaskState::Closed);
}

#[test]
fn a_task_that_cannot_finish_by_itself_fails_as_infra() {
    let plant = plant();
    plant.set_pace(TaskKind::Build, Pace::AfterObserves(1));
    let task = submit(&plant, &job("liba"));
    plant.add_build(&id(&format!("liba-1-1{DIST}")), &[]).unwrap();
    assert_eq!(look(&plant, task).unwrap().0, TaskState::Failed);
    let questions = BuildQuestions { failures: [task].into(), ..BuildQuestions::default() };
    assert!(!observe(&plant, &questions).failures.unwrap()[&task].is_package_fault);
}

#[test]
fn a_repository_shows_its_tag_as_it_was_when_it_was_asked_for() {
    let plant = plant();
    let nvr = build(&plant, "liba");
    let early = now_or_panic(plant.request_repo(&id("module-app-build"))).unwrap().unwrap();
    tag(&plant, "module-app-build", &nvr).unwrap();
    let tagged = plant.builds_in(&id("module-app-build"))[0].event;
    assert_eq!(newest_repo(&plant, "module-app-build"), None);
    plant.finish(early).unwrap();
    assert!(newest_repo(&plant, "module-app-build").unwrap().event < tagged);
    let late = now_or_panic(plant.request_repo(&id("module-app-build"))).unwrap().unwrap();
    plant.finish(late).unwrap();
    assert!(newest_repo(&plant, "module-app-build").unwrap().event >= tagged);
}

#[test]
fn a_repository_that_comes_late_does_not_hide_a_newer_one() {
    let plant = plant();
    let [old, new] =
        [(); 2].map(|()| now_or_panic(plant.request_repo(&id("module-app-build"))).unwrap().unwrap());
    plant.finish(new).unwrap();
    let newest = newest_repo(&plant, "module-app-build");
    plant.finish(old).unwrap();
    assert_eq!(newest_repo(&plant, "module-app-build"), newest);
}

#[test]
fn a_repository_of_an_unknown_or_bare_tag_is_refused() {
    let plant = plant();
    assert!(is_missing(&now_or_panic(plant.request_repo(&id("nope"))), "the tag nope"));
    plant.add_tag(&id("bare"), &[]);
    assert!(is_rejected(&now_or_panic(plant.request_repo(&id("bare")))));
}

#[test]
fn tasks_are_listed_with_what_they_do() {
    let plant = plant();
    let task = submit(&plant, &job("liba"));
    let repo = now_or_panic(plant.request_repo(&id("module-app-build"))).unwrap().unwrap();
    plant.finish(task).unwrap();
    let seen: Vec<_> = plant.tasks().into_iter().map(|t| (t.id, t.kind, t.place.to_string())).collect();
    assert_eq!(
        seen,
        [(task, TaskKind::Build, "module-app".into()), (repo, TaskKind::Repo, "module-app-build".into())]
    );
    assert_eq!(plant.live_tasks().into_iter().map(|t| t.id).collect::<Vec<_>>(), [repo]);
}
