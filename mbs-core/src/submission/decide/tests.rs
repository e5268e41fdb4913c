//! Whole submissions over a store, modules and repositories in memory.

use std::sync::Arc;

use super::super::testing::{map, pair};
use super::*;
use crate::engine::{Desk, SubmitError, Submitted};
use crate::ident::Nsvc;
use crate::memory::samples::now_or_panic;
use crate::memory::{EndOfLife, ManualClock, MemoryResolver, MemorySourceControl, MemoryStore};
use crate::model::{Failure, RebuildStrategy};
use crate::modulemd::{Dependencies, Xmd};
use crate::resolver::KnownModule;
use crate::store::{Amend, Builds as _, IdempotencyKey, StoreError};
use crate::submission::{GivenBuild, GivenDocument, Overrides, Patterns, RefusedAs};

const REPOSITORY: &str = "https://src.example/modules/app";

const COMPONENTS: &str = "
  components:
    rpms:
      bash: {rationale: needed}";

/// A document with these dependencies, and perhaps more below `data`.
fn document(dependencies: &str, more: &str) -> String {
    format!(
        "document: modulemd
version: 2
data:
  summary: An example
  description: An example.
  license: {{module: [MIT]}}
  dependencies: [{dependencies}]{more}{COMPONENTS}
"
    )
}

const ON_F28: &str = "{buildrequires: {platform: [f28], gtk: [1]}, requires: {platform: [f28], gtk: [1]}}";

fn known(nsvc: &str, base: Option<&str>, mbs: Vec<(&str, Xmd)>, pairs: Vec<Dependencies>) -> KnownModule {
    let mut entries: Vec<(String, Xmd)> =
        mbs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    if let Some(base) = base {
        let base: Nsvc = base.parse().unwrap();
        let against = map([
            ("stream", base.stream.as_str().into()),
            ("version", base.version.to_string().as_str().into()),
            ("context", base.context.as_str().into()),
        ]);
        entries.push(("buildrequires".into(), map([(base.name.as_str(), against)])));
    }
    let xmd = map([("mbs", Xmd::Map(entries))]);
    let document = ModuleStream { dependencies: pairs, xmd, ..ModuleStream::default() };
    KnownModule { nsvc: nsvc.parse().unwrap(), tag: None, document: Arc::new(document), is_ready: true }
}

fn el(nsvc: &str) -> KnownModule {
    known(nsvc, None, vec![("virtual_streams", Xmd::Seq(vec!["el8".into()]))], vec![])
}

/// An installation with some modules and one repository.
struct Scene {
    desk: Desk,
    store: Arc<MemoryStore>,
    resolver: Arc<MemoryResolver>,
    sources: Arc<MemorySourceControl>,
    rules: Rules,
}

impl Scene {
    fn new() -> Self {
        let f28 = "platform:f28:1:00000000";
        let f29 = "platform:f29:1:00000000";
        let on = |base: &str| vec![pair(&[], &[("platform", &[base])])];
        let resolver = Arc::new(
            MemoryResolver::new([
                known(f28, None, vec![], vec![]),
                known(f29, None, vec![], vec![]),
                el("platform:el8.1.0:1:00000000"),
                el("platform:el8.2.0:1:00000000"),
                known("gtk:1:7:aa", Some(f28), vec![], on("f28")),
                known("gtk:1:7:bb", Some(f29), vec![], on("f29")),
                known("gtk:2:7:cc", Some(f28), vec![], on("f28")),
            ])
            .unwrap(),
        );
        let policy = Arc::new(Policy::default());
        let store = Arc::new(MemoryStore::new(
            Arc::new(ManualClock::new()),
            "2020-01-02T03:04:05Z".parse().unwrap(),
            &policy,
        ));
        let sources = Arc::new(MemorySourceControl::new());
        let rules = Rules {
            scmurls: vec!["https://src.example/".into()],
            modules_allow_scratch: true,
            yaml_submit_allowed: true,
            rebuild_strategy_allow_override: true,
            ..Rules::default()
        };
        let desk = Desk {
            store: store.clone(),
            resolver: resolver.clone(),
            source_control: sources.clone(),
            rules: Arc::new(rules.clone()),
            policy,
        };
        Self { desk, store, resolver, sources, rules }
    }

