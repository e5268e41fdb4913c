//! Documents as packagers submit them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;

use crate::modulemd::{
    BuildOpts, Dependencies, ModuleComponent, ModuleStream, Profile, References, RpmComponent, Xmd,
};

/// Streams that a careless reader takes for numbers, dates or truth values.
const TRAPS: [&str; 8] = ["1.10", "5e3", "0x1f", "on", "no", "null", "2020-01-01", "1_000"];

const ARCHES: [&str; 4] = ["aarch64", "ppc64le", "s390x", "x86_64"];

/// Makes documents that a submission may hold: name and stream filled in, version open, components ordered either by
/// `buildorder` or by `buildafter`, what they name there.
///
/// Each passes [`check_document`](crate::submission::check_document) without a warning, and is read back as it is written.
pub fn documents() -> impl Strategy<Value = ModuleStream> {
    let identity = (names(), streams(), prop::option::weighted(0.2, "[a-zA-Z0-9_]{1,13}"));
    let prose = (texts(), texts(), prop::collection::btree_set("(MIT|GPLv2\\+|BSD and ASL 2\\.0)", 1..3));
    let levels =
        prop::collection::btree_map(names(), prop::option::of("20[2-4][0-9]-0[1-9]-[0-2][1-8]"), 0..3);
    let parts = (options(), pairs(), references(), profiles(), rpm_names(), rpm_names());
    (identity, prose, levels, parts, components()).prop_map(
        |(identity, prose, servicelevels, parts, components)| {
            let ((name, stream, context), (summary, description, module_licenses)) = (identity, prose);
            let (xmd, dependencies, references, profiles, api, filter) = parts;
            let (buildopts, rpms, modules) = components;
            ModuleStream {
                name: Some(name),
                stream: Some(stream),
                static_context: context.is_some(),
                context,
                summary,
                description,
                module_licenses,
                servicelevels,
                xmd,
                dependencies,
                references,
                profiles,
                api,
                filter,
                buildopts,
                rpms,
                modules,
                ..ModuleStream::default()
            }
        },
    )
}

/// Makes names of modules and packages.
pub fn names() -> impl Strategy<Value = String> {
    // What a base module is called is taken.
    "[a-z][a-z0-9]{0,6}([+_.-][a-z0-9]{1,4})?".prop_filter("it is a base module", |name| name != "platform")
}

/// Makes streams, many of which look like something else.
pub fn streams() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => prop::sample::select(&TRAPS[..]).prop_map(str::to_owned),
        3 => "[a-z0-9][a-z0-9._+]{0,8}",
    ]
}

/// Makes texts for people, in one line or several, with what YAML gives a meaning to.
fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec("[ -~äß€]{0,20}", 1..4).prop_map(|lines| lines.join("\n").trim().to_owned())
}

/// Makes a text that is not empty, as a rationale must not be.
fn reasons() -> impl Strategy<Value = String> {
    texts().prop_map(|text| format!("Because: {text}"))
}

fn rpm_names() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set(names(), 0..4)
}

/// Makes what a packager may write under `xmd`: options of the service, and things of his own.
fn options() -> impl Strategy<Value = Xmd> {
    let text = |text: String| Xmd::Text(text);
    let blocked = prop::collection::vec(names().prop_map(text), 0..3).prop_map(Xmd::Seq);
    let switch = any::<bool>().prop_map(Xmd::Bool);
    let own = prop::collection::vec(streams().prop_map(text), 0..3).prop_map(Xmd::Seq);
    let options = (prop::option::of(blocked), prop::option::of(switch));
    (prop::option::of(options), prop::option::of(own)).prop_map(|(options, own)| {
        let mut xmd = Xmd::default();
        if let Some((blocked, switch)) = options {
            let mut map = Xmd::default();
            blocked.into_iter().for_each(|blocked| map.set("blocked_packages", blocked));
            switch.into_iter().for_each(|switch| map.set("repo_include_all", switch));
            xmd.set("mbs_options", map);
        }
        own.into_iter().for_each(|own| xmd.set("own", own));
        xmd
    })
}

fn pairs() -> impl Strategy<Value = Vec<Dependencies>> {
    let written = prop_oneof![
        1 => Just(BTreeSet::new()),
        3 => prop::collection::btree_set(streams(), 1..3),
        1 => prop::collection::btree_set(streams().prop_map(|stream| format!("-{stream}")), 1..3),
    ];
    let section = prop::collection::btree_map(
        prop_oneof![1 => Just("platform".to_owned()), 2 => names()],
        written,
        0..3,
    );
    let pair = (section.clone(), section)
        .prop_map(|(buildrequires, requires)| Dependencies { buildrequires, requires });
    prop::collection::vec(pair, 0..3)
}

