//! Texts that want to be SQL, hold NUL, or are very long: stored exactly, or refused with a sentence.

use std::sync::Arc;

use mbs_core::ident::{BuildId, CommitId};
use mbs_core::model::{Failure, ModuleBuild, State, Trouble};
use mbs_core::modulemd::ModuleStream;
use mbs_core::plan::Why;
use mbs_core::store::{
    Amend, BaseFilter, Column, ComponentColumn, ComponentFilter, Condition, Create, Filter, IdempotencyKey,
    Logged, Note, Order, Page, Save, Settings, Signal, Sink, Store, StoreError, Value, WorkerId,
};

use crate::samples::{new_build, running, start};
use crate::servers::{self, InFile};

/// Texts of users and build systems that might do harm.
fn hostile() -> Vec<String> {
    vec![
        "'; DROP TABLE module_builds; --".into(),
        "\" OR 1=1 %_\\ $1 ?1 {} \\u0000".into(),
        "nul \0 inside\0".into(),
        "\u{1}\u{7f}\u{85}\u{feff}\u{fffe}\u{2028}\u{202e}".into(),
        "😀é\u{10ffff}".into(),
        "x".repeat(1 << 20),
        "é\0".repeat(1 << 18),
        String::new(),
    ]
}

async fn save(store: &dyn Store, worker: &str, notes: Vec<Note>, change: impl FnOnce(&mut ModuleBuild)) {
    let claim = store.claim(&WorkerId(worker.into()), 1).await.unwrap().pop().expect("a build is due");
    let loaded = store.load(claim.lease.build).await.unwrap();
    let mut now = loaded.build.clone();
    change(&mut now);
    let (was, revision, lease) = (Arc::new(loaded.build), loaded.revision, claim.lease.clone());
    store.save(Save { was, now, revision, lease, notes, signal: Signal::Quiet }).await.unwrap();
    let why = Why::Contradiction { what: "\0".into() };
    store.release(&claim.lease, None, why, Signal::Quiet).await.unwrap();
}

/// Puts a text wherever one goes, and reads it back.
async fn assert_is_kept(store: &dyn Store, number: usize, text: &str) {
    let mut new = new_build(&format!("app:{number}:1:a"));
    new.owner = text.to_owned();
    new.scmurl = Some(text.to_owned());
    new.contexts.build = text.to_owned();
    new.srpms = [("liba".parse().unwrap(), text.to_owned())].into();
    let described = ModuleStream { description: format!("d {text}"), ..(*new.document).clone() };
    new.document = Arc::new(described);
    let create = Create { notes: vec![text.into()], ..Create::from(new.clone()) };
    let id = store.create(create).await.unwrap().builds[0].id;
    let trouble = Trouble {
        since: start(),
        tries: 1,
        next_try: start(),
        last: text.to_owned(),
        over_when: Default::default(),
    };
    save(store, "w", vec![text.into(), Note::of(&"liba".parse().unwrap(), text.to_owned())], |build| {
        let mut component = running("liba");
        component.reason = Some(text.to_owned());
        build.components = vec![component.into()];
        build.trouble = Some(trouble.clone());
        build.life.fail(text.to_owned(), Failure::Infra, start()).unwrap();
    })
    .await;
    let build = store.load(id).await.unwrap().build;
    assert_eq!(build.new.owner, text);
    assert_eq!(build.new.scmurl.as_deref(), Some(text));
    assert_eq!(build.new.srpms, new.srpms);
    assert_eq!(build.new.contexts, new.contexts);
    assert_eq!(build.document().description, new.document.description);
    assert_eq!(build.life.reason(), Some(text));
    assert_eq!(build.components[0].reason.as_deref(), Some(text));
    assert_eq!(build.trouble, Some(trouble));
    let log = store.log(id).await.unwrap();
    assert_eq!(log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), [text; 3]);
    let liba = build.components[0].id.unwrap();
    assert_eq!(store.log_page(Logged::Component(liba), Page::first(9)).await.unwrap()[0].text, text);
    assert_eq!(store.component_traces(&[liba]).await.unwrap()[&liba][0].reason.as_deref(), Some(text));
    let details = store.details(&[id]).await.unwrap().remove(&id).unwrap();
    assert_eq!((details.contexts, details.trace[1].reason.as_deref()), (new.contexts, Some(text)));
    assert_eq!(store.trace(id).await.unwrap()[1].reason.as_deref(), Some(text));
    assert_eq!(store.explain(id).await.unwrap(), Some(Why::Contradiction { what: "\0".into() }));
    assert_is_found(store, id, text).await;
    assert_is_audited(store, id, text).await;
}

