//! Tasks.

use super::{Args, Method, method};
use crate::fake_hub::builder;
use crate::fake_hub::context::{Context, not_allowed, nothing};
use crate::fake_hub::python::is_true;
use crate::fake_hub::state::{Answer, Id, NewTask, Task, refuse, task_state};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("build", "RootExports.build", "src, target, opts=None, priority=None, channel=None", build),
    method("getTaskInfo", "RootExports.getTaskInfo", "task_id, request=False, strict=False", info),
    method(
        "getTaskChildren",
        "RootExports.getTaskChildren",
        "task_id, request=False, strict=False",
        children,
    ),
    method("getTaskDescendents", "RootExports.getTaskDescendents", "task_id, request=False", descendents),
    method("getTaskResult", "RootExports.getTaskResult", "taskId, raise_fault=True", result),
    method("getTaskRequest", "RootExports.getTaskRequest", "taskId", request),
    method("taskFinished", "RootExports.taskFinished", "taskId", finished),
    method("listTasks", "RootExports.listTasks", "opts=None, queryOpts=None", list),
    method("cancelTask", "RootExports.cancelTask", "task_id, recurse=True", cancel),
    method("cancelTaskFull", "RootExports.cancelTaskFull", "task_id, strict=True", cancel_full),
    method("resubmitTask", "RootExports.resubmitTask", "taskID", resubmit),
    method("setTaskPriority", "RootExports.setTaskPriority", "task_id, priority, recurse=True", set_priority),
    method("makeTask", "RootExports.makeTask", "*args, **opts", make),
    method(
        "listTaskOutput",
        "RootExports.listTaskOutput",
        "taskID, stat=False, all_volumes=False, strict=False",
        output,
    ),
    method(
        "downloadTaskOutput",
        "RootExports.downloadTaskOutput",
        "taskID, fileName, offset=0, size=-1, volume=None",
        download,
    ),
];

fn build(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_login()?;
    args.text("src")?;
    args.optional_text("target")?;
    let priority = args.optional_int("priority")?.filter(|priority| *priority != 0);
    if priority.is_some_and(|priority| priority < 0) && !context.may("admin") {
        return Err(not_allowed("only admins may create high-priority tasks"));
    }
    let options = match args.value("opts") {
        options if is_true(options) => options.clone(),
        _ => Value::Struct(Struct::default()),
    };
    let request = vec![args.value("src").clone(), args.value("target").clone(), options];
    let priority = priority.map(|priority| 20 + priority);
    let task = context.state.make_task(NewTask { method: "build", request, priority, ..NewTask::default() });
    Ok(task.into())
}

fn row(task: &Task, with_request: bool) -> Struct {
    let mut row = task.row();
    if with_request {
        row.insert("request", task.request_value());
    }
    row
}

fn info(context: &mut Context<'_>, args: &Args) -> Answer {
    let with_request = args.flag("request");
    let one = |id: &Value| -> Answer {
        let task = id.as_int().and_then(|id| context.state.tasks.get(&id));
        if task.is_none() && args.flag("strict") {
            return Err(refuse(format!("No such task: {}", crate::fake_hub::python::text(id))));
        }
        Ok(task.map(|task| row(task, with_request)).into())
    };
    match args.value("task_id") {
        Value::Array(ids) => ids.iter().map(one).collect::<Answer<Vec<Value>>>().map(Value::Array),
        id => one(id),
    }
}

fn children_rows(context: &Context<'_>, task: Id, with_request: bool) -> Value {
    let children = context.state.children_of(task).iter();
    let tasks = children.filter_map(|child| context.state.tasks.get(child));
    tasks.map(|task| row(task, with_request)).collect()
}

fn children(context: &mut Context<'_>, args: &Args) -> Answer {
    let task = args.int("task_id")?;
    if args.flag("strict") {
        context.state.task(task)?;
    }
    Ok(children_rows(context, task, args.flag("request")))
}

fn descendents(context: &mut Context<'_>, args: &Args) -> Answer {
    let task = args.int("task_id")?;
    let mut tree = Struct::default();
    let mut ahead = vec![task];
    while let Some(task) = ahead.pop() {
        tree.insert(task.to_string(), children_rows(context, task, args.flag("request")));
        ahead.extend(context.state.children_of(task));
    }
    Ok(tree.into())
}

fn result(context: &mut Context<'_>, args: &Args) -> Answer {
    let id = args.int("taskId")?;
    let task = context.state.task(id)?;
    match (&task.result, task.state) {
        (_, task_state::CANCELED) => Err(refuse(format!("Task {id} is canceled"))),
        (Some(Ok(value)), _) => Ok(value.clone()),
        (Some(Err(fault)), _) if args.flag("raise_fault") => Err(fault.clone()),
        (Some(Err(fault)), _) => Ok(Task::fault_row(fault)),
        (None, _) => Err(refuse(format!("Task {id} is not finished"))),
    }
}

fn request(context: &mut Context<'_>, args: &Args) -> Answer {
    Ok(context.state.task(args.int("taskId")?)?.request_value())
}

