//! What the example module `greeter:1.0` comes to, computed apart from the code under test.

use std::collections::BTreeSet;
use std::env::consts::ARCH;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The components by batch: the first one is the second batch, for module-build-macros has the first for itself.
pub const BATCHES: [&[&str]; 5] = [
    &["greeter-rpm-macros"],
    &["greeter-phrasegen", "greeter-phrases"],
    &["libgreeter"],
    &["greeter", "greeter-shell"],
    &["greeter-doc"],
];

/// Packages of components that are not filtered, with whether they are noarch and their source package.
const PACKAGES: [(&str, bool, &str); 7] = [
    ("greeter", false, "greeter"),
    ("greeter-doc", true, "greeter-doc"),
    ("greeter-phrases", true, "greeter-phrases"),
    ("greeter-rpm-macros", true, "greeter-rpm-macros"),
    ("greeter-shell", true, "greeter-shell"),
    ("libgreeter", false, "libgreeter"),
    ("libgreeter-devel", false, "libgreeter"),
];

/// Returns the dist tag, without the dot before it, of what a module build with this NSVC and index builds.
///
/// # Errors
/// `sha1sum` does not do its work.
pub fn dist(nsvc: &str, platform: &str, index: u64) -> Result<String> {
    let hash = sha1(&nsvc.replace(':', "."))?;
    Ok(format!("module+{platform}+{index}+{}", &hash[..8]))
}

/// Returns the NEVRAs of the module's repository; `dist` says for each component with which dist tag it was built.
pub fn nevras(dist: impl Fn(&str) -> String) -> BTreeSet<String> {
    let mut nevras = BTreeSet::new();
    for (package, is_noarch, source) in PACKAGES {
        let release = format!("0:1.0-1.{}", dist(source));
        let arch = if is_noarch { "noarch" } else { ARCH };
        nevras.insert(format!("{package}-{release}.{arch}"));
        nevras.insert(format!("{source}-{release}.src"));
    }
    nevras
}

/// Returns the platform that a module's `dist` shows for this machine, as its `os-release` names it.
///
/// # Errors
/// There is no `os-release`, or it names nothing.
pub fn platform_of_machine() -> Result<String> {
    let text = std::fs::read_to_string("/etc/os-release")?;
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    if let Some((_, stream)) = value("PLATFORM_ID").as_deref().and_then(|platform| platform.split_once(':')) {
        return Ok(stream.to_owned());
    }
    let id = value("ID").context("os-release has an ID")?;
    Ok(format!("{id}{}", value("VERSION_ID").unwrap_or_default()))
}

fn sha1(text: &str) -> Result<String> {
    let mut sum = Command::new("sha1sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    sum.stdin.take().context("its input is ours")?.write_all(text.as_bytes())?;
    let printed = String::from_utf8(sum.wait_with_output()?.stdout)?;
    ensure!(printed.len() > 40, "sha1sum printed {printed:?}");
    Ok(printed)
}
