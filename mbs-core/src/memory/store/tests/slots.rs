//! The limit and the line.

use super::*;

/// Makes builds that sleep in line since the given times, with ids from `first` on.
fn line(bench: &Bench, since: &[i64]) -> Vec<BuildId> {
    let join = |(number, since): (usize, &i64)| {
        let id = bench.create_asleep(&format!("line:{number}:1:a"));
        bench.look(id, |b| wait_in_line(b, *since, 1)).unwrap();
        id
    };
    since.iter().enumerate().map(join).collect()
}

#[test]
fn a_look_is_shown_the_first_sixteen_in_line() {
    let bench = Bench::with_limit(0);
    let since: Vec<i64> = (0..20).rev().collect();
    let ids = line(&bench, &since);
    let head: Vec<_> = bench.load(ids[0]).slots.head.iter().map(|place| place.build).collect();
    assert_eq!(head, ids.into_iter().rev().take(16).collect::<Vec<_>>());
}
