//! One component, built by mock: its source RPM in the chroot, then the binary RPMs from that.
//!
//! Decides where files go and whose fault a failure is. What mock is told stands in [`crate::mock`]. Mock runs in a process
//! namespace of its own, so that it dies with this program like any other build; that takes root.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build_log::failure_reason;
use crate::error::{AtPath as _, LocalError};
use crate::files::{end_of_log, ensure_directory, products, remove_directory};
use crate::mock::{MockConfig, rebuild_arguments, source_rpm_arguments};
use crate::programs::{Program, Programs};
use crate::rpmbuild::{Outcome, keep, packages_fault, remove_home};
use crate::srpm::{GIVEN, Source};
use crate::supervise::{end_of, locked_command, run};

/// The fixed script around mock.
const SCRIPT: &str = include_str!("mock_build.sh");

/// Where mock puts what it made, below the build's directory.
const RESULTS: &str = "results";

/// Mock on this machine.
#[derive(Debug, Clone)]
pub struct Mock {
    mock: PathBuf,
    flock: PathBuf,
    unshare: PathBuf,
    sh: PathBuf,
    /// Mock's own configuration to start from.
    base: PathBuf,
}

/// One component for mock.
#[derive(Debug, Clone, Copy)]
pub struct MockJob<'a> {
    /// Number of the task; unique among chroots.
    pub task: i64,
    /// The task's own directory.
    pub directory: &'a Path,
    /// How long each step may take.
    pub limit: Duration,
    /// The source package.
    pub package: &'a str,
    /// Where its source is.
    pub source: &'a Source,
}

impl Mock {
    /// Finds mock and what surrounds it.
    ///
    /// # Errors
    /// `Lacking` if a program is missing, `NoSandbox` if our user is not root.
    pub fn new(programs: &Programs, base: PathBuf) -> Result<Self, LocalError> {
        let mock = programs.find(Program::Mock)?;
        programs.require(&[Program::Setsid])?;
        if fs::metadata("/proc/self").at("/proc/self")?.uid() != 0 {
            return Err(LocalError::NoSandbox {
                reason: "mock is only stopped for sure when run by root".into(),
            });
        }
        Ok(Self {
            mock,
            flock: programs.find(Program::Flock)?,
            unshare: programs.find(Program::Unshare)?,
            sh: programs.find(Program::Sh)?,
            base,
        })
    }

    /// Describes the chroot of a build tag.
    pub fn config(
        &self,
        root: &str,
        arch: &str,
        packages: &[String],
        repositories: Vec<PathBuf>,
    ) -> MockConfig {
        MockConfig {
            root: root.to_owned(),
            arch: arch.to_owned(),
            base: self.base.clone(),
            packages: packages.to_vec(),
            repositories,
        }
    }

    /// Builds the package from its source in a chroot made from the configuration.
    ///
    /// Mock's logs are left as `root.log`, `build.log`, `state.log` in the task's directory, its own words in `mock.log`.
    /// Dropping the future kills the build.
    ///
    /// # Errors
    /// `Unusable` if the source has no spec file, `TimedOut`, `Program` if mock failed before the package had its turn, or
    /// trouble with files. A package that does not build is no error.
    pub async fn build(&self, job: &MockJob<'_>, config: &MockConfig) -> Result<Outcome, LocalError> {
        let work = job.directory.join("build");
        remove_directory(&work)?;
        let (sources, results) = (work.join("SOURCES"), work.join(RESULTS));
        ensure_directory(&results)?;
        let config_path = job.directory.join("mock.cfg");
        fs::write(&config_path, config.text()).at(&config_path)?;
        let source_rpm = match job.source.lay_out(job.package, &sources)? {
            None => sources.join(GIVEN),
            Some(spec) => {
                let arguments = source_rpm_arguments(&config_path, job.task, &sources.join(spec), &results);
                if let Some(failed) = self.step(job, &arguments, &results).await? {
                    return Ok(failed);
                }
                match products(&work, RESULTS, ".src.rpm")? {
                    Ok(made) => made
                        .into_iter()
                        .next()
                        .ok_or_else(|| LocalError::Unusable("mock made no source RPM".into()))?,
                    Err(reason) => return Ok(Outcome::Failed(reason)),
                }
            }
        };
        let arguments = rebuild_arguments(&config_path, job.task, &source_rpm, &results);
        if let Some(failed) = self.step(job, &arguments, &results).await? {
            return Ok(failed);
        }
        let outcome = collect(job, &work)?;
        remove_home(&work);
        Ok(outcome)
    }

