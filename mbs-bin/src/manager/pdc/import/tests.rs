//! Imports into a fake PDC.

use std::path::{Path, PathBuf};

use mbs_pdc::fake_server::{Flavour, NewRow, Rule, Trouble};
use serde_json::Value;

use crate::exit::{Exit, Stop};
use crate::manager::pdc::testing::{BOOTSTRAP, Bench, PLATFORM, READER, WRITER};

#[test]
fn a_document_is_entered_once_and_inactive() {
    let bench = Bench::new();
    let file = bench.file("bootstrap.yaml", BOOTSTRAP);
    let told = bench.run(&["import", &file]).unwrap();
    let expected = format!(
        "{file}: bootstrap-master-1 becomes an entry of PDC, inactive
  name bootstrap, stream master, version 1, context 00000000
  Koji tag module-bootstrap-master-1
  runs with nothing; built with nothing
bootstrap-master-1 is there, inactive; services may require it after: mbs-manager pdc activate bootstrap-master-1\n"
    );
    assert_eq!(told, expected);
    let writes = bench.writes();
    assert_eq!(writes.len(), 1);
    assert_eq!((writes[0].method.as_str(), writes[0].status), ("POST", Some(201)));
    assert_eq!(writes[0].comment.as_deref(), Some("mbs-manager pdc import, by anna"));
    let again = bench.run(&["import", &file]).unwrap();
    assert_eq!(again, format!("{file}: bootstrap-master-1 is there already, inactive\n"));
    bench.pdc.set_active("bootstrap-master-1", true);
    let again = bench.run(&["import", &file, "--active"]).unwrap();
    assert_eq!(again, format!("{file}: bootstrap-master-1 is there already, active\n"));
    assert_eq!(bench.writes().len(), 1);
}

#[test]
fn a_document_with_a_context_goes_through_modules() {
    let bench = Bench::new();
    let file = bench.file("platform.yaml", PLATFORM);
    let told = bench.run(&["import", &file, "--active", "--comment", "ticket 42"]).unwrap();
    assert!(
        told.contains("\n  services will find version 1 of platform:f40; so far they find nothing"),
        "{told}"
    );
    let writes = bench.writes();
    assert_eq!((writes[0].path.as_str(), writes.len()), ("/rest_api/v1/modules/", 1));
    assert_eq!(writes[0].comment.as_deref(), Some("ticket 42"));
    assert_eq!(bench.uids(), ["platform:f40:1:00000000*"]);
    // Through the other endpoint it is the same entry.
    let again = bench.run(&["import", &file, "--face", "variants"]).unwrap();
    assert!(again.contains("platform:f40:1:00000000 is there already, active"), "{again}");
}

#[test]
fn contexts_of_a_version_are_entries_of_their_own() {
    let bench = Bench::new();
    for context in ["aaaa", "bbbb"] {
        let file = bench.file("p.yaml", &PLATFORM.replace("'00000000'", context));
        assert!(
            bench.run(&["import", &file]).unwrap().contains(&format!("platform:f40:1:{context} is there, "))
        );
        let again = bench.run(&["import", &file]).unwrap();
        assert_eq!(again, format!("{file}: platform:f40:1:{context} is there already, inactive\n"));
    }
    let text = PLATFORM.replace("'00000000'", "cccc");
    let row =
        NewRow { modulemd: text.trim_end().into(), ..NewRow::new("platform", "f40", "1").in_context("cccc") };
    bench.pdc.plant(NewRow { uid: "theirs".into(), koji_tag: "module-f40-build".into(), ..row });
    let told = bench.run(&["import", &bench.file("p.yaml", &text)]).unwrap();
    assert!(told.ends_with("theirs is there already, inactive\n"), "{told}");
    // PDC's filters find it, but it is another module.
    bench.pdc.plant(NewRow::new("Bootstrap", "master", "1"));
    bench.run(&["import", &bench.file("b.yaml", BOOTSTRAP)]).unwrap();
    assert_eq!(bench.uids().len(), 5);
}

#[test]
fn several_documents_are_one_request() {
    let bench = Bench::new();
    let (bootstrap, platform) = (bench.file("b.yaml", BOOTSTRAP), bench.file("p.yaml", PLATFORM));
    let told = bench.run(&["import", &platform, &bootstrap]).unwrap();
    assert_eq!(bench.uids(), ["bootstrap-master-1", "platform:f40:1:00000000"]);
    let [write] = &bench.writes()[..] else { panic!("it is one request") };
    assert_eq!(write.path, "/rest_api/v1/unreleasedvariants/");
    assert_eq!(write.body.as_array().map(Vec::len), Some(2));
    assert_eq!(told.matches(" is there, inactive").count(), 2, "{told}");
    // What is there is left out of the next.
    let newer = bench.file("n.yaml", &BOOTSTRAP.replace("version: 1\n  summary", "version: 2\n  summary"));
    let told = bench.run(&["import", &platform, &bootstrap, &newer]).unwrap();
    assert_eq!(told.matches("is there already").count(), 2, "{told}");
    assert_eq!(bench.writes()[1].body["variant_release"], "2");
}

