//! `mbs-build list`.

use mbs_client::fake_server::{Answer, Heard};
use serde_json::{Value, json};

use super::{Service, build, components, page};

#[test]
fn builds_that_fit_are_a_table_with_their_whole_identity() {
    let service = Service::new(|_| {
        let other = json!({"state": 5, "state_name": "ready", "context": null, "owner": null});
        page(&[build(1204, json!({"tasks": components(&[json!(1), json!(0)])})), build(7, other)], 1, 1)
    });
    let ended = service.run(&["list", "--name", "desktop", "--state", "build", "--state", "ready"]);
    let expected = "
  ID  State    Submitted             Components    Owner    Module
----  -------  --------------------  ------------  -------  -----------------------------------
1204  build    2017-06-01T17:18:11Z  1/2           anna     desktop:f26:20170601141014:c0ffee42
   7  ready    2017-06-01T17:18:11Z  0/0                    desktop:f26:20170601141014
";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, &expected[1..], ""));
    assert_eq!(
        service.asked(),
        ["GET module-builds/?name=desktop&state=build&state=ready&per_page=30&page=1"]
    );
}

#[test]
fn every_option_is_a_filter_of_the_service() {
    let query = |arguments: &[&str]| {
        let service = Service::new(|_| page(&[], 1, 0));
        let ended = service.run(&[&["list"], arguments].concat());
        assert_eq!(ended.status, 0, "{arguments:?}: {}", ended.err);
        service.asked()[0].replace("GET module-builds/?", "").replace("per_page=30&page=1", "")
    };
    for (arguments, wanted) in [
        (&[][..], ""),
        (&["--stream", "1", "--module-version", "2", "--context", "c"], "stream=1&version=2&context=c&"),
        (&["--nsvc", "a:1"], "nsvc=a%3A1&"),
        (&["--owner", "anna", "--koji-tag", "t", "--rpm", "a.rpm"], "owner=anna&koji_tag=t&rpm=a.rpm&"),
        (&["--scratch", "no", "--rebuild-strategy", "all"], "rebuild_strategy=all&scratch=false&"),
        (&["--base", "platform"], "base_module_br_name=platform&"),
        (&["--base", "platform:f39"], "base_module_br_name=platform&base_module_br_stream=f39&"),
        (&["--base", "platform:f39:3:00000000"], "base_module_br=platform%3Af39%3A3%3A00000000&"),
        (&["--virtual-stream", "el8", "--virtual-stream", "x"], "virtual_stream=el8&virtual_stream=x&"),
        (&["--submitted-after", "2026-01-31T12:00:00Z"], "submitted_after=2026-01-31T12%3A00%3A00Z&"),
        (&["--completed-before", "2026-01-31T13:00:00+01"], "completed_before=2026-01-31T12%3A00%3A00Z&"),
        (
            &["--order-by", "name", "--order-by", "version", "--reverse"],
            "order_desc_by=name&order_desc_by=version&",
        ),
        (&["--order-by", "name"], "order_by=name&"),
    ] {
        assert_eq!(query(arguments), wanted, "{arguments:?}");
    }
}

#[test]
fn only_so_many_are_asked_for() {
    let service = Service::new(|heard: &Heard| {
        let first: i64 = 1000 - 100 * heard.values("page")[0].parse::<i64>().unwrap();
        let items: Vec<Value> = (first..first + 100).rev().map(|id| build(id, json!({}))).collect();
        page(&items, 1, 9)
    });
    let ended = service.run(&["list", "--limit", "150", "--json"]);
    assert_eq!((ended.out.lines().count(), service.asked().len()), (150, 2));
    let first: Value = serde_json::from_str(ended.out.lines().next().unwrap()).unwrap();
    assert_eq!((&first["id"], &first["context"]), (&json!(999), &json!("c0ffee42")));
}

#[test]
fn what_the_service_does_not_take_is_told_in_its_words() {
    let service = Service::new(|_| {
        Answer::refusal(400, "Bad Request", "An invalid ordering key of \"x\" was supplied")
    });
    let ended = service.run(&["list", "--order-by", "x"]);
    assert_eq!(
        (ended.status, ended.err.as_str()),
        (1, "ERROR: An invalid ordering key of \"x\" was supplied\n")
    );
    let ended = service.run(&["list", "--state", "READY"]);
    assert!(ended.status == 2 && ended.err.contains("it must be init, wait, build"), "{}", ended.err);
    let ended = service.run(&["list", "--base", "platform:f39:x:y"]);
    assert!(ended.status == 2 && ended.err.contains("\"x\" is no valid version"), "{}", ended.err);
}
