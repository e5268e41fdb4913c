//! What people type: rpkg's commands, `mbs-build`, `mbs-cli`.

use serde_json::Value;

use super::stage::{Stage, printed};

/// A document that becomes two builds, and its branch.
const TWO: [&str; 2] =
    ["https://src.example.test/modules/testmod.git?#512162f31d0047ee389c945bb4dccb5267ad60d7", "2.0"];

/// A document that becomes one build, and its branch.
const ONE: [&str; 2] =
    ["https://src.example.test/modules/testmod.git?#8718a4071c0e06f279c3aab4cafc2358fad5dd18", "1.0"];

/// A base module.
const BASE: &str = "https://src.example.test/modules/platform.git?#b4c22db33cc3e3a6a533e4a3b14c464c0551a186";

/// What is said of a module that was submitted already.
const ALREADY: &str = "Module (state=0) already exists. Only a new build, resubmission of a failed build or build against new \
     buildrequirements is allowed.\n";

const INFO: &str = "\
Name:           nginx
Stream:         1.24
Version:        20230203120000
Scratch:        False
Koji Tag:       module-nginx-1.24-20230203120000-c44cc2b9
Owner:          carol
State:          failed
State Reason:   Component(s) nginx failed to build.
Time Submitted: 2023-03-01T02:20:20Z
Time Completed: 2023-03-01T02:29:17Z
Components:
    Name:       module-build-macros
    NVR:        module-build-macros-1.0-1.module+20+c44cc2b9
    State:      COMPLETE
    Koji Task:  https://koji.example.test/koji/taskinfo?taskID=91000008

    Name:       nginx
    NVR:        None
    State:      FAILED
    Koji Task:  https://koji.example.test/koji/taskinfo?taskID=91000009

    Name:       nginx-docs
    NVR:        None
    State:      CANCELED
    Koji Task:  https://koji.example.test/koji/taskinfo?taskID=91000010
";

const OVERVIEW: &str = "\
ID:       42
Name:     bulk10
Stream:   stable
Version:  20230301000010
Scratch:  False
Koji Tag: module-bulk10-stable-20230301000010-c44cc2b9
Owner:    erin
State:    ready

ID:       43
Name:     bulk11
Stream:   stable
Version:  20230301000011
Scratch:  False
Koji Tag: module-bulk11-stable-20230301000011-75741a8b
Owner:    erin
State:    ready
";

const UNFINISHED: &str = "\
ID:       21
Name:     httpd
Stream:   2.4
Version:  20230204120000
Scratch:  False
Koji Tag: None
Owner:    alice
State:    init

ID:       22
Name:     httpd
Stream:   2.4
Version:  20230204130000
Scratch:  False
Koji Tag: None
Owner:    alice
State:    wait
";

const TABLE: &str = "  ID  State    Submitted             Components    Owner    Module
----  -------  --------------------  ------------  -------  ------------------------
  23  build    2023-03-01T02:41:53Z  0/2           bob      httpd-2.4-20230204120000
  22  wait     2023-03-01T02:34:22Z  0/1           alice    httpd-2.4-20230204130000
";

const COMPONENTS: &str = "\
NVR                                           State     Koji Task
--------------------------------------------  --------  ------------------------------------------------------------
module-build-macros-1.0-1.module+20+c44cc2b9  COMPLETE  https://koji.fedoraproject.org/koji/taskinfo?taskID=91000008
                                              FAILED    https://koji.fedoraproject.org/koji/taskinfo?taskID=91000009
                                              CANCELED  https://koji.fedoraproject.org/koji/taskinfo?taskID=91000010
";

const WATCHED: &str = "\u{1b}[2J
Failed:
   nginx https://koji.fedoraproject.org/koji/taskinfo?taskID=91000009

Summary:
   1 components in the COMPLETE state
   1 components in the FAILED state
   1 components in the CANCELED state
carol's build #20 of nginx-1.24 is in the \"failed\" state (reason: Component(s) nginx failed to build.) \
(koji tag: \"module-nginx-1.24-20230203120000-c44cc2b9\")
";

