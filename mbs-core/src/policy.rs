//! The rules that are configured: names, prefixes, patience. All have defaults; limits that change at run time are settings
//! of the store instead.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ident::{Arch, Name, Stream, TagName};
use crate::model::State;
use crate::stream_version::{Padding, StreamSuffixes, stream_version};

/// What an installation decides once. Keys keep the names of the configuration page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Base modules; the order decides which one counts first.
    pub base_module_names: Vec<Name>,
    /// Base streams that are left out where all are meant.
    pub base_module_stream_exclusions: Vec<Stream>,
    /// Whether modules on other base streams count only from the same major version, and not from newer ones.
    pub allow_only_compatible_base_modules: bool,
    /// What is added to the numbers of base streams.
    pub stream_suffixes: StreamSuffixes,
    /// More builds of one submission than this are refused.
    pub most_contexts: usize,
    /// Modules that may set dist tag marking and architectures, in order of precedence.
    pub allowed_privileged_module_names: Vec<Name>,
    /// `name:stream` of a buildrequired module → architectures.
    #[serde(deserialize_with = "checked::by_name_stream")]
    pub base_module_arches: BTreeMap<String, Vec<Arch>>,
    /// Architectures where nothing else decides, and of components that name none.
    pub arches: Vec<Arch>,
    /// Whether a component's architectures are passed on.
    pub allow_arch_override: bool,
    /// Beginnings of the tags we may touch.
    pub koji_tag_prefixes: Vec<String>,
    /// Dist tag prefix of builds that are not scratch; it is part of releases, so it has no dash.
    #[serde(deserialize_with = "checked::part_of_release")]
    pub default_dist_tag_prefix: String,
    /// Target in which module-build-macros is built instead of the module's own; read from an empty text, too, it is `None`.
    #[serde(deserialize_with = "checked::tag_if_any")]
    pub koji_build_macros_target: Option<TagName>,
    /// Whether finished modules are imported.
    pub koji_enable_content_generator: bool,
    /// Whether imported modules are tagged.
    pub koji_cg_tag_build: bool,
    /// Tag of imported modules; `{}` is the base stream.
    pub koji_cg_build_tag_template: String,
    /// Tag of imported modules without a base module.
    pub koji_cg_default_build_tag: String,
    /// How long after its end a build's target is removed.
    #[serde(with = "secs")]
    pub koji_target_delete_time: Duration,
    /// How long after its failure a build is retired; configured in days.
    #[serde(with = "days")]
    pub cleanup_failed_builds_time: Duration,
    /// How long a build may stay unchanged in `cleanup_stuck_builds_states`; configured in days.
    #[serde(with = "days")]
    pub cleanup_stuck_builds_time: Duration,
    /// States in which a build that does not change is given up.
    pub cleanup_stuck_builds_states: Vec<State>,
    /// Prefix of component repositories; the component's key is added.
    pub rpms_default_repository: String,
    /// Prefix of component look-aside caches.
    pub rpms_default_cache: String,
    /// Whether components may name their own repository.
    pub rpms_allow_repository: bool,
    /// Whether components may name their own cache.
    pub rpms_allow_cache: bool,
    /// Prefix of the repositories of included modules.
    pub modules_default_repository: String,
    /// Whether included modules may name their own repository.
    pub modules_allow_repository: bool,
    /// Branch and ref where none is given.
    pub default_branch: String,
    /// Repository of module defaults for base modules that ask for them without an address.
    pub default_modules_scm_url: String,
    /// The stream that rawhide has, if default modules of it come from `rawhide_branch`; read from an empty text it is `None`.
    #[serde(deserialize_with = "checked::stream_if_any")]
    pub rawhide_stream: Option<Stream>,
    /// Branch of the defaults repository for the rawhide stream.
    pub rawhide_branch: String,
    /// Whether RPMs of other modules and of the base are looked at for collisions.
    pub check_collisions: bool,
    /// Whether earlier builds are reused.
    pub reuse: Reuse,

    /// What a held slot costs in waiting time.
    #[serde(with = "secs")]
    pub tau: Duration,
    /// The limit on builds in progress is raised or lowered once in this time at most.
    #[serde(with = "secs")]
    pub adapt_every: Duration,
    /// A call of the build system that takes longer is a sign of strain.
    #[serde(with = "secs")]
    pub slow_after: Duration,
    /// Two looks at one build are at least so far apart.
    #[serde(with = "secs")]
    pub min_gap: Duration,
    /// A build with something under way is looked at at least so often.
    #[serde(with = "secs")]
    pub poll_floor: Duration,
    /// A build that waits for others is looked at at least so often.
    #[serde(rename = "polling_interval", with = "secs")]
    pub idle_floor: Duration,
    /// A backend that nothing wakes asks for due builds at least so often.
    #[serde(with = "secs")]
    pub claim_floor: Duration,
    /// A publisher that nothing wakes asks for events at least so often: so late may people learn of a change.
    #[serde(with = "secs")]
    pub publish_floor: Duration,
    /// Length of a lease.
    #[serde(with = "secs")]
    pub lease: Duration,
    /// After it was recorded a submission is sent within this time, or not at all.
    #[serde(with = "secs")]
    pub submit_within: Duration,
    /// A question or action that is not answered within this time counts as not answered.
    #[serde(with = "secs")]
    pub call_within: Duration,
    /// So much later no late call can arrive any more.
    #[serde(with = "secs")]
    pub margin: Duration,
    /// Requests that take effect later are not repeated before.
    #[serde(with = "secs")]
    pub ask_again: Duration,
    /// First pause after something went wrong; it doubles.
    #[serde(with = "secs")]
    pub backoff_first: Duration,
    /// Longest pause after something went wrong.
    #[serde(with = "secs")]
    pub backoff_longest: Duration,
    /// How often a component is tried again after the build system (not the package) ended a try.
    pub retries_aborted: usize,
    /// How often a component is tried again whose task the build system does not know any more.
    pub retries_vanished: usize,
    /// How long transient errors are borne before the build fails.
    #[serde(with = "secs")]
    pub patience: Duration,
    /// Hints are gathered for so long before they are written.
    #[serde(with = "secs")]
    pub gather_hints: Duration,
    /// Most saves in one look; then the build is due again behind the others.
    pub steps_per_look: usize,
}

