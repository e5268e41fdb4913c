//! Who waits for commits.

use super::*;

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_commit_of_this_program_is_told_at_once() {
    let fixture = Fixture::new().await;
    let mut commits = fixture.store.changes();
    commits.mark_unchanged();
    fixture.create("app:1:1:a").await;
    assert!(commits.has_changed().unwrap());
}

#[tokio::test]
async fn a_commit_of_another_program_is_told_soon() {
    let fixture = Fixture::new().await;
    let other = fixture.another().await;
    for name in ["a", "b"] {
        let mut commits = fixture.store.changes();
        tokio::time::timeout(LONG, commits.changed()).await.unwrap().unwrap();
        other.create(new_build(&format!("{name}:1:1:a")).into()).await.unwrap();
        tokio::time::timeout(LONG, commits.changed()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn who_waits_for_a_store_that_is_dropped_is_told_so() {
    let Fixture { store, .. } = Fixture::new().await;
    let mut commits = store.changes();
    let clone = store.clone();
    drop(store);
    clone.now().await.unwrap();
    drop(clone);
    let end = async { while commits.changed().await.is_ok() {} };
    tokio::time::timeout(LONG, end).await.unwrap();
}
