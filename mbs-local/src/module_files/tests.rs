use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use mbs_core::engine::expand;
use mbs_core::expansion::{BaseFit, Choices, Expansion, Universe};
use mbs_core::modulemd::Dependencies;
use mbs_core::policy::Policy;
use tempfile::TempDir;

use super::*;
use crate::testing::left_out;

const F29: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/modulemd/documents/f29.yaml");

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A stream document of a module, with what it requires at run time: a pair each, as flow maps.
fn document(nsvc: &str, pairs: &[&str]) -> String {
    let mut parts = nsvc.split(':');
    let mut text = "---\ndocument: modulemd\nversion: 2\ndata:\n".to_owned();
    for key in ["name", "stream", "version", "context"] {
        text.extend(parts.next().map(|part| format!("  {key}: {part}\n")));
    }
    text.push_str("  summary: a\n  description: b\n  license: {module: [MIT]}\n");
    if !pairs.is_empty() {
        text.push_str("  dependencies:\n");
        text.extend(pairs.iter().map(|pair| format!("  - requires: {pair}\n")));
    }
    text + "...\n"
}

/// A folder with these files.
fn folder(files: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(paths: &[&Path]) -> Result<ModuleFiles, ModuleFilesError> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    ModuleFiles::read(&paths, &[id("platform")])
}

/// What one file says.
fn read_text(text: &str) -> Result<ModuleFiles, ModuleFilesError> {
    let folder = folder(&[("modules.yaml", text.to_owned())]);
    read(&[&folder.path().join("modules.yaml")])
}

fn nsvcs<'m>(modules: impl IntoIterator<Item = &'m KnownModule>) -> Vec<String> {
    modules.into_iter().map(|module| module.nsvc.to_string()).collect()
}

async fn latest(modules: &ModuleFiles, module: &str, lists: &[&[&str]]) -> Vec<String> {
    let list = |bases: &&[&str]| bases.iter().map(|base| id(base)).collect();
    let against = Against::FirstOf(lists.iter().map(list).collect());
    nsvcs(modules.latest(&[id(module)], &against).await.unwrap().values().flatten())
}

async fn streams(modules: &ModuleFiles, name: &str) -> Vec<String> {
    let streams = modules.streams(&[id(name)]).await.unwrap();
    streams.values().flatten().map(ToString::to_string).collect()
}

/// The modules of Fedora 29, or `None` after saying that the file is missing.
fn fedora() -> Option<ModuleFiles> {
    match read(&[Path::new(F29)]) {
        Err(ModuleFilesError::Missing { .. }) => left_out(&format!("{F29} is missing")),
        modules => Some(modules.unwrap()),
    }
}

#[tokio::test]
async fn the_modules_of_a_distribution_are_known_with_their_base_module() {
    let Some(modules) = fedora() else { return };
    assert!(modules.problems().is_empty(), "{:?}", modules.problems());
    let (bases, others): (Vec<_>, Vec<_>) =
        modules.all().partition(|build| build.nsvc.name.as_str() == "platform");
    assert_eq!((nsvcs(bases), others.len()), (vec!["platform:f29:1:00000000".to_owned()], 48));
    assert_eq!(streams(&modules, "perl").await, ["5.24", "5.26"]);
    assert_eq!(streams(&modules, "reviewboard").await, ["2.5", "3.0"]);
    let base: &[&str] = &["platform:f29:1:00000000"];
    assert_eq!(latest(&modules, "django:1.6", &[base]).await, ["django:1.6:20180828135711:6c81f848"]);
    assert_eq!(latest(&modules, "scala:2.10", &[base]).await, ["scala:2.10:20180702155503:819b5873"]);
    assert!(latest(&modules, "django:1.6", &[&["platform:f30:1:00000000"]]).await.is_empty());
}

#[tokio::test]
async fn a_document_that_requires_a_module_of_the_distribution_is_expanded() {
    let Some(modules) = fedora() else { return };
    let streams = |name: &str, stream: &str| (name.to_owned(), BTreeSet::from([stream.to_owned()]));
    let pair = Dependencies {
        buildrequires: [streams("platform", "f29"), streams("reviewboard", "3.0")].into(),
        requires: [streams("platform", "f29")].into(),
    };
    let document = ModuleStream { dependencies: vec![pair], ..ModuleStream::default() };
    let expansion = Expansion {
        document: &document,
        default_streams: &BTreeMap::new(),
        choices: Choices::Closed,
        base_fit: BaseFit::Required,
        policy: &Policy::default(),
    };
    let expansions = expand(&expansion, &modules, None, &mut Universe::default()).await.unwrap();
    let chosen = nsvcs(expansions.expanded[0].buildrequires.iter());
    assert!(chosen.contains(&"reviewboard:3.0:20180828143238:083bce86".to_owned()), "{chosen:?}");
    assert!(chosen.contains(&"platform:f29:1:00000000".to_owned()), "{chosen:?}");
}

