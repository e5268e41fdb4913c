//! The question at a terminal: a real one, on which a program types.

use mbs_tests::Ran;
use mbs_tests::built::mbs_manager;
use mbs_tests::needed::{left_out, program};
use mbs_tests::pdc::PdcSite;
use mbs_tests::within::run_within_limit;

use super::{document, site};

/// Starts a program on a terminal of its own, waits for the question, answers it, and prints all that stood there.
const ANSWERING: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said = b""
while b"[y/N]" not in said:
    said += os.read(terminal, 1024)
os.write(terminal, sys.argv[1].encode() + b"\n")
try:
    while part := os.read(terminal, 1024):
        said += part
except OSError:
    pass
sys.stdout.write(said.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn answered(site: &PdcSite, answer: &str, arguments: &[&str]) -> Option<Ran> {
    let Some(python) = program("python3") else { return left_out("python3 is not installed") };
    let mut command = site.command(python);
    command.arg("-c").arg(ANSWERING).arg(answer).arg(mbs_manager());
    command.args(["pdc", "--token-file", "token"]).args(arguments);
    Some(run_within_limit(&mut command).unwrap())
}

#[test]
fn a_person_at_a_terminal_is_asked_and_heard() {
    let site = site();
    let file = document(&site, 9);
    let Some(ran) = answered(&site, "n", &["import", &file]) else { return };
    let question = format!("Enter it into {}? [y/N] n\n", site.pdc.url());
    assert!(ran.out.contains(&question), "{ran:?}");
    assert!(ran.out.ends_with("ERROR: nothing was changed\n") && ran.status == Some(1), "{ran:?}");
    assert_eq!(site.pdc.rows().len(), 0);
    let Some(ran) = answered(&site, "y", &["import", &file]) else { return };
    assert!(ran.out.contains("bootstrap-master-9 is there, inactive") && ran.status == Some(0), "{ran:?}");
    assert_eq!(site.pdc.rows()[0].uid, "bootstrap-master-9");
}
