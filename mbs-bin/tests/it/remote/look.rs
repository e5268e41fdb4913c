//! `mbs-build overview` and `info`.

use mbs_client::fake_server::{Answer, Heard};
use serde_json::{Value, json};

use super::{API, Service, build, components, not_found, page};

/// Three builds that are not finished, the middle one on a second page.
fn unfinished(heard: &Heard) -> Answer {
    let state = |number: u8, name: &str| json!({"state": number, "state_name": name});
    let all = [
        build(1204, json!({"tasks": components(&vec![json!(1); 3])})),
        build(1201, state(1, "wait")),
        build(998, state(0, "init")),
    ];
    if heard.path() != format!("{API}module-builds/") {
        let found = all.iter().find(|one| heard.path() == format!("{API}module-builds/{}", one["id"]));
        return found.map_or_else(not_found, |one| Answer::json(200, one));
    }
    match (heard.values("state")[0].as_str(), heard.values("page")[0].as_str()) {
        ("build", _) => page(&all[..1], 1, 1),
        ("wait", "1") => page(&[], 1, 0),
        ("init", "1") => page(&all[1..2], 1, 2),
        ("init", "2") => page(&all[2..], 2, 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unfinished_builds_are_a_table_newest_first() {
    let service = Service::new(unfinished);
    let ended = service.run(&["overview"]);
    let expected = "
  ID  State    Submitted             Components    Owner    Module
----  -------  --------------------  ------------  -------  --------------------------
1204  build    2017-06-01T17:18:11Z  3/3           anna     desktop-f26-20170601141014
1201  wait     2017-06-01T17:18:11Z  0/0           anna     desktop-f26-20170601141014
 998  init     2017-06-01T17:18:11Z  0/0           anna     desktop-f26-20170601141014
";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, &expected[1..], ""));
    let mut asked = service.asked();
    asked.sort();
    let wanted = [
        "GET module-builds/1201?verbose=true",
        "GET module-builds/1204?verbose=true",
        "GET module-builds/998?verbose=true",
        "GET module-builds/?state=build&page=1",
        "GET module-builds/?state=init&page=1",
        "GET module-builds/?state=init&page=2",
        "GET module-builds/?state=wait&page=1",
    ];
    assert_eq!(asked, wanted);
}

#[test]
fn only_so_many_are_shown_and_no_page_is_asked_for_that_nobody_sees() {
    let service = Service::new(unfinished);
    let ended = service.run(&["overview", "--limit", "1"]);
    assert_eq!((ended.status, ended.out.lines().count()), (0, 3), "{}", ended.out);
    assert!(ended.out.contains("1204  build"), "{}", ended.out);
    assert!(!service.asked().contains(&"GET module-builds/?state=init&page=2".to_owned()));
}

#[test]
fn without_builds_there_are_the_headers() {
    let service = Service::new(|_| page(&[], 1, 0));
    let ended = service.run(&["overview", "--finished"]);
    let expected = "
ID    State    Submitted    Components    Owner    Module
----  -------  -----------  ------------  -------  --------
";
    assert_eq!((ended.status, ended.out.as_str()), (0, &expected[1..]));
    let mut asked = service.asked();
    asked.sort();
    let of = |state| format!("GET module-builds/?state={state}&page=1");
    assert_eq!(asked, [of("done"), of("failed"), of("ready")]);
}

#[test]
fn with_json_each_build_is_an_object() {
    let ended = Service::new(unfinished).run(&["overview", "--json"]);
    let lines: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["id"], &lines[0]["components"]), (&json!(1204), &json!({"built": 3, "all": 3})));
}

#[test]
fn components_are_a_table_in_the_order_of_the_answer() {
    let packages = r#"{"rpms": {
        "z": {"nvr": "libexample-0.3.110-7.module_414736cc", "state": 1, "task_id": 19803741},
        "b": {"nvr": null, "state": 0, "task_id": 19804081},
        "a": {"state": null, "task_id": null},
        "c": {"nvr": "c-1-1", "state": 4}
    }}"#;
    let shown = build(7, json!({"tasks": "HERE"})).to_string().replace("\"HERE\"", packages);
    let service = Service::with([("module-builds/7", Answer::of(200, "application/json", &shown))]);
    let ended = service.run(&["info", "7"]);
    let expected = "