#[tokio::test]
async fn streams_that_look_like_numbers_keep_their_spelling() {
    let modules =
        read_text(&(document("go:1.10:1:a", &["{platform: [1.10]}"]) + &document("go:1.1:1:a", &[])));
    let modules = modules.unwrap();
    assert_eq!(streams(&modules, "go").await, ["1.1", "1.10"]);
    assert_eq!(streams(&modules, "platform").await, ["1.10"]);
}

#[test]
fn what_a_document_leaves_out_is_zero_and_its_tag_is_in_xmd() {
    let tagged = document("app:1", &[]).replace("...\n", "  xmd: {mbs: {koji_tag: module-app}}\n...\n");
    let modules = read_text(&tagged).unwrap();
    let known = modules.all().next().unwrap();
    assert_eq!((known.nsvc.to_string().as_str(), known.is_ready), ("app:1:0:00000000", true));
    assert_eq!(known.tag, Some(id("module-app")));
    assert_eq!(known.document.context.as_deref(), Some("00000000"));
}

#[test]
fn a_broken_document_is_reported_with_its_place_and_the_rest_counts() {
    let broken = document("app:2:1:a", &[]).replace("summary: a", "summary: [a]");
    let nameless = document("app:3:1:a", &[]).replace("  name: app\n", "");
    let text = document("app:1:1:a", &[]) + &broken + &nameless + &document("app:4:1:a", &[]);
    let modules = read_text(&text).unwrap();
    assert_eq!(nsvcs(modules.all()), ["app:1:1:a", "app:4:1:a"]);
    let [broken, nameless] = modules.problems() else { panic!("{:?}", modules.problems()) };
    assert!(broken.contains("modules.yaml:21:12: data.summary: "), "{broken}");
    assert!(nameless.contains("modules.yaml:26:1: the module has no name"), "{nameless}");
}

#[test]
fn text_that_is_no_yaml_ends_its_file_only() {
    let folder = folder(&[
        ("a.yaml", document("app:1:1:a", &[]) + "---\n[\n"),
        ("b.yaml", "\u{0}".to_owned()),
        ("c.yml", document("app:2:1:a", &[])),
        ("notes.txt", document("app:3:1:a", &[])),
    ]);
    let modules = read(&[folder.path()]).unwrap();
    assert_eq!(nsvcs(modules.all()), ["app:1:1:a", "app:2:1:a"]);
    let problems = modules.problems();
    assert!(problems.len() == 2 && problems[0].contains("a.yaml:1"), "{problems:?}");
    assert!(problems[1].contains("b.yaml:1:1: "), "{problems:?}");
}

#[test]
fn documents_that_are_no_builds_are_passed_over() {
    let defaults = "---\ndocument: modulemd-defaults\nversion: 1\ndata: {module: app, stream: 1}\n...\n";
    let modules = read_text(&(defaults.to_owned() + &document("app:1:1:a", &[]))).unwrap();
    assert_eq!((nsvcs(modules.all()), modules.problems().len()), (vec!["app:1:1:a".to_owned()], 0));
    let nothing = read_text(defaults).unwrap_err();
    assert_eq!(nothing.to_string(), "there is no module document");
}

#[test]
fn a_path_that_does_not_exist_is_an_error_that_names_it() {
    let folder = folder(&[("a.yaml", document("app:1:1:a", &[]))]);
    let missing = folder.path().join("b.yaml");
    let error = read(&[folder.path(), &missing]).unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not exist", missing.display()));
    let below_a_file = folder.path().join("a.yaml/b.yaml");
    assert!(matches!(read(&[&below_a_file]), Err(ModuleFilesError::Missing { .. })));
}

#[test]
fn nothing_at_all_is_an_error_that_says_why() {
    let error = read_text("data: [\n").unwrap_err().to_string();
    assert!(error.starts_with("there is no module document\n") && error.contains("modules.yaml:"), "{error}");
    let empty = folder(&[]);
    assert!(matches!(read(&[empty.path()]), Err(ModuleFilesError::Nothing { .. })));
}

#[test]
fn the_first_of_two_documents_of_one_build_counts() {
    let tagged = |tag: &str| {
        document("app:1:1:a", &[]).replace("...\n", &format!("  xmd: {{mbs: {{koji_tag: {tag}}}}}\n...\n"))
    };
    let (first, second) = (folder(&[("z.yaml", tagged("first"))]), folder(&[("a.yaml", tagged("second"))]));
    let modules = read(&[first.path(), second.path()]).unwrap();
    assert_eq!(modules.all().next().unwrap().tag, Some(id("first")));
    let [problem] = modules.problems() else { panic!("{:?}", modules.problems()) };
    assert!(problem.contains("a.yaml:2:1: app:1:1:a is in ") && problem.contains("z.yaml:2:1"), "{problem}");
    let twice = read(&[first.path(), &first.path().join("z.yaml")]).unwrap();
    assert!(twice.problems().is_empty(), "one file named twice is one file");
    let same = folder(&[("copy.yaml", tagged("first"))]);
    let copied = read(&[first.path(), same.path()]).unwrap();
    assert!(copied.problems().is_empty(), "what two places say alike is no problem");
}

