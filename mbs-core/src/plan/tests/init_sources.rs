//! The state `init`: where components come from, in which order, and what is refused about it.

use super::samples::{document, entry, map, module, rpm, set_mbs, submitted};
use super::*;
use crate::ident::CommitId;
use crate::model::{ComponentSource, Failure, Ordering};
use crate::modulemd::{ModuleComponent, ModuleStream, RpmComponent, Xmd};
use crate::resolver::KnownModule;
use crate::source_control::{Fetched, SourceError};

/// Returns the commit that a ref of the tests resolves to.
pub(super) fn commit_of(git_ref: &str) -> CommitId {
    let digits: String = git_ref.bytes().map(|byte| format!("{byte:02x}")).collect();
    CommitId::new(format!("{digits:0<40.40}")).unwrap()
}

/// Answers what is asked about modules and refs; every ref resolves.
pub(super) fn answered(build: &ModuleBuild, modules: &[KnownModule]) -> Seen {
    let mut seen = Observation::default();
    let query = missing(build, &seen, &Policy::default());
    let known = |nsvc| modules.iter().find(|module| module.nsvc == nsvc).cloned();
    seen.modules = query.modules.builds.into_iter().map(|nsvc| (nsvc.clone(), known(nsvc))).collect();
    let refs = query.sources.refs.into_iter();
    seen.refs = refs.map(|question| (question.clone(), Ok(commit_of(&question.git_ref)))).collect();
    Seen(seen)
}

fn base() -> [KnownModule; 1] {
    [module("platform:f28:3:00000000", Some("f28-build"), &[])]
}

/// Leaves `init` by these rules.
fn leave(policy: &Policy, build: &ModuleBuild) -> Plan {
    let mut seen = answered(build, &base());
    let refs = missing(build, &seen.0, policy).sources.refs.into_iter();
    seen.0.refs.extend(refs.map(|question| (question.clone(), Ok(commit_of(&question.git_ref)))));
    step_by(policy, build, seen, at(9, 0))
}

fn source(plan: &Plan, package: &str) -> (String, CommitId) {
    match &component_after(plan, package).source {
        ComponentSource::Git { url, commit } => (url.clone(), commit.clone()),
        other => panic!("{package} comes from {other:?}"),
    }
}

#[test]
fn repository_cache_and_ref_are_filled_in() {
    let build = submitted(document(&[("liba", rpm(0))]));
    let plan = leave(&Policy::default(), &build);
    let (url, commit) = source(&plan, "liba");
    assert_eq!((url.as_str(), commit), ("https://src.fedoraproject.org/rpms/liba", commit_of("master")));
    let stored = &plan.build.document().rpms["liba"];
    assert_eq!(stored.repository.as_deref(), Some("https://src.fedoraproject.org/rpms/liba"));
    assert_eq!(stored.cache.as_deref(), Some("https://src.fedoraproject.org/repo/pkgs/liba"));
    assert_eq!((stored.git_ref.as_deref(), stored.arches.len()), (Some("master"), 1));
    assert_eq!(component_after(&plan, "liba").arches, [id("x86_64")]);
    let recorded = plan.build.document().xmd.at(&["mbs", "rpms", "liba", "ref"]).and_then(|xmd| xmd.text());
    assert_eq!(recorded, Some(commit_of("master").as_str()));
}

#[test]
fn the_ref_is_the_override_else_the_components_else_the_branch_else_the_default() {
    let resolved = |own: Option<&str>, branch: Option<&str>, overridden: Option<&str>| {
        let liba = RpmComponent { git_ref: own.map(str::to_owned), ..rpm(0) };
        let mut document = document(&[("liba", liba)]);
        if let Some(branch) = branch {
            set_mbs(&mut document, "branch", branch.into());
        }
        if let Some(overridden) = overridden {
            set_mbs(&mut document, "rpm_component_ref_overrides", map(&[("liba", overridden.into())]));
        }
        source(&leave(&Policy::default(), &submitted(document)), "liba").1
    };
    assert_eq!(resolved(None, None, None), commit_of("master"));
    assert_eq!(resolved(None, Some("f28"), None), commit_of("f28"));
    assert_eq!(resolved(Some("v1"), Some("f28"), None), commit_of("v1"));
    assert_eq!(resolved(Some("v1"), Some("f28"), Some("v2")), commit_of("v2"));
}

#[test]
fn the_package_is_the_components_name_while_its_key_names_its_repository() {
    let liba = RpmComponent { name: Some("perl".into()), ..rpm(0) };
    let plan = leave(&Policy::default(), &submitted(document(&[("perl5", liba)])));
    assert_eq!(source(&plan, "perl").0, "https://src.fedoraproject.org/rpms/perl5");
}

