//! Of the module builds in a tag and the tags it inherits, those that count.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::ident::{NameStream, Nsvc, TagName, Version};

use super::TaggedModule;

/// A build came out of a tag that is not among the inherited ones: they changed between two questions. Ask again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{nsvc} is tagged in {tag}, which is not inherited")]
pub struct StrangeTag {
    /// The build.
    pub nsvc: Nsvc,
    /// The tag.
    pub tag: TagName,
}

/// Returns the builds that count: per name:stream those of the topmost tag that has any, of these the highest version in all
/// contexts. Sorted by NSVC, each once.
///
/// `inheritance` names the asked tag first, then what it inherits in the order of `getFullInheritance`.
///
/// # Errors
/// A build is in none of these tags.
pub fn choose<'m>(
    modules: impl IntoIterator<Item = &'m TaggedModule>,
    inheritance: &[TagName],
) -> Result<Vec<&'m TaggedModule>, StrangeTag> {
    let mut depths = BTreeMap::new();
    for (depth, tag) in inheritance.iter().enumerate() {
        depths.entry(tag).or_insert(depth);
    }
    let mut best: BTreeMap<NameStream, Best> = BTreeMap::new();
    for module in modules {
        let Some(&depth) = depths.get(&module.tag) else {
            return Err(StrangeTag { nsvc: module.nsvc.clone(), tag: module.tag.clone() });
        };
        let place = Place { depth, version: module.nsvc.version };
        best.entry(module.nsvc.name_stream()).or_insert_with(|| Best::at(place)).consider(place, module);
    }
    let mut chosen: Vec<&TaggedModule> =
        best.into_values().flat_map(|best| best.builds.into_values()).collect();
    chosen.sort_by(|a, b| a.nsvc.cmp(&b.nsvc));
    Ok(chosen)
}

/// Leaves out the `-devel` twins of modules that are there, too: they are imported and tagged along with these, but are no
/// modules that somebody could buildrequire.
pub fn without_twins(modules: &[TaggedModule]) -> impl Iterator<Item = &TaggedModule> {
    let all: BTreeSet<_> =
        modules.iter().map(|module| identity(&module.nsvc, module.nsvc.name.as_str())).collect();
    modules.iter().filter(move |module| {
        let twin_of = module.nsvc.name.as_str().strip_suffix("-devel");
        twin_of.is_none_or(|name| !all.contains(&identity(&module.nsvc, name)))
    })
}

/// An identity with another name.
fn identity<'a>(nsvc: &'a Nsvc, name: &'a str) -> (&'a str, &'a str, Version, &'a str) {
    (name, nsvc.stream.as_str(), nsvc.version, nsvc.context.as_str())
}

/// Where a build stands among those of its name:stream.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    /// How far down the inheritance its tag is.
    depth: usize,
    version: Version,
}

impl Place {
    fn is_better_than(self, other: Self) -> bool {
        self.depth < other.depth || (self.depth == other.depth && self.version > other.version)
    }
}

/// The best builds of one name:stream so far, by NSVC.
struct Best<'m> {
    place: Place,
    builds: BTreeMap<&'m Nsvc, &'m TaggedModule>,
}

impl<'m> Best<'m> {
    fn at(place: Place) -> Self {
        Self { place, builds: BTreeMap::new() }
    }

