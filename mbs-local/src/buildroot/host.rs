//! The RPM database of what the host provides: a copy of its own, or one virtual package (see [`crate::host_packages`]).
//!
//! Made once per state of the host, and beside the layers.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use super::{Buildroots, evaluate, hash_file};
use crate::error::{AtPath as _, LocalError};
use crate::files::{ensure_directory, remove_directory};
use crate::host_packages::{Capabilities, capabilities};
use crate::process::Invocation;
use crate::programs::Program;

/// The package that says what a host without RPM database provides.
const HOST_PACKAGE: &str = "host-of-the-build";

/// Whether the host says by itself what it provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostKind {
    WithDatabase,
    WithoutDatabase,
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) kind: HostKind,
    pub(super) fingerprint: u64,
    pub(super) database: PathBuf,
}

impl Buildroots {
    /// Returns the database of what the host provides; made again if the host changed.
    pub(super) async fn host(&self) -> Result<Host, LocalError> {
        let dbpath = PathBuf::from(evaluate(&self.programs, "%_dbpath").await?);
        let has_database =
            ["rpmdb.sqlite", "Packages.db", "Packages"].iter().any(|name| dbpath.join(name).is_file());
        match has_database && !Path::new("/var/lib/dpkg/status").is_file() {
            true => self.host_with_database(&dbpath).await,
            false => self.host_without_database().await,
        }
    }

    pub(super) async fn host_with_database(&self, dbpath: &Path) -> Result<Host, LocalError> {
        let mut hasher = DefaultHasher::new();
        for entry in fs::read_dir(dbpath).at(dbpath)? {
            let entry = entry.at(dbpath)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("rpmdb.sqlite") && !name.ends_with("-shm") || name.starts_with("Packages") {
                hash_file(&entry.path(), &mut hasher)?;
            }
        }
        let host = self.place_of_host(HostKind::WithDatabase, hasher.finish());
        if !host.database.exists() {
            let new = self.fresh_host_database()?;
            let list = self.directory.join("headers");
            let export = Invocation::of(self.programs.find(Program::Rpmdb)?).args(["--exportdb", "--dbpath"]);
            let export = export.args([dbpath]).output(File::create(&list).at(&list)?).run().await?;
            export.printed_if_successful()?;
            let import = Invocation::of(self.programs.find(Program::Rpmdb)?).args(["--importdb", "--dbpath"]);
            let import = import.args([&new]).input(File::open(&list).at(&list)?).run().await?;
            import.printed_if_successful()?;
            fs::remove_file(&list).at(&list)?;
            fs::rename(&new, &host.database).at(&new)?;
        }
        Ok(host)
    }

    async fn host_without_database(&self) -> Result<Host, LocalError> {
        let provided = capabilities(Path::new("/"))?;
        let mut hasher = DefaultHasher::new();
        provided.hash(&mut hasher);
        let host = self.place_of_host(HostKind::WithoutDatabase, hasher.finish());
        if !host.database.exists() {
            let new = self.fresh_host_database()?;
            let package = self.directory.join("host.rpm");
            write_host_package(&package, provided)?;
            let install = Invocation::of(self.programs.find(Program::Rpm)?);
            let install =
                install.args(["--install", "--justdb", "--nodeps", "--dbpath"]).args([&new, &package]);
            install.run().await?.printed_if_successful()?;
            fs::rename(&new, &host.database).at(&new)?;
        }
        Ok(host)
    }

    fn place_of_host(&self, kind: HostKind, fingerprint: u64) -> Host {
        let fingerprint = fingerprint ^ hash_of(&boot_id());
        Host { kind, fingerprint, database: self.directory.join(format!("host-{fingerprint:016x}")) }
    }

    fn fresh_host_database(&self) -> Result<PathBuf, LocalError> {
        let new = self.directory.join("host-new");
        remove_directory(&new)?;
        ensure_directory(&new)?;
        Ok(new)
    }
}

fn write_host_package(path: &Path, provided: Capabilities) -> Result<(), LocalError> {
    let mut builder = rpm::PackageBuilder::new(HOST_PACKAGE, "1", "none", "noarch", "What the host provides");
    builder.release("1").using_config(rpm::BuildConfig::v4().compression(rpm::CompressionType::None));
    for (name, version) in provided {
        builder.provides(match version {
            Some(version) => rpm::Dependency::eq(name, version),
            None => rpm::Dependency::any(name),
        });
    }
    let package =
        builder.build().map_err(|error| LocalError::Unusable(format!("the host's package list: {error}")))?;
    package.write_file(path).map_err(|error| match error {
        rpm::Error::Io(error) => LocalError::of_file(path, error),
        other => LocalError::Unusable(format!("the host's package list: {other}")),
    })
}

fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}