    /// Runs mock once; returns the failure if the package is at fault, `None` if all went well.
    async fn step(
        &self,
        job: &MockJob<'_>,
        arguments: &[OsString],
        results: &Path,
    ) -> Result<Option<Outcome>, LocalError> {
        let log = job.directory.join("mock.log");
        let mut command = locked_command(&self.flock, &job.directory.join("lock"));
        command.arg(&self.unshare).args(["--pid", "--mount-proc", "--fork", "--kill-child=KILL", "--"]);
        command
            .arg(&self.sh)
            .args(["-c", SCRIPT, "mock"])
            .arg(&self.mock)
            .arg("--isolation=simple")
            .args(arguments);
        let status = run(command, &log, job.limit).await?;
        let logs = keep_logs(results, job.directory)?;
        if status.success() {
            return Ok(None);
        }
        match logs.iter().find_map(|log| fault_of_package(log)) {
            Some(reason) => packages_fault(reason, results).map(|reason| Some(Outcome::Failed(reason))),
            None => {
                let (program, said) = ("mock".into(), end_of(&log));
                Err(LocalError::Program { program, status: status.to_string(), said })
            }
        }
    }
}

/// Moves mock's logs to the task's directory, those of the build first.
fn keep_logs(results: &Path, directory: &Path) -> Result<Vec<PathBuf>, LocalError> {
    let mut kept = Vec::new();
    for name in ["build.log", "root.log", "state.log"] {
        let (from, to) = (results.join(name), directory.join(name));
        if fs::symlink_metadata(&from).is_ok_and(|data| data.is_file()) {
            crate::files::move_file(&from, &to)?;
            kept.push(to);
        }
    }
    Ok(kept)
}

/// Says why the package is at fault, if a log of mock says so: a phase failed, or a build dependency does not exist.
fn fault_of_package(log: &Path) -> Option<String> {
    let text = end_of_log(log).ok()?;
    let missing = ["No matching package to install: ", "No match for argument: ", "nothing provides "];
    let lacks =
        text.lines().find_map(|line| missing.iter().find_map(|words| Some(line.split_once(words)?.1.trim())));
    if let Some(what) = lacks {
        return Some(format!("missing build dependencies: {}", what.trim_matches(['\'', '"'])));
    }
    let is_packages =
        ["Bad exit status from ", "error: ", "RPM build errors"].iter().any(|words| text.contains(words));
    (log.ends_with("build.log") && is_packages).then(|| failure_reason(&text))
}

fn collect(job: &MockJob<'_>, work: &Path) -> Result<Outcome, LocalError> {
    let kept = job.directory.join("results");
    remove_directory(&kept)?;
    ensure_directory(&kept)?;
    let rpms = match products(work, RESULTS, ".rpm")? {
        Ok(rpms) => rpms,
        Err(reason) => return Ok(Outcome::Failed(reason)),
    };
    let (mut built, binary): (Vec<PathBuf>, Vec<PathBuf>) =
        rpms.into_iter().partition(|path| path.to_string_lossy().ends_with(".src.rpm"));
    if built.len() != 1 || binary.is_empty() {
        return Ok(Outcome::Failed("the spec file builds no binary package".into()));
    }
    built.extend(binary);
    keep(&built, &kept).map(Outcome::Built)
}

#[cfg(test)]
mod tests;
