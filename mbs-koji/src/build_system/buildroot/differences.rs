//! What has to be done so that tags, target, lists, groups and inheritance are as described.

use std::collections::BTreeSet;
use std::fmt;

use mbs_core::build_system::{BuildSystemError, BuildrootSpec};
use mbs_core::ident::{Arch, Package, TagName};

use super::{OneTag, Standing, extra};
use crate::api::tag::{self, Tag, Target};
use crate::build_system::KojiSettings;
use crate::xmlrpc::{Call, Struct, Value};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::build_system) struct Change {
    /// What is sent.
    pub(in crate::build_system) call: Call,
    /// What it is for: "to make the tag f40".
    pub(in crate::build_system) doing: String,
    /// What it means if the hub refuses it.
    pub(in crate::build_system) refused: Refused,
}

/// What it means that the hub refuses a change by its general fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::build_system) enum Refused {
    /// It cannot be made.
    ForGood,
    /// It need not be made: what is to be kept out is not there.
    IsFine,
    /// Somebody else may have been quicker, a call of a backend that lost its lease for one: look again.
    LookAgain,
}

/// Step between the priorities of inherited tags.
const STEP: i64 = 10;

/// Returns the changes in the order in which they have to be made; none if all is as described.
///
/// Groups come before inheritance, or the hub takes an inherited group for the tag's own; blocking comes last, for it needs a
/// package that is in the list or inherited. `stand_in` owns packages where Koji does not know their owner.
///
/// # Errors
/// `Conflict` if somebody has locked a tag, the target has other tags, or the permission does not exist; `NotFound` if a
/// tag to be inherited does not exist.
pub(in crate::build_system) fn differences(
    spec: &BuildrootSpec,
    standing: &Standing,
    settings: &KojiSettings,
    stand_in: &str,
) -> Result<Vec<Change>, BuildSystemError> {
    let permission = permission(standing, settings)?;
    if let Some(target) = &standing.target {
        check_target(spec, target)?;
    }
    let owner = if standing.knows_owner { &spec.owner } else { stand_in };
    let mut changes = Changes::default();
    for (name, standing) in [(&spec.tag, &standing.tag), (&spec.build_tag, &standing.build_tag)] {
        changes.tag(name, standing, Wanted { spec, permission, extra: extra(spec, settings) })?;
        changes.packages(name, standing, &spec.packages, owner);
    }
    changes.group(spec, standing, "build", &spec.build_group);
    changes.group(spec, standing, "srpm-build", &spec.srpm_build_group);
    if standing.target.is_none() {
        let call = tag::create_target(&spec.target, &spec.build_tag, &spec.tag);
        changes.make(call, format_args!("to make the target {}", spec.target));
    }
    changes.inheritance(spec, standing)?;
    changes.blocking(spec, &standing.build_tag);
    Ok(changes.0)
}

fn permission(standing: &Standing, settings: &KojiSettings) -> Result<i64, BuildSystemError> {
    let name = &settings.tag_permission;
    standing.permissions.get(name).copied().ok_or_else(|| BuildSystemError::Conflict {
        what: format!("tags of modules shall need the permission {name}, which does not exist in Koji"),
    })
}

fn check_target(spec: &BuildrootSpec, target: &Target) -> Result<(), BuildSystemError> {
    if target.build_tag == spec.build_tag.as_str() && target.tag == spec.tag.as_str() {
        return Ok(());
    }
    let what = format!(
        "the target {} builds from {} into {}, not from {} into {}",
        spec.target, target.build_tag, target.tag, spec.build_tag, spec.tag
    );
    Err(BuildSystemError::Conflict { what })
}

/// What a tag should be.
struct Wanted<'s> {
    spec: &'s BuildrootSpec,
    permission: i64,
    extra: Struct,
}

