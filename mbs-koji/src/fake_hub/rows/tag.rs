//! Rows about tags.

use std::sync::Arc;

use super::Row;
use crate::fake_hub::state::{
    ExternalRepo, GroupSettings, Id, Link, Listed, Stamp, State, TagSettings, Target,
};
use crate::xmlrpc::{Struct, Value};

pub(super) fn tag(state: &mut State, row: &Row<'_>) {
    let (Some(id), Some(name)) = (row.int("id"), row.text("name")) else { return };
    let permission = row.int("perm_id");
    if let (Some(id), Some(name)) = (permission, row.text("perm")) {
        state.permissions.set(id, name);
    }
    state.tags.set(id, name);
    let settings = TagSettings {
        arches: row.text("arches").unwrap_or_default().into(),
        permission,
        is_locked: row.flag("locked").unwrap_or_default(),
        maven_support: row.flag("maven_support").unwrap_or_default(),
        maven_include_all: row.flag("maven_include_all").unwrap_or_default(),
    };
    state.set_tag(id, settings);
    if let Some(extra) = row.value("extra").and_then(Value::as_struct) {
        replace_extra(state, id, extra);
    }
}

fn replace_extra(state: &mut State, tag: Id, extra: &Struct) {
    for (key, _) in state.own_extra(tag, None) {
        if extra.member(&key).is_none() {
            let stamp = state.stamp();
            state.tag_extra.revoke(&(tag, key), stamp);
        }
    }
    for (key, value) in extra.iter() {
        state.set_extra(tag, key, value.clone());
    }
}

/// Makes sure that a tag which is only mentioned exists.
pub(super) fn mentioned(state: &mut State, id: Id, name: Option<&str>) {
    if let Some(name) = name {
        state.tags.set(id, name);
    }
    if state.tag_settings.row(&id, None).is_none() {
        state.set_tag(id, TagSettings::default());
    }
}

pub(super) fn link(state: &mut State, row: &Row<'_>) {
    let (Some(child), Some(parent)) = (row.int("child_id"), row.int("parent_id")) else { return };
    mentioned(state, parent, row.text("name"));
    mentioned(state, child, None);
    let link = Link {
        priority: row.int("priority").unwrap_or_default(),
        maxdepth: row.int("maxdepth"),
        intransitive: row.flag("intransitive").unwrap_or_default(),
        noconfig: row.flag("noconfig").unwrap_or_default(),
        pkg_filter: row.text("pkg_filter").unwrap_or_default().into(),
    };
    let stamp = state.stamp();
    state.inheritance.put((child, parent), link, stamp);
}

pub(super) fn package(state: &mut State, row: &Row<'_>) {
    let (Some(tag), Some(package)) = (row.int("tag_id"), row.int("package_id")) else { return };
    mentioned(state, tag, row.text("tag_name"));
    if let Some(name) = row.text("package_name") {
        state.packages.set(package, name);
    }
    let listed = Listed {
        is_blocked: row.flag("blocked").unwrap_or_default(),
        extra_arches: row.text("extra_arches").map(Into::into),
    };
    state.list_package(tag, package, row.int("owner_id").unwrap_or_default(), listed);
}

pub(super) fn group(state: &mut State, row: &Row<'_>) {
    let (Some(tag), Some(id), Some(name)) = (row.int("tag_id"), row.int("group_id"), row.text("name")) else {
        return;
    };
    mentioned(state, tag, None);
    state.groups.set(id, name);
    let usual = GroupSettings::usual(name);
    let settings = GroupSettings {
        is_blocked: row.flag("blocked").unwrap_or_default(),
        display_name: row.text("display_name").map_or(usual.display_name, Into::into),
        description: row.text("description").map(Into::into),
        is_exported: row.flag("exported").unwrap_or(usual.is_exported),
        is_visible: row.flag("uservisible").unwrap_or(usual.is_visible),
        is_biarch: row.flag("biarchonly").unwrap_or_default(),
    };
    let stamp = state.stamp();
    state.group_settings.put((tag, id), settings, stamp);
    let packages = row.value("packagelist").and_then(Value::as_array).unwrap_or_default();
    for package in packages.iter().filter_map(Value::as_struct).map(Row) {
        let (Some(tag), Some(name)) = (package.int("tag_id"), package.text("package")) else { continue };
        let kind: Arc<str> = package.text("type").unwrap_or("mandatory").into();
        let is_blocked = package.flag("blocked").unwrap_or_default();
        state.group_packages.put((tag, id, name.into()), (is_blocked, kind), stamp);
    }
}

pub(super) fn target(state: &mut State, row: &Row<'_>) {
    let (Some(id), Some(name)) = (row.int("id"), row.text("name")) else { return };
    let (Some(build_tag), Some(destination)) = (row.int("build_tag"), row.int("dest_tag")) else { return };
    mentioned(state, build_tag, row.text("build_tag_name"));
    mentioned(state, destination, row.text("dest_tag_name"));
    state.targets.set(id, name);
    let stamp = state.stamp();
    state.target_settings.put(id, Target { build_tag, destination }, stamp);
}

pub(super) fn external(state: &mut State, row: &Row<'_>) {
    let (Some(tag), Some(id)) = (row.int("tag_id"), row.int("external_repo_id")) else { return };
    mentioned(state, tag, row.text("tag_name"));
    if let Some(name) = row.text("external_repo_name") {
        state.externals.set(id, name);
    }
    let stamp: Stamp = state.stamp();
    state.external_urls.put(id, row.text("url").unwrap_or_default().into(), stamp);
    let settings = ExternalRepo {
        priority: row.int("priority").unwrap_or_default(),
        merge_mode: row.text("merge_mode").unwrap_or("koji").into(),
        arches: row.text("arches").map(Into::into),
    };
    state.tag_externals.put((tag, id), settings, stamp);
}
