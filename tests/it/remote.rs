//! What the commands that talk to a service do at a terminal, and with a browser.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without fails it")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use mbs_client::fake_server::{Answer, FakeServer, Heard};
use mbs_tests::Ran;
use mbs_tests::built::mbs_build;
use mbs_tests::needed::{left_out, program};
use mbs_tests::within::{eventually, run_within_limit};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Runs a program on a terminal of its own, and prints all that stood there.
const AT_TERMINAL: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
try:
    while part := os.read(terminal, 1024):
        said += part
except OSError:
    pass
sys.stdout.buffer.write(said.replace(b"\r\n", b"\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// A service that is its own identity provider, and the home of somebody who talks to it.
struct Site {
    server: FakeServer,
    home: TempDir,
    _runtime: Runtime,
}

fn build(id: u64) -> Value {
    json!({
        "id": id, "name": "desktop", "stream": "f26", "version": "20170601141014", "context": "c0ffee42", "state": 5,
        "state_name": "ready", "owner": "anna", "time_submitted": "2017-06-01T17:18:11Z",
        "tasks": {"rpms": {"bash": {"nvr": "bash-5-1", "state": 1, "task_id": 101}}},
    })
}

fn answer(heard: &Heard) -> Answer {
    let token =
        json!({"access_token": "fresh", "refresh_token": "r", "token_type": "Bearer", "expires_in": 60});
    match heard.path().strip_prefix("/module-build-service/1/") {
        None if heard.path() == "/openidc/Token" => Answer::json(200, &token),
        Some("about/") => Answer::json(200, &json!({"auth_method": "oidc"})),
        Some("module-builds/") => {
            let items =
                if heard.values("state") == ["ready"] { vec![build(8), build(7)] } else { Vec::new() };
            let meta = json!({"page": 1, "pages": 1, "per_page": 10, "total": 0, "next": null});
            Answer::json(200, &json!({"items": items, "meta": meta}))
        }
        Some("module-builds/7") => Answer::json(200, &build(7)),
        Some("module-builds/8") => Answer::json(200, &build(8)),
        _ => Answer::refusal(404, "Not Found", "No such module found."),
    }
}

impl Site {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(FakeServer::start(answer)).unwrap();
        Self { server, home: tempfile::tempdir().unwrap(), _runtime: runtime }
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.home.path()).env("TERM", "xterm").env_remove("NO_COLOR");
        command
    }

    /// Runs `mbs-build` on a terminal; what it prints and logs comes together.
    fn at_terminal(&self, arguments: &[&str]) -> Option<Ran> {
        let Some(python) = program("python3") else { return left_out("python3 is not installed") };
        let mut command = self.command(python);
        command.arg("-c").arg(AT_TERMINAL).arg(mbs_build()).args(["-s", self.server.url()]).args(arguments);
        Some(run_within_limit(&mut command).unwrap())
    }

    fn elsewhere(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(mbs_build());
        run_within_limit(command.args(["-s", self.server.url()]).args(arguments)).unwrap()
    }
}

#[test]
fn a_terminal_changes_nothing_of_what_is_printed() {
    let site = Site::new();
    for arguments in [
        &["overview", "--finished"][..],
        &["info", "7"],
        &["watch", "7"],
        &["list", "--state", "ready"],
        &["overview", "--finished", "--json"],
    ] {
        let Some(ran) = site.at_terminal(arguments) else { return };
        let plain = site.elsewhere(arguments);
        assert_eq!((plain.status, plain.err.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(ran.status == Some(0) && ran.out.ends_with(&plain.out), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn only_a_terminal_shows_how_far_an_overview_is_and_then_nothing_is_left_of_it() {
    let site = Site::new();
    let Some(ran) = site.at_terminal(&["overview", "--finished"]) else { return };
    let (before, table) = ran.out.split_at(ran.out.find("  ID  ").unwrap());
    assert!(before.is_empty() || before.contains('\u{1b}'), "{before:?}");
    assert!(!table.contains('\u{1b}'), "{table:?}");
    let Some(ran) = site.at_terminal(&["-q", "overview", "--finished"]) else { return };
    assert!(ran.out.starts_with("  ID  "), "quiet is quiet: {ran:?}");
}

#[test]
fn errors_have_colours_at_a_terminal_unless_nobody_wants_any() {
    let site = Site::new();
    let Some(ran) = site.at_terminal(&["info", "9"]) else { return };
    assert!(
        ran.status == Some(1) && ran.out.contains("\u{1b}[1m\u{1b}[31mERROR\u{1b}[0m: No such"),
        "{ran:?}"
    );
    assert_eq!(site.elsewhere(&["info", "9"]).err, "ERROR: No such module found.\n");
}

/// Visits an address as a browser does, and returns what it shows.
fn visited(address: &str) -> String {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// Logs in with a browser that agrees; `None`: somebody else on this machine is at it.
fn logged_in(site: &Site) -> Option<(String, Option<i32>)> {
    let provider = format!("{}/openidc/", site.server.url());
    let mut command = site.command(mbs_build());
    command.args(["-s", site.server.url(), "-i", &provider, "login"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    if line.contains("is another login under way?") {
        child.wait().unwrap();
        return None;
    }
    let address =
        line.strip_prefix("Please visit ").unwrap().strip_suffix(" to grant authorization\n").unwrap();
    let asked =
        Heard { method: String::new(), target: address.to_owned(), headers: [].into(), body: Vec::new() };
    let value = |key| asked.values(key).pop().unwrap();
    assert!(address.starts_with(&format!("{provider}Authorization?")), "{address}");
    assert_eq!(
        (value("redirect_uri"), value("client_id")),
        ("http://localhost:13747/".into(), "mbs-authorizer".into())
    );
    let page = visited(&format!("{}?code=c&state={}", value("redirect_uri"), value("state")));
    assert!(page.contains("You can close this window"), "{page}");
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    Some((out, child.wait().unwrap().code()))
}

#[test]
fn a_person_logs_in_with_a_browser_and_the_token_is_kept_for_all_clients() {
    let site = Site::new();
    let (out, status) = eventually("a login of our own", || Ok(logged_in(&site))).unwrap();
    assert_eq!((out.as_str(), status), ("Logged in.\n", Some(0)));
    let file = site.home.path().join(".openidc/oidc_mbs_build.json");
    let kept: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let entry = kept.as_object().unwrap().values().next().unwrap();
    assert_eq!([&entry["access_token"], &entry["refresh_token"]], ["fresh", "r"]);
}
