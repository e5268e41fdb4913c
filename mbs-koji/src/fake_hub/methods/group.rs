//! Groups of tags.

use std::sync::Arc;

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::python;
use crate::fake_hub::state::{Answer, Group, GroupSettings, Id, id_of, known_id, refuse};
use crate::xmlrpc::Value;

pub(super) const METHODS: &[Method] = &[
    method(
        "getTagGroups",
        "readTagGroups",
        "tag, event=None, inherit=True, incl_pkgs=True, incl_reqs=True, incl_blocked=False",
        groups,
    ),
    method("groupListAdd", "grplist_add", "taginfo, grpinfo, block=False, force=False, **opts", add),
    method("groupListBlock", "grplist_block", "taginfo, grpinfo", block),
    method("groupListRemove", "grplist_remove", "taginfo, grpinfo, force=False", remove),
    method(
        "groupPackageListAdd",
        "grp_pkg_add",
        "taginfo, grpinfo, pkg_name, block=False, force=False, **opts",
        add_package,
    ),
    method("groupPackageListBlock", "grp_pkg_block", "taginfo, grpinfo, pkg_name", block_package),
    method(
        "groupPackageListRemove",
        "grp_pkg_remove",
        "taginfo, grpinfo, pkg_name, force=False",
        remove_package,
    ),
];

fn groups(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let state = &*context.state;
    let tag = state.tag(args.value("tag"), at)?;
    let with_blocked = args.flag("incl_blocked");
    let mut groups = state.groups_of(tag, at, args.flag("inherit"));
    groups.retain(|group| with_blocked || !group.settings.is_blocked);
    for group in &mut groups {
        group.packages.retain(|(_, _, is_blocked, _)| with_blocked || !is_blocked);
    }
    Ok(groups.iter().map(|group| state.group_row(group, args.flag("incl_pkgs"))).collect())
}

fn add(context: &mut Context<'_>, args: &Args) -> Answer {
    put_group(context, args, args.flag("block"))
}

fn block(context: &mut Context<'_>, args: &Args) -> Answer {
    put_group(context, args, true)
}

fn put_group(context: &mut Context<'_>, args: &Args, is_blocked: bool) -> Answer {
    context.assert_permission("tag")?;
    let tag = context.state.tag(args.value("taginfo"), None)?;
    let info = args.value("grpinfo");
    let group = match id_of(&context.state.groups, info)? {
        Some(group) => group,
        None => {
            let no_name = || refuse(format!("No such entry in table groups: {}", python::text(info)));
            context.state.groups.ensure(info.as_str().ok_or_else(no_name)?)
        }
    };
    let name = context.state.groups.name(group).cloned().unwrap_or_default();
    let previous = context.state.groups_of(tag, None, true).into_iter().find(|known| known.id == group);
    let was_blocked = previous.as_ref().is_some_and(|group| group.settings.is_blocked);
    if was_blocked && !is_blocked && !args.flag("force") {
        return Err(refuse(format!("group {name} is blocked in tag {}", context.state.tag_name(tag))));
    }
    let settings = wanted(args, previous.as_ref(), (name, is_blocked));
    if previous.is_some_and(|group| group.settings == settings) {
        return nothing();
    }
    let stamp = context.state.stamp();
    context.state.group_settings.put((tag, group), settings, stamp);
    nothing()
}

fn wanted(args: &Args, previous: Option<&Group>, (name, is_blocked): (Arc<str>, bool)) -> GroupSettings {
    let usual = GroupSettings::usual(&name);
    let mut settings = previous.map_or(usual, |group| group.settings.clone());
    settings.is_blocked = is_blocked;
    let text = |name| args.keywords.member(name).and_then(Value::as_str);
    let flag = |name, before| args.keywords.member(name).map_or(before, python::is_true);
    settings.display_name = text("display_name").map_or(settings.display_name, Into::into);
    settings.description = text("description").map(Into::into).or(settings.description);
    settings.is_exported = flag("exported", settings.is_exported);
    settings.is_visible = flag("uservisible", settings.is_visible);
    settings.is_biarch = flag("biarchonly", settings.is_biarch);
    settings
}

fn remove(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("tag")?;
    let tag = context.state.tag(args.value("taginfo"), None)?;
    let group = known_id(&context.state.groups, "groups", args.value("grpinfo"))?;
    let stamp = context.state.stamp();
    context.state.group_settings.revoke(&(tag, group), stamp);
    nothing()
}

fn add_package(context: &mut Context<'_>, args: &Args) -> Answer {
    put_package(context, args, args.flag("block"))
}

fn block_package(context: &mut Context<'_>, args: &Args) -> Answer {
    put_package(context, args, true)
}

fn put_package(context: &mut Context<'_>, args: &Args, is_blocked: bool) -> Answer {
    context.assert_permission("tag")?;
    let (tag, group, name) = place(context, args)?;
    let known = context.state.groups_of(tag, None, true).into_iter().find(|known| known.id == group);
    let group_name = context.state.groups.name(group).cloned().unwrap_or_default();
    let tag_name = context.state.tag_name(tag);
    let known = known.ok_or_else(|| refuse(format!("group {group_name} not present in tag {tag_name}")))?;
    if known.settings.is_blocked {
        return Err(refuse(format!("group {group_name} is blocked in tag {tag_name}")));
    }
    let kind: Arc<str> = args.keywords.member("type").and_then(Value::as_str).unwrap_or("mandatory").into();
    let previous = known.packages.iter().find(|(package, ..)| **package == *name);
    if let Some((_, _, was_blocked, former_kind)) = previous {
        if *was_blocked && !is_blocked && !args.flag("force") {
            let text = format!("package {name} blocked in group {group_name}, tag {tag_name}");
            return Err(refuse(text));
        }
        if *was_blocked == is_blocked && *former_kind == kind {
            return nothing();
        }
    }
    let stamp = context.state.stamp();
    context.state.group_packages.put((tag, group, name), (is_blocked, kind), stamp);
    nothing()
}

fn remove_package(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("tag")?;
    let place = place(context, args)?;
    let stamp = context.state.stamp();
    context.state.group_packages.revoke(&place, stamp);
    nothing()
}

fn place(context: &Context<'_>, args: &Args) -> Answer<(Id, Id, Arc<str>)> {
    let tag = context.state.tag(args.value("taginfo"), None)?;
    let group = known_id(&context.state.groups, "groups", args.value("grpinfo"))?;
    Ok((tag, group, args.text("pkg_name")?.into()))
}
