//! The document of a local build: where it is, what it says, and which module and stream it is.
//!
//! Whether a document may say what it says is decided in [`mbs_core::modulemd`] and [`mbs_core::submission`].

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use mbs_core::ident::NameStream;
use mbs_core::modulemd::{Limits, ModuleStream, read_submission};
use mbs_core::policy::Policy;
use mbs_core::submission::{
    Overrides, TextOrigin, apply_overrides, check_document, from_text, static_contexts,
};
use tracing::warn;

use crate::cli::LocalArguments;
use crate::exit::Stop;
use crate::validate;

/// The macro that ends every `%check` with success before it begins.
const SKIP_TESTS: &str = "%__spec_check_pre exit 0";

/// A document as it was read, and what it asks to build.
#[derive(Debug, Clone, PartialEq)]
pub struct Documents {
    /// The text, byte for byte.
    pub text: String,
    /// One document per static context, or one alone; each with name, stream and version, overrides applied.
    pub streams: Vec<ModuleStream>,
}

/// Reads the document that the arguments name, and applies what they say against it. Warnings are logged.
///
/// # Errors
/// `Usage`: there is no file, the document is no good one, nothing says which stream it is, or an override applies nowhere.
pub fn read(arguments: &LocalArguments, policy: &Policy, now: Timestamp) -> Result<Documents, Stop> {
    let file = file_of(arguments)?;
    let bytes = validate::read(&file, &Limits::of_submission()).map_err(|stop| missing(stop, &file))?;
    let name = file.display().to_string();
    let text = String::from_utf8(bytes).map_err(|_| Stop::Usage(format!("{name}: the text is not UTF-8")))?;
    let (submission, warnings) = read_submission(&text, Some(&name), &Limits::of_submission())?;
    for problem in &warnings {
        warn!("{problem:#}");
    }
    let mut streams = Vec::new();
    for document in submission.into_streams() {
        let origin = TextOrigin {
            module_name: None,
            module_stream: stream_of(arguments, &document)?,
            file_name: Some(name.clone()),
            now,
        };
        let named = from_text(document, &origin, "")?;
        streams.extend(static_contexts(named)?);
    }
    for document in &mut streams {
        for warning in check_document(document, policy)? {
            warn!("{warning}");
        }
        apply_overrides(document, &overrides(arguments))?;
        if arguments.skiptests {
            skip_tests(document);
        }
    }
    for module in unnamed(&arguments.set_streams, &streams) {
        warn!("--set-stream {module} has no effect: the document does not name {}", module.name);
    }
    Ok(Documents { text, streams })
}

/// Returns the file that was named, else the one named like the current folder.
fn file_of(arguments: &LocalArguments) -> Result<PathBuf, Stop> {
    if let Some(file) = arguments.given_file() {
        return Ok(file.clone());
    }
    let folder = env::current_dir().map_err(|error| Stop::unreadable(Path::new("."), &error))?;
    match folder.file_name() {
        Some(name) => Ok(PathBuf::from(format!("{}.yaml", name.to_string_lossy()))),
        None => Err(Stop::Usage("this folder has no name: specify --file".to_owned())),
    }
}

fn missing(stop: Stop, file: &Path) -> Stop {
    if file.exists() {
        return stop;
    }
    Stop::Usage(format!("{} does not exist.  Specify --file or check pwd.", file.display()))
}

/// Returns the stream that beats the document's; `None` if the document's own counts.
fn stream_of(arguments: &LocalArguments, document: &ModuleStream) -> Result<Option<String>, Stop> {
    let own = document.stream.as_deref().is_some_and(|stream| !stream.is_empty());
    match &arguments.stream {
        Some(stream) => Ok(Some(stream.to_string())),
        None if own => Ok(None),
        None => git_branch().map(|branch| Some(branch.replace('-', "_"))).ok_or_else(no_stream),
    }
}

fn no_stream() -> Stop {
    let what = "Unable to determine stream.  Either execute from a git checkout or pass --stream.";
    Stop::Usage(what.to_owned())
}

/// Returns the branch that is checked out in the current folder; `None` if there is none, or no git.
fn git_branch() -> Option<String> {
    let answer = Command::new("git").args(["rev-parse", "--abbrev-ref", "HEAD"]).output().ok()?;
    let branch = String::from_utf8(answer.stdout).ok()?;
    let branch = branch.trim();
    (answer.status.success() && !branch.is_empty() && branch != "HEAD").then(|| branch.to_owned())
}

fn overrides(arguments: &LocalArguments) -> Overrides {
    let mut overrides = Overrides::default();
    for module in &arguments.buildrequires {
        let streams = overrides.buildrequires.entry(module.name.to_string()).or_default();
        streams.insert(module.stream.to_string());
    }
    for module in &arguments.requires {
        let streams = overrides.requires.entry(module.name.to_string()).or_default();
        streams.insert(module.stream.to_string());
    }
    overrides
}

