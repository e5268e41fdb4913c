//! Does the walk in the operations guide print what it says?
//!
//! Blocks of the section that begin with ` ```console ` are run, command by command, in the workspace's folder; what each printed
//! must be what stands below it. `MBS_WRITE_TRANSCRIPT=1` writes it there anew. The address of the server and times are no part
//! of it.

use std::env;
use std::fs;
use std::path::Path;

use mbs_tests::built::{mbs_build, mbs_manager};
use mbs_tests::pdc::PdcSite;
use mbs_tests::root;
use mbs_tests::within::run_within_limit;

const SECTION: &str = "## Bootstrap modules in PDC\n";
const BLOCK: &str = "```console\n";
/// The server of the guide.
const ADDRESS: &str = "127.0.0.1:8123";
/// Its operator's home.
const HOME: &str = "/home/anna";

/// Runs a command of the guide, and returns all that it prints.
fn run(site: &PdcSite, command: &str) -> String {
    let folders = [mbs_manager(), mbs_build()].map(|program| program.parent().unwrap().to_owned());
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(folders.into_iter().chain(env::split_paths(&path))).unwrap();
    let mut shell = site.command("sh");
    shell.current_dir(root()).env("PATH", path).arg("-c").arg(format!("{{ {command}\n}} 2>&1"));
    let ran = run_within_limit(&mut shell).unwrap();
    let address = site.pdc.url();
    let address = address.trim_start_matches("http://").split('/').next().unwrap();
    let home = site.path("").display().to_string();
    without_times(&ran.out.replace(address, ADDRESS).replace(home.trim_end_matches('/'), HOME))
}

/// Replaces what a version without a number in its document is made of.
fn without_times(text: &str) -> String {
    let mut clean = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        clean.push_str(if digits.len() >= 14 { "<time>" } else { &digits });
        digits.clear();
        clean.push(letter);
    }
    clean.pop();
    clean
}

/// Runs a block, and returns it as it should stand there.
fn block(site: &PdcSite, written: &str) -> String {
    let mut block = String::new();
    let mut commands = written.lines().filter(|line| line.starts_with("$ ")).peekable();
    assert!(
        commands.peek().is_some() && written.starts_with("$ "),
        "a block begins with a command: {written}"
    );
    for command in commands {
        block.push_str(&format!("{command}\n{}", run(site, command.trim_start_matches("$ "))));
    }
    block
}

/// Runs all blocks of a section.
fn section(site: &PdcSite, written: &str) -> String {
    let mut blocks = written.split(BLOCK);
    let mut section = blocks.next().unwrap_or_default().to_owned();
    for part in blocks {
        let (inside, after) = part.split_once("```\n").expect("a block has an end");
        section.push_str(&format!("{BLOCK}{}```\n{after}", block(site, inside)));
    }
    section
}

#[test]
fn the_walk_of_the_operations_guide_prints_what_it_says() {
    let file = Path::new("docs/OPERATIONS.md");
    let guide = fs::read_to_string(root().join(file)).unwrap();
    let (before, rest) = guide.split_once(SECTION).expect("the section is there");
    let (written, after) = match rest.find("\n## ") {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    assert!(written.matches(BLOCK).count() > 3, "it is no walk");
    let came = section(&PdcSite::new().unwrap(), written);
    if env::var_os("MBS_WRITE_TRANSCRIPT").is_some() {
        fs::write(root().join(file), format!("{before}{SECTION}{came}{after}")).unwrap();
        return;
    }
    for (ours, theirs) in came.lines().zip(written.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(came, written);
}
