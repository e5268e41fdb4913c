//! Which finished builds are put into our tags, and when a repository of the build tag is asked for.
//!
//! It decides what is asked for and how often; whether it came about is observed elsewhere.

use super::building::tag_event;
use super::order::Gate;
use super::step::Step;
use super::{Action, ActionKey, absorb, buildonly};
use crate::build_system::{TagRequest, TaggedBuild};
use crate::ident::TagEvent;
use crate::model::{ComponentBuild, ModuleBuild, Ordering, RepoWait, Shared};

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

/// Takes builds that were discarded out of our tags; one that is in none any more is forgotten.
pub(super) fn discard(step: &mut Step<'_>) {
    let (Some(tags), None) = (&step.seen.build.tags, step.seen.outcome(&ActionKey::Untag)) else { return };
    let mut requests = Vec::new();
    for component in &mut step.build.components {
        let Some(nvr) = component.discarded.clone() else { continue };
        let holds = |builds: &Option<Vec<TaggedBuild>>| builds.iter().flatten().any(|build| build.nvr == nvr);
        let holding = tags.iter().filter(|(_, builds)| holds(builds)).map(|(tag, _)| tag.clone());
        let before = requests.len();
        let package = &component.package;
        requests.extend(holding.map(|tag| TagRequest { tag, package: package.clone(), nvr: nvr.clone() }));
        if requests.len() == before {
            component.discarded = None;
        }
    }
    if !requests.is_empty() {
        step.actions.push(Action::Untag(requests));
    }
}

fn may_tag(step: &Step<'_>, component: &ComponentBuild) -> bool {
    let is_wanted = component.is_complete() && !component.is_tagged_everywhere();
    let is_batch_complete = || {
        step.build.ordering == Ordering::Graph
            || step.build.components.iter().filter(|c| c.batch == component.batch).all(|c| c.is_complete())
    };
    // The RPM names of a buildonly build are in the filter before anything of it is in a tag; that a build of which nobody
    // knows any RPM is gone comes out when it is tagged.
    let is_filtered = buildonly::is_filtered(component) || buildonly::has_no_rpms(component, step.seen);
    is_wanted && is_filtered && absorb::may_ask_again(component.tag_asked_at, step) && is_batch_complete()
}

/// Asks for a repository: the first one, and whenever the newest shows too little for what others wait for. A request whose
/// task lives is not repeated, unless the buildroot was changed since.
pub(super) fn request_repo(step: &mut Step<'_>) {
    let (Some(newest), Some(build_tag)) = (step.seen.build.repo, step.build.build_tag()) else { return };
    let changed_at = step.build.buildroot.as_ref().map_or(TagEvent(0), |buildroot| buildroot.event);
    let begun = step.build.components.iter().filter(|c| c.is_complete() && c.is_tagged_everywhere());
    let shows = begun.filter_map(|c| tag_event(step, c)).fold(changed_at, TagEvent::max);
    let is_settled = is_all_tagged(&step.build);
    let is_lacking = newest.is_none_or(|repo| is_settled && repo.event < shows);
    let may_ask = step.build.repo.as_ref().is_none_or(|asked| {
        let is_outdated = is_settled && asked.shows < changed_at;
        is_outdated || asked.task.is_none() && absorb::may_ask_again(Some(asked.asked_at), step)
    });
    let is_waited_for = step.build.components.iter().any(|c| c.state.is_none());
    if is_waited_for && is_lacking && may_ask {
        step.build.repo = Some(RepoWait { asked_at: step.now, task: None, shows });
        step.actions.push(Action::RequestRepo(build_tag));
    }
}

/// Says whether no tagging is awaited that a repository should show, too: of batches, that of every complete one.
fn is_all_tagged(build: &ModuleBuild) -> bool {
    let gate = Gate::of(build, ComponentBuild::is_complete);
    let awaited = |c: &Shared<ComponentBuild>| gate.is_past(c.batch) && !c.is_tagged_everywhere();
    build.ordering == Ordering::Graph || !build.components.iter().any(awaited)
}
