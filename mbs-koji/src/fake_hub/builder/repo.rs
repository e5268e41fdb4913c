//! Repositories: from the task of `newRepo` to one that is ready, and requests to tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::live;
use crate::fake_hub::python::is_true;
use crate::fake_hub::state::{Id, NewTask, State, repo_state};
use crate::xmlrpc::{Call, Fault, Value};

/// Lets the task of a repository begin: the repository shows the tag as it is at this moment, or was at an event.
pub(super) fn begin(state: &mut State, task: Id, at: Option<Id>) -> Result<Id, Fault> {
    let known = state.repos.iter().find(|(_, repo)| repo.task == Some(task)).map(|(id, _)| *id);
    if let Some(known) = known {
        return Ok(known);
    }
    let row = live(state, task)?;
    let call = Call::from_params("newRepo", row.request.to_vec());
    let keywords = call.keywords().cloned().unwrap_or_default();
    let event = keywords.member("event").and_then(Value::as_int).or(at);
    let options: BTreeMap<Arc<str>, Value> =
        keywords.into_iter().filter(|(name, value)| &**name != "event" && is_true(value)).collect();
    let tag = state.tag(call.arguments().first().unwrap_or(&Value::Nil), event)?;
    let repo = state.begin_repo(tag, event, Some(task), options);
    for arch in super::arches::of_tag(state, tag) {
        let request = vec![repo.into(), Value::from(&arch), Value::Nil];
        let (label, arch) = (Some(arch), None);
        state.make_task(NewTask {
            method: "createrepo",
            request,
            parent: Some(task),
            label,
            arch,
            channel: Some(2),
            weight: Some(1.5),
            ..NewTask::default()
        });
    }
    state.change_task(task, |task| task.waiting = Some(true));
    Ok(repo)
}

/// Ends the task of a repository well. One that nobody saw begin began when it was made.
pub(super) fn finish(state: &mut State, task: Id) -> Result<(), Fault> {
    let made_at = live(state, task)?.made_at;
    let repo = begin(state, task, Some(made_at))?;
    for child in state.children_of(task).to_vec() {
        state.open_task(child);
        state.end_task(child, Ok(Value::Nil));
    }
    let event = state.repos.get(&repo).map_or(0, |repo| repo.event);
    state.end_task(task, Ok(Value::Array(vec![repo.into(), event.into()])));
    state.set_repo_state(repo, repo_state::READY);
    Ok(())
}

/// Notes that a repository has come to nothing.
pub(super) fn fail(state: &mut State, task: Id) {
    let begun =
        state.repos.iter().find(|(_, repo)| repo.task == Some(task) && repo.state == repo_state::INIT);
    if let Some(repo) = begun.map(|(id, _)| *id) {
        state.set_repo_state(repo, repo_state::PROBLEM);
    }
}

/// How often a request is tried again whose task made no repository.
const RETRIES: i64 = 10;

/// Makes the tasks that active requests wait for; one whose task failed, was cancelled or forgotten gets another, and is given up
/// in the end.
pub(super) fn serve_requests(state: &mut State) {
    let waiting: Vec<Id> = state
        .repo_requests
        .iter()
        .filter(|(_, request)| {
            request.is_active && request.task.is_none_or(|task| !state.live_tasks.contains(&task))
        })
        .map(|(id, _)| *id)
        .collect();
    for id in waiting {
        let Some(request) = state.repo_requests.get(&id).cloned() else { continue };
        if request.tries > RETRIES {
            state.touch();
            let given_up = Arc::make_mut(&mut state.repo_requests).get_mut(&id);
            given_up.into_iter().for_each(|given_up| given_up.is_active = false);
            continue;
        }
        let mut call = Call::new("newRepo").arg(&*state.tag_name(request.tag));
        for (name, value) in request.options {
            call = call.keyword(&name, value);
        }
        if let Some(event) = request.at_event {
            call = call.keyword("event", event);
        }
        // The repositories' keeper owns such tasks.
        let owner = state.user_named("kojira").unwrap_or(request.owner);
        let task = state.make_task(NewTask {
            method: "newRepo",
            request: call.params(),
            priority: Some(15),
            channel: Some(2),
            owner: Some(owner),
            ..NewTask::default()
        });
        let now = state.now;
        if let Some(request) = Arc::make_mut(&mut state.repo_requests).get_mut(&id) {
            request.task = Some(task);
            request.tries += 1;
            request.updated = now;
        }
    }
}