#[test]
fn repositories_and_caches_of_their_own_are_refused_all_at_once() {
    let own = || Some("https://evil.example.com/x".to_owned());
    let liba = RpmComponent { repository: own(), cache: own(), ..rpm(0) };
    let build = submitted(document(&[("liba", liba), ("libb", RpmComponent { cache: own(), ..rpm(0) })]));
    let plan = leave(&Policy::default(), &build);
    let reason = plan.build.life.reason().unwrap();
    assert_eq!((reason.lines().count(), plan.build.life.failure()), (3, Some(Failure::User)));
    assert!(reason.starts_with("component liba: its own repository is not allowed here"), "{reason}");
    let allowing = Policy { rpms_allow_repository: true, rpms_allow_cache: true, ..Policy::default() };
    assert_eq!(source(&leave(&allowing, &build), "liba").0, "https://evil.example.com/x");
}

#[test]
fn what_is_blank_is_filled_in_like_what_is_missing() {
    let blank = || Some(String::new());
    let liba =
        RpmComponent { name: blank(), repository: blank(), cache: blank(), git_ref: blank(), ..rpm(0) };
    let plan = leave(&Policy::default(), &submitted(document(&[("liba", liba)])));
    let expected = ("https://src.fedoraproject.org/rpms/liba".to_owned(), commit_of("master"));
    assert_eq!(source(&plan, "liba"), expected);
}

#[test]
fn an_uploaded_source_rpm_has_no_commit() {
    let mut build = submitted(document(&[("liba", rpm(0))]));
    build.new.srpms.insert(id("liba"), "cli-build/1/liba.src.rpm".into());
    let plan = leave(&Policy::default(), &build);
    let liba = component_after(&plan, "liba");
    assert_eq!(liba.source, ComponentSource::Srpm("cli-build/1/liba.src.rpm".into()));
    let recorded = |path: &[&str]| plan.build.document().xmd.at(path).is_some();
    assert!(recorded(&["mbs", "rpms", "liba"]) && !recorded(&["mbs", "rpms", "liba", "ref"]));
}

/// Plans with one answer per ref: good, or an error.
fn with_refs(answer: impl Fn(&str) -> Result<CommitId, SourceError>) -> (ModuleBuild, Plan) {
    let of = |git_ref: &str| RpmComponent { git_ref: Some(git_ref.into()), ..rpm(0) };
    let build = submitted(document(&[("liba", of("a")), ("libb", of("b")), ("libc", of("c"))]));
    let mut seen = answered(&build, &base());
    for (question, known) in &mut seen.0.refs {
        *known = answer(&question.git_ref);
    }
    let plan = step(&build, seen);
    (build, plan)
}

fn no_branch() -> SourceError {
    SourceError::NotFound { what: "that branch".into() }
}

fn unreachable() -> SourceError {
    SourceError::Unavailable { repository: "https://x".into(), reason: "no route".into() }
}

#[test]
fn all_bad_refs_are_listed_at_once_on_a_line_each() {
    let (_, plan) = with_refs(|git_ref| if git_ref == "b" { Ok(commit_of("b")) } else { Err(no_branch()) });
    let reason = "liba: that branch does not exist\nlibc: that branch does not exist";
    assert_fails(&plan, reason, Failure::User);
}

#[test]
fn a_default_ref_that_is_not_there_is_told_to_be_one() {
    let build = submitted(document(&[("liba", rpm(0))]));
    let failing = |what: &str| {
        let mut seen = answered(&build, &base());
        seen.0.refs.values_mut().for_each(|known| *known = Err(SourceError::NotFound { what: what.into() }));
        step(&build, seen)
    };
    let reason = "liba: the ref master does not exist (without `ref:` the default is taken, master)";
    assert_fails(&failing("the ref master"), reason, Failure::User);
    assert_fails(&failing("the repository"), "liba: the repository does not exist", Failure::User);
}

#[test]
fn what_is_wrong_with_a_repository_is_not_put_on_the_ref() {
    let foreign = || SourceError::Denied { what: "file:///liba: its folder belongs to another user".into() };
    let (_, plan) = with_refs(|git_ref| if git_ref == "a" { Err(foreign()) } else { Ok(commit_of(git_ref)) });
    let reason = "liba: not allowed: file:///liba: its folder belongs to another user";
    assert_fails(&plan, reason, Failure::User);
}