NVR                                   State      Koji Task
------------------------------------  ---------  ------------------------------------------------------------
libexample-0.3.110-7.module_414736cc  COMPLETE   https://koji.fedoraproject.org/koji/taskinfo?taskID=19803741
                                      BUILDING   https://koji.fedoraproject.org/koji/taskinfo?taskID=19804081
null                                  undefined
c-1-1                                 CANCELED
";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, &expected[1..], ""));
    assert_eq!(service.asked(), ["GET module-builds/7?verbose=true"]);
    let ended = service.run(&["--koji-web", "https://koji.example.org/", "info", "7"]);
    assert!(ended.out.contains(" https://koji.example.org/taskinfo?taskID=19803741\n"), "{}", ended.out);
}

#[test]
fn without_components_there_are_the_headers_as_wide_as_they_ask() {
    let service = Service::with([("module-builds/7", Answer::json(200, &build(7, json!({}))))]);
    let ended = service.run(&["info", "7"]);
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (0, "NVR    State    Koji Task\n-----  -------  -----------\n")
    );
}

#[test]
fn what_a_service_says_draws_nothing_on_the_terminal() {
    let packages = json!({"rpms": {"a": {"nvr": "a\u{1b}[2J\n-1-1", "state": 1, "task_id": 1}}});
    let service =
        Service::with([("module-builds/7", Answer::json(200, &build(7, json!({"tasks": packages}))))]);
    let ended = service.run(&["info", "7"]);
    assert!(ended.out.contains("\na [2J -1-1  COMPLETE"), "{}", ended.out);
}

#[test]
fn a_build_that_is_not_there_is_told_in_the_services_words() {
    let service = Service::with([]);
    for command in ["info", "watch"] {
        let ended = service.run(&[command, "4242"]);
        let wanted = (1, "", "ERROR: No such module found.\n");
        assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), wanted, "{command}");
        let ended = service.run(&[command, "abc"]);
        let wanted = (1, "", "ERROR: \"abc\" is no number of a module build\n");
        assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), wanted, "{command}");
    }
}

#[test]
fn with_json_a_build_is_printed_with_all_that_the_service_shows() {
    let shown = build(7, json!({"new_member": [1], "batch": 3}));
    let service = Service::with([("module-builds/7", Answer::json(200, &shown))]);
    let ended = service.run(&["info", "7", "--json"]);
    let printed: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        [&printed["new_member"], &printed["batch"], &printed["id"]],
        [&json!([1]), &json!(3), &json!(7)]
    );
}

#[test]
fn a_service_that_is_not_there_is_trouble_of_the_machine() {
    let service = Service::with([]);
    let ended = service.run(&["-s", "http://127.0.0.1:1", "overview"]);
    assert_eq!(ended.status, 2, "an option is given once");
    let mut command = service.command(&[]);
    let ended: crate::Ended =
        command.args(["info", "7"]).env("MBS_SERVER", "http://127.0.0.1:1").output().unwrap().into();
    assert_eq!(ended.status, 1, "what is typed counts: {}", ended.err);
    let mut command = crate::mbs_build(std::path::Path::new("."), &["info", "7"]);
    let ended: crate::Ended = command.env("MBS_SERVER", "http://127.0.0.1:1").output().unwrap().into();
    assert_eq!(ended.status, 3, "{}", ended.err);
    assert!(ended.err.starts_with("ERROR: the module build service cannot be reached: "), "{}", ended.err);
}

#[test]
fn an_address_that_is_none_is_wrong_usage_and_its_password_is_not_told() {
    for (address, why) in
        [("mbs", "begins with https://"), ("https://me:geheim@mbs/", "a user's name or password")]
    {
        let ended = crate::run(std::path::Path::new("."), &["-s", address, "overview"]);
        assert_eq!(ended.status, 2);
        assert!(ended.err.contains(why) && !ended.err.contains("geheim"), "{}", ended.err);
    }
}
