//! The state `wait`: names the tags and decides, once and for all components, what is reused.

use std::collections::BTreeSet;

use super::step::Step;
use super::{Impossible, Observation, ObservationQuery, Why, absorb, building, init};
use crate::ident::{Arch, Batch, Nvr, Package, TagName};
use crate::macros::{MacrosInput, MacrosPackage};
use crate::model::{
    ComponentBuild, ComponentSource, MACROS_PACKAGE, ModuleBuild, State, Verdict, WhyRebuild,
};
use crate::naming::{self, DistTag};
use crate::policy::Policy;
use crate::reuse;
use crate::store::Note;

/// Asks for the earlier builds to reuse from, unless that is decided.
pub(super) fn missing(build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ObservationQuery {
    let is_open = !is_decided(build) && seen.reuse.is_none();
    let reuse = if is_open { reuse::question(build, policy.reuse) } else { None };
    let mut query = ObservationQuery { reuse, ..ObservationQuery::default() };
    if !is_decided(build) && seen.tagged.is_none() {
        query.modules.tagged = reuse::tag_to_ask(build, policy.reuse).cloned();
    }
    // A resumed build may have tasks that were not seen ended when it failed.
    if seen.build.tasks.is_none() {
        query.build.tasks = building::live_tasks(build).collect();
    }
    query.build.failures = building::unexplained(build, seen);
    query
}

fn is_decided(build: &ModuleBuild) -> bool {
    build.components.iter().all(|component| component.is_macros() || component.verdict.is_some())
}

/// Names tags, fixes the verdicts and goes on to `build`.
pub(super) fn plan(step: &mut Step<'_>) -> Result<(), Impossible> {
    absorb::tasks(step);
    if step.is_backing_off() {
        return step.give_up_if_stuck();
    }
    if step.seen.slots.is_draining {
        step.why = Why::Draining { state: State::Wait };
        return Ok(());
    }
    let scratch = step.build.new.scratch.then_some(step.build.id);
    step.build.koji_tag = Some(naming::tag_names(step.build.nsvc(), scratch).tag);
    step.build.cg_tag = cg_tag(&step.build, step.policy)?;
    if !is_decided(&step.build) {
        decide(step);
    }
    let reuses_all = step.build.components.iter().all(|c| matches!(c.verdict, Some(Verdict::Reuse { .. })));
    if reuses_all {
        step.build.batch = step.build.components.iter().map(|c| c.batch).max().unwrap_or(Batch(0));
    } else {
        step.build.batch = Batch(0);
        add_macros(&mut step.build);
    }
    step.build.is_target_removed = false;
    step.build.buildroot = None;
    step.build.enter(State::Build, None, step.now)?;
    step.why = Why::GoingOn;
    Ok(())
}

/// Names the tag that the finished module's import goes into; scratch builds have none.
fn cg_tag(build: &ModuleBuild, policy: &Policy) -> Result<Option<TagName>, Impossible> {
    if build.new.scratch || !policy.koji_cg_tag_build {
        return Ok(None);
    }
    let requirements = init::requirements(build.document())?;
    let name = match init::bases(&requirements, policy).first() {
        Some(base) => policy.koji_cg_build_tag_template.replace("{}", base.nsvc.stream.as_str()),
        None => policy.koji_cg_default_build_tag.clone(),
    };
    TagName::new(name).map(Some).map_err(|error| Impossible { what: error.to_string() })
}

/// Fixes one verdict per component and notes why each is rebuilt.
fn decide(step: &mut Step<'_>) {
    let candidates = step.seen.reuse.as_deref().unwrap_or_default();
    let tagged = step.seen.tagged.as_ref().and_then(Option::as_ref);
    let source = reuse::choose_source(&step.build, candidates, tagged, step.policy.reuse);
    let mut verdicts = reuse::verdicts(&step.build, source.as_deref());
    if let Some(source) = &source {
        step.build.new.reuse_from = Some(source.id);
        if verdicts.values().any(|verdict| matches!(verdict, Verdict::Reuse { .. })) {
            let (id, nsvc) = (source.id, source.nsvc());
            step.notes.push(format!("components are reused from module build {id} ({nsvc})").into());
        }
    }
    let why_no_source = reuse::why_no_source(&step.build, candidates, step.policy.reuse);
    for component in &mut step.build.components {
        let Some(mut verdict) = verdicts.remove(&component.package) else { continue };
        if verdict == Verdict::Rebuild(WhyRebuild::NoSource) {
            verdict = Verdict::Rebuild(why_no_source.clone());
        }
        step.notes.push(told(&component.package, &verdict));
        component.verdict = Some(verdict);
    }
}

/// Says what was decided of a component. That no earlier build fits is a matter of the module, all else one of the component.
fn told(package: &Package, verdict: &Verdict) -> Note {
    match verdict {
        Verdict::Reuse { nvr, .. } => Note::of(package, format!("{package}: reused as {nvr}")),
        Verdict::Rebuild(why) => {
            let text = format!("{package}: will be built, since {why}");
            match why {
                WhyRebuild::NoSource | WhyRebuild::OtherBuildrequires => text.into(),
                WhyRebuild::Strategy
                | WhyRebuild::NotInSource(_)
                | WhyRebuild::NoCommit
                | WhyRebuild::OtherCommit { .. }
                | WhyRebuild::OtherBatch { .. }
                | WhyRebuild::OtherMacros
                | WhyRebuild::EarlierChanged(_)
                | WhyRebuild::OtherArches
                | WhyRebuild::Gone(_) => Note::of(package, text),
            }
        }
    }
}

/// Adds module-build-macros as batch 1, unless it is there.
pub(super) fn add_macros(build: &mut ModuleBuild) {
    if build.component(MACROS_PACKAGE).is_some() {
        return;
    }
    let package = Package::new(MACROS_PACKAGE).expect("the name of the macros package is valid");
    let mut component = ComponentBuild::new(package, ComponentSource::Macros, Batch(1));
    component.arches = vec![Arch::new("noarch").expect("noarch is a valid architecture")];
    component.build_time_only = true;
    build.components.insert(0, component.into());
}

/// Returns the value of `%dist`, with its dot.
pub(super) fn dist(build: &ModuleBuild, policy: &Policy) -> String {
    format!(".{}", naming::dist_tag(&DistTag::of(build, policy)))
}

/// Returns the builds whose RPMs the macros have to know, as long as these were not asked for: if the module buildrequires
/// itself, what it reuses is filtered by its other build perhaps, and must not conflict.
pub(super) fn reused_unknown(build: &ModuleBuild, seen: &Observation) -> BTreeSet<Nvr> {
    let is_itself = build.document().xmd.at(&["mbs", "buildrequires", build.nsvc().name.as_str()]).is_some();
    let is_open = build.component(MACROS_PACKAGE).is_some_and(|macros| !macros.is_complete());
    if !is_itself || !is_open {
        return BTreeSet::new();
    }
    reused(build).filter(|nvr| !seen.rpms_asked.contains(*nvr)).cloned().collect()
}

fn reused(build: &ModuleBuild) -> impl Iterator<Item = &Nvr> {
    build.components.iter().filter_map(|component| match &component.verdict {
        Some(Verdict::Reuse { nvr, .. }) => Some(nvr),
        Some(Verdict::Rebuild(_)) | None => None,
    })
}

/// Makes the source of module-build-macros.
pub(super) fn macros_package(
    build: &ModuleBuild,
    seen: &Observation,
    policy: &Policy,
    now: jiff::Timestamp,
) -> MacrosPackage {
    let dist_tag = naming::dist_tag(&DistTag::of(build, policy));
    let rpms_of = |nvr| seen.build.rpms_of_builds.as_ref().and_then(|known| known.get(nvr));
    let reused = reused(build).filter_map(rpms_of).flatten();
    let reused = reused.map(|rpm| Nvr::of(&rpm.name, &rpm.version, &rpm.release));
    MacrosPackage::write(&MacrosInput {
        nsvc: build.nsvc(),
        dist_tag: &dist_tag,
        document: build.document(),
        reused: &reused.collect(),
        policy,
        today: now.to_zoned(jiff::tz::TimeZone::UTC).date(),
    })
}
