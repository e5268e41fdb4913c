//! The names under which the build system knows a module: its tags, its target, and the dist tag of its packages.
//!
//! They follow from the identity alone, so that a service that forgot everything would find its work again. Nothing here
//! asks whether such a name exists.

use crate::context::sha1_hex;
use crate::ident::{BuildId, Name, Nsvc, TagName};
use crate::model::ModuleBuild;
use crate::modulemd::Xmd;
use crate::policy::Policy;
use crate::resolver::KnownModule;

/// What every build tag ends in.
const BUILD_SUFFIX: &str = "-build";

/// A tag with its `-build` tag is at most so long.
const LONGEST_TAG: usize = 256;

/// A target is at most so long, counted like a tag: with an ending that it does not have.
const LONGEST_TARGET: usize = 50 + BUILD_SUFFIX.len();

/// What the dist tags of scratch builds begin with.
pub const SCRATCH_DIST_PREFIX: &str = "scrmod+";

/// The names of a module build's tags and target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagNames {
    /// The destination tag.
    pub tag: TagName,
    /// The tag buildroots are made from.
    pub build_tag: TagName,
    /// The target that joins both.
    pub target: TagName,
}

/// Names tags and target of a module build; `scratch` is the id of a scratch build, `None` for others.
///
/// Source: behaviour, section 1, "Koji tag".
///
/// ```
/// let names = mbs_core::naming::tag_names(&"perl:5.30:2020:c0ffee00".parse()?, None);
/// assert_eq!(names.build_tag.as_str(), "module-perl-5.30-2020-c0ffee00-build");
/// # Ok::<(), mbs_core::ident::InvalidIdent>(())
/// ```
pub fn tag_names(nsvc: &Nsvc, scratch: Option<BuildId>) -> TagNames {
    let tag = name_within(LONGEST_TAG, nsvc, scratch);
    TagNames {
        build_tag: named(format!("{tag}{BUILD_SUFFIX}")),
        tag: named(tag),
        target: target_name(nsvc, scratch),
    }
}

/// Names the target alone, as [`tag_names`] does.
pub fn target_name(nsvc: &Nsvc, scratch: Option<BuildId>) -> TagName {
    named(name_within(LONGEST_TARGET, nsvc, scratch))
}

fn name_within(longest: usize, nsvc: &Nsvc, scratch: Option<BuildId>) -> String {
    let version = nsvc.version.to_string();
    tag_text([nsvc.name.as_str(), nsvc.stream.as_str(), &version, nsvc.context.as_str()], scratch, longest)
}

fn named(text: String) -> TagName {
    TagName::new(text).expect("valid parts make a short name that begins with a letter")
}

/// Joins the parts of an identity, or hashes them where the name would become longer than `longest` bytes.
fn tag_text(parts: [&str; 4], scratch: Option<BuildId>, longest: usize) -> String {
    let (prefix, suffix) = match scratch {
        Some(id) => ("scrmod-", format!("+{id}")),
        None => ("module-", String::new()),
    };
    let tag = format!("{prefix}{}{suffix}", parts.join("-"));
    if tag.len() + BUILD_SUFFIX.len() <= longest {
        return tag;
    }
    format!("{prefix}{}{suffix}", &sha1_hex(&parts.join("."))[..16])
}

/// Why a module cannot mark the dist tag. An administrator has to mend the module's document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{module} marks the dist tag with {marking:?}; that must be letters, digits and '._+~^': give it a disttag_marking"
)]
pub struct BadMarking {
    /// The privileged or base module.
    pub module: Nsvc,
    /// Its `disttag_marking`, or its stream if it has none.
    pub marking: String,
}

