use serde_json::{Value, json};

use super::*;

const DOCUMENT: &str = "document: modulemd\nversion: 2\ndata:\n  name: app\n  stream: '1'\n  version: 5\n  context: c0\n  \
    summary: s\n  description: d\n  license: {module: [MIT]}\n  xmd: {mbs: {commit: abc}}\n  components:\n    rpms: \
    {a: {rationale: r}}\n";

fn build(id: i64, context: &str, state: u8) -> Value {
    json!({
        "id": id, "name": "app", "stream": "1", "version": "5", "context": context, "state": state, "modulemd": DOCUMENT,
        "owner": "anna", "time_submitted": "2023-03-01T00:00:00", "time_modified": "2023-03-01T01:00:00",
        "rebuild_strategy": "all", "batch": 2, "koji_tag": "module-app",
    })
}

fn component(id: i64, build: i64, package: &str, state: Option<u8>) -> Value {
    json!({
        "id": id, "module_id": build, "package": package, "state": state, "task_id": 70 + id, "batch": 2,
        "scmurl": "https://src.example/rpms/a?#aaaa", "ref": "aaaa", "nvr": if state == Some(1) { Some("a-1-1") } else { None },
        "weight": 2.5,
    })
}

fn restored(tables: Value) -> Vec<Restored> {
    records(&serde_json::from_value(tables).unwrap()).unwrap()
}

#[test]
fn identity_times_and_what_was_built_stay() {
    let [one] = &restored(json!({
        "module_builds": [build(7, "c0", 5)],
        "component_builds": [component(3, 7, "a", Some(1))],
        "module_arches": [{"id": 1, "name": "x86_64"}, {"id": 2, "name": "aarch64"}],
        "module_builds_to_arches": [
            {"module_build_id": 7, "module_arch_id": 1}, {"module_build_id": 7, "module_arch_id": 2},
        ],
    }))[..] else {
        panic!("one")
    };
    let build = &one.build;
    assert_eq!((build.id, build.nsvc().to_string()), (BuildId(7), "app:1:5:c0".to_owned()));
    assert_eq!((build.state(), build.submitted_at), (State::Ready, "2023-03-01T00:00:00Z".parse().unwrap()));
    assert_eq!(build.arches.iter().map(ToString::to_string).collect::<Vec<_>>(), ["aarch64", "x86_64"]);
    assert_eq!(build.new.commit, Some(CommitId::new("abc").unwrap()));
    let component = &build.components[0];
    assert_eq!((component.id, component.task), (Some(ComponentId(3)), Some(TaskId(73))));
    assert_eq!(component.source.commit(), Some(&CommitId::new("aaaa").unwrap()));
    assert_eq!((component.is_complete(), component.weight.cost()), (true, 2.5));
}

#[test]
fn the_smallest_id_of_a_family_is_its_index() {
    let indexes: Vec<BuildId> = restored(json!({"module_builds": [build(9, "c1", 5), build(7, "c0", 5)]}))
        .iter()
        .map(|one| one.build.dist_index)
        .collect();
    assert_eq!(indexes, [BuildId(7), BuildId(7)]);
}

#[test]
fn histories_are_in_order_and_say_where_a_build_failed() {
    let step = |id, at: &str, state| json!({"id": id, "module_id": 7, "state_time": at, "state": state});
    let one = &restored(json!({
        "module_builds": [build(7, "c0", 4)],
        "module_builds_trace": [
            step(2, "2023-03-01T00:10:00", 1), step(1, "2023-03-01T00:00:00", 0), step(3, "2023-03-01T00:20:00", 4),
        ],
    }))[0];
    let states: Vec<_> = one.trace.iter().map(|step| (step.from, step.to)).collect();
    assert_eq!(
        states,
        [(None, State::Init), (Some(State::Init), State::Wait), (Some(State::Wait), State::Failed),]
    );
    assert_eq!(one.build.life.failed_in(), Some(State::Wait));
}

#[test]
fn what_is_being_built_has_a_live_try_and_what_is_reused_none() {
    let mut reused = component(4, 9, "a", Some(1));
    reused["reused_component_id"] = json!(3);
    let all = restored(json!({
        "module_builds": [build(7, "c0", 2), build(9, "c1", 5)],
        "component_builds": [component(3, 7, "a", Some(0)), reused, component(5, 7, "module-build-macros", None)],
        "component_builds_trace": [
            {"id": 1, "component_id": 3, "state_time": "2023-03-01T00:30:00", "state": 0, "task_id": 73},
        ],
    }));
    let component = |build: usize, package| all[build].build.component(package).unwrap();
    let live = component(0, "a").live_attempt().unwrap();
    assert_eq!((live.task, live.intended_at), (Some(TaskId(73)), "2023-03-01T00:30:00Z".parse().unwrap()));
    assert!(matches!(component(1, "a").verdict, Some(Verdict::Reuse { build: BuildId(7), .. })));
    assert!(component(0, "module-build-macros").is_macros());
    assert!(component(0, "module-build-macros").attempts.is_empty());
}

#[test]
fn a_line_of_a_component_is_one_of_its_build() {
    let line = |id, build: Option<i64>, component: Option<i64>| {
        json!({"id": id, "module_build_id": build, "component_build_id": component, "message": format!("{id}"),
            "time_created": "2023-03-01T00:00:00"})
    };
    let one = &restored(json!({
        "module_builds": [build(7, "c0", 5)],
        "component_builds": [component(3, 7, "a", Some(1))],
        "log_messages": [line(2, None, Some(3)), line(1, Some(7), None), line(3, Some(8), None)],
    }))[0];
    let lines: Vec<_> = one.log.iter().map(|(component, _, text)| (*component, text.as_str())).collect();
    assert_eq!(lines, [(None, "1"), (Some(ComponentId(3)), "2")]);
}

#[test]
fn a_row_that_makes_no_sense_is_named() {
    let refused = |row: Value| {
        records(&serde_json::from_value(json!({"module_builds": [row]})).unwrap()).unwrap_err().to_string()
    };
    let with = |key: &str, value: Value| {
        let mut row = build(7, "c0", 5);
        row[key] = value;
        refused(row)
    };
    assert_eq!(with("state", json!(9)), "module_builds 7: 9 is no state");
    assert_eq!(with("rebuild_strategy", json!("some")), "module_builds 7: \"some\" is no rebuild strategy");
    assert!(with("modulemd", json!("hello")).starts_with("module_builds 7: its document cannot be read: "));
    assert!(with("version", json!("x")).starts_with("module_builds 7: "));
}
