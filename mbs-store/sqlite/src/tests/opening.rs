//! Opening files, and bringing schemas up.

use std::fs;

use mbs_core::model::Failure;
use mbs_core::store::{Amend, Catalogue as _, Outbox as _, Sink, Tokens as _, Upkeep as _};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

use crate::{OpenError, SCHEMA, Upgraded, open, upgrade};

use super::*;

/// The migrations, each with the rows that a service had at that schema.
const STEPS: [[&str; 2]; 7] = [
    [include_str!("../../migrations/0001_records.sql"), include_str!("../../migrations/samples/0001.sql")],
    [include_str!("../../migrations/0002_work.sql"), include_str!("../../migrations/samples/0002.sql")],
    [include_str!("../../migrations/0003_lists.sql"), include_str!("../../migrations/samples/0003.sql")],
    [include_str!("../../migrations/0004_history.sql"), include_str!("../../migrations/samples/0004.sql")],
    [include_str!("../../migrations/0005_figures.sql"), include_str!("../../migrations/samples/0005.sql")],
    [include_str!("../../migrations/0006_seats.sql"), include_str!("../../migrations/samples/0006.sql")],
    [include_str!("../../migrations/0007_tokens.sql"), include_str!("../../migrations/samples/0007.sql")],
];

async fn connect(path: &Path) -> SqliteConnection {
    open::existing(path).create_if_missing(true).connect().await.unwrap()
}

/// Makes a file with the schema and rows of an earlier version.
async fn make(path: &Path, schema: i64) {
    let mut connection = connect(path).await;
    for (step, version) in STEPS.iter().zip(1..=schema) {
        open::MIGRATIONS.run_direct(Some(version), &mut connection, false).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(step[1])).await.unwrap();
    }
    connection.close().await.unwrap();
}

async fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, &Policy::default()).await
}

fn file(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("mbs.db")
}

#[test]
fn the_last_migration_makes_the_schema_of_this_program() {
    let versions: Vec<i64> = open::MIGRATIONS.iter().map(|migration| migration.version).collect();
    assert_eq!(versions, (1..=SCHEMA).collect::<Vec<_>>());
    let written: Vec<&str> = open::MIGRATIONS.iter().map(|migration| migration.sql.as_str()).collect();
    assert_eq!(written, STEPS.map(|step| step[0]));
}

#[tokio::test]
async fn a_file_is_made_with_all_that_it_needs() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&file(&directory)).await.unwrap();
    store.create(new_build("app:1:1:a").into()).await.unwrap();
    store.close().await;
    let store = open(&file(&directory)).await.unwrap();
    assert_eq!(claim(&store, "w").await.len(), 1);
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.writer).await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.writer).await.unwrap();
    assert_eq!((&*mode, synchronous), ("wal", 2));
    fs::write(directory.path().join("empty.db"), "").unwrap();
    open(&directory.path().join("empty.db")).await.unwrap();
}

#[tokio::test]
async fn a_file_is_made_only_where_it_may_be() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { create: false, ..Options::default() };
    let outcome = SqliteStore::open_with(file(&directory), &Policy::default(), options).await;
    assert!(matches!(outcome, Err(OpenError::Machine { .. })));
    assert!(!file(&directory).exists());
    let outcome = open(&directory.path().join("none/mbs.db")).await;
    assert!(matches!(outcome, Err(OpenError::Machine { .. })));
    assert!(matches!(open(directory.path()).await, Err(OpenError::Machine { .. })));
}

#[tokio::test]
async fn from_each_earlier_schema_every_build_is_there_afterwards() {
    for schema in 0..=SCHEMA {
        let directory = tempfile::tempdir().unwrap();
        make(&file(&directory), schema).await;
        if (1..SCHEMA).contains(&schema) {
            let said = open(&file(&directory)).await.unwrap_err().to_string();
            let wanted = format!(
                "database schema is at {schema}, this program needs {SCHEMA}: run mbs-manager upgradedb"
            );
            assert_eq!(said, wanted);
        }
        let upgraded = upgrade(file(&directory)).await.unwrap();
        assert_eq!(upgraded, Upgraded { from: schema, to: SCHEMA });
        let store = open(&file(&directory)).await.unwrap();
        goes_on(&store, schema).await;
    }
}

/// Up to this schema each sample has a build of its own.
const WITH_BUILDS: i64 = 5;