#[test]
fn a_bad_document_keeps_the_good_ones_out() {
    let bench = Bench::new();
    let good = bench.file("good.yaml", BOOTSTRAP);
    let bad = bench.file("bad.yaml", &PLATFORM.replace("  version: 1\n", ""));
    let stop = bench.run(&["import", &good, &bad, "/no/such/file"]).unwrap_err();
    let Stop::Usage(told) = &stop else { panic!("{stop:?}") };
    assert!(
        told.contains("bad.yaml:1:1: data.version: ") && told.ends_with("/no/such/file does not exist"),
        "{told}"
    );
    assert_eq!(bench.pdc.requests().len(), 0);
    let again = bench.file("again.yaml", BOOTSTRAP);
    let told = bench.run(&["import", &good, &again]).unwrap_err().to_string();
    assert!(told.ends_with("again.yaml are both bootstrap:master:1:00000000"), "{told}");
    for option in ["--uid", "--koji-tag"] {
        let told = bench.run(&["import", &good, &bad, option, "x"]).unwrap_err().to_string();
        assert_eq!(told, format!("{option} is for one document, and several are given"));
    }
}

#[test]
fn another_entry_in_its_place_is_named_and_left_alone() {
    let bench = Bench::new();
    let file = bench.file("b.yaml", BOOTSTRAP);
    bench.run(&["import", &file]).unwrap();
    let changed = bench.file("c.yaml", &BOOTSTRAP.replace("rpms: [bash, gcc]", "rpms: [bash, gcc, make]"));
    let platform = bench.file("p.yaml", PLATFORM);
    let stop = bench.run(&["import", &platform, &changed]).unwrap_err();
    assert_eq!(stop.exit(), Exit::Failed);
    let expected = format!(
        "{changed}: PDC has another entry, bootstrap-master-1: nothing was entered; a new form of a module needs a higher version
  modulemd, line 11: `buildroot: {{rpms: [bash, gcc]}}` in PDC, `buildroot: {{rpms: [bash, gcc, make]}}` here"
    );
    assert_eq!(stop.to_string(), expected);
    assert_eq!((bench.writes().len(), bench.uids().len()), (1, 1));
    let told = bench.run(&["import", &file, "--active"]).unwrap_err().to_string();
    assert!(told.contains("say mbs-manager pdc activate bootstrap-master-1\n  active: no in PDC"), "{told}");
}

#[test]
fn a_key_of_somebodys_own_needs_the_endpoint_that_takes_it() {
    let bench = Bench::new();
    let file = bench.file("p.yaml", PLATFORM);
    bench.pdc.plant(NewRow { uid: "theirs".into(), ..NewRow::new("other", "f40", "3") });
    let told = bench.run(&["import", &file, "--uid", "theirs"]).unwrap_err().to_string();
    assert!(told.contains("PDC has another entry, theirs: "), "{told}");
    assert!(told.contains("\n  name: other in PDC, platform here\n  version: 3 in PDC, 1 here\n"), "{told}");
    bench.run(&["import", &file, "--uid", "ours"]).unwrap();
    assert_eq!(bench.uids(), ["ours", "theirs"]);
    let told = bench.run(&["import", &file, "--uid", "mine"]).unwrap_err().to_string();
    assert!(told.ends_with("\n  uid: ours in PDC, mine here"), "{told}");
    let stop = bench.run(&["import", &file, "--uid", "ours", "--face", "modules"]).unwrap_err();
    assert!(matches!(&stop, Stop::Usage(told) if told.contains("--face variants")), "{stop}");
    let bootstrap = bench.file("b.yaml", BOOTSTRAP);
    let stop = bench.run(&["import", &bootstrap, "--face", "modules"]).unwrap_err();
    assert!(matches!(&stop, Stop::Usage(told) if told.contains("leave out --face modules")), "{stop}");
}

