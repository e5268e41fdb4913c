//! Can an operator bring the first modules into PDC, and out again, whatever happens on the way?

#![expect(clippy::unwrap_used, reason = "what a test cannot do without fails it")]

mod genuine_client;
mod terminal;
mod walk;

use mbs_core::ident::Version;
use mbs_local::clock::SystemClock;
use mbs_pdc::api::{Entries, Entry, Face, Filter};
use mbs_pdc::client::Pdc;
use mbs_pdc::fake_server::{Rule, Trouble};
use mbs_pdc::server::{Login, Server};
use mbs_tests::Ran;
use mbs_tests::pdc::{PdcSite, READER};

const BOOTSTRAP: &str = "document: modulemd
version: 1
data:
  name: bootstrap
  stream: master
  version: 9
  summary: The first module
  description: Filled by release engineering.
  license: {module: [MIT]}
  profiles:
    buildroot: {rpms: [bash, gcc]}
    srpm-buildroot: {rpms: [bash]}
  xmd:
    mbs:
      commit: 0123456789abcdef0123456789abcdef01234567
      buildrequires: {}
      koji_tag: module-bootstrap-master
";

fn site() -> PdcSite {
    PdcSite::new().unwrap()
}

/// Writes the document of a version.
fn document(site: &PdcSite, version: u64) -> String {
    let text = BOOTSTRAP.replace("version: 9", &format!("version: {version}"));
    site.write_document(&format!("bootstrap-{version}.yaml"), &text).unwrap();
    format!("bootstrap-{version}.yaml")
}

/// Runs `mbs-manager pdc`, which has to be done, and returns what it prints.
fn done(site: &PdcSite, arguments: &[&str]) -> String {
    let ran = site.run(arguments).unwrap();
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{arguments:?}: {ran:?}");
    ran.out
}

fn assert_stops(ran: &Ran, status: i32, sentences: &[&str]) {
    assert_eq!(ran.status, Some(status), "{ran:?}");
    for sentence in sentences {
        assert!(ran.err.contains(sentence), "{sentence:?} is missing in {ran:?}");
    }
    let has_token = |text: &str| {
        ["bbbb", "cccc", "dddd", "eeee"].iter().any(|letters| text.contains(&letters.repeat(10)))
    };
    assert!(!has_token(&ran.err) && !has_token(&ran.out), "the token was printed: {ran:?}");
}

/// Returns the version that a service finds, as it looks.
fn found(site: &PdcSite) -> Option<String> {
    let server = Server::new(site.pdc.url(), Login::Anonymous);
    let pdc = Pdc::new(&server, std::sync::Arc::new(SystemClock::new())).unwrap();
    let active = Filter {
        name: Some("bootstrap".into()),
        stream: Some("master".into()),
        active: Some(true),
        ..Filter::default()
    };
    let entries = Entries::new(pdc, Face::Variants);
    let all = site.runtime.block_on(entries.find(&active)).unwrap();
    let number = |entry: &Entry| entry.version.parse::<Version>().unwrap();
    all.into_iter().max_by_key(number).map(|entry| entry.version)
}

