//! The worked example of the design, row by row. Times are minutes and seconds.

use super::samples::{document, rpm, submitted};
use super::tale::{Hub, SubmitFault, Tale, Told};
use super::*;
use crate::ident::Batch;
use crate::model::{AttemptEnd, Digest};

/// Build 7 with `liba` and `libb` in batch 2 and `prog` in batch 3; the limit is 2.
pub(super) fn begun() -> Tale {
    let rpms = [("liba", rpm(0)), ("libb", rpm(0)), ("prog", rpm(1))];
    let mut tale = Tale::new(submitted(document(&rpms)), Some(2));
    tale.hub = Hub { last_task: 98, event: 40, ..Hub::default() };
    tale
}

/// A look that is expected to do this in its plans, and to sleep for this reason until then.
#[track_caller]
pub(super) fn looks(tale: &mut Tale, now: Timestamp, rows: &[&[&str]], why: &str, wake_at: Timestamp) {
    let rows = rows.iter().map(|row| row.iter().map(|action| (*action).to_owned()).collect()).collect();
    assert_eq!(tale.look(now), Told { rows, why: why.into(), wake_at: Some(wake_at) });
}

fn ends(tale: &Tale, package: &str) -> Vec<Option<AttemptEnd>> {
    tale.build.component(package).unwrap().attempts.iter().map(|attempt| attempt.end.clone()).collect()
}

fn nvr(package: &str) -> String {
    format!("{package}-1-1{DIST}")
}

/// From the submission until `liba` and `libb` may begin; returns the two digests of the buildroot.
pub(super) fn until_batch_two(tale: &mut Tale) -> [Digest; 2] {
    let why =
        format!("waiting for 1 of 1 builds of batch 1: module-build-macros (task 100, since {})", at(0, 0));
    let rows: [&[&str]; 5] = [&[], &[], &["buildroot"], &["repository", "submit module-build-macros 1"], &[]];
    looks(tale, at(0, 0), &rows, &why, at(0, 30));
    assert_eq!(tale.states, [State::Wait, State::Build]);
    let first = tale.build.buildroot.clone().unwrap().digest;

    tale.hub.close(99);
    tale.hub.close(100);
    let macros = nvr("module-build-macros");
    let why = format!("waiting since {} until these are tagged: module-build-macros", at(0, 21));
    looks(tale, at(0, 21), &[&[&format!("{macros} into build tag")]], &why, at(0, 51));
    assert_eq!(tale.build.slots_held(), 0);

    tale.hub.event = 50;
    tale.hub.tag_now();
    let why = format!("waiting since {} for the repository of task 101", at(0, 24));
    looks(tale, at(0, 24), &[&["buildroot"], &["repository"], &[]], &why, at(0, 54));
    let second = tale.build.buildroot.clone().unwrap().digest;
    tale.hub.event = 60;
    tale.hub.close(101);
    [first, second]
}

/// The message is lost, the poll floor finds the repository; the process dies after the hub took `liba`.
pub(super) fn until_the_crash(tale: &mut Tale) {
    until_batch_two(tale);
    tale.submissions_before_death = Some(1);
    let told = tale.look(at(0, 54));
    assert_eq!(
        (told.rows, told.why.as_str()),
        (vec![vec!["submit liba 1".to_owned(), "submit libb 1".into()]], "died")
    );
    assert_eq!((tale.build.batch, tale.build.slots_held()), (Batch(2), 2));
    assert_eq!(tale.build.component("libb").unwrap().attempts[0].not_after, at(1, 24));
}

