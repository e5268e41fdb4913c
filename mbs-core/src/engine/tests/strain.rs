//! Looks tell the store when the build system is strained. The limit is 8.

use super::*;
use crate::share::Throttle;

fn world() -> World {
    World::new(Some(8))
}

/// One look at a new build by way of a build system; returns how far the limit is lowered after it.
fn look_through(world: &World, build_system: Hesitant, policy: Policy) -> Throttle {
    world.submit(1);
    let (build_system, policy) = (Arc::new(build_system), Arc::new(policy));
    let engine = Engine { build_system, policy, ..world.engine.clone() };
    world.run(engine.round()).unwrap();
    world.store.throttle()
}

fn bearing(world: &World, secs: u64) -> Policy {
    Policy { slow_after: Duration::from_secs(secs), ..(*world.engine.policy).clone() }
}

/// Waits twice in each call that is no question.
fn taking(world: &World, secs: u64) -> Hesitant {
    Hesitant { pause: Some((world.clock.clone(), Duration::from_secs(secs))), ..Hesitant::of(world) }
}

#[test]
fn calls_that_take_longer_than_the_policy_bears_lower_the_limit() {
    for (pause, is_lowered) in [(10, false), (11, true)] {
        let world = world();
        let throttle = look_through(&world, taking(&world, pause), bearing(&world, 20));
        assert_eq!(throttle.limit.is_some(), is_lowered, "two pauses of {pause} s");
    }
}

#[test]
fn a_question_that_takes_long_lowers_the_limit() {
    let world = world();
    // Before its first save a look only asks.
    let policy = Policy { steps_per_look: 1, ..bearing(&world, 10) };
    assert_eq!(look_through(&world, taking(&world, 11), policy).limit, Some(4));
}

#[test]
fn a_call_that_is_not_answered_lowers_the_limit_however_long_one_may_take() {
    let world = world();
    let hung = Some("module-app-1-1-c0ffee00".parse().unwrap());
    let silent = Hesitant { hung, ..taking(&world, 0) };
    assert_eq!(look_through(&world, silent, bearing(&world, 9_999)).limit, Some(4));
}

#[test]
fn a_build_system_that_is_out_of_reach_halves_the_limit_once_however_often_the_look_saves() {
    for call in [Call::Observe, Call::RequestRepo, Call::Submit] {
        let world = world();
        world.system.inject(call, Fault::Before(no_answer(Effect::None)));
        let throttle = look_through(&world, taking(&world, 0), bearing(&world, 20));
        assert_eq!((throttle.limit, throttle.strained), (Some(4), false), "{call:?}");
    }
}

#[test]
fn a_refusal_is_no_strain() {
    let world = world();
    world.system.inject(Call::Observe, Fault::Before(BuildSystemError::Denied { what: "expired".into() }));
    let throttle = look_through(&world, taking(&world, 0), bearing(&world, 20));
    assert_eq!(
        (throttle, world.run(world.store.load(BuildId(1))).unwrap().slots.limit),
        (Throttle::default(), Some(8))
    );
}
