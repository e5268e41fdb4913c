//! Options, files and documents that are wrong: exit status 2, nothing built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mbs_tests::Ran;
use mbs_tests::built::mbs_build;
use mbs_tests::needed::{can_build, left_out};
use mbs_tests::small_module::{Content, SmallModule};
use mbs_tests::within::run_within_limit;

use super::{assert_a_later_run_works, assert_says};

const WRONG: i32 = 2;

fn module() -> SmallModule {
    SmallModule::new(&[("alone", Content::Bytes(100))]).unwrap()
}

/// Runs the good document with more options.
fn run(module: &SmallModule, options: &[&str]) -> Ran {
    run_within_limit(module.local("small.yaml").args(options)).unwrap()
}

/// Runs another document.
fn run_document(module: &SmallModule, text: &str) -> Ran {
    module.write_document("other.yaml", text).unwrap();
    run_within_limit(&mut module.local("other.yaml")).unwrap()
}

#[test]
fn wrong_options_are_named_and_spoil_nothing() {
    if !can_build() {
        return;
    }
    let module = module();
    assert_says(&run(&module, &["--nosuch"]), WRONG, &["'--nosuch'", "--help"]);
    let platform = ["local", "small.yaml", "--results", "results", "--platform", "f40"];
    let platform = run_within_limit(module.command().args(platform)).unwrap();
    assert_says(&platform, WRONG, &["--platform", "\"f40\"", "name:stream"]);
    assert_says(&run(&module, &["--resume", "--fresh"]), WRONG, &["--resume", "--fresh"]);
    assert_says(&run(&module, &["--jobs", "0"]), WRONG, &["--jobs"]);
    assert_says(&run(&module, &["--srpm", "no.src.rpm"]), WRONG, &["no.src.rpm does not exist"]);
    assert_says(&run(&module, &["--requires", "absent:1"]), WRONG, &["absent"]);
    let unknown = run(&module, &["-l", "absent:1"]);
    assert_says(&unknown, WRONG, &["no finished build of absent:1", "results directory"]);
    assert_says(
        &run(&module, &["--resume"]),
        WRONG,
        &["nothing to resume", "small:1 was not built here yet"],
    );
    assert_a_later_run_works(&module);
    assert_says(&run(&module, &["--resume"]), WRONG, &["nothing to resume", "is ready"]);
    assert_a_later_run_works(&module);
}

#[test]
fn a_missing_file_is_named_with_what_to_do() {
    if !can_build() {
        return;
    }
    let module = module();
    let missing = ["local", "--file", "missing.yaml", "--results", "results"];
    let ran = run_within_limit(module.command().args(missing)).unwrap();
    assert_says(&ran, WRONG, &["missing.yaml does not exist", "Specify --file"]);
    // Without a file it is the one named like the folder.
    let folder = module.path("").file_name().unwrap().to_string_lossy().into_owned();
    let ran = run_within_limit(module.command().args(["local", "--results", "results"])).unwrap();
    assert_says(&ran, WRONG, &[&format!("{folder}.yaml does not exist"), "Specify --file or check pwd"]);
    let ran = run_within_limit(&mut module.local("alone")).unwrap();
    assert_says(&ran, WRONG, &["is a folder, not a document"]);
    assert!(!module.results().exists(), "results were made for nothing");
    assert_a_later_run_works(&module);
}

#[test]
fn a_bad_document_is_answered_with_the_place() {
    if !can_build() {
        return;
    }
    let module = module();
    let good = module.document();
    let no_yaml = run_document(&module, &good.replace("version: 2", "version: [2"));
    assert_says(&no_yaml, WRONG, &["other.yaml:3:", "this is no YAML"]);
    let wrong_key = run_document(&module, &good.replace("license:\n    module: [MIT]", "license: 3"));
    assert_says(&wrong_key, WRONG, &["other.yaml:8:", "license"]);
    let two = run_document(&module, &format!("{good}---\n{good}"));
    assert_says(&two, WRONG, &["other.yaml:", "one document, this is a second one"]);
    assert_says(&run_document(&module, ""), WRONG, &["other.yaml", "there is no document"]);
    fs::write(module.path("other.yaml"), b"document: \xff\n").unwrap();
    let no_text = run_within_limit(&mut module.local("other.yaml")).unwrap();
    assert_says(&no_text, WRONG, &["other.yaml", "UTF-8"]);
    assert_a_later_run_works(&module);
}

