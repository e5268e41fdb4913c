//! Content generators: what they import.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Args, Method, method};
use crate::fake_hub::checksum;
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::python::{self, is_true};
use crate::fake_hub::state::{Answer, Archive, Build, Id, WORK, build_state, id_of, known_id, refuse};
use crate::fake_hub::time::Moment;
use crate::xmlrpc::{Fault, FaultCode, Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("CGImport", "RootExports.CGImport", "metadata, directory, token=None", import),
    method("CGInitBuild", "RootExports.CGInitBuild", "cg, data", init),
    method("CGRefundBuild", "RootExports.CGRefundBuild", "cg, build_id, token, state=3", refund),
    method("listCGs", "list_cgs", "", list),
    method("grantCGAccess", "grant_cg_access", "user, cg, create=False", grant),
    method("revokeCGAccess", "revoke_cg_access", "user, cg", revoke),
];

fn list(context: &mut Context<'_>, _: &Args) -> Answer {
    let state = &*context.state;
    let row = |(id, name): (Id, &Arc<str>)| {
        let users = state.generator_users.rows((id, Id::MIN)..(id + 1, Id::MIN), None).into_iter();
        let users: Vec<Arc<str>> = users.map(|row| state.user_name(row.key.1)).collect();
        let users: Value = users.iter().map(|name| &**name).collect();
        (Arc::clone(name), Value::Struct(Struct::from([("id", Value::from(id)), ("users", users)])))
    };
    Ok(Value::Struct(state.generators.iter().map(row).collect()))
}

fn grant(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let user = context.state.user(args.value("user"))?;
    let generator = match id_of(&context.state.generators, args.value("cg"))? {
        Some(id) => id,
        None if args.flag("create") => context.state.generators.ensure(args.text("cg")?),
        None => known_id(&context.state.generators, "content_generator", args.value("cg"))?,
    };
    let stamp = context.state.stamp();
    context.state.generator_users.put((generator, user), (), stamp);
    nothing()
}

fn revoke(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let user = context.state.user(args.value("user"))?;
    let generator = known_id(&context.state.generators, "content_generator", args.value("cg"))?;
    let stamp = context.state.stamp();
    context.state.generator_users.revoke(&(generator, user), stamp);
    nothing()
}

fn assert_access(context: &Context<'_>, generator: &Value) -> Answer<Id> {
    let id = known_id(&context.state.generators, "content_generator", generator)?;
    if context.session.is_none() || !context.state.may_generate(context.user(), id) {
        let name = context.state.generators.name(id).cloned().unwrap_or_default();
        let text = format!("Content generator access required ({name})");
        return Err(Fault::new(FaultCode::AuthError, text));
    }
    Ok(id)
}

fn parts(data: &Value) -> Answer<[Arc<str>; 3]> {
    let part = |name: &str| data.member(name).filter(|part| is_true(part)).map(python::text);
    match (part("name"), part("version"), part("release")) {
        (Some(name), Some(version), Some(release)) => Ok([name.into(), version.into(), release.into()]),
        _ => Err(refuse("did not provide name, version, and release")),
    }
}

fn init(context: &mut Context<'_>, args: &Args) -> Answer {
    let generator = assert_access(context, args.value("cg"))?;
    let [name, version, release] = parts(args.value("data"))?;
    let known = context.state.build_ids.get(&*format!("{name}-{version}-{release}"));
    let known = known.and_then(|id| context.state.builds.get(id)).cloned();
    match known.as_deref() {
        Some(build) if build.state == build_state::BUILDING && build.token.is_some() => {
            return Err(refuse("Build is already reserved"));
        }
        Some(build) if !matches!(build.state, build_state::FAILED | build_state::CANCELED) => {
            return Err(refuse(format!("Build already exists (id={}): {}", build.id, build.nvr())));
        }
        _ => {}
    }
    let token: Arc<str> = context.secret().into();
    let stamp = context.state.stamp();
    let id = known.as_ref().map_or_else(|| context.state.next_id(&context.state.builds), |build| build.id);
    let build = Build {
        id,
        package: context.state.packages.ensure(&name),
        name,
        version,
        release,
        owner: context.user(),
        event: stamp.event,
        created: context.state.now,
        started: Some(context.state.now),
        generator: Some(generator),
        token: Some(Arc::clone(&token)),
        ..Build::default()
    };
    context.state.insert_build(build);
    context.state.tell_build(id, known.map(|build| build.state), build_state::BUILDING);
    Ok(Struct::from([("build_id", Value::from(id)), ("token", Value::from(&*token))]).into())
}

