//! What lies over the host in a build: the RPMs of the build tag, unpacked, and an RPM database that knows them.
//!
//! The result is a *layer*: a directory with `usr`, `etc` … for [`crate::sandbox`]. Its database holds what the
//! host provides (a copy of the host's own, or one virtual package where the host has none, see
//! [`crate::host_packages`]) and every unpacked RPM, so that `rpmbuild` checks `BuildRequires` for real.
//! Scriptlets are not run. A layer is made once per content and kept for the builds that follow.
//!
//! Which RPMs belong to a tag is decided elsewhere ([`crate::repo`]); here only which of them can be
//! installed together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;

use crate::error::{AtPath as _, LocalError};
use crate::files::{end_of_log, ensure_directory, link_or_copy, remove_directory, unless_full};
use crate::headers::{Conflict, RpmHeader};
use crate::process::{Invocation, last_lines};
use crate::programs::{Program, Programs};
use crate::sandbox::{BUILD_DIRECTORY, Ended, Inside, Sandbox};
use crate::supervise::wait_until_over;

mod host;
mod links;

use host::{Host, HostKind};

/// Where the private RPM database is, seen from inside.
pub const DATABASE: &str = "/var/lib/mbs-rpmdb";

/// The package whose `Conflicts` keep other packages out.
const MACROS_PACKAGE: &str = "module-build-macros";

/// Unused layers that are kept all the same, the newest ones.
const SPARE_LAYERS: usize = 3;

/// How long installing into a layer may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(3600);

/// Makes layers and keeps them in a directory of its own.
#[derive(Debug)]
pub struct Buildroots {
    directory: PathBuf,
    sandbox: Sandbox,
    programs: Programs,
    arch: String,
    making: AsyncMutex<()>,
    in_use: Mutex<BTreeMap<PathBuf, Weak<Layer>>>,
}

/// A finished layer; it stays on disk at least as long as this value lives.
#[derive(Debug, PartialEq, Eq)]
pub struct Layer {
    path: PathBuf,
    packages: Vec<String>,
}

impl Layer {
    /// The tree to lay over the host.
    pub fn tree(&self) -> PathBuf {
        self.path.join("root")
    }

    /// NEVRAs of the RPMs in it, those of the host apart, sorted.
    pub fn packages(&self) -> &[String] {
        &self.packages
    }
}

impl Buildroots {
    /// Keeps layers below `directory`, which is made.
    ///
    /// # Errors
    /// If the directory cannot be made or RPM's architecture not be asked.
    pub async fn new(directory: PathBuf, sandbox: Sandbox, programs: Programs) -> Result<Self, LocalError> {
        ensure_directory(&directory)?;
        let arch = evaluate(&programs, "%_target_cpu").await?;
        let (making, in_use) = (AsyncMutex::new(()), Mutex::default());
        Ok(Self { directory, sandbox, programs, arch, making, in_use })
    }

    /// The architecture that is built for, in RPM's words.
    pub fn arch(&self) -> &str {
        &self.arch
    }

