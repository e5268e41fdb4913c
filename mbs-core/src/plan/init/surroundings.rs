//! What later states need to know of the modules a build is made with: inheritance, groups, the mark in the dist tag.

use std::collections::{BTreeMap, BTreeSet};

use super::{Refusal, requirements};
use crate::context::build_context;
use crate::ident::{Name, Stream, TagName};
use crate::model::{ModuleBuild, Surroundings};
use crate::modulemd::Xmd;
use crate::naming;
use crate::plan::Observation;
use crate::policy::{Policy, Reuse};
use crate::resolver::KnownModule;

/// Works it out. Source: behaviour, sections 1 (dist tag) and 6 (groups, inheritance, side tag).
pub(super) fn of(
    build: &ModuleBuild,
    modules: &[KnownModule],
    seen: &Observation,
    policy: &Policy,
) -> Result<Surroundings, Refusal> {
    if let Some(retired) = modules.iter().find(|module| !module.is_ready) {
        return Err(Refusal::user(format!("The buildrequired module {} is no longer ready.", retired.nsvc)));
    }
    Ok(Surroundings {
        inherits: inherits(build, modules, policy)?,
        build_group: group(modules, "buildroot"),
        srpm_build_group: group(modules, "srpm-buildroot"),
        dist_marking: naming::marking(policy, modules).map_err(Refusal::infra)?,
        reuse_contexts: reuse_contexts(build, modules, seen, policy),
        reuse_tag: first_base(build, modules).and_then(KnownModule::tag_with_modules),
    })
}

/// Returns the base module whose compatible ones must be known: builds on these may be reused from, too.
pub(super) fn asked_base<'m>(
    build: &ModuleBuild,
    modules: &'m [KnownModule],
    policy: &Policy,
) -> Option<&'m KnownModule> {
    let counts = policy.reuse == Reuse::Ready && policy.allow_only_compatible_base_modules;
    let base = first_base(build, modules).filter(|_| counts)?;
    (!base.virtual_streams().is_empty() && base.tag_with_modules().is_none()).then_some(base)
}

fn first_base<'m>(build: &ModuleBuild, modules: &'m [KnownModule]) -> Option<&'m KnownModule> {
    let base = build.new.base_modules.first()?;
    modules.iter().find(|module| module.nsvc == *base)
}

/// Returns the build contexts that the build would have on each compatible base stream, the newest first; its own alone where
/// none is compatible. Source: behaviour, section 8.
fn reuse_contexts(
    build: &ModuleBuild,
    modules: &[KnownModule],
    seen: &Observation,
    policy: &Policy,
) -> Vec<String> {
    let own = || vec![build.new.contexts.build.clone()];
    let Some(base) = asked_base(build, modules, policy) else { return own() };
    let mut bases: Vec<&KnownModule> = seen.compatible_bases.get(&base.nsvc).into_iter().flatten().collect();
    bases.retain(|other| {
        other.is_ready && policy.is_within_major(base.nsvc.stream.as_str(), other.nsvc.stream.as_str())
    });
    bases.sort_by(|a, b| {
        let number = |module: &KnownModule| policy.stream_number(module.nsvc.stream.as_str());
        number(b).total_cmp(&number(a)).then_with(|| a.nsvc.stream.cmp(&b.nsvc.stream))
    });
    let Ok(requirements) = requirements(build.document()) else { return own() };
    let streams: BTreeMap<Name, Stream> =
        requirements.into_iter().map(|one| (one.nsvc.name, one.nsvc.stream)).collect();
    let on = |base: &&KnownModule| {
        let mut streams = streams.clone();
        streams.insert(base.nsvc.name.clone(), base.nsvc.stream.clone());
        build_context(&streams)
    };
    let contexts: Vec<String> = bases.iter().map(on).collect();
    if contexts.is_empty() { own() } else { contexts }
}

/// Returns the RPM names of one profile of all modules.
fn group(modules: &[KnownModule], profile: &str) -> Vec<String> {
    let profiles = modules.iter().filter_map(|module| module.document.profiles.get(profile));
    let names: BTreeSet<&String> = profiles.flat_map(|profile| &profile.rpms).collect();
    names.into_iter().cloned().collect()
}

/// Returns the tags to inherit: by name, base modules last, for they yield to modular packages.
fn inherits(build: &ModuleBuild, modules: &[KnownModule], policy: &Policy) -> Result<Vec<TagName>, Refusal> {
    let side_tag = build.document().xmd.at(&["mbs", "side_tag"]).and_then(Xmd::text);
    let mut sorted: Vec<&KnownModule> = modules.iter().collect();
    sorted.sort_by_key(|module| (policy.is_base(&module.nsvc.name), &module.nsvc.name));
    let mut tags = Vec::new();
    let mut is_side_tag_used = false;
    for module in sorted {
        let format = module.document.xmd.at(&["mbs", "koji_side_tag_format"]).and_then(Xmd::text);
        match (side_tag, format) {
            (Some(side_tag), Some(format)) if policy.is_base(&module.nsvc.name) => {
                let named = TagName::new(format.replace("{side_tag}", side_tag)).map_err(Refusal::user)?;
                tags.push(named);
                is_side_tag_used = true;
            }
            (_, _) => tags.extend(module.tag.clone()),
        }
    }
    match side_tag {
        Some(side_tag) if !is_side_tag_used => Err(Refusal::user(format!(
            "The side tag {side_tag} was asked for, but no buildrequired base module has a koji_side_tag_format."
        ))),
        Some(_) | None => Ok(tags),
    }
}