fn assert_token(build: &Build, token: &Value) -> Answer<()> {
    if build.token.as_deref().is_some_and(|known| token.as_str() == Some(known)) {
        return Ok(());
    }
    Err(refuse(format!("Token doesn't match build ID {}", build.id)))
}

fn refund(context: &mut Context<'_>, args: &Args) -> Answer {
    assert_access(context, args.value("cg"))?;
    let (id, state) = (args.int("build_id")?, args.int("state")?);
    let missing = || refuse(format!("No such build: {id}"));
    let build = Arc::clone(context.state.builds.get(&id).ok_or_else(missing)?);
    if !matches!(state, build_state::FAILED | build_state::CANCELED) {
        return Err(refuse("Only FAILED and CANCELED build states are allowed"));
    }
    if build.state != build_state::BUILDING {
        return Err(refuse(format!("Build ID {id} is not in BUILDING state")));
    }
    assert_token(&build, args.value("token"))?;
    context.state.end_build(id, state);
    context.state.change_build(id, |build| build.token = None);
    nothing()
}

fn import(context: &mut Context<'_>, args: &Args) -> Answer {
    let metadata = args.value("metadata");
    let missing = |what: &str| refuse(format!("missing {what} in metadata"));
    if metadata.member("metadata_version").and_then(Value::as_int) != Some(0) {
        return Err(refuse("Unknown metadata version"));
    }
    let about = metadata.member("build").ok_or_else(|| missing("build"))?;
    let generator = generator(context, metadata)?;
    let names = parts(about)?;
    let owner = match about.member("owner").filter(|owner| !owner.is_nil()) {
        Some(owner) => context.state.user(owner)?,
        None => context.user(),
    };
    let reserved = reserved(context, about, &names, args.value("token"))?;
    let files = files(context, metadata, args.text("directory")?)?;
    let build = build(context, about, names, (owner, generator), reserved.as_deref());
    let id = build.id;
    let old = reserved.map(|build| build.state);
    context.state.insert_build(build);
    context.state.tell_build(id, old, build_state::COMPLETE);
    keep(context, id, files);
    Ok(context.state.build_row(id).into())
}

fn generator(context: &Context<'_>, metadata: &Value) -> Answer<Id> {
    let roots = metadata.member("buildroots").and_then(Value::as_array).unwrap_or_default();
    let mut found = None;
    for root in roots {
        let name = root.member("content_generator").and_then(|cg| cg.member("name"));
        let name = name.ok_or_else(|| refuse("missing content_generator in metadata"))?;
        found = Some(assert_access(context, name)?);
    }
    found.ok_or_else(|| refuse("No buildroots in metadata"))
}

/// Returns the row that the import takes over, if it was reserved.
fn reserved(
    context: &Context<'_>,
    about: &Value,
    [name, version, release]: &[Arc<str>; 3],
    token: &Value,
) -> Answer<Option<Arc<Build>>> {
    let nvr = format!("{name}-{version}-{release}");
    let known = context.state.build_ids.get(&*nvr).and_then(|id| context.state.builds.get(id)).cloned();
    let Some(known) = known else { return Ok(None) };
    if known.state == build_state::BUILDING && about.member("build_id") == Some(&known.id.into()) {
        assert_token(&known, token)?;
        return Ok(Some(known));
    }
    match known.state {
        build_state::FAILED | build_state::CANCELED => Ok(Some(known)),
        build_state::BUILDING => {
            Err(refuse(format!("Build is already in progress: {nvr} (id={})", known.id)))
        }
        _ => Err(refuse(format!("Build already exists: {nvr} (id={})", known.id))),
    }
}

/// A file of an import.
struct File {
    path: String,
    archive: Option<Archive>,
    name: Arc<str>,
}

