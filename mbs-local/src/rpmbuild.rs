//! One component, built by `rpmbuild` in a sandbox: first its source RPM, then the binary RPMs from that.
//!
//! Both steps see the same layer, so that the macros in it decide the release. Build dependencies are checked
//! by `rpmbuild` itself against the layer's database. Decides where files go and what a failure means; never what is built
//! next.
//!
//! | in the task's directory | |
//! | --- | --- |
//! | `build/` | home of the build, removed when it ended |
//! | `results/` | the RPMs, source RPM included |
//! | `root.log`, `build.log` | buildroot and source RPM; the build |
//! | `lock` | locked while a process of the build lives |

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build_log::failure_reason;
use crate::buildroot::{DATABASE, Layer};
use crate::error::{AtPath as _, LocalError};
use crate::files::{check_room, end_of_log, ensure_directory, move_file, products, remove_directory};
use crate::headers::RpmHeader;
use crate::sandbox::{BUILD_DIRECTORY, Ended, Inside, Sandbox};
use crate::srpm::{GIVEN, Source};

/// Where and over what a component is built.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The task's own directory.
    pub directory: &'a Path,
    /// What lies over the host.
    pub layer: &'a Layer,
    /// How long each of the two steps may take.
    pub limit: Duration,
}

/// What became of a build that could be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All RPMs, the source RPM first, with their headers.
    Built(Vec<(PathBuf, RpmHeader)>),
    /// The package does not build; why, for the packager.
    Failed(String),
}

impl Place<'_> {
    /// The log of the build proper.
    pub fn build_log(&self) -> PathBuf {
        self.directory.join("build.log")
    }

    /// The log of what came before: packages of the layer, source RPM.
    pub fn root_log(&self) -> PathBuf {
        self.directory.join("root.log")
    }

    /// Where the RPMs are put.
    pub fn results(&self) -> PathBuf {
        self.directory.join("results")
    }

    /// Locked while a process of the build lives.
    pub fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    fn home(&self) -> PathBuf {
        self.directory.join("build")
    }

    fn topdir(&self) -> PathBuf {
        self.home().join("rpmbuild")
    }
}

/// Builds the package from its source.
///
/// Dropping the future kills the build.
///
/// # Errors
/// `Unusable` if the source has no spec file or is no source RPM, `TimedOut`, `NoSandbox`, `DiskFull` or other trouble with files. A package that does not build is no error.
pub async fn build(
    sandbox: &Sandbox,
    place: &Place<'_>,
    package: &str,
    source: &Source,
) -> Result<Outcome, LocalError> {
    remove_directory(&place.home())?;
    remove_directory(&place.results())?;
    ensure_directory(&place.topdir())?;
    ensure_directory(&place.results())?;
    fs::write(place.home().join(".rpmmacros"), home_macros()).at(place.home())?;
    fs::write(place.root_log(), layer_listing(place.layer)).at(place.root_log())?;
    let outcome = build_steps(sandbox, place, package, source).await;
    remove_home(&place.home());
    outcome
}

/// Removes what a build worked in. What stays does no harm: it goes before the next build there.
pub(crate) fn remove_home(home: &Path) {
    if let Err(error) = remove_directory(home) {
        tracing::warn!(%error, "files of a build are left behind");
    }
}

async fn build_steps(
    sandbox: &Sandbox,
    place: &Place<'_>,
    package: &str,
    source: &Source,
) -> Result<Outcome, LocalError> {
    let source_rpm = match make_source_rpm(sandbox, place, package, source).await? {
        Ok(source_rpm) => source_rpm,
        Err(reason) => return Ok(Outcome::Failed(reason)),
    };
    let inner = inner_path(&["SRPMS".as_ref(), source_rpm.file_name().unwrap_or_default()]);
    let log = place.build_log();
    if !run(sandbox, place, &log, &["rpmbuild".as_ref(), "--rebuild".as_ref(), inner.as_ref()]).await? {
        return reason_in(&log, &place.home()).map(Outcome::Failed);
    }
    let mut built = vec![source_rpm];
    match products(&place.home(), "rpmbuild/RPMS", ".rpm")? {
        Ok(rpms) => built.extend(rpms),
        Err(reason) => return Ok(Outcome::Failed(reason)),
    }
    // The second step may have replaced what the first one made.
    match products(&place.home(), "rpmbuild/SRPMS", ".src.rpm")? {
        Ok(rpms) if rpms.contains(&built[0]) => {}
        Ok(_) => return Ok(Outcome::Failed("the build removed its source RPM".into())),
        Err(reason) => return Ok(Outcome::Failed(reason)),
    }
    if built.len() == 1 {
        return Ok(Outcome::Failed("the spec file builds no binary package".into()));
    }
    keep(&built, &place.results()).map(Outcome::Built)
}

