//! Hostile texts: kept exactly where they are content, refused where rows are told apart by them.

use mbs_core::model::{Failure, Line};
use mbs_core::store::{
    Amend, Catalogue as _, Column, Condition, Create, Filter, IdempotencyKey, Order, Outbox as _, Page, Sink,
    Upkeep as _, Value,
};

use super::*;

fn hostile() -> Vec<String> {
    let long = "é\u{0}'\"\\".repeat(150_000);
    ["a\u{0}b", "\u{0}", "'; DROP TABLE module_builds; --", "\u{feff}\u{10ffff}\u{202e}\r\n\t", "%_?1", ""]
        .map(str::to_owned)
        .into_iter()
        .chain([long])
        .collect()
}

fn is_rejected<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Rejected { .. }))
}

#[tokio::test]
async fn every_text_of_a_record_is_kept_exactly_and_found_again() {
    let fixture = Fixture::new().await;
    for (number, text) in hostile().into_iter().enumerate() {
        let mut new = new_build(&format!("app:{number}:1:a"));
        new.owner = text.clone();
        new.scmurl = Some(text.clone());
        new.srpms = [("liba".parse().unwrap(), text.clone())].into();
        let mut document = (*new.document).clone();
        document.description = text.clone();
        if document.check_storable().is_ok() {
            new.document = Arc::new(document);
        }
        let submitted = new.clone();
        let created =
            fixture.store.create(Create { notes: vec![text.clone().into()], ..new.into() }).await.unwrap();
        let id = created.builds[0].id;
        let lease = fixture.claim().await;
        let change = |build: &mut ModuleBuild| {
            build.life.fail(text.clone(), Failure::User, start()).unwrap();
            let mut component = component("liba");
            component.reason = Some(text.clone());
            component.source = ComponentSource::Srpm(text.clone());
            build.components = vec![component.into()];
            build.line = Some(Line { since: start(), wants: 1 });
        };
        let saved = fixture.try_save(&lease, change).await.unwrap().build;
        let loaded = fixture.another().await.load(id).await.unwrap().build;
        assert_eq!((&loaded, &loaded.new), (&saved, &submitted));
        assert_eq!(fixture.store.log(id).await.unwrap()[0].text, text);
        assert_eq!(fixture.store.trace(id).await.unwrap()[1].reason.as_ref(), Some(&text));
        for column in [Column::Owner, Column::ScmUrl, Column::StateReason] {
            let columns = vec![Condition::AnyOf(column, vec![Value::Text(text.clone())])];
            let filter = Filter { columns, ..Filter::default() };
            let found = fixture.store.list(&filter, &Order::default(), Page::first(9)).await.unwrap();
            assert_eq!(found.iter().map(|build| build.id).collect::<Vec<_>>(), [id], "{column:?}");
        }
        fixture.release(&lease).await;
    }
}

#[tokio::test]
async fn the_columns_of_components_hold_what_records_say() {
    let fixture = Fixture::new().await;
    let id = fixture.create("app:1:1:a").await;
    let lease = fixture.claim().await;
    let mut wanted = Vec::new();
    let components = hostile().into_iter().enumerate().map(|(number, text)| {
        wanted.push(text.clone());
        ComponentBuild { reason: Some(text), ..component(&format!("c{number}")) }.into()
    });
    let components = components.collect();
    fixture.try_save(&lease, |build| build.components = components).await.unwrap();
    let kept =
        sqlx::query_scalar("SELECT state_reason FROM components WHERE build_id = ?1 ORDER BY position");
    let kept: Vec<String> = kept.bind(id.0).fetch_all(&fixture.store.readers).await.unwrap();
    assert_eq!(kept, wanted);
}

#[tokio::test]
async fn what_people_say_is_kept_exactly() {
    let fixture = Fixture::new().await;
    let id = fixture.create("app:1:1:a").await;
    for text in hostile() {
        let loaded = fixture.store.load(id).await.unwrap();
        let (by, what) = (text.clone(), text.clone());
        let amend = Amend { now: loaded.build, revision: loaded.revision, by, what };
        fixture.store.amend(amend).await.unwrap();
        let last = fixture.store.audit(id).await.unwrap().pop().unwrap();
        assert_eq!((&last.by, &last.what), (&text, &text));
        fixture.store.change_settings(Default::default(), &text).await.unwrap();
        assert_eq!(fixture.store.settings_audit().await.unwrap().pop().unwrap().by, text);
    }
}

#[tokio::test]
async fn names_of_rows_are_short_and_without_nul() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    for name in ["a\u{0}b".to_owned(), "x".repeat(1_001)] {
        let key = IdempotencyKey { key: name.clone(), content: "\u{0}".into() };
        assert!(is_rejected(&store.created_with(&key).await));
        let create = Create { key: Some(key), ..Create::from(new_build("app:1:1:a")) };
        assert!(is_rejected(&store.create(create).await));
        assert!(is_rejected(&store.claim(&WorkerId(name.clone()), 1).await));
        assert!(is_rejected(&store.void_leases(&WorkerId(name.clone())).await));
        assert!(is_rejected(&store.take(&Sink(name.clone()), 1).await));
        assert!(is_rejected(&store.ack(&Sink(name), &[]).await));
    }
    let key = IdempotencyKey { key: "x".repeat(1_000), content: "a\u{0}b".into() };
    let create = Create { key: Some(key.clone()), ..Create::from(new_build("app:1:1:a")) };
    let created = store.create(create).await.unwrap();
    assert_eq!(store.created_with(&key).await.unwrap(), Some(created));
}

#[tokio::test]
async fn numbers_at_the_ends_do_no_harm() {
    let fixture = Fixture::new().await;
    let id = fixture.create("app:1:18446744073709551615:a").await;
    let lease = fixture.claim().await;
    let change = |build: &mut ModuleBuild| {
        build.batch = Batch(u32::MAX);
        build.repo_task = Some(TaskId(i64::MIN));
        build.line = Some(Line { since: Timestamp::MAX, wants: u32::MAX });
        build.components = vec![running("liba", Some(i64::MAX)).into()];
    };
    let saved = fixture.try_save(&lease, change).await.unwrap().build;
    assert_eq!(fixture.store.load(id).await.unwrap().build, saved);
    let released = fixture.store.release(&lease, Some(Timestamp::MAX), Why::GoingOn, Signal::Quiet);
    released.await.unwrap();
    assert!(fixture.store.next_due().await.unwrap() > Some(start()));
    let beyond = Lease { token: u64::MAX, ..lease };
    assert_eq!(fixture.store.renew(&beyond).await, Err(StoreError::LeaseLost(id)));
    assert!(fixture.store.claim(&WorkerId("w".into()), usize::MAX).await.unwrap().is_empty());
    let page = Page { before: Some(BuildId(i64::MIN)), skip: u64::MAX, limit: usize::MAX };
    assert!(fixture.store.list(&Filter::default(), &Order::default(), page).await.unwrap().is_empty());
}