fn files(context: &Context<'_>, metadata: &Value, directory: &str) -> Answer<Vec<File>> {
    let outputs = metadata.member("output").and_then(Value::as_array).unwrap_or_default();
    outputs.iter().map(|output| file(context, output, directory)).collect()
}

fn file(context: &Context<'_>, output: &Value, directory: &str) -> Answer<File> {
    let text = |name: &str| output.member(name).and_then(Value::as_str).unwrap_or_default();
    let name = text("filename");
    let path = format!("{directory}/{name}");
    let missing = || {
        let text = format!(
            "<class 'FileNotFoundError'>: [Errno 2] No such file or directory: '{WORK}/{directory}/./{name}'"
        );
        Fault::new(FaultCode::Exception, text)
    };
    let upload = context.state.uploads.get(&*path).filter(|file| !file.is_link).ok_or_else(missing)?;
    let (size, wanted) = (upload.bytes.len(), output.member("filesize").and_then(Value::as_int));
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    if wanted != Some(size) {
        let wanted = wanted.map_or_else(|| "None".into(), |wanted| wanted.to_string());
        let text =
            format!("File size {size} for {name} (expected {wanted}) doesn't match. Corrupted upload?");
        return Err(refuse(text));
    }
    let sum = checksum::digest(text("checksum_type"), &upload.bytes)?;
    if sum != text("checksum") {
        return Err(refuse(format!("File checksum mismatch for {name}: {} != {sum}", text("checksum"))));
    }
    let types = output.member("extra").and_then(|extra| extra.member("typeinfo")).and_then(Value::as_struct);
    let kind = types.and_then(|types| types.iter().next().map(|(name, _)| Arc::from(name)));
    let archive = (text("type") == "file").then(|| Archive {
        build: 0,
        kind: kind.unwrap_or_else(|| "module".into()),
        filename: name.into(),
        size,
        checksum: sum.into(),
        buildroot: 0,
        extra: output.member("extra").cloned().unwrap_or(Value::Nil),
    });
    Ok(File { path, archive, name: name.into() })
}

fn build(
    context: &mut Context<'_>,
    about: &Value,
    [name, version, release]: [Arc<str>; 3],
    (owner, generator): (Id, Id),
    reserved: Option<&Build>,
) -> Build {
    let stamp = context.state.stamp();
    let moment = |name: &str| about.member(name).and_then(Value::as_double).map(Moment::of_seconds);
    let extra = about.member("extra").cloned();
    let types = extra.as_ref().and_then(|extra| extra.member("typeinfo")).and_then(Value::as_struct);
    let types: BTreeMap<Arc<str>, Value> = types.cloned().unwrap_or_default().into_iter().collect();
    let state = &mut *context.state;
    let was_reserved = reserved.is_some_and(|build| build.token.is_some());
    // A reserved build ends when it is imported, whatever the metadata say.
    let completed = if was_reserved { Some(state.now) } else { moment("end_time") };
    Build {
        id: reserved.map_or_else(|| state.next_id(&state.builds), |build| build.id),
        package: state.packages.ensure(&name),
        name,
        version,
        release,
        epoch: about.member("epoch").and_then(Value::as_int),
        state: build_state::COMPLETE,
        owner,
        event: reserved.filter(|_| was_reserved).map_or(stamp.event, |build| build.event),
        created: reserved.filter(|_| was_reserved).map_or(state.now, |build| build.created),
        started: moment("start_time"),
        completed,
        source: about.member("source").and_then(Value::as_str).map(Into::into),
        extra,
        generator: Some(generator),
        types,
        ..Build::default()
    }
}

fn keep(context: &mut Context<'_>, build: Id, files: Vec<File>) {
    context.state.last_buildroot += 1;
    let buildroot = context.state.last_buildroot;
    let mut logs: Vec<Arc<str>> = Vec::new();
    for file in files {
        context.state.consume_upload(&file.path);
        match file.archive {
            Some(archive) => drop(context.state.add_archive(Archive { build, buildroot, ..archive })),
            None => logs.push(file.name),
        }
    }
    logs.push("cg_import.log".into());
    context.state.change_build(build, |build| build.logs = logs);
}
