//! Which finished builds are put into our tags, and when a repository of the build tag is asked for.
//!
//! It decides what is asked for and how often; whether it came about is observed elsewhere.

use super::building::tag_event;
use super::step::Step;
use super::{Action, absorb, buildonly};
use crate::build_system::TagRequest;
use crate::model::{ComponentBuild, ModuleBuild, Ordering, RepoWait};

/// Tags what is complete: with barriers only once all of its batch are.
pub(super) fn tag(step: &mut Step<'_>) {
    let (Some(tag), Some(build_tag)) = (step.build.koji_tag.clone(), step.build.build_tag()) else { return };
    let mut requests = Vec::new();
    let may_tag: Vec<bool> = step.build.components.iter().map(|c| may_tag(step, c)).collect();
    let now = step.now;
    for (component, _) in step.build.components.iter_mut().zip(may_tag).filter(|(_, may)| *may) {
        let Some(nvr) = component.nvr.clone() else { continue };
        let request = |tag| TagRequest { tag, package: component.package.clone(), nvr: nvr.clone() };
        if !component.tagged {
            requests.push(request(build_tag.clone()));
        }
        if !component.tagged_in_final && !component.build_time_only {
            requests.push(request(tag.clone()));
        }
        component.tag_asked_at = Some(now);
    }
    if !requests.is_empty() {
        step.actions.push(Action::Tag(requests));
    }
}

fn may_tag(step: &Step<'_>, component: &ComponentBuild) -> bool {
    let is_wanted = component.is_complete() && !component.is_tagged_everywhere();
    let is_batch_complete = || {
        step.build.ordering == Ordering::Graph
            || step
                .build
                .components
                .iter()
                .filter(|c| c.batch == component.batch)
                .all(ComponentBuild::is_complete)
    };
    // The RPM names of a buildonly build are in the filter before anything of it is in a tag; that a build of which nobody
    // knows any RPM is gone comes out when it is tagged.
    let is_filtered = buildonly::is_filtered(component) || buildonly::has_no_rpms(component, step.seen);
    is_wanted && is_filtered && absorb::may_ask_again(component.tag_asked_at, step) && is_batch_complete()
}

/// Asks for a repository: the first one, one whenever something tagged that others wait for is in none, and one after the
/// groups changed. A request whose task lives is not repeated.
pub(super) fn request_repo(step: &mut Step<'_>) {
    let Some(newest) = step.seen.build.repo else { return };
    let is_waited_for = step.build.components.iter().any(|c| c.state.is_none());
    let is_batch_tagged = step.build.ordering == Ordering::Graph || is_batch_tagged(&step.build);
    let is_lacking = match newest {
        None => true,
        Some(repo) => {
            let begun = step.build.components.iter().filter(|c| c.is_complete() && c.is_tagged_everywhere());
            is_batch_tagged && begun.filter_map(|c| tag_event(step, c)).any(|event| event > repo.event)
        }
    };
    let asked = step.build.repo.as_ref();
    let is_under_way = asked.is_some_and(|repo| repo.task.is_some());
    let may_ask = !is_under_way && absorb::may_ask_again(asked.map(|repo| repo.asked_at), step);
    let is_outdated = step.is_buildroot_changed && is_batch_tagged;
    if !is_waited_for || !(is_outdated || is_lacking && may_ask) {
        return;
    }
    if let Some(build_tag) = step.build.build_tag() {
        step.build.repo =
            Some(RepoWait { asked_at: step.now, task: None, before: newest.map(|repo| repo.id) });
        step.actions.push(Action::RequestRepo(build_tag));
    }
}

fn is_batch_tagged(build: &ModuleBuild) -> bool {
    build.components.iter().filter(|c| c.batch <= build.batch).all(ComponentBuild::is_tagged_everywhere)
}