/// From which earlier builds components are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reuse {
    /// From none.
    Never,
    /// From `ready` builds.
    Ready,
    /// From `ready` builds, and what is complete in `failed` ones.
    ReadyAndFailed,
}

mod secs {
    //! Durations as seconds, with fractions.
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(duration.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let secs = f64::deserialize(from)?;
        Duration::try_from_secs_f64(secs)
            .map_err(|_| de::Error::custom("a duration must be a number of seconds from 0 on"))
    }
}

mod days {
    //! Durations as whole days, at least one.
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::DAY;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(duration.as_secs() / DAY.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        match u32::deserialize(from)? {
            0 => Err(de::Error::custom("it must be one day at least")),
            days => Ok(DAY * days),
        }
    }
}

mod checked {
    //! Texts whose form matters where they are used.
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, de};

    use crate::ident::{Arch, NameStream, Stream, TagName};
    use crate::naming::is_release_char;

    pub(super) fn by_name_stream<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<String, Vec<Arch>>, D::Error> {
        let arches = BTreeMap::<String, Vec<Arch>>::deserialize(from)?;
        for key in arches.keys() {
            key.parse::<NameStream>().map_err(de::Error::custom)?;
        }
        Ok(arches)
    }

    pub(super) fn part_of_release<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        let text = String::deserialize(from)?;
        if text.chars().all(is_release_char) {
            Ok(text)
        } else {
            Err(de::Error::custom(format!("{text:?} cannot be part of an RPM's release")))
        }
    }

    pub(super) fn tag_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TagName>, D::Error> {
        let text = Option::<String>::deserialize(from)?.filter(|text| !text.is_empty());
        text.map(|text| TagName::new(text).map_err(de::Error::custom)).transpose()
    }

    pub(super) fn stream_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Stream>, D::Error> {
        let text = Option::<String>::deserialize(from)?.filter(|text| !text.is_empty());
        text.map(|text| Stream::new(text).map_err(de::Error::custom)).transpose()
    }
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for Policy {
    fn default() -> Self {
        let name = |text: &str| Name::new(text).expect("the built-in names are valid");
        let arch = |text: &str| Arch::new(text).expect("the built-in architectures are valid");
        Self {
            base_module_names: vec![name("platform")],
            base_module_stream_exclusions: Vec::new(),
            allow_only_compatible_base_modules: true,
            stream_suffixes: StreamSuffixes::default(),
            most_contexts: 100,
            allowed_privileged_module_names: Vec::new(),
            base_module_arches: BTreeMap::new(),
            arches: vec![arch("x86_64")],
            allow_arch_override: false,
            koji_tag_prefixes: vec!["module".into(), "scrmod".into()],
            default_dist_tag_prefix: "module+".into(),
            koji_build_macros_target: None,
            koji_enable_content_generator: true,
            koji_cg_tag_build: true,
            koji_cg_build_tag_template: "{}-modular-updates-candidate".into(),
            koji_cg_default_build_tag: "modular-updates-candidate".into(),
            koji_target_delete_time: DAY,
            cleanup_failed_builds_time: 180 * DAY,
            cleanup_stuck_builds_time: 7 * DAY,
            cleanup_stuck_builds_states: vec![State::Init, State::Build],
            rpms_default_repository: "https://src.fedoraproject.org/rpms/".into(),
            rpms_default_cache: "https://src.fedoraproject.org/repo/pkgs/".into(),
            rpms_allow_repository: false,
            rpms_allow_cache: false,
            modules_default_repository: "https://src.fedoraproject.org/modules/".into(),
            modules_allow_repository: false,
            default_branch: "master".into(),
            default_modules_scm_url: "https://pagure.io/releng/fedora-module-defaults.git".into(),
            rawhide_stream: None,
            rawhide_branch: "master".into(),
            check_collisions: true,
            reuse: Reuse::Ready,
            tau: Duration::from_secs(60),
            adapt_every: Duration::from_secs(60),
            slow_after: Duration::from_secs(20),
            min_gap: Duration::from_secs(1),
            poll_floor: Duration::from_secs(30),
            idle_floor: Duration::from_secs(600),
            claim_floor: Duration::from_secs(5),
            publish_floor: Duration::from_secs(1),
            lease: Duration::from_secs(60),
            submit_within: Duration::from_secs(30),
            call_within: Duration::from_secs(600),
            margin: Duration::from_secs(30),
            ask_again: Duration::from_secs(600),
            backoff_first: Duration::from_secs(5),
            backoff_longest: Duration::from_secs(600),
            retries_aborted: 2,
            retries_vanished: 2,
            patience: DAY,
            gather_hints: Duration::from_millis(200),
            steps_per_look: 16,
        }
    }
}