#[test]
fn rpkg_shows_builds() {
    let Some(stage) = Stage::set("oidc") else { return };
    assert_eq!(printed(stage.rpkg(&["module-build-info", "20"])).trim_end(), INFO.trim_end());
    assert_eq!(printed(stage.rpkg(&["module-overview", "--limit", "2"])).trim_end(), OVERVIEW.trim_end());
    let unfinished = stage.rpkg(&["module-overview", "--unfinished", "--owner", "alice"]);
    assert_eq!(printed(unfinished).trim_end(), UNFINISHED.trim_end());
    let mine = stage.rpkg(&["--user", "nobody", "module-overview", "--owner", "nobody"]);
    assert_eq!(printed(mine).trim_end(), "");
    let unknown = stage.rpkg(&["module-build-info", "999"]);
    assert_eq!(unknown.status, Some(1));
    assert!(
        unknown.err.ends_with("information on module build #999:\nNo such module found.\n"),
        "{unknown:?}"
    );
}

#[test]
fn rpkg_watches_builds_to_their_end() {
    let Some(stage) = Stage::set("oidc") else { return };
    let (ready, failed) = (stage.url_of(9), stage.url_of(20));
    let expected = format!(
        "[Build #9] gtk-3-20230101000000-75741a8b is in \"ready\" state.\n\
         \x20 Koji tag: module-gtk-3-20230101000000-75741a8b\n  Link: {ready}\n  Components: 0 done, 0 failed\n\
         [Build #20] nginx-1.24-20230203120000-c44cc2b9 is in \"failed\" state.\n\
         \x20 Koji tag: module-nginx-1.24-20230203120000-c44cc2b9\n  Link: {failed}\n\
         \x20 Components: 1 done, 1 failed\n  Reason: Component(s) nginx failed to build.\n"
    );
    assert_eq!(printed(stage.rpkg(&["module-build-watch", "9", "20"])), expected);
}

#[test]
fn rpkg_submits_and_cancels_with_a_token_that_it_has_renewed() {
    let Some(stage) = Stage::set("oidc") else { return };
    stage.knows_token("mbs_build", "tok-alice");
    let submitted = printed(stage.rpkg(&["module-build", TWO[0], TWO[1]]));
    let expected = format!(
        "Submitting the module build...\nThe builds 44 and 45 were submitted to the MBS\nBuild URLs:\n{}\n{}\n",
        stage.url_of(44),
        stage.url_of(45)
    );
    assert_eq!(submitted, expected);
    assert_eq!(stage.tokens("mbs_build"), ["tok-alice"]);
    let again = stage.rpkg(&["module-build", TWO[0], TWO[1]]);
    assert_eq!(again.status, Some(1));
    assert_eq!(again.err, format!("Could not execute module_build: The build failed with:\n{ALREADY}"));
    let cancelled = printed(stage.rpkg(&["module-build-cancel", "44"]));
    assert_eq!(cancelled, "Cancelling module build #44...\nThe module build #44 was cancelled\n");
    assert!(printed(stage.rpkg(&["module-build-info", "44"])).contains("\nState:          failed\n"));
    let foreign = stage.rpkg(&["module-build-cancel", "23"]);
    assert_eq!(foreign.status, Some(1), "{foreign:?}");
    assert!(foreign.err.contains("The cancellation of module build #23 failed with:\n"), "{foreign:?}");
}

#[test]
fn rpkg_forgets_a_token_that_cannot_be_renewed() {
    let Some(stage) = Stage::set("oidc") else { return };
    stage.knows_token("mbs_build", "gone");
    let refused = stage.rpkg(&["module-build", ONE[0], ONE[1]]);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(
        refused.err.starts_with("Could not execute module_build: The build failed with:\n"),
        "{refused:?}"
    );
    assert_eq!(stage.tokens("mbs_build"), [""; 0]);
}

#[test]
fn rpkg_has_a_document_built_that_is_in_no_repository() {
    let Some(stage) = Stage::set("open") else { return };
    stage.knows_token("mbs_build", "tok-alice");
    let document = "document: modulemd\nversion: 2\ndata:\n  summary: S\n  description: D\n  license: {module: [MIT]}\n\
         \x20 dependencies:\n  - buildrequires: {platform: [f38]}\n    requires: {platform: [f38]}\n";
    stage.write("work/mine.yaml", document);
    let submitted = printed(stage.rpkg(&["module-scratch-build", "--file", "mine.yaml"]));
    let expected = format!(
        "Submitting the module build...\nThe build 44 was submitted to the MBS\nBuild URLs:\n{}\n",
        stage.url_of(44)
    );
    assert_eq!(submitted, expected);
    let shown = printed(stage.rpkg(&["module-build-info", "44"]));
    assert!(
        shown.starts_with("Name:           mine\n") && shown.contains("Scratch:        True\n"),
        "{shown}"
    );
    let overridden =
        ["module-build", "--buildrequires", "platform:f39", "--requires", "platform:f39", ONE[0], ONE[1]];
    let overridden = printed(stage.rpkg(&overridden));
    assert!(overridden.contains("The build 45 was submitted to the MBS\n"), "{overridden}");
}