#[test]
fn nothing_is_entered_unless_somebody_agrees() {
    let mut bench = Bench::new();
    let file = bench.file("b.yaml", BOOTSTRAP);
    bench.answers = Some("n\n");
    assert_eq!(bench.run(&["import", &file]), Err(Stop::Failed("nothing was changed".into())));
    bench.answers = None;
    assert_eq!(bench.run(&["import", &file]).unwrap_err().exit(), Exit::Usage);
    assert_eq!(bench.writes().len(), 0);
    bench.run(&["import", &file, "--yes"]).unwrap();
    assert_eq!(bench.uids(), ["bootstrap-master-1"]);
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_sends_none_of_it() {
    let mut bench = Bench::new();
    bench.answers = None;
    let file = bench.file("b.yaml", BOOTSTRAP);
    let told = bench.run(&["import", &file, "--dry-run"]).unwrap();
    let (_, request) = told.split_once("below http://").unwrap();
    let (_, request) = request.split_once("\n\n").unwrap();
    let body: Value = request
        .strip_prefix("POST unreleasedvariants/\nPDC-Change-Comment: mbs-manager pdc import, by anna\n")
        .map(|body| serde_json::from_str(body).unwrap())
        .unwrap();
    assert_eq!(body["variant_uid"], "bootstrap-master-1");
    assert!(!told.contains(WRITER) && !told.contains("is there"), "{told}");
    assert_eq!((bench.writes().len(), bench.uids().len()), (0, 0));
    bench.run(&["import", &file, "--yes"]).unwrap();
    assert_eq!(bench.writes()[0].body, body);
}

/// What the script of the time sent, recorded from the original client.
#[test]
fn the_first_module_is_entered_as_the_original_script_did_it() {
    let named = std::env::var_os("MBS_PDC_GOLDEN").map(PathBuf::from);
    let is_required = named.is_some() || std::env::var_os("MBS_REFERENCE_REQUIRED").is_some();
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pdc-golden");
    let path = named.unwrap_or_else(usual).join("client-bootstrap-import.json");
    let Ok(recorded) = std::fs::read_to_string(&path) else {
        assert!(!is_required, "{} is missing", path.display());
        return eprintln!("{} is missing; nothing was compared", path.display());
    };
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    let request = &recorded["exchanges"][0]["request"];
    let bench = Bench::new();
    let file = bench.file("bootstrap.yaml", request["body"]["modulemd"].as_str().unwrap());
    bench.run(&["import", &file, "--koji-tag", "module-bootstrap-master-1"]).unwrap();
    let [write] = &bench.writes()[..] else { panic!("it is one request") };
    assert_eq!((&write.body, write.path.as_str()), (&request["body"], request["path"].as_str().unwrap()));
}

#[test]
fn an_answer_that_is_lost_leaves_a_doubt_that_a_repetition_settles() {
    let bench = Bench::new();
    let file = bench.file("b.yaml", BOOTSTRAP);
    bench.pdc.faults().add(Rule::always(Trouble::ResetAfter).of_method("POST").times(1));
    let stop = bench.run(&["import", &file]).unwrap_err();
    assert_eq!(stop.exit(), Exit::Machine);
    let told = stop.to_string();
    assert!(told.contains("PDC cannot be reached: "), "{told}");
    assert!(told.contains("It may have been done all the same. Give the same command again"), "{told}");
    assert_eq!(bench.uids(), ["bootstrap-master-1"]);
    assert!(bench.run(&["import", &file]).unwrap().contains("is there already"));
    // Where it was not done, the repetition does it.
    let platform = bench.file("p.yaml", PLATFORM);
    bench.pdc.faults().add(Rule::always(Trouble::ResetBefore).of_method("POST").times(1));
    assert!(bench.run(&["import", &platform]).unwrap_err().to_string().contains("may have been done"));
    assert!(
        bench.run(&["import", &platform]).unwrap().contains("platform:f40:1:00000000 is there, inactive")
    );
}

#[test]
fn whoever_may_not_write_is_told_by_pdc() {
    let mut bench = Bench::new();
    let file = bench.file("b.yaml", BOOTSTRAP);
    for (token, wanted) in [
        (READER, "PDC does not allow it (403): You do not have permission to perform this action."),
        ("geheim", "PDC does not allow it (401): Invalid token.\nWrites need a good token: "),
    ] {
        bench.token = token;
        let stop = bench.run(&["import", &file]).unwrap_err();
        assert_eq!(stop.exit(), Exit::Failed);
        let told = stop.to_string();
        assert!(told.contains(wanted) && !told.contains(token), "{told}");
    }
    assert_eq!(bench.uids().len(), 0);
}

#[test]
fn a_pdc_that_is_away_is_trouble_of_the_machine() {
    let bench = Bench::new();
    let file = bench.file("b.yaml", BOOTSTRAP);
    bench.pdc.faults().set_down(true);
    let stop = bench.run(&["import", &file]).unwrap_err();
    assert_eq!(stop.exit(), Exit::Machine);
    assert!(!stop.to_string().contains("may have been done"), "{stop}");
}

#[test]
fn a_pdc_of_the_first_days_takes_what_has_no_context() {
    let bench = Bench::with(Flavour::WithoutContexts);
    let file = bench.file("b.yaml", BOOTSTRAP);
    bench.run(&["import", &file]).unwrap();
    assert!(bench.run(&["import", &file]).unwrap().contains("is there already"));
    let platform = bench.file("p.yaml", PLATFORM);
    let stop = bench.run(&["import", &platform]).unwrap_err();
    assert!(stop.to_string().contains("too old to keep contexts") && stop.exit() == Exit::Failed, "{stop}");
}
