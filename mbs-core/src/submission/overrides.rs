//! What the user, or the branch, says against the document: streams of dependencies, and notes for later.
//! Source: behaviour, section 3, step 3.

use std::collections::{BTreeMap, BTreeSet};

use super::{Refused, Section};
use crate::ident::Name;
use crate::modulemd::{Dependencies, ModuleStream, Xmd};

/// Streams that the user wants instead of the document's: module → streams. An empty set means all streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// For what must be there when building.
    pub buildrequires: BTreeMap<String, BTreeSet<String>>,
    /// For what must be there when running.
    pub requires: BTreeMap<String, BTreeSet<String>>,
}

/// What a submission said that later states need, as `xmd.mbs` keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// The branch as submitted.
    pub branch: Option<String>,
    /// The side tag to build against.
    pub side_tag: Option<String>,
    /// Component → ref that beats the document's; nothing is noted if empty.
    pub component_refs: BTreeMap<String, String>,
}

/// Replaces the streams of the modules that are overridden, in every dependency pair that has them.
///
/// # Errors
/// An override applies nowhere in this document: all such modules are named, buildrequires first.
pub fn apply_overrides(document: &mut ModuleStream, overrides: &Overrides) -> Result<(), Refused> {
    apply(document, Section::Buildrequires, &overrides.buildrequires)?;
    apply(document, Section::Requires, &overrides.requires)
}

fn apply(
    document: &mut ModuleStream,
    section: Section,
    overrides: &BTreeMap<String, BTreeSet<String>>,
) -> Result<(), Refused> {
    let mut nowhere = Vec::new();
    for (module, streams) in overrides {
        if !replace(document, section, module, streams) {
            nowhere.push(module.clone());
        }
    }
    if nowhere.is_empty() { Ok(()) } else { Err(Refused::OverridesNowhere { section, modules: nowhere }) }
}

/// Replaces the streams of one module and says whether it was there at all.
fn replace(document: &mut ModuleStream, section: Section, module: &str, streams: &BTreeSet<String>) -> bool {
    let mut is_there = false;
    for pair in &mut document.dependencies {
        if let Some(written) = section_mut(pair, section).get_mut(module) {
            written.clone_from(streams);
            is_there = true;
        }
    }
    is_there
}

fn section_mut(pair: &mut Dependencies, section: Section) -> &mut BTreeMap<String, BTreeSet<String>> {
    match section {
        Section::Buildrequires => &mut pair.buildrequires,
        Section::Requires => &mut pair.requires,
    }
}

/// Replaces the buildrequired streams of `module` by the one that the branch name says, unless the user overrode them.
/// Where the module is not buildrequired nothing happens.
pub(crate) fn apply_branch_stream(
    document: &mut ModuleStream,
    module: &Name,
    stream: &str,
    users: &Overrides,
) {
    if !users.buildrequires.contains_key(module.as_str()) {
        replace(document, Section::Buildrequires, module.as_str(), &BTreeSet::from([stream.to_owned()]));
    }
}

