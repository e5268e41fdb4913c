//! Many at once on one PostgreSQL: claims, the limit, submissions, callers that vanish, a server that comes and goes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use mbs_core::bus::Hint;
use mbs_core::ident::BuildId;
use mbs_core::model::{AttemptEnd, Line, ModuleBuild, State};
use mbs_core::plan::Why;
use mbs_core::policy::Policy;
use mbs_core::store::{
    Builds as _, Claim, Create, IdempotencyKey, Outbox as _, Save, Saved, Settings, Signal, Sink, StoreError,
    Upkeep as _, Work as _, WorkerId,
};
use mbs_store_postgres::PostgresStore;
use mbs_store_postgres::cluster::Cluster;
use sqlx::{Connection as _, Executor as _};

use crate::samples::{new_build, running, start};
use crate::servers;

async fn create(store: &PostgresStore, nsvc: &str) -> BuildId {
    store.create(new_build(nsvc).into()).await.unwrap().builds[0].id
}

async fn claim(store: &PostgresStore, n: usize) -> Vec<Claim> {
    store.claim(&WorkerId("w".into()), n).await.unwrap()
}

async fn draft(store: &PostgresStore, claim: &Claim, change: impl FnOnce(&mut ModuleBuild)) -> Save {
    let loaded = store.load(claim.lease.build).await.unwrap();
    let mut now = loaded.build.clone();
    change(&mut now);
    let (was, revision, lease) = (Arc::new(loaded.build), loaded.revision, claim.lease.clone());
    Save { was, now, revision, lease, notes: Vec::new(), signal: Signal::Quiet }
}

fn take_slot(build: &mut ModuleBuild) {
    let package = format!("c{}", build.components.len());
    build.components.push(running(&package).into());
}