async fn assert_is_found(store: &dyn Store, id: BuildId, text: &str) {
    let value = || vec![Value::Text(text.to_owned())];
    for column in [Column::Owner, Column::ScmUrl, Column::StateReason] {
        let filter = Filter { columns: vec![Condition::AnyOf(column, value())], ..Filter::default() };
        let listed = store.list(&filter, &Order::default(), Page::first(99)).await.unwrap();
        assert!(listed.iter().any(|build| build.id == id), "{column:?}");
        store.count(&filter).await.unwrap();
    }
    for column in Column::ALL {
        let filter =
            Filter { columns: vec![Condition::AtLeast(column, value()[0].clone())], ..Filter::default() };
        store.list(&filter, &Order::default(), Page::first(9)).await.unwrap();
    }
    let reason = ComponentFilter { columns: vec![Condition::AnyOf(ComponentColumn::StateReason, value())] };
    assert_eq!(store.count_components(&reason).await.unwrap(), 1);
    let some = || Some(text.to_owned());
    let base = BaseFilter {
        name: some(),
        stream: some(),
        version: some(),
        context: some(),
        ..BaseFilter::default()
    };
    let filter = Filter { base, virtual_streams: vec![text.to_owned()], ..Filter::default() };
    assert_eq!(store.count(&filter).await.unwrap(), 0);
}

async fn assert_is_audited(store: &dyn Store, id: BuildId, text: &str) {
    let loaded = store.load(id).await.unwrap();
    let (by, what) = (text.to_owned(), text.to_owned());
    store.amend(Amend { now: loaded.build, revision: loaded.revision, by, what }).await.unwrap();
    let audit = store.audit(id).await.unwrap();
    assert_eq!(audit.iter().map(|entry| (&*entry.by, &*entry.what)).collect::<Vec<_>>(), [(text, text)]);
    store.change_settings(Settings::default(), text).await.unwrap();
    assert_eq!(
        store.settings_audit().await.unwrap().last().map(|entry| entry.by.clone()),
        Some(text.to_owned())
    );
    // The amended build is due; it sleeps again.
    let claims = store.claim(&WorkerId("w".into()), 9).await.unwrap();
    for claim in claims {
        store.release(&claim.lease, None, Why::Finished, Signal::Quiet).await.unwrap();
    }
}

/// Names that rows are told apart by are kept exactly, or refused; the store serves on.
async fn assert_names_are_told_apart(store: &dyn Store) {
    for (number, name) in hostile().into_iter().enumerate() {
        let key = IdempotencyKey { key: name.clone(), content: name.clone() };
        let create = Create { key: Some(key.clone()), ..new_build(&format!("named:{number}:1:a")).into() };
        match store.create(create).await {
            Ok(created) => assert_eq!(store.created_with(&key).await.unwrap(), Some(created)),
            Err(refused) => assert!(matches!(refused, StoreError::Rejected { .. }), "{refused}"),
        }
        let sink = Sink(name.clone());
        match store.take(&sink, 1).await {
            Ok(events) => store.ack(&sink, &[events[0].number]).await.unwrap(),
            Err(refused) => assert!(matches!(refused, StoreError::Rejected { .. }), "{refused}"),
        }
        match store.claim(&WorkerId(name), 1).await {
            Ok(claims) => store.renew(&claims[0].lease).await.unwrap(),
            Err(refused) => assert!(matches!(refused, StoreError::Rejected { .. }), "{refused}"),
        }
    }
}

async fn assert_absurd_pages_are_fine(store: &dyn Store) {
    for (skip, limit) in [(u64::MAX, usize::MAX), (0, usize::MAX), (u64::MAX, 0), (i64::MAX as u64, 1)] {
        for before in [None, Some(BuildId(i64::MAX)), Some(BuildId(i64::MIN))] {
            let listed = store
                .list(&Filter::default(), &Order::default(), Page { before, skip, limit })
                .await
                .unwrap();
            assert!(listed.len() <= mbs_core::store::MOST_LISTED);
        }
    }
    assert!(matches!(store.load(BuildId(i64::MIN)).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.trace(BuildId(i64::MAX)).await.unwrap(), []);
    assert!(store.claim(&WorkerId("w".into()), usize::MAX).await.is_ok());
    assert!(CommitId::new("x").is_err(), "what is no commit never comes here");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_kept_exactly_or_refused_on_postgresql() {
    let (store, _database) = servers::postgres().await;
    assert_nothing_does_harm(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_kept_exactly_or_refused_by_sqlite() {
    assert_nothing_does_harm(&InFile::new().await.store).await;
}

async fn assert_nothing_does_harm(store: &dyn Store) {
    for (number, text) in hostile().iter().enumerate() {
        assert_is_kept(store, number, text).await;
    }
    assert_names_are_told_apart(store).await;
    assert_absurd_pages_are_fine(store).await;
    let listed = store_len(store).await;
    assert!(listed >= hostile().len() as u64, "no table was dropped: {listed}");
}

async fn store_len(store: &dyn Store) -> u64 {
    let states = State::ALL.map(|state| Value::Number(state.number().into())).to_vec();
    let filter = Filter { columns: vec![Condition::AnyOf(Column::State, states)], ..Filter::default() };
    store.count(&filter).await.unwrap()
}