/// Checks that what the samples of a schema have is read, and that its builds are claimed and changed.
async fn goes_on(store: &SqliteStore, schema: i64) {
    let builds = schema.min(WITH_BUILDS);
    let ids: Vec<BuildId> = (1..=builds).map(BuildId).collect();
    assert_eq!(store.documents(&ids).await.unwrap().len(), ids.len());
    for id in &ids {
        let loaded = store.load(*id).await.unwrap();
        assert_eq!(loaded.build.id, *id);
        assert_eq!(loaded.build.components.len(), 2);
        assert_eq!(i64::from(loaded.slots.in_use), builds);
        assert!(!store.trace(*id).await.unwrap().is_empty());
        assert_eq!(store.log(*id).await.unwrap().len(), 1);
        let amend =
            Amend { now: loaded.build, revision: loaded.revision, by: "anna".into(), what: "x".into() };
        store.amend(amend).await.unwrap();
    }
    store.take(&Sink("bus".into()), 9).await.unwrap();
    let figures = store.figures().await.unwrap();
    assert_eq!(figures.oldest_unfinished.is_some(), builds > 0);
    let [seeded, counted] = [builds >= 4, builds >= 5].map(u64::from);
    assert_eq!((figures.failed[&Failure::Unspec], figures.failed[&Failure::Infra]), (seeded, 2 * counted));
    let uses: Vec<u64> = store.tokens().await.unwrap().iter().map(|token| token.uses).collect();
    assert_eq!(uses, if schema >= 7 { vec![3] } else { vec![] });
    assert_eq!(store.claim(&WorkerId("w".into()), 9).await.unwrap().len(), ids.len());
    let created = store.create(new_build("new:1:1:a").into()).await.unwrap();
    assert_eq!(created.builds[0].id, BuildId(builds + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_programs_that_upgrade_or_make_a_file_at_once_one_does_it() {
    for schema in [0, 1] {
        let directory = tempfile::tempdir().unwrap();
        if schema > 0 {
            make(&file(&directory), schema).await;
        }
        let programs = [(); 6].map(|()| tokio::spawn(upgrade(file(&directory))));
        let mut did = Vec::new();
        for program in programs {
            let Upgraded { from, to } = program.await.unwrap().unwrap();
            assert_eq!(to, SCHEMA);
            did.extend(Some(from).filter(|from| *from < SCHEMA));
        }
        assert_eq!(did, [schema]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn programs_that_open_a_new_file_at_once_all_get_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory);
    let programs = [(); 6].map(|()| {
        let path = path.clone();
        tokio::spawn(async move { open(&path).await.map(drop) })
    });
    for program in programs {
        program.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_no_store_of_this_program_is_left_as_it_is() {
    let later = SCHEMA + 1;
    let newer = format!("INSERT INTO _sqlx_migrations VALUES ({later}, 'later', 0, true, x'00', 0)");
    let known = format!("its schema is at {later}, this program knows {SCHEMA}");
    let other = "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2";
    for (statement, wanted) in [(&*newer, &*known), (other, "not one of this")] {
        let directory = tempfile::tempdir().unwrap();
        make(&file(&directory), SCHEMA).await;
        let mut connection = connect(&file(&directory)).await;
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
        connection.close().await.unwrap();
        is_refused_and_untouched(&file(&directory), wanted).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut connection = connect(&file(&directory)).await;
    connection.execute("CREATE TABLE recipes (name TEXT)").await.unwrap();
    connection.close().await.unwrap();
    is_refused_and_untouched(&file(&directory), "a database of another program").await;
    for text in ["# Notes\n".repeat(1_000), "x".to_owned()] {
        fs::write(file(&directory), text).unwrap();
        is_refused_and_untouched(&file(&directory), "not an SQLite database").await;
    }
}

#[tokio::test]
async fn a_damaged_file_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    make(&file(&directory), SCHEMA).await;
    let mut bytes = fs::read(file(&directory)).unwrap();
    bytes[100..4096].fill(0xff);
    fs::write(file(&directory), bytes).unwrap();
    is_refused_and_untouched(&file(&directory), "damaged").await;
}

#[tokio::test]
async fn half_a_file_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    make(&file(&directory), SCHEMA).await;
    let bytes = fs::read(file(&directory)).unwrap();
    for length in [bytes.len() / 2, bytes.len() - 1, 4096] {
        fs::write(file(&directory), &bytes[..length]).unwrap();
        is_refused_and_untouched(&file(&directory), "damaged").await;
    }
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&file(&directory)).await.unwrap();
    let _news = store.changes();
    store.change_settings(mbs_core::store::Settings::default(), "anna").await.unwrap();
    store.close().await;
    let beside = file(&directory).with_extension("db-wal");
    let left = fs::metadata(beside).map_or(0, |data| data.len());
    assert_eq!(left, 0);
}

async fn is_refused_and_untouched(path: &Path, wanted: &str) {
    let before = fs::read(path).unwrap();
    let refusals = [open(path).await.map(drop), upgrade(path).await.map(drop)];
    for refusal in refusals {
        match refusal {
            Err(OpenError::Unreadable { reason, .. }) => assert!(reason.contains(wanted), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(fs::read(path).unwrap() == before, "the file changed");
}
