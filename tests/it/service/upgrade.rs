//! Do builds in flight survive a new version: the programs of now over the schema of an earlier one?
//!
//! The database is brought back to what an earlier version leaves: what later migrations added is dropped. They add tables only,
//! and what older programs write into the others is the same.

use super::*;

/// The schema of the version before.
const EARLIER: i64 = 5;

/// What the migrations since then added.
const ADDED: &str = "DROP TABLE seats, tokens; DELETE FROM _sqlx_migrations WHERE version > 5";

const SOME: usize = 6;

fn go_back(stage: &Stage) -> Result<()> {
    stage.runtime.block_on(async {
        let mut connection = stage.service.database.connect().await?;
        sqlx::raw_sql(ADDED).execute(&mut connection).await?;
        Ok(())
    })
}

fn play(stage: &mut Stage) -> Result<()> {
    (0..SOME).try_for_each(|number| stage.submit(number))?;
    stage.goes_on_until("a component that is built", |stage| {
        let of = |number| stage.built(number).map(|build| build["tasks"]["rpms"]["base"]["state"].clone());
        Ok((0..SOME).any(|number| of(number).is_ok_and(|state| state == 1)))
    })?;
    let in_flight = stage.count(State::Build)?;
    ensure!(in_flight > 1, "{in_flight} modules are in flight");
    stage.service.kill_all()?;
    go_back(stage)?;
    let refused = stage.service.refused_backend()?;
    let says = format!("database schema is at {EARLIER}, this program needs");
    ensure!(refused.status == Some(3) && refused.err.contains(&says), "{refused:?}");
    let upgraded = stage.service.mbs_manager(&["upgradedb"])?;
    ensure!(upgraded.status == Some(0) && upgraded.out.contains("it was at 5"), "{upgraded:?}");
    stage.service.start_all(2)?;
    // The base module is ready, too.
    stage
        .goes_on_until("the end of all modules", |stage| Ok(stage.count(State::Ready)? == SOME as u64 + 1))?;
    let tasks = tasks(stage)?;
    ensure!(tasks.get(&CLOSED) == Some(&(SOME * PACKAGES)), "something was built twice, or not: {tasks:?}");
    stage.goes_on_until("all events to be told", |stage| Ok(assert_told(stage).is_ok()))
}

#[test]
fn builds_in_flight_end_as_they_should_under_new_programs() {
    let mut stage = Stage::new().unwrap();
    let played = play(&mut stage);
    let told = played.map_err(|error| format!("{error:#}\n{}", stage.service.tails()));
    told.unwrap();
}
