//! What is wrong in a file is an error that says where, never a panic.

use mbs_core::model::Failure;
use mbs_core::store::{Catalogue as _, Filter, Order, Page, Upkeep as _};

use super::*;

async fn damaged(statement: &'static str) -> (Fixture, BuildId) {
    let fixture = Fixture::new().await;
    let id = fixture.create("app:1:1:a").await;
    let lease = fixture.claim().await;
    fixture.try_save(&lease, |build| build.components = vec![running("liba", None).into()]).await.unwrap();
    fixture.release(&lease).await;
    sqlx::query(statement).execute(&fixture.store.writer).await.unwrap();
    (fixture, id)
}

fn said<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome.unwrap_err() {
        StoreError::Rejected { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    for (statement, wanted) in [
        ("UPDATE module_builds SET record = '{'", "the stored record of module build 1 cannot be read: "),
        ("UPDATE components SET record = '[]'", "the stored component of module build 1 cannot be read: "),
        ("UPDATE attempts SET record = 'null'", "the stored attempt of module build 1 cannot be read: "),
        (
            "UPDATE documents SET digest = 'other', text = 'x: ['",
            "the stored document of module build 1 cannot be read: ",
        ),
        ("DELETE FROM documents", "the stored document of module build 1 is missing"),
        ("UPDATE settings SET throttle = 'x'", "the stored lowering of the limit cannot be read: "),
        ("UPDATE slots SET priority = 1, turn = 9e18, wants = 1", "a place in line cannot be read: "),
    ] {
        let (fixture, id) = damaged(statement).await;
        let said = said(fixture.store.load(id).await);
        assert!(said.starts_with(wanted), "{statement}: {said}");
    }
}

#[tokio::test]
async fn lists_and_logs_name_it_too() {
    let (fixture, _) = damaged("UPDATE documents SET buildrequires = ''").await;
    let list = fixture.store.list(&Filter::default(), &Order::default(), Page::first(9)).await;
    assert!(said(list).starts_with("the stored document of module build 1 cannot be read: "));
    let (fixture, id) = damaged("UPDATE log_lines SET record = CAST(x'ff' AS TEXT)").await;
    assert!(said(fixture.store.log(id).await).contains("cannot be read"));
    let (fixture, _) = damaged("UPDATE settings SET record = '7'").await;
    assert!(said(fixture.store.settings().await).starts_with("the stored settings cannot be read: "));
}

#[tokio::test]
async fn a_build_that_cannot_be_read_does_not_keep_others_from_going_on() {
    let (fixture, _) = damaged("UPDATE module_builds SET record = '{'").await;
    fixture.create("app:1:1:b").await;
    let lease = fixture.claim().await;
    fixture.try_save(&lease, |_| {}).await.unwrap();
}

#[tokio::test]
async fn without_space_nothing_is_written_and_afterwards_all_goes_on() {
    let fixture = Fixture::new().await;
    fixture.create("app:1:1:a").await;
    let lease = fixture.claim().await;
    let fill =
        |build: &mut ModuleBuild| build.life.fail("x".repeat(1 << 20), Failure::User, start()).unwrap();
    let save = fixture.draft(&lease, fill).await;
    sqlx::query("PRAGMA max_page_count = 1").execute(&fixture.store.writer).await.unwrap();
    match fixture.store.save(save.clone()).await {
        Err(StoreError::Unavailable { reason }) => assert!(reason.contains("no space left"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(fixture.store.load(lease.build).await.unwrap().build, *save.was);
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&fixture.store.writer).await.unwrap();
    fixture.store.save(save).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_closed_is_not_available() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    assert!(fixture.store.load(BuildId(1)).await.unwrap_err().is_transient());
    assert!(fixture.store.create(new_build("app:1:1:a").into()).await.unwrap_err().is_transient());
}
