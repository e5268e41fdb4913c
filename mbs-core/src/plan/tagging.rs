//! Which finished builds are put into our tags, and when a repository of the build tag is asked for.
//!
//! It decides what is asked for and how often; whether it came about is observed elsewhere.

use super::building::{is_shown, tag_event};
use super::order::Gate;
use super::step::Step;
use super::{Action, ActionKey, absorb, buildonly};
use crate::build_system::{TagRequest, TaggedBuild};
use crate::ident::TagEvent;
use crate::model::{ComponentBuild, Ordering, RepoWait};

/// Tags what is complete: with barriers only once all of its batch are.
pub(super) fn tag(step: &mut Step<'_>) {
    let (Some(tag), Some(build_tag)) = (step.build.koji_tag.clone(), step.build_tag.clone()) else { return };
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

/// Asks for a repository: the first one, and whenever somebody waits for what neither the newest nor one under way shows.
///
/// While one is made, one more may be: what is tagged after it began need not wait for its end. More than two are never made
/// at a time. A request of which no task is known is repeated after a while, or if the buildroot was changed since; one that
/// the build system tends by itself only in the latter case.
pub(super) fn request_repo(step: &mut Step<'_>) {
    let (Some(newest), Some(build_tag)) = (step.seen.build.repo, step.build_tag.clone()) else { return };
    let changed_at = step.build.buildroot.as_ref().map_or(TagEvent(0), |buildroot| buildroot.event);
    let tagged = step.build.components.iter().filter(|c| c.is_complete() && c.is_tagged_everywhere());
    let shows = tagged.filter_map(|c| tag_event(step, c)).fold(changed_at, TagEvent::max);
    let is_too_little = |shown: TagEvent| shown < shows && is_waited_for(step, shown);
    let is_wanted = match newest {
        None => step.build.components.iter().any(|component| component.state.is_none()),
        Some(newest) => is_too_little(newest.event),
    };
    let may_ask = step.build.repo.as_ref().is_none_or(|asked| match asked.task {
        Some(task) if step.is_tended(task) => asked.shows < changed_at,
        Some(_) => step.build.repo_before.is_none() && is_too_little(asked.shows),
        None => asked.shows < changed_at || absorb::may_ask_again(Some(asked.asked_at), step),
    });
    if is_wanted && may_ask {
        let before = step.build.repo.replace(RepoWait { asked_at: step.now, task: None, shows });
        step.build.repo_before = before.filter(|before| before.task.is_some());
        step.actions.push(Action::RequestRepo(build_tag));
    }
}

/// Says whether a component could begin if a repository showed all that is tagged, and cannot with one as of an event.
fn is_waited_for(step: &Step<'_>, as_of: TagEvent) -> bool {
    let tagged = Gate::of(&step.build, |c| is_shown(step, c, TagEvent(i64::MAX)));
    let shown = Gate::of(&step.build, |c| is_shown(step, c, as_of));
    let mut unstarted = step.build.components.iter().filter(|component| component.state.is_none());
    unstarted.any(|component| tagged.lets_begin(component) && !shown.lets_begin(component))
}
