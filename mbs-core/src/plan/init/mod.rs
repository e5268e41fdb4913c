//! The state `init`: finds out what the module is made of, and records all of it at once or nothing.
//!
//! Order of the rounds: modules and included documents · what these include, architectures, RPM lists · refs, weights.

mod default_modules;
mod requirements;
mod sources;
mod surroundings;

use std::sync::Arc;

use super::step::Step;
use super::{Impossible, Observation, ObservationQuery, Why};
use crate::arches;
use crate::batch::BuildOrder;
use crate::collisions;
use crate::model::{ComponentBuild, Failure, ModuleBuild, State};
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::shared::Shared;
use crate::source_control::SourceError;
use crate::store::Note;

pub(super) use requirements::{bases, requirements};

use sources::{Components, From};

/// Why a module cannot leave `init`.
struct Refusal {
    reason: String,
    failure: Failure,
}

impl Refusal {
    #[expect(clippy::needless_pass_by_value, reason = "by value it fits `map_err`")]
    fn user(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), failure: Failure::User }
    }

    #[expect(clippy::needless_pass_by_value, reason = "by value it fits `map_err`")]
    fn infra(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), failure: Failure::Infra }
    }

    fn of_source(error: &SourceError) -> Self {
        if error.is_transient() { Self::infra(error) } else { Self::user(error) }
    }
}

