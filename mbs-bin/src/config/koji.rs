//! The Koji hub: how it is reached, and what an installation decides about it beside the [policy](mbs_core::policy::Policy).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use mbs_core::ident::TagName;
use mbs_core::policy::Policy;
use mbs_koji::build_system::KojiSettings;
use mbs_koji::content_generator;
use mbs_koji::profile::{Login, Profile, ProfileError};
use mbs_koji::xmlrpc::{Struct, Value};
use serde::{Deserialize, Serialize};

use super::forms;

/// The Koji hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Koji {
    /// A file of profiles, or a folder of them, read after the system's own; `None`: the user's in its place.
    #[serde(with = "forms::path_if_any")]
    pub koji_config: Option<PathBuf>,
    /// The profile: hub, addresses, login.
    pub koji_profile: String,
    /// Whose ticket we log in with, if the login is by Kerberos; `None`: as the profile says.
    #[serde(with = "forms::if_any")]
    pub krb_principal: Option<String>,
    /// The keys a ticket is asked for with; `None`: as the profile says.
    #[serde(with = "forms::path_if_any")]
    pub krb_keytab: Option<PathBuf>,
    /// Where the repositories of tags are published.
    pub koji_repository_url: String,
    /// How the addresses of repositories of Koji's build tags begin.
    pub koji_external_repo_url_prefix: String,
    /// Added to Koji's own priority of builds; larger is later.
    pub koji_build_priority: i64,
    /// Permission that our tags need; it must exist.
    pub koji_tag_permission: String,
    /// Extra settings of our tags.
    pub koji_tag_extra_opts: BTreeMap<String, TagOption>,
    /// Whether the twin of a module, with what it leaves out, is imported, too.
    pub koji_cg_devel_module: bool,
    /// Whether Koji's target `rawhide` says which base stream takes its defaults from `rawhide_branch`, where
    /// [`Policy::rawhide_stream`] does not.
    pub uses_rawhide: bool,
}

/// The value of an extra setting of tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TagOption {
    /// A truth.
    Truth(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Koji {
    /// Looks for the profile, for whoever tries again by itself.
    ///
    /// # Errors
    /// [`ProfileError`]: it is unknown, or a file or value cannot be used.
    pub fn profile(&self) -> Result<Profile, ProfileError> {
        let profile = Profile::find(&self.koji_profile, self.koji_config.as_deref())?;
        Ok(self.with_login(profile).without_retries())
    }

    fn with_login(&self, mut profile: Profile) -> Profile {
        if let Login::Kerberos { principal, keytab } = &mut profile.login {
            *principal = self.krb_principal.clone().or_else(|| principal.take());
            *keytab = self.krb_keytab.clone().or_else(|| keytab.take());
        }
        profile
    }

    /// Returns the settings of the build system; `import_tag` is the policy's default one.
    pub fn settings(&self, policy: &Policy, import: content_generator::Settings) -> KojiSettings {
        let extra = self.koji_tag_extra_opts.iter();
        let tag_extra = extra.map(|(name, value)| (Arc::from(name.as_str()), Value::from(value)));
        let usual = KojiSettings::new(import);
        KojiSettings {
            tag_permission: self.koji_tag_permission.clone(),
            tag_extra: tag_extra.collect::<Struct>(),
            build_priority: self.koji_build_priority,
            arches: policy.arches.len(),
            imports_devel_twin: self.koji_cg_devel_module,
            import_tag: TagName::new(policy.koji_cg_default_build_tag.as_str()).unwrap_or(usual.import_tag),
            import: usual.import,
        }
    }
}

impl From<&TagOption> for Value {
    fn from(option: &TagOption) -> Self {
        match option {
            TagOption::Truth(truth) => Self::from(*truth),
            TagOption::Number(number) => Self::from(*number),
            TagOption::Text(text) => Self::from(text.as_str()),
        }
    }
}

impl Default for Koji {
    fn default() -> Self {
        let text = |text: &str| TagOption::Text(text.to_owned());
        Self {
            koji_config: Some("/etc/module-build-service/koji.conf".into()),
            koji_profile: "koji".to_owned(),
            krb_principal: None,
            krb_keytab: None,
            koji_repository_url: "https://kojipkgs.fedoraproject.org/repos".to_owned(),
            koji_external_repo_url_prefix: "https://kojipkgs.fedoraproject.org/".to_owned(),
            koji_build_priority: 10,
            koji_tag_permission: "admin".to_owned(),
            koji_tag_extra_opts: BTreeMap::from([
                ("mock.package_manager".to_owned(), text("dnf")),
                ("repo_include_all".to_owned(), TagOption::Truth(true)),
                ("mock.new_chroot".to_owned(), TagOption::Number(0)),
                ("mock.yum.module_hotfixes".to_owned(), TagOption::Number(1)),
            ]),
            koji_cg_devel_module: true,
            uses_rawhide: true,
        }
    }
}
