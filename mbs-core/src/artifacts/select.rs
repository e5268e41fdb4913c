//! Which RPMs of a tag belong into a module, and which into its twin.

use std::collections::BTreeSet;

use super::{BuiltRpm, Part, component_packages, multilib_arches, own_arches, package_manager_name};
use crate::ident::{Arch, Nvr};
use crate::modulemd::{ModuleStream, given};

/// Endings of RPMs that go with the one they belong to.
const DEBUG_ENDINGS: [&str; 2] = ["-debuginfo", "-debugsource"];

/// Returns the RPMs of a tag that belong into a part for an architecture, in the order given.
pub fn select<'a>(stored: &ModuleStream, arch: &Arch, rpms: &'a [BuiltRpm], part: Part) -> Vec<&'a BuiltRpm> {
    let rules = Rules::of(stored, arch);
    let included = rules.included(rpms);
    let sources: BTreeSet<&Nvr> = included.iter().map(|place| &rpms[*place].source).collect();
    let is_in_part = |(place, rpm): &(usize, &BuiltRpm)| {
        let is_included =
            if rpm.is_source() { sources.contains(&rpm.source) } else { included.contains(place) };
        match part {
            Part::Module => is_included,
            Part::DevelTwin => !is_included && (rpm.is_source() || rules.is_for_arch(rpm)),
        }
    };
    rpms.iter().enumerate().filter(is_in_part).map(|(_, rpm)| rpm).collect()
}

/// What a document says about the RPMs of one architecture.
struct Rules<'a> {
    /// Architectures of which RPMs are native.
    native: Vec<&'a str>,
    /// The family: what a source package may name to mean this architecture, too.
    own: Vec<&'a str>,
    multilib: Vec<&'a str>,
    /// Source packages that may be in the module.
    packages: BTreeSet<&'a str>,
    /// Of these, the ones with multilib on this architecture.
    with_multilib: BTreeSet<&'a str>,
    filter: &'a BTreeSet<String>,
}

impl<'a> Rules<'a> {
    fn of(stored: &'a ModuleStream, arch: &'a Arch) -> Self {
        let whitelist = &stored.buildopts.whitelist;
        let packages = if whitelist.is_empty() {
            component_packages(stored)
        } else {
            whitelist.iter().map(String::as_str).collect()
        };
        let names = [arch.as_str(), package_manager_name(arch)];
        let with_multilib = stored
            .rpms
            .iter()
            .filter(|(_, component)| names.iter().any(|name| component.multilib.contains(*name)))
            .map(|(key, component)| given(component.name.as_ref()).unwrap_or(key));
        Self {
            native: native_arches(arch),
            own: own_arches(arch),
            multilib: multilib_arches(arch),
            packages,
            with_multilib: with_multilib.collect(),
            filter: &stored.filter,
        }
    }

    /// Returns the places of the included RPMs; source RPMs are not among them.
    fn included(&self, rpms: &[BuiltRpm]) -> BTreeSet<usize> {
        let passing: Vec<usize> = (0..rpms.len()).filter(|&place| self.passes(&rpms[place])).collect();
        let (debug, plain): (Vec<usize>, Vec<usize>) =
            passing.into_iter().partition(|&place| without_debug_ending(&rpms[place]).is_some());
        let companions = Companions::of(rpms, &plain);
        let kept = debug.into_iter().filter(|&place| companions.keep(&rpms[place]));
        kept.chain(plain.iter().copied()).collect()
    }

    /// Says whether all rules hold that concern the RPM alone.
    fn passes(&self, rpm: &BuiltRpm) -> bool {
        let package = rpm.source.name();
        let is_multilib = self.multilib.contains(&rpm.nevra.arch.as_str());
        self.is_for_arch(rpm)
            && self.packages.contains(package)
            && !self.filter.contains(&rpm.nevra.name)
            && (!is_multilib || self.with_multilib.contains(package))
    }

    /// Says whether the architecture can install the RPM, and its source is built there at all.
    fn is_for_arch(&self, rpm: &BuiltRpm) -> bool {
        let arch = rpm.nevra.arch.as_str();
        let has_own = |arches: &BTreeSet<String>| self.own.iter().any(|own| arches.contains(*own));
        (self.native.contains(&arch) || self.multilib.contains(&arch))
            && !has_own(&rpm.exclude_arch)
            && (rpm.exclusive_arch.is_empty() || has_own(&rpm.exclusive_arch))
    }
}

/// Returns the architecture itself and `noarch`; where the build system's word stands for a family, all of that.
fn native_arches(arch: &Arch) -> Vec<&str> {
    if package_manager_name(arch) == arch.as_str() { vec![arch.as_str(), "noarch"] } else { own_arches(arch) }
}

/// What debug RPMs may go with.
struct Companions<'a> {
    /// Names of included RPMs.
    included: BTreeSet<&'a str>,
    /// Source packages of included RPMs.
    packages: BTreeSet<&'a str>,
    /// Names of all binary RPMs of the tag.
    existing: BTreeSet<&'a str>,
}

impl<'a> Companions<'a> {
    fn of(rpms: &'a [BuiltRpm], plain: &[usize]) -> Self {
        Self {
            included: plain.iter().map(|&place| rpms[place].nevra.name.as_str()).collect(),
            packages: plain.iter().map(|&place| rpms[place].source.name()).collect(),
            existing: rpms.iter().filter(|rpm| !rpm.is_source()).map(|rpm| rpm.nevra.name.as_str()).collect(),
        }
    }

    /// A debug RPM goes with the RPM it is named after; if there is none of that name, with any of its source package.
    fn keep(&self, rpm: &BuiltRpm) -> bool {
        let Some(name) = without_debug_ending(rpm) else { return true };
        self.included.contains(name)
            || (!self.existing.contains(name) && self.packages.contains(rpm.source.name()))
    }
}

fn without_debug_ending(rpm: &BuiltRpm) -> Option<&str> {
    DEBUG_ENDINGS.iter().find_map(|ending| rpm.nevra.name.strip_suffix(ending))
}