#[test]
fn a_repository_out_of_reach_is_tried_again_and_fails_nothing() {
    let (build, plan) = with_refs(|git_ref| Err(if git_ref == "a" { no_branch() } else { unreachable() }));
    assert_eq!((plan.build.state(), acts(&plan)), (State::Init, vec![]));
    let trouble = plan.build.trouble.clone().unwrap();
    assert_eq!((trouble.tries, trouble.next_try), (1, at(9, 5)));
    assert_eq!(trouble.last, "the repository https://x cannot be read: no route");
    let expected = ModuleBuild { trouble: Some(trouble), ..build };
    assert_eq!(plan.build, expected);
}

#[test]
fn batches_begin_with_two_and_grow_with_the_buildorder() {
    let rpms = [("liba", rpm(10)), ("libb", rpm(-1)), ("libc", rpm(10)), ("prog", rpm(11))];
    let plan = leave(&Policy::default(), &submitted(document(&rpms)));
    let batch = |package| component_after(&plan, package).batch.0;
    assert_eq!([batch("libb"), batch("liba"), batch("libc"), batch("prog")], [2, 3, 3, 4]);
}

#[test]
fn buildafter_makes_a_graph() {
    let prog = RpmComponent { buildafter: ["liba".to_owned()].into(), ..rpm(0) };
    let plan = leave(&Policy::default(), &submitted(document(&[("liba", rpm(0)), ("prog", prog)])));
    let prog = component_after(&plan, "prog");
    assert_eq!((plan.build.ordering, &prog.after[..], prog.batch.0), (Ordering::Graph, &[id("liba")][..], 3));
}

#[test]
fn marks_of_a_component_reach_its_build() {
    let tool = RpmComponent { buildonly: true, buildroot: true, srpm_buildroot: true, ..rpm(0) };
    let plan = leave(&Policy::default(), &submitted(document(&[("tool", tool)])));
    let tool = component_after(&plan, "tool");
    assert!(tool.buildonly && tool.buildroot && tool.srpm_buildroot && !tool.build_time_only);
}

const INNER: &str = "document: modulemd\nversion: 2\ndata:\n  name: inner\n  stream: \"1\"\n  summary: Inner\n  description: Inner.\n  license: {module: [MIT]}\n  components:\n    rpms:\n      libx: {rationale: needed}\n";

/// Plans with an included module whose document is this.
fn including(text: Result<&str, SourceError>) -> Plan {
    including_in(document(&[("prog", rpm(5))]), text)
}

fn including_in(mut including: ModuleStream, text: Result<&str, SourceError>) -> Plan {
    including.modules.insert("inner".into(), ModuleComponent::default());
    let build = submitted(including);
    let mut seen = answered(&build, &base());
    let places = missing(&build, &seen.0, &Policy::default()).sources.documents;
    assert_eq!(places.len(), 1);
    let fetched =
        text.map(|text| Fetched { commit: commit_of("x"), committed_at: at(0, 0), text: text.into() });
    seen.0.documents = places.into_iter().map(|place| (place, fetched.clone())).collect();
    let refs = missing(&build, &seen.0, &Policy::default()).sources.refs.into_iter();
    seen.0.refs = refs.map(|question| (question.clone(), Ok(commit_of(&question.git_ref)))).collect();
    step(&build, seen)
}

#[test]
fn components_of_included_modules_are_flattened_and_recorded() {
    let plan = including(Ok(INNER));
    let batch = |package| component_after(&plan, package).batch.0;
    assert_eq!((batch("libx"), batch("prog")), (2, 3));
    let stored = plan.build.document();
    assert_eq!(stored.rpms["libx"].git_ref.as_deref(), Some("master"));
    assert!(stored.xmd.at(&["mbs", "rpms", "libx", "ref"]).is_some());
}

#[test]
fn an_included_module_that_cannot_be_used_is_the_packagers_to_mend() {
    let plan = including(Err(no_branch()));
    assert_fails(&plan, "that branch does not exist", Failure::User);
    let plan = including(Ok("document: nonsense"));
    let reason = plan.build.life.reason().unwrap();
    assert!(reason.contains("modules/inner cannot be used: "), "{reason}");
    let plan = including(Ok(&INNER.replace("libx", "prog")));
    let reason = plan.build.life.reason().unwrap();
    assert!(reason.starts_with("these packages would be built more than once: prog"), "{reason}");
    assert_eq!(plan.build.life.failure(), Some(Failure::User));
}

