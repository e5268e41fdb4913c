//! What is told of a repository that a hub makes on demand: the tasks it begins by itself, one after the other.

use mbs_core::build_system::{
    AskedRepo, BuildAnswers, BuildQuestions, BuildSystem as _, TaskFailure, TaskState,
};
use mbs_core::ident::{TagEvent, TaskId};
use mbs_koji::fake_hub::{RequestsBegin, Setup};
use mbs_koji::xmlrpc::{Call, Struct};

use crate::site::{Site, id, spec};

/// A hub whose keeper makes tasks of requests only when told to, with a buildroot on it; and the event of that.
async fn site(version: &str) -> (Site, TagEvent) {
    let setup = Setup { version: version.into(), requests_begin: RequestsBegin::ByHand, ..Setup::default() };
    let site = Site::with(setup).await;
    let event = site.system.ensure_buildroot(&spec(&["liba"])).await.unwrap();
    (site, event)
}

/// Looks as a build does that waits for a repository; it has to cost one request.
async fn look(site: &Site, shows: TagEvent, task: Option<TaskId>) -> BuildAnswers {
    let questions = BuildQuestions {
        tasks: task.into_iter().collect(),
        failures: task.into_iter().collect(),
        repo_of: Some(id("module-app-build")),
        repo_asked: Some(AskedRepo { tag: id("module-app-build"), shows }),
        ..BuildQuestions::default()
    };
    site.hub.reset_counters();
    let answers = site.system.observe(&questions).await.unwrap();
    assert_eq!(site.hub.counters().requests, 1, "{:?}", site.hub.counters());
    answers
}

fn newest(answers: &BuildAnswers) -> Option<TaskId> {
    answers.repo_tries.as_ref().unwrap().last().copied()
}

#[tokio::test]
async fn a_task_that_fails_is_told_and_so_is_the_next_until_one_makes_the_repository() {
    let (site, event) = site("1.35.3").await;
    assert_eq!(look(&site, event, None).await.repo_tries, None);
    assert_eq!(site.system.request_repo(&id("module-app-build")).await, Ok(None));
    assert_eq!(newest(&look(&site, event, None).await), None);
    site.hub.serve_requests();
    let first = newest(&look(&site, event, None).await).unwrap();

    let failure = TaskFailure { reason: "no space left".into(), is_package_fault: false };
    site.hub.fail(first, failure).unwrap();
    let seen = look(&site, event, Some(first)).await;
    assert_eq!(newest(&seen), Some(first));
    let state =
        |answers: &BuildAnswers, task: TaskId| answers.tasks.as_ref().unwrap()[&task].clone().unwrap().state;
    assert_eq!(state(&seen, first), TaskState::Failed);
    let reason = seen.failures.unwrap()[&first].reason.clone();
    assert_eq!(reason, format!("the task failed: no space left (task {first})"));

    site.hub.serve_requests();
    let second = newest(&look(&site, event, None).await).unwrap();
    assert!(second > first);
    site.hub.finish(second).unwrap();
    let seen = look(&site, event, Some(second)).await;
    assert_eq!(state(&seen, second), TaskState::Closed);
    assert!(seen.repo.flatten().is_some_and(|repo| repo.event >= event));
}

#[tokio::test]
async fn a_request_that_the_hub_gave_up_is_told_with_its_last_task() {
    let (site, event) = site("1.35.3").await;
    site.system.request_repo(&id("module-app-build")).await.unwrap();
    let mut last = None;
    for _ in 0..11 {
        site.hub.serve_requests();
        last = newest(&look(&site, event, None).await);
        site.hub.cancel_by_stranger(last.unwrap());
    }
    site.hub.serve_requests();
    assert!(site.hub.live_tasks().is_empty());
    assert_eq!(newest(&look(&site, event, None).await), last);
}

#[tokio::test]
async fn requests_for_something_else_do_not_count() {
    let (site, event) = site("1.35.3").await;
    let request = |tag: &str| Call::new("repo.request").arg(tag).keyword("min_event", event.0);
    let options = Struct::from([("src", true)]);
    for other in [request("module-app"), request("module-app-build").keyword("opts", options)] {
        site.system.hub().write(&other).await.unwrap();
    }
    site.hub.serve_requests();
    assert_eq!(site.hub.live_tasks().len(), 2);
    assert_eq!(look(&site, event, None).await.repo_tries, None);
    site.system.hub().write(&request("module-app-build")).await.unwrap();
    assert!(look(&site, event, None).await.repo_tries.is_some());
    assert_eq!(look(&site, TagEvent(event.0 + 1), None).await.repo_tries, None);
}

#[tokio::test]
async fn a_hub_that_gives_the_task_at_once_is_not_asked() {
    let (site, event) = site("1.34.0").await;
    let task = site.system.request_repo(&id("module-app-build")).await.unwrap();
    assert!(task.is_some());
    assert_eq!(look(&site, event, task).await.repo_tries, None);
    assert_eq!(site.hub.counters().calls_of("repo.queryQueue"), 0);
}