    /// The same with other rules.
    fn with(rules: impl FnOnce(&mut Rules)) -> Self {
        let mut scene = Self::new();
        rules(&mut scene.rules);
        scene.desk.rules = Arc::new(scene.rules.clone());
        scene
    }

    /// Commits a document, and returns what asks to build it.
    fn commit(&self, text: &str) -> Asked {
        let at = "2018-03-04T05:06:07Z".parse().unwrap();
        let commit = self.sources.commit(REPOSITORY, "main", at, &[("app.yaml", text)]);
        Asked {
            owner: "anna".into(),
            scmurl: Some(format!("{REPOSITORY}?#{commit}")),
            branch: Some("main".into()),
            ..Asked::default()
        }
    }

    fn submit(&self, asked: &Asked) -> Result<Submitted, SubmitError> {
        now_or_panic(self.desk.submit(asked, None))
    }

    fn refused(&self, asked: &Asked) -> (String, RefusedAs) {
        match self.submit(asked) {
            Err(SubmitError::Refused(refused)) => (refused.to_string(), refused.answered_as()),
            other => panic!("{other:?}"),
        }
    }

    fn fail(&self, id: BuildId) {
        let loaded = now_or_panic(self.store.load(id)).unwrap();
        let mut now = loaded.build;
        now.life
            .fail("x".into(), Failure::User, now_or_panic(crate::store::Work::now(&*self.store)).unwrap())
            .unwrap();
        let amend = Amend { now, revision: loaded.revision, by: "anna".into(), what: "failed it".into() };
        now_or_panic(self.store.amend(amend)).unwrap();
    }
}

fn given(text: &str) -> Asked {
    let document = GivenDocument { text: text.into(), file_name: None };
    Asked {
        owner: "anna".into(),
        document: Some(document),
        module_name: Some("app".into()),
        ..Asked::default()
    }
}

fn nsvcs(submitted: &Submitted) -> Vec<String> {
    submitted.builds.iter().map(|build| build.nsvc().to_string()).collect()
}

const BOTH: &str = "{buildrequires: {platform: [f28, f29], gtk: [1]}, requires: {platform: [f28, f29]}}";

#[test]
fn a_module_from_git_becomes_a_build_with_its_identity() {
    let scene = Scene::new();
    let submitted = scene.submit(&scene.commit(&document(ON_F28, ""))).unwrap();
    let [build] = &submitted.builds[..] else { panic!("{submitted:?}") };
    assert_eq!(build.nsvc().version, Version(2_820_180_304_050_607), "f28 in front of the commit's time");
    assert_eq!((build.state(), build.new.owner.as_str()), (State::Init, "anna"));
    assert_eq!(build.nsvc().context.as_str(), build.new.contexts.short().as_str());
    let mbs = |path: &[&str]| build.document().xmd.at(path).and_then(Xmd::text).map(str::to_owned);
    assert_eq!(mbs(&["mbs", "branch"]).as_deref(), Some("main"));
    assert_eq!(mbs(&["mbs", "buildrequires", "gtk", "context"]).as_deref(), Some("aa"));
    assert_eq!(build.new.base_modules, ["platform:f28:1:00000000".parse().unwrap()]);
    assert_eq!(
        (build.document().name.as_deref(), build.document().stream.as_deref()),
        (Some("app"), Some("main"))
    );
}

#[test]
fn every_way_to_build_is_a_build_by_version_and_context() {
    let scene = Scene::new();
    let submitted = scene.submit(&scene.commit(&document(BOTH, ""))).unwrap();
    let names = nsvcs(&submitted);
    assert_eq!(names.len(), 2);
    assert!(
        names[0].starts_with("app:main:2820180304050607:")
            && names[1].starts_with("app:main:2920180304050607:")
    );
    assert!(submitted.builds[0].id < submitted.builds[1].id, "ids in the same order");
}

