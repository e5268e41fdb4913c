//! The module stream document (modulemd version 2) as plain data.
//!
//! Everything that the service decides about a module starts from [`ModuleStream`]. Older and packager forms are turned
//! into it when read. The types hold what a document says, in the specification's words; whether a name is fit for a tag
//! or a path is checked where a document becomes a module build.

use std::collections::{BTreeMap, BTreeSet};

use super::xmd::Xmd;
use crate::shared::Shared;

/// One module stream: the content of a `modulemd` document, version 2.
///
/// Sets are sorted by text; maps by key. Missing optional parts are empty, `None` only where the difference matters.
/// Source: `modulemd_stream_v2.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleStream {
    /// The module's name; `None` until the repository's name is filled in.
    pub name: Option<String>,
    /// The stream; `None` until the branch is filled in. Always text, with the spelling of the document.
    pub stream: Option<String>,
    /// The version; `None` or zero until filled in.
    pub version: Option<u64>,
    /// The context; `None` until computed.
    pub context: Option<String>,
    /// Whether the context is taken as written.
    pub static_context: bool,
    /// Main architecture; only in documents of a finished repository.
    pub arch: Option<String>,
    /// One line that says what the module is.
    pub summary: String,
    /// What the module is, at length.
    pub description: String,
    /// Service level name → end of life (`YYYY-MM-DD`), `None` where no date is given.
    pub servicelevels: BTreeMap<String, Option<String>>,
    /// Licences of the metadata.
    pub module_licenses: BTreeSet<String>,
    /// Licences of the packages; filled in by the build.
    pub content_licenses: BTreeSet<String>,
    /// Free-form block; `xmd.mbs` is the service's own.
    pub xmd: Xmd,
    /// Dependency pairs in the order written.
    pub dependencies: Vec<Dependencies>,
    /// Links for people.
    pub references: References,
    /// Installation profiles.
    pub profiles: BTreeMap<String, Profile>,
    /// Names of the RPMs that are the module's interface.
    pub api: BTreeSet<String>,
    /// Names of RPMs left out of the module.
    pub filter: BTreeSet<String>,
    /// Names of RPMs that are no longer modular.
    pub demodularized: BTreeSet<String>,
    /// Options of the whole build.
    pub buildopts: BuildOpts,
    /// Packages to build, by key (usually the source package's name).
    pub rpms: BTreeMap<String, RpmComponent>,
    /// Included modules, by key.
    pub modules: BTreeMap<String, ModuleComponent>,
    /// NEVRAs (with epoch) of the RPMs that were built.
    pub artifacts: BTreeSet<String>,
    /// Digest type → digest → the RPM it belongs to.
    pub rpm_map: BTreeMap<String, BTreeMap<String, RpmMapEntry>>,
}

impl ModuleStream {
    /// Sets entries of `xmd.mbs`, which is the service's own; without entries nothing is made.
    pub(crate) fn set_in_mbs<'a>(&mut self, entries: impl IntoIterator<Item = (&'a str, Xmd)>) {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return;
        }
        let mut mbs = self.xmd.remove("mbs").unwrap_or_default();
        for (key, value) in entries {
            mbs.set(key, value);
        }
        self.xmd.set("mbs", mbs);
    }
}

/// One combination of dependencies: module name → streams. An empty set means all streams; a leading `-` excludes one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependencies {
    /// What must be there when building.
    pub buildrequires: BTreeMap<String, BTreeSet<String>>,
    /// What must be there when running.
    pub requires: BTreeMap<String, BTreeSet<String>>,
}

/// Links for people; each may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// Upstream's community page.
    pub community: Option<String>,
    /// Upstream's documentation.
    pub documentation: Option<String>,
    /// Upstream's bug tracker.
    pub tracker: Option<String>,
}

/// A named set of RPMs to install.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// What the profile is for.
    pub description: Option<String>,
    /// Names of RPMs.
    pub rpms: BTreeSet<String>,
    /// Whether it is a default profile; the specification knows the mark in packager documents of version 3 only.
    pub is_default: bool,
}

/// Options of the whole build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildOpts {
    /// RPM macros added to the buildroot, as written, newlines kept.
    pub macros: Option<String>,
    /// Names of the source packages the module may produce; empty: the components.
    pub whitelist: BTreeSet<String>,
    /// Architectures of the module; empty: all that the distribution has.
    pub arches: BTreeSet<String>,
}

/// Returns a text of a document unless it is blank: `name:` with nothing behind it names nothing.
pub(crate) fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// A package of the module. Blank texts count as missing where they are used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RpmComponent {
    /// The package's real name where it differs from the key.
    pub name: Option<String>,
    /// Why it is here; empty only in upgraded old documents.
    pub rationale: String,
    /// Its git repository, if not the configured one.
    pub repository: Option<String>,
    /// Its look-aside cache, if not the configured one.
    pub cache: Option<String>,
    /// Commit, branch or tag to build.
    pub git_ref: Option<String>,
    /// Keys of the components it must follow.
    pub buildafter: BTreeSet<String>,
    /// Whether its RPMs serve the build only.
    pub buildonly: bool,
    /// Whether the profile `buildroot` applies to what is built after it.
    pub buildroot: bool,
    /// Whether the profile `srpm-buildroot` applies to what is built after it.
    pub srpm_buildroot: bool,
    /// Build order group; smaller ones first.
    pub buildorder: i64,
    /// Architectures it is built for; empty: all. Mostly those of every other component.
    pub arches: Shared<BTreeSet<String>>,
    /// Architectures on which its compatible 32-bit RPMs are installed, too.
    pub multilib: BTreeSet<String>,
}

/// A module whose components are built as part of this one. Blank texts count as missing where they are used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleComponent {
    /// The module's real name where it differs from the key.
    pub name: Option<String>,
    /// Why it is here.
    pub rationale: String,
    /// Its git repository, if not the configured one.
    pub repository: Option<String>,
    /// Commit, branch or tag to take.
    pub git_ref: Option<String>,
    /// Build order group; smaller ones first.
    pub buildorder: i64,
    /// Keys of the components it must follow.
    pub buildafter: BTreeSet<String>,
    /// Whether its RPMs serve the build only.
    pub buildonly: bool,
}

/// The RPM that a digest belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RpmMapEntry {
    /// RPM name.
    pub name: String,
    /// Epoch, zero if none.
    pub epoch: u32,
    /// RPM version.
    pub version: String,
    /// RPM release.
    pub release: String,
    /// RPM architecture.
    pub arch: String,
    /// All of it, `name-epoch:version-release.arch`.
    pub nevra: String,
}