    /// Returns the layer with the RPMs of these tags, the most important tag first; made if there is none.
    ///
    /// Of several RPMs of one name that of the first tag is taken, within a tag the last. Source RPMs, debug information, other architectures
    /// and what `module-build-macros` conflicts with stay out.
    ///
    /// # Errors
    /// `Unusable` if a file is no RPM, `Program` if RPM refuses to unpack; otherwise trouble with files or namespaces.
    pub async fn layer(&self, tags: &[Vec<PathBuf>]) -> Result<Arc<Layer>, LocalError> {
        let _one_at_a_time = self.making.lock().await;
        let host = self.host().await?;
        let path = self.directory.join(format!("layer-{:016x}", fingerprint(&host, tags)?));
        if let Some(layer) = self.known(&path) {
            return Ok(layer);
        }
        if !path.exists() {
            self.make(&host, tags, &path).await?;
        }
        let packages =
            fs::read_to_string(path.join("packages")).at(&path)?.lines().map(str::to_owned).collect();
        let layer = Arc::new(Layer { path: path.clone(), packages });
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner).insert(path, Arc::downgrade(&layer));
        self.prune(&host)?;
        Ok(layer)
    }

    fn known(&self, path: &Path) -> Option<Arc<Layer>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner).get(path).and_then(Weak::upgrade)
    }

    async fn make(&self, host: &Host, tags: &[Vec<PathBuf>], path: &Path) -> Result<(), LocalError> {
        let new = self.directory.join("new");
        // A program that was killed may have died before what it started there.
        wait_until_over(&new.join("lock")).await?;
        remove_directory(&new)?;
        let root = new.join("root");
        ensure_directory(&root.join("usr"))?;
        ensure_directory(&root.join("etc"))?;
        links::repeat_top(Path::new("/"), &root)?;
        copy_files(&host.database, &root.join(DATABASE.trim_start_matches('/')))?;
        let chosen = choose(tags, &self.arch)?;
        self.configure_linker(&root, host).await?;
        let rpms = place_rpms(&new, &chosen)?;
        links::repeat(&self.directories_in(&new, &rpms).await?, Path::new("/"), &root)?;
        // From here on RPMs decide what is below `root`: a link in it may lead anywhere, so only the sandbox opens paths there.
        self.install(&new, &rpms).await?;
        self.refresh_linker_cache(&new).await?;
        let packages: Vec<String> = chosen.iter().map(|(_, header)| header.nevra.to_string()).collect();
        fs::write(new.join("packages"), packages.join("\n")).at(&new)?;
        remove_directory(&new.join("rpms"))?;
        fs::rename(&new, path).at(path)
    }

    /// Returns the directories that these RPMs put something into, as their names stand in the RPMs.
    async fn directories_in(&self, new: &Path, rpms: &[String]) -> Result<BTreeSet<PathBuf>, LocalError> {
        if rpms.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut command = LIST.map(str::to_owned).to_vec();
        command.extend_from_slice(rpms);
        self.run(new, None, &command).await?;
        let list = new.join("files");
        let bytes = fs::read(&list).at(&list)?;
        fs::remove_file(&list).at(&list)?;
        Ok(links::directories(&String::from_utf8_lossy(&bytes)))
    }

    async fn install(&self, new: &Path, rpms: &[String]) -> Result<(), LocalError> {
        if rpms.is_empty() {
            return Ok(());
        }
        let mut command: Vec<String> = INSTALL.map(str::to_owned).to_vec();
        command.extend(["--dbpath", DATABASE, "--"].map(str::to_owned));
        command.extend_from_slice(rpms);
        self.run(new, None, &command).await
    }

    /// Lets the run-time linker search RPM's library directory, which Debian's would not by itself.
    async fn configure_linker(&self, root: &Path, host: &Host) -> Result<(), LocalError> {
        if host.kind == HostKind::WithDatabase {
            return Ok(());
        }
        let libdir = evaluate(&self.programs, "%_libdir").await?;
        let directory = root.join("etc/ld.so.conf.d");
        ensure_directory(&directory)?;
        let path = directory.join("rpm-libdir.conf");
        fs::write(&path, format!("{libdir}\n")).at(&path)
    }

    /// Lets the run-time linker know the libraries of the layer.
    async fn refresh_linker_cache(&self, new: &Path) -> Result<(), LocalError> {
        let root = new.join("root");
        let command = ["ldconfig", "-X", "-C", "/builddir/ld.so.cache"].map(str::to_owned);
        self.run(new, Some(&root), &command).await?;
        let command = ["mv", "-fT", "/builddir/ld.so.cache", "/builddir/root/etc/ld.so.cache"];
        self.run(new, None, &command.map(str::to_owned)).await
    }

    async fn run(&self, new: &Path, layer: Option<&Path>, command: &[String]) -> Result<(), LocalError> {
        let (log, lock) = (new.join("log"), new.join("lock"));
        let inside = Inside { layer, directory: new, log: &log, lock: &lock, limit: INSTALL_LIMIT };
        if self.sandbox.run(&inside, command).await? == Ended::Well {
            return Ok(());
        }
        let said = last_lines(&end_of_log(&log).unwrap_or_default(), 5);
        let program = command.first().cloned().unwrap_or_default();
        let status = "in a namespace of its own".to_owned();
        Err(unless_full(LocalError::Program { program, status, said }, new))
    }

    /// Removes layers that nobody uses, the newest spare ones apart, and databases of what the host was.
    fn prune(&self, host: &Host) -> Result<(), LocalError> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|_, layer| layer.strong_count() > 0);
        let mut unused = Vec::new();
        for entry in fs::read_dir(&self.directory).at(&self.directory)? {
            let entry = entry.at(&self.directory)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("host-") && entry.path() != host.database {
                remove_directory(&entry.path())?;
            }
            if name.starts_with("layer-") && !in_use.contains_key(&entry.path()) {
                unused.push((
                    entry.metadata().and_then(|data| data.modified()).at(entry.path())?,
                    entry.path(),
                ));
            }
        }
        unused.sort();
        let surplus = unused.len().saturating_sub(SPARE_LAYERS);
        unused[..surplus].iter().try_for_each(|(_, path)| remove_directory(path))
    }
}

