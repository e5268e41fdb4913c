//! Builds.

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, not_allowed, nothing};
use crate::fake_hub::python;
use crate::fake_hub::state::{Answer, Build, Id, build_state, id_of, refuse};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("getBuild", "get_build", "buildInfo, strict=False", get),
    method(
        "listBuilds",
        "RootExports.listBuilds",
        "packageID=None, userID=None, taskID=None, prefix=None, state=None, volumeID=None, source=None, createdBefore=None, createdAfter=None, completeBefore=None, completeAfter=None, type=None, typeInfo=None, queryOpts=None, pattern=None, cgID=None, draft=None",
        list,
    ),
    method("cancelBuild", "RootExports.cancelBuild", "buildID, strict=False", cancel),
    method(
        "getAverageBuildDuration",
        "RootExports.getAverageBuildDuration",
        "package, age=None",
        average_duration,
    ),
    method("getNextRelease", "get_next_release", "build_info, incr=1", next_release),
    method("getMavenBuild", "get_maven_build", "buildInfo, strict=False", |_, _| nothing()),
    method("getWinBuild", "get_win_build", "buildInfo, strict=False", |_, _| nothing()),
    method("getImageBuild", "get_image_build", "buildInfo, strict=False", |_, _| nothing()),
    method(
        "getChangelogEntries",
        "RootExports.getChangelogEntries",
        "buildID=None, taskID=None, filepath=None, author=None, before=None, after=None, queryOpts=None, strict=False",
        |_, _| Ok(Value::Array(Vec::new())),
    ),
    method(
        "listBuildroots",
        "query_buildroots",
        "hostID=None, tagID=None, state=None, rpmID=None, archiveID=None, taskID=None, buildrootID=None, repoID=None, queryOpts=None",
        |_, _| Ok(Value::Array(Vec::new())),
    ),
    method("getBuildType", "get_build_type", "buildInfo, strict=False", types),
    method("getBuildLogs", "get_build_logs", "build", logs),
    method("listBTypes", "list_btypes", "query=None, queryOpts=None", list_types),
    method(
        "listArchives",
        "list_archives",
        "buildID=None, buildrootID=None, componentBuildrootID=None, hostID=None, type=None, filename=None, size=None, checksum=None, checksum_type=None, typeInfo=None, queryOpts=None, imageID=None, archiveID=None, strict=False",
        archives,
    ),
];

fn get(context: &mut Context<'_>, args: &Args) -> Answer {
    let info = args.value("buildInfo");
    let id = match args.flag("strict") {
        true => Some(context.state.build(info)?),
        false => context.state.find_build(info)?,
    };
    Ok(id.and_then(|id| context.state.build_row(id)).into())
}

/// Whether a build is asked for; an argument that is nil asks for all.
fn is_wanted(context: &Context<'_>, args: &Args) -> Answer<impl Fn(&Build) -> bool + use<>> {
    let state = &*context.state;
    let package = match args.given("packageID") {
        Some(package) => Some(id_of(&state.packages, package)?.unwrap_or(Id::MIN)),
        None => None,
    };
    let user = args.given("userID").map(|user| state.user(user)).transpose()?;
    let (task, wanted_state) = (args.optional_int("taskID")?, args.optional_int("state")?);
    let generator = args.given("cgID").map(|id| id_of(&state.generators, id)).transpose()?;
    let owned = |name: &str| args.optional_text(name).map(|text| text.map(str::to_owned));
    let (prefix, kind, pattern, source) =
        (owned("prefix")?, owned("type")?, owned("pattern")?, owned("source")?);
    if let Some(kind) = kind.as_ref().filter(|kind| state.build_types.id(kind).is_none()) {
        return Err(refuse(format!("unsupported build type: {kind}")));
    }
    Ok(move |build: &Build| {
        package.is_none_or(|package| build.package == package)
            && user.is_none_or(|user| build.owner == user)
            && task.is_none_or(|task| build.task == Some(task))
            && wanted_state.is_none_or(|state| build.state == state)
            && generator.is_none_or(|generator| build.generator == generator)
            && prefix.as_ref().is_none_or(|prefix| build.name.starts_with(&prefix.to_lowercase()))
            && kind.as_ref().is_none_or(|kind| build.types.contains_key(kind.as_str()))
            && pattern.as_ref().is_none_or(|pattern| super::misc::matches_glob(pattern, &build.nvr()))
            && source.as_ref().is_none_or(|source| {
                build.source.as_ref().is_some_and(|known| super::misc::matches_glob(source, known))
            })
    })
}

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    let is_wanted = is_wanted(context, args)?;
    let builds = context.state.builds.values().filter(|build| is_wanted(build));
    let rows = builds.map(|build| context.state.listed_build_row(build));
    super::query::rows(rows.collect(), args)
}

