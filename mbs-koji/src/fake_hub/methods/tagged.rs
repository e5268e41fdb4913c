//! What is in a tag.

use std::sync::Arc;

use super::{Args, Method, method};
use crate::fake_hub::context::Context;
use crate::fake_hub::python;
use crate::fake_hub::state::{Answer, Id, Tagged, TaggedQuery, build_state, id_of, refuse};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method(
        "listTagged",
        "RootExports.listTagged",
        "tag, event=None, inherit=False, prefix=None, latest=False, package=None, owner=None, type=None, strict=True, extra=False, draft=None",
        list,
    ),
    method(
        "listTaggedRPMS",
        "RootExports.listTaggedRPMS",
        "tag, event=None, inherit=False, latest=False, package=None, arch=None, rpmsigs=False, owner=None, type=None, strict=True, extra=True, draft=None",
        list_rpms,
    ),
    method(
        "getLatestBuilds",
        "RootExports.getLatestBuilds",
        "tag, event=None, package=None, type=None, draft=None",
        latest,
    ),
    method(
        "getLatestRPMS",
        "RootExports.getLatestRPMS",
        "tag, package=None, arch=None, event=None, rpmsigs=False, type=None, draft=None",
        latest_rpms,
    ),
    method("untaggedBuilds", "RootExports.untaggedBuilds", "name=None, queryOpts=None, draft=None", untagged),
];

/// Returns the tag and the query; `None` if it asks for a package that the hub does not know.
fn question(context: &Context<'_>, args: &Args) -> Answer<(Id, Option<TaggedQuery>)> {
    let state = &*context.state;
    let at = args.event()?;
    let tag = state.tag(args.value("tag"), at)?;
    let kind: Option<Arc<str>> = args.optional_text("type")?.map(Into::into);
    if let Some(kind) = kind.as_ref().filter(|kind| state.build_types.id(kind).is_none()) {
        return Err(refuse(format!("unsupported build type: {kind}")));
    }
    let latest = match args.value("latest") {
        Value::Int(most) if *most > 0 => Some(*most),
        other => python::is_true(other).then_some(1),
    };
    let package = match args.given("package") {
        Some(package) => match id_of(&state.packages, package)? {
            Some(package) => Some(package),
            None => return Ok((tag, None)),
        },
        None => None,
    };
    let query = TaggedQuery {
        at,
        inherits: args.flag("inherit"),
        latest,
        package,
        owner: args.given("owner").map(|owner| state.user(owner)).transpose()?,
        kind,
        prefix: args.optional_text("prefix")?.map(Into::into),
    };
    Ok((tag, Some(query)))
}

fn builds(context: &Context<'_>, args: &Args) -> Answer<Vec<Tagged>> {
    let (tag, query) = question(context, args)?;
    Ok(query.map(|query| context.state.tagged_builds(tag, &query)).unwrap_or_default())
}

fn newest(context: &Context<'_>, args: &Args) -> Answer<Vec<Tagged>> {
    let (tag, query) = question(context, args)?;
    let query = query.map(|query| TaggedQuery { inherits: true, latest: Some(1), ..query });
    Ok(query.map(|query| context.state.tagged_builds(tag, &query)).unwrap_or_default())
}

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    let with_extra = args.flag("extra");
    let builds = builds(context, args)?;
    Ok(builds.iter().map(|tagged| context.state.tagged_row(tagged, with_extra)).collect())
}

fn latest(context: &mut Context<'_>, args: &Args) -> Answer {
    let builds = newest(context, args)?;
    Ok(builds.iter().map(|tagged| context.state.tagged_row(tagged, false)).collect())
}

fn list_rpms(context: &mut Context<'_>, args: &Args) -> Answer {
    let builds = builds(context, args)?;
    with_rpms(context, &builds, args)
}

fn latest_rpms(context: &mut Context<'_>, args: &Args) -> Answer {
    let builds = newest(context, args)?;
    with_rpms(context, &builds, args)
}

fn with_rpms(context: &Context<'_>, builds: &[Tagged], args: &Args) -> Answer {
    let arches: Option<Vec<&str>> = match args.value("arch") {
        Value::Nil => None,
        Value::String(arch) => Some(vec![arch]),
        Value::Array(arches) => Some(arches.iter().filter_map(Value::as_str).collect()),
        other => return Err(refuse(format!("Invalid type for arch option: {}", python::type_of(other)))),
    };
    let mut rpms: Vec<Value> = Vec::new();
    // Builds come newest tagging first, their RPMs oldest tagging first.
    let mut by_age: Vec<&Tagged> = builds.iter().collect();
    by_age.sort_by_key(|tagged| (tagged.event, tagged.build.id));
    for tagged in by_age {
        for (id, rpm) in context.state.rpms_of(tagged.build.id) {
            if arches.as_ref().is_none_or(|arches| arches.contains(&&*rpm.arch)) {
                let mut row = context.state.tagged_rpm_row(id, rpm);
                if args.flag("rpmsigs") {
                    row.insert("sigkey", "".into());
                }
                rpms.push(row.into());
            }
        }
    }
    let builds: Value = builds.iter().map(|tagged| context.state.tagged_row(tagged, false)).collect();
    Ok(Value::Array(vec![rpms.into(), builds]))
}

fn untagged(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let name = args.optional_text("name")?;
    let builds = state.builds.values().filter(|build| {
        build.state == build_state::COMPLETE
            && name.is_none_or(|name| *build.name == *name)
            && state.tags_of_build(build.id).is_empty()
    });
    let row = |build: &Arc<crate::fake_hub::state::Build>| {
        Struct::from([
            ("id", Value::from(build.id)),
            ("name", Value::from(&*build.name)),
            ("version", Value::from(&*build.version)),
            ("release", Value::from(&*build.release)),
            ("draft", build.is_draft.into()),
        ])
    };
    super::query::rows(builds.map(row).collect(), args)
}