/// RPM without anything that would look at the host or run code of a package.
const INSTALL: [&str; 13] = [
    "rpm",
    "--root",
    "/builddir/root",
    "--upgrade",
    "--force",
    "--nodeps",
    "--noscripts",
    "--notriggers",
    "--nosignature",
    "--ignorearch",
    "--ignoreos",
    "--nocaps",
    "--nocontexts",
];

/// Writes the type and name of each file of the RPMs that follow.
const LIST: [&str; 4] = [
    "sh",
    "-c",
    "exec rpm -qp --nosignature --queryformat '[%{FILEMODES:perms} %{FILENAMES}\\n]' \"$@\" >/builddir/files",
    "rpm",
];

/// Picks what can be installed together; sorted by NEVRA.
fn choose(tags: &[Vec<PathBuf>], arch: &str) -> Result<Vec<(PathBuf, RpmHeader)>, LocalError> {
    let mut by_name: BTreeMap<String, (usize, PathBuf, RpmHeader)> = BTreeMap::new();
    for (rank, rpms) in tags.iter().enumerate() {
        for path in rpms {
            let header = RpmHeader::read(path)?;
            let is_ours = [arch, "noarch"].contains(&header.nevra.arch.as_str());
            let is_hidden = by_name.get(&header.nevra.name).is_some_and(|(other, ..)| *other < rank);
            if is_ours && !is_hidden && !header.is_debug() {
                by_name.insert(header.nevra.name.clone(), (rank, path.clone(), header));
            }
        }
    }
    let conflicts: Vec<Conflict> =
        by_name.get(MACROS_PACKAGE).map(|(_, _, header)| header.conflicts.clone()).unwrap_or_default();
    let chosen = by_name.into_values().map(|(_, path, header)| (path, header));
    Ok(chosen
        .filter(|(_, header)| !conflicts.iter().any(|kept_out| kept_out.names_exactly(&header.nevra)))
        .collect())
}

async fn evaluate(programs: &Programs, expression: &str) -> Result<String, LocalError> {
    let rpm = Invocation::of(programs.find(Program::Rpm)?).args(["--eval", expression]);
    Ok(rpm.run().await?.printed_if_successful()?.trim().to_owned())
}

/// Whatever makes another layer: the host, the tags' files, and the boot, for a layer is not made durable.
fn fingerprint(host: &Host, tags: &[Vec<PathBuf>]) -> Result<u64, LocalError> {
    let mut hasher = DefaultHasher::new();
    host.fingerprint.hash(&mut hasher);
    for rpms in tags {
        rpms.len().hash(&mut hasher);
        rpms.iter().try_for_each(|path| hash_file(path, &mut hasher))?;
    }
    Ok(hasher.finish())
}

fn hash_file(path: &Path, hasher: &mut DefaultHasher) -> Result<(), LocalError> {
    let data = fs::metadata(path).at(path)?;
    (path, data.len(), data.mtime(), data.mtime_nsec()).hash(hasher);
    Ok(())
}

/// Gives the RPMs a second name in the directory that the sandbox sees; returns what they are called there.
fn place_rpms(new: &Path, chosen: &[(PathBuf, RpmHeader)]) -> Result<Vec<String>, LocalError> {
    let rpms = new.join("rpms");
    ensure_directory(&rpms)?;
    let place = |(number, (path, _)): (usize, &(PathBuf, RpmHeader))| {
        link_or_copy(path, &rpms.join(format!("{number}.rpm")))?;
        Ok(format!("{BUILD_DIRECTORY}/rpms/{number}.rpm"))
    };
    chosen.iter().enumerate().map(place).collect()
}

fn copy_files(from: &Path, to: &Path) -> Result<(), LocalError> {
    ensure_directory(to)?;
    for entry in fs::read_dir(from).at(from)? {
        let path = entry.at(from)?.path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap_or_default())).at(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
