//! Are our imports what a hub was seen to take?
//!
//! From each recorded import the record of a build is made anew; what we would send for it is compared with what was sent.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mbs_core::artifacts::{BuiltRpm, Part};
use mbs_core::build_system::FinishedModule;
use mbs_core::context::Contexts;
use mbs_core::ident::{Arch, BuildId, Nevra, Nvr, TagName};
use mbs_core::model::{ModuleBuild, NewBuild, RebuildStrategy};
use mbs_core::modulemd::{ModuleStream, RpmComponent};
use mbs_koji::content_generator::{Import, Program, Settings, Sources, TaggedRpm, import};
use mbs_koji::xmlrpc::Value;
use serde_json::Value as Json;

use crate::recorded::{Recording, text, traffic, value};

/// An import that a hub took, with what was recorded around it.
struct Case {
    place: String,
    metadata: Json,
    /// The files that were uploaded before, by name.
    uploads: BTreeMap<String, Vec<u8>>,
    /// The RPMs of the destination tag; empty if nobody asked for them.
    rpms: Vec<TaggedRpm>,
}

/// Returns the imports that succeeded; those into a reserved build are none of ours.
fn cases() -> Vec<Case> {
    traffic().iter().flat_map(cases_of).collect()
}

fn cases_of(recording: &Recording) -> Vec<Case> {
    let imports = recording.entries.iter().enumerate().filter(|(_, exchange)| {
        let is_import = text(exchange, "method") == Some("CGImport") && exchange["result"].is_object();
        is_import && exchange.pointer("/params/0/build/build_id").is_none()
    });
    let case = |(at, exchange): (usize, &Json)| {
        let metadata = exchange["params"][0].clone();
        let tag = metadata.pointer("/build/extra/typeinfo/module/content_koji_tag").and_then(Json::as_str);
        Case {
            place: format!("{} {at}", recording.name),
            uploads: uploads(recording, text(&exchange["params"], "/1").or(exchange["params"][1].as_str())),
            rpms: tag.map(|tag| rpms(recording, tag)).unwrap_or_default(),
            metadata,
        }
    };
    imports.map(case).collect()
}

/// Returns what was uploaded into a folder in one piece.
fn uploads(recording: &Recording, folder: Option<&str>) -> BTreeMap<String, Vec<u8>> {
    let uploads = recording.entries.iter().filter(|exchange| {
        let query = &exchange["query"];
        text(exchange, "method") == Some("rawUpload")
            && text(query, "filepath") == folder
            && text(query, "offset") == Some("0")
    });
    let file = |exchange: &Json| {
        let name = text(&exchange["query"], "filename")?.to_owned();
        Some((name, STANDARD.decode(text(exchange, "request_body_base64")?).ok()?))
    };
    uploads.filter_map(file).collect()
}

/// Returns the RPMs of a tag, with what their headers say.
fn rpms(recording: &Recording, tag: &str) -> Vec<TaggedRpm> {
    let is_it = |exchange: &&Json| {
        text(exchange, "method") == Some("listTaggedRPMS")
            && exchange["params"][0].as_str() == Some(tag)
            && exchange["result"].is_array()
    };
    let Some(answer) = recording.entries.iter().find(is_it) else { return Vec::new() };
    let headers = headers(recording);
    let builds = answer["result"][1].as_array().expect("the second part lists builds");
    let rows = answer["result"][0].as_array().expect("the first part lists RPMs");
    let source = |row: &Json| -> Nvr {
        let build = builds.iter().find(|build| build["build_id"] == row["build_id"]);
        text(build.expect("an RPM has a build"), "nvr").expect("a build has an NVR").parse().expect("it is one")
    };
    rows.iter().map(|row| tagged_rpm(row, source(row), &headers)).collect()
}