#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, call: Call, doing: impl fmt::Display) {
        self.push(call, doing, Refused::ForGood);
    }

    /// Adds what is refused where it has been done already.
    fn make(&mut self, call: Call, doing: impl fmt::Display) {
        self.push(call, doing, Refused::LookAgain);
    }

    fn push(&mut self, call: Call, doing: impl fmt::Display, refused: Refused) {
        self.0.push(Change { call, doing: doing.to_string(), refused });
    }

    fn tag(&mut self, name: &TagName, standing: &OneTag, wanted: Wanted) -> Result<(), BuildSystemError> {
        let Wanted { spec, permission, extra } = wanted;
        let Some(tag) = &standing.tag else {
            let call = tag::create(name, &spec.arches, permission, extra);
            self.make(call, format_args!("to make the tag {name}"));
            return Ok(());
        };
        if tag.is_locked {
            return Err(BuildSystemError::Conflict { what: format!("somebody has locked the tag {name}") });
        }
        let arches = is_other_set(tag, spec).then_some(&spec.arches[..]);
        let permission = (tag.permission != Some(permission)).then_some(permission);
        let is_missing = |(name, value): &(&str, &Value)| tag.extra.member(name) != Some(value);
        let missing = extra.iter().filter(is_missing).map(|(name, value)| (name.into(), value.clone()));
        let missing: Struct = missing.collect();
        let missing = (!missing.is_empty()).then_some(missing);
        if arches.is_some() || permission.is_some() || missing.is_some() {
            let call = tag::edit(name, arches, permission, missing);
            self.add(call, format_args!("to change the tag {name}"));
        }
        Ok(())
    }

    fn packages(&mut self, name: &TagName, standing: &OneTag, packages: &[Package], owner: &str) {
        for package in packages.iter().filter(|package| !standing.packages.contains_key(*package)) {
            let doing = format_args!("to add the package {package} to the list of the tag {name}");
            self.add(tag::add_package(name, package, owner), doing);
        }
    }

    fn group(&mut self, spec: &BuildrootSpec, standing: &Standing, group: &str, rpms: &[String]) {
        let known = standing.groups.get(group);
        if known.is_none() {
            let doing = format_args!("to make the group {group} in the tag {}", spec.build_tag);
            self.add(tag::add_group(&spec.build_tag, group), doing);
        }
        for rpm in rpms.iter().filter(|rpm| known.is_none_or(|known| !known.contains(*rpm))) {
            let doing = format_args!("to put {rpm} into the group {group} of the tag {}", spec.build_tag);
            self.add(tag::add_to_group(&spec.build_tag, group, rpm), doing);
        }
    }

    /// What is inherited already stays as it is; the rest comes behind it.
    fn inheritance(&mut self, spec: &BuildrootSpec, standing: &Standing) -> Result<(), BuildSystemError> {
        let known: BTreeSet<i64> = standing.inherited.iter().map(|row| row.parent).collect();
        let last = standing.inherited.iter().map(|row| row.priority).max();
        let mut priority = last.map_or(0, |last| last.saturating_add(STEP));
        let mut parents = Vec::new();
        for name in &spec.inherits {
            let parent = standing.parents.get(name).ok_or_else(|| BuildSystemError::NotFound {
                what: format!("the tag {name}, which the buildroot shall inherit,"),
            })?;
            if !known.contains(&parent.id) {
                parents.push((parent.id, priority));
                priority = priority.saturating_add(STEP);
            }
        }
        if !parents.is_empty() {
            let doing = format_args!("to let the tag {} inherit others", spec.build_tag);
            self.make(tag::inherit(&spec.build_tag, parents), doing);
        }
        Ok(())
    }

    /// Packages are kept out until they were built; then they are let in again.
    fn blocking(&mut self, spec: &BuildrootSpec, standing: &OneTag) {
        let name = &spec.build_tag;
        let let_in: BTreeSet<&Package> = spec.unblocked.iter().collect();
        let is_blocked = |package: &Package| standing.packages.get(package) == Some(&true);
        let kept_out = spec.blocked.iter().filter(|package| !let_in.contains(package));
        for package in kept_out.filter(|package| !is_blocked(package)) {
            let doing = format_args!("to keep the package {package} out of the tag {name}");
            self.push(tag::block_package(name, package), doing, Refused::IsFine);
        }
        for package in let_in.into_iter().filter(|package| is_blocked(package)) {
            let doing = format_args!("to let the package {package} into the tag {name} again");
            self.make(tag::unblock_package(name, package), doing);
        }
    }
}

/// Says whether a tag has other architectures than described, in whatever order.
fn is_other_set(tag: &Tag, spec: &BuildrootSpec) -> bool {
    let set = |arches: &[Arch]| arches.iter().cloned().collect::<BTreeSet<_>>();
    set(&tag.arches) != set(&spec.arches)
}
