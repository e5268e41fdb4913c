//! What a store refuses whoever asks, and what it makes of settings: pure, so that every store refuses the same.

use std::collections::BTreeSet;

use super::{Settings, Slots, StoreError};
use crate::ident::ComponentId;
use crate::model::ModuleBuild;

/// Refuses a record that cannot have come from the one that is stored.
///
/// # Errors
/// `Rejected`: another identity, a component twice or with an id that was not given to it, or a state that no trace leads to.
pub fn successor(was: &ModuleBuild, now: &ModuleBuild) -> Result<(), StoreError> {
    let fixed = |build: &ModuleBuild| {
        (build.id, build.nsvc().clone(), build.dist_index, build.new.scratch, build.submitted_at)
    };
    if fixed(was) != fixed(now) {
        return Err(rejected(format!("the identity of module build {} cannot change", was.id)));
    }
    components(was, now)?;
    transitions(was, now)
}

/// Refuses what a person did to a record if it cannot have come from the one that is stored, or holds more slots.
///
/// # Errors
/// `Rejected`.
pub fn by_hand(was: &ModuleBuild, now: &ModuleBuild) -> Result<(), StoreError> {
    successor(was, now)?;
    if now.slots_held() > was.slots_held() {
        return Err(rejected(format!(
            "what a person does to module build {} must not submit components",
            now.id
        )));
    }
    Ok(())
}

/// Refuses a record that takes more slots than before if they do not fit, counted over all builds.
///
/// # Errors
/// `NoSlot`.
pub fn slots(was: &ModuleBuild, now: &ModuleBuild, slots: &Slots) -> Result<(), StoreError> {
    let Some(limit) = slots.limit else { return Ok(()) };
    let (held, wanted, in_use) = (was.slots_held(), now.slots_held(), slots.in_use);
    let others = in_use.saturating_sub(held);
    if wanted > held && others.saturating_add(wanted) > limit {
        return Err(StoreError::NoSlot { in_use, limit });
    }
    Ok(())
}

/// Says for the audit what differs between settings.
pub fn describe(was: &Settings, now: &Settings) -> String {
    let limit = |settings: &Settings| settings.limit.map_or("none".to_owned(), |limit| limit.to_string());
    let mut changes = Vec::new();
    if was.limit != now.limit {
        changes.push(format!("limit from {} to {}", limit(was), limit(now)));
    }
    if was.paused != now.paused {
        changes.push(format!("paused from {} to {}", was.paused, now.paused));
    }
    if was.draining != now.draining {
        changes.push(format!("draining from {} to {}", was.draining, now.draining));
    }
    if changes.is_empty() { "changed nothing".to_owned() } else { format!("changed {}", changes.join(", ")) }
}

/// Makes a refusal.
pub fn rejected(reason: impl Into<String>) -> StoreError {
    StoreError::Rejected { reason: reason.into() }
}

fn components(was: &ModuleBuild, now: &ModuleBuild) -> Result<(), StoreError> {
    let known: BTreeSet<ComponentId> = was.components.iter().filter_map(|component| component.id).collect();
    let mut ids = BTreeSet::new();
    let mut packages = BTreeSet::new();
    for component in &now.components {
        let package = &component.package;
        if !packages.insert(package) {
            return Err(rejected(format!("module build {} has the component {package} twice", now.id)));
        }
        if component.id.is_some_and(|id| !known.contains(&id) || !ids.insert(id)) {
            return Err(rejected(format!(
                "the id of the component {package} is not one that was given to it"
            )));
        }
    }
    Ok(())
}

fn transitions(was: &ModuleBuild, now: &ModuleBuild) -> Result<(), StoreError> {
    let mut state = was.state();
    for transition in now.life.unsaved() {
        if transition.from != Some(state) || !state.may_become(transition.to) {
            return Err(rejected(format!(
                "the changes of state of module build {} do not follow each other: {state}, then {}",
                now.id, transition.to
            )));
        }
        state = transition.to;
    }
    if state == now.state() {
        Ok(())
    } else {
        Err(rejected(format!("module build {} changed its state without a trace", now.id)))
    }
}