fn finished(context: &mut Context<'_>, args: &Args) -> Answer {
    let task = context.state.task(args.int("taskId")?)?;
    Ok((!task_state::is_live(task.state)).into())
}

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let options = args.value("opts").as_struct().cloned().unwrap_or_default();
    let owner = options.member("owner").map(|owner| state.user(owner)).transpose()?;
    let tasks = state.tasks.values().filter(|task| is_wanted(task, &options, owner));
    let decodes = options.member("decode").is_some_and(is_true);
    let row = |task: &std::sync::Arc<Task>| {
        let mut row = task.row();
        let kind = state.users.get(&task.owner).map(|user| user.kind);
        let decoded = || {
            task.result.as_ref().map(|result| result.clone().unwrap_or_else(|fault| Task::fault_row(&fault)))
        };
        let (request, result) = match decodes {
            true => (task.request_value(), decoded().into()),
            false => (task.request_xml().into(), task.result_xml().into()),
        };
        row.insert("owner_name", Value::from(&*state.user_name(task.owner)));
        row.insert("owner_type", kind.into());
        row.insert("request", request);
        row.insert("result", result);
        row
    };
    super::query::rows(tasks.map(row).collect(), args)
}

fn is_wanted(task: &Task, options: &Struct, owner: Option<Id>) -> bool {
    let is = |name: &str, value: Value| match options.member(name) {
        None => true,
        Some(Value::Array(wanted)) => wanted.contains(&value),
        Some(wanted) => *wanted == value,
    };
    owner.is_none_or(|owner| task.owner == owner)
        && is("state", task.state.into())
        && is("method", (&*task.method).into())
        && is("arch", (&*task.arch).into())
        && is("parent", task.parent.into())
        && is("channel_id", task.channel.into())
        && is("host_id", task.host.into())
        && options.member("not_state").is_none_or(|_| !is("not_state", task.state.into()))
}

fn cancel(context: &mut Context<'_>, args: &Args) -> Answer {
    let id = args.int("task_id")?;
    let owner = context.state.task(id)?.owner;
    let is_own = context.session.is_some() && owner == context.user();
    if !is_own && !context.may("admin") {
        return Err(not_allowed("Cannot cancel task, not owner"));
    }
    context.state.cancel_task(id);
    nothing()
}

fn cancel_full(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let id = args.int("task_id")?;
    context.state.task(id)?;
    context.state.cancel_task(id);
    nothing()
}

fn resubmit(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_login()?;
    let id = args.int("taskID")?;
    let task = context.state.task(id)?;
    if !matches!(task.state, task_state::CANCELED | task_state::FAILED) {
        return Err(refuse(format!("Can only resubmit failed or canceled tasks: {id}")));
    }
    if task.parent.is_some() {
        return Err(refuse(format!("Cannot resubmit subtask: {id}")));
    }
    if &*task.method != "build" {
        return Err(refuse(format!("Not a resubmittable task: {}", task.method)));
    }
    let (request, priority) = (task.request.to_vec(), Some(task.priority));
    let task = context.state.make_task(NewTask { method: "build", request, priority, ..NewTask::default() });
    Ok(task.into())
}

fn set_priority(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let (id, priority) = (args.int("task_id")?, args.int("priority")?);
    context.state.task(id)?;
    context.state.change_task(id, |task| task.priority = priority);
    nothing()
}

fn make(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    Err(refuse(format!("the fake hub makes no tasks of {} arguments by makeTask", args.more.len())))
}

fn output(context: &mut Context<'_>, args: &Args) -> Answer {
    let id = args.int("taskID")?;
    if args.flag("strict") {
        context.state.task(id)?;
    }
    let files = builder::task_files(context.state, id);
    let on_volumes = args.flag("all_volumes");
    if !args.flag("stat") && on_volumes {
        let volumes = || Value::from(["DEFAULT"]);
        return Ok(Value::Struct(files.iter().map(|(name, _)| (name.as_str().into(), volumes())).collect()));
    }
    if !args.flag("stat") {
        return Ok(files.iter().map(|(name, _)| name.as_str()).collect());
    }
    let moment = context.state.now.seconds();
    let stat = |content: &str| {
        Struct::from([
            ("st_size", Value::from(content.len().to_string())),
            ("st_atime", moment.into()),
            ("st_mtime", moment.into()),
            ("st_ctime", moment.into()),
        ])
    };
    let volumes = |stat: Struct| match on_volumes {
        true => Struct::from([("DEFAULT", stat)]),
        false => stat,
    };
    let files = files.iter().map(|(name, content)| (name.as_str().into(), volumes(stat(content)).into()));
    Ok(Value::Struct(files.collect()))
}

fn download(context: &mut Context<'_>, args: &Args) -> Answer {
    use base64::Engine as _;
    let (id, name) = (args.int("taskID")?, args.text("fileName")?);
    let files = builder::task_files(context.state, id);
    let missing = || refuse(format!("no file \"{name}\" output by task {id}"));
    let (_, content) = files.iter().find(|(known, _)| known == name).ok_or_else(missing)?;
    let offset = usize::try_from(args.int("offset")?).unwrap_or(0).min(content.len());
    let size = usize::try_from(args.int("size")?).unwrap_or(usize::MAX);
    let end = offset.saturating_add(size).min(content.len());
    let bytes = &content.as_bytes()[offset..end];
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into())
}
