//! What a build system is told to bring about.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ident::{Arch, BuildId, Nvr, Package, TagName};
use crate::macros::MacrosPackage;
use crate::model::{ComponentSource, ModuleBuild};

/// What the buildroot of a module build should be. All lists are sorted unless an order is stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildrootSpec {
    /// The destination tag.
    pub tag: TagName,
    /// The tag buildroots are made from.
    pub build_tag: TagName,
    /// The target that joins both.
    pub target: TagName,
    /// Architectures of both tags.
    pub arches: Vec<Arch>,
    /// Packages that may be in both tags.
    pub packages: Vec<Package>,
    /// Who shall own packages that are new to the tags.
    pub owner: String,
    /// Packages to be kept out of the build tag until they are among `unblocked`.
    pub blocked: Vec<Package>,
    /// Packages of `blocked` that have been built, and are let in before they are tagged.
    pub unblocked: Vec<Package>,
    /// RPM names that are installed into every buildroot.
    pub build_group: Vec<String>,
    /// RPM names that are installed where source RPMs are made.
    pub srpm_build_group: Vec<String>,
    /// Tags the build tag inherits, most important first.
    pub inherits: Vec<TagName>,
    /// Whether the user asked for `repo_include_all`; `None`: the configured value.
    pub repo_include_all: Option<bool>,
    /// Whether the user asked for `dynamic_buildrequires`; `None`: the configured value.
    pub dynamic_buildrequires: Option<bool>,
}

/// One component to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentJob {
    /// The module build it belongs to.
    pub build: BuildId,
    /// The source package.
    pub package: Package,
    /// Where its source is. The source RPM of the macros is made from `macros`.
    pub source: ComponentSource,
    /// The target it is built in.
    pub target: TagName,
    /// The module's own target, whichever the component is built in: it tells whose the task is.
    pub module_target: TagName,
    /// The target's build tag; `None` if the target is none of the module's own.
    pub build_tag: Option<TagName>,
    /// The value of %dist, with its dot.
    pub dist: String,
    /// For module-build-macros: the package to make.
    pub macros: Option<MacrosPackage>,
    /// Architectures to build for instead of the tag's; empty: no override.
    pub arch_override: Vec<Arch>,
    /// Later than this nothing may be sent, by the store's clock; the engine sees to it.
    pub not_after: Timestamp,
}

/// A build and a tag it should (or should not) be in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagRequest {
    /// The tag.
    pub tag: TagName,
    /// The source package.
    pub package: Package,
    /// The build.
    pub nvr: Nvr,
}

/// A module all of whose components are complete and tagged.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedModule {
    /// The record, with its stored document, tags, architectures and times.
    pub build: Box<ModuleBuild>,
    /// The log lines of the module build, oldest first.
    pub log: Vec<String>,
}
