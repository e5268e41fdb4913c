//! The finished document of a module for one architecture, from its stored document and the RPMs of its tag.
//!
//! Koji's import, the local repository and REST all need the same, so it is decided here, once. What RPMs there are is an
//! argument; nothing is read from RPM files. Source: behaviour, section 13, "Final document".
//!
//! The *twin* `<name>-devel` is the complement: what was built for the architecture and is not in the module.

use std::collections::BTreeSet;

use crate::ident::{Arch, Nevra, Nvr};
use crate::modulemd::{ModuleStream, Xmd, given};

mod arches;
mod select;

pub use arches::{multilib_arches, own_arches, package_manager_name};
pub use select::select;

/// An RPM of the tag, with what its source RPM says. A source RPM is its own source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltRpm {
    /// The RPM itself.
    pub nevra: Nevra,
    /// The source RPM it was made from, without epoch.
    pub source: Nvr,
    /// Its licence.
    pub license: String,
    /// `ExcludeArch` of the source RPM; empty: none.
    pub exclude_arch: BTreeSet<String>,
    /// `ExclusiveArch` of the source RPM; empty: none.
    pub exclusive_arch: BTreeSet<String>,
}

impl BuiltRpm {
    /// Says whether it is a source RPM.
    pub fn is_source(&self) -> bool {
        self.nevra.is_source()
    }
}

/// Which of the two modules that come of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The module itself.
    Module,
    /// Its twin, with what the module leaves out.
    DevelTwin,
}

/// Returns the finished document for an architecture in the build system's word: without `xmd.mbs`, repositories and caches of
/// components, with the architecture in the package manager's word, the RPMs, and exactly their licences.
pub fn final_document(stored: &ModuleStream, arch: &Arch, rpms: &[BuiltRpm], part: Part) -> ModuleStream {
    let selected = select(stored, arch, rpms, part);
    let mut document = match part {
        Part::Module => stored.clone(),
        Part::DevelTwin => devel_twin(stored),
    };
    document.xmd.remove("mbs");
    for component in document.rpms.values_mut() {
        component.repository = None;
        component.cache = None;
    }
    document.arch = Some(package_manager_name(arch).to_owned());
    document.artifacts = selected.iter().map(|rpm| rpm.nevra.to_string()).collect();
    document.content_licenses =
        selected.iter().map(|rpm| rpm.license.clone()).filter(|license| !license.is_empty()).collect();
    document
}

/// Returns a document as the twin's: named `<name>-devel`, requiring the module itself at run time in each dependency pair,
/// without api and profiles.
pub fn devel_twin(stored: &ModuleStream) -> ModuleStream {
    let mut twin = stored.clone();
    let name = stored.name.clone().unwrap_or_default();
    let stream: BTreeSet<String> = stored.stream.iter().cloned().collect();
    for pair in &mut twin.dependencies {
        pair.requires.insert(name.clone(), stream.clone());
    }
    twin.name = Some(format!("{name}-devel"));
    twin.api.clear();
    twin.profiles.clear();
    twin
}

/// Returns the source packages of the module's own components, those of included modules too.
///
/// The latter stand in no component list of the document, but in what the service notes about sources.
fn component_packages(stored: &ModuleStream) -> BTreeSet<&str> {
    let own = stored.rpms.iter().map(|(key, component)| given(component.name.as_ref()).unwrap_or(key));
    let noted = stored.xmd.at(&["mbs", "rpms"]).map(Xmd::entries).unwrap_or_default();
    own.chain(noted.iter().map(|(package, _)| package.as_str())).collect()
}

#[cfg(test)]
mod tests;
