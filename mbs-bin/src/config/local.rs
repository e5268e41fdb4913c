//! Builds on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mbs_core::ident::Arch;
use serde::{Deserialize, Serialize};

/// Builds on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Local {
    /// Where results lie.
    pub mock_resultsdir: PathBuf,
    /// Templates of mock's configuration; the first that can be read counts.
    pub mock_config_file: Vec<PathBuf>,
    /// Templates of the package manager's; the first that can be read counts.
    pub yum_config_file: Vec<PathBuf>,
    /// Whether empty logs are removed.
    pub mock_purge_useless_logs: bool,
    /// Whether builds are for this machine's own architecture.
    pub arch_autodetect: bool,
    /// The architecture that counts otherwise.
    pub arch_fallback: Arch,
    /// Beginning of an address → the command that fetches a component, and one that fetches its sources; `{}` is the
    /// component's name. What is not named here is fetched without.
    pub distgits: BTreeMap<String, Vec<String>>,
    /// Repository files of the base module, for builds without network.
    pub base_module_repofiles: Vec<PathBuf>,
    /// The profile `buildroot` of the base module, for builds without network.
    pub default_buildroot_packages: Vec<String>,
    /// Its profile `srpm-buildroot`.
    pub default_srpm_buildroot_packages: Vec<String>,
}

const BUILDROOT: &str = "bash bzip2 coreutils cpio diffutils findutils gawk gcc gcc-c++ grep gzip info make patch \
fedora-release redhat-rpm-config rpm-build sed shadow-utils tar unzip util-linux which xz";
const SRPM_BUILDROOT: &str =
    "bash gnupg2 fedora-release redhat-rpm-config fedpkg-minimal rpm-build shadow-utils";

impl Default for Local {
    fn default() -> Self {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        Self {
            mock_resultsdir: "~/modulebuild/builds".into(),
            mock_config_file: vec!["/etc/module-build-service/mock.cfg".into(), "conf/mock.cfg".into()],
            yum_config_file: vec!["/etc/module-build-service/yum.conf".into(), "conf/yum.conf".into()],
            mock_purge_useless_logs: true,
            arch_autodetect: true,
            arch_fallback: Arch::new("x86_64").expect("the built-in architecture is valid"),
            distgits: BTreeMap::new(),
            base_module_repofiles: Vec::new(),
            default_buildroot_packages: words(BUILDROOT),
            default_srpm_buildroot_packages: words(SRPM_BUILDROOT),
        }
    }
}