#[test]
fn the_order_of_files_in_a_folder_does_not_matter() {
    let names = ["b.yaml", "a/a.yaml", "a.yaml", "c/d/e/f.yml"];
    let of = |name: &str| document(&format!("app:{}:1:a", name.len()), &[&format!("{{of: ['{name}']}}")]);
    let files = names.map(|name| (name, of(name)));
    let mut backwards = files.clone();
    backwards.reverse();
    let (one, other) = (folder(&files), folder(&backwards));
    let built = |folder: &TempDir| nsvcs(read(&[folder.path()]).unwrap().all());
    assert_eq!(built(&one), built(&other));
    let places = |folder: &TempDir| {
        let problems = read(&[folder.path()]).unwrap().problems().join("\n");
        problems.replace(&folder.path().display().to_string(), "")
    };
    assert_eq!(places(&one), places(&other));
    assert!(places(&one).contains("/b.yaml:2:1: app:6:1:a is in /a.yaml:2:1"), "{}", places(&one));
}

#[test]
fn folders_that_are_hidden_or_too_deep_are_not_read() {
    let folder = folder(&[
        ("a/b/c/deep.yaml", document("app:1:1:a", &[])),
        ("a/b/c/d/deeper.yaml", document("app:2:1:a", &[])),
        (".git/hidden.yaml", document("app:3:1:a", &[])),
    ]);
    let modules = read(&[folder.path()]).unwrap();
    assert_eq!(nsvcs(modules.all()), ["app:1:1:a"]);
    let [problem] = modules.problems() else { panic!("{:?}", modules.problems()) };
    assert!(problem.contains("a/b/c/d: it is more than 3 folders deep"), "{problem}");
}

#[test]
fn links_are_followed_within_their_folder_only() {
    let outside = folder(&[("out.yaml", document("app:9:1:a", &[]))]);
    let inside = folder(&[("a.yaml", document("app:1:1:a", &[]))]);
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, inside.path().join(name)).unwrap();
    link(&outside.path().join("out.yaml"), "b.yaml");
    link(&inside.path().join("a.yaml"), "c.yaml");
    link(outside.path(), "d");
    link(inside.path(), "e");
    let modules = read(&[inside.path()]).unwrap();
    assert_eq!(nsvcs(modules.all()), ["app:1:1:a"]);
    let [problem] = modules.problems() else { panic!("{:?}", modules.problems()) };
    assert!(problem.contains("b.yaml: it is a link that leads out"), "{problem}");
}

