//! Schemas of earlier programs, with what those may have left, brought up to this one's.

use std::path::{Path, PathBuf};

use mbs_core::ident::{BuildId, ComponentId};
use mbs_core::model::{AttemptEnd, Failure, ModuleBuild, State};
use mbs_core::policy::Policy;
use mbs_core::store::{
    Builds as _, Catalogue as _, Create, Filter, Logged, Outbox as _, Page, Sink, Tokens as _, Upkeep as _,
    Work as _, WorkerId,
};
use mbs_store_postgres::cluster::TestDatabase;
use mbs_store_postgres::{OpenError, PostgresStore, SCHEMA, upgrade};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::samples::new_build;
use crate::servers::cluster;

fn migrations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("postgres/migrations")
}

/// Makes a database as programs of a schema left it, with sample data put in after each migration.
async fn of_schema(schema: i64) -> TestDatabase {
    let database = cluster().await.bare_database().await.unwrap();
    let mut connection = database.connect().await.unwrap();
    let migrator = Migrator::new(migrations()).await.unwrap();
    for version in 1..=schema {
        migrator.run_to(version, &mut connection).await.unwrap();
        let sample = std::fs::read_to_string(migrations().join(format!("samples/{version:04}.sql")));
        sqlx::raw_sql(AssertSqlSafe(sample.unwrap())).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    database
}

fn assert_is_sample(build: &ModuleBuild) {
    assert_eq!(build.nsvc().to_string(), "app:1.10:1:a");
    assert_eq!(build.state(), State::Ready);
    assert_eq!(build.document().summary, "A module");
    let [component] = &build.components[..] else { panic!("{build:?}") };
    let [attempt] = &component.attempts[..] else { panic!("{component:?}") };
    assert!(matches!(&attempt.end, Some(AttemptEnd::Complete(nvr)) if nvr.to_string() == "liba-1-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_earlier_schema_is_brought_up_with_its_data() {
    for schema in 1..=SCHEMA {
        let database = of_schema(schema).await;
        let upgraded = upgrade(&database.url).await.unwrap();
        assert_eq!((upgraded.from, upgraded.to), (schema, SCHEMA));
        let store = PostgresStore::connect(&database.url, &Policy::default()).await.unwrap();
        let loaded = store.load(BuildId(1)).await.unwrap();
        assert_is_sample(&loaded.build);
        assert_eq!(loaded.slots.in_use, 0);
        assert_eq!(store.count(&Filter::default()).await.unwrap(), 1);
        let of_component = if schema < 4 { 0 } else { 1 };
        assert_eq!(store.log(BuildId(1)).await.unwrap().len(), 1 + of_component);
        let liba = ComponentId(1);
        let page = store.log_page(Logged::Component(liba), Page::first(9)).await.unwrap();
        assert_eq!(page.len(), of_component);
        assert_eq!(store.component_traces(&[liba]).await.unwrap().len(), of_component);
        assert_eq!(
            store.details(&[BuildId(1)]).await.unwrap()[&BuildId(1)].trace.len(),
            1 + 2 * of_component
        );
        let figures = store.figures().await.unwrap();
        let (succeeded, failed) = match schema {
            1..=3 => (0, 0),
            4 => (1, 1),
            _ => (2, 1),
        };
        assert_eq!((figures.succeeded, figures.failed[&Failure::Unspec]), (succeeded, failed));
        let uses: Vec<u64> = store.tokens().await.unwrap().iter().map(|token| token.uses).collect();
        assert_eq!(uses, if schema < 7 { vec![] } else { vec![3] });
        store.explain(BuildId(1)).await.unwrap();
        store.claim(&WorkerId("w".into()), 9).await.unwrap();
        store.take(&Sink("bus".into()), 9).await.unwrap();
        let created = store.create(new_build("app:1.10:2:a").into()).await.unwrap();
        assert_eq!(created.builds[0].id, BuildId(2), "numbers go on after schema {schema}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_brought_up_once_by_two_programs_at_the_same_time() {
    let database = cluster().await.bare_database().await.unwrap();
    let upgrades = futures_util::future::join_all((0..4).map(|_| upgrade(&database.url))).await;
    for upgraded in upgrades {
        assert_eq!(upgraded.unwrap().to, SCHEMA);
    }
    let again = upgrade(&database.url).await.unwrap();
    assert_eq!((again.from, again.to), (SCHEMA, SCHEMA));
    let store = PostgresStore::connect(&database.url, &Policy::default()).await.unwrap();
    assert_eq!(store.create(Create::from(new_build("a:1:1:a"))).await.unwrap().builds.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_refused_with_the_way_out_and_a_newer_one_serves() {
    let database = of_schema(1).await;
    let refused = PostgresStore::connect(&database.url, &Policy::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Behind { schema: 1 }));
    let said = format!("database schema is at 1, this program needs {SCHEMA}: run mbs-manager upgradedb");
    assert_eq!(refused.to_string(), said);
    upgrade(&database.url).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'of a newer program', true, '', 0)";
    sqlx::raw_sql(newer).execute(&mut database.connect().await.unwrap()).await.unwrap();
    let store = PostgresStore::connect(&database.url, &Policy::default()).await.unwrap();
    assert_is_sample(&store.load(BuildId(1)).await.unwrap().build);
    assert_eq!(upgrade(&database.url).await.unwrap().to, 9999, "a newer schema stays as it is");
}

#[tokio::test]
async fn what_cannot_be_reached_is_said_without_the_password() {
    let refused = PostgresStore::connect("postgresql://mbs:geheim@127.0.0.1:1/mbs", &Policy::default()).await;
    let said = format!("{}", refused.unwrap_err());
    assert!(
        said.contains("the database mbs on 127.0.0.1 cannot be reached") && !said.contains("geheim"),
        "{said}"
    );
    let refused = PostgresStore::connect("postgresql://mbs@[/x", &Policy::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Address(_)), "{refused}");
}
