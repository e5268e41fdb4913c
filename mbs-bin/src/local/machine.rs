//! This machine as build system and source control, and where it keeps what.
//!
//! | in the results directory | |
//! | --- | --- |
//! | `builds.db`, `lock` | the record of builds, and who works on it |
//! | `work/` | tasks with their logs, tags, repositories, caches |
//! | `module-NAME-STREAM-VERSION/` | what was built |

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mbs_core::ident::TaskId;
use mbs_core::model::ModuleBuild;
use mbs_local::files::{ensure_private_directory, remove_directory};
use mbs_local::git::{GitSettings, GitSourceControl, Protocol};
use mbs_local::programs::{Program, Programs};
use mbs_local::{Builder, LocalBuildSystem, LocalSettings};

use crate::exit::Stop;

/// What builds and what reads sources.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Builds packages.
    pub build_system: Arc<LocalBuildSystem>,
    /// Reads sources.
    pub git: Arc<GitSourceControl>,
}

/// Checks that the programs are there without which no build can begin.
///
/// # Errors
/// `Machine`, naming the first that is missing and what to install.
pub fn check_programs(builder: Builder) -> Result<(), Stop> {
    // Git is started as the user would.
    let path = env::var_os("PATH").unwrap_or_default();
    Programs::in_directories(env::split_paths(&path)).require(&[Program::Git])?;
    match builder {
        Builder::RpmbuildElseMock => Ok(Programs::of_machine().require(&Program::FOR_RPMBUILD)?),
        Builder::Mock => Ok(Programs::of_machine().require(&[Program::Mock, Program::CreaterepoC])?),
    }
}

impl Machine {
    /// Opens the machine for a results directory, which is locked.
    ///
    /// # Errors
    /// `Machine`: something must be installed or allowed first.
    pub async fn open(results: &Path, builder: Builder) -> Result<Self, Stop> {
        let work = results.join("work");
        let copies = work.join("git");
        // Before anything below it is removed.
        ensure_private_directory(&work)?;
        // Copies are short-lived; what lies there was left by a run that was killed.
        remove_directory(&copies)?;
        let git = Arc::new(GitSourceControl::new(GitSettings {
            protocols: [Protocol::Https, Protocol::Http, Protocol::Git, Protocol::Ssh, Protocol::File].into(),
            cache_dir: Some(copies),
            ..GitSettings::default()
        }));
        let settings = LocalSettings { builder, ..LocalSettings::new(work, results.to_owned()) };
        let checkout = Arc::clone(&git);
        let build_system = LocalBuildSystem::open(settings, Programs::of_machine(), checkout).await?;
        Ok(Self { build_system: Arc::new(build_system), git })
    }
}

/// Where people find what a build left.
pub trait Places {
    /// Returns the log to read about a task: of the build itself, or of what came before it while there is no other.
    fn log_of(&self, task: TaskId) -> PathBuf;

    /// Returns the repository of a finished module.
    fn repository_of(&self, build: &ModuleBuild) -> PathBuf;
}

impl Places for Machine {
    fn log_of(&self, task: TaskId) -> PathBuf {
        let folder = self.build_system.log_directory(task);
        let [build, before] = ["build.log", "root.log"].map(|name| folder.join(name));
        if !build.is_file() && before.is_file() { before } else { build }
    }

    fn repository_of(&self, build: &ModuleBuild) -> PathBuf {
        self.build_system.results_of(build).join("results")
    }
}
