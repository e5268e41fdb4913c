//! Build targets.

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::python;
use crate::fake_hub::state::{Answer, Id, Target, id_of, refuse};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("getBuildTarget", "get_build_target", "info, event=None, strict=False", get),
    method(
        "getBuildTargets",
        "get_build_targets",
        "info=None, event=None, buildTagID=None, destTagID=None, queryOpts=None",
        list,
    ),
    method("createBuildTarget", "create_build_target", "name, build_tag, dest_tag", create),
    method("editBuildTarget", "edit_build_target", "buildTargetInfo, name, build_tag, dest_tag", edit),
    method("deleteBuildTarget", "delete_build_target", "buildTargetInfo", delete),
];

fn rows(context: &Context<'_>, args: &Args, info: Option<&Value>) -> Answer<Vec<Struct>> {
    let at = args.event()?;
    let state = &*context.state;
    let tag = |name: &str| args.given(name).map(|tag| state.tag(tag, None)).transpose();
    let (build_tag, destination) = (tag("buildTagID")?, tag("destTagID")?);
    let only = match info {
        Some(info) => Some(id_of(&state.targets, info)?.unwrap_or(Id::MIN)),
        None => None,
    };
    let mut rows = state.target_settings.rows(.., at);
    rows.sort_by_key(|row| row.key);
    let rows = rows.into_iter().filter(|row| {
        only.is_none_or(|only| row.key == only)
            && build_tag.is_none_or(|tag| row.value.build_tag == tag)
            && destination.is_none_or(|tag| row.value.destination == tag)
    });
    Ok(rows.map(|row| state.target_row(row.key, row.value)).collect())
}

fn get(context: &mut Context<'_>, args: &Args) -> Answer {
    let info = args.value("info");
    let found = rows(context, args, Some(info))?.into_iter().next();
    if found.is_none() && args.flag("strict") {
        return Err(refuse(format!("No such build target: {}", python::text(info))));
    }
    Ok(found.into())
}

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    super::query::rows(rows(context, args, args.given("info"))?, args)
}

fn tags(context: &Context<'_>, args: &Args) -> Answer<Target> {
    let tag = |name: &str, role: &str| {
        let value = args.value(name);
        let missing = || refuse(format!("{role} tag '{}' does not exist", python::text(value)));
        context.state.find_tag(value, None)?.ok_or_else(missing)
    };
    Ok(Target { build_tag: tag("build_tag", "build")?, destination: tag("dest_tag", "destination")? })
}

fn create(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("target")?;
    let name = args.text("name")?;
    let is_taken = context.state.target(name).is_some();
    let target = tags(context, args)?;
    if is_taken {
        return Err(refuse(format!("A build target with the name '{name}' already exists")));
    }
    let stamp = context.state.stamp();
    let id = context.state.targets.ensure(name);
    context.state.target_settings.put(id, target, stamp);
    nothing()
}

fn lookup(context: &Context<'_>, info: &Value) -> Answer<Id> {
    let missing = || refuse(format!("No such build target: {}", python::text(info)));
    id_of(&context.state.targets, info)?.ok_or_else(missing)
}

fn edit(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("target")?;
    let id = lookup(context, args.value("buildTargetInfo"))?;
    let target = tags(context, args)?;
    let name = args.text("name")?;
    match context.state.targets.id(name) {
        Some(other) if other != id => {
            return Err(refuse(format!("name \"{name}\" is already taken by build target {other}")));
        }
        Some(_) => {}
        None => context.state.targets.set(id, name),
    }
    let stamp = context.state.stamp();
    context.state.target_settings.put(id, target, stamp);
    nothing()
}

fn delete(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("target")?;
    let id = lookup(context, args.value("buildTargetInfo"))?;
    if context.state.target_settings.row(&id, None).is_some() {
        let stamp = context.state.stamp();
        context.state.target_settings.revoke(&id, stamp);
    }
    nothing()
}
