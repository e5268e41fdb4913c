//! A package as it is written; as it is read it is a file name.

use serde::{Deserialize, Serialize};

/// A package of a module. One that PDC knows is linked, others are made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPackage {
    /// Its name.
    pub name: String,
    /// Its epoch; 0 if it has none.
    pub epoch: u64,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// Its architecture; `src` for a source package.
    pub arch: String,
    /// The name of its source package.
    pub srpm_name: String,
    /// Its source package in full, `NAME-EPOCH:VERSION-RELEASE.src`; `None` for a source package, which must have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub srpm_nevra: Option<String>,
    /// The commit that a source package was made from; `None`: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub srpm_commit_hash: Option<String>,
    /// The branch that the commit was on; `None`: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub srpm_commit_branch: Option<String>,
    /// The file's name; `None`: PDC makes it of the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

impl NewPackage {
    /// Returns the file name by which PDC will show it.
    pub fn file_name(&self) -> String {
        let Self { name, epoch, version, release, arch, .. } = self;
        format!("{name}-{epoch}:{version}-{release}.{arch}.rpm")
    }
}
