//! Rows about tasks, repositories, users and sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Row, event, tag};
use crate::fake_hub::python::is_true;
use crate::fake_hub::shared::grant;
use crate::fake_hub::state::{Repo, Session, State, Task, User, authtype};
use crate::xmlrpc::{Fault, FaultCode, Value};

pub(super) fn task(state: &mut State, row: &Row<'_>) {
    let Some(id) = row.int("id") else { return };
    let former = state.tasks.get(&id).cloned();
    let request = row.value("request").and_then(Value::as_array);
    let before = former.as_deref();
    let made_at = before.map_or_else(|| state.last_event().0, |task| task.made_at);
    let task = Task {
        id,
        made_at,
        method: row.text("method").unwrap_or_default().into(),
        request: request
            .map_or_else(|| before.map(|task| Arc::clone(&task.request)).unwrap_or_default(), Into::into),
        state: row.int("state").unwrap_or_default(),
        parent: row.int("parent"),
        label: row.text("label").map(Into::into),
        owner: row.int("owner").unwrap_or_default(),
        arch: row.text("arch").unwrap_or("noarch").into(),
        channel: row.int("channel_id").unwrap_or(1),
        host: row.int("host_id"),
        priority: row.int("priority").unwrap_or(20),
        weight: row.value("weight").and_then(Value::as_double).unwrap_or(1.0),
        waiting: row.flag("waiting"),
        awaited: row.flag("awaited"),
        created: row.moment("create").unwrap_or(state.now),
        started: row.moment("start"),
        completed: row.moment("completion"),
        result: row.value("result").and_then(result).or_else(|| before.and_then(|task| task.result.clone())),
    };
    state.insert_task(task);
}

/// Reads a result: a list of one, or a fault.
fn result(value: &Value) -> Option<Result<Value, Fault>> {
    match value {
        Value::Array(values) => values.first().cloned().map(Ok),
        Value::Struct(_) => {
            let code = value.member("faultCode")?.as_int()?;
            let text = value.member("faultString")?.as_str()?;
            Some(Err(Fault::new(FaultCode::of(code), text)))
        }
        _ => None,
    }
}

pub(super) fn repo(state: &mut State, row: &Row<'_>) {
    let (Some(id), Some(tag)) = (row.int("id"), row.int("tag_id")) else { return };
    tag::mentioned(state, tag, row.text("tag_name"));
    let seconds = |name: &str| row.value(name).and_then(Value::as_double);
    event(state, row.int("create_event"), seconds("create_ts"));
    event(state, row.int("begin_event"), seconds("begin_ts"));
    let options = row.value("custom_opts").and_then(Value::as_struct).cloned().unwrap_or_default();
    let options: BTreeMap<Arc<str>, Value> =
        options.into_iter().filter(|(_, value)| is_true(value)).collect();
    let repo = Repo {
        tag,
        state: row.int("state").unwrap_or_default(),
        event: row.int("create_event").unwrap_or_default(),
        begin_event: row.int("begin_event"),
        task: row.int("task_id"),
        created: row.moment("creation").unwrap_or(state.now),
        changed: row.moment("state").unwrap_or(state.now),
        options,
    };
    state.touch();
    Arc::make_mut(&mut state.repos).insert(id, repo);
}

pub(super) fn user(state: &mut State, row: &Row<'_>) {
    let (Some(id), Some(name)) = (row.int("id"), row.text("name")) else { return };
    let known = state.user_named(name).filter(|known| *known != id);
    let users = Arc::make_mut(&mut state.users);
    // The name may have another id from the set-up; it moves, with its permissions.
    let mut user =
        known.and_then(|known| users.remove(&known)).or_else(|| users.get(&id).cloned()).unwrap_or_default();
    if *user.name != *name {
        user = User { name: name.into(), ..User::default() };
    }
    let principals = row.value("krb_principals").and_then(Value::as_array);
    if let Some(principals) = principals {
        user.principals = principals.iter().filter_map(Value::as_str).map(Into::into).collect();
    }
    user.is_blocked = row.int("status").map_or(user.is_blocked, |status| status == 1);
    user.kind = row.int("usertype").unwrap_or(user.kind);
    if let Some(password) = row.text("password") {
        user.password = Some(password.into());
    }
    users.insert(id, user);
    let names = row.value("permissions").and_then(Value::as_array).unwrap_or_default();
    let names: Vec<String> = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    grant(state, id, &names);
}

pub(super) fn session(state: &mut State, row: &Row<'_>) {
    let (Some(id), Some(user)) = (row.int("id"), row.int("user_id")) else { return };
    let session = Session {
        key: row.text("key").unwrap_or_default().into(),
        user,
        authtype: authtype::PASSWORD,
        master: row.int("master"),
        callnum: row.int("callnum"),
        is_exclusive: false,
        is_closed: false,
        is_expired: false,
        began: state.now,
        renewed: None,
    };
    state.touch();
    state.last_session = state.last_session.max(id);
    Arc::make_mut(&mut state.sessions).insert(id, session);
}
