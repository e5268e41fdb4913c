use jiff::Timestamp;

use super::*;
use crate::context::Contexts;
use crate::ident::{BuildId, ComponentId, TaskId};
use crate::model::{BuildState, ComponentSource, Failure, NewBuild};
use crate::modulemd::{BuildOpts, ModuleStream};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn package(name: &str) -> Package {
    Package::new(name).unwrap()
}

fn commit(digit: char) -> CommitId {
    CommitId::new(digit.to_string().repeat(40)).unwrap()
}

fn git(digit: char) -> ComponentSource {
    ComponentSource::Git { url: "https://host/x".into(), commit: commit(digit) }
}

fn component(name: &str, batch: u32, source: ComponentSource) -> ComponentBuild {
    ComponentBuild {
        id: Some(ComponentId(i64::from(batch) * 10)),
        arches: vec![Arch::new("x86_64").unwrap()],
        state: Some(BuildState::Complete),
        nvr: Some(format!("{name}-1-1").parse().unwrap()),
        task: Some(TaskId(77)),
        tagged: true,
        tagged_in_final: true,
        ..ComponentBuild::new(package(name), source, Batch(batch))
    }
}

fn build(id: i64) -> ModuleBuild {
    let new = NewBuild {
        nsvc: format!("app:1:{id}:c0ffee00").parse().unwrap(),
        owner: "anna".into(),
        priority: 0,
        scratch: false,
        scmurl: Some("https://host/modules/app?#abc".into()),
        commit: None,
        strategy: RebuildStrategy::ChangedAndAfter,
        reuse_from: None,
        origin: None,
        document: Arc::new(ModuleStream::default()),
        contexts: Contexts { build: "same".into(), ..Contexts::default() },
        srpms: [].into(),
        given_srpms: Vec::new(),
        base_modules: vec![],
    };
    ModuleBuild::begin(new, BuildId(id), BuildId(id), at(0))
}

/// `liba` and `libb` in batch 2, `prog` in batch 3, `doc` in batch 4, behind the macros.
fn with_components(id: i64) -> ModuleBuild {
    let mut build = build(id);
    build.components = vec![
        component("module-build-macros", 1, ComponentSource::Macros).into(),
        component("liba", 2, git('a')).into(),
        component("libb", 2, git('b')).into(),
        component("prog", 3, git('c')).into(),
        component("doc", 4, git('d')).into(),
    ];
    build
}

fn finished(id: i64, completed: i64) -> ModuleBuild {
    let mut build = with_components(id);
    build.enter(State::Wait, None, at(1)).unwrap();
    build.enter(State::Build, None, at(2)).unwrap();
    build.enter(State::Done, None, at(completed)).unwrap();
    build.enter(State::Ready, None, at(completed)).unwrap();
    build
}

fn failed(id: i64, completed: i64) -> ModuleBuild {
    let mut build = with_components(id);
    build.enter(State::Wait, None, at(1)).unwrap();
    build.life.fail("x".into(), Failure::User, at(completed)).unwrap();
    build
}

fn of<'a>(build: &'a mut ModuleBuild, name: &str) -> &'a mut ComponentBuild {
    build.components.iter_mut().find(|c| c.package.as_str() == name).unwrap()
}

fn as_graph(mut build: ModuleBuild, edges: &[(&str, &[&str])]) -> ModuleBuild {
    build.ordering = Ordering::Graph;
    for (name, after) in edges {
        of(&mut build, name).after = after.iter().map(|name| package(name)).collect();
    }
    build
}

/// The reason per rebuilt component, as text; reused ones are left out.
fn rebuilt(build: &ModuleBuild, source: &ModuleBuild) -> Vec<(String, String)> {
    let why = |(package, verdict): (Package, Verdict)| match verdict {
        Verdict::Reuse { .. } => None,
        Verdict::Rebuild(why) => Some((package.to_string(), why.to_string())),
    };
    verdicts(build, Some(source)).into_iter().filter_map(why).collect()
}