fn tagged_rpm(row: &Json, source: Nvr, headers: &BTreeMap<i64, Json>) -> TaggedRpm {
    let part = |name| text(row, name).expect("an RPM has it").to_owned();
    let header = |build: &Nvr, name: &str| -> Json {
        // What the source package excludes stands in the header of its source RPM only; it is asked by the row's own id.
        let _ = build;
        headers.get(&row["id"].as_i64().unwrap_or(0)).map(|header| header[name].clone()).unwrap_or_default()
    };
    let arches = |name| {
        let list = header(&source, name);
        let texts = list.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
        texts.collect::<BTreeSet<String>>()
    };
    let built = BuiltRpm {
        nevra: Nevra {
            name: part("name"),
            epoch: row["epoch"].as_u64().unwrap_or(0),
            version: part("version"),
            release: part("release"),
            arch: Arch::new(part("arch")).expect("it is one"),
        },
        license: header(&source, "license").as_str().unwrap_or_default().to_owned(),
        exclude_arch: arches("excludearch"),
        exclusive_arch: arches("exclusivearch"),
        source,
    };
    TaggedRpm { epoch: row["epoch"].as_u64(), sigmd5: part("payloadhash"), built }
}

/// Returns the headers that were asked for, by the RPM's number.
fn headers(recording: &Recording) -> BTreeMap<i64, Json> {
    let multicalls = recording.entries.iter().filter(|exchange| text(exchange, "method") == Some("multiCall"));
    let calls = multicalls.flat_map(|exchange| {
        let calls = exchange["params"][0].as_array().into_iter().flatten();
        calls.zip(exchange["result"].as_array().into_iter().flatten())
    });
    let asked = calls.filter(|(call, _)| text(call, "methodName") == Some("getRPMHeaders"));
    asked.filter_map(|(call, answer)| Some((call["params"][0]["rpmID"].as_i64()?, answer[0].clone()))).collect()
}

impl Case {
    fn build(&self, member: &str) -> &Json {
        &self.metadata["build"][member]
    }

    fn module(&self, member: &str) -> &str {
        let module = &self.metadata["build"]["extra"]["typeinfo"]["module"];
        text(module, member).unwrap_or_else(|| panic!("{}: no {member}", self.place))
    }

    fn outputs(&self) -> &[Json] {
        self.metadata["output"].as_array().expect("there are outputs")
    }

    fn has_output(&self, name: &str) -> bool {
        self.outputs().iter().any(|output| text(output, "filename") == Some(name))
    }

    /// The architectures that have a document of their own.
    fn arches(&self) -> Vec<Arch> {
        let names = self.outputs().iter().filter_map(|output| text(output, "filename"));
        let arches = names.filter_map(|name| name.strip_prefix("modulemd.")?.strip_suffix(".txt"));
        let mut arches: Vec<Arch> =
            arches.filter(|arch| *arch != "src").map(|arch| Arch::new(arch).expect("it is one")).collect();
        arches.sort();
        arches
    }

    /// The document that was stored, as far as it matters here: all packages of the tag are components.
    fn document(&self) -> ModuleStream {
        let packages = self.rpms.iter().map(|rpm| rpm.built.source.name().to_owned());
        ModuleStream {
            name: Some(self.module("name").into()),
            stream: Some(self.module("stream").into()),
            version: self.module("version").parse().ok(),
            context: Some(self.module("context").into()),
            rpms: packages.map(|package| (package, RpmComponent::default())).collect(),
            ..ModuleStream::default()
        }
    }

