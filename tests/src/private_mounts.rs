//! A private mount namespace: what is mounted in it, only programs that are started in it see.
//!
//! Full disks and read-only folders are real ones there, for root, too.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::needed::folders_of_programs;

/// The namespace, held by a process that does nothing; gone when dropped.
#[derive(Debug)]
pub struct PrivateMounts {
    holder: Child,
    is_root: bool,
}

impl PrivateMounts {
    /// Makes one.
    ///
    /// # Errors
    /// `unshare` is missing, or the machine does not allow it.
    pub fn new() -> Result<Self> {
        let is_root = effective_user()? == "0";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]);
        if !is_root {
            command.arg("--map-root-user");
        }
        command.args(["--", "sh", "-c", "echo ready; exec cat"]);
        let holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut made = Self { holder: holder.context("unshare cannot be run")?, is_root };
        let mut said = String::new();
        let out = made.holder.stdout.take().context("the output of unshare is a pipe")?;
        BufReader::new(out).read_line(&mut said)?;
        ensure!(said == "ready\n", "this machine allows no private mount namespace");
        Ok(made)
    }

    /// Returns the command that runs a program in it.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--mount"]);
        if !self.is_root {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program).env("NO_COLOR", "1");
        command
    }

    /// Calls `mount` in it.
    ///
    /// # Errors
    /// It does not succeed.
    pub fn mount<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<()> {
        let done = self.command("mount").args(arguments).output()?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Mounts an empty disk of so many KiB on a folder.
    ///
    /// # Errors
    /// It cannot be mounted.
    pub fn mount_disk(&self, folder: &Path, kib: u64) -> Result<()> {
        let size = format!("size={kib}k");
        self.mount(
            ["-t", "tmpfs", "-o", &size, "small"].map(OsStr::new).into_iter().chain([folder.as_os_str()]),
        )
    }

    /// Gives such a disk another size.
    ///
    /// # Errors
    /// It cannot be changed: more is in use.
    pub fn resize_disk(&self, folder: &Path, kib: u64) -> Result<()> {
        let options = format!("remount,size={kib}k");
        self.mount(["-o", &options].map(OsStr::new).into_iter().chain([folder.as_os_str()]))
    }

    /// Hides a program: in each of the usual folders, and those of `PATH`, there is something else of its name.
    ///
    /// # Errors
    /// It cannot be hidden.
    pub fn hide_program(&self, name: &str) -> Result<()> {
        let folders = folders_of_programs();
        let mut places: Vec<PathBuf> =
            folders.filter_map(|folder| folder.join(name).canonicalize().ok()).collect();
        places.sort();
        places.dedup();
        for place in places {
            self.mount([OsStr::new("--bind"), OsStr::new("/dev/null"), place.as_os_str()])?;
        }
        Ok(())
    }

    /// Returns the path under which a file of the namespace is seen from outside.
    pub fn seen(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap_or(path))
    }
}

impl Drop for PrivateMounts {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

fn effective_user() -> Result<String> {
    let printed = Command::new("id").arg("-u").output().context("id cannot be run")?.stdout;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}