impl Policy {
    /// Says whether a module stands for the distribution itself.
    pub fn is_base(&self, name: &Name) -> bool {
        self.base_module_names.contains(name)
    }

    /// Returns the number of a base stream, filled up to six digits, what is configured for it added.
    pub fn stream_number(&self, stream: &str) -> f64 {
        stream_version(stream, Padding::Right, self.stream_suffixes.of(stream))
    }

    /// Says whether a base stream is of the same major version as another, and not newer than that.
    pub fn is_within_major(&self, of: &str, stream: &str) -> bool {
        let (of, number) = (self.stream_number(of), self.stream_number(stream));
        major(of) <= number && number <= of
    }

    /// Says whether a module may set dist tag marking and architectures.
    pub fn is_privileged(&self, name: &Name) -> bool {
        self.allowed_privileged_module_names.contains(name)
    }

    /// Says whether a tag or target is that of a module: one of the prefixes and a dash begin it.
    pub fn is_module_tag(&self, tag: &TagName) -> bool {
        let begins = |prefix: &String| {
            tag.as_str().strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('-'))
        };
        self.koji_tag_prefixes.iter().any(begins)
    }

    /// Returns the pause after `tries` earlier troubles: it doubles, up to the longest.
    pub(crate) fn pause_after(&self, tries: u32) -> Duration {
        let factor = 1_u32.checked_shl(tries.min(20)).unwrap_or(u32::MAX);
        self.backoff_first.saturating_mul(factor).min(self.backoff_longest)
    }
}

/// Returns the number at which a major version begins, by the number of a stream in it.
pub(crate) fn major(number: f64) -> f64 {
    (number / 10_000.0).floor() * 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_with_nothing_said_is_the_default() {
        assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
        let text = serde_json::to_string(&Policy::default()).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), Policy::default());
    }

    #[test]
    fn units_and_forms_are_those_of_the_configuration_page() {
        let text = r#"{"cleanup_failed_builds_time": 180, "cleanup_stuck_builds_time": 7, "koji_build_macros_target": ""}"#;
        assert_eq!(serde_json::from_str::<Policy>(text).unwrap(), Policy::default());
        for wrong in [
            r#"{"cleanup_stuck_builds_time": 0}"#,
            r#"{"cleanup_failed_builds_time": 0.5}"#,
            r#"{"base_module_arches": {"platform": ["x86_64"]}}"#,
            r#"{"default_dist_tag_prefix": "module-"}"#,
            r#"{"koji_build_macros_target": "a b"}"#,
        ] {
            assert!(serde_json::from_str::<Policy>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tag_is_that_of_a_module_by_prefix_and_dash() {
        let is_module = |tag: &str| Policy::default().is_module_tag(&tag.parse().unwrap());
        assert!(is_module("module-perl-5-1-c") && is_module("scrmod-perl-5-1-c+3"));
        assert!(!is_module("modules-f28") && !is_module("f28-build"));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Policy>(r#"{"arch": []}"#).is_err());
    }
}
