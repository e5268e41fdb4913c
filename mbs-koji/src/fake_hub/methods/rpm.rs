//! RPMs.

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::state::{Answer, Id, Rpm, refuse};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("getRPM", "get_rpm", "rpminfo, strict=False, multi=False", get),
    method(
        "listRPMs",
        "list_rpms",
        "buildID=None, buildrootID=None, imageID=None, componentBuildrootID=None, hostID=None, arches=None, queryOpts=None, draft=None",
        list,
    ),
    method("listBuildRPMs", "RootExports.listBuildRPMs", "build", of_build),
    method(
        "getRPMHeaders",
        "RootExports.getRPMHeaders",
        "rpmID=None, taskID=None, filepath=None, headers=None, strict=False",
        headers,
    ),
    method("queryRPMSigs", "query_rpm_sigs", "rpm_id=None, sigkey=None, queryOpts=None", |_, _| {
        Ok(Value::Array(Vec::new()))
    }),
    method(
        "getRPMDeps",
        "RootExports.getRPMDeps",
        "rpmID, depType=None, queryOpts=None, strict=False",
        dependencies,
    ),
];

/// Header fields that a request may name; what an RPM does not have is nil or, for lists, empty.
const LISTS: [&str; 5] = ["exclusivearch", "excludearch", "changelogtext", "changelogname", "basenames"];
const SINGLE: [&str; 15] = [
    "arch",
    "buildhost",
    "buildtime",
    "description",
    "epoch",
    "group",
    "license",
    "name",
    "packager",
    "release",
    "size",
    "sourcerpm",
    "summary",
    "url",
    "version",
];

fn get(context: &mut Context<'_>, args: &Args) -> Answer {
    let found = context.state.find_rpm(args.value("rpminfo"))?;
    match found {
        Ok(id) => {
            let rpm = context.state.rpms.get(&id);
            let row = rpm.map(|rpm| context.state.rpm_row(id, rpm));
            if args.flag("multi") { Ok(row.into_iter().collect()) } else { Ok(row.into()) }
        }
        Err(shown) if args.flag("strict") => Err(refuse(format!("No such rpm: {shown}"))),
        Err(_) if args.flag("multi") => Ok(Value::Array(Vec::new())),
        Err(_) => nothing(),
    }
}

fn with_nvr(context: &Context<'_>, (id, rpm): (Id, &Rpm)) -> Struct {
    let mut row = context.state.rpm_row(id, rpm);
    row.insert("nvr", format!("{}-{}-{}", rpm.name, rpm.version, rpm.release).into());
    row
}

fn of_build(context: &mut Context<'_>, args: &Args) -> Answer {
    let build = context.state.build(args.value("build"))?;
    Ok(context.state.rpms_of(build).into_iter().map(|rpm| with_nvr(context, rpm)).collect())
}

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let arches: Option<Vec<&str>> = match args.value("arches") {
        Value::Nil => None,
        Value::String(arch) => Some(vec![arch]),
        Value::Array(arches) => Some(arches.iter().filter_map(Value::as_str).collect()),
        other => return Err(super::wrong_type(other, "<class 'list'>")),
    };
    let is_wanted = |rpm: &Rpm| arches.as_ref().is_none_or(|arches| arches.contains(&&*rpm.arch));
    let rpms: Vec<(Id, &Rpm)> = match args.optional_int("buildID")? {
        Some(build) => state.rpms_of(build),
        None => state.rpms.iter().map(|(id, rpm)| (*id, &**rpm)).collect(),
    };
    let rows = rpms.into_iter().filter(|(_, rpm)| is_wanted(rpm)).map(|rpm| with_nvr(context, rpm));
    super::query::rows(rows.collect(), args)
}

fn headers(context: &mut Context<'_>, args: &Args) -> Answer {
    let wanted = args.value("headers").as_array().unwrap_or_default();
    let rpm = args.given("rpmID").map(|rpm| context.state.find_rpm(rpm)).transpose()?;
    let rpm = match rpm {
        Some(Ok(id)) => context.state.rpms.get(&id),
        Some(Err(shown)) if args.flag("strict") => return Err(refuse(format!("No such rpm: {shown}"))),
        _ => None,
    };
    let Some(rpm) = rpm else { return Ok(Struct::default().into()) };
    let mut found = Struct::default();
    for name in wanted.iter().filter_map(Value::as_str) {
        let field = name.to_lowercase();
        let usual = usual_header(rpm, &field);
        let value = rpm.headers.get(field.as_str()).cloned().or(usual);
        let value =
            value.ok_or_else(|| refuse(format!("No such rpm header field: {}", name.to_uppercase())))?;
        found.insert(name, value);
    }
    Ok(found.into())
}

fn usual_header(rpm: &Rpm, field: &str) -> Option<Value> {
    if LISTS.contains(&field) {
        return Some(Value::Array(Vec::new()));
    }
    let value = match field {
        "name" => Value::from(&*rpm.name),
        "version" => Value::from(&*rpm.version),
        "release" => Value::from(&*rpm.release),
        "epoch" => rpm.epoch.into(),
        "arch" => Value::from(&*rpm.arch),
        "size" => rpm.size.into(),
        "buildtime" => rpm.buildtime.into(),
        "license" => "MIT".into(),
        _ => Value::Nil,
    };
    SINGLE.contains(&field).then_some(value)
}

fn dependencies(context: &mut Context<'_>, args: &Args) -> Answer {
    let kind = args.optional_int("depType")?;
    let rpm = context.state.find_rpm(args.value("rpmID"))?;
    let rows = match rpm {
        Ok(id) => context.state.rpms.get(&id).map(|rpm| rpm.dependencies.clone()),
        Err(shown) if args.flag("strict") => return Err(refuse(format!("No such rpm: {shown}"))),
        Err(_) => None,
    };
    let rows = rows.as_ref().and_then(Value::as_array).unwrap_or_default();
    let is_wanted = |row: &&Struct| kind.is_none_or(|kind| row.member("type") == Some(&kind.into()));
    let rows = rows.iter().filter_map(Value::as_struct).filter(is_wanted).cloned();
    super::query::rows(rows.collect(), args)
}