#[test]
fn what_exists_is_a_conflict_and_what_failed_goes_on() {
    let scene = Scene::new();
    let asked = scene.commit(&document(BOTH, ""));
    let first = scene.submit(&asked).unwrap();
    let (text, answered) = scene.refused(&asked);
    assert!(text.starts_with("Module (state=0) already exists."), "{text}");
    assert_eq!(answered, RefusedAs::Conflict);
    let failed = first.builds[1].id;
    scene.fail(failed);
    let other = Asked { rebuild_strategy: Some("all".into()), ..asked.clone() };
    assert_eq!(
        scene.refused(&other).0,
        "You cannot change the module's \"rebuild_strategy\" when resuming a module build"
    );
    let again = scene.submit(&Asked { owner: "bert".into(), ..asked }).unwrap();
    assert_eq!(nsvcs(&again), nsvcs(&first));
    let resumed = again.builds.iter().find(|build| build.id == failed).unwrap();
    assert_eq!((resumed.state(), resumed.life.reason()), (State::Init, Some("Resubmitted by bert")));
    assert_eq!(resumed.new.owner, "anna");
}

#[test]
fn scratch_builds_are_counted_per_context_and_never_conflict() {
    let scene = Scene::new();
    let asked = Asked { scratch: true, ..scene.commit(&document(ON_F28, "")) };
    let contexts: Vec<String> =
        (0..3).map(|_| scene.submit(&asked).unwrap().builds[0].nsvc().context.to_string()).collect();
    let front = contexts[0].trim_end_matches("_1").to_owned();
    assert_eq!(contexts, [format!("{front}_1"), format!("{front}_2"), format!("{front}_3")]);
    let real = scene.submit(&Asked { scratch: false, ..asked }).unwrap();
    assert_eq!(real.builds[0].nsvc().context.as_str(), front);
}

#[test]
fn uploaded_sources_stand_for_components_and_others_are_warned_about() {
    let scene = Scene::new();
    let srpms = vec!["cli-build/1/bash.src.rpm".to_owned(), "cli-build/1/zsh.src.rpm".to_owned()];
    let asked = Asked { scratch: true, srpms, ..scene.commit(&document(ON_F28, "")) };
    let submitted = scene.submit(&asked).unwrap();
    assert_eq!(submitted.builds[0].new.srpms.len(), 1);
    assert_eq!(submitted.warnings.len(), 1, "{:?}", submitted.warnings);
    let log = now_or_panic(scene.store.log(submitted.builds[0].id)).unwrap();
    assert!(log[0].text.contains("zsh"), "the log says it, too");
}

#[test]
fn a_key_gives_the_same_builds_even_when_they_exist_by_now() {
    let scene = Scene::new();
    let asked = scene.commit(&document(BOTH, ""));
    let key = |content: &str| Some(IdempotencyKey { key: "k".into(), content: content.into() });
    let first = now_or_panic(scene.desk.submit(&asked, key("one"))).unwrap();
    let again = now_or_panic(scene.desk.submit(&asked, key("one"))).unwrap();
    assert_eq!(nsvcs(&first), nsvcs(&again));
    let other = now_or_panic(scene.desk.submit(&asked, key("two")));
    assert!(matches!(other, Err(SubmitError::Store(StoreError::KeyReused(_)))), "{other:?}");
}

#[test]
fn a_preview_says_what_would_become_and_why_and_records_nothing() {
    let scene = Scene::new();
    let asked = scene.commit(&document(BOTH, ""));
    let decided = now_or_panic(scene.desk.preview(&asked)).unwrap();
    let why: Vec<String> =
        decided.builds[0].chosen.iter().map(|one| format!("{}: {}", one.nsvc, one.why)).collect();
    assert_eq!(
        why,
        [
            "gtk:1:7:aa: buildrequired in this stream",
            "platform:f28:1:00000000: buildrequired in f28, f29; one build for each that fits"
        ]
    );
    assert_eq!(scene.submit(&asked).unwrap().builds[0].id, BuildId(1));
}

#[test]
fn a_virtual_stream_is_built_for_the_newest_base_and_required_as_written() {
    let scene = Scene::new();
    let dependencies = "{buildrequires: {platform: [el8]}, requires: {platform: [el8]}}";
    let submitted = scene.submit(&scene.commit(&document(dependencies, ""))).unwrap();
    assert_eq!(
        submitted.builds[0].document().dependencies,
        [pair(&[("platform", &["el8.2.0"])], &[("platform", &["el8"])])]
    );
}

