//! Tasks: units of work.

use mbs_core::build_system::TaskState;
use mbs_core::ident::{Arch, TagName, TaskId};

use super::{Odd, Row, array};
use crate::xmlrpc::{Call, Struct, Value};

/// A task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What it does: `build`, `buildArch`, `newRepo`.
    pub method: String,
    /// Its state.
    pub state: TaskState,
    /// What it is for within its parent: an architecture, `srpm`, `tag`.
    pub label: Option<String>,
    /// Its cost.
    pub weight: f64,
    /// What it was asked to do, where that was asked for.
    pub request: Option<Vec<Value>>,
}

/// The states of tasks that may still do something: free, open, assigned.
const LIVE: [i64; 3] = [0, 1, 4];

/// Asks for tasks; the answer is a list in the same order, with nil for what is unknown.
pub fn tasks(ids: impl IntoIterator<Item = TaskId>) -> Call {
    Call::new("getTaskInfo").arg(ids.into_iter().map(|id| id.0).collect::<Value>())
}

/// Asks for the live build tasks of a user, with their requests.
pub fn live_builds(owner: i64) -> Call {
    let opts = Struct::from([
        ("state", Value::from(LIVE)),
        ("method", "build".into()),
        ("owner", owner.into()),
        ("decode", true.into()),
    ]);
    Call::new("listTasks").keyword("opts", opts)
}

/// Asks for the tasks that a task has begun.
pub fn children(id: TaskId) -> Call {
    Call::new("getTaskChildren").arg(id.0)
}

/// Asks for a task and all below it.
pub fn descendents(id: TaskId) -> Call {
    Call::new("getTaskDescendents").arg(id.0)
}

/// Asks for the result of a task; one that failed answers with its own fault.
pub fn result(id: TaskId) -> Call {
    Call::new("getTaskResult").arg(id.0)
}

/// Tells the hub to cancel a task and what it has begun; one that ended is left alone.
pub fn cancel(id: TaskId) -> Call {
    Call::new("cancelTask").arg(id.0)
}

/// What a build is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// An uploaded source RPM, or the address of a git commit as Koji writes it.
    pub source: String,
    /// The target.
    pub target: TagName,
    /// The package; the task is known by it.
    pub package: String,
    /// The target of the module; the task is known by it.
    pub module_target: TagName,
    /// Architectures instead of the tag's; empty: the tag's.
    pub arches: Vec<Arch>,
    /// Added to Koji's own; larger is later.
    pub priority: i64,
}

/// Tells the hub to build something; answers with the task.
pub fn build(request: &BuildRequest) -> Call {
    let mut opts = Struct::from([
        ("skip_tag", Value::from(true)),
        (PACKAGE, request.package.as_str().into()),
        (MODULE_TARGET, request.module_target.as_str().into()),
    ]);
    if !request.arches.is_empty() {
        let arches: Vec<&str> = request.arches.iter().map(Arch::as_str).collect();
        opts.insert("arch_override", arches.join(" ").into());
    }
    let call = Call::new("build").arg(request.source.as_str()).arg(request.target.as_str()).arg(opts);
    call.keyword("priority", request.priority)
}

const PACKAGE: &str = "mbs_artifact_name";
const MODULE_TARGET: &str = "mbs_module_target";

impl Task {
    /// Reads a row.
    ///
    /// # Errors
    /// It is no task.
    pub fn read(row: &Row) -> Result<Self, Odd> {
        let state = row.int("state")?;
        Ok(Self {
            id: TaskId(row.int("id")?),
            method: row.text("method")?.to_owned(),
            state: state_of(state)
                .ok_or_else(|| Odd::new("getTaskInfo", format_args!("{state} as a state")))?,
            label: row.maybe_text("label")?.map(str::to_owned),
            weight: row.maybe_number("weight")?.unwrap_or(0.0),
            request: row.member("request").and_then(Value::as_array).map(<[Value]>::to_vec),
        })
    }

    /// Says for which package and which targets (its own, the module's) it builds; `None` if it was not we who asked for it.
    pub fn built_for(&self) -> Option<(&str, &str, &str)> {
        let [_, target, opts] = self.request.as_deref()? else { return None };
        let text = |name| opts.member(name).and_then(Value::as_str);
        Some((text(PACKAGE)?, target.as_str()?, text(MODULE_TARGET)?))
    }
}

/// Reads a list of tasks, with `None` for what is unknown.
///
/// # Errors
/// It is none.
pub fn read_tasks(value: &Value) -> Result<Vec<Option<Task>>, Odd> {
    let method = "getTaskInfo";
    let read = |value| Row::maybe(method, value)?.as_ref().map(Task::read).transpose();
    array(method, value)?.iter().map(read).collect()
}

/// Reads a list of tasks that exist.
///
/// # Errors
/// It is none.
pub fn read_list(method: &'static str, value: &Value) -> Result<Vec<Task>, Odd> {
    Row::all(method, value)?.iter().map(Task::read).collect()
}

/// Reads a task with all below it, as one list without doubles.
///
/// # Errors
/// It is none.
pub fn read_descendents(value: &Value) -> Result<Vec<Task>, Odd> {
    let method = "getTaskDescendents";
    let members = value.as_struct().ok_or_else(|| Odd::new(method, value.kind()))?;
    let mut tasks = Vec::new();
    for (_, children) in members.iter() {
        tasks.extend(read_list(method, children)?);
    }
    Ok(tasks)
}

/// Reads the id of a task that was begun.
///
/// # Errors
/// It is none.
pub fn read_id(method: &'static str, value: &Value) -> Result<TaskId, Odd> {
    value.as_int().map(TaskId).ok_or_else(|| Odd::new(method, value.kind()))
}

fn state_of(number: i64) -> Option<TaskState> {
    Some(match number {
        0 => TaskState::Free,
        1 => TaskState::Open,
        2 => TaskState::Closed,
        3 => TaskState::Canceled,
        4 => TaskState::Assigned,
        5 => TaskState::Failed,
        _ => return None,
    })
}