fn names(rebuilt: &[(String, String)]) -> Vec<&str> {
    rebuilt.iter().map(|(package, _)| package.as_str()).collect()
}

fn chosen(build: &ModuleBuild, candidates: &[ModuleBuild], rule: Reuse) -> Option<i64> {
    let candidates: Vec<_> = candidates.iter().cloned().map(Arc::new).collect();
    choose_source(build, &candidates, None, rule).map(|source| source.id.0)
}

#[test]
fn the_newest_ready_build_by_completion_is_chosen() {
    let candidates = [finished(1, 50), finished(2, 90), finished(3, 70)];
    assert_eq!(chosen(&build(9), &candidates, Reuse::Ready), Some(2));
}

#[test]
fn a_source_needs_the_same_build_context_a_scmurl_and_the_same_stream() {
    let mut other_context = finished(1, 50);
    other_context.new.contexts.build = "other".into();
    let mut from_text = finished(2, 50);
    from_text.new.scmurl = None;
    let mut other_stream = finished(3, 50);
    other_stream.new.nsvc = "app:2:3:c0ffee00".parse().unwrap();
    let candidates = [other_context, from_text, other_stream, failed(4, 50), with_components(5)];
    assert_eq!(chosen(&build(9), &candidates, Reuse::Ready), None);
}

#[test]
fn build_contexts_of_compatible_bases_are_tried_in_turn() {
    let on = |id: i64, at: i64, context: &str| {
        let mut build = finished(id, at);
        build.new.contexts.build = context.into();
        build
    };
    let candidates = [on(1, 90, "el8.1"), on(2, 50, "el8.2"), on(3, 60, "el8.1"), on(4, 99, "el9")];
    let mut ours = build(9);
    ours.surroundings.reuse_contexts = vec!["el8.3".into(), "el8.2".into(), "el8.1".into()];
    assert_eq!(chosen(&ours, &candidates, Reuse::Ready), Some(2), "the newest base, not the newest build");
    assert_eq!(chosen(&ours, &candidates[2..], Reuse::Ready), Some(3));
    assert_eq!(chosen(&ours, &candidates[3..], Reuse::Ready), None);
    assert_eq!(question(&ours, Reuse::Ready).unwrap().contexts, ["el8.3", "el8.2", "el8.1"]);
    assert_eq!(question(&build(9), Reuse::Ready).unwrap().contexts, ["same"]);
}

#[test]
fn where_a_tag_counts_the_source_is_in_it_whatever_its_base() {
    let with = |id: i64, at: i64, without_base: &str| {
        let mut build = finished(id, at);
        build.new.contexts.build = "other".into();
        build.new.contexts.build_without_base = without_base.into();
        Arc::new(build)
    };
    let candidates = [with(1, 50, "ours"), with(2, 90, "theirs"), with(3, 70, "ours")];
    let mut ours = build(9);
    ours.new.contexts.build_without_base = "ours".into();
    ours.surroundings.reuse_tag = Some("f29-modular".parse().unwrap());
    let chosen = |tagged: &[i64]| {
        let tagged = tagged.iter().map(|id| candidates[usize::try_from(*id).unwrap() - 1].nsvc().clone());
        choose_source(&ours, &candidates, Some(&tagged.collect()), Reuse::Ready).map(|source| source.id.0)
    };
    assert_eq!((chosen(&[1, 2, 3]), chosen(&[1, 2]), chosen(&[2])), (Some(3), Some(1), None));
    assert_eq!(tag_to_ask(&ours, Reuse::Ready).map(TagName::as_str), Some("f29-modular"));
    assert_eq!(tag_to_ask(&ours, Reuse::ReadyAndFailed), None);
    assert!(question(&ours, Reuse::Ready).unwrap().contexts.is_empty());
}