    fn module_build(&self) -> FinishedModule {
        let nsvc = ["name", "stream", "version", "context"].map(|member| self.module(member)).join(":");
        let new = NewBuild {
            nsvc: nsvc.parse().expect("it is one"),
            owner: self.build("owner").as_str().unwrap_or("nobody").into(),
            priority: 0,
            scratch: false,
            scmurl: self.build("source").as_str().map(str::to_owned),
            commit: None,
            strategy: RebuildStrategy::default(),
            reuse_from: None,
            origin: None,
            document: self.document().into(),
            contexts: Contexts { build: "".into(), build_without_base: "".into(), runtime: "".into() },
            srpms: BTreeMap::new(),
            base_modules: Vec::new(),
        };
        let at = |member| Timestamp::from_second(self.build(member).as_i64().expect("a time")).expect("a time");
        let number = self.metadata.pointer("/build/extra/typeinfo/module/module_build_service_id");
        let id = BuildId(number.and_then(Json::as_i64).expect("a module has a number"));
        let mut build = ModuleBuild::begin(new, id, id, at("start_time"));
        build.koji_tag = Some(TagName::new(self.module("content_koji_tag")).expect("it is one"));
        build.arches = self.arches();
        build.life.complete(at("end_time"));
        FinishedModule { build: Box::new(build), log: self.log() }
    }

    fn log(&self) -> Vec<String> {
        if !self.has_output("build.log") {
            return Vec::new();
        }
        let log = self.uploads.get("build.log").map(|log| String::from_utf8_lossy(log).into_owned());
        log.unwrap_or("it began".into()).lines().map(str::to_owned).collect()
    }

    fn settings(&self) -> Settings {
        let buildroot = &self.metadata["buildroots"][0];
        let part = |json: &Json, name| text(json, name).expect("a buildroot has it").to_owned();
        let program = |json: &Json| Program { name: part(json, "name"), version: part(json, "version") };
        Settings {
            generator: program(&buildroot["content_generator"]),
            host_os: part(&buildroot["host"], "os"),
            host_arch: Arch::new(part(&buildroot["host"], "arch")).expect("it is one"),
            tools: buildroot["tools"].as_array().expect("a list").iter().map(program).collect(),
        }
    }

    fn ours(&self) -> Import {
        let source = self.uploads.get("modulemd.src.txt").cloned().unwrap_or_default();
        let sources = Sources {
            module: &self.module_build(),
            rpms: &self.rpms,
            source_document: self.has_output("modulemd.src.txt").then_some(&*source),
            is_owner_known: self.build("owner").is_string(),
            settings: &self.settings(),
        };
        import(&sources, Part::Module).unwrap_or_else(|error| panic!("{}: {error}", self.place))
    }
}

fn output<'v>(metadata: &'v Value, name: &str) -> Option<&'v Value> {
    let outputs = metadata.member("output")?.as_array()?;
    outputs.iter().find(|output| output.member("filename").and_then(Value::as_str) == Some(name))
}

/// Describes the shape of a value: members by name, kinds, and for lists the shapes in them, each once.
fn shape(value: &Value) -> String {
    match value {
        Value::Struct(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}: {}", shape(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(values) => {
            let shapes: BTreeSet<String> = values.iter().map(shape).collect();
            format!("{shapes:?}")
        }
        other => other.kind().to_owned(),
    }
}

/// Removes from metadata what is empty with us or differs by its content, and returns it by its place.
fn without(mut metadata: Value, paths: &[&[&str]]) -> Value {
    for path in paths {
        let mut at = &mut metadata;
        let (last, above) = path.split_last().expect("a path has a step");
        for step in above {
            at = child(at, step).expect("the path is there");
        }
        let Value::Struct(members) = at else { panic!("no struct above {last}") };
        members.remove(last).expect("the member is there");
    }
    metadata
}

fn child<'v>(value: &'v mut Value, step: &str) -> Option<&'v mut Value> {
    match value {
        Value::Array(values) => values.get_mut(step.parse::<usize>().ok()?),
        Value::Struct(members) => members.member_mut(step),
        _ => None,
    }
}

#[test]
fn golden_content_generator_build_and_buildroot_are_equal() {
    for case in cases() {
        let (ours, theirs) = (case.ours().metadata, value(&case.metadata));
        let module = ["build", "extra", "typeinfo", "module", "modulemd_str"];
        let left_out: [&[&str]; 3] = [&module, &["output"], &["buildroots", "0", "components"]];
        assert_eq!(without(ours, &left_out), without(theirs, &left_out), "{}", case.place);
    }
}
