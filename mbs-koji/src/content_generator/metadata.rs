//! The metadata of an import, version 0 of the format.

use jiff::Timestamp;
use mbs_core::ident::{Nvr, TagName};
use mbs_core::model::ModuleBuild;

use super::documents::{About, Output};
use super::{Program, Settings, TaggedRpm};
use crate::digests::md5;
use crate::xmlrpc::{Struct, Value};

/// What the format calls the only buildroot.
const BUILDROOT: i64 = 1;

/// What the metadata say of the build.
pub(super) struct Facts<'a> {
    pub(super) build: &'a ModuleBuild,
    pub(super) nvr: Nvr,
    pub(super) tag: &'a TagName,
    pub(super) completed_at: Timestamp,
    pub(super) is_owner_known: bool,
}

pub(super) fn metadata(facts: &Facts, settings: &Settings, outputs: &[Output]) -> Value {
    let members = [
        ("metadata_version", Value::Int(0)),
        ("build", build(facts).into()),
        ("buildroots", [buildroot(settings)].into()),
        ("output", outputs.iter().map(output).collect()),
    ];
    Value::Struct(members.into())
}

fn build(facts: &Facts) -> Struct {
    let Facts { build, nvr, .. } = facts;
    let typeinfo = Struct::from([("module", module(facts))]);
    let mut members = Struct::from([
        ("name", Value::from(nvr.name())),
        ("version", nvr.version().into()),
        ("release", nvr.release().into()),
        ("source", build.new.scmurl.as_deref().into()),
        ("start_time", build.submitted_at.as_second().into()),
        ("end_time", facts.completed_at.as_second().into()),
        ("extra", Struct::from([("typeinfo", typeinfo)]).into()),
    ]);
    if facts.is_owner_known {
        members.insert("owner", Value::from(&build.new.owner));
    }
    members
}

/// What other services read of the module later, without asking us.
fn module(facts: &Facts) -> Struct {
    let nsvc = facts.build.nsvc();
    Struct::from([
        ("module_build_service_id", Value::Int(facts.build.id.0)),
        ("content_koji_tag", facts.tag.as_str().into()),
        ("modulemd_str", facts.build.document().to_yaml().into()),
        ("name", facts.nvr.name().into()),
        ("stream", nsvc.stream.as_str().into()),
        ("version", nsvc.version.to_string().into()),
        ("context", nsvc.context.as_str().into()),
    ])
}

/// Where the files came to be: no chroot, and no packages but our own program.
fn buildroot(settings: &Settings) -> Struct {
    let arch = || Value::from(settings.host_arch.as_str());
    Struct::from([
        ("id", Value::Int(BUILDROOT)),
        ("host", Struct::from([("os", Value::from(&settings.host_os)), ("arch", arch())]).into()),
        ("content_generator", program(&settings.generator).into()),
        ("container", Struct::from([("type", Value::from("none")), ("arch", arch())]).into()),
        ("tools", settings.tools.iter().map(program).collect()),
        ("components", Value::Array(Vec::new())),
    ])
}

fn program(program: &Program) -> Struct {
    [("name", Value::from(&program.name)), ("version", Value::from(&program.version))].into()
}

fn output(output: &Output) -> Struct {
    let content = &output.file.content;
    let size = i64::try_from(content.len()).expect("no file in memory has 2^63 bytes");
    let mut members = Struct::from([
        ("buildroot_id", Value::Int(BUILDROOT)),
        ("filename", Value::from(&output.file.name)),
        ("filesize", size.into()),
        ("arch", output.arch.into()),
        ("checksum_type", "md5".into()),
        ("checksum", md5(content).into()),
    ]);
    match &output.about {
        About::Log => {
            members.insert("type", "log".into());
        }
        About::Module(rpms) => {
            members.insert("type", "file".into());
            let typeinfo = Struct::from([("module", Struct::default())]);
            members.insert("extra", Struct::from([("typeinfo", typeinfo)]).into());
            members.insert("components", rpms.iter().map(|rpm| component(rpm)).collect());
        }
    }
    members
}

fn component(rpm: &TaggedRpm) -> Struct {
    let nevra = &rpm.built.nevra;
    let epoch = rpm.epoch.map(|epoch| i64::try_from(epoch).unwrap_or(i64::MAX));
    Struct::from([
        ("type", Value::from("rpm")),
        ("name", Value::from(&nevra.name)),
        ("version", Value::from(&nevra.version)),
        ("release", Value::from(&nevra.release)),
        ("arch", nevra.arch.as_str().into()),
        ("epoch", epoch.into()),
        ("sigmd5", Value::from(&rpm.sigmd5)),
    ])
}
