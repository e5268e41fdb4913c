//! What a look costs does not depend on how many other modules there are: calls and rows are counted, nothing is timed.

use super::*;
use crate::ident::Batch;
use crate::model::{Attempt, BuildState, ComponentBuild, ComponentSource};
use crate::plan::Why;
use crate::store::{Claim, Save, Signal};

/// Makes modules that each build a component elsewhere, and sleep.
fn add_bystanders(world: &World, count: usize) {
    for number in 0..count {
        let nsvc = format!("other{number}:1:1:c0ffee00").parse().unwrap();
        world.run(world.store.create(Create::from(NewBuild { nsvc, ..new_build(1) }))).unwrap();
    }
    for claim in world.run(world.store.claim(&WorkerId("elsewhere".into()), count)).unwrap() {
        put_to_sleep(world, claim);
    }
}

fn put_to_sleep(world: &World, Claim { lease, store_now }: Claim) {
    let loaded = world.run(world.store.load(lease.build)).unwrap();
    let mut now = loaded.build.clone();
    now.enter(State::Wait, None, store_now).unwrap();
    now.enter(State::Build, None, store_now).unwrap();
    now.koji_tag = Some(format!("module-other-{}", lease.build).parse().unwrap());
    let mut component = ComponentBuild::new("liba".parse().unwrap(), ComponentSource::Macros, Batch(2));
    let task = Some(TaskId(1_000_000 + lease.build.0));
    component.attempts =
        vec![Attempt { number: 1, intended_at: store_now, not_after: store_now, task, end: None }];
    component.state = Some(BuildState::Building);
    now.components = vec![component.into()];
    let (was, revision) = (Arc::new(loaded.build), loaded.revision);
    let save = Save { was, now, revision, lease: lease.clone(), notes: Vec::new(), signal: Signal::Quiet };
    world.run(world.store.save(save)).unwrap();
    world.run(world.store.release(&lease, None, Why::Finished, Signal::Quiet)).unwrap();
}

/// Builds a module to its end beside others; returns the store's calls and the rows read, look by look.
fn looks_beside(others: usize) -> Vec<(u64, u64)> {
    let world = World::new(Some(1_000_000));
    add_bystanders(&world, others);
    let id = world.submit(1);
    let mut looks = Vec::new();
    while world.build(id).state() != State::Ready {
        let (calls, rows) = (world.store.calls(), world.store.rows_read());
        assert!(world.run(world.engine.round()).unwrap().looks <= 1);
        looks.push((world.store.calls() - calls, world.store.rows_read() - rows));
        world.finish_tasks();
        world.clock.advance(Duration::from_secs(35));
    }
    looks
}

#[test]
fn a_look_makes_the_same_calls_and_reads_the_same_rows_beside_ten_and_a_thousand_others() {
    let few = looks_beside(10);
    assert_eq!(looks_beside(1_000), few);
    assert!(few.len() > 4 && few.iter().all(|(calls, rows)| *calls > 2 && *rows > 2), "{few:?}");
}
