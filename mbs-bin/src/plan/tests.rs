//! The examples for planning, against the modules of a whole distribution.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::cli::{Arguments, Command};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/plans");

/// Runs the command, and returns what it prints or why it stops.
fn planned(arguments: &[&str]) -> Result<String, Stop> {
    let arguments = Arguments::try_parse_from([&["mbs-build", "plan"], arguments].concat()).unwrap();
    let Some(Command::Plan(arguments)) = arguments.command else { panic!("it is another command") };
    let mut out = Vec::new();
    run(&arguments, &mut out).map(|_| String::from_utf8(out).unwrap())
}

/// The modules of Fedora 29; `None`, with a word why, where the reference is missing and not required.
fn fedora() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/modulemd/documents/f29.yaml");
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "{} is missing", path.display());
    eprintln!("{} is missing; nothing was planned", path.display());
    None
}

fn examples() -> Vec<PathBuf> {
    let all = fs::read_dir(EXAMPLES).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> =
        all.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    all.sort();
    all
}

/// Replaces the time in the version of a document that has none.
fn without_time(text: &str) -> String {
    let mut parts = text.split(":29");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        clean.push_str(":29");
        clean.push_str(if digits == 14 { "<time>" } else { &part[..digits] });
        clean.push_str(&part[digits..]);
    }
    clean
}

/// What the examples come to stands beside them, for people to read. `MBS_WRITE_TRANSCRIPT=1` writes it anew.
#[test]
fn every_example_comes_to_what_stands_beside_it() {
    let Some(fedora) = fedora() else { return };
    let mut transcript = String::new();
    let examples = examples();
    assert!(examples.len() >= 10);
    for example in &examples {
        let name = example.file_name().unwrap().to_string_lossy().into_owned();
        let came = planned(&[&example.display().to_string(), "-m", &fedora.display().to_string()]);
        let came = came.unwrap_or_else(|stop| format!("ERROR: {stop}\n"));
        transcript.push_str(&format!("$ mbs-build plan {name} -m f29.yaml\n{}\n", without_time(&came)));
    }
    let file = Path::new(EXAMPLES).join("TRANSCRIPT.txt");
    if std::env::var_os("MBS_WRITE_TRANSCRIPT").is_some() {
        fs::write(&file, &transcript).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap();
    for (ours, theirs) in transcript.lines().zip(written.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(transcript.len(), written.len());
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

const ON_PLATFORM: &str =
    "dependencies: [{buildrequires: {platform: ['1.10']}, requires: {platform: ['1.10']}}]";

fn document(name: &str, version: u64, more: &[&str]) -> String {
    let more: String = more.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "document: modulemd
version: 2
data:
  name: {name}
  stream: '1.10'
  version: {version}
  summary: A module
  description: A module.
  license: {{module: [MIT]}}
  components: {{rpms: {{bash: {{rationale: r, ref: main}}}}}}
{more}"
    )
}

/// A folder with a base module and a build of `app`, and a document to plan that is none of these.
fn universe() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let built = format!(
        "xmd: {{mbs: {{buildrequires: {{platform: {{stream: '1.10'}}}}, rpms: {{bash: {{ref: {COMMIT}}}}}}}}}"
    );
    write("platform.yaml", document("platform", 1, &["context: '00000000'"]));
    write("app.yaml", document("app", 3, &["context: abc", &built, ON_PLATFORM]));
    write("new.txt", document("app", 4, &[ON_PLATFORM]));
    folder
}

#[test]
fn a_program_gets_all_of_it_as_json() {
    let folder = universe();
    let document = folder.path().join("new.txt").display().to_string();
    let text = planned(&[&document, "-m", &folder.path().display().to_string(), "--json"]).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let build = &report["builds"][0];
    assert_eq!(build["buildrequires"][0]["nsvc"], "platform:1.10:1:00000000");
    assert_eq!(build["reuse_from"], "app:1.10:3:abc");
    assert_eq!(build["requires"], serde_json::json!([{ "platform": ["1.10"] }]));
    let component = &build["components"][0];
    assert_eq!((&component["package"], &component["is_built"]), (&"bash".into(), &false.into()));
    assert!(component["fate"].as_str().unwrap().starts_with("reused, if its ref is still 0123"));
    assert_eq!((&build["cost"], &report["warnings"]), (&0.0.into(), &serde_json::json!([])));
    assert_eq!(build["exists"], false);
}

#[test]
fn what_is_there_already_and_what_was_skipped_is_said() {
    let folder = universe();
    fs::write(folder.path().join("broken.yaml"), "document: modulemd\nversion: 2\ndata: 1\n").unwrap();
    let again = folder.path().join("again.txt").display().to_string();
    fs::write(&again, document("app", 3, &["context: abc", "static_context: true", ON_PLATFORM])).unwrap();
    fs::write(folder.path().join("there.yaml"), document("app", 1103, &["context: abc", ON_PLATFORM]))
        .unwrap();
    let modules = folder.path().display().to_string();
    let text = planned(&[&again, "-m", &modules]).unwrap();
    assert!(text.contains("app:1.10:1103:abc, which is there already\n"), "{text}");
    let report: Value = serde_json::from_str(&planned(&[&again, "-m", &modules, "--json"]).unwrap()).unwrap();
    assert_eq!(report["builds"][0]["exists"], true);
    assert!(report["warnings"][0].as_str().unwrap().contains("broken.yaml:3:"), "{report}");
}

#[test]
fn a_bad_document_is_named_with_its_line() {
    let folder = universe();
    let bad = folder.path().join("bad.txt").display().to_string();
    fs::write(&bad, "document: modulemd\nversion: 2\ndata: 1\n").unwrap();
    let stop = planned(&[&bad, "-m", &folder.path().display().to_string()]).unwrap_err();
    assert!(stop.to_string().contains(&format!("{bad}:3:")), "{stop}");
}

#[test]
fn that_nobody_reads_on_is_no_error() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = universe();
    let document = folder.path().join("new.txt").display().to_string();
    let modules = folder.path().display().to_string();
    let arguments = Arguments::try_parse_from(["mbs-build", "plan", &document, "-m", &modules]).unwrap();
    let Some(Command::Plan(arguments)) = arguments.command else { panic!("it is another command") };
    assert_eq!(run(&arguments, &mut Closed), Ok(Exit::Done));
}