#[test]
fn a_module_is_found_from_its_activation_to_its_withdrawal() {
    let site = site();
    done(&site, &["import", &document(&site, 9), "--yes"]);
    assert_eq!(found(&site), None);
    let told = done(&site, &["activate", "bootstrap-master-9", "--yes"]);
    assert!(told.contains("services will find version 9 of bootstrap:master"), "{told}");
    assert_eq!(found(&site).as_deref(), Some("9"));
    done(&site, &["import", &document(&site, 10), "--yes"]);
    assert_eq!(found(&site).as_deref(), Some("9"));
    done(&site, &["activate", "bootstrap-master-10", "--yes"]);
    assert_eq!(found(&site).as_deref(), Some("10"));
    let told = done(&site, &["deactivate", "bootstrap-master-10", "--yes"]);
    assert!(told.contains("will find version 9 of bootstrap:master; so far they find version 10"), "{told}");
    assert_eq!(found(&site).as_deref(), Some("9"));
    let listed = done(&site, &["list", "--name", "bootstrap", "--active", "yes", "--json"]);
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn every_command_can_be_given_again() {
    let site = site();
    let file = document(&site, 9);
    for (command, again) in [
        (
            &["import", &file, "--yes"][..],
            "bootstrap-9.yaml: bootstrap-master-9 is there already, inactive\n",
        ),
        (&["activate", "bootstrap-master-9", "--yes"], "bootstrap-master-9 is active already\n"),
        (&["retag", "bootstrap-master-9", "f40", "--yes"], "bootstrap-master-9 has the tag f40 already\n"),
        (&["deactivate", "bootstrap-master-9", "--yes"], "bootstrap-master-9 is inactive already\n"),
    ] {
        done(&site, command);
        site.pdc.reset_requests();
        assert_eq!(done(&site, command), again);
        assert!(site.pdc.requests().iter().all(|seen| seen.method == "GET"));
    }
    // By then the tag is another one than the document's.
    let ran = site.run(&["import", &file, "--yes"]).unwrap();
    assert_stops(
        &ran,
        1,
        &["another entry, bootstrap-master-9", "koji_tag: f40 in PDC, module-bootstrap-master here"],
    );
}

#[test]
fn a_pdc_that_dies_after_the_effect_leaves_a_doubt_that_a_repetition_settles() {
    let site = site();
    let file = document(&site, 9);
    site.pdc.faults().add(Rule::always(Trouble::ResetAfter).of_method("POST").times(1));
    let ran = site.run(&["import", &file, "--yes"]).unwrap();
    assert_stops(
        &ran,
        3,
        &["PDC cannot be reached", "It may have been done all the same", "Give the same command again"],
    );
    assert_eq!(
        done(&site, &["import", &file, "--yes"]),
        "bootstrap-9.yaml: bootstrap-master-9 is there already, inactive\n"
    );
    assert_eq!(site.pdc.rows().len(), 1);
    site.pdc.faults().add(Rule::always(Trouble::HalfBody).of_method("PATCH").times(1));
    let ran = site.run(&["activate", "bootstrap-master-9", "--yes"]).unwrap();
    assert_stops(&ran, 3, &["It may have been done all the same"]);
    assert_eq!(
        done(&site, &["activate", "bootstrap-master-9", "--yes"]),
        "bootstrap-master-9 is active already\n"
    );
}

#[test]
fn nothing_happens_where_nobody_can_be_asked() {
    let site = site();
    let ran = site.run(&["import", &document(&site, 9)]).unwrap();
    assert_stops(&ran, 2, &["the standard input is no terminal", "--yes"]);
    assert!(ran.out.contains("bootstrap-master-9 becomes an entry of PDC"), "{ran:?}");
    assert_eq!(site.pdc.rows().len(), 0);
}

#[test]
fn what_is_wrong_with_the_command_or_a_document_is_said_before_pdc_is_asked() {
    let site = site();
    let good = document(&site, 9);
    site.write_document("bad.yaml", &BOOTSTRAP.replace("license: {module: [MIT]}", "license: MIT")).unwrap();
    for (command, sentences) in [
        (&["import"][..], &["<FILE>"][..]),
        (&["import", &good, "bad.yaml", "--yes"], &["bad.yaml:9:12: data.license: "]),
        (&["import", "missing.yaml"], &["missing.yaml does not exist"]),
        (&["list", "--active", "perhaps"], &["'perhaps'", "yes|no"]),
        (&["list", "--build-dep", ":f40"], &["it must be NAME or NAME:STREAM"]),
        (&["retag", "a", "no tag"], &["\"no tag\" is no valid tag name"]),
        (&["show", "a", "--comment", "two\nlines"], &["PDC takes one line of ASCII characters"]),
    ] {
        assert_stops(&site.run(command).unwrap(), 2, sentences);
    }
    let mut nowhere = site.manager(&["list"]);
    let ran = mbs_tests::within::run_within_limit(nowhere.env_remove("MBS_PDC")).unwrap();
    assert_stops(&ran, 2, &["which PDC? Say --server NAME", "MBS_PDC"]);
    assert_eq!(site.pdc.requests().len(), 0);
}

#[test]
fn tokens_come_from_files_that_nobody_else_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = site();
    let file = document(&site, 9);
    let token = site.path("token");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = site.run(&["import", &file, "--yes"]).unwrap();
    assert_stops(&ran, 3, &["the token file token is open to others", "chmod 600 token"]);
    site.write_token(READER).unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ran = site.run(&["import", &file, "--yes"]).unwrap();
    assert_stops(
        &ran,
        1,
        &["PDC does not allow it (403): You do not have permission to perform this action."],
    );
    site.write_token("e").unwrap();
    let ran = site.run(&["import", &file, "--yes"]).unwrap();
    assert_stops(&ran, 1, &["PDC does not allow it (401): Invalid token."]);
    assert_eq!(site.pdc.rows().len(), 0);
    // What only looks is not spoiled by it.
    assert_eq!(done(&site, &["list"]), "PDC has no such module\n");
    let shown = done(&site, &["import", &file, "--dry-run"]);
    assert!(
        shown
            .contains("\nPOST unreleasedvariants/\nPDC-Change-Comment: mbs-manager pdc import, by anna\n{\n"),
        "{shown}"
    );
}

#[test]
fn servers_have_names_in_pdcs_own_configuration() {
    let site = site();
    let folder = site.path(".config/pdc");
    std::fs::create_dir_all(&folder).unwrap();
    let described = serde_json::json!({"here": {"host": site.pdc.url(), "token": "b".repeat(40)}});
    std::fs::write(folder.join("client_config.json"), described.to_string()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = site.command(mbs_tests::built::mbs_manager());
        mbs_tests::within::run_within_limit(command.args(["pdc", "--server"]).args(arguments)).unwrap()
    };
    let ran = run(&["here", "import", &document(&site, 9), "--yes"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let who: Vec<_> = site.pdc.requests().into_iter().filter_map(|seen| seen.user).collect();
    assert!(!who.is_empty() && who.iter().all(|user| user == "module-bot"), "{who:?}");
    assert_stops(&run(&["there", "list"]), 3, &["no PDC server `there` is described in", "known ones: here"]);
    assert_stops(&run(&["https://me:geheim@pdc/", "list"]), 3, &["holds a user's name or password"]);
}