/// Finds what marks the distribution in the dist tag, among the buildrequired modules that are known; `None`: nothing does.
///
/// Privileged modules come before base modules, each in the order of the configuration. A privileged one counts if it has a
/// `disttag_marking`, a base module always. Source: behaviour, section 1, "Dist tag".
///
/// # Errors
/// The marking would not be part of a valid RPM release.
pub fn marking(policy: &Policy, buildrequired: &[KnownModule]) -> Result<Option<String>, BadMarking> {
    let known = |name: &Name| buildrequired.iter().find(|module| module.nsvc.name == *name);
    let privileged = policy.allowed_privileged_module_names.iter().filter_map(known);
    let of_privileged = privileged.filter_map(|module| Some((module, own_marking(module)?))).next();
    let of_base = || {
        let base = policy.base_module_names.iter().find_map(known)?;
        Some((base, own_marking(base).unwrap_or(base.nsvc.stream.as_str())))
    };
    let Some((module, marking)) = of_privileged.or_else(of_base) else {
        return Ok(None);
    };
    if marking.is_empty() || !marking.chars().all(is_release_char) {
        return Err(BadMarking { module: module.nsvc.clone(), marking: marking.to_owned() });
    }
    Ok(Some(marking.to_owned()))
}

fn own_marking(module: &KnownModule) -> Option<&str> {
    module.document.xmd.at(&["mbs", "disttag_marking"]).and_then(Xmd::text)
}

/// Says whether a character may stand in an RPM's version or release.
pub(crate) fn is_release_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '~' | '^')
}

/// What the dist tag of a module build is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DistTag<'a> {
    /// The build.
    pub nsvc: &'a Nsvc,
    /// `default_dist_tag_prefix`, or [`SCRATCH_DIST_PREFIX`].
    pub prefix: &'a str,
    /// What [`marking`] found.
    pub marking: Option<&'a str>,
    /// Smallest build id among the builds that share name, stream, version and scratch-ness.
    pub index: BuildId,
}

impl<'a> DistTag<'a> {
    /// Takes the parts from a build that is past `init`.
    pub fn of(build: &'a ModuleBuild, policy: &'a Policy) -> Self {
        let configured = &policy.default_dist_tag_prefix;
        Self {
            nsvc: build.nsvc(),
            prefix: if build.new.scratch { SCRATCH_DIST_PREFIX } else { configured },
            marking: build.surroundings.dist_marking.as_deref(),
            index: build.dist_index,
        }
    }
}