    fn consider(&mut self, place: Place, module: &'m TaggedModule) {
        if place.is_better_than(self.place) {
            *self = Self::at(place);
        }
        if place == self.place {
            self.builds.entry(&module.nsvc).or_insert(module);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(name: &str) -> TagName {
        TagName::new(name).unwrap()
    }

    fn module(nsvc: &str, of: &str) -> TaggedModule {
        TaggedModule { nsvc: nsvc.parse().unwrap(), tag: tag(of), content_tag: None }
    }

    fn chosen(modules: &[TaggedModule]) -> Vec<String> {
        let chosen = choose(modules, &["el9.4", "el9.3", "el9"].map(tag)).unwrap();
        chosen.iter().map(|module| format!("{} {}", module.nsvc, module.tag)).collect()
    }

    #[test]
    fn the_topmost_tag_wins_even_with_a_lower_version() {
        let modules =
            [module("perl:1:9:a", "el9"), module("perl:1:7:a", "el9.3"), module("ruby:1:1:a", "el9")];
        assert_eq!(chosen(&modules), ["perl:1:7:a el9.3", "ruby:1:1:a el9"]);
    }

    #[test]
    fn of_the_highest_version_all_contexts_count() {
        let modules =
            ["perl:1:7:b", "perl:1:10:b", "perl:1:10:a", "perl:1:9:c"].map(|nsvc| module(nsvc, "el9.3"));
        assert_eq!(chosen(&modules), ["perl:1:10:a el9.3", "perl:1:10:b el9.3"]);
    }

    #[test]
    fn streams_are_chosen_apart() {
        let modules = [module("perl:1:1:a", "el9.4"), module("perl:2:1:a", "el9")];
        assert_eq!(chosen(&modules), ["perl:1:1:a el9.4", "perl:2:1:a el9"]);
    }

    #[test]
    fn a_build_from_a_foreign_tag_is_an_error() {
        let error = choose(&[module("perl:1:1:a", "f40")], &[tag("el9")]).unwrap_err();
        assert_eq!(error.to_string(), "perl:1:1:a is tagged in f40, which is not inherited");
    }

    #[test]
    fn twins_are_left_out_and_modules_of_such_a_name_are_not() {
        let modules = [
            module("perl:1:1:a", "el9"),
            module("perl-devel:1:1:a", "el9"),
            module("perl-devel:1:1:b", "el9"),
            module("ruby-devel:1:1:a", "el9"),
        ];
        let kept: Vec<String> = without_twins(&modules).map(|module| module.nsvc.to_string()).collect();
        assert_eq!(kept, ["perl:1:1:a", "perl-devel:1:1:b", "ruby-devel:1:1:a"]);
    }

    /// The rule word for word.
    fn naive(modules: &[TaggedModule], inheritance: &[TagName]) -> BTreeSet<(Nsvc, TagName)> {
        let of = |module: &TaggedModule| module.nsvc.name_stream();
        let mut chosen = BTreeSet::new();
        for name_stream in modules.iter().map(of).collect::<BTreeSet<_>>() {
            for tag in inheritance {
                let there: Vec<&TaggedModule> =
                    modules.iter().filter(|module| of(module) == name_stream && module.tag == *tag).collect();
                let Some(highest) = there.iter().map(|module| module.nsvc.version).max() else { continue };
                let best = there.iter().filter(|module| module.nsvc.version == highest);
                chosen.extend(best.map(|module| (module.nsvc.clone(), module.tag.clone())));
                break;
            }
        }
        chosen
    }

    fn modules() -> impl Strategy<Value = Vec<TaggedModule>> {
        let one =
            ("[ab]", "[12]", 8u64..12, "[cd]", 0usize..4).prop_map(|(name, stream, version, context, at)| {
                module(&format!("{name}:{stream}:{version}:{context}"), &format!("t{at}"))
            });
        proptest::collection::vec(one, 0..30)
    }

    proptest! {
        #[test]
        fn what_is_chosen_is_what_the_rule_says(
            modules in modules(),
            inheritance in Just([0, 1, 2, 3].map(|at| tag(&format!("t{at}"))).to_vec()).prop_shuffle(),
        ) {
            let chosen = choose(&modules, &inheritance).unwrap();
            let pairs: Vec<_> =
                chosen.iter().map(|module| (module.nsvc.clone(), module.tag.clone())).collect();
            prop_assert!(pairs.is_sorted());
            prop_assert_eq!(pairs, naive(&modules, &inheritance).into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn the_order_of_rows_does_not_matter(modules in modules(), seed in any::<usize>()) {
            let inheritance = [0, 1, 2, 3].map(|at| tag(&format!("t{at}")));
            let mut rotated = modules.clone();
            if !rotated.is_empty() {
                rotated.rotate_left(seed % modules.len());
            }
            prop_assert_eq!(choose(&rotated, &inheritance), choose(&modules, &inheritance));
        }
    }
}
