//! Builds: one NVR each.

use mbs_core::ident::{Nvr, Package, TagEvent, TagName, TaskId};

use super::{Odd, Row};
use crate::xmlrpc::{Call, Struct, Value};

/// A build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Its id.
    pub id: i64,
    /// Its name, version and release.
    pub nvr: Nvr,
    /// Its state.
    pub state: BuildState,
    /// The task that made it; `None` for imports.
    pub task: Option<TaskId>,
}

/// State of a build, in Koji's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildState {
    /// It is being built.
    Building,
    /// It is there.
    Complete,
    /// It was deleted.
    Deleted,
    /// It did not build.
    Failed,
    /// It was cancelled.
    Canceled,
}

/// A build in a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The build.
    pub build: Build,
    /// The source package.
    pub package: Package,
    /// When it was put into the tag.
    pub event: TagEvent,
}

/// Asks for a build by its NVR; nil if it is unknown.
pub fn build(nvr: &Nvr) -> Call {
    Call::new("getBuild").arg(nvr.to_string())
}

/// Asks for what a task built.
pub fn of_task(task: TaskId) -> Call {
    Call::new("listBuilds").keyword("taskID", task.0)
}

/// Asks for the newest complete build of a package that a user made.
///
/// `package` is Koji's id of it: nil would mean every package.
pub fn newest_by(package: i64, user: i64) -> Call {
    let newest = Struct::from([("order", Value::from("-build_id")), ("limit", 1.into())]);
    let call = Call::new("listBuilds").keyword("packageID", package).keyword("userID", user);
    call.keyword("state", 1).keyword("queryOpts", newest)
}

/// Asks for the complete builds of a package that are in no tag.
pub fn untagged(package: &Package) -> Call {
    Call::new("untaggedBuilds").keyword("name", package.as_str())
}

/// Asks for the builds in a tag, inheritance off.
pub fn in_tag(tag: &TagName) -> Call {
    Call::new("listTagged").arg(tag.as_str())
}

/// Asks for the builds of a kind in a tag and in all that it inherits, with what is said of them beside; a fault if the hub does
/// not know such builds.
pub fn reached_by_tag(tag: &TagName, kind: &str) -> Call {
    in_tag(tag).keyword("inherit", true).keyword("type", kind).keyword("extra", true)
}

/// Asks for the kinds of builds that the hub knows.
pub fn kinds() -> Call {
    Call::new("listBTypes")
}

/// Asks for Koji's id of a package; nil if it is unknown.
pub fn package_id(package: &Package) -> Call {
    Call::new("getPackageID").arg(package.as_str())
}

/// Asks how many seconds a build of a package takes; nil if nobody knows.
pub fn average_duration(package: &Package) -> Call {
    Call::new("getAverageBuildDuration").arg(package.as_str())
}

/// Tells the hub to put a build into a tag; answers with a task.
pub fn tag(tag: &TagName, nvr: &Nvr) -> Call {
    Call::new("tagBuild").arg(tag.as_str()).arg(nvr.to_string())
}

/// Tells the hub to take a build out of a tag; one that is not there is fine.
pub fn untag(tag: &TagName, nvr: &Nvr) -> Call {
    Call::new("untagBuild").arg(tag.as_str()).arg(nvr.to_string()).keyword("strict", false)
}

impl Build {
    /// Reads a row.
    ///
    /// # Errors
    /// It is no build.
    pub fn read(row: &Row) -> Result<Self, Odd> {
        let state = row.int("state")?;
        Ok(Self {
            id: row.int("build_id").or_else(|_| row.int("id"))?,
            nvr: nvr(row)?,
            state: state_of(state).ok_or_else(|| Odd::new("getBuild", format_args!("{state} as a state")))?,
            task: row.maybe_int("task_id")?.map(TaskId),
        })
    }
}

/// Reads name, version and release of a row.
///
/// # Errors
/// They are missing, or no NVR.
pub fn nvr(row: &Row) -> Result<Nvr, Odd> {
    let text = |name| row.text(name);
    Ok(Nvr::of(text("name")?, text("version")?, text("release")?))
}

/// Reads one build; `None` if it is unknown.
///
/// # Errors
/// It is none.
pub fn read(value: &Value) -> Result<Option<Build>, Odd> {
    Row::maybe("getBuild", value)?.as_ref().map(Build::read).transpose()
}

/// Reads a list of builds.
///
/// # Errors
/// It is none.
pub fn read_list(value: &Value) -> Result<Vec<Build>, Odd> {
    Row::all("listBuilds", value)?.iter().map(Build::read).collect()
}

/// Reads the names of kinds of builds.
///
/// # Errors
/// It is no list of them.
pub fn read_kinds(value: &Value) -> Result<Vec<String>, Odd> {
    Row::all("listBTypes", value)?.iter().map(|row| row.text("name").map(str::to_owned)).collect()
}

/// Reads the builds that are in no tag.
///
/// # Errors
/// They are none.
pub fn read_untagged(value: &Value) -> Result<Vec<Nvr>, Odd> {
    Row::all("untaggedBuilds", value)?.iter().map(nvr).collect()
}

/// Reads the builds in a tag, oldest tagging first: the hub says the newest first. A build of a name that no package of ours
/// can have is left out.
///
/// # Errors
/// They are none.
pub fn read_tagged(value: &Value) -> Result<Vec<Tagged>, Odd> {
    let read = |row: &Row| {
        Ok(Tagged {
            build: Build::read(row)?,
            package: row.ident("package_name")?,
            event: TagEvent(row.int("create_event")?),
        })
    };
    let is_package = |row: &&Row| row.ident::<Package>("package_name").is_ok();
    Row::all("listTagged", value)?.iter().rev().filter(is_package).map(read).collect()
}

fn state_of(number: i64) -> Option<BuildState> {
    Some(match number {
        0 => BuildState::Building,
        1 => BuildState::Complete,
        2 => BuildState::Deleted,
        3 => BuildState::Failed,
        4 => BuildState::Canceled,
        _ => return None,
    })
}