impl Notes {
    /// Writes what was said into `xmd.mbs`; what was not said is left out.
    pub fn write_to(&self, document: &mut ModuleStream) {
        let refs =
            self.component_refs.iter().map(|(key, git_ref)| (key.clone(), Xmd::from(git_ref.as_str())));
        let entries = [
            ("branch", self.branch.as_deref().map(Xmd::from)),
            ("side_tag", self.side_tag.as_deref().map(Xmd::from)),
            (
                "rpm_component_ref_overrides",
                (!self.component_refs.is_empty()).then(|| Xmd::Map(refs.collect())),
            ),
        ];
        let said = entries.into_iter().filter_map(|(key, value)| Some((key, value?)));
        document.set_in_mbs(said);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{map, pair};
    use super::*;

    fn two_pairs() -> ModuleStream {
        ModuleStream {
            dependencies: vec![
                pair(&[("platform", &["f28"]), ("gtk", &["1"])], &[("gtk", &["1"])]),
                pair(&[("platform", &["f29"]), ("gtk", &["2"])], &[]),
            ],
            ..Default::default()
        }
    }

    fn streams(module: &str, streams: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        [(module.to_owned(), streams.iter().map(|&stream| stream.to_owned()).collect())].into()
    }

    #[test]
    fn an_override_replaces_the_streams_in_every_pair_that_has_the_module() {
        let mut document = two_pairs();
        let overrides = Overrides { buildrequires: streams("gtk", &["3", "4"]), ..Overrides::default() };
        apply_overrides(&mut document, &overrides).unwrap();
        assert_eq!(
            document.dependencies,
            [
                pair(&[("platform", &["f28"]), ("gtk", &["3", "4"])], &[("gtk", &["1"])]),
                pair(&[("platform", &["f29"]), ("gtk", &["3", "4"])], &[]),
            ]
        );
    }

    #[test]
    fn an_empty_override_means_all_streams() {
        let mut document = two_pairs();
        let overrides = Overrides { requires: streams("gtk", &[]), ..Overrides::default() };
        apply_overrides(&mut document, &overrides).unwrap();
        assert_eq!(document.dependencies[0].requires, streams("gtk", &[]));
        assert_eq!(document.dependencies[1].requires, BTreeMap::new());
    }

    #[test]
    fn overrides_that_apply_nowhere_are_refused_sorted_and_buildrequires_first() {
        let mut both = streams("zzz", &["1"]);
        both.extend(streams("aaa", &["1"]));
        let overrides = Overrides { buildrequires: both.clone(), requires: both };
        let refused = apply_overrides(&mut two_pairs(), &overrides).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "The buildrequire overrides for the following modules aren't applicable: aaa, zzz"
        );
        let only_requires = Overrides { requires: streams("platform", &["f30"]), ..Overrides::default() };
        let refused = apply_overrides(&mut two_pairs(), &only_requires).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "The require overrides for the following modules aren't applicable: platform"
        );
    }

    #[test]
    fn the_branch_overrides_a_buildrequired_stream_but_not_the_user() {
        let platform = Name::new("platform").unwrap();
        let mut document = two_pairs();
        apply_branch_stream(&mut document, &platform, "el8", &Overrides::default());
        let seen: Vec<_> =
            document.dependencies.iter().map(|pair| pair.buildrequires["platform"].clone()).collect();
        assert_eq!(seen, [BTreeSet::from(["el8".into()]), BTreeSet::from(["el8".into()])]);

        let mut document = two_pairs();
        let users = Overrides { buildrequires: streams("platform", &["f28"]), ..Overrides::default() };
        apply_branch_stream(&mut document, &platform, "el8", &users);
        assert_eq!(document, two_pairs());
    }

    #[test]
    fn a_branch_stream_that_applies_nowhere_is_dropped_in_silence() {
        let mut document = two_pairs();
        apply_branch_stream(&mut document, &Name::new("other").unwrap(), "x", &Overrides::default());
        assert_eq!(document, two_pairs());
    }

    #[test]
    fn what_was_said_is_noted_beside_what_stands_there() {
        let xmd = map([("mbs", map([("disttag_marking", "x".into())]))]);
        let mut document = ModuleStream { xmd, ..Default::default() };
        let notes = Notes {
            branch: Some("f28".into()),
            side_tag: Some("side".into()),
            component_refs: [("liba".into(), "abc".into())].into(),
        };
        notes.write_to(&mut document);
        assert_eq!(
            document.xmd,
            map([(
                "mbs",
                map([
                    ("disttag_marking", "x".into()),
                    ("branch", "f28".into()),
                    ("side_tag", "side".into()),
                    ("rpm_component_ref_overrides", map([("liba", "abc".into())])),
                ])
            )])
        );
    }

    #[test]
    fn nothing_said_is_nothing_noted() {
        let mut document = ModuleStream::default();
        Notes::default().write_to(&mut document);
        assert_eq!(document, ModuleStream::default());
    }
}
