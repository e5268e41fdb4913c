//! What the buildroot of a module build should be, derived from the record; the record keeps the digest last ensured.

use sha1::{Digest as _, Sha1};

use crate::build_system::BuildrootSpec;
use crate::ident::{Package, TagName};
use crate::model::{Digest, MACROS_PACKAGE, ModuleBuild};
use crate::modulemd::Xmd;
use crate::naming;

/// Returns the target of a build, once the tags are named.
pub fn target_of(build: &ModuleBuild) -> Option<TagName> {
    build.koji_tag.as_ref()?;
    Some(naming::tag_names(build.nsvc(), build.new.scratch.then_some(build.id)).target)
}

/// Returns what its buildroot should be; `None` before the tags are named. Source: behaviour, section 6.
pub fn buildroot_spec(build: &ModuleBuild) -> Option<BuildrootSpec> {
    let tag = build.koji_tag.clone()?;
    let blocked = asked_packages(build, "blocked_packages");
    let is_built = |package: &Package| build.component(package.as_str()).is_some_and(|c| c.tagged);
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

/// Returns the fingerprint of a buildroot. Its text form is that of the derived `Debug`: if that ever changes, every
/// buildroot is ensured once more, which does no harm.
pub(super) fn digest(spec: &BuildrootSpec) -> Digest {
    let hash = Sha1::digest(format!("{spec:?}").as_bytes());
    Digest(hash.iter().map(|byte| format!("{byte:02x}")).collect())
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
