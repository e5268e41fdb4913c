//! What can be seen of a run of `mbs-build` from outside: its record, its tasks, its processes.
//!
//! Everything is read from files and from `/proc`, nothing through the code under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::within::eventually_within;

/// How soon nothing of a run may live any more after its end; far less than a build that hangs would take.
const DYING: Duration = Duration::from_secs(20);

/// Returns the processes that have to do with a folder, each as `ID COMMAND`, one line of it; empty once all are gone.
///
/// Such a process names the folder on its command line or runs in a namespace into which something of the folder is mounted.
/// Only the folder's own name counts, which has to be unlike any other: mounts do not say where the file system is on which it
/// lies.
///
/// # Errors
/// `/proc` cannot be listed.
pub fn processes_of(folder: &Path) -> Result<Vec<String>> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.context("the folder has a name that is text")?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        let Some(id) = process.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()) else {
            continue;
        };
        // Processes end while one looks.
        let read = |file: &str| fs::read(process.join(file)).unwrap_or_default();
        let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let mounts = read("mountinfo");
        if id != std::process::id()
            && (command.contains(name) || String::from_utf8_lossy(&mounts).contains(name))
        {
            found.push(format!("{id} {}", command.lines().next().unwrap_or_default()));
        }
    }
    Ok(found)
}

/// Waits until no process has to do with a folder, which has to be soon.
///
/// # Errors
/// Some stay.
pub fn until_nothing_lives(folder: &Path) -> Result<()> {
    let mut last = Vec::new();
    let gone = eventually_within(DYING, "the end of all processes", || {
        last = processes_of(folder)?;
        Ok(last.is_empty().then_some(()))
    });
    gone.with_context(|| last.join("\n"))
}

/// The last module build of a results folder, as its record says.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    revision: u64,
    build: Value,
    /// Lines of the build's log.
    pub log: Vec<String>,
}

/// What the record says about a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Which batch it belongs to, from 1.
    pub batch: u64,
    /// Its state; `None` if it was not begun.
    pub state: Option<String>,
    /// What was built.
    pub nvr: Option<String>,
    /// The task that built it, of whatever module build.
    pub task: Option<u64>,
    /// The tasks of this module build's tries at it.
    pub tries: Vec<u64>,
    /// The module build that it was taken from.
    pub reused_from: Option<u64>,
    /// Its architectures.
    pub arches: Vec<String>,
}

impl Record {
    /// Reads the record of a results folder; `None` if it holds no build yet.
    ///
    /// # Errors
    /// The file is there and cannot be understood.
    pub fn read(results: &Path) -> Result<Option<Self>> {
        let file = results.join("builds.db");
        if !file.is_file() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        match runtime.block_on(last_build(&file)) {
            // Its first tables are just being made.
            Err(sqlx::Error::Database(error)) if error.message().contains("no such table") => Ok(None),
            read => read.context("builds.db is whole at any time"),
        }
    }

    /// Reads the record of a results folder that holds a build.
    ///
    /// # Errors
    /// As [`Record::read`]; or there is no build.
    pub fn of(results: &Path) -> Result<Self> {
        Self::read(results)?.context("there is a build")
    }

    /// Returns how often the record was written, its making included.
    pub fn changes(&self) -> u64 {
        self.revision + 1
    }

    /// Returns `name:stream:version:context`.
    pub fn nsvc(&self) -> &str {
        self.build["new"]["nsvc"].as_str().unwrap_or_default()
    }

    /// Returns the id of the module build.
    pub fn id(&self) -> u64 {
        self.build["id"].as_u64().unwrap_or_default()
    }

    /// Returns the state.
    pub fn state(&self) -> &str {
        self.build["life"]["state"].as_str().unwrap_or_default()
    }

    /// Returns why it is in this state; empty if there is no more to say.
    pub fn reason(&self) -> &str {
        self.build["life"]["reason"].as_str().unwrap_or_default()
    }

    /// Returns the components in the order of the record.
    pub fn in_order(&self) -> Vec<Component> {
        self.build["components"].as_array().into_iter().flatten().map(component).collect()
    }

    /// Returns the components by name.
    pub fn components(&self) -> BTreeMap<String, Component> {
        self.in_order().into_iter().map(|one| (one.name.clone(), one)).collect()
    }

