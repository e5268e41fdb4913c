//! For which architectures a module is built. They become the architectures of its tags; what single components say is
//! another matter. Source: behaviour, section 5, "Architectures".

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{Arch, InvalidIdent, Name, TagName};
use crate::modulemd::{ModuleStream, Xmd};
use crate::policy::Policy;
use crate::resolver::KnownModule;

/// What the build system answered about tags: `None` for a tag that does not exist or has no architectures.
pub type TagArches = BTreeMap<TagName, Option<Vec<Arch>>>;

/// The architectures of a module build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildArches {
    /// Sorted, each once.
    pub arches: Vec<Arch>,
    /// What the submitter should know; `None`: nothing.
    pub note: Option<String>,
}

/// Returns the tags whose architectures may decide: those of buildrequired privileged and base modules.
///
/// Empty if something else decides already.
pub fn tags_to_ask(
    policy: &Policy,
    document: &ModuleStream,
    buildrequired: &[KnownModule],
) -> BTreeSet<TagName> {
    let is_decided = configured(policy, buildrequired).is_some() || own_arches(document).is_some();
    if is_decided { BTreeSet::new() } else { deciding_tags(policy, buildrequired).cloned().collect() }
}

/// Finds the architectures of a module build, first that applies: configured for a buildrequired module, the module's own,
/// those of the tag of the first privileged, then base module that has any, else the configured default.
///
/// `buildopts.arches` takes the place of that list as it stands.
///
/// # Errors
/// The document names an architecture that is no valid name.
pub fn build_arches(
    policy: &Policy,
    document: &ModuleStream,
    buildrequired: &[KnownModule],
    tag_arches: &TagArches,
) -> Result<BuildArches, InvalidIdent> {
    let offered = offered_arches(policy, document, buildrequired, tag_arches)?;
    let wanted: BTreeSet<Arch> = parsed(document.buildopts.arches.iter().map(String::as_str))?;
    if wanted.is_empty() {
        return Ok(BuildArches { arches: offered.into_iter().collect(), note: None });
    }
    let outside: Vec<&str> = wanted.difference(&offered).map(Arch::as_str).collect();
    let note = (!outside.is_empty()).then(|| {
        let offered: Vec<&str> = offered.iter().map(Arch::as_str).collect();
        let (outside, offered) = (outside.join(", "), offered.join(", "));
        format!("buildopts.arches names {outside}; without it the build would have only {offered}")
    });
    Ok(BuildArches { arches: wanted.into_iter().collect(), note })
}

fn offered_arches(
    policy: &Policy,
    document: &ModuleStream,
    buildrequired: &[KnownModule],
    tag_arches: &TagArches,
) -> Result<BTreeSet<Arch>, InvalidIdent> {
    if let Some(arches) = configured(policy, buildrequired) {
        return Ok(arches.iter().cloned().collect());
    }
    if let Some(own) = own_arches(document) {
        return parsed(own.into_iter());
    }
    let of_tag = |tag: &TagName| tag_arches.get(tag)?.as_ref().filter(|arches| !arches.is_empty());
    let of_tags = deciding_tags(policy, buildrequired).find_map(of_tag);
    Ok(of_tags.unwrap_or(&policy.arches).iter().cloned().collect())
}

/// Returns what the configuration says for the first buildrequired module, by name, that it knows.
fn configured<'a>(policy: &'a Policy, buildrequired: &[KnownModule]) -> Option<&'a Vec<Arch>> {
    let names: BTreeSet<String> =
        buildrequired.iter().map(|module| module.nsvc.name_stream().to_string()).collect();
    names.iter().find_map(|name_stream| policy.base_module_arches.get(name_stream))
}

/// Returns what the module says of itself, as privileged ones may; `None` if nothing.
fn own_arches(document: &ModuleStream) -> Option<Vec<&str>> {
    let own = document.xmd.at(&["mbs", "koji_tag_arches"]).map(Xmd::texts)?;
    (!own.is_empty()).then_some(own)
}

/// Returns the tags of buildrequired privileged, then base modules, in the order of the configuration.
fn deciding_tags<'a>(
    policy: &'a Policy,
    buildrequired: &'a [KnownModule],
) -> impl Iterator<Item = &'a TagName> {
    let names = policy.allowed_privileged_module_names.iter().chain(&policy.base_module_names);
    let tag = |name: &Name| {
        let module = buildrequired.iter().find(|module| module.nsvc.name == *name)?;
        module.tag.as_ref()
    };
    names.filter_map(tag)
}

