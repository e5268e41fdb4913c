//! Rows about builds and RPMs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Row, event, tag};
use crate::fake_hub::state::{Archive, Build, Id, Rpm, Stamp, State};
use crate::xmlrpc::{Struct, Value};

pub(super) fn build(state: &mut State, row: &Row<'_>) {
    let Some(id) = row.int("build_id").or(row.int("id")) else { return };
    let former = state.builds.get(&id).map(|build| Build::clone(build)).unwrap_or_default();
    let (name, package) = (row.text("name").unwrap_or(&former.name), row.int("package_id"));
    let package = package.unwrap_or(former.package);
    state.packages.set(package, row.text("package_name").unwrap_or(name));
    if let (Some(id), Some(name)) = (row.int("cg_id"), row.text("cg_name")) {
        state.generators.set(id, name);
    }
    event(state, row.int("creation_event_id"), row.moment("creation").map(super::Moment::seconds));
    let extra = row.value("extra").cloned().or(former.extra);
    let types = extra.as_ref().and_then(|extra| extra.member("typeinfo")).and_then(Value::as_struct);
    let types: BTreeMap<Arc<str>, Value> = match types {
        Some(types) => types.clone().into_iter().collect(),
        None => BTreeMap::from([("rpm".into(), Value::Nil)]),
    };
    let build = Build {
        id,
        package,
        name: name.into(),
        version: row.text("version").map_or(former.version, Into::into),
        release: row.text("release").map_or(former.release, Into::into),
        epoch: row.int("epoch").or(former.epoch),
        state: row.int("state").unwrap_or(former.state),
        task: row.int("task_id").or(former.task),
        owner: row.int("owner_id").unwrap_or(former.owner),
        event: row.int("creation_event_id").unwrap_or(former.event),
        created: row.moment("creation").unwrap_or(former.created),
        started: row.moment("start").or(former.started),
        completed: row.moment("completion").or(former.completed),
        source: row.text("source").map(Into::into).or(former.source),
        extra,
        generator: row.int("cg_id").or(former.generator),
        is_draft: row.flag("draft").unwrap_or(former.is_draft),
        types,
        token: former.token,
        logs: match row.value("logs").and_then(Value::as_array) {
            Some(logs) => logs.iter().filter_map(Value::as_str).map(Into::into).collect(),
            None => former.logs,
        },
    };
    state.insert_build(build);
    if let (Some(tag), Some(event)) = (row.int("tag_id"), row.int("create_event")) {
        tagged(state, (tag, row.text("tag_name")), id, event);
    }
}

fn tagged(state: &mut State, (tag, name): (Id, Option<&str>), build: Id, at: Id) {
    tag::mentioned(state, tag, name);
    event(state, Some(at), None);
    if state.tagged.row(&(tag, build), None).is_none() {
        state.tagged.put((tag, build), (), Stamp { event: at, user: 0 });
    }
}

pub(super) fn archive(state: &mut State, row: &Row<'_>) {
    let (Some(id), Some(build)) = (row.int("id"), row.int("build_id")) else { return };
    let text = |name: &str| -> Arc<str> { row.text(name).unwrap_or_default().into() };
    let archive = Archive {
        build,
        kind: text("btype"),
        filename: text("filename"),
        size: row.int("size").unwrap_or_default(),
        checksum: text("checksum"),
        buildroot: row.int("buildroot_id").unwrap_or_default(),
        extra: row.value("extra").cloned().unwrap_or(Value::Nil),
    };
    state.touch();
    Arc::make_mut(&mut state.archives).insert(id, archive);
}

pub(super) fn rpm(state: &mut State, row: &Row<'_>) {
    let (Some(id), former) = (row.int("id"), row.int("id").and_then(|id| state.rpms.get(&id)).cloned())
    else {
        return;
    };
    let headers = |value: &Struct| -> BTreeMap<Arc<str>, Value> {
        value.iter().map(|(name, value)| (name.to_lowercase().into(), value.clone())).collect()
    };
    let mut known = former.as_ref().map(|rpm| rpm.headers.clone()).unwrap_or_default();
    known.extend(row.value("headers").and_then(Value::as_struct).map(headers).unwrap_or_default());
    let text = |name: &str, before: Option<&Arc<str>>| -> Arc<str> {
        row.text(name).map(Into::into).or(before.cloned()).unwrap_or_default()
    };
    let number = |name: &str, before: Option<i64>| row.int(name).or(before).unwrap_or_default();
    let before = former.as_deref();
    let rpm = Rpm {
        build: number("build_id", before.map(|rpm| rpm.build)),
        name: text("name", before.map(|rpm| &rpm.name)),
        version: text("version", before.map(|rpm| &rpm.version)),
        release: text("release", before.map(|rpm| &rpm.release)),
        epoch: row.int("epoch").or(before.and_then(|rpm| rpm.epoch)),
        arch: text("arch", before.map(|rpm| &rpm.arch)),
        payloadhash: text("payloadhash", before.map(|rpm| &rpm.payloadhash)),
        size: number("size", before.map(|rpm| rpm.size)),
        buildtime: number("buildtime", before.map(|rpm| rpm.buildtime)),
        buildroot: row.int("buildroot_id").or(before.and_then(|rpm| rpm.buildroot)),
        headers: known,
        dependencies: row
            .value("dependencies")
            .cloned()
            .or(before.map(|rpm| rpm.dependencies.clone()))
            .unwrap_or(Value::Nil),
    };
    state.insert_rpm(id, rpm);
}