/// The inner error is why the package's source RPM cannot be made.
async fn make_source_rpm(
    sandbox: &Sandbox,
    place: &Place<'_>,
    package: &str,
    source: &Source,
) -> Result<Result<PathBuf, String>, LocalError> {
    let (sources, log) = (place.topdir().join("SOURCES"), place.root_log());
    let spec = match source.lay_out(package, &sources)? {
        Some(spec) => spec,
        None => match unpack_given(sandbox, place, package).await? {
            Ok(spec) => spec,
            Err(reason) => return Ok(Err(reason)),
        },
    };
    let inner = inner_path(&["SOURCES".as_ref(), spec.as_ref()]);
    if !run(sandbox, place, &log, &["rpmbuild".as_ref(), "-bs".as_ref(), "--nodeps".as_ref(), inner.as_ref()])
        .await?
    {
        let reason = reason_in(&log, &place.home())?;
        return Ok(Err(format!("no source RPM can be made: {reason}")));
    }
    Ok(match products(&place.home(), "rpmbuild/SRPMS", ".src.rpm")?.as_deref() {
        Ok([source_rpm]) => Ok(source_rpm.clone()),
        Ok(_) => Err("no source RPM can be made: the spec file gave none".into()),
        Err(reason) => Err(format!("no source RPM can be made: {reason}")),
    })
}

/// Unpacks a source RPM beside itself and returns the name of its spec file.
async fn unpack_given(
    sandbox: &Sandbox,
    place: &Place<'_>,
    package: &str,
) -> Result<Result<String, String>, LocalError> {
    let given = inner_path(&["SOURCES".as_ref(), GIVEN.as_ref()]);
    let specdir = "_specdir %{_sourcedir}";
    let command = ["rpm", "--define", specdir, "--install", "--nosignature"].map(OsStr::new);
    let unpacked =
        run(sandbox, place, &place.root_log(), &[&command[..], &[given.as_ref()]].concat()).await?;
    let sources = place.topdir().join("SOURCES");
    if !unpacked {
        check_room(&sources)?;
        return Ok(Err("the source RPM cannot be unpacked".into()));
    }
    if let Err(reason) = products(&place.home(), "rpmbuild/SOURCES", ".spec")? {
        return Ok(Err(reason));
    }
    fs::remove_file(sources.join(GIVEN)).at(&sources)?;
    crate::srpm::spec_file(&sources, package).map(Ok)
}

fn reason_in(log: &Path, home: &Path) -> Result<String, LocalError> {
    packages_fault(failure_reason(&end_of_log(log)?), home)
}

/// Passes on why a package does not build.
///
/// # Errors
/// `DiskFull` if the package is not at fault because there is no room. What a log says of it is no proof: a test may write to
/// `/dev/full`.
pub(crate) fn packages_fault(reason: String, home: &Path) -> Result<String, LocalError> {
    check_room(home).map(|()| reason)
}

async fn run(
    sandbox: &Sandbox,
    place: &Place<'_>,
    log: &Path,
    command: &[&OsStr],
) -> Result<bool, LocalError> {
    let (home, tree, lock) = (place.home(), place.layer.tree(), place.lock());
    let inside = Inside { layer: Some(&tree), directory: &home, log, lock: &lock, limit: place.limit };
    Ok(sandbox.run(&inside, command).await? == Ended::Well)
}

/// Moves RPMs to where they stay, with their headers, in the same order.
pub(crate) fn keep(built: &[PathBuf], results: &Path) -> Result<Vec<(PathBuf, RpmHeader)>, LocalError> {
    let mut kept = Vec::new();
    for path in built {
        let place = results.join(path.file_name().unwrap_or_default());
        move_file(path, &place)?;
        let header = RpmHeader::read(&place)?;
        kept.push((place, header));
    }
    Ok(kept)
}

/// What holds in each build whatever the layer says: places, and the database that dependencies are checked against.
fn home_macros() -> String {
    let mut macros = format!(
        "%_topdir {BUILD_DIRECTORY}/rpmbuild\n\
         %_rpmfilename %%{{NAME}}-%%{{VERSION}}-%%{{RELEASE}}.%%{{ARCH}}.rpm\n\
         %_dbpath {DATABASE}\n\
         %_buildhost localhost\n"
    );
    let finds_debug_information = ["/usr/bin/find-debuginfo", "/usr/lib/rpm/find-debuginfo.sh"]
        .iter()
        .any(|path| Path::new(path).exists());
    if !finds_debug_information {
        macros.push_str("%debug_package %{nil}\n%_build_id_links none\n");
    }
    macros
}

fn layer_listing(layer: &Layer) -> String {
    let mut text = String::from("packages laid over the host:\n");
    for package in layer.packages() {
        text.push_str(&format!("  {package}\n"));
    }
    text
}

fn inner_path(parts: &[&OsStr]) -> PathBuf {
    let mut path = PathBuf::from(BUILD_DIRECTORY).join("rpmbuild");
    path.extend(parts);
    path
}

#[cfg(test)]
mod tests;
