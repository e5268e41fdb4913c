//! The line, where it is longer than what is read of it at first.

use mbs_core::model::Line;
use mbs_core::store::{Settings, Upkeep as _};

use super::*;

const WAITING: usize = 150;

async fn long_line() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.store.change_settings(Settings { limit: Some(0), ..Settings::default() }, "op").await.unwrap();
    for number in 0..WAITING {
        let id = fixture.create(&format!("app:{number}:1:a")).await;
        let lease = fixture.claim().await;
        assert_eq!(lease.build, id);
        let since = start() - Duration::from_secs(number as u64);
        fixture.try_save(&lease, |build| build.line = Some(Line { since, wants: 1 })).await.unwrap();
        fixture.release(&lease).await;
    }
    fixture.clock.advance(Duration::from_secs(60));
    fixture
}

async fn due(store: &SqliteStore) -> Vec<i64> {
    let claims = store.claim(&WorkerId("w".into()), 1_000).await.unwrap();
    let mut due: Vec<i64> = claims.into_iter().map(|claim| claim.lease.build.0).collect();
    due.sort();
    due
}

#[tokio::test]
async fn as_many_are_woken_as_slots_are_free_those_first_who_wait_longest() {
    let fixture = long_line().await;
    fixture.store.change_settings(Settings { limit: Some(100), ..Settings::default() }, "op").await.unwrap();
    let slots = fixture.store.load(BuildId(1)).await.unwrap().slots;
    assert_eq!(slots.head.len(), 100);
    assert!(slots.head.is_sorted());
    assert_eq!(due(&fixture.store).await, (51..=150).collect::<Vec<_>>());
    fixture.store.change_settings(Settings::default(), "op").await.unwrap();
    assert_eq!(due(&fixture.store).await, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_sleeps_although_a_slot_is_free_is_found_by_the_next_change() {
    let fixture = long_line().await;
    let raised = r#"UPDATE settings SET record = '{"limit": 2, "paused": false, "draining": false}'"#;
    sqlx::query(raised).execute(&fixture.store.writer).await.unwrap();
    assert_eq!(due(&fixture.store).await, [0; 0]);
    fixture.create("other:1:1:a").await;
    let lease = fixture.claim().await;
    fixture.release(&lease).await;
    assert_eq!(due(&fixture.store).await, [149, 150]);
}
