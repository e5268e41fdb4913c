//! Which RPMs must stay out of a module's buildroot, because another module brings something in their place.
//!
//! Three kinds are found, from plain lists of what tags hold: RPMs of base modules whose name a buildrequired module has, too;
//! RPMs behind the base that belong to other streams of what is buildrequired; and RPMs that a buildrequired module filters.
//! [`Collisions::record`] writes them into `xmd.mbs`, where [`crate::macros`] reads them. Source: behaviour, section 5,
//! "Collisions".

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{Name, Nevra, Nsvc, TagName};
use crate::macros::text_without_arch;
use crate::modulemd::Xmd;
use crate::policy::Policy;
use crate::resolver::KnownModule;

/// What the build system answered about tags: the RPMs of each; unknown tags are missing.
pub type TagRpms = BTreeMap<TagName, Vec<Nevra>>;

/// The RPMs that must stay out. Texts without architecture are `name-epoch:version-release`; source RPMs are never among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collisions {
    /// RPMs of base modules whose name a buildrequired module has, too.
    pub base_rpms: BTreeSet<Nevra>,
    /// Per base module: what belongs to other streams of buildrequired modules.
    pub other_streams: BTreeMap<Name, OtherStreams>,
    /// Per buildrequired module that filters: what it filters.
    pub filtered: BTreeMap<Name, BTreeSet<String>>,
}

/// Modules behind a base module that are buildrequired in another stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OtherStreams {
    /// The modules.
    pub modules: BTreeSet<Nsvc>,
    /// Their RPMs, without architecture.
    pub rpms: BTreeSet<String>,
}

/// Returns the tags whose RPMs must be known to find collisions.
///
/// Those of all buildrequired modules, if base and others can collide and the policy wants to know; those of modules that filter
/// in any case.
pub fn tags_to_ask(policy: &Policy, buildrequired: &[KnownModule]) -> BTreeSet<TagName> {
    let (base, modular) = split(policy, buildrequired);
    let can_collide = policy.check_collisions
        && [base, modular].iter().all(|side| side.iter().any(|module| module.tag.is_some()));
    let is_asked = |module: &&KnownModule| can_collide || !module.document.filter.is_empty();
    buildrequired.iter().filter(is_asked).filter_map(|module| module.tag.clone()).collect()
}

/// Finds the collisions among buildrequired modules, without other streams.
pub fn find(policy: &Policy, buildrequired: &[KnownModule], tags: &TagRpms) -> Collisions {
    let base_rpms = if policy.check_collisions {
        let (base, modular) = split(policy, buildrequired);
        base_collisions(&rpms_of(&base, tags), &rpms_of(&modular, tags))
    } else {
        BTreeSet::new()
    };
    let filtered = buildrequired.iter().filter_map(|module| filtered_by(module, tags)).collect();
    Collisions { base_rpms, other_streams: BTreeMap::new(), filtered }
}

fn split<'a>(
    policy: &Policy,
    buildrequired: &'a [KnownModule],
) -> (Vec<&'a KnownModule>, Vec<&'a KnownModule>) {
    buildrequired.iter().partition(|module| policy.is_base(&module.nsvc.name))
}

/// Returns the RPMs of the modules' tags, without source RPMs.
fn rpms_of<'a>(modules: &[&KnownModule], tags: &'a TagRpms) -> BTreeSet<&'a Nevra> {
    let tags = modules.iter().filter_map(|module| tags.get(module.tag.as_ref()?));
    tags.flatten().filter(|rpm| !rpm.is_source()).collect()
}

/// Returns the RPMs of base modules whose name is also among the modular ones, unless the very same RPM is on both sides.
fn base_collisions(base: &BTreeSet<&Nevra>, modular: &BTreeSet<&Nevra>) -> BTreeSet<Nevra> {
    let names: BTreeSet<&str> = modular.iter().map(|rpm| rpm.name.as_str()).collect();
    let of_base_alone = base.difference(modular).filter(|rpm| names.contains(rpm.name.as_str()));
    of_base_alone.map(|rpm| (*rpm).clone()).collect()
}

/// Returns the RPMs of a module's tag that its document filters; `None` if it filters none or its tag is not known.
fn filtered_by(module: &KnownModule, tags: &TagRpms) -> Option<(Name, BTreeSet<String>)> {
    let filter = &module.document.filter;
    let rpms = tags.get(module.tag.as_ref()?).filter(|_| !filter.is_empty())?;
    let is_filtered = |rpm: &&Nevra| filter.contains(&rpm.name) && !rpm.is_source();
    Some((module.nsvc.name.clone(), rpms.iter().filter(is_filtered).map(text_without_arch).collect()))
}

/// Returns the build tag that an external repository is made from; `None` if its address has another form.
///
/// `prefix` is where the build system publishes repositories: `<prefix>/repos/<tag>-build/latest/$arch`.
pub fn build_tag_of_repository(address: &str, prefix: &str) -> Option<TagName> {
    let behind = address.strip_prefix(prefix.trim_end_matches('/'))?.strip_prefix("/repos/")?;
    let tag = behind.trim_end_matches('/').strip_suffix("/latest/$arch")?;
    TagName::new(tag).ok().filter(|_| tag.ends_with("-build"))
}

