//! Tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::python;
use crate::fake_hub::state::{Answer, Id, Link, TagSettings, id_of, known_id, refuse};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("getTag", "get_tag", "tagInfo, strict=False, event=None, blocked=False", get_tag),
    method("getTagID", "RootExports.getTagID", "info, strict=False, create=False", get_tag_id),
    method(
        "createTag",
        "create_tag",
        "name, parent=None, arches=None, perm=None, locked=False, maven_support=False, maven_include_all=False, extra=None",
        create_tag,
    ),
    method("editTag2", "edit_tag", "tagInfo, **kwargs", edit_tag),
    method("deleteTag", "delete_tag", "tagInfo", delete_tag),
    method(
        "listTags",
        "list_tags",
        "build=None, package=None, perms=True, queryOpts=None, pattern=None",
        list_tags,
    ),
    method("getBuildConfig", "RootExports.getBuildConfig", "tag, event=None", build_config),
    method("checkTagAccess", "RootExports.checkTagAccess", "tag_id, user_id=None", check_access),
];

/// Returns what `getTag` says, extra data included.
fn full_row(context: &Context<'_>, tag: Id, at: Option<Id>, with_blocked: bool) -> Option<Struct> {
    let mut row = context.state.tag_row(tag, at)?;
    let extra = context.state.own_extra(tag, at).into_iter();
    let extra: Struct = extra.filter(|(_, value)| with_blocked || !value.is_nil()).collect();
    row.insert("extra", extra.into());
    if let Some(event) = at {
        row.insert("query_event", event.into());
    }
    Some(row)
}

fn get_tag(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let tag = args.value("tagInfo");
    let id = match args.flag("strict") {
        true => Some(context.state.tag(tag, at)?),
        false => context.state.find_tag(tag, at)?,
    };
    Ok(id.and_then(|id| full_row(context, id, at, args.flag("blocked"))).into())
}

fn get_tag_id(context: &mut Context<'_>, args: &Args) -> Answer {
    let tag = args.value("info");
    match args.flag("strict") {
        true => Ok(known_id(&context.state.tags, "tag", tag)?.into()),
        false => Ok(id_of(&context.state.tags, tag)?.into()),
    }
}

fn verify_name(name: &str) -> Answer<()> {
    const LONGEST: usize = 256;
    if name.chars().count() > LONGEST {
        return Err(refuse(format!("Name {name} is too long. Max length is {LONGEST} characters")));
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "/_.+-".contains(c);
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err(refuse(format!("Name {name} does not match RegexNameInternal value")));
    }
    Ok(())
}

fn parse_arches(arches: &str) -> Answer<Arc<str>> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c) || c.is_whitespace();
    if !arches.chars().all(is_allowed) {
        return Err(refuse("Architecture can be only [a-zA-Z0-9_-]"));
    }
    Ok(arches.split_whitespace().collect::<Vec<_>>().join(" ").into())
}

fn permission(context: &Context<'_>, value: &Value) -> Answer<Option<Id>> {
    if value.is_nil() || *value == Value::Int(-1) {
        return Ok(None);
    }
    known_id(&context.state.permissions, "permissions", value).map(Some)
}

fn create_tag(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("tag")?;
    let name = args.text("name")?;
    verify_name(name)?;
    if context.state.find_tag(&name.into(), None)?.is_some() {
        return Err(refuse(format!("A tag with the name '{name}' already exists")));
    }
    let no_parent = |parent| refuse(format!("Parent tag '{}' could not be found", python::text(parent)));
    let parent = match args.given("parent") {
        Some(parent) => Some(context.state.find_tag(parent, None)?.ok_or_else(|| no_parent(parent))?),
        None => None,
    };
    let settings = TagSettings {
        arches: parse_arches(args.optional_text("arches")?.unwrap_or_default())?,
        permission: permission(context, args.value("perm"))?,
        is_locked: args.flag("locked"),
        maven_support: args.flag("maven_support"),
        maven_include_all: args.flag("maven_include_all"),
    };
    let tag = context.state.make_tag(name, settings);
    for (key, value) in args.value("extra").as_struct().into_iter().flat_map(Struct::iter) {
        context.state.set_extra(tag, key, value.clone());
    }
    if let Some(parent) = parent {
        let stamp = context.state.stamp();
        context.state.inheritance.put((tag, parent), Link::default(), stamp);
    }
    Ok(tag.into())
}

const EDITABLE: [&str; 9] = [
    "name",
    "arches",
    "locked",
    "perm",
    "maven_support",
    "maven_include_all",
    "extra",
    "remove_extra",
    "block_extra",
];

fn edit_tag(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("tag")?;
    let tag = context.state.tag(args.value("tagInfo"), None)?;
    let changes = &args.keywords;
    if let Some((unknown, _)) = changes.iter().find(|(name, _)| !EDITABLE.contains(name)) {
        let text = format!("edit_tag() got an unexpected keyword argument '{unknown}'");
        return Err(crate::xmlrpc::Fault::new(crate::xmlrpc::FaultCode::ParameterError, text));
    }
    let settings = context.state.tag_settings.value(&tag, None).cloned().unwrap_or_default();
    let settings = edited(context, settings, changes)?;
    rename(context, tag, changes.member("name"))?;
    context.state.set_tag(tag, settings);
    edit_extra(context, tag, changes)?;
    nothing()
}

