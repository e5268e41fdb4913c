//! Creating, loading, saving, amending.

use super::*;
use crate::memory::samples::id;
use crate::store::Created;

fn create(bench: &Bench, create: Create) -> Result<Created, StoreError> {
    now_or_panic(bench.store.create(create))
}

#[test]
fn a_submission_that_is_refused_uses_up_no_id_and_is_no_change() {
    let bench = Bench::new();
    bench.create("app:1:1:b");
    let both = Create { new: vec![new_build("app:1:1:a"), new_build("app:1:1:b")], ..Create::default() };
    let generation = bench.store.generation();
    assert_eq!(create(&bench, both), Err(StoreError::Taken(id("app:1:1:b"))));
    assert_eq!(bench.store.generation(), generation);
    assert_eq!(bench.create("app:1:1:a"), BuildId(2), "no id was used up");
}

#[test]
fn a_submission_that_names_no_build_is_refused() {
    let bench = Bench::new();
    assert!(matches!(create(&bench, Create::default()), Err(StoreError::Rejected { .. })));
}

#[test]
fn a_record_of_another_build_is_refused() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    let is_refused = |change: fn(&mut ModuleBuild)| {
        let outcome = bench.save(&lease, change);
        matches!(outcome, Err(StoreError::Rejected { .. }))
    };
    assert!(is_refused(|b| b.dist_index = BuildId(9)));
    assert!(is_refused(|b| b.id = BuildId(9)));
    assert!(!is_refused(|b| enter(b, State::Wait, 1)));
}

#[test]
fn a_save_of_a_record_that_was_not_loaded_is_refused() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    let mut save = bench.draft(&lease, |b| enter(b, State::Wait, 1));
    Arc::make_mut(&mut save.was).arches.push("x86_64".parse().unwrap());
    assert!(matches!(now_or_panic(bench.store.save(save)), Err(StoreError::Rejected { .. })));
}