/// Another backend adopts `liba`; `libb` is lost, cancelled by somebody, and not answered.
pub(super) fn until_the_doubt(tale: &mut Tale) {
    until_the_crash(tale);
    let since = at(0, 54);
    let again = at(1, 54);
    let why = format!(
        "waiting for 2 of 2 builds of batch 2: liba (task 102, since {since}), libb (task 103, since {again})"
    );
    looks(tale, again, &[&["submit libb 2"], &[]], &why, at(2, 24));
    assert_eq!(ends(tale, "libb"), [Some(AttemptEnd::Lost), None]);
    assert_eq!(tale.build.slots_held(), 2);

    tale.hub.end(103, TaskState::Canceled, false);
    tale.hub.submit_fault = Some(SubmitFault::NotTaken);
    let since = at(2, 10);
    let why = format!(
        "trying again at {} (1 tries since {since}): the build system is not available: no answer",
        at(2, 15)
    );
    looks(tale, at(2, 10), &[&["submit libb 3"], &[]], &why, at(2, 15));
    let aborted = AttemptEnd::Aborted("task 103 was cancelled".into());
    assert_eq!(ends(tale, "libb"), [Some(AttemptEnd::Lost), Some(aborted), None]);
}

#[test]
fn the_groups_change_the_buildroot_once_the_macros_are_tagged() {
    let [first, second] = until_batch_two(&mut begun());
    assert_ne!(first, second);
}

#[test]
fn a_crash_between_two_submissions_builds_nothing_twice() {
    let mut tale = begun();
    until_the_doubt(&mut tale);
    assert_eq!(tale.build.component("liba").unwrap().task, Some(TaskId(102)));
}

#[test]
fn the_worked_example_goes_as_the_design_tells_it() {
    let mut tale = begun();
    until_the_doubt(&mut tale);

    tale.hub.close(102);
    let why = format!("it is not known whether libb was submitted; certain after {}", at(3, 10));
    looks(&mut tale, at(2, 15), &[&[]], &why, at(3, 10));
    assert!(tale.build.component("liba").unwrap().is_complete());
    assert_eq!(tale.build.slots_held(), 1);

    tale.others = 1;
    let why = format!("waiting for 1 of 2 builds of batch 2: libb (task 104, since {})", at(3, 10));
    looks(&mut tale, at(3, 10), &[&["submit libb 4"], &[]], &why, at(3, 40));

    tale.hub.close(104);
    let both = ["liba", "libb"].map(nvr);
    let row = both.iter().flat_map(|nvr| [format!("{nvr} into build tag"), format!("{nvr} into final tag")]);
    let row: Vec<String> = row.collect();
    let row: Vec<&str> = row.iter().map(String::as_str).collect();
    let why = format!("waiting since {} until these are tagged: liba, libb", at(4, 0));
    looks(&mut tale, at(4, 0), &[&row], &why, at(4, 30));

    tale.hub.event = 89;
    tale.hub.tag_now();
    let why = format!("waiting since {} for the repository of task 105", at(4, 5));
    looks(&mut tale, at(4, 5), &[&["repository"], &[]], &why, at(4, 35));

    tale.hub.close(105);
    tale.rush = Some(2);
    looks(&mut tale, at(4, 10), &[&["no slot"], &[]], "waiting for a slot: 2 of 2 in use", at(14, 10));
    assert_eq!((tale.build.batch, tale.build.slots_held()), (Batch(3), 0));

    tale.others = 1;
    let why = format!("waiting for 1 of 1 builds of batch 3: prog (task 106, since {})", at(4, 31));
    looks(&mut tale, at(4, 31), &[&["submit prog 1"], &[]], &why, at(5, 1));

    tale.hub.close(106);
    let prog = nvr("prog");
    let row = [format!("{prog} into build tag"), format!("{prog} into final tag")];
    let why = format!("waiting since {} until these are tagged: prog", at(6, 0));
    looks(&mut tale, at(6, 0), &[&[&row[0], &row[1]]], &why, at(6, 30));

    tale.hub.tag_now();
    let target_goes = at(6 + 24 * 60, 5);
    let why = format!("nothing to do until {target_goes}: the target {TAG} is removed");
    looks(&mut tale, at(6, 5), &[&["import"], &[]], &why, target_goes);
    assert_eq!(tale.states, [State::Wait, State::Build, State::Done, State::Ready]);
    assert_eq!((tale.hub.imports, tale.build.trouble.clone()), (1, None));
}