/// Returns the modules found behind a base module that are buildrequired in another stream; `None` if there are none.
///
/// `tags` holds the RPMs of their tags.
pub fn other_streams(
    behind: &[KnownModule],
    buildrequired: &[KnownModule],
    tags: &TagRpms,
) -> Option<OtherStreams> {
    let collides = |found: &&KnownModule| is_in_another_stream(found, buildrequired);
    let colliding: Vec<&KnownModule> = behind.iter().filter(collides).collect();
    if colliding.is_empty() {
        return None;
    }
    Some(OtherStreams {
        modules: colliding.iter().map(|module| module.nsvc.clone()).collect(),
        rpms: rpms_of(&colliding, tags).into_iter().map(text_without_arch).collect(),
    })
}

fn is_in_another_stream(found: &KnownModule, buildrequired: &[KnownModule]) -> bool {
    let same_name = buildrequired.iter().find(|module| module.nsvc.name == found.nsvc.name);
    same_name.is_some_and(|module| module.nsvc.stream != found.nsvc.stream)
}

impl Collisions {
    /// Writes what was found into the `xmd` of the module's document; doing it again changes nothing.
    ///
    /// Buildrequires without an entry are left out.
    pub fn record(&self, xmd: &mut Xmd) {
        let mut mbs = xmd.value("mbs").cloned().unwrap_or_default();
        let mut entries = mbs.value("buildrequires").cloned().unwrap_or_default();
        for (name, rpms) in &self.filtered {
            set_in_entry(&mut entries, name, "filtered_rpms", list(rpms));
        }
        for (name, other) in &self.other_streams {
            set_in_entry(&mut entries, name, "stream_collision_modules", list(&other.modules));
            set_in_entry(&mut entries, name, "ursine_rpms", list(&other.rpms));
        }
        if !entries.entries().is_empty() {
            mbs.set("buildrequires", entries);
        }
        if !self.base_rpms.is_empty() {
            mbs.set("ursine_rpms", list(&self.base_rpms));
        }
        xmd.set("mbs", mbs);
    }
}

fn set_in_entry(entries: &mut Xmd, name: &Name, key: &str, value: Xmd) {
    if let Some(mut entry) = entries.value(name.as_str()).cloned() {
        entry.set(key, value);
        entries.set(name.as_str(), entry);
    }
}