fn references() -> impl Strategy<Value = References> {
    let link = || prop::option::of("https://[a-z]{1,8}\\.example/[a-z?#&=]{0,8}");
    (link(), link(), link()).prop_map(|(community, documentation, tracker)| References {
        community,
        documentation,
        tracker,
    })
}

fn profiles() -> impl Strategy<Value = BTreeMap<String, Profile>> {
    let profile = (prop::option::of(texts()), rpm_names()).prop_map(|(description, rpms)| Profile {
        description,
        rpms,
        is_default: false,
    });
    let name = prop_oneof![Just("buildroot".to_owned()), Just("srpm-buildroot".to_owned()), names()];
    prop::collection::btree_map(name, profile, 0..3)
}

type Components = (BuildOpts, BTreeMap<String, RpmComponent>, BTreeMap<String, ModuleComponent>);

/// Makes components with the options that bind them: built for architectures of the module only.
fn components() -> impl Strategy<Value = Components> {
    let arches = prop::sample::subsequence(&ARCHES[..], 0..=ARCHES.len());
    let macros = prop::option::of("%[a-z_]{1,9} [a-z0-9]{1,9}");
    let rpms = prop::collection::btree_map(names(), drafts(), 0..8);
    let modules = prop::collection::btree_map(names(), included(), 0..2);
    (any::<bool>(), arches, macros, rpm_names(), rpms, modules).prop_map(
        |(is_graph, arches, macros, whitelist, drafts, modules)| {
            let arches: Vec<String> = arches.into_iter().map(str::to_owned).collect();
            let keys: Vec<String> = drafts.keys().cloned().collect();
            let finished = |(place, (key, draft)): (usize, (String, Draft))| {
                (key, draft.finish(is_graph, &keys[..place], &arches))
            };
            let rpms = drafts.into_iter().enumerate().map(finished).collect();
            (BuildOpts { macros, whitelist, arches: arches.into_iter().collect() }, rpms, modules)
        },
    )
}

/// A component that still has to learn what it may name.
#[derive(Debug, Clone)]
struct Draft {
    rpm: RpmComponent,
    after: Vec<Index>,
    arches: Vec<Index>,
}

impl Draft {
    fn finish(self, is_graph: bool, earlier: &[String], arches: &[String]) -> RpmComponent {
        let pick = |wanted: &[Index], among: &[String]| -> BTreeSet<String> {
            let all = wanted.iter().filter(|_| !among.is_empty());
            all.map(|index| among[index.index(among.len())].clone()).collect()
        };
        let buildafter = if is_graph { pick(&self.after, earlier) } else { BTreeSet::new() };
        let buildorder = if is_graph { 0 } else { self.rpm.buildorder };
        RpmComponent { buildafter, buildorder, arches: pick(&self.arches, arches).into(), ..self.rpm }
    }
}

fn drafts() -> impl Strategy<Value = Draft> {
    let wanted = || prop::collection::vec(any::<Index>(), 0..3);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let git_ref = prop::option::of("[a-z0-9._/-]{1,12}");
    (reasons(), git_ref, flags, -3..10_i64, wanted(), wanted()).prop_map(
        |(rationale, git_ref, (buildonly, buildroot, srpm_buildroot), buildorder, after, arches)| {
            let rpm = RpmComponent {
                rationale,
                git_ref,
                buildonly,
                buildroot,
                srpm_buildroot,
                buildorder,
                ..RpmComponent::default()
            };
            Draft { rpm, after, arches }
        },
    )
}

fn included() -> impl Strategy<Value = ModuleComponent> {
    (reasons(), prop::option::of(streams())).prop_map(|(rationale, git_ref)| ModuleComponent {
        rationale,
        git_ref,
        ..ModuleComponent::default()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::modulemd::{Limits, Proofs, Submission, read_submission};
    use crate::policy::Policy;
    use crate::submission::check_document;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn documents_are_read_as_they_are_written(document in documents()) {
            let read = read_submission(&document.to_yaml(), None, &Limits::of_submission());
            prop_assert_eq!(read, Ok((Submission::Stream(Box::new(document.clone())), vec![])));
            prop_assert_eq!(document.check_storable(), Ok(()));
        }

        #[test]
        fn of_documents_that_are_alike_what_differs_is_proof_enough(one in documents(), other in documents()) {
            let other = ModuleStream {
                name: other.name,
                stream: other.stream,
                version: other.version,
                context: other.context,
                static_context: other.static_context,
                dependencies: other.dependencies,
                ..one.clone()
            };
            let mut proofs = Proofs::default();
            prop_assert_eq!(proofs.check(&Arc::new(one)), Ok(()));
            let is_whole = other.check_storable().is_ok();
            prop_assert_eq!(proofs.check(&Arc::new(other)).is_ok(), is_whole);
        }

        #[test]
        fn documents_may_be_submitted(document in documents()) {
            prop_assert_eq!(check_document(&document, &Policy::default()), Ok(vec![]));
        }
    }
}