/// Asks, round by round, for what the module is made of.
pub(super) fn missing(build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ObservationQuery {
    let mut query = ObservationQuery::default();
    if seen.slots.is_draining {
        return query;
    }
    let Ok(requirements) = requirements(build.document()) else { return query };
    let nsvcs = requirements.iter().map(|requirement| requirement.nsvc.clone());
    query.modules.builds = nsvcs.filter(|nsvc| !seen.modules.contains_key(nsvc)).collect();
    if let Some(mut modules) = known_modules(&requirements, seen) {
        default_modules::ask(&mut query, &modules, seen, policy);
        let base = surroundings::asked_base(build, &modules, policy);
        let unknown = base.filter(|base| !seen.compatible_bases.contains_key(&base.nsvc));
        query.modules.compatible_bases.extend(unknown.map(|base| base.nsvc.clone()));
        // Tags are asked about once it is certain whose.
        if query.sources.default_streams.is_empty() && query.modules.is_empty() {
            modules.extend(default_modules::found(&modules, seen, policy).modules);
            ask_about_tags(&mut query, build, &modules, seen, policy);
        }
    }
    match sources::components(build, seen, policy) {
        Ok(Components::Missing(places)) => {
            query.sources.documents =
                places.into_iter().filter(|place| !seen.documents.contains_key(place)).collect();
        }
        Ok(Components::Known(order)) => ask_about_sources(&mut query, build, &order, seen, policy),
        Err(_) => {}
    }
    query
}

fn ask_about_tags(
    query: &mut ObservationQuery,
    build: &ModuleBuild,
    modules: &[KnownModule],
    seen: &Observation,
    policy: &Policy,
) {
    let known_arches = seen.build.tag_arches.as_ref();
    query.build.tag_arches = arches::tags_to_ask(policy, build.document(), modules)
        .into_iter()
        .filter(|tag| !known_arches.is_some_and(|known| known.contains_key(tag)))
        .collect();
    // Which RPMs external repositories add depends on the architectures.
    if !query.build.tag_arches.is_empty() || seen.build.tag_rpms.is_some() {
        return;
    }
    let answered = known_arches.cloned().unwrap_or_default();
    if let Ok(decided) = arches::build_arches(policy, build.document(), modules, &answered) {
        query.build.tag_rpms = collisions::tags_to_ask(policy, modules);
        query.build.arches = decided.arches.into_iter().collect();
    }
    if query.build.tag_rpms.is_empty() {
        query.build.arches.clear();
    }
}

fn ask_about_sources(
    query: &mut ObservationQuery,
    build: &ModuleBuild,
    order: &BuildOrder,
    seen: &Observation,
    policy: &Policy,
) {
    if let Ok(sourced) = sources::named(build, order, policy) {
        let refs = sourced.into_iter().filter_map(|one| match one.from {
            From::Git(question) => Some(question),
            From::Srpm(_) => None,
        });
        query.sources.refs = refs.filter(|question| !seen.refs.contains_key(question)).collect();
    }
    if seen.build.weights.is_none() {
        query.build.weights = sources::packages(order);
    }
}

/// Returns the buildrequired modules once all of them were looked up; unknown ones are missing.
fn known_modules(all: &[requirements::Requirement], seen: &Observation) -> Option<Vec<KnownModule>> {
    let looked_up: Option<Vec<&Option<KnownModule>>> =
        all.iter().map(|r| seen.modules.get(&r.nsvc)).collect();
    let with_tag = |(requirement, module): (&requirements::Requirement, &Option<KnownModule>)| {
        let mut module = module.clone()?;
        module.tag = requirement.tag.clone().or(module.tag);
        Some(module)
    };
    Some(all.iter().zip(looked_up?).filter_map(with_tag).collect())
}

/// Records what the module is made of and goes on to `wait`, or fails the build, or leaves it until more is known.
pub(super) fn plan(step: &mut Step<'_>) -> Result<(), Impossible> {
    if step.is_backing_off() {
        return step.give_up_if_stuck();
    }
    if step.seen.slots.is_draining {
        step.why = Why::Draining { state: State::Init };
        return Ok(());
    }
    match record(step)? {
        Ok(()) => {
            step.build.enter(State::Wait, None, step.now)?;
            step.why = Why::GoingOn;
            Ok(())
        }
        Err(refusal) => step.fail(refusal.reason, refusal.failure),
    }
}

/// Works everything out first, so that nothing half-known is recorded.
fn record(step: &mut Step<'_>) -> Result<Result<(), Refusal>, Impossible> {
    let requirements = requirements(step.build.document())?;
    let Some(required) = known_modules(&requirements, step.seen) else {
        return Err(Impossible { what: "the buildrequired modules were not looked up".into() });
    };
    if let Some(lost) = requirements.iter().find(|r| !required.iter().any(|module| module.nsvc == r.nsvc)) {
        return Ok(Err(Refusal::user(format!(
            "The buildrequired module {} is not known any more.",
            lost.nsvc
        ))));
    }
    Ok(work_out(step, required).map(|found| found.write_to(step)))
}

/// Everything that `init` finds out.
struct Findings {
    arches: arches::BuildArches,
    components: Vec<ComponentBuild>,
    ordering: crate::model::Ordering,
    surroundings: crate::model::Surroundings,
    document: crate::modulemd::ModuleStream,
    notes: Vec<Note>,
}

fn work_out(step: &Step<'_>, mut modules: Vec<KnownModule>) -> Result<Findings, Refusal> {
    let (build, seen, policy) = (&step.build, step.seen, step.policy);
    let defaults = default_modules::found(&modules, seen, policy);
    modules.extend(defaults.modules.iter().cloned());
    let tag_arches = seen.build.tag_arches.clone().unwrap_or_default();
    let arches =
        arches::build_arches(policy, build.document(), &modules, &tag_arches).map_err(Refusal::user)?;
    let order = match sources::components(build, seen, policy)? {
        Components::Known(order) => order,
        Components::Missing(_) => {
            return Err(Refusal::infra("documents of included modules could not be fetched"));
        }
    };
    let sourced = sources::named(build, &order, policy)?;
    let components = sources::resolved(&sourced, seen, policy)?;
    let surroundings = surroundings::of(build, &modules, seen, policy)?;
    let mut document = (**build.document()).clone();
    default_modules::record(&mut document, &defaults.modules);
    sources::fill_in(&mut document, &build.new, &sourced, &components);
    let tag_rpms = seen.build.tag_rpms.clone().unwrap_or_default();
    collisions::find(policy, &modules, &tag_rpms).record(&mut document.xmd);
    document.check_storable().map_err(Refusal::user)?;
    let notes = defaults.notes.into_iter().chain(arches.note.clone()).map(Note::from).collect();
    Ok(Findings { arches, components, ordering: order.ordering, surroundings, document, notes })
}

impl Findings {
    fn write_to(self, step: &mut Step<'_>) {
        let build = &mut step.build;
        build.arches = self.arches.arches;
        build.components = self.components.into_iter().map(Shared::from).collect();
        build.ordering = self.ordering;
        build.surroundings = self.surroundings;
        build.new.document = Arc::new(self.document);
        step.notes.extend(self.notes);
    }
}