#[test]
fn compressed_files_are_unpacked() {
    let folder = folder(&[("cut.yaml.gz", String::new())]);
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(document("app:1:1:a", &[]).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    fs::write(folder.path().join("modules.yaml.gz"), &packed).unwrap();
    fs::write(folder.path().join("cut.yaml.gz"), &packed[..packed.len() / 2]).unwrap();
    let modules = read(&[folder.path()]).unwrap();
    assert_eq!(nsvcs(modules.all()), ["app:1:1:a"]);
    let [cut] = modules.problems() else { panic!("{:?}", modules.problems()) };
    assert!(cut.contains("cut.yaml.gz: "), "{cut}");
    let path = folder.path().join("modules.yaml.gz");
    let too_long = walk::read(&path, packed.len()).unwrap_err();
    assert_eq!(too_long, format!("it is longer than {} bytes", packed.len()), "unpacked");
}

#[tokio::test]
async fn a_build_counts_for_every_base_on_which_one_of_its_pairs_runs() {
    let text = document("perl:5:1:a", &["{platform: [f28]}"])
        + &document("perl:5:2:a", &["{platform: [f29]}", "{platform: [f30]}"])
        + &document("perl:5:2:b", &["{platform: [-f29]}"])
        + &document("php:7:1:a", &[])
        + &document("java:8:1:a", &["{php: [7]}"]);
    let modules = read_text(&text).unwrap();
    let [f28, f29, f30] = ["platform:f28:1:00000000", "platform:f29:1:00000000", "platform:f30:7:c"];
    assert_eq!(streams(&modules, "platform").await, ["f28", "f29", "f30"]);
    assert_eq!(latest(&modules, "perl:5", &[&[f28]]).await, ["perl:5:2:b"]);
    assert_eq!(latest(&modules, "perl:5", &[&[f29]]).await, ["perl:5:2:a"]);
    assert_eq!(latest(&modules, "perl:5", &[&[f30, f29]]).await, ["perl:5:2:a", "perl:5:2:b"]);
    assert_eq!(latest(&modules, "perl:5", &[&[f28], &[f29]]).await, ["perl:5:2:a", "perl:5:2:b"]);
    assert_eq!(latest(&modules, "php:7", &[&[f28], &[f29]]).await, ["php:7:1:a"]);
    assert_eq!(latest(&modules, "java:8", &[&[f28]]).await, ["java:8:1:a"]);
    assert!(latest(&modules, "perl:5", &[]).await.is_empty());
    assert!(latest(&modules, "perl:6", &[&[f28]]).await.is_empty());
}

#[tokio::test]
async fn a_base_of_a_list_counts_only_if_nothing_runs_on_those_before_it() {
    let text =
        document("perl:5:1:a", &["{platform: [f29]}"]) + &document("perl:5:2:a", &["{platform: [f28]}"]);
    let modules = read_text(&text).unwrap();
    let bases: &[&str] = &["platform:f30:1:c", "platform:f29:1:00000000", "platform:f28:1:00000000"];
    assert_eq!(latest(&modules, "perl:5", &[bases]).await, ["perl:5:1:a"]);
}

#[tokio::test]
async fn what_the_record_says_of_a_base_that_is_there_counts() {
    let built_with = |nsvc: &str, stream: &str| {
        let xmd = format!("  xmd: {{mbs: {{buildrequires: {{platform: {{stream: {stream}}}}}}}}}\n...\n");
        document(nsvc, &["{platform: []}"]).replace("...\n", &xmd)
    };
    let text = document("platform:f28:3:00000000", &[])
        + &document("platform:f29:3:00000000", &[])
        + &built_with("app:1:1:a", "f28")
        + &built_with("app:1:2:b", "f29")
        + &built_with("lib:1:1:a", "f27");
    let modules = read_text(&text).unwrap();
    let [f28, f29] = ["platform:f28:4:00000000", "platform:f29:3:00000000"];
    assert_eq!(
        latest(&modules, "app:1", &[&[f28]]).await,
        ["app:1:1:a"],
        "of the stream, whatever the version"
    );
    assert_eq!(latest(&modules, "app:1", &[&[f29]]).await, ["app:1:2:b"]);
    assert_eq!(
        latest(&modules, "lib:1", &[&[f29]]).await,
        ["lib:1:1:a"],
        "f27 is not there, so it only has to run"
    );
}

#[tokio::test]
async fn a_base_module_that_is_described_is_not_invented() {
    let virtual_stream = "  xmd: {mbs: {virtual_streams: [el8]}}\n...\n";
    let text = document("platform:el8.1.0:3:c", &[]).replace("...\n", virtual_stream)
        + &document("app:1:1:a", &["{platform: [el8]}"])
        + &document("app:2:1:a", &["{platform: [el8.1.0]}"])
        + &document("app:3:1:a", &["{platform: [el9]}"]);
    let modules = read_text(&text).unwrap();
    assert_eq!(streams(&modules, "platform").await, ["el8.1.0", "el9"]);
    assert_eq!(latest(&modules, "app:1", &[&["platform:el8.1.0:3:c"]]).await, ["app:1:1:a"]);
    assert_eq!(latest(&modules, "app:1", &[&["platform:el8.1.0:4:c"]]).await, ["app:1:1:a"], "as its stream");
    let el8: NameStream = id("platform:el8");
    let providers = modules.providers(std::slice::from_ref(&el8)).await.unwrap();
    assert_eq!(nsvcs(&providers[&el8]), ["platform:el8.1.0:3:c"]);
    let base: Nsvc = id("platform:el9:1:00000000");
    let compatible = modules.compatible_bases(std::slice::from_ref(&base), Retired::Excluded).await.unwrap();
    assert_eq!(nsvcs(&compatible[&base]), ["platform:el9:1:00000000"]);
    assert_eq!(modules.builds(&[base]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_bases_the_highest_version_is_the_latest() {
    let text = document("perl:5:9:a", &[]) + &document("perl:5:10:b", &[]) + &document("perl:5:10:a", &[]);
    let modules = read_text(&text).unwrap();
    let found = modules.latest(&[id("perl:5")], &Against::Anything).await.unwrap();
    assert_eq!(nsvcs(found.values().flatten()), ["perl:5:10:a", "perl:5:10:b"]);
    assert!(matches!(modules.in_tag(&id("t")).await, Err(ResolverError::Unsupported { .. })));
    assert!(matches!(modules.is_end_of_life(&id("perl:5")).await, Err(ResolverError::Unsupported { .. })));
}
