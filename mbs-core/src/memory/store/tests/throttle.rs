//! The limit that adapts. The interval is 60 s.

use super::*;
use crate::share::Throttle;
use crate::store::Signal::{Quiet, Strained};

impl Bench {
    /// Looks at a build, without changing it, and says how the build system behaved.
    fn hears(&self, id: BuildId, signal: Signal) {
        now_or_panic(self.store.wake(&[crate::bus::Hint::Build(id)])).unwrap();
        self.pass(1);
        let lease = self.claim_only(id);
        now_or_panic(self.store.release(&lease, None, Why::GoingOn, signal)).unwrap();
    }

    fn limit(&self) -> Option<u32> {
        self.load(BuildId(1)).slots.limit
    }
}

#[test]
fn strain_that_a_save_or_a_release_tells_of_halves_the_limit_that_looks_see() {
    let bench = Bench::with_limit(8);
    let id = bench.create_asleep("a:1:1:a");
    bench.hears(id, Strained);
    assert_eq!((bench.limit(), now_or_panic(bench.store.settings()).unwrap().limit), (Some(4), Some(8)));
    bench.pass(60);
    now_or_panic(bench.store.wake(&[crate::bus::Hint::Build(id)])).unwrap();
    let lease = bench.claim_only(id);
    let saved =
        now_or_panic(bench.store.save(Save { signal: Strained, ..bench.draft(&lease, |_| {}) })).unwrap();
    assert_eq!(saved.slots.limit, Some(2));
    assert_eq!(
        bench.store.throttle(),
        Throttle { limit: Some(2), stepped_at: Some(at(61)), strained: false }
    );
}

#[test]
fn a_save_is_held_to_the_limit_from_before_its_own_signal() {
    let bench = Bench::with_limit(4);
    let id = bench.create("a:1:1:a");
    let lease = bench.claim_only(id);
    let save = |slots| Save { signal: Strained, ..bench.draft(&lease, |build| take_slots(build, slots)) };
    assert_eq!(now_or_panic(bench.store.save(save(4))).unwrap().slots.limit, Some(2));
    assert_eq!(now_or_panic(bench.store.save(save(5))), Err(StoreError::NoSlot { in_use: 4, limit: 2 }));
}

#[test]
fn a_refused_save_and_a_lost_lease_tell_nothing() {
    let bench = Bench::with_limit(4);
    let id = bench.create("a:1:1:a");
    let lease = bench.claim_only(id);
    let save = Save { signal: Strained, ..bench.draft(&lease, |build| take_slots(build, 5)) };
    assert!(now_or_panic(bench.store.save(save)).is_err());
    let lost = Lease { token: 99, ..lease };
    now_or_panic(bench.store.release(&lost, None, Why::GoingOn, Strained)).unwrap();
    assert_eq!((bench.limit(), bench.store.throttle()), (Some(4), Throttle::default()));
}

#[test]
fn when_the_limit_rises_the_one_who_can_use_the_new_slot_is_woken_at_once() {
    let bench = Bench::with_limit(2);
    let holder = bench.create_asleep("a:1:1:a");
    bench.look(holder, |build| take_slots(build, 1)).unwrap();
    bench.hears(holder, Strained);
    let [first, second] = ["b:1:1:a", "c:1:1:a"].map(|nsvc| bench.create_asleep(nsvc));
    bench.look(first, |b| wait_in_line(b, 10, 1)).unwrap();
    bench.look(second, |b| wait_in_line(b, 20, 1)).unwrap();
    bench.pass(60);
    assert_eq!(bench.claim(9), NOBODY);
    bench.hears(holder, Quiet);
    bench.pass(1);
    assert_eq!((bench.limit(), bench.claim(9)), (Some(2), vec![first.0]));
}

#[test]
fn a_new_maximum_bounds_a_lowered_limit_and_does_not_raise_it() {
    let bench = Bench::with_limit(8);
    let id = bench.create_asleep("a:1:1:a");
    bench.hears(id, Strained);
    let limit_after = |maximum| {
        bench.set(Settings { limit: maximum, ..Settings::default() });
        bench.limit()
    };
    assert_eq!([Some(100), Some(3), None].map(limit_after), [Some(4), Some(3), None]);
}
