//! Buildroots: one request shows how tags stand, another makes them what they should be.
//!
//! What has to be done is decided by [`differences`], without a hub. Up to 500 changes go out in one request, which is one
//! transaction of the hub. What a crash or a refusal leaves undone is found lacking the next time.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::build_system::{BuildSystemError, BuildrootSpec, Effect};
use mbs_core::ident::{Package, TagEvent, TagName};

use super::calls::{Answers, Calls, Ticket};
use super::{KojiSettings, refusal};
use crate::api::tag::{self, Inheritance, Tag, Target};
use crate::api::{Odd, repo};
use crate::xmlrpc::{FaultCode, Struct, Value};

mod differences;
#[cfg(test)]
mod tests;

pub(super) use differences::{Change, Refused, differences};

/// How the tags of a buildroot stand.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// Koji's ids of permissions.
    pub(super) permissions: BTreeMap<String, i64>,
    /// The destination tag.
    pub(super) tag: OneTag,
    /// The build tag.
    pub(super) build_tag: OneTag,
    /// Groups of the build tag, with the RPMs in them.
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    /// What the build tag inherits.
    pub(super) inherited: Vec<Inheritance>,
    /// The target.
    pub(super) target: Option<Target>,
    /// The tags that are to be inherited, as far as they exist.
    pub(super) parents: BTreeMap<TagName, Tag>,
    /// Whether Koji knows who shall own packages.
    pub(super) knows_owner: bool,
    /// The hub's last event.
    pub(super) event: TagEvent,
}

/// A tag with its package list.
#[derive(Debug, Clone, Default)]
pub(super) struct OneTag {
    /// `None`: there is none yet.
    pub(super) tag: Option<Tag>,
    /// Its packages, and whether they are blocked.
    pub(super) packages: BTreeMap<Package, bool>,
}

/// The question how tags stand.
#[derive(Debug)]
pub(super) struct Question<'s> {
    spec: &'s BuildrootSpec,
    permissions: Ticket,
    tags: [(Ticket, Ticket); 2],
    groups: Ticket,
    inherited: Ticket,
    target: Ticket,
    parents: Vec<(&'s TagName, Ticket)>,
    owner: Ticket,
    event: Ticket,
}

impl<'s> Question<'s> {
    pub(super) fn ask(spec: &'s BuildrootSpec, calls: &mut Calls) -> Self {
        let mut with_packages = |name| (calls.add(tag::tag(name)), calls.add(tag::packages(name)));
        let tags = [&spec.tag, &spec.build_tag].map(&mut with_packages);
        Self {
            spec,
            tags,
            permissions: calls.add(tag::permissions()),
            groups: calls.add(tag::groups(&spec.build_tag)),
            inherited: calls.add(tag::inheritance(&spec.build_tag)),
            target: calls.add(tag::target(&spec.target)),
            parents: spec.inherits.iter().map(|name| (name, calls.add(tag::tag(name)))).collect(),
            owner: calls.add(tag::user(&spec.owner)),
            event: calls.add(repo::last_event()),
        }
    }

    pub(super) fn read(&self, answers: &Answers) -> Result<Standing, BuildSystemError> {
        let (spec, [tag, build_tag]) = (self.spec, self.tags);
        let build_tag = one_tag(&spec.build_tag, build_tag, answers)?;
        let is_new = build_tag.tag.is_none();
        let groups = format_args!("to show the groups of the tag {}", spec.build_tag);
        let inherited = format_args!("to show what the tag {} inherits", spec.build_tag);
        let mut parents = BTreeMap::new();
        for (name, ticket) in &self.parents {
            let parent = answers.read(*ticket, format_args!("to show the tag {name}"), tag::read)?;
            parents.extend(parent.map(|parent| ((*name).clone(), parent)));
        }
        Ok(Standing {
            permissions: answers.read(self.permissions, "to show its permissions", tag::read_permissions)?,
            tag: one_tag(&spec.tag, tag, answers)?,
            groups: unless_new(is_new, || answers.read(self.groups, groups, tag::read_groups))?,
            inherited: unless_new(is_new, || answers.read(self.inherited, inherited, tag::read_inheritance))?,
            build_tag,
            target: answers.read(
                self.target,
                format_args!("to show the target {}", spec.target),
                tag::read_target,
            )?,
            parents,
            knows_owner: answers.read(
                self.owner,
                format_args!("to show the user {}", spec.owner),
                is_there,
            )?,
            event: answers.read(self.event, "to show its last event", repo::read_event)?,
        })
    }
}

/// Of a tag that does not exist nothing can be shown.
fn unless_new<T: Default>(
    is_new: bool,
    read: impl FnOnce() -> Result<T, BuildSystemError>,
) -> Result<T, BuildSystemError> {
    if is_new { Ok(T::default()) } else { read() }
}

fn one_tag(
    name: &TagName,
    (tag, packages): (Ticket, Ticket),
    answers: &Answers,
) -> Result<OneTag, BuildSystemError> {
    let tag = answers.read(tag, format_args!("to show the tag {name}"), tag::read)?;
    let doing = format_args!("to show the packages of the tag {name}");
    let listed = unless_new(tag.is_none(), || answers.read(packages, doing, tag::read_packages))?;
    Ok(OneTag { tag, packages: listed.into_iter().map(|row| (row.package, row.is_blocked)).collect() })
}

#[expect(clippy::unnecessary_wraps, reason = "it reads answers as others do, and this one cannot be odd")]
fn is_there(value: &Value) -> Result<bool, Odd> {
    Ok(!value.is_nil())
}

/// Returns the calls that make the changes, and what a refusal of each is about.
pub(super) fn calls_of<'c>(changes: &'c [Change], calls: &mut Calls) -> Vec<(&'c Change, Ticket)> {
    changes.iter().map(|change| (change, calls.add(change.call.clone()))).collect()
}

/// Says what became of the changes; the first refusal that means something counts.
pub(super) fn check(asked: &[(&Change, Ticket)], answers: &Answers) -> Result<(), BuildSystemError> {
    for (change, ticket) in asked {
        let Err(fault) = answers.of(*ticket) else { continue };
        let refusal = refusal::of_fault(fault, &change.doing);
        match (fault.code, change.refused) {
            (FaultCode::GenericError, Refused::IsFine) => {}
            (FaultCode::GenericError, Refused::LookAgain) => {
                let (reason, effect) = (refusal.to_string(), Effect::Unknown);
                return Err(BuildSystemError::Unavailable { reason, retry_after: None, effect });
            }
            _ => return Err(refusal),
        }
    }
    Ok(())
}

/// Settings that tags of modules get, and what the module itself says over them.
fn extra(spec: &BuildrootSpec, settings: &KojiSettings) -> Struct {
    let mut extra = settings.tag_extra.clone();
    let asked =
        [("repo_include_all", spec.repo_include_all), ("dynamic_buildrequires", spec.dynamic_buildrequires)];
    for (name, value) in asked {
        if let Some(value) = value {
            extra.insert(name, value.into());
        }
    }
    extra
}
