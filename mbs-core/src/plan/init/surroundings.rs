//! What later states need to know of the modules a build is made with: inheritance, groups, the mark in the dist tag.

use std::collections::BTreeSet;

use super::Refusal;
use crate::ident::TagName;
use crate::model::{ModuleBuild, Surroundings};
use crate::modulemd::Xmd;
use crate::naming;
use crate::policy::Policy;
use crate::resolver::KnownModule;

/// Works it out. Source: behaviour, sections 1 (dist tag) and 6 (groups, inheritance, side tag).
pub(super) fn of(
    build: &ModuleBuild,
    modules: &[KnownModule],
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
    })
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
