//! Entries as tests see them: what is stored, and what can be put in.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An entry that is stored. The names are those of the endpoint `modules`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The number that the store gave it.
    pub id: u64,
    /// The key, and the last part of the path.
    pub uid: String,
    /// The name again; only `unreleasedvariants` can make it another.
    pub variant_id: String,
    /// The name.
    pub name: String,
    /// The type, `module` for what `modules` shows.
    pub kind: String,
    /// The stream.
    pub stream: String,
    /// The version.
    pub version: String,
    /// The context, `00000000` where there is none.
    pub context: String,
    /// Whether it may be used.
    pub active: bool,
    /// The Koji tag.
    pub koji_tag: String,
    /// The metadata as text.
    pub modulemd: String,
    /// What it needs to run, in the order in which it was sent.
    pub runtime_deps: Vec<Dependency>,
    /// What it needs to be built, in the order in which it was sent.
    pub build_deps: Vec<Dependency>,
    /// Its packages, by name, epoch, version, release and architecture.
    pub rpms: Vec<Arc<Package>>,
}

/// A stream that a module needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The name of the other module.
    pub dependency: String,
    /// Its stream.
    pub stream: String,
}

/// A package. One that modules share is stored once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// The name.
    pub name: String,
    /// The epoch.
    pub epoch: u64,
    /// The version.
    pub version: String,
    /// The release.
    pub release: String,
    /// The architecture.
    pub arch: String,
    /// The name of the source package.
    pub srpm_name: String,
    /// The source package, `NAME-EPOCH:VERSION-RELEASE.src`; `None` for a source package.
    pub srpm_nevra: Option<String>,
    /// The commit that a source package is made of.
    pub srpm_commit_hash: Option<String>,
    /// The branch that a source package is made of.
    pub srpm_commit_branch: Option<String>,
    /// The name of the file; empty: the usual one.
    pub filename: String,
}

/// What tells a package from others: name, epoch, version, release and architecture.
pub(super) type PackageKey = (String, u64, String, String, String);

/// Prints it as answers do, `NAME-EPOCH:VERSION-RELEASE.ARCH.rpm`.
impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}:{}-{}.{}.rpm", self.name, self.epoch, self.version, self.release, self.arch)
    }
}

impl Package {
    /// Returns the usual name of the file.
    pub(super) fn usual_filename(&self) -> String {
        format!("{}-{}-{}.{}.rpm", self.name, self.version, self.release, self.arch)
    }

    /// Returns what makes it the same package.
    pub(super) fn key(&self) -> PackageKey {
        let Self { name, epoch, version, release, arch, .. } = self;
        (name.clone(), *epoch, version.clone(), release.clone(), arch.clone())
    }
}

/// An entry to be put in.
///
/// ```
/// use mbs_pdc::fake_server::NewRow;
///
/// let row = NewRow { active: true, ..NewRow::new("httpd", "2.4", "20180501120000") };
/// assert_eq!(row.uid, "httpd:2.4:20180501120000");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The key.
    pub uid: String,
    /// The name.
    pub name: String,
    /// The stream.
    pub stream: String,
    /// The version.
    pub version: String,
    /// The context.
    pub context: String,
    /// Whether it may be used.
    pub active: bool,
    /// The Koji tag.
    pub koji_tag: String,
    /// The metadata as text; old entries have none.
    pub modulemd: String,
    /// What it needs to run: names and streams.
    pub runtime_deps: Vec<Dependency>,
    /// What it needs to be built: names and streams.
    pub build_deps: Vec<Dependency>,
    /// Its packages.
    pub rpms: Vec<Package>,
}

impl NewRow {
    /// Describes an inactive entry without context, metadata, dependencies and packages.
    pub fn new(name: &str, stream: &str, version: &str) -> Self {
        Self {
            uid: format!("{name}:{stream}:{version}"),
            name: name.to_owned(),
            stream: stream.to_owned(),
            version: version.to_owned(),
            context: "00000000".to_owned(),
            active: false,
            koji_tag: format!("module-{name}-{stream}-{version}"),
            modulemd: String::new(),
            runtime_deps: Vec::new(),
            build_deps: Vec::new(),
            rpms: Vec::new(),
        }
    }

    /// Gives it a context, which its key and its tag then end with.
    #[must_use]
    pub fn in_context(mut self, context: &str) -> Self {
        self.uid = [&self.name, &self.stream, &self.version, context].join(":");
        self.koji_tag = ["module", &self.name, &self.stream, &self.version, context].join("-");
        context.clone_into(&mut self.context);
        self
    }
}
