//! Components marked `buildonly`: the names of their RPMs join the filter of the stored document before anything of them
//! is in a tag.

use std::collections::BTreeSet;

use super::Observation;
use super::step::Step;
use crate::ident::Nvr;
use crate::model::{ComponentBuild, ModuleBuild};

/// Returns the builds of `buildonly` components whose RPM names are not known yet, just finished ones included.
pub(super) fn unfiltered(build: &ModuleBuild, seen: &Observation) -> BTreeSet<Nvr> {
    let nvr_of = |component: &ComponentBuild| -> Option<Nvr> {
        if component.nvr.is_some() {
            return component.nvr.clone();
        }
        let task = component.live_attempt()?.task?;
        let finished = seen.build.tasks.as_ref()?.get(&task)?.as_ref()?;
        finished.builds.first().cloned()
    };
    let is_known = |nvr: &Nvr| seen.rpms_asked.contains(nvr) || are_rpms_known(seen, nvr);
    let open = build.components.iter().filter(|component| component.buildonly && !component.is_filtered);
    open.filter_map(|component| nvr_of(component)).filter(|nvr| !is_known(nvr)).collect()
}

fn are_rpms_known(seen: &Observation, nvr: &Nvr) -> bool {
    seen.build.rpms_of_builds.as_ref().is_some_and(|known| known.contains_key(nvr))
}

/// Says whether the RPMs of a component were asked for and there are none: its build does not exist.
pub(super) fn has_no_rpms(component: &ComponentBuild, seen: &Observation) -> bool {
    let was_asked = |nvr: &Nvr| seen.rpms_asked.contains(nvr) && !are_rpms_known(seen, nvr);
    component.nvr.as_ref().is_some_and(was_asked)
}

/// RPM names of finished `buildonly` components join the filter of the stored document.
pub(super) fn filter(step: &mut Step<'_>) {
    let Some(rpms) = &step.seen.build.rpms_of_builds else { return };
    for component in &mut step.build.components {
        let known = component.nvr.as_ref().and_then(|nvr| rpms.get(nvr));
        let Some(rpms) =
            known.filter(|_| component.buildonly && !component.is_filtered && component.is_complete())
        else {
            continue;
        };
        let names = rpms.iter().filter(|rpm| !rpm.is_source()).map(|rpm| rpm.name.clone());
        let document = std::sync::Arc::make_mut(&mut step.build.new.document);
        document.filter.extend(names);
        component.is_filtered = true;
    }
}

/// Says whether nothing of a component is left to be put into the filter.
pub(super) fn is_filtered(component: &ComponentBuild) -> bool {
    !component.buildonly || component.is_filtered
}