    /// Returns the components in a state such as `COMPLETE`, sorted.
    pub fn components_in(&self, state: &str) -> BTreeSet<String> {
        let is_in = |one: &Component| one.state.as_deref() == Some(state);
        self.components().into_iter().filter(|(_, one)| is_in(one)).map(|(name, _)| name).collect()
    }
}

/// Reads the last build with its components, their attempts, and the log.
async fn last_build(file: &Path) -> Result<Option<Record>, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(DYING);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    // One state over all of it.
    let mut state = connection.begin().await?;
    let last = "SELECT id, revision, record FROM module_builds ORDER BY id DESC LIMIT 1";
    let Some((id, revision, record)) =
        sqlx::query_as::<_, (i64, i64, String)>(last).fetch_optional(&mut *state).await?
    else {
        return Ok(None);
    };
    let components = "SELECT id, record FROM components WHERE build_id = ? ORDER BY position";
    let components: Vec<(i64, String)> = sqlx::query_as(components).bind(id).fetch_all(&mut *state).await?;
    let attempts =
        "SELECT component_id, attempts.record FROM attempts JOIN components ON components.id = component_id
        WHERE build_id = ? ORDER BY attempts.position";
    let attempts: Vec<(i64, String)> = sqlx::query_as(attempts).bind(id).fetch_all(&mut *state).await?;
    let log = "SELECT record FROM log_lines WHERE build_id = ? ORDER BY id";
    let log: Vec<String> = sqlx::query_scalar(log).bind(id).fetch_all(&mut *state).await?;
    let json = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_default();
    let with_attempts = |(id, record): &(i64, String)| {
        let mut component = json(record);
        let own = attempts.iter().filter(|(of, _)| of == id).map(|(_, attempt)| json(attempt));
        component["attempts"] = own.collect();
        component
    };
    let mut build = json(&record);
    build["components"] = components.iter().map(with_attempts).collect();
    Ok(Some(Record {
        revision: u64::try_from(revision).unwrap_or_default(),
        build,
        log: log.iter().filter_map(|line| json(line)["text"].as_str().map(str::to_owned)).collect(),
    }))
}

fn component(value: &Value) -> Component {
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let list = |key: &str| value[key].as_array().into_iter().flatten();
    Component {
        name: text("package").unwrap_or_default(),
        batch: value["batch"].as_u64().unwrap_or_default(),
        state: text("state"),
        nvr: text("nvr"),
        task: value["task"].as_u64(),
        tries: list("attempts").filter_map(|attempt| attempt["task"].as_u64()).collect(),
        reused_from: value["verdict"]["reuse"]["build"].as_u64(),
        arches: list("arches").filter_map(|arch| arch.as_str().map(str::to_owned)).collect(),
    }
}

/// Returns which package each task of a results folder was for, and whether it has ended; empty if nothing was begun.
///
/// # Errors
/// A task's record cannot be read.
pub fn tasks(results: &Path) -> Result<BTreeMap<u64, (String, bool)>> {
    let mut tasks = BTreeMap::new();
    let entries = match fs::read_dir(results.join("work/tasks")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(tasks),
        entries => entries?,
    };
    for entry in entries {
        let folder = entry?.path();
        let id = folder.file_name().and_then(|name| name.to_str()?.parse().ok());
        let text = fs::read(folder.join("task.json"));
        if let (Some(id), Ok(text)) = (id, text) {
            let task: Value = serde_json::from_slice(&text)?;
            let package = task["package"].as_str().context("a task is for a package")?;
            tasks.insert(id, (package.to_owned(), folder.join("result.json").is_file()));
        }
    }
    Ok(tasks)
}

/// Returns the build log that the first line about a component names; `None` if no line does.
pub fn named_log(text: &str, line_begin: &str) -> Option<PathBuf> {
    let is_edge = |c: char| c.is_whitespace() || "(),".contains(c);
    let lines = text.lines().filter(|line| line.starts_with(line_begin));
    let mut words = lines.flat_map(|line| line.split(is_edge));
    words.find(|word| word.starts_with('/') && word.ends_with("/build.log")).map(PathBuf::from)
}