#[test]
fn rpkg_finds_the_newest_build_for_a_flatpak() {
    let Some(stage) = Stage::set("oidc") else { return };
    let newest = |nsvc| -> Value { serde_json::from_str(&printed(stage.latest_build(nsvc))).unwrap() };
    assert_eq!(newest("gtk:4")["version"], "20230301000000");
    assert_eq!(newest("gtk:4:20230101000000")["version"], "20230101000000");
    assert_eq!(newest("gtk:99"), Value::Null);
}

#[test]
fn rpkg_submits_without_saying_that_the_body_is_json() {
    let Some(stage) = Stage::set("open") else { return };
    stage.rpkg_uses_tickets();
    let submitted = printed(stage.rpkg(&["module-build", ONE[0], ONE[1]]));
    assert!(submitted.contains("The build 44 was submitted to the MBS\n"), "{submitted}");
}

#[test]
fn without_a_ticket_people_are_told_that_they_need_one() {
    let Some(stage) = Stage::set("kerberos") else { return };
    stage.rpkg_uses_tickets();
    let refused = stage.rpkg(&["module-build", ONE[0], ONE[1]]);
    let expected = "Could not execute module_build: MBS authentication using Kerberos failed. Make sure you have a valid \
         Kerberos ticket.\n";
    assert_eq!((refused.status, refused.err.as_str()), (Some(1), expected));
    let refused = stage.mbs_build(&["submit", ONE[0], ONE[1]]);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.err.contains("Make sure you have a valid Kerberos ticket."), "{refused:?}");
}

#[test]
fn the_old_mbs_build_shows_and_follows_builds() {
    let Some(stage) = Stage::set("oidc") else { return };
    assert_eq!(printed(stage.mbs_build(&["overview", "--limit", "2"])), TABLE);
    assert_eq!(printed(stage.mbs_build(&["info", "20"])), COMPONENTS);
    assert_eq!(printed(stage.mbs_build(&["watch", "20"])), WATCHED);
    let finished = printed(stage.mbs_build(&["overview", "--finished", "--limit", "100"]));
    assert_eq!(finished.lines().count(), 2 + 37, "{finished}");
}

#[test]
fn the_old_mbs_build_submits_and_cancels() {
    let Some(stage) = Stage::set("oidc") else { return };
    stage.knows_token("mbs_build", "tok-alice");
    assert_eq!(printed(stage.mbs_build(&["submit", ONE[0], ONE[1]])), "Submitted module build 44\n");
    let again = stage.mbs_build(&["submit", ONE[0], ONE[1]]);
    assert_eq!(again.status, Some(252));
    assert!(again.err.ends_with(&format!("CRITICAL: 409 Conflict: {ALREADY}")), "{again:?}");
    let cancelled = stage.mbs_build(&["-v", "cancel", "44"]);
    assert!(cancelled.err.contains("\"state_name\":\"failed\""), "{cancelled:?}");
    assert_eq!(printed(cancelled), "");
    assert!(printed(stage.rpkg(&["module-build-info", "44"])).contains("\nState:          failed\n"));
}

#[test]
fn mbs_cli_imports_a_base_module() {
    let Some(stage) = Stage::set("oidc") else { return };
    stage.knows_token("mbs", "tok-alice");
    let refused = stage.mbs_cli(&["import", BASE]);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.err.contains("403"), "{refused:?}");
    stage.knows_token("mbs", "tok-import");
    let imported = printed(stage.mbs_cli(&["import", BASE]));
    assert!(
        imported.starts_with("{'messages': ['Module platform:f40:3:00000000 imported'],\n"),
        "{imported}"
    );
    assert!(imported.contains("'state_name': 'ready',"), "{imported}");
    let shown = printed(stage.rpkg(&["module-build-info", "44"]));
    assert!(shown.starts_with("Name:           platform\nStream:         f40\n"), "{shown}");
}