#[test]
fn a_choice_of_streams_names_the_option_that_makes_it() {
    if !can_build() {
        return;
    }
    let module = module();
    let open = module
        .document()
        .replace("buildrequires: {platform: []}", "buildrequires: {platform: [], other: [1, 2]}");
    let ambiguous = run_document(&module, &open);
    assert_says(&ambiguous, WRONG, &["module other (1, 2)", "choose one with -s module_name:module_stream"]);
    let fixed = run_within_limit(module.local("other.yaml").args(["-s", "other:2"])).unwrap();
    assert_says(&fixed, WRONG, &["Cannot find any module builds for other:2", "-l other:2"]);
    assert_a_later_run_works(&module);
}

#[test]
fn results_that_are_no_folder_are_named() {
    if !can_build() {
        return;
    }
    let module = module();
    for wrong in ["small.yaml", "small.yaml/below"] {
        let mut command = module.command();
        command.args(module.arguments("small.yaml", &module.path(wrong)));
        let ran = run_within_limit(&mut command).unwrap();
        assert_says(&ran, WRONG, &["small.yaml is no folder", "--results"]);
    }
    assert_a_later_run_works(&module);
}

#[test]
fn without_a_command_the_help_is_shown() {
    let ran = run_within_limit(&mut Command::new(mbs_build())).unwrap();
    assert_says(&ran, WRONG, &["Usage:", "local", "validate"]);
    assert_eq!(ran.out, "");
    let ran = run_within_limit(Command::new(mbs_build()).arg("nosuch")).unwrap();
    assert_says(&ran, WRONG, &["'nosuch'", "Usage:"]);
}

fn validate(arguments: &[&str], documents: &[PathBuf]) -> Ran {
    run_within_limit(Command::new(mbs_build()).arg("validate").args(arguments).args(documents)).unwrap()
}

/// Returns documents of the reference folder; `None` if it is not there.
fn reference(name: &str) -> Option<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/modulemd/documents");
    let path = Path::new(root).join(name);
    if path.is_file() { Some(path) } else { left_out(&format!("{} is not there", path.display())) }
}

#[test]
fn documents_are_validated_with_their_places() {
    let (Some(good), Some(bad)) = (reference("dependson_v2.yaml"), reference("bad_stream_v2.yaml")) else {
        return;
    };
    let ran = validate(&[], std::slice::from_ref(&good));
    assert_eq!((ran.status, ran.out.as_str()), (Some(0), ""), "{ran:#?}");
    let place = format!("{}:13:12: data.context: ", bad.display());
    // A bad one, and one that is missing, keep nobody from looking at the others.
    let ran = validate(&[], &["missing.yaml".into(), bad.clone(), good]);
    assert_says(&ran, WRONG, &["missing.yaml does not exist"]);
    assert!(ran.out.starts_with(&place), "{ran:#?}");
    let ran = validate(&["--json"], &[bad]);
    let problem: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!((ran.status, &problem["line"], &problem["severity"]), (Some(2), &13.into(), &"error".into()));
}

#[test]
fn the_standard_input_is_validated_too() {
    let module = module();
    for (text, status) in [(module.document(), 0), ("document: nosuch\n".to_owned(), 2)] {
        module.write_document("input.yaml", &text).unwrap();
        let mut command = Command::new(mbs_build());
        command.args(["validate", "-"]).stdin(fs::File::open(module.path("input.yaml")).unwrap());
        let ran = Ran::from(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(ran.status, Some(status), "{ran:#?}");
        assert_eq!(ran.out.starts_with("<stdin>:"), status == 2, "{ran:#?}");
    }
}