#[test]
fn changed_and_after_takes_no_source_that_was_built_with_only_changed() {
    let mut only_changed = finished(1, 50);
    only_changed.new.strategy = RebuildStrategy::OnlyChanged;
    let mut asking = build(9);
    assert_eq!(chosen(&asking, std::slice::from_ref(&only_changed), Reuse::Ready), None);
    asking.new.strategy = RebuildStrategy::OnlyChanged;
    assert_eq!(chosen(&asking, &[only_changed], Reuse::Ready), Some(1));
    let mut all = finished(2, 50);
    all.new.strategy = RebuildStrategy::All;
    assert_eq!(chosen(&build(9), &[all], Reuse::Ready), Some(2));
}

#[test]
fn the_build_that_the_user_named_is_taken_without_conditions() {
    let mut asking = build(9);
    asking.new.reuse_from = Some(BuildId(1));
    let mut odd = finished(1, 50);
    odd.new.contexts.build = "other".into();
    odd.new.scmurl = None;
    assert_eq!(chosen(&asking, &[finished(2, 90), odd], Reuse::Ready), Some(1));
}

#[test]
fn nothing_is_reused_with_the_strategy_all_or_where_reuse_is_off() {
    let mut asking = with_components(9);
    assert_eq!(chosen(&asking, &[finished(1, 50)], Reuse::Never), None);
    assert_eq!(question(&asking, Reuse::Never), None);
    asking.new.strategy = RebuildStrategy::All;
    assert_eq!(chosen(&asking, &[finished(1, 50)], Reuse::Ready), None);
    assert_eq!(question(&asking, Reuse::Ready), None);
    let all = verdicts(&asking, Some(&finished(1, 50)));
    assert_eq!(all.len(), 4);
    assert!(all.values().all(|verdict| *verdict == Verdict::Rebuild(WhyRebuild::Strategy)));
}

#[test]
fn the_store_is_asked_for_builds_of_this_stream_in_states_that_count() {
    let mut asking = build(9);
    asking.new.reuse_from = Some(BuildId(4));
    let asked = question(&asking, Reuse::ReadyAndFailed).unwrap();
    assert_eq!((asked.build, asked.exactly), (BuildId(9), Some(BuildId(4))));
    assert_eq!(asked.states, [State::Ready, State::Failed]);
    assert_eq!(question(&asking, Reuse::Ready).unwrap().states, [State::Ready]);
}

#[test]
fn where_failed_builds_count_the_one_with_most_to_reuse_is_taken_ready_ones_first() {
    let asking = with_components(9);
    let mut without_scmurl = finished(1, 50);
    without_scmurl.new.scmurl = None;
    let equal = [without_scmurl.clone(), failed(2, 90)];
    assert_eq!(chosen(&asking, &equal, Reuse::ReadyAndFailed), Some(1));
    of(&mut without_scmurl, "prog").source = git('e');
    assert_eq!(chosen(&asking, &[without_scmurl, failed(2, 90)], Reuse::ReadyAndFailed), Some(2));
    assert_eq!(chosen(&asking, &[failed(2, 90), failed(3, 80)], Reuse::ReadyAndFailed), Some(2));
}

#[test]
fn a_scratch_build_is_reused_from_by_local_scratch_builds_only() {
    let mut scratch = failed(1, 50);
    scratch.new.scratch = true;
    let mut asking = with_components(9);
    assert_eq!(chosen(&asking, std::slice::from_ref(&scratch), Reuse::ReadyAndFailed), None);
    asking.new.scratch = true;
    assert_eq!(chosen(&asking, &[scratch], Reuse::ReadyAndFailed), Some(1));
}

