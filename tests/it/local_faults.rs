//! `mbs-build local` where something is missing or wrong: a message that says what, where and what to do, the right exit
//! status, and a later run that works.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without fails it")]

use mbs_tests::Ran;
use mbs_tests::small_module::SmallModule;
use mbs_tests::within::run_within_limit;

mod full_disk;
mod lacking_machine;
mod wrong_sources;
mod wrong_usage;

/// Asserts the exit status, and that standard error says all of this.
#[track_caller]
fn assert_says(ran: &Ran, status: i32, phrases: &[&str]) {
    assert_eq!(ran.status, Some(status), "{ran:#?}");
    for phrase in phrases {
        assert!(ran.err.contains(phrase), "{phrase:?} is not said: {ran:#?}");
    }
    assert!(!ran.err.contains("panicked"), "{ran:#?}");
}

/// Asserts that the module's own document is built with the results that are there.
#[track_caller]
fn assert_a_later_run_works(module: &SmallModule) -> Ran {
    let ran = run_within_limit(&mut module.local("small.yaml")).unwrap();
    assert_built(&ran);
    ran
}

#[track_caller]
fn assert_built(ran: &Ran) {
    assert_says(ran, 0, &[": ready"]);
    assert!(ran.out.contains(" is ready: "), "{ran:#?}");
}

/// Returns the packages of which a run said so.
fn packages<'a>(ran: &'a Ran, said: &str) -> Vec<&'a str> {
    let lines = ran.err.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(_, rest)| rest.starts_with(said)).map(|(package, _)| package).collect()
}