#[test]
fn streams_and_strategy_can_be_given() {
    let folder = universe();
    let document = folder.path().join("new.txt").display().to_string();
    let modules = folder.path().display().to_string();
    let all = planned(&[&document, "-m", &modules, "--rebuild-strategy", "all", "--stream", "2"]).unwrap();
    assert!(all.contains("app:2:") && all.contains("built: the rebuild strategy is \"all\""), "{all}");
    let stop = planned(&[&document, "-m", &modules, "--buildrequires", "platform:2"]).unwrap_err();
    assert!(stop.to_string().ends_with("Missing streams are (platform:2)."), "{stop}");
    let stop = planned(&[&document, "-m", &modules, "--rebuild-strategy", "none"]).unwrap_err();
    assert!(stop.to_string().contains("Choose from: all, changed-and-after, only-changed"), "{stop}");
}

#[test]
fn what_is_missing_is_named() {
    let folder = universe();
    let document = folder.path().join("new.txt").display().to_string();
    let stop = planned(&[&document, "-m", "/no/such/folder"]).unwrap_err();
    assert_eq!(stop, Stop::Usage("/no/such/folder does not exist".to_owned()));
    let stop = planned(&["/no/such/file", "-m", &folder.path().display().to_string()]).unwrap_err();
    assert_eq!(stop, Stop::Usage("/no/such/file does not exist".to_owned()));
}

/// A PDC with the same base module and a build of `lib`, and a document that needs both.
async fn pdc() -> (mbs_pdc::fake_server::FakePdc, TempDir) {
    use mbs_pdc::fake_server::{FakePdc, NewRow, Setup};

    let pdc = FakePdc::start(Setup::default()).await.unwrap();
    let built =
        "xmd: {mbs: {buildrequires: {platform: {stream: '1.10', version: '1', context: '00000000'}}}}";
    for (name, version, more) in [("platform", "1", &[][..]), ("lib", "7", &[built, ON_PLATFORM][..])] {
        let modulemd = document(name, version.parse().unwrap(), more);
        pdc.plant(NewRow { active: true, modulemd, ..NewRow::new(name, "1.10", version) });
    }
    let folder = universe();
    let needs =
        "dependencies: [{buildrequires: {platform: ['1.10'], lib: []}, requires: {platform: ['1.10']}}]";
    fs::write(folder.path().join("needs.txt"), document("needs", 1, &[needs])).unwrap();
    (pdc, folder)
}

#[test]
fn what_files_lack_is_found_in_pdc_and_said_so() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (pdc, folder) = runtime.block_on(pdc());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (needs, platform, url) = (path("needs.txt"), path("platform.yaml"), pdc.url());
    let told = planned(&[&needs, "-m", &platform, "--pdc", &url]).unwrap();
    let lines: Vec<&str> = told.lines().filter(|line| line.contains(", found in ")).map(str::trim).collect();
    assert_eq!(
        lines.iter().map(|line| line.split_whitespace().next().unwrap()).collect::<Vec<_>>(),
        ["lib:1.10:7:00000000", "platform:1.10:1:00000000"],
        "{told}"
    );
    assert!(lines[0].ends_with(", found in PDC") && lines[1].ends_with(", found in files"), "{told}");
    let json: Value = serde_json::from_str(&planned(&[&needs, "--pdc", &url, "--json"]).unwrap()).unwrap();
    assert_eq!(
        json["builds"][0]["buildrequires"][0].get("found_in"),
        None,
        "there is one place only: {json}"
    );
    // Only the places that the key names are asked, in its order.
    let told = planned(&[&needs, "-m", &platform, "--pdc", &url, "--resolver", "pdc,files"]).unwrap();
    assert_eq!(told.matches(", found in PDC").count(), 2, "{told}");
    pdc.reset_requests();
    let refused = planned(&[&needs, "-m", &platform, "--pdc", &url, "--resolver", "files"]).unwrap_err();
    assert!(refused.to_string().contains("lib") && pdc.requests().is_empty(), "{refused}");
}

#[test]
fn a_place_that_is_named_must_be_given_and_a_pdc_that_is_away_is_trouble_of_the_machine() {
    let folder = universe();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let stop = planned(&[&path("new.txt"), "-m", &path("platform.yaml"), "--resolver", "files,pdc"]);
    assert!(
        matches!(&stop, Err(Stop::Usage(what)) if what.ends_with("looked up in PDC, but which? Say --pdc")),
        "{stop:?}"
    );
    let stop = planned(&[&path("new.txt"), "--pdc", "nowhere"]);
    assert!(
        matches!(&stop, Err(Stop::Usage(what)) if what.starts_with("no PDC server `nowhere`")),
        "{stop:?}"
    );
    let stop = planned(&[&path("new.txt"), "--pdc", "http://127.0.0.1:1/rest_api/v1"]);
    assert!(matches!(&stop, Err(Stop::Machine(what)) if what.contains("PDC cannot be reached")), "{stop:?}");
}