fn list<T: ToString>(items: &BTreeSet<T>) -> Xmd {
    Xmd::Seq(items.iter().map(|item| Xmd::Text(item.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::modulemd::ModuleStream;

    /// A module with a tag of its name, whose document filters RPM names.
    fn module(nsvc: &str, filter: &[&str]) -> KnownModule {
        let nsvc: Nsvc = nsvc.parse().unwrap();
        let filter = filter.iter().map(|name| (*name).to_owned()).collect();
        let document = Arc::new(ModuleStream { filter, ..ModuleStream::default() });
        KnownModule { tag: Some(nsvc.name.as_str().parse().unwrap()), nsvc, document, is_ready: true }
    }

    fn tags(rpms: &[(&str, &[&str])]) -> TagRpms {
        let parsed = |rpms: &[&str]| rpms.iter().map(|rpm| rpm.parse().unwrap()).collect();
        rpms.iter().map(|(tag, rpms)| (tag.parse().unwrap(), parsed(rpms))).collect()
    }

    fn texts<T: ToString>(items: &BTreeSet<T>) -> Vec<String> {
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rpms_of_the_base_that_a_module_replaces_stay_out() {
        let buildrequired = [module("platform:f28:1:c", &[]), module("perl:5:1:c", &[])];
        let tags = tags(&[
            ("platform", &["perl-0:4-1.x86_64", "perl-0:4-1.i686", "perl-0:4-1.src", "bash-0:1-1.x86_64"]),
            ("perl", &["perl-0:5-1.x86_64", "perl-0:5-1.src"]),
        ]);
        let found = find(&Policy::default(), &buildrequired, &tags);
        assert_eq!(texts(&found.base_rpms), ["perl-0:4-1.i686", "perl-0:4-1.x86_64"]);
        let blind = Policy { check_collisions: false, ..Policy::default() };
        assert_eq!(find(&blind, &buildrequired, &tags), Collisions::default());
    }

    #[test]
    fn the_very_same_rpm_on_both_sides_is_no_collision() {
        let buildrequired = [module("platform:f28:1:c", &[]), module("perl:5:1:c", &[])];
        let tags = tags(&[
            ("platform", &["perl-0:5-1.noarch", "perl-0:4-1.noarch", "libs-0:1-1.x86_64"]),
            ("perl", &["perl-0:5-1.noarch", "libs-0:1-1.x86_64"]),
        ]);
        let found = find(&Policy::default(), &buildrequired, &tags);
        assert_eq!(texts(&found.base_rpms), ["perl-0:4-1.noarch"]);
    }

    #[test]
    fn what_a_buildrequired_module_filters_is_found_once_for_all_architectures() {
        let buildrequired = [module("perl:5:1:c", &["perl-devel", "perl-x"]), module("lib:1:1:c", &[])];
        let tags = tags(&[
            (
                "perl",
                &[
                    "perl-devel-4:5-1.x86_64",
                    "perl-devel-4:5-1.i686",
                    "perl-0:5-1.x86_64",
                    "perl-x-0:1-1.src",
                ],
            ),
            ("lib", &["perl-devel-0:1-1.noarch"]),
        ]);
        let found = find(&Policy::default(), &buildrequired, &tags);
        let expected = BTreeSet::from(["perl-devel-4:5-1".to_owned()]);
        assert_eq!(found.filtered, BTreeMap::from([("perl".parse().unwrap(), expected)]));
    }

    #[test]
    fn only_tags_that_can_matter_are_asked_for() {
        let asked =
            |policy: &Policy, buildrequired: &[KnownModule]| texts(&tags_to_ask(policy, buildrequired));
        let blind = Policy { check_collisions: false, ..Policy::default() };
        let (base, perl) = (module("platform:f28:1:c", &[]), module("perl:5:1:c", &["x"]));
        let lib = module("lib:1:1:c", &[]);
        assert_eq!(
            asked(&Policy::default(), &[base.clone(), perl.clone(), lib.clone()]),
            ["lib", "perl", "platform"]
        );
        assert_eq!(asked(&blind, &[base.clone(), perl.clone(), lib.clone()]), ["perl"]);
        assert_eq!(asked(&Policy::default(), &[perl, lib]), ["perl"]);
        assert!(asked(&Policy::default(), &[base]).is_empty());
    }

    #[test]
    fn modules_behind_the_base_collide_in_another_stream_only() {
        let behind = [module("perl:4:1:c", &[]), module("lib:1:2:c", &[]), module("gtk:3:1:c", &[])];
        let buildrequired = [module("perl:5:1:c", &[]), module("lib:1:1:c", &[])];
        let tags =
            tags(&[("perl", &["perl-4:4-1.x86_64", "perl-4:4-1.src"]), ("gtk", &["gtk-0:1-1.noarch"])]);
        let other = other_streams(&behind, &buildrequired, &tags).unwrap();
        assert_eq!(
            (texts(&other.modules), texts(&other.rpms)),
            (vec!["perl:4:1:c".into()], vec!["perl-4:4-1".into()])
        );
        assert_eq!(other_streams(&behind[1..], &buildrequired, &tags), None);
    }

    #[test]
    fn an_external_repository_names_its_build_tag() {
        let tag = |address| build_tag_of_repository(address, "https://k.example/kojifiles/");
        assert_eq!(
            tag("https://k.example/kojifiles/repos/f28-build/latest/$arch/"),
            "f28-build".parse().ok()
        );
        for other in [
            "https://k.example/kojifiles/repos/f28/latest/$arch",
            "https://o.example/repos/f28-build/latest/$arch",
        ] {
            assert_eq!(tag(other), None, "{other}");
        }
    }

    #[test]
    fn what_was_found_is_recorded_where_the_macros_look_and_only_once() {
        let mut entries = Xmd::default();
        for name in ["perl", "platform"] {
            let mut entry = Xmd::default();
            entry.set("stream", "1".into());
            entries.set(name, entry);
        }
        let mut xmd = Xmd::default();
        xmd.set("mbs", Xmd::Map(vec![("mse".into(), Xmd::Bool(true)), ("buildrequires".into(), entries)]));
        let rpms = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
        let other = OtherStreams {
            modules: BTreeSet::from(["gtk:3:1:c".parse().unwrap()]),
            rpms: rpms(&["gtk-0:1-1"]),
        };
        let found = Collisions {
            base_rpms: BTreeSet::from(["perl-0:4-1.i686".parse().unwrap()]),
            other_streams: BTreeMap::from([("platform".parse().unwrap(), other)]),
            filtered: BTreeMap::from([
                ("perl".parse().unwrap(), rpms(&["x-0:1-1"])),
                ("no".parse().unwrap(), rpms(&[])),
            ]),
        };
        found.record(&mut xmd);
        let at = |path: &[&str]| xmd.at(path).map(|node| node.texts().join(" "));
        assert_eq!(at(&["mbs", "ursine_rpms"]).as_deref(), Some("perl-0:4-1.i686"));
        assert_eq!(at(&["mbs", "buildrequires", "perl", "filtered_rpms"]).as_deref(), Some("x-0:1-1"));
        assert_eq!(at(&["mbs", "buildrequires", "platform", "ursine_rpms"]).as_deref(), Some("gtk-0:1-1"));
        let modules = at(&["mbs", "buildrequires", "platform", "stream_collision_modules"]);
        assert_eq!(modules.as_deref(), Some("gtk:3:1:c"));
        assert!(xmd.at(&["mbs", "buildrequires", "no"]).is_none() && xmd.at(&["mbs", "mse"]).is_some());
        let once = xmd.clone();
        found.record(&mut xmd);
        assert_eq!(xmd, once);
    }
}