/// Returns the modules that no dependency pair of any document names.
fn unnamed<'a>(modules: &'a [NameStream], documents: &[ModuleStream]) -> Vec<&'a NameStream> {
    let pairs = || documents.iter().flat_map(|document| &document.dependencies);
    let names = |module: &NameStream| {
        let name = module.name.as_str();
        pairs().any(|pair| pair.buildrequires.contains_key(name) || pair.requires.contains_key(name))
    };
    modules.iter().filter(|module| !names(module)).collect()
}

fn skip_tests(document: &mut ModuleStream) {
    let own = document.buildopts.macros.take().unwrap_or_default();
    document.buildopts.macros = Some(format!("{own}\n\n{SKIP_TESTS}\n"));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser as _;
    use tempfile::TempDir;

    use super::*;
    use crate::cli::{Arguments, Command as Asked};

    const DOCUMENT: &str = "document: modulemd
version: 2
data:
  name: app
  stream: 1.10
  summary: An example
  description: An example.
  license:
    module: [MIT]
  dependencies:
  - buildrequires: {platform: [], gtk: [1]}
    requires: {platform: [], gtk: [1]}
";

    fn read_with(text: &str, options: &[&str]) -> Result<Documents, Stop> {
        let folder = tempfile::tempdir().unwrap();
        read_in(&folder, text, options)
    }

    fn read_in(folder: &TempDir, text: &str, options: &[&str]) -> Result<Documents, Stop> {
        let file = folder.path().join("other.yaml");
        fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let parsed = Arguments::try_parse_from([&["mbs-build", "local", file], options].concat()).unwrap();
        let Some(Asked::Local(arguments)) = parsed.command else { panic!("another command") };
        read(&arguments, &Policy::default(), "2024-01-02T03:04:05Z".parse().unwrap())
    }

    fn only(documents: Documents) -> ModuleStream {
        let [document] = <[ModuleStream; 1]>::try_from(documents.streams).unwrap();
        document
    }

    #[test]
    fn the_document_names_itself_and_its_stream_keeps_its_spelling() {
        let document = only(read_with(DOCUMENT, &[]).unwrap());
        assert_eq!((document.name.as_deref(), document.stream.as_deref()), (Some("app"), Some("1.10")));
        assert_eq!(document.version, Some(20_240_102_030_405));
    }

    #[test]
    fn the_given_stream_and_the_files_name_are_taken() {
        let nameless = DOCUMENT.replace("  name: app\n", "");
        let document = only(read_with(&nameless, &["--stream", "2"]).unwrap());
        assert_eq!((document.name.as_deref(), document.stream.as_deref()), (Some("other"), Some("2")));
    }

    #[test]
    fn overrides_replace_streams_and_several_of_one_module_add_up() {
        let options = ["--buildrequires", "gtk:3", "--buildrequires", "gtk:4", "--requires", "gtk:5"];
        let document = only(read_with(DOCUMENT, &options).unwrap());
        let pair = &document.dependencies[0];
        assert_eq!(pair.buildrequires["gtk"], ["3".to_owned(), "4".to_owned()].into());
        assert_eq!(pair.requires["gtk"], ["5".to_owned()].into());
    }

    #[test]
    fn an_override_that_applies_nowhere_is_wrong_usage() {
        let stop = read_with(DOCUMENT, &["--requires", "qt:5"]).unwrap_err();
        assert!(matches!(&stop, Stop::Usage(what) if what.contains("qt")), "{stop}");
    }

    #[test]
    fn a_stream_that_is_set_for_a_module_nobody_names_stands_out() {
        let document = only(read_with(DOCUMENT, &[]).unwrap());
        let set: Vec<NameStream> = ["gtk:1", "qt:5", "platform:f40"].map(|one| one.parse().unwrap()).into();
        assert_eq!(unnamed(&set, &[document]), [&set[1]]);
    }

    #[test]
    fn tests_are_skipped_behind_the_modules_own_macros() {
        let with_macros = format!("{DOCUMENT}  buildopts:\n    rpms:\n      macros: '%own 1'\n");
        let document = only(read_with(&with_macros, &["--skiptests"]).unwrap());
        assert_eq!(document.buildopts.macros.as_deref(), Some("%own 1\n\n%__spec_check_pre exit 0\n"));
    }

    #[test]
    fn every_error_of_a_bad_document_is_told_with_its_place() {
        let bad = DOCUMENT.replace("version: 2", "version: 9").replace("MIT", "[a]");
        let stop = read_with(&bad, &[]).unwrap_err();
        assert!(matches!(&stop, Stop::Usage(what) if what.contains("other.yaml:2:10: ")), "{stop}");
    }

    #[test]
    fn each_static_context_is_a_document_of_its_own() {
        let xmd = "  xmd:
    mbs_options:
      contexts:
        b: {buildrequires: {platform: f40}, requires: {platform: f40}}
        a: {buildrequires: {platform: f41}, requires: {platform: f41}}
";
        let read = read_with(&format!("{DOCUMENT}{xmd}"), &[]).unwrap();
        let contexts: Vec<_> = read.streams.iter().map(|document| document.context.as_deref()).collect();
        assert_eq!(contexts, [Some("a"), Some("b")]);
    }
}
