//! Where the file is, and `~` in paths.

use std::path::{Path, PathBuf};

/// The file that is read if none is named and it is there.
pub(super) const USUAL: &str = "/etc/module-build-service/mbs.toml";

/// Puts the home directory in the place of `~` in front.
pub(super) fn expanded(path: &Path, home: Option<&Path>) -> Option<PathBuf> {
    Some(home?.join(path.strip_prefix("~").ok()?))
}
