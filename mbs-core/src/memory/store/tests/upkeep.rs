//! Who changed the settings.

use super::*;

#[test]
fn changed_settings_hold_and_who_changed_them_is_kept() {
    let bench = Bench::new();
    assert_eq!(now_or_panic(bench.store.settings()), Ok(Settings::default()));
    let settings = Settings { limit: Some(5), paused: true, draining: false };
    bench.pass(3);
    bench.set(settings.clone());
    assert_eq!(now_or_panic(bench.store.settings()), Ok(settings));
    let audit = now_or_panic(bench.store.settings_audit()).unwrap();
    let kept: Vec<_> = audit.iter().map(|e| (e.at, e.by.as_str(), e.what.as_str())).collect();
    assert_eq!(kept, [(at(3), "op", "changed limit from none to 5, paused from false to true")]);
}

/// Builds that sleep: the first in line since 20, the second since 10, the third in `init`, the fourth in `build`.
fn sleepers(bench: &Bench) {
    let ids = [1, 2, 3, 4].map(|number| bench.create_asleep(&format!("a:{number}:1:a")));
    bench.look(ids[0], |b| wait_in_line(b, 20, 1)).unwrap();
    bench.look(ids[1], |b| wait_in_line(b, 10, 1)).unwrap();
    bench.look(ids[3], |b| enter(b, State::Wait, 1)).unwrap();
    bench.look(ids[3], |b| enter(b, State::Build, 1)).unwrap();
    bench.pass(10);
}

#[test]
fn a_pause_wakes_nobody_and_its_end_only_those_in_line_for_whom_a_slot_is_free() {
    let bench = Bench::new();
    let paused = |limit| Settings { limit: Some(limit), paused: true, ..Settings::default() };
    bench.set(paused(0));
    sleepers(&bench);
    bench.set(paused(5));
    assert_eq!(bench.claim(9), NOBODY);
    bench.set(paused(1));
    bench.set(Settings { paused: false, ..paused(1) });
    assert_eq!(bench.claim(9), [2]);
}

#[test]
fn the_end_of_a_drain_wakes_those_that_it_kept_in_init_and_wait() {
    let bench = Bench::new();
    let draining = Settings { limit: Some(0), draining: true, ..Settings::default() };
    bench.set(draining.clone());
    sleepers(&bench);
    let waiting = bench.create_asleep("b:1:1:a");
    bench.look(waiting, |b| enter(b, State::Wait, 1)).unwrap();
    bench.pass(10);
    bench.set(Settings { draining: false, ..draining });
    assert_eq!(bench.claim(9), [1, 2, 3, 5]);
}
