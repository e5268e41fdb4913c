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

use crate::recorded::{Recording, text, traffic};

/// An import that a hub took, with what was recorded around it.
struct Case {
    place: String,
    metadata: Json,
    /// The files that were uploaded before, by name.
    uploads: BTreeMap<String, Vec<u8>>,
    /// The RPMs of the destination tag; empty if nobody asked for them.
    rpms: Vec<TaggedRpm>,
}

/// Returns the imports that succeeded; those into a reserved build are none of ours, nor are releases that no module has.
fn cases() -> Vec<Case> {
    traffic().iter().flat_map(cases_of).filter(Case::is_of_a_module).collect()
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
            uploads: uploads(recording, exchange["params"][1].as_str()),
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
        text(build.expect("an RPM has a build"), "nvr")
            .expect("a build has an NVR")
            .parse()
            .expect("it is one")
    };
    rows.iter().map(|row| tagged_rpm(row, source(row), &headers)).collect()
}

fn tagged_rpm(row: &Json, source: Nvr, headers: &BTreeMap<i64, Json>) -> TaggedRpm {
    let part = |name| text(row, name).expect("an RPM has it").to_owned();
    let header = row["id"].as_i64().and_then(|id| headers.get(&id)).unwrap_or(&Json::Null);
    let built = BuiltRpm {
        nevra: Nevra {
            name: part("name"),
            epoch: row["epoch"].as_u64().unwrap_or(0),
            version: part("version"),
            release: part("release"),
            arch: Arch::new(part("arch")).expect("it is one"),
        },
        license: text(header, "license").unwrap_or_default().to_owned(),
        exclude_arch: BTreeSet::new(),
        exclusive_arch: BTreeSet::new(),
        source,
    };
    TaggedRpm { epoch: row["epoch"].as_u64(), sigmd5: part("payloadhash"), built }
}

/// Returns the headers that were asked for, by the RPM's number.
fn headers(recording: &Recording) -> BTreeMap<i64, Json> {
    let multicalls =
        recording.entries.iter().filter(|exchange| text(exchange, "method") == Some("multiCall"));
    let calls = multicalls.flat_map(|exchange| {
        let calls = exchange["params"][0].as_array().into_iter().flatten();
        calls.zip(exchange["result"].as_array().into_iter().flatten())
    });
    let asked = calls.filter(|(call, _)| text(call, "methodName") == Some("getRPMHeaders"));
    asked
        .filter_map(|(call, answer)| Some((call["params"][0]["rpmID"].as_i64()?, answer[0].clone())))
        .collect()
}

impl Case {
    fn is_of_a_module(&self) -> bool {
        let module = &self.metadata["build"]["extra"]["typeinfo"]["module"];
        let parts = ["version", "context"].map(|member| text(module, member).unwrap_or_default());
        self.build("release") == &parts.join(".")
    }

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
        let mut arches: Vec<Arch> =
            self.documented().map(|(arch, _)| Arch::new(arch).expect("it is one")).collect();
        arches.sort();
        arches
    }

    /// The document that was stored, as far as it matters here: all packages of the tag are components, and what is in no
    /// document of an architecture is filtered.
    fn document(&self) -> ModuleStream {
        let named: BTreeSet<&str> =
            self.documented().flat_map(|(_, rpms)| rpms).filter_map(|rpm| text(rpm, "name")).collect();
        let names = self.rpms.iter().map(|rpm| &rpm.built.nevra.name);
        ModuleStream {
            name: Some(self.name().into()),
            stream: Some(self.module("stream").into()),
            version: self.module("version").parse().ok(),
            context: Some(self.module("context").into()),
            filter: names.filter(|name| !named.contains(&***name)).cloned().collect(),
            rpms: self.rpms.iter().map(|rpm| self.component(rpm.built.source.name())).collect(),
            ..ModuleStream::default()
        }
    }

    /// A component, with multilib where a document holds its RPMs of a foreign architecture.
    fn component(&self, package: &str) -> (String, RpmComponent) {
        let is_ours = |rpm: &&TaggedRpm| rpm.built.source.name() == package;
        let names: BTreeSet<&str> =
            self.rpms.iter().filter(is_ours).map(|rpm| &*rpm.built.nevra.name).collect();
        let is_foreign = |arch: &str, rpm: &Json| {
            text(rpm, "name").is_some_and(|name| names.contains(name))
                && text(rpm, "arch").is_some_and(|of| ![arch, "noarch", "src"].contains(&of))
        };
        let foreign = self.documented().filter(|(arch, rpms)| rpms.iter().any(|rpm| is_foreign(arch, rpm)));
        let multilib = foreign.map(|(arch, _)| arch.to_owned()).collect();
        (package.to_owned(), RpmComponent { multilib, ..RpmComponent::default() })
    }

    /// The RPMs in the document of each architecture.
    fn documented(&self) -> impl Iterator<Item = (&str, &[Json])> {
        self.outputs().iter().filter_map(|output| {
            let arch = text(output, "filename")?.strip_prefix("modulemd.")?.strip_suffix(".txt")?;
            Some((arch, output["components"].as_array()?.as_slice())).filter(|(arch, _)| *arch != "src")
        })
    }

    /// The module's name, that of its twin without the ending.
    fn name(&self) -> &str {
        let name = self.module("name");
        name.strip_suffix("-devel").unwrap_or(name)
    }

    fn part(&self) -> Part {
        if self.name() == self.module("name") { Part::Module } else { Part::DevelTwin }
    }

    fn module_build(&self) -> FinishedModule {
        let [stream, version, context] = ["stream", "version", "context"].map(|member| self.module(member));
        let nsvc = format!("{}:{stream}:{version}:{context}", self.name());
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
            given_srpms: Vec::new(),
            base_modules: Vec::new(),
        };
        let at =
            |member| Timestamp::from_second(self.build(member).as_i64().expect("a time")).expect("a time");
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
        import(&sources, self.part()).unwrap_or_else(|error| panic!("{}: {error}", self.place))
    }
}