#[test]
fn what_did_not_change_is_reused_with_its_build_and_task() {
    let decided = verdicts(&with_components(9), Some(&finished(1, 50)));
    assert_eq!(decided.len(), 4);
    assert_eq!(
        decided[&package("prog")],
        Verdict::Reuse {
            from: Some(ComponentId(30)),
            build: BuildId(1),
            nvr: "prog-1-1".parse().unwrap(),
            task: Some(TaskId(77))
        }
    );
    assert!(!decided.contains_key("module-build-macros"));
}

#[test]
fn without_a_source_everything_is_built() {
    let decided = verdicts(&with_components(9), None);
    assert!(decided.values().all(|verdict| *verdict == Verdict::Rebuild(WhyRebuild::NoSource)));
}

#[test]
fn a_changed_commit_rebuilds_the_component_and_all_later_batches_but_not_its_own() {
    let mut asking = with_components(9);
    of(&mut asking, "liba").source = git('e');
    let why = rebuilt(&asking, &finished(1, 50));
    assert_eq!(names(&why), ["doc", "liba", "prog"]);
    assert_eq!(why[1].1, format!("its commit changed from {} to {}", commit('a'), commit('e')));
    assert_eq!(why[2].1, "something it may depend on changed: liba");
}

#[test]
fn only_changed_rebuilds_what_changed_and_nothing_else() {
    let mut asking = with_components(9);
    asking.new.strategy = RebuildStrategy::OnlyChanged;
    of(&mut asking, "liba").source = git('e');
    of(&mut asking, "doc").batch = Batch(5);
    asking.new.document = Arc::new(ModuleStream {
        buildopts: BuildOpts { macros: Some("%x 1".into()), ..Default::default() },
        ..Default::default()
    });
    assert_eq!(names(&rebuilt(&asking, &finished(1, 50))), ["liba"]);
}

#[test]
fn what_the_source_lacks_or_did_not_complete_is_built() {
    let mut source = finished(1, 50);
    source.components.retain(|c| c.package.as_str() != "doc");
    of(&mut source, "prog").state = Some(BuildState::Failed);
    let why = rebuilt(&with_components(9), &source);
    assert_eq!(names(&why), ["doc", "prog"]);
    assert_eq!(why[1].1, "app:1:1:c0ffee00 did not build it");
}

#[test]
fn what_the_source_reused_and_found_gone_is_built() {
    let mut source = failed(1, 50);
    let nvr: Nvr = "doc-1-1".parse().unwrap();
    of(&mut source, "doc").verdict = Some(Verdict::Rebuild(WhyRebuild::Gone(nvr)));
    assert_eq!(names(&rebuilt(&with_components(9), &source)), ["doc"]);
    of(&mut source, "doc").nvr = Some("doc-1-2".parse().unwrap());
    assert_eq!(rebuilt(&with_components(9), &source), []);
}

#[test]
fn a_component_without_commit_is_never_reused() {
    let mut asking = with_components(9);
    of(&mut asking, "doc").source = ComponentSource::Srpm("doc.src.rpm".into());
    assert_eq!(rebuilt(&asking, &finished(1, 50)), [("doc".into(), "it is not built from a commit".into())]);
    let mut source = finished(1, 50);
    of(&mut source, "doc").source = ComponentSource::Srpm("doc.src.rpm".into());
    assert_eq!(names(&rebuilt(&with_components(9), &source)), ["doc"]);
}

#[test]
fn another_batch_is_a_reason_to_build() {
    let mut asking = with_components(9);
    of(&mut asking, "doc").batch = Batch(5);
    assert_eq!(
        rebuilt(&asking, &finished(1, 50)),
        [("doc".into(), "it moved from batch 4 to batch 5".into())]
    );
}

#[test]
fn other_macros_of_the_module_rebuild_everything() {
    let mut asking = with_components(9);
    asking.new.document = Arc::new(ModuleStream {
        buildopts: BuildOpts { macros: Some("%x 1".into()), ..Default::default() },
        ..Default::default()
    });
    let why = rebuilt(&asking, &finished(1, 50));
    assert_eq!(why.len(), 4);
    assert!(why.iter().all(|(_, why)| why == "the macros of the module changed"));
}

