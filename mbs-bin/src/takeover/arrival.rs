//! What becomes of another service's builds when they come here: pure. Those that are finished stay as they were. Those in flight
//! were begun by a service that is gone: they have failed, may have live tasks, and can be resumed.

use jiff::Timestamp;
use mbs_core::ident::BuildId;
use mbs_core::model::{Failure, Lifecycle, Past, State, Transition};
use mbs_core::policy::Policy;
use mbs_core::store::Restored;

/// Why builds in flight have failed.
const IN_FLIGHT: &str =
    "it was in flight when its service was replaced by another; resume it, and what is complete stays";

/// The same of a try, which cannot be resumed.
const TRY_IN_FLIGHT: &str = "it was in flight when its service was replaced by another; submit it again";

/// Fits records to a service that did not begin them, and returns the ids of those that were in flight.
pub fn arrive(records: &mut [Restored], policy: &Policy, now: Timestamp) -> Vec<BuildId> {
    let mut in_flight = Vec::new();
    for record in records {
        match record.build.state() {
            State::Init | State::Wait | State::Build => {
                fail(record, now);
                in_flight.push(record.build.id);
            }
            State::Done | State::Failed | State::Ready | State::Garbage => settle_target(record, policy, now),
        }
    }
    in_flight
}

fn fail(record: &mut Restored, now: Timestamp) {
    let build = &mut record.build;
    let from = build.state();
    let reason = if build.new.scratch { TRY_IN_FLIGHT } else { IN_FLIGHT };
    build.life = Lifecycle::restored(Past {
        state: State::Failed,
        reason: Some(reason.to_owned()),
        failure: Some(Failure::Infra),
        // Tasks of it may live: the first look here sees to them.
        settled: false,
        failed_in: Some(from),
        changed_at: now,
        completed_at: Some(now),
    });
    let failed = Transition { from: Some(from), to: State::Failed, at: now, reason: Some(reason.to_owned()) };
    record.trace.push(failed);
}

/// Targets of builds that ended long ago are gone: their service saw to that. Later ones are removed here, in their time.
fn settle_target(record: &mut Restored, policy: &Policy, now: Timestamp) {
    let build = &mut record.build;
    let long_ago = now.checked_sub(policy.koji_target_delete_time).unwrap_or(Timestamp::MIN);
    let is_old = build.life.completed_at().is_none_or(|at| at < long_ago);
    build.is_target_removed = build.koji_tag.is_some() && is_old;
}

#[cfg(test)]
mod tests {
    use mbs_core::submission::resume;
    use serde_json::{Value, json};

    use super::super::records;
    use super::*;

    const DOCUMENT: &str = "document: modulemd\nversion: 2\ndata:\n  name: app\n  stream: '1'\n  version: 5\n  context: c0\n  \
        summary: s\n  description: d\n  license: {module: [MIT]}\n";

    fn now() -> Timestamp {
        "2023-03-02T00:30:00Z".parse().unwrap()
    }

    fn arrived(state: u8, more: &Value) -> (Restored, Vec<BuildId>) {
        let mut build = json!({
            "id": 7, "name": "app", "stream": "1", "version": "5", "context": "c0", "state": state, "modulemd": DOCUMENT,
            "owner": "anna", "time_submitted": "2023-03-01T00:00:00", "time_modified": "2023-03-01T01:00:00",
            "rebuild_strategy": "all", "batch": 2, "koji_tag": "module-app",
        });
        for (key, value) in more.as_object().unwrap() {
            build[key] = value.clone();
        }
        let trace: Vec<Value> = (0..=state)
            .map(|step| json!({"id": step, "module_id": 7, "state_time": "2023-03-01T00:00:00", "state": step}))
            .collect();
        let dump = json!({"module_builds": [build], "module_builds_trace": trace});
        let mut all = records(&serde_json::from_value(dump).unwrap()).unwrap();
        let in_flight = arrive(&mut all, &Policy::default(), now());
        (all.remove(0), in_flight)
    }

    #[test]
    fn what_was_in_flight_has_failed_unsettled_with_a_trace_and_can_be_resumed() {
        for (number, to) in [(0, State::Init), (1, State::Wait), (2, State::Wait)] {
            let (record, in_flight) = arrived(number, &json!({}));
            let life = &record.build.life;
            assert_eq!(
                (life.state(), life.is_settled(), life.completed_at()),
                (State::Failed, false, Some(now()))
            );
            assert!(life.reason().unwrap().contains("resume it"));
            assert_eq!(in_flight, [BuildId(7)]);
            let last = record.trace.last().unwrap();
            assert_eq!(
                (last.from.map(State::number), last.to, last.at),
                (Some(number), State::Failed, now())
            );
            assert_eq!(record.trace.len(), usize::from(number) + 2);
            assert_eq!(resume(&record.build, "anna", None, now()).unwrap().state(), to);
            assert!(!record.build.is_target_removed);
        }
    }

    #[test]
    fn a_try_in_flight_is_to_be_submitted_again() {
        let (record, _) = arrived(2, &json!({"scratch": true}));
        assert!(record.build.life.reason().unwrap().ends_with("submit it again"));
    }

    #[test]
    fn what_is_finished_stays_as_it_was() {
        for number in [3, 4, 5, 6] {
            let (record, in_flight) = arrived(number, &json!({"time_completed": "2023-03-01T01:00:00"}));
            assert_eq!((record.build.state().number(), in_flight.len()), (number, 0));
            assert!(record.build.life.is_settled());
            assert_eq!(record.trace.len(), usize::from(number) + 1);
        }
    }

    #[test]
    fn only_targets_of_what_ended_lately_are_left_to_remove() {
        let removed = |more: Value| arrived(5, &more).0.build.is_target_removed;
        assert!(!removed(json!({"time_completed": "2023-03-01T00:30:01"})));
        assert!(!removed(json!({"time_completed": "2023-03-01T00:30:00"})));
        assert!(removed(json!({"time_completed": "2023-03-01T00:29:59"})));
        assert!(removed(json!({})));
        assert!(!removed(json!({"koji_tag": null})));
    }
}
