//! Questions about many builds.

use super::*;
use crate::ident::Nsvc;
use crate::memory::samples::id;
use crate::model::{Failure, NewBuild};
use crate::store::{Catalogue, Filter, Page, ReuseQuestion};

const ALL: Page = Page { before: None, limit: 100 };

fn listed(bench: &Bench, filter: &Filter, page: Page) -> Vec<i64> {
    let builds = now_or_panic(bench.store.list(filter, page)).unwrap();
    builds.into_iter().map(|build| build.id.0).collect()
}

/// Takes a build to `ready`, done at a time.
fn finish(bench: &Bench, build: BuildId, when: i64) {
    bench
        .look(build, |b| {
            for state in [State::Wait, State::Build, State::Done, State::Ready] {
                enter(b, state, when);
            }
        })
        .unwrap();
}

#[test]
fn builds_are_listed_newest_first_page_by_page() {
    let bench = Bench::new();
    for nsvc in ["a:1:1:a", "a:2:1:a", "b:1:1:a"] {
        bench.create(nsvc);
    }
    assert_eq!(listed(&bench, &Filter::default(), ALL), [3, 2, 1]);
    assert_eq!(listed(&bench, &Filter::default(), Page { limit: 2, ..ALL }), [3, 2]);
    assert_eq!(listed(&bench, &Filter::default(), Page { before: Some(BuildId(2)), limit: 2 }), [1]);
}

#[test]
fn everything_that_a_filter_says_must_hold() {
    let bench = Bench::new();
    let ready = bench.create_asleep("a:1:1:a");
    finish(&bench, ready, 1);
    for nsvc in ["a:2:1:a", "b:1:1:a"] {
        bench.create(nsvc);
    }
    let name = Filter { name: Some(id("a")), ..Filter::default() };
    assert_eq!(listed(&bench, &name, ALL), [2, 1]);
    let state = Filter { states: vec![State::Ready, State::Done], ..name.clone() };
    assert_eq!(listed(&bench, &state, ALL), [1]);
    assert_eq!(listed(&bench, &Filter { stream: Some(id("2")), ..name }, ALL), [2]);
    assert_eq!(listed(&bench, &Filter { owner: Some("john".into()), ..Filter::default() }, ALL), NOBODY);
}

#[test]
fn known_builds_are_found_by_identity() {
    let bench = Bench::new();
    bench.create("a:1:1:a");
    let asked: [Nsvc; 2] = [id("a:1:1:a"), id("a:1:1:b")];
    let found = now_or_panic(bench.store.find(&asked)).unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(id("a:1:1:a"), BuildId(1))]);
}

#[test]
fn the_builds_of_a_stream_come_newest_first_and_in_the_states_asked() {
    let bench = Bench::new();
    for nsvc in ["a:1:1:a", "a:1:2:a", "a:2:1:a", "a:1:3:a"] {
        let build = bench.create_asleep(nsvc);
        if nsvc != "a:1:2:a" {
            finish(&bench, build, 1);
        }
    }
    let ask = |states: &[State]| {
        let builds = now_or_panic(bench.store.of_stream(&id("a:1"), states)).unwrap();
        builds.iter().map(|build| build.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ask(&[State::Ready]), [4, 1]);
    assert_eq!(ask(&[State::Ready, State::Init]), [4, 2, 1]);
    assert_eq!(ask(&[]), NOBODY);
}

#[test]
fn reuse_candidates_are_others_of_the_stream_newest_completed_first() {
    let bench = Bench::new();
    let [old, new] = ["a:1:1:a", "a:1:2:a"].map(|nsvc| bench.create_asleep(nsvc));
    finish(&bench, old, 90);
    finish(&bench, new, 80);
    let failed = bench.create_asleep("a:1:3:a");
    bench.look(failed, |b| b.life.fail("x".into(), Failure::User, at(85)).unwrap()).unwrap();
    let scratch = NewBuild { scratch: true, ..new_build("a:1:4:a") };
    now_or_panic(bench.store.create(scratch.into())).unwrap();
    let other = bench.create("b:1:1:a");
    let ask = |question: &ReuseQuestion| {
        let builds = now_or_panic(bench.store.reuse_candidates(question)).unwrap();
        builds.iter().map(|build| build.id.0).collect::<Vec<_>>()
    };
    let states = vec![State::Ready, State::Failed, State::Init];
    let question = ReuseQuestion { build: new, module: id("a:1"), states, exactly: None };
    assert_eq!(ask(&question), [old.0, failed.0]);
    assert_eq!(ask(&ReuseQuestion { build: BuildId(99), ..question.clone() }), [old.0, failed.0, new.0]);
    assert_eq!(ask(&ReuseQuestion { exactly: Some(other), ..question.clone() }), [other.0]);
    assert_eq!(ask(&ReuseQuestion { exactly: Some(BuildId(99)), ..question }), NOBODY);
}

#[test]
fn scratch_builds_are_counted_by_the_beginning_of_their_context() {
    let bench = Bench::new();
    for (nsvc, scratch) in
        [("a:1:1:c0_1", true), ("a:1:1:c0_2", true), ("a:1:1:c0", false), ("a:1:2:c0_1", true)]
    {
        now_or_panic(bench.store.create(NewBuild { scratch, ..new_build(nsvc) }.into())).unwrap();
    }
    let count = |nsvc: &str| now_or_panic(bench.store.scratch_count(&id(nsvc))).unwrap();
    assert_eq!((count("a:1:1:c0"), count("a:1:1:c1"), count("a:1:2:c0"), count("b:1:1:c0")), (2, 0, 1, 0));
}

#[test]
fn of_an_unknown_build_there_is_no_trace_log_or_audit() {
    let bench = Bench::new();
    assert_eq!(now_or_panic(bench.store.trace(BuildId(1))), Ok(vec![]));
    assert_eq!(now_or_panic(bench.store.log(BuildId(1))), Ok(vec![]));
    assert_eq!(now_or_panic(bench.store.audit(BuildId(1))), Ok(vec![]));
}