#[test]
fn other_architectures_rebuild_a_component_and_what_comes_after() {
    let mut asking = with_components(9);
    of(&mut asking, "prog").arches = vec![];
    let why = rebuilt(&asking, &finished(1, 50));
    assert_eq!(names(&why), ["doc", "prog"]);
    assert_eq!(why[1].1, "its architectures changed");
}

#[test]
fn a_component_added_or_removed_in_an_earlier_batch_counts_as_a_change() {
    let mut added = with_components(9);
    added.components.insert(3, component("libc", 2, git('e')).into());
    assert_eq!(names(&rebuilt(&added, &finished(1, 50))), ["doc", "libc", "prog"]);
    let mut removed = with_components(9);
    removed.components.retain(|c| c.package.as_str() != "libb");
    let why = rebuilt(&removed, &finished(1, 50));
    assert_eq!(names(&why), ["doc", "prog"]);
    assert_eq!(why[0].1, "something it may depend on changed: libb");
}

#[test]
fn what_is_rebuilt_though_its_content_is_the_same_stops_reuse_after_it() {
    let mut source = finished(1, 50);
    of(&mut source, "liba").state = Some(BuildState::Failed);
    let why = rebuilt(&with_components(9), &source);
    assert_eq!(names(&why), ["doc", "liba", "prog"]);
    assert_eq!(why[0].1, "something it may depend on changed: liba, prog");
}

#[test]
fn many_changes_are_counted_after_the_first_five() {
    let mut asking = with_components(9);
    for name in ["n1", "n2", "n3", "n4", "n5", "n6"] {
        asking.components.push(component(name, 2, git('e')).into());
    }
    let why = rebuilt(&asking, &finished(1, 50));
    let (_, prog) = why.iter().find(|(package, _)| package == "prog").unwrap();
    assert_eq!(prog, "something it may depend on changed: n1, n2, n3, n4, n5 and 1 more");
}

#[test]
fn on_a_graph_only_what_follows_a_change_is_rebuilt() {
    let edges: &[(&str, &[&str])] = &[("prog", &["liba"]), ("doc", &["prog"])];
    let source = as_graph(finished(1, 50), edges);
    let mut libb_changed = as_graph(with_components(9), edges);
    of(&mut libb_changed, "libb").source = git('e');
    assert_eq!(names(&rebuilt(&libb_changed, &source)), ["libb"]);
    let mut liba_changed = as_graph(with_components(9), edges);
    of(&mut liba_changed, "liba").source = git('e');
    assert_eq!(names(&rebuilt(&liba_changed, &source)), ["doc", "liba", "prog"]);
}

#[test]
fn on_a_graph_a_new_predecessor_is_a_change_and_depth_alone_is_none() {
    let source = as_graph(finished(1, 50), &[("doc", &["prog"])]);
    let more = as_graph(with_components(9), &[("doc", &["prog", "libb"])]);
    assert_eq!(rebuilt(&more, &source), [("doc".into(), "something it may depend on changed: libb".into())]);
    let mut deeper = as_graph(with_components(9), &[("doc", &["prog"])]);
    of(&mut deeper, "prog").batch = Batch(4);
    of(&mut deeper, "doc").batch = Batch(5);
    assert_eq!(rebuilt(&deeper, &source), []);
}

#[test]
fn batches_and_a_graph_cannot_be_compared() {
    let why = rebuilt(&as_graph(with_components(9), &[]), &finished(1, 50));
    assert_eq!(why.len(), 4);
    assert!(why[0].1.ends_with("the order is given in another way"));
}