#[test]
fn an_included_module_out_of_reach_is_tried_again() {
    let plan = including(Err(unreachable()));
    assert_eq!((plan.build.state(), plan.build.trouble.is_some()), (State::Init, true));
}

/// Stores the record and reads it again.
fn assert_reloads(plan: &Plan) {
    assert_eq!(plan.build.state(), State::Wait, "{:?}", plan.build.life.reason());
    let text = serde_json::to_string(&plan.build).unwrap();
    let again: ModuleBuild = serde_json::from_str(&text).unwrap();
    assert_eq!(again.document(), plan.build.document());
}

#[test]
fn architectures_from_the_configuration_leave_the_document_readable() {
    let mut document = document(&[("liba", rpm(0))]);
    document.buildopts.arches = ["aarch64".to_owned()].into();
    let policy = Policy { arches: vec![id("x86_64")], ..Policy::default() };
    let plan = leave(&policy, &submitted(document));
    assert_eq!(component_after(&plan, "liba").arches, [id("x86_64")]);
    assert_reloads(&plan);
}

#[test]
fn architectures_of_an_included_component_are_cut_to_those_of_the_module() {
    let inner = INNER.replace("needed}", "needed, arches: [aarch64, s390x]}");
    let mut including = document(&[("prog", rpm(5))]);
    including.buildopts.arches = ["aarch64".to_owned(), "x86_64".to_owned()].into();
    let plan = including_in(including, Ok(&inner));
    let stored = &plan.build.document().rpms["libx"].arches;
    assert_eq!(stored.iter().collect::<Vec<_>>(), ["aarch64"]);
    assert_eq!(component_after(&plan, "libx").arches, [id("aarch64"), id("s390x")]);
    assert_reloads(&plan);
}

#[test]
fn a_graph_of_an_included_module_does_not_mix_with_the_batches_around_it() {
    let inner = format!("{INNER}      liby: {{rationale: needed, buildafter: [libx]}}\n");
    let plan = including(Ok(&inner));
    let stored = &plan.build.document().rpms;
    assert_eq!(plan.build.ordering, Ordering::Graph);
    assert_eq!(component_after(&plan, "liby").after, [id("libx")]);
    assert!(stored["liby"].buildafter.is_empty());
    assert_eq!(stored["prog"].buildorder, 5);
    assert_reloads(&plan);
}

#[test]
fn batches_of_an_included_module_do_not_mix_with_the_graph_around_them() {
    let prog = RpmComponent { buildafter: ["tool".to_owned()].into(), ..rpm(0) };
    let inner = INNER.replace("needed}", "needed, buildorder: 3}");
    let plan = including_in(document(&[("prog", prog), ("tool", rpm(0))]), Ok(&inner));
    let stored = &plan.build.document().rpms;
    assert_eq!((stored["libx"].buildorder, stored["prog"].buildafter.len()), (0, 1));
    assert_reloads(&plan);
}

#[test]
fn builds_on_compatible_bases_may_be_reused_from_the_newest_first() {
    let platform = |stream: &str, is_ready: bool| {
        let provided = Xmd::Seq(vec!["el8".into()]);
        let nsvc = format!("platform:{stream}:1:c");
        KnownModule { is_ready, ..module(&nsvc, Some("el8-build"), &[("virtual_streams", provided)]) }
    };
    let ours = platform("el8.2.0", true);
    let mut document = document(&[]);
    let buildrequires = map(&[("platform", entry("platform:el8.2.0:1:c", "el8-build"))]);
    set_mbs(&mut document, "buildrequires", buildrequires);
    let mut build = submitted(document);
    build.new.base_modules = vec![ours.nsvc.clone()];
    let mut seen = answered(&build, std::slice::from_ref(&ours));
    let asked = missing(&build, &seen.0, &Policy::default()).modules.compatible_bases;
    assert_eq!(asked, [ours.nsvc.clone()].into());
    let all =
        [("el8.1.0", true), ("el8.3.0", true), ("el8.0.0", false), ("el9.0.0", true), ("el7.9.0", true)];
    let others = all.map(|(stream, is_ready)| platform(stream, is_ready));
    seen.0.compatible_bases.insert(ours.nsvc.clone(), [&others[..], &[ours]].concat());
    seen.0.build.tag_arches = Some([(id("el8-build"), None)].into());
    seen.0.build.tag_rpms = Some(BTreeMap::new());
    let on = |stream: &str| crate::context::build_context(&[(id("platform"), id(stream))].into());
    let contexts = step(&build, seen).build.surroundings.reuse_contexts;
    assert_eq!(contexts, [on("el8.2.0"), on("el8.1.0")]);
}