fn free_slots(build: &mut ModuleBuild) {
    for attempt in build.components.iter_mut().filter_map(|component| component.live_attempt_mut()) {
        attempt.end = Some(AttemptEnd::Lost);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_workers_claim_the_same_build() {
    let (store, _database) = servers::postgres().await;
    let new = (0..300).map(|number| new_build(&format!("app:{number}:1:a"))).collect();
    store.create(Create { new, ..Create::default() }).await.unwrap();
    let workers = (0..8).map(|worker| {
        let store = store.clone();
        tokio::spawn(async move {
            let (name, mut claimed) = (WorkerId(format!("w{worker}")), Vec::new());
            loop {
                let claims = store.claim(&name, 7).await.unwrap();
                if claims.is_empty() {
                    return claimed;
                }
                claimed.extend(claims.into_iter().map(|claim| (claim.lease.build, claim.lease.token)));
            }
        })
    });
    let claimed: Vec<_> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let builds: BTreeSet<_> = claimed.iter().map(|(build, _)| *build).collect();
    let tokens: BTreeSet<_> = claimed.iter().map(|(_, token)| *token).collect();
    assert_eq!((claimed.len(), builds.len(), tokens.len()), (300, 300, 300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_race_exceeds_the_limit_and_none_wastes_it() {
    let (_, database) = servers::postgres().await;
    // Whatever somebody has set for all who use the database.
    let set = "DO $$ BEGIN EXECUTE format(
        'ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$";
    database.connect().await.unwrap().execute(set).await.unwrap();
    let store = PostgresStore::connect(&database.url, &Policy::default()).await.unwrap();
    store.change_settings(Settings { limit: Some(7), ..Settings::default() }, "op").await.unwrap();
    let new = (0..40).map(|number| new_build(&format!("app:{number}:1:a"))).collect();
    store.create(Create { new, ..Create::default() }).await.unwrap();
    let mut drafts = Vec::new();
    for claim in claim(&store, 40).await {
        drafts.push(draft(&store, &claim, take_slot).await);
    }
    let saves = drafts.into_iter().map(|draft| {
        let store = store.clone();
        tokio::spawn(async move { store.save(draft).await })
    });
    let (mut taken, mut refused) = (0, 0);
    for saved in join_all(saves).await {
        match saved.unwrap() {
            Ok(Saved { slots, .. }) => {
                assert!(slots.in_use <= 7, "{slots:?}");
                taken += 1;
            }
            Err(StoreError::NoSlot { limit: 7, in_use: 7 }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((taken, refused), (7, 33));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_saves_that_raise_the_slots_held_wait_for_each_other() {
    let (store, database) = servers::postgres().await;
    store.change_settings(Settings { limit: Some(7), ..Settings::default() }, "op").await.unwrap();
    for nsvc in ["a:1:1:a", "b:1:1:a", "c:1:1:a"] {
        create(&store, nsvc).await;
    }
    let claims = claim(&store, 3).await;
    let holder = draft(&store, &claims[0], take_slot).await;
    store.save(holder).await.unwrap();
    let mut other = database.connect().await.unwrap();
    let mut lock = other.begin().await.unwrap();
    lock.execute("SELECT FROM settings FOR UPDATE").await.unwrap();
    let lowering = draft(&store, &claims[0], free_slots).await;
    assert_eq!(store.save(lowering).await.unwrap().slots.in_use, 0);
    let plain = draft(&store, &claims[1], |build| build.batch.0 = 1).await;
    store.save(plain).await.unwrap();
    let mut raising = std::pin::pin!(store.save(draft(&store, &claims[2], take_slot).await));
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut raising).await;
    assert!(waited.is_err(), "it waits for whoever holds the settings");
    lock.rollback().await.unwrap();
    assert_eq!(raising.await.unwrap().slots.in_use, 1);
}

/// A slot that one save frees while another enters the line unseen is not lost: whoever looks after its commit sees both.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slot_that_is_freed_while_somebody_enters_the_line_wakes_it() {
    for round in 0..40 {
        let (store, _database) = servers::postgres().await;
        store.change_settings(Settings { limit: Some(1), ..Settings::default() }, "op").await.unwrap();
        let (holder, waiter) = (create(&store, "a:1:1:a").await, create(&store, "b:1:1:a").await);
        let claims = claim(&store, 2).await;
        let taken = draft(&store, &claims[0], take_slot).await;
        store.save(taken).await.unwrap();
        let free = draft(&store, &claims[0], free_slots).await;
        let wait = |build: &mut ModuleBuild| build.line = Some(Line { since: start(), wants: 1 });
        let wait = draft(&store, &claims[1], wait).await;
        let (one, two) = (store.clone(), store.clone());
        let freeing = tokio::spawn(async move { one.save(free).await.unwrap() });
        let waiting = tokio::spawn(async move { two.save(wait).await.unwrap() });
        freeing.await.unwrap();
        let seen = waiting.await.unwrap().slots;
        store.release(&claims[1].lease, None, Why::GoingOn, Signal::Quiet).await.unwrap();
        let is_due =
            store.next_due().await.unwrap().is_some_and(|due| due <= start() + Duration::from_secs(1));
        assert!(
            seen.in_use == 0 || is_due,
            "round {round}: {waiter} sleeps though {holder} freed its slot: {seen:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_submission_at_the_same_time_gives_the_same_builds() {
    let (store, _database) = servers::postgres().await;
    let key = IdempotencyKey { key: "k".into(), content: "c".into() };
    let keyed = || Create { key: Some(key.clone()), ..new_build("app:1:1:a").into() };
    let all = join_all((0..10).map(|_| store.create(keyed()))).await;
    let ids: BTreeSet<BuildId> = all.into_iter().map(|created| created.unwrap().builds[0].id).collect();
    assert_eq!(ids.len(), 1);
    let contexts = ["a", "b", "c", "d", "e", "f"];
    let siblings = contexts.map(|context| store.create(new_build(&format!("lib:1:1:{context}")).into()));
    let siblings = join_all(siblings).await.into_iter().map(|created| created.unwrap().builds[0].clone());
    let siblings: Vec<_> = siblings.collect();
    let first = siblings.iter().map(|build| build.id).min().unwrap();
    assert!(siblings.iter().all(|build| build.dist_index == first), "{first}");
    let twice = join_all((0..5).map(|_| store.create(new_build("twin:1:1:a").into()))).await;
    assert_eq!(twice.iter().filter(|created| created.is_ok()).count(), 1);
    assert!(
        twice.iter().flat_map(|created| created.as_ref().err()).all(|e| matches!(e, StoreError::Taken(_)))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_have_one_order_whoever_numbers_them() {
    let (store, _database) = servers::postgres().await;
    let makers = (0..4).map(|maker| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..20 {
                create(&store, &format!("m{maker}:{number}:1:a")).await;
            }
        })
    });
    let sink = Sink("stream".into());
    let readers = (0..3).map(|_| {
        let (store, sink) = (store.clone(), sink.clone());
        tokio::spawn(async move {
            let mut highest = 0;
            for _ in 0..40 {
                let events = store.take(&sink, 1000).await.unwrap();
                let numbers: Vec<u64> = events.iter().map(|event| event.number.0).collect();
                let expected: Vec<u64> = (1..).take(numbers.len()).collect();
                assert_eq!(numbers, expected, "up to the highest number nothing appears later");
                assert!(numbers.len() >= highest);
                highest = numbers.len();
            }
        })
    });
    let (made, read) = tokio::join!(join_all(makers), join_all(readers));
    made.into_iter().chain(read).for_each(|done| done.unwrap());
    assert_eq!(store.take(&sink, 1000).await.unwrap().len(), 80);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_dropped_half_way_leave_no_connection_and_no_half_behind() {
    let (store, _database) = servers::postgres().await;
    let build = create(&store, "app:1:1:a").await;
    let claims = claim(&store, 1).await;
    for polls in 0..60 {
        let draft = draft(&store, &claims[0], take_slot).await;
        let (revision, components) = (draft.revision.0, draft.was.components.len());
        let mut saving = Box::pin(store.save(draft));
        for _ in 0..polls {
            if saving.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(saving);
        // What had been sent may be committed yet; the next look at the row waits for it.
        let woken = store.wake(&[Hint::Build(build)]).await.unwrap();
        let loaded = store.load(build).await.unwrap();
        let saved = usize::from(loaded.revision.0 > revision);
        assert_eq!((woken, loaded.build.components.len()), (1, components + saved), "after {polls} polls");
    }
    let all = join_all((0..50).map(|_| store.load(build))).await;
    assert!(all.iter().all(Result::is_ok), "every connection is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_loses_against_others_is_tried_again_and_what_hangs_is_transient() {
    let (store, database) = servers::postgres().await;
    let build = create(&store, "app:1:1:a").await;
    let mut behind = database.connect().await.unwrap();
    for (code, failures, is_fine) in
        [("40P01", 2, true), ("40001", 4, true), ("40001", 5, false), ("57014", 1, false)]
    {
        let fails = format!(
            "CREATE SEQUENCE failures; CREATE OR REPLACE FUNCTION store_now() RETURNS timestamptz LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('failures') <= {failures} THEN RAISE EXCEPTION 'lost' USING ERRCODE = '{code}'; END IF;
                 RETURN (SELECT at FROM test_clock);
             END $$"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(fails)).execute(&mut behind).await.unwrap();
        let now = store.now().await;
        assert_eq!(now.is_ok(), is_fine, "{code} {failures} times: {now:?}");
        assert!(now.err().is_none_or(|error| error.is_transient()));
        behind.execute("DROP SEQUENCE failures CASCADE").await.unwrap();
        let well = "CREATE OR REPLACE FUNCTION store_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT at FROM test_clock'";
        behind.execute(well).await.unwrap();
    }
    store.load(build).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_used_again_and_news_are_heard_after_it() {
    let cluster = Cluster::start().await.unwrap();
    let database = cluster.database(None).await.unwrap();
    let store = PostgresStore::connect(&database.url, &Policy::default()).await.unwrap();
    let wakes = store.wakes();
    let mut news = wakes.news();
    let build = create(&store, "app:1:1:a").await;
    news.changed().await.unwrap();
    let (restarted, asked) = tokio::join!(cluster.restart(), async {
        let mut transient = 0;
        loop {
            match store.load(build).await {
                Ok(loaded) if transient > 0 => return loaded.build.state(),
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => {
                    assert!(error.is_transient(), "{error}");
                    transient += 1;
                }
            }
        }
    });
    restarted.unwrap();
    assert_eq!(asked, State::Init);
    // The listener is back at some time; what it missed it tells.
    news.mark_unchanged();
    tokio::time::timeout(Duration::from_secs(30), news.changed()).await.expect("it listens again").unwrap();
}