fn parsed<'a>(texts: impl Iterator<Item = &'a str>) -> Result<BTreeSet<Arch>, InvalidIdent> {
    texts.map(Arch::new).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::modulemd::BuildOpts;

    fn module(nsvc: &str, tag: Option<&str>) -> KnownModule {
        let tag = tag.map(|tag| tag.parse().unwrap());
        KnownModule { nsvc: nsvc.parse().unwrap(), tag, document: Arc::default(), is_ready: true }
    }

    fn arches(texts: &[&str]) -> Vec<Arch> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn with_buildopts(wanted: &[&str]) -> ModuleStream {
        let arches = wanted.iter().map(|arch| (*arch).to_owned()).collect();
        ModuleStream { buildopts: BuildOpts { arches, ..BuildOpts::default() }, ..ModuleStream::default() }
    }

    fn with_own(own: &[&str]) -> ModuleStream {
        let list = Xmd::Seq(own.iter().map(|arch| Xmd::from(*arch)).collect());
        let mut mbs = Xmd::default();
        mbs.set("koji_tag_arches", list);
        let mut document = ModuleStream::default();
        document.xmd.set("mbs", mbs);
        document
    }

    fn policy() -> Policy {
        let privileged = vec!["product".parse().unwrap()];
        Policy { allowed_privileged_module_names: privileged, arches: arches(&["i686"]), ..Policy::default() }
    }

    /// What comes out with a privileged module and the base, whose tags have these architectures.
    fn of_tags(product: Option<Vec<Arch>>, platform: Option<Vec<Arch>>) -> Vec<Arch> {
        let buildrequired = [module("platform:f28:1:c", Some("f28")), module("product:1:1:c", Some("prod"))];
        let tags = [("prod", product), ("f28", platform)];
        let tags = tags.into_iter().map(|(tag, arches)| (tag.parse().unwrap(), arches)).collect();
        build_arches(&policy(), &ModuleStream::default(), &buildrequired, &tags).unwrap().arches
    }

    #[test]
    fn what_is_configured_for_a_buildrequired_module_comes_first() {
        let mut policy = policy();
        policy.base_module_arches.insert("lib:1".into(), arches(&["s390x", "aarch64"]));
        let buildrequired = [module("platform:f28:1:c", Some("f28")), module("lib:1:1:c", None)];
        let document = with_own(&["x86_64"]);
        let built = build_arches(&policy, &document, &buildrequired, &TagArches::new()).unwrap();
        assert_eq!(built, BuildArches { arches: arches(&["aarch64", "s390x"]), note: None });
        assert!(tags_to_ask(&policy, &ModuleStream::default(), &buildrequired).is_empty());
    }

    #[test]
    fn the_modules_own_come_before_those_of_tags() {
        let buildrequired = [module("platform:f28:1:c", Some("f28"))];
        let tags = TagArches::from([("f28".parse().unwrap(), Some(arches(&["ppc64le"])))]);
        let document = with_own(&["x86_64", "aarch64"]);
        let built = build_arches(&policy(), &document, &buildrequired, &tags).unwrap();
        assert_eq!(built.arches, arches(&["aarch64", "x86_64"]));
        assert!(tags_to_ask(&policy(), &document, &buildrequired).is_empty());
    }

    #[test]
    fn the_first_tag_with_any_decides_privileged_ones_before_base_ones() {
        let (one, two) = (Some(arches(&["s390x"])), Some(arches(&["x86_64", "aarch64"])));
        assert_eq!(of_tags(one, two.clone()), arches(&["s390x"]));
        assert_eq!(of_tags(Some(Vec::new()), two.clone()), arches(&["aarch64", "x86_64"]));
        assert_eq!(of_tags(None, two), arches(&["aarch64", "x86_64"]));
        assert_eq!(of_tags(None, None), arches(&["i686"]));
    }

    #[test]
    fn only_tags_that_may_decide_are_asked_for() {
        let buildrequired = [
            module("platform:f28:1:c", Some("f28")),
            module("lib:1:1:c", Some("lib")),
            module("product:1:1:c", None),
        ];
        let asked = tags_to_ask(&policy(), &ModuleStream::default(), &buildrequired);
        assert_eq!(asked, BTreeSet::from(["f28".parse().unwrap()]));
    }

    #[test]
    fn buildopts_take_the_place_of_the_list_and_one_outside_is_told() {
        let built =
            |wanted| build_arches(&policy(), &with_buildopts(wanted), &[], &TagArches::new()).unwrap();
        assert_eq!(built(&["i686"]), BuildArches { arches: arches(&["i686"]), note: None });
        let outside = built(&["s390x", "i686"]);
        assert_eq!(outside.arches, arches(&["i686", "s390x"]));
        assert_eq!(
            outside.note.as_deref(),
            Some("buildopts.arches names s390x; without it the build would have only i686")
        );
    }

    #[test]
    fn an_architecture_that_is_no_name_is_refused() {
        let bad = with_buildopts(&["x86 64"]);
        assert!(build_arches(&policy(), &bad, &[], &TagArches::new()).is_err());
    }
}
