//! Builds into tags and out of them.

use super::{Args, Method, method};
use crate::fake_hub::builder;
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::state::{Answer, Id, NewTask};
use crate::xmlrpc::{Fault, FaultCode, Value};

pub(super) const METHODS: &[Method] = &[
    method("tagBuild", "RootExports.tagBuild", "tag, build, force=False, fromtag=None", tag_build),
    method(
        "tagBuildBypass",
        "RootExports.tagBuildBypass",
        "tag, build, force=False, notify=False",
        tag_bypass,
    ),
    method("untagBuild", "RootExports.untagBuild", "tag, build, strict=True, force=False", untag_build),
    method(
        "untagBuildBypass",
        "RootExports.untagBuildBypass",
        "tag, build, strict=True, force=False, notify=False",
        untag_bypass,
    ),
];

fn tag_error(text: String) -> Fault {
    Fault::new(FaultCode::TagError, text)
}

fn both(context: &Context<'_>, args: &Args) -> Answer<(Id, Id)> {
    let build = context.state.build(args.value("build"))?;
    Ok((context.state.tag(args.value("tag"), None)?, build))
}

fn tag_build(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_login()?;
    let (tag, build) = both(context, args)?;
    let is_forced = args.flag("force");
    let from = args.given("fromtag").map(|tag| context.state.tag(tag, None)).transpose()?;
    context.assert_tag_access(tag, is_forced)?;
    assert_listed(context, tag, build)?;
    context.assert_complete(build)?;
    let request = vec![tag.into(), build.into(), is_forced.into(), from.into()];
    let task = NewTask { method: "tagBuild", request, priority: Some(10), ..NewTask::default() };
    let task = context.state.make_task(task);
    builder::tagging_made(context.state, context.config, task);
    Ok(task.into())
}

fn assert_listed(context: &Context<'_>, tag: Id, build: Id) -> Answer<()> {
    let state = &*context.state;
    let Some(build) = state.builds.get(&build) else { return Ok(()) };
    let name = state.tag_name(tag);
    match state.package_entry(tag, build.package, None) {
        None => Err(tag_error(format!("Package {} not in list for {name}", build.name))),
        Some(entry) if entry.listed.is_blocked => {
            Err(tag_error(format!("Package {} is blocked in {name}", build.name)))
        }
        Some(_) => Ok(()),
    }
}

fn tag_bypass(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let (tag, build) = both(context, args)?;
    context.assert_complete(build)?;
    context.state.tag_build(tag, build)?;
    nothing()
}

fn untag_build(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_login()?;
    let (tag, build) = both(context, args)?;
    context.assert_tag_access(tag, args.flag("force"))?;
    untag(context, (tag, build), args)
}

fn untag_bypass(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let place = both(context, args)?;
    untag(context, place, args)
}

fn untag(context: &mut Context<'_>, (tag, build): (Id, Id), args: &Args) -> Answer {
    let was_in = context.state.untag_build(tag, build);
    if !was_in && args.flag("strict") {
        let nvr = context.state.builds.get(&build).map(|build| build.nvr()).unwrap_or_default();
        return Err(tag_error(format!("build {nvr} not in tag {}", context.state.tag_name(tag))));
    }
    Ok(Value::Nil)
}