/// Writes a value as recordings have it; imports hold no dates and no bytes.
fn recorded_form(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(truth) => Json::from(*truth),
        Value::Int(number) => Json::from(*number),
        Value::String(text) => Json::from(&**text),
        Value::Array(values) => values.iter().map(recorded_form).collect(),
        Value::Struct(members) => Json::Object(
            members.iter().map(|(name, value)| (name.to_owned(), recorded_form(value))).collect(),
        ),
        Value::Double(_) | Value::DateTime(_) | Value::Bytes(_) => panic!("an import holds {}", value.kind()),
    }
}

/// Replaces what differs by its content, or is empty with us, by its kind.
fn with_kinds_at(mut metadata: Json, paths: &[&str]) -> Json {
    for path in paths {
        let at = metadata.pointer_mut(path).unwrap_or_else(|| panic!("nothing at {path}"));
        *at = Json::from(kind(at));
    }
    metadata
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "nil",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a struct",
    }
}

/// Returns the members of an object with their kinds.
fn shape(json: &Json) -> BTreeMap<&str, &'static str> {
    json.as_object().expect("it is a struct").iter().map(|(name, value)| (&**name, kind(value))).collect()
}

fn outputs(metadata: &Json) -> BTreeMap<&str, &Json> {
    let outputs = metadata["output"].as_array().expect("there are outputs");
    outputs.iter().map(|output| (text(output, "filename").expect("a file has a name"), output)).collect()
}

/// Returns the RPMs that a file is about, in any order; `None` for logs.
fn components(output: &Json) -> Option<BTreeSet<String>> {
    let components = output.get("components")?.as_array().expect("a list");
    Some(components.iter().map(Json::to_string).collect())
}

/// Returns the names and architectures of the RPMs that a file is about.
fn names(output: &Json) -> BTreeSet<String> {
    let components = output["components"].as_array().expect("a list").iter();
    components
        .map(|rpm| ["name", "version", "release", "arch"].map(|part| rpm[part].to_string()).concat())
        .collect()
}

#[test]
fn golden_content_generator_build_and_buildroot_are_equal() {
    for case in cases() {
        let place = &case.place;
        let by_content = ["/build/extra/typeinfo/module/modulemd_str", "/output", "/buildroots/0/components"];
        let ours = with_kinds_at(recorded_form(&case.ours().metadata), &by_content);
        assert_eq!(ours, with_kinds_at(case.metadata, &by_content), "{place}");
    }
}

#[test]
fn golden_content_generator_files_have_the_same_shape() {
    for case in cases() {
        let metadata = recorded_form(&case.ours().metadata);
        let (ours, theirs) = (outputs(&metadata), outputs(&case.metadata));
        for (name, theirs) in theirs {
            let place = format!("{} {name}", case.place);
            let ours = ours.get(name).unwrap_or_else(|| panic!("{place} is missing"));
            assert_eq!(shape(ours), shape(theirs), "{place}");
            if let (Some(ours), Some(theirs)) =
                (ours.pointer("/components/0"), theirs.pointer("/components/0"))
            {
                assert!(shape(ours).keys().eq(shape(theirs).keys()), "{place}");
            }
            for member in ["buildroot_id", "arch", "type", "extra", "checksum_type"] {
                assert_eq!(ours.get(member), theirs.get(member), "{place}");
            }
        }
    }
}

#[test]
fn golden_content_generator_files_are_about_the_same_rpms() {
    for case in cases() {
        let metadata = recorded_form(&case.ours().metadata);
        let (ours, theirs) = (outputs(&metadata), outputs(&case.metadata));
        let all = |outputs: &BTreeMap<&str, &Json>| outputs.get("modulemd.txt").map(|output| names(output));
        // What the twin holds depends on the module's own import. Where something else than the RPMs of the tag was imported,
        // it was not for the module's sake.
        if case.part() == Part::DevelTwin || all(&theirs).is_none_or(|rpms| Some(rpms) != all(&ours)) {
            continue;
        }
        for (name, theirs) in theirs {
            assert_eq!(components(ours[name]), components(theirs), "{} {name}", case.place);
        }
    }
}

#[test]
fn golden_content_generator_sums_of_the_same_content_are_equal() {
    for case in cases() {
        let import = case.ours();
        let metadata = recorded_form(&import.metadata);
        let (ours, theirs) = (outputs(&metadata), outputs(&case.metadata));
        for file in import.files {
            if case.uploads.get(&file.name) == Some(&file.content) {
                let place = format!("{} {}", case.place, file.name);
                for member in ["filesize", "checksum"] {
                    assert_eq!(ours[&*file.name][member], theirs[&*file.name][member], "{place}");
                }
            }
        }
    }
}
