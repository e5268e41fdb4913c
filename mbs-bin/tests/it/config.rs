//! `mbs-manager config`, and how a configuration reaches the program.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Ended;

/// Prepares the program, with nothing of the environment that it would read.
pub(crate) fn manager(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mbs-manager"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MBS_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

pub(crate) fn run(mut command: Command) -> Ended {
    command.output().unwrap().into()
}

#[test]
fn file_and_variables_count_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("mbs.toml"),
        "[service]\nport = 8000\n[modules]\ndefault_branch = '1.10'\n",
    )
    .unwrap();
    let mut command = manager(folder.path(), &["config", "show", "--changed", "--config", "mbs.toml"]);
    command.env("MBS_PORT", "8080").env("MBS_OIDC_CLIENT_SECRET", "geheim");
    let ended = run(command);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert_eq!(
        ended.out,
        "[service]\nport = 8080\n\n[access]\noidc_client_secret = \"***\"\n\n[modules]\ndefault_branch = \"1.10\"\n"
    );
}

#[test]
fn a_configuration_that_cannot_be_meant_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mbs.toml"), "[koji]\nkoji_profil = 'x'\n").unwrap();
    let mut command = manager(folder.path(), &["config", "check"]);
    command.env("MBS_CONFIG_FILE", "mbs.toml");
    let ended = run(command);
    assert_eq!((ended.status, ended.out.as_str()), (2, ""));
    assert_eq!(
        ended.err,
        "ERROR: mbs.toml, line 2: unknown key `koji_profil` in [koji]; did you mean `koji_profile` in [koji]?\n"
    );
    let ended = run(manager(folder.path(), &["config", "show", "--config", "none.toml"]));
    assert_eq!(ended.status, 2);
    assert!(ended.err.starts_with("ERROR: none.toml cannot be read: "), "{}", ended.err);
}

#[test]
fn what_was_taken_over_is_what_counts() {
    let folder = tempfile::tempdir().unwrap();
    let old = "class ProdConfiguration(object):\n    ARCHES = ['s390x']\n    MESSAGING = 'fedmsg'\n";
    std::fs::write(folder.path().join("config.py"), old).unwrap();
    let ended = run(manager(folder.path(), &["config", "import", "config.py"]));
    assert_eq!(ended.status, 0);
    assert!(ended.err.starts_with("WARNING: config.py, line 3: MESSAGING is left out: "), "{}", ended.err);
    std::fs::write(folder.path().join("mbs.toml"), ended.out).unwrap();
    let ended = run(manager(folder.path(), &["config", "show", "--changed", "--config", "mbs.toml"]));
    assert_eq!((ended.status, ended.out.as_str()), (0, "[building]\narches = [\"s390x\"]\n"));
    let ended = run(manager(folder.path(), &["config", "import", "config.py", "--section", "Dev"]));
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("there is no class Dev; there are ProdConfiguration"), "{}", ended.err);
}
