//! Which programs a test needs, and what it does without them.

use std::env;

/// What a local build needs, and what its results are judged with.
const PROGRAMS: [&str; 8] =
    ["git", "rpm", "rpmbuild", "createrepo_c", "modulemd-validator", "rpm2cpio", "cpio", "sha1sum"];

/// Says whether local builds can be made and judged here; if not, prints what is missing.
///
/// # Panics
/// If something is missing and the variable `MBS_REFERENCE_REQUIRED` is set.
pub fn can_build() -> bool {
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|program| !is_there(program)).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(
        env::var_os("MBS_REFERENCE_REQUIRED").is_none(),
        "scripts/install-needed test installs {missing}"
    );
    eprintln!("not tested, for these programs are missing: {missing}");
    false
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