#[test]
fn a_lost_build_turns_its_verdict_and_by_the_strategy_those_after_it() {
    let mut asking = with_components(9);
    let decided = verdicts(&asking, Some(&finished(1, 50)));
    for component in &mut asking.components {
        component.verdict = decided.get(&component.package).cloned();
    }
    of(&mut asking, "doc").verdict = Some(Verdict::Rebuild(WhyRebuild::NoSource));
    let nvr: Nvr = "liba-1-1".parse().unwrap();
    let turned = |asking: &ModuleBuild| verdicts_after_loss(asking, &package("liba"), nvr.clone());
    assert_eq!(
        turned(&asking),
        [
            (package("liba"), Verdict::Rebuild(WhyRebuild::Gone(nvr.clone()))),
            (package("prog"), Verdict::Rebuild(WhyRebuild::EarlierChanged("liba".into()))),
        ]
        .into()
    );
    asking.new.strategy = RebuildStrategy::OnlyChanged;
    assert_eq!(turned(&asking).len(), 1);
}

/// Makes a build require another module in a version.
fn on_answers(mut build: ModuleBuild, version: &str) -> ModuleBuild {
    let map = |entries: &[(&str, Xmd)]| {
        Xmd::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    let entry = map(&[("stream", "1".into()), ("version", version.into()), ("context", "c".into())]);
    let xmd = map(&[("mbs", map(&[("buildrequires", map(&[("answers", entry)]))]))]);
    build.new.document = Arc::new(ModuleStream { xmd, ..ModuleStream::default() });
    build
}

#[test]
fn on_one_machine_a_new_build_of_a_buildrequired_module_ends_reuse() {
    let asking = on_answers(with_components(9), "2");
    let earlier = |version| on_answers(finished(2, 90), version);
    assert_eq!(chosen(&asking, &[earlier("2")], Reuse::ReadyAndFailed), Some(2));
    assert_eq!(chosen(&asking, &[earlier("1")], Reuse::ReadyAndFailed), None);
    assert_eq!(chosen(&asking, &[earlier("1")], Reuse::Ready), Some(2));
}

#[test]
fn that_only_the_buildrequired_modules_differ_is_told_from_having_no_earlier_build() {
    let asking = on_answers(with_components(9), "2");
    let earlier = on_answers(finished(2, 90), "1");
    let why = |asking: &ModuleBuild, candidates: &[ModuleBuild], rule| {
        let candidates: Vec<_> = candidates.iter().cloned().map(Arc::new).collect();
        why_no_source(asking, &candidates, rule)
    };
    let asked =
        |candidate: &ModuleBuild| why(&asking, std::slice::from_ref(candidate), Reuse::ReadyAndFailed);
    assert_eq!(asked(&earlier), WhyRebuild::OtherBuildrequires);
    assert_eq!(why(&asking, &[], Reuse::ReadyAndFailed), WhyRebuild::NoSource);
    assert_eq!(why(&asking, std::slice::from_ref(&earlier), Reuse::Never), WhyRebuild::NoSource);
    let mut other_context = earlier.clone();
    other_context.new.contexts.build = "other".into();
    assert_eq!(asked(&other_context), WhyRebuild::NoSource);
    let mut only_changed = earlier;
    only_changed.new.strategy = RebuildStrategy::OnlyChanged;
    assert_eq!(asked(&only_changed), WhyRebuild::NoSource);
}

#[test]
fn a_change_reaches_the_end_of_a_long_graph_and_nothing_beside_it() {
    let mut long = build(2);
    long.ordering = Ordering::Graph;
    long.components = (0..300)
        .map(|place: u32| {
            let mut component = component(&format!("p{place:03}"), 2 + place / 2, git('a'));
            component.after.extend(place.checked_sub(2).map(|before| package(&format!("p{before:03}"))));
            component.into()
        })
        .collect();
    let mut source = long.clone();
    source.components[10].source = git('b');
    let rebuilt = rebuilt(&long, &source);
    let even: Vec<String> = (10..300).step_by(2).map(|place| format!("p{place:03}")).collect();
    assert_eq!(names(&rebuilt), even);
}