/// Returns the dist tag, without the dot that it has in a release: `module+f28+2+b0c72034`.
pub fn dist_tag(parts: &DistTag) -> String {
    let Nsvc { name, stream, version, context } = parts.nsvc;
    let hash = sha1_hex(&format!("{name}.{stream}.{version}.{context}"));
    let marking = parts.marking.map(|marking| format!("{marking}+")).unwrap_or_default();
    format!("{}{marking}{}+{}", parts.prefix, parts.index, &hash[..8])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::modulemd::ModuleStream;
    use crate::tests::reference::{configured, golden, text};

    fn module(nsvc: &str, marking: Option<&str>) -> KnownModule {
        let mut mbs = Xmd::default();
        if let Some(marking) = marking {
            mbs.set("disttag_marking", marking.into());
        }
        let mut xmd = Xmd::default();
        xmd.set("mbs", mbs);
        let document = Arc::new(ModuleStream { xmd, ..ModuleStream::default() });
        KnownModule { nsvc: nsvc.parse().unwrap(), tag: None, document, is_ready: true }
    }

    fn with_privileged(name: &str) -> Policy {
        Policy { allowed_privileged_module_names: vec![name.parse().unwrap()], ..Policy::default() }
    }

    #[test]
    fn every_golden_tag_is_named_so() {
        for line in &golden("koji_tag.jsonl").unwrap_or_default() {
            let input = &line["input"];
            let version =
                input["version"].as_str().map_or_else(|| input["version"].to_string(), str::to_owned);
            let name = |key: &str| input[key].as_str().unwrap();
            let parts = [name("name"), name("stream"), &version, name("context")];
            let scratch = input["scratch"].as_bool().unwrap().then(|| input["scratch_id"].as_i64().unwrap());
            let longest = usize::try_from(input["max_length"].as_u64().unwrap()).unwrap();
            assert_eq!(tag_text(parts, scratch.map(BuildId), longest), line["output"], "{}", line["name"]);
        }
    }

    /// The modules that the build of a recorded line buildrequires and that exist.
    fn known_buildrequires(input: &Value) -> Vec<KnownModule> {
        let modules = input["modules"].as_array().unwrap();
        let own = modules.iter().find(|module| module["nsvc"] == input["build"]).unwrap();
        let required = own["xmd_buildrequires"].as_object().cloned().unwrap_or_default();
        let nsvcs: BTreeMap<String, &Value> =
            modules.iter().map(|module| (text(module, "/nsvc").to_owned(), module)).collect();
        let entry = |(name, entry): (&String, &Value)| {
            let stream = text(entry, "/stream");
            let nsvc = format!("{name}:{stream}:{}:{}", text(entry, "/version"), text(entry, "/context"));
            let known = nsvcs.get(&nsvc)?;
            Some(module(&nsvc, known["disttag_marking"].as_str()))
        };
        required.iter().filter_map(entry).collect()
    }

    /// The smallest id among builds of the same name, stream and version.
    fn recorded_index(input: &Value) -> BuildId {
        let (front, _) = text(input, "/build").rsplit_once(':').unwrap();
        let ids = input["ids"].as_object().unwrap().iter();
        let siblings = ids.filter(|(nsvc, _)| nsvc.rsplit_once(':').unwrap().0 == front);
        BuildId(siblings.map(|(_, id)| id.as_i64().unwrap()).min().unwrap())
    }

    #[test]
    fn every_golden_dist_tag_comes_out() {
        for line in &golden("dist_tag.jsonl").unwrap_or_default() {
            let input = &line["input"];
            let nsvc: Nsvc = text(input, "/build").parse().unwrap();
            let policy = configured(input);
            let marking = marking(&policy, &known_buildrequires(input)).unwrap();
            let is_scratch = input["scratch"].as_bool().unwrap();
            let prefix = if is_scratch { SCRATCH_DIST_PREFIX } else { &policy.default_dist_tag_prefix };
            let (marking, index) = (marking.as_deref(), recorded_index(input));
            let tag = dist_tag(&DistTag { nsvc: &nsvc, prefix, marking, index });
            assert_eq!(tag, line["output"], "{}", line["name"]);
        }
    }

    #[test]
    fn a_long_target_is_hashed_while_the_tag_is_not() {
        let nsvc = "postgresql:12-a-stream-of-some-length:20200101:deadbeef".parse().unwrap();
        let names = tag_names(&nsvc, Some(BuildId(7)));
        assert_eq!(names.tag.as_str(), "scrmod-postgresql-12-a-stream-of-some-length-20200101-deadbeef+7");
        assert_eq!(names.target.as_str().len(), "scrmod-".len() + 16 + "+7".len());
        assert_eq!(names.build_tag.as_str(), format!("{}-build", names.tag));
    }

    #[test]
    fn the_longest_identity_still_has_tags() {
        let long = "ä".repeat(100);
        let nsvc = format!("{long}:{long}:{}:{}", u64::MAX, "c".repeat(100)).parse().unwrap();
        assert!(tag_names(&nsvc, Some(BuildId(i64::MAX))).build_tag.as_str().len() < 60);
    }

    #[test]
    fn a_privileged_module_with_marking_comes_before_the_base() {
        let all = [module("platform:f28:1:c", Some("mark")), module("product:1:1:c", Some("prod"))];
        assert_eq!(marking(&with_privileged("product"), &all), Ok(Some("prod".into())));
        assert_eq!(marking(&Policy::default(), &all), Ok(Some("mark".into())));
    }

    #[test]
    fn a_privileged_module_without_marking_is_passed_over() {
        let all = [module("platform:f28:1:c", None), module("product:1:1:c", None)];
        assert_eq!(marking(&with_privileged("product"), &all), Ok(Some("f28".into())));
        assert_eq!(marking(&with_privileged("product"), &all[1..]), Ok(None));
    }

    #[test]
    fn a_base_stream_with_a_dash_needs_a_marking() {
        let refused = marking(&Policy::default(), &[module("platform:f28-beta:1:c", None)]).unwrap_err();
        assert_eq!(refused.marking, "f28-beta");
        assert!(refused.to_string().contains("platform:f28-beta:1:c"));
        let marked = module("platform:f28-beta:1:c", Some("f28b"));
        assert_eq!(marking(&Policy::default(), &[marked]), Ok(Some("f28b".into())));
    }
}