#[test]
fn a_base_stream_that_does_not_exist_beside_others_is_warned_about() {
    let scene = Scene::new();
    let dependencies = "{buildrequires: {platform: [f28, f99]}, requires: {}}";
    let submitted = scene.submit(&scene.commit(&document(dependencies, ""))).unwrap();
    assert_eq!(submitted.builds.len(), 1);
    assert_eq!(submitted.warnings, ["there is no platform:f99; nothing is built for it"]);
}

#[test]
fn a_buildrequire_that_is_being_built_is_waited_for_by_the_submitter() {
    let scene = Scene::new();
    let mut new = super::super::testing::new_build("gtk:1:7:dd");
    new.owner = "bert".into();
    now_or_panic(scene.store.create(new.into())).unwrap();
    let (text, answered) = scene.refused(&scene.commit(&document(ON_F28, "")));
    assert_eq!(text, "Buildrequire gtk-1-7 is in \"init\" state");
    assert_eq!(answered, RefusedAs::Unprocessable);
}

#[test]
fn users_and_branches_replace_streams() {
    let regexes = Patterns::new(["-(f\\d+)$"]).unwrap();
    let scene = Scene::with(|rules| rules.br_stream_override_regexes = regexes);
    let text = document("{buildrequires: {platform: [f28], gtk: [1]}, requires: {}}", "");
    let at = "2018-03-04T05:06:07Z".parse().unwrap();
    let commit = scene.sources.commit(REPOSITORY, "stream-f29", at, &[("app.yaml", text.as_str())]);
    let asked = Asked {
        scmurl: Some(format!("{REPOSITORY}?#{commit}")),
        branch: Some("stream-f29".into()),
        ..scene.commit(&text)
    };
    let built_for = |asked: &Asked| {
        let submitted = scene.submit(asked).unwrap();
        submitted.builds.iter().map(|build| build.new.base_modules[0].stream.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(built_for(&asked), ["f29"]);
    let streams = |module: &str, stream: &str| [(module.to_owned(), [stream.to_owned()].into())].into();
    let buildrequires = streams("platform", "f28");
    let by_user = Asked { overrides: Overrides { buildrequires, ..Overrides::default() }, ..asked.clone() };
    assert_eq!(built_for(&by_user), ["f28"]);
    let nowhere = Overrides { requires: streams("perl", "5"), ..Overrides::default() };
    assert_eq!(
        scene.refused(&Asked { overrides: nowhere, ..asked }).0,
        "The require overrides for the following modules aren't applicable: perl"
    );
}

#[test]
fn a_static_context_stands_for_one_build() {
    let scene = Scene::new();
    let contexts = "
  xmd:
    mbs_options:
      contexts:
        one: {buildrequires: {platform: f28, gtk: 1}, requires: {platform: f28}}
        two: {buildrequires: {platform: f29, gtk: 1}, requires: {platform: f29}}";
    let submitted = scene.submit(&scene.commit(&document("", contexts))).unwrap();
    assert_eq!(nsvcs(&submitted), ["app:main:2820180304050607:one", "app:main:2920180304050607:two"]);
    let several = document(BOTH, "\n  context: mine\n  static_context: true");
    let (text, _) = scene.refused(&scene.commit(&several));
    assert_eq!(
        text,
        "The static context 'mine' can be built in several ways: gtk:1 platform:f28 or gtk:1 platform:f29; name one stream of each module"
    );
}

#[test]
fn what_is_never_built_from_there_is_refused() {
    let private = Patterns::new(["^main"]).unwrap();
    let scene = Scene::with(|rules| rules.scratch_build_only_branches = private);
    let asked = scene.commit(&document(ON_F28, ""));
    assert_eq!(scene.refused(&asked).0, "Only scratch module builds can be built from this branch.");
    assert!(scene.submit(&Asked { scratch: true, ..asked }).is_ok());
}

#[test]
fn a_stream_past_its_end_of_life_is_refused_and_an_unknown_one_too() {
    let scene = Scene::with(|rules| rules.check_for_eol = true);
    let asked = scene.commit(&document(ON_F28, ""));
    assert!(scene.refused(&asked).0.starts_with("No such module app:main found at "));
    scene.resolver.set_end_of_life("app:main".parse().unwrap(), EndOfLife::Past);
    assert_eq!(scene.refused(&asked).0, "Module app:main is marked as EOL in PDC.");
    scene.resolver.set_end_of_life("app:main".parse().unwrap(), EndOfLife::Ahead);
    assert!(scene.submit(&asked).is_ok());
}

#[test]
fn nothing_to_choose_in_any_pair_is_said() {
    let scene = Scene::new();
    let dependencies = "{buildrequires: {platform: [f28], gtk: [-1, -2]}, requires: {}}";
    let (text, answered) = scene.refused(&scene.commit(&document(dependencies, "")));
    assert!(text.starts_with("No dependency combination was satisfied."), "{text}");
    assert!(text.ends_with(" Nothing can be chosen for gtk."), "{text}");
    assert_eq!(answered, RefusedAs::BadRequest);
}

#[test]
fn dependencies_that_do_not_work_out_are_unprocessable() {
    let scene = Scene::new();
    let (text, answered) = scene
        .refused(&scene.commit(&document("{buildrequires: {platform: [f28], gtk: [99]}, requires: {}}", "")));
    assert_eq!(
        (text.as_str(), answered),
        ("Cannot find any module builds for gtk:99", RefusedAs::Unprocessable)
    );
}

#[test]
fn a_document_given_directly_needs_a_text_that_is_one() {
    let scene = Scene::new();
    let submitted = scene.submit(&given(&document(ON_F28, ""))).unwrap();
    assert_eq!(submitted.builds[0].nsvc().version, Version(2_820_200_102_030_405), "the store's time");
    assert_eq!(scene.refused(&given(" \n")).0, "The input modulemd was empty");
    let (text, answered) = scene.refused(&given("document: modulemd\nversion: 2\ndata: {}\n"));
    assert!(text.starts_with("The modulemd is invalid. The error was:\n"), "{text}");
    assert_eq!(answered, RefusedAs::Unprocessable);
    let nameless = Asked { module_name: None, ..given(&document(ON_F28, "")) };
    assert!(scene.refused(&nameless).0.starts_with("The module's name was not present"));
}

#[test]
fn unknown_keys_are_warned_about() {
    let scene = Scene::new();
    let submitted = scene.submit(&scene.commit(&document(ON_F28, "\n  colour: green"))).unwrap();
    let [warning] = &submitted.warnings[..] else { panic!("{:?}", submitted.warnings) };
    assert!(warning.contains("data.colour") && !warning.contains("warning"), "{warning}");
}

#[test]
fn a_commit_that_is_not_on_the_branch_or_not_there_is_refused() {
    let scene = Scene::new();
    let asked = scene.commit(&document(ON_F28, ""));
    let at = "2018-03-04T05:06:07Z".parse().unwrap();
    let other = scene.sources.commit(REPOSITORY, "other", at, &[("app.yaml", "x")]);
    let foreign = Asked { scmurl: Some(format!("{REPOSITORY}?#{other}")), ..asked.clone() };
    let (text, answered) = scene.refused(&foreign);
    assert_eq!((text, answered), (format!("Commit {other} is not in branch main."), RefusedAs::BadRequest));
    let nowhere = Asked { scmurl: Some("https://src.example/modules/none?#abc".into()), ..asked.clone() };
    assert_eq!(scene.refused(&nowhere).1, RefusedAs::Unprocessable);
    scene.sources.cut_off(REPOSITORY, "no route").unwrap();
    let cut_off = scene.submit(&asked).unwrap_err();
    assert!(matches!(&cut_off, SubmitError::Source(_)) && cut_off.is_transient(), "{cut_off:?}");
}

#[test]
fn the_build_to_reuse_from_must_exist_and_be_ready() {
    let scene = Scene::new();
    let asked = scene.commit(&document(ON_F28, ""));
    let with = |build: GivenBuild| Asked { reuse_components_from: Some(build), ..asked.clone() };
    assert_eq!(
        scene.refused(&with(GivenBuild::Id(BuildId(9)))).0,
        "The module in the parameter \"reuse_components_from\" could not be found"
    );
    let other = scene.submit(&scene.commit(&document(ON_F28, ""))).unwrap().builds[0].clone();
    assert_eq!(
        scene.refused(&with(GivenBuild::Nsvc(other.nsvc().to_string()))).0,
        "The module in the parameter \"reuse_components_from\" must be in the ready state"
    );
    assert_eq!(other.new.strategy, RebuildStrategy::ChangedAndAfter);
}

#[test]
fn an_outage_refuses_nothing() {
    let scene = Scene::new();
    let asked = scene.commit(&document(ON_F28, ""));
    let error = crate::resolver::ResolverError::Unavailable { reason: "no route".into() };
    scene.resolver.set_outage(Some(error));
    assert!(scene.submit(&asked).unwrap_err().is_transient());
    scene.resolver.set_outage(None);
    assert!(scene.submit(&asked).is_ok());
}

/// What looks like a number, a boolean, a date or nothing is a stream like any other.
#[test]
fn streams_keep_their_spelling_from_the_document_to_the_record() {
    let scene = Scene::new();
    let streams = ["1.10", "007", "on", "~", "1e3", "2020-01-01", "null", "TRUE", "0x1f"];
    let f28 = "platform:f28:1:00000000";
    for stream in streams {
        let on_f28 = vec![pair(&[], &[("platform", &["f28"])])];
        scene.resolver.add(known(&format!("odd:{stream}:1:aa"), Some(f28), vec![], on_f28)).unwrap();
    }
    let all = streams.join(", ");
    let dependencies =
        format!("{{buildrequires: {{platform: [f28], odd: [{all}]}}, requires: {{odd: [{all}]}}}}");
    let submitted = scene.submit(&scene.commit(&document(&dependencies, ""))).unwrap();
    assert_eq!(submitted.builds.len(), streams.len());
    let mut seen = Vec::new();
    for build in &submitted.builds {
        // As a store keeps it, and another program reads it.
        let text = serde_json::to_string(build).unwrap();
        let read: ModuleBuild = serde_json::from_str(&text).unwrap();
        assert_eq!(read.document(), build.document());
        let spelled = |path: &[&str]| read.document().xmd.at(path).and_then(Xmd::spelling).map(str::to_owned);
        let stream = spelled(&["mbs", "buildrequires", "odd", "stream"]).unwrap();
        let last = read.document().dependencies.last().unwrap();
        assert_eq!(last, &pair(&[("platform", &["f28"]), ("odd", &[&stream])], &[("odd", &[&stream])]));
        let streams = [
            ("odd".parse().unwrap(), stream.parse().unwrap()),
            ("platform".parse().unwrap(), "f28".parse().unwrap()),
        ];
        assert_eq!(read.new.contexts.build, crate::context::build_context(&streams.into()));
        seen.push(stream);
    }
    seen.sort();
    let mut streams = streams.to_vec();
    streams.sort_unstable();
    assert_eq!(seen, streams);
}

#[test]
fn the_full_commit_is_recorded_whatever_revision_was_named() {
    let scene = Scene::new();
    let asked = scene.commit(&document(ON_F28, ""));
    let commit = asked.scmurl.as_ref().unwrap().rsplit_once('#').unwrap().1.to_owned();
    let by_branch = Asked { scmurl: Some(format!("{REPOSITORY}?#main")), ..asked };
    let build = scene.submit(&by_branch).unwrap().builds.remove(0);
    assert_eq!(build.new.commit.as_ref().map(crate::ident::CommitId::as_str), Some(commit.as_str()));
    assert_eq!(build.new.scmurl.as_deref(), Some("https://src.example/modules/app?#main"));
}

#[test]
fn streams_of_the_user_are_checked_like_those_of_the_document() {
    let scene = Scene::new();
    let requires = [("gtk".to_owned(), ["a b".to_owned()].into())].into();
    let overrides = Overrides { requires, ..Overrides::default() };
    let (text, answered) = scene.refused(&Asked { overrides, ..scene.commit(&document(ON_F28, "")) });
    assert!(text.contains("data.dependencies[0].requires.gtk"), "{text}");
    assert_eq!(answered, RefusedAs::Unprocessable);
}

#[test]
fn a_warning_is_told_once_and_not_without_end() {
    let scene = Scene::new();
    let mut pairs = vec![ON_F28.to_owned(), ON_F28.to_owned()];
    pairs.extend(
        (0..150).map(|n| format!("{{buildrequires: {{platform: [f28], none{n}: [-1]}}, requires: {{}}}}")),
    );
    let submitted = scene.submit(&scene.commit(&document(&pairs.join(", "), ""))).unwrap();
    assert_eq!(submitted.builds.len(), 1);
    assert_eq!(submitted.warnings.len(), MOST_WARNINGS + 1);
    assert_eq!(submitted.warnings.last().unwrap(), "there is more to say, which is left out");
}

#[test]
fn a_scratch_number_that_is_taken_is_passed_over() {
    let scene = Scene::new();
    let contexts = |names: &str| {
        let entry =
            |name: &str| format!("\n        {name}: {{buildrequires: {{platform: f28}}, requires: {{}}}}");
        let all: String = names.split(' ').map(entry).collect();
        format!("\n  xmd:\n    mbs_options:\n      contexts:{all}")
    };
    scene.submit(&scene.commit(&document("", &contexts("a a_1")))).unwrap();
    let scratch = Asked { scratch: true, ..scene.commit(&document("", &contexts("a"))) };
    let build = scene.submit(&scratch).unwrap().builds.remove(0);
    assert_eq!(build.nsvc().context.as_str(), "a_2");
}

/// As much of a description as a submission may have.
fn long() -> String {
    "d ".repeat(510_000)
}

#[test]
fn a_large_document_is_built_in_fewer_ways_than_a_small_one() {
    let scene = Scene::new();
    for number in 100..140 {
        scene.resolver.add(known(&format!("platform:f{number}:1:00000000"), None, vec![], vec![])).unwrap();
    }
    let of_any_base = |description: &str| {
        let small = document("{buildrequires: {platform: []}, requires: {platform: []}}", "");
        given(&small.replace("An example.", description))
    };
    let (text, answered) = scene.refused(&of_any_base(&long()));
    assert_eq!(
        (text.as_str(), answered),
        (
            "The dependencies of the module can be met in more than 16 ways, which are too many for a document of its \
             size; name fewer streams in the buildrequires, or make the document smaller",
            RefusedAs::Unprocessable
        )
    );
    assert_eq!(scene.submit(&of_any_base("d")).unwrap().builds.len(), 44);
}

#[test]
fn a_large_document_has_fewer_contexts_than_a_small_one() {
    let scene = Scene::new();
    let entries: String = (0..40)
        .map(|number| format!("c{number}: {{buildrequires: {{platform: f28}}, requires: {{}}}}, "))
        .collect();
    let contexts = format!("\n  xmd: {{mbs_options: {{contexts: {{{entries}}}}}}}");
    let of_contexts = |description: &str| given(&document("", &contexts).replace("An example.", description));
    let (text, _) = scene.refused(&of_contexts(&long()));
    assert_eq!(
        text,
        "The \"contexts\" in xmd mbs_options are 40, at most 16 are allowed for a document of its size"
    );
    assert_eq!(scene.submit(&of_contexts("d")).unwrap().builds.len(), 40);
}

#[test]
fn a_large_document_has_fewer_configurations_than_a_small_one() {
    let scene = Scene::new();
    let configurations: String =
        (0..40).map(|number| format!("  - {{context: c{number}, platform: f28}}\n")).collect();
    let of_configurations = |description: &str| {
        given(&format!(
            "document: modulemd-packager\nversion: 3\ndata:\n  summary: s\n  description: {description}\n  license: [MIT]\n  \
             configurations:\n{configurations}"
        ))
    };
    let (text, _) = scene.refused(&of_configurations(&long()));
    assert_eq!(text, "The configurations of the document are 40, at most 16 are allowed of its size");
    assert_eq!(scene.submit(&of_configurations("d")).unwrap().builds.len(), 40);
}
