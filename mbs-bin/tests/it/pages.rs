//! `mbs-build completions` and `man`.

use std::path::Path;

use crate::run;

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = run(Path::new("."), &["completions", shell]);
        assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{shell}");
        assert!(ended.out.contains("overview") && ended.out.contains("mbs-build"), "{shell}");
    }
}

#[test]
fn every_command_has_a_page_of_the_manual() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["man", "."]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
    for page in
        ["mbs-build.1", "mbs-build-overview.1", "mbs-build-local.1", "mbs-manager.1", "mbs-manager-pdc.1"]
    {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    assert!(!folder.path().join("mbs-build-man.1").exists(), "what writes them is for nobody");
    let ended = run(folder.path(), &["man", "nowhere"]);
    assert_eq!((ended.status, ended.err.as_str()), (2, "ERROR: nowhere does not exist\n"));
}
