//! A server as a process of its own: where it listens, what it says, and what memory it took.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::built::{mbs_frontend, mbs_manager};
use crate::within::{eventually, run_within_limit};

/// A server under way; killed when dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its store and what it says; gone when dropped.
    pub folder: TempDir,
}

impl Served {
    /// Starts `mbs-frontend` on a new store; `config` is what its configuration says beside that and the port, `database` the URL of an
    /// empty database, `None`: a file.
    ///
    /// # Errors
    /// The store cannot be made, or the program ends at once.
    pub fn frontend(config: &str, database: Option<&str>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("mbs-served-").tempdir()?;
        let in_file = || format!("sqlite:{}", folder.path().join("mbs.db").display());
        let database = database.map_or_else(in_file, str::to_owned);
        let file = folder.path().join("mbs.toml");
        std::fs::write(&file, format!("[service]\nport = 0\ndatabase = {database:?}\n{config}"))?;
        let made =
            run_within_limit(Command::new(mbs_manager()).args(["upgradedb", "--database", &database]))?;
        ensure!(made.status == Some(0), "{made:?}");
        Self::start(Command::new(mbs_frontend()).env("MBS_CONFIG_FILE", file), folder)
    }

    /// Starts a program that says at which address it listens.
    ///
    /// # Errors
    /// It cannot be started, or ends before it says so.
    pub fn start(command: &mut Command, folder: TempDir) -> Result<Self> {
        let log = folder.path().join("said");
        let said = File::create(&log)?;
        command.current_dir(folder.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        let mut child = command.stdout(said.try_clone()?).stderr(said).spawn()?;
        let address = eventually("the address of a server", || {
            let text = std::fs::read_to_string(&log)?;
            match (listens_at(&text), child.try_wait()?) {
                (Some(address), _) => Ok(Some(address)),
                (None, Some(status)) => bail!("the server ended ({status}): {text}"),
                (None, None) => Ok(None),
            }
        });
        match address {
            Ok(address) => Ok(Self { child, address, folder }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    /// Returns what it said so far.
    ///
    /// # Errors
    /// The file is gone.
    pub fn said(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("said"))?)
    }

    /// Returns the most memory that it ever held, in KiB.
    ///
    /// # Errors
    /// The process is gone.
    pub fn peak_memory_kib(&self) -> Result<u64> {
        let file = PathBuf::from(format!("/proc/{}/status", self.child.id()));
        let text = std::fs::read_to_string(file)?;
        let line =
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process has memory")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn listens_at(said: &str) -> Option<SocketAddr> {
    // What is only half written is read at the next look.
    let (whole, _) = said.rsplit_once('\n')?;
    let (_, rest) = whole.split_once("http://")?;
    rest.split(['/', '\n']).next()?.trim().parse().ok()
}
