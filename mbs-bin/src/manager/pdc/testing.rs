//! What the tests of these commands share: entries, documents, and a fake PDC that commands are run against.

use std::fs;
use std::path::PathBuf;

use clap::Parser as _;
use mbs_http::Secret;
use mbs_pdc::api::{Entry, NO_CONTEXT};
use mbs_pdc::fake_server::{FakePdc, Flavour, Seen, Setup};
use mbs_pdc::server::{Login, Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::site::{self, Site};
use super::{PdcArguments, perform};
use crate::exit::Stop;
use crate::manager::ask::Person;
use crate::manager::{Arguments, Command};

/// A document as bootstrap modules had them, without a context.
pub(super) const BOOTSTRAP: &str = "document: modulemd
version: 1
data:
  name: bootstrap
  stream: master
  version: 1
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
      koji_tag: module-bootstrap-master-1
";

/// A document with a context.
pub(super) const PLATFORM: &str = "document: modulemd
version: 2
data:
  name: platform
  stream: f40
  version: 1
  context: '00000000'
  summary: The distribution
  description: Its packages.
  license: {module: [MIT]}
  profiles:
    buildroot: {rpms: [bash]}
    srpm-buildroot: {rpms: [bash]}
  xmd: {mbs: {commit: virtual, buildrequires: {}, koji_tag: module-f40-build}}
";

/// A document that says no more than it must.
pub(super) const DOCUMENT: &str =
    "document: modulemd\nversion: 2\ndata: {summary: s, description: d, license: {module: [MIT]}}";

/// The token of who may write modules, and of who may only read.
pub(super) const WRITER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub(super) const READER: &str = "cccccccccccccccccccccccccccccccccccccccc";

/// Returns an inactive entry of the stream `f40`, with a document that says little.
pub(super) fn entry(uid: &str, name: &str, version: &str) -> Entry {
    Entry {
        uid: uid.to_owned(),
        name: name.to_owned(),
        stream: "f40".to_owned(),
        version: version.to_owned(),
        context: NO_CONTEXT.to_owned(),
        active: false,
        koji_tag: format!("module-{name}-f40"),
        modulemd: DOCUMENT.to_owned(),
        runtime_deps: Vec::new(),
        build_deps: Vec::new(),
        rpms: Vec::new(),
    }
}

/// A fake PDC, a folder for documents, and who is at the terminal.
pub(super) struct Bench {
    pub(super) pdc: FakePdc,
    pub(super) token: &'static str,
    /// What the person answers, a line each; `None`: there is no person.
    pub(super) answers: Option<&'static str>,
    folder: TempDir,
    runtime: Runtime,
}

impl Bench {
    /// Starts a current PDC; whoever is asked agrees.
    pub(super) fn new() -> Self {
        Self::with(Flavour::Current)
    }

    /// Starts a PDC of an age.
    pub(super) fn with(flavour: Flavour) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let setup = Setup { flavour, ..Setup::default() };
        let pdc = runtime.block_on(FakePdc::start(setup)).unwrap();
        Self { pdc, token: WRITER, answers: Some("y\n"), folder: tempfile::tempdir().unwrap(), runtime }
    }

    /// Writes a file, and returns its path.
    pub(super) fn file(&self, name: &str, content: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// Runs `mbs-manager pdc`, and returns what it prints, questions among it, or why it stops.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<String, Stop> {
        let mut out = Vec::new();
        self.run_into(arguments, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    /// Does as [`run`](Self::run), and prints to `out`.
    pub(super) fn run_into(&self, arguments: &[&str], out: &mut Vec<u8>) -> Result<(), Stop> {
        let PdcArguments { common, command } = parsed(arguments);
        let login = Login::Token(Secret::new(self.token));
        let server = Server { retries: 0, ..Server::new(self.pdc.url(), login) };
        let (mut screen, mut answers) = (Vec::new(), self.answers.unwrap_or_default().as_bytes());
        let person = match (common.yes, self.answers) {
            (true, _) => Person::Agreed,
            (false, None) => Person::Absent { say: "--yes" },
            (false, Some(_)) => Person::Present { screen: &mut screen, answers: &mut answers },
        };
        let site = Site {
            pdc: site::client(&server)?,
            face: common.face.map(Into::into),
            comment: site::comment(common.comment.as_deref(), command.name(), Some("anna")),
            writing: command.writing(),
            person,
            out,
        };
        self.runtime.block_on(perform(site, &command))
    }

    /// Returns the requests that may have changed something.
    pub(super) fn writes(&self) -> Vec<Seen> {
        self.pdc.requests().into_iter().filter(|seen| seen.method != "GET").collect()
    }

    /// Returns the keys of all entries, with a star at those that are active.
    pub(super) fn uids(&self) -> Vec<String> {
        let shown = |row: mbs_pdc::fake_server::Row| if row.active { row.uid + "*" } else { row.uid };
        self.pdc.rows().into_iter().map(shown).collect()
    }
}

fn parsed(arguments: &[&str]) -> PdcArguments {
    let arguments = Arguments::try_parse_from([&["mbs-manager", "pdc"], arguments].concat()).unwrap();
    let Command::Pdc(arguments) = arguments.command else { panic!("it is another command") };
    *arguments
}