fn edited(context: &Context<'_>, mut settings: TagSettings, changes: &Struct) -> Answer<TagSettings> {
    if let Some(arches) = changes.member("arches") {
        settings.arches = parse_arches(arches.as_str().unwrap_or_default())?;
    }
    if let Some(value) = changes.member("perm") {
        settings.permission = permission(context, value)?;
    }
    for (name, flag) in [
        ("locked", &mut settings.is_locked),
        ("maven_support", &mut settings.maven_support),
        ("maven_include_all", &mut settings.maven_include_all),
    ] {
        if let Some(value) = changes.member(name) {
            *flag = python::is_true(value);
        }
    }
    Ok(settings)
}

fn rename(context: &mut Context<'_>, tag: Id, name: Option<&Value>) -> Answer<()> {
    let Some(name) = name.and_then(Value::as_str) else { return Ok(()) };
    verify_name(name)?;
    match context.state.tags.id(name) {
        Some(other) if other == tag => Ok(()),
        Some(other) => Err(refuse(format!("Name conflict: tag {other} is named {name}"))),
        None => {
            context.state.touch();
            context.state.tags.set(tag, name);
            Ok(())
        }
    }
}

fn edit_extra(context: &mut Context<'_>, tag: Id, changes: &Struct) -> Answer<()> {
    for (key, value) in changes.member("extra").and_then(Value::as_struct).into_iter().flat_map(Struct::iter)
    {
        context.state.set_extra(tag, key, value.clone());
    }
    let listed = |name| changes.member(name).and_then(Value::as_array).unwrap_or_default();
    for key in listed("block_extra").iter().filter_map(Value::as_str) {
        context.state.set_extra(tag, key, Value::Nil);
    }
    for key in listed("remove_extra").iter().filter_map(Value::as_str) {
        let row = (tag, key.into());
        if context.state.tag_extra.row(&row, None).is_none() {
            let name = context.state.tag_name(tag);
            return Err(refuse(format!("Tag: {name} doesn't have extra: {key}")));
        }
        let stamp = context.state.stamp();
        context.state.tag_extra.revoke(&row, stamp);
    }
    Ok(())
}

fn delete_tag(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("tag")?;
    let tag = context.state.tag(args.value("tagInfo"), None)?;
    context.state.delete_tag(tag);
    nothing()
}

fn list_tags(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let mut extra_columns: BTreeMap<Id, Struct> = BTreeMap::new();
    let mut tags: Vec<Id> = state.tags.iter().map(|(id, _)| id).collect();
    if let Some(build) = args.given("build") {
        let no_build = || refuse(format!("No such build: {}", python::text(build)));
        let build = state.find_build(build)?.ok_or_else(no_build)?;
        tags = state.tags_of_build(build);
    } else if let Some(package) = args.given("package") {
        let no_package = || refuse(format!("No such package: {}", python::text(package)));
        let package = id_of(&state.packages, package)?.ok_or_else(no_package)?;
        for tag in &tags {
            if let Some(entry) = state.own_packages(*tag, Some(package), None).first() {
                extra_columns.insert(*tag, state.package_row(entry));
            }
        }
        tags.retain(|tag| extra_columns.contains_key(tag));
    }
    if let Some(pattern) = args.optional_text("pattern")? {
        tags.retain(|tag| super::misc::matches_glob(pattern, &state.tag_name(*tag)));
    }
    let row = |tag: &Id| {
        let mut row = state.tag_row(*tag, None)?;
        for name in ["owner_id", "owner_name", "blocked", "extra_arches"] {
            if let Some(value) = extra_columns.get(tag).and_then(|columns| columns.member(name)) {
                row.insert(name, value.clone());
            }
        }
        Some(row)
    };
    let rows = tags.iter().filter_map(row).collect();
    super::query::rows(rows, args)
}

fn build_config(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let tag = context.state.tag(args.value("tag"), at)?;
    let Some(mut row) = full_row(context, tag, at, false) else { return nothing() };
    let mut extra = context.state.own_extra(tag, at);
    let (mut origins, mut arches_from) = (Struct::default(), Value::Nil);
    for link in context.state.inherited(tag, at).iter().filter(|link| !link.link.noconfig) {
        let Some(parent) = context.state.tag_row(link.parent, at) else { continue };
        let origin = Struct::from([
            ("id", Value::from(link.parent)),
            ("name", parent.member("name").cloned().unwrap_or(Value::Nil)),
        ]);
        let has_arches = |row: &Struct| row.member("arches").is_some_and(python::is_true);
        if !has_arches(&row) && has_arches(&parent) {
            row.insert("arches", parent.member("arches").cloned().unwrap_or(Value::Nil));
            arches_from = origin.clone().into();
        }
        for (key, value) in context.state.own_extra(link.parent, at) {
            if let std::collections::btree_map::Entry::Vacant(place) = extra.entry(Arc::clone(&key)) {
                place.insert(value);
                origins.insert(key, origin.clone().into());
            }
        }
    }
    let extra: Struct = extra.into_iter().filter(|(_, value)| !value.is_nil()).collect();
    row.insert("extra", extra.into());
    row.insert(
        "config_inheritance",
        Struct::from([("extra", Value::from(origins)), ("arches", arches_from)]).into(),
    );
    Ok(row.into())
}

fn check_access(context: &mut Context<'_>, args: &Args) -> Answer {
    let tag = context.state.tag(args.value("tag_id"), None)?;
    let user = match args.given("user_id") {
        Some(user) => context.state.user(user)?,
        None if context.session.is_none() => return Err(refuse("a user_id is required")),
        None => context.user(),
    };
    let overrides = context.state.has_own_permission(user, "admin");
    let access = context.state.tag_access(tag, user);
    let reason = access.as_ref().err().cloned().unwrap_or_default();
    Ok(Value::Array(vec![access.is_ok().into(), overrides.into(), reason.into()]))
}
