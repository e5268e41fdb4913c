//! What the buildroot of a module build should be, derived from the record; the record keeps the digest last ensured.

use sha1::{Digest as _, Sha1};

use crate::build_system::BuildrootSpec;
use crate::context::hex;
use crate::ident::{Arch, Package, TagName};
use crate::model::{Digest, MACROS_PACKAGE, ModuleBuild};
use crate::modulemd::Xmd;
use crate::naming;

/// Returns the target of a build, once the tags are named.
pub fn target_of(build: &ModuleBuild) -> Option<TagName> {
    build.koji_tag.as_ref()?;
    Some(naming::target_name(build.nsvc(), build.new.scratch.then_some(build.id)))
}

/// Returns what its buildroot should be; `None` before the tags are named. Source: behaviour, section 6.
pub fn buildroot_spec(build: &ModuleBuild) -> Option<BuildrootSpec> {
    let tag = build.koji_tag.clone()?;
    let blocked = asked_packages(build, "blocked_packages");
    // Nothing is tagged where its package is blocked, so it is let in before.
    let is_built = |package: &Package| build.component(package.as_str()).is_some_and(|c| c.is_complete());
    let mut spec = BuildrootSpec {
        build_tag: build.build_tag()?,
        target: target_of(build)?,
        tag,
        arches: build.arches.clone(),
        packages: packages(build),
        owner: build.new.owner.clone(),
        unblocked: blocked.iter().filter(|package| is_built(package)).cloned().collect(),
        blocked,
        build_group: build.surroundings.build_group.clone(),
        srpm_build_group: build.surroundings.srpm_build_group.clone(),
        inherits: build.surroundings.inherits.clone(),
        repo_include_all: asked_switch(build, "repo_include_all"),
        dynamic_buildrequires: asked_switch(build, "dynamic_buildrequires"),
    };
    let own = |profile: &str| build.document().profiles.get(profile).map(|profile| &profile.rpms);
    for component in build.components.iter().filter(|component| component.tagged) {
        if component.is_macros() {
            add(&mut spec.build_group, MACROS_PACKAGE);
            add(&mut spec.srpm_build_group, MACROS_PACKAGE);
        }
        if component.buildroot {
            own("buildroot").into_iter().flatten().for_each(|name| add(&mut spec.build_group, name));
        }
        if component.srpm_buildroot {
            own("srpm-buildroot")
                .into_iter()
                .flatten()
                .for_each(|name| add(&mut spec.srpm_build_group, name));
        }
    }
    Some(spec)
}

/// Returns the fingerprint of a buildroot, the same wherever and whenever it is taken.
pub(super) fn digest(spec: &BuildrootSpec) -> Digest {
    // Every field by name: one that is new has to be thought of.
    let BuildrootSpec {
        tag,
        build_tag,
        target,
        arches,
        packages,
        owner,
        blocked,
        unblocked,
        build_group,
        srpm_build_group,
        inherits,
        repo_include_all,
        dynamic_buildrequires,
    } = spec;
    let mut hash = Sha1::new();
    let names = [tag.as_str(), build_tag.as_str(), target.as_str(), owner];
    put(&mut hash, names.into_iter());
    put(&mut hash, arches.iter().map(Arch::as_str));
    for list in [packages, blocked, unblocked] {
        put(&mut hash, list.iter().map(Package::as_str));
    }
    for list in [build_group, srpm_build_group] {
        put(&mut hash, list.iter().map(String::as_str));
    }
    put(&mut hash, inherits.iter().map(TagName::as_str));
    for switch in [repo_include_all, dynamic_buildrequires] {
        hash.update([switch.map_or(2, u8::from)]);
    }
    Digest(hex(&hash.finalize()))
}

/// Adds a list of texts to a hash, each behind its length, so that no two lists look the same.
fn put<'t>(hash: &mut Sha1, texts: impl ExactSizeIterator<Item = &'t str>) {
    hash.update(texts.len().to_le_bytes());
    for text in texts {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    }
}

fn add(group: &mut Vec<String>, name: &str) {
    if let Err(place) = group.binary_search_by(|other| other.as_str().cmp(name)) {
        group.insert(place, name.to_owned());
    }
}

/// Returns the packages of both tags: the whitelist if there is one, else the components; and always what is submitted.
fn packages(build: &ModuleBuild) -> Vec<Package> {
    let whitelist =
        build.document().buildopts.whitelist.iter().filter_map(|name| Package::new(name.clone()).ok());
    let components = build.components.iter().map(|component| component.package.clone());
    let mut all: Vec<Package> = whitelist.chain(components).collect();
    all.sort();
    all.dedup();
    all
}

fn asked_switch(build: &ModuleBuild, key: &str) -> Option<bool> {
    build.document().xmd.at(&["mbs_options", key])?.boolean()
}

fn asked_packages(build: &ModuleBuild, key: &str) -> Vec<Package> {
    let names = build.document().xmd.at(&["mbs_options", key]).map(Xmd::texts).unwrap_or_default();
    let mut packages: Vec<Package> = names.into_iter().filter_map(|name| Package::new(name).ok()).collect();
    packages.sort();
    packages.dedup();
    packages
}