fn cancel(context: &mut Context<'_>, args: &Args) -> Answer {
    let info = args.value("buildID");
    let id = match args.flag("strict") {
        true => Some(context.state.build(info)?),
        false => context.state.find_build(info)?,
    };
    let Some(id) = id else { return Ok(false.into()) };
    let owner = context.state.builds.get(&id).map(|build| build.owner);
    let is_own = context.session.is_some() && owner == Some(context.user());
    if !is_own && !context.may("admin") {
        return Err(not_allowed("Cannot cancel build, not owner"));
    }
    Ok(context.state.cancel_build(id).into())
}

fn average_duration(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let Some(package) = id_of(&state.packages, args.value("package"))? else { return nothing() };
    if let Some(scripted) = state.weights.get(&package) {
        return Ok((*scripted).into());
    }
    let builds = state.builds.values().filter(|build| {
        build.package == package && build.state == build_state::COMPLETE && build.task.is_some()
    });
    let durations: Vec<i64> = builds.filter_map(|build| Some(build.completed?.0 - build.created.0)).collect();
    if durations.is_empty() {
        return nothing();
    }
    // Durations are microseconds of a few hours.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let average = durations.iter().sum::<i64>() as f64 / durations.len() as f64;
    Ok((average / 1e6).into())
}

fn next_release(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let info = args.value("build_info");
    let part = |name: &str| info.member(name).map(python::text).unwrap_or_default();
    let (name, version) = (part("name"), part("version"));
    let builds = state.builds.values().filter(|build| {
        *build.name == *name
            && *build.version == *version
            && matches!(build.state, build_state::COMPLETE | build_state::DELETED | build_state::BUILDING)
    });
    let Some(newest) = builds.max_by_key(|build| build.id) else { return Ok("1".into()) };
    let (number, rest) = match newest.release.split_once('.') {
        Some((number, rest)) => (number, format!(".{rest}")),
        None => (&*newest.release, String::new()),
    };
    let number: i64 = number
        .parse()
        .map_err(|_| refuse(format!("Unable to increment release value: {}", newest.release)))?;
    Ok(format!("{}{rest}", number + args.int("incr")?).into())
}

fn types(context: &mut Context<'_>, args: &Args) -> Answer {
    let info = args.value("buildInfo");
    let id = match args.flag("strict") {
        true => Some(context.state.build(info)?),
        false => context.state.find_build(info)?,
    };
    let build = id.and_then(|id| context.state.builds.get(&id));
    let types = build.map(|build| build.types.clone().into_iter().collect::<Struct>());
    Ok(types.into())
}

fn logs(context: &mut Context<'_>, args: &Args) -> Answer {
    let id = context.state.build(args.value("build"))?;
    let Some(build) = context.state.builds.get(&id) else { return nothing() };
    let folder = format!("packages/{}/{}/{}/data/logs", build.name, build.version, build.release);
    let row = |log: &std::sync::Arc<str>| {
        let (dir, name) = log.rsplit_once('/').unwrap_or((".", log));
        let path = format!("{folder}/{dir}/{name}");
        Struct::from([("name", Value::from(name)), ("dir", dir.into()), ("path", path.into())])
    };
    Ok(build.logs.iter().map(row).collect())
}

fn list_types(context: &mut Context<'_>, args: &Args) -> Answer {
    let wanted = args.value("query");
    let types = context.state.build_types.iter();
    let rows = types.map(|(id, name)| Struct::from([("id", Value::from(id)), ("name", (&**name).into())]));
    let is_wanted = |row: &Struct| {
        let is = |name| wanted.member(name).is_none_or(|value| row.member(name) == Some(value));
        is("name") && is("id")
    };
    super::query::rows(rows.filter(is_wanted).collect(), args)
}

fn archives(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let build = args.optional_int("buildID")?;
    let (kind, file) = (args.optional_text("type")?, args.optional_text("filename")?);
    let archives = state.archives.iter().filter(|(_, archive)| {
        build.is_none_or(|build| archive.build == build)
            && kind.is_none_or(|kind| *archive.kind == *kind)
            && file.is_none_or(|file| *archive.filename == *file)
    });
    // The hub finds them newest first.
    let rows = archives.rev().map(|(id, archive)| state.archive_row(*id, archive));
    super::query::rows(rows.collect(), args)
}
