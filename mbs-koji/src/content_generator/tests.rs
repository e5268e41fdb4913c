use std::collections::BTreeSet;

use jiff::Timestamp;
use mbs_core::context::Contexts;
use mbs_core::ident::{BuildId, TagName};
use mbs_core::model::{ModuleBuild, NewBuild, RebuildStrategy};
use mbs_core::modulemd::{Dependencies, ModuleStream, Profile, RpmComponent, Xmd};

use super::*;
use crate::digests::md5;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn document() -> ModuleStream {
    let component = RpmComponent { repository: Some("https://src/perl".into()), ..RpmComponent::default() };
    let mbs = Xmd::Map(vec![("scmurl".into(), Xmd::from("https://src/app"))]);
    ModuleStream {
        name: Some("app".into()),
        stream: Some("1.10-x".into()),
        version: Some(7),
        context: Some("c0ffee42".into()),
        summary: "An app".into(),
        description: "It runs.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd: Xmd::Map(vec![("mbs".into(), mbs)]),
        dependencies: vec![Dependencies::default()],
        profiles: [("default".to_owned(), Profile::default())].into(),
        api: ["perl".to_owned()].into(),
        filter: ["perl-devel".to_owned()].into(),
        rpms: [("perl".to_owned(), component)].into(),
        ..ModuleStream::default()
    }
}

/// A finished build of two architectures with two log lines.
fn finished() -> FinishedModule {
    let new = NewBuild {
        nsvc: "app:1.10-x:7:c0ffee42".parse().unwrap(),
        owner: "mprahl".into(),
        priority: 0,
        scratch: false,
        scmurl: Some("https://src/modules/app?#6b0d31c0d563223024da45691584643ac78c96e8".into()),
        commit: None,
        strategy: RebuildStrategy::All,
        reuse_from: None,
        origin: None,
        document: document().into(),
        contexts: Contexts {
            build: String::new(),
            build_without_base: String::new(),
            runtime: String::new(),
        },
        srpms: Default::default(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    };
    let mut build = ModuleBuild::begin(new, BuildId(12), BuildId(12), at(1_000));
    build.koji_tag = Some(TagName::new("module-app").unwrap());
    build.arches = ["aarch64", "x86_64"].map(|arch| Arch::new(arch).unwrap()).into();
    build.life.complete(at(2_000));
    FinishedModule { build: Box::new(build), log: vec!["it began".into(), "it ended".into()] }
}

fn rpm(nevra: &str, license: &str) -> TaggedRpm {
    let built = BuiltRpm {
        nevra: nevra.parse().unwrap(),
        source: "perl-5.30-1".parse().unwrap(),
        license: license.into(),
        exclude_arch: BTreeSet::new(),
        exclusive_arch: BTreeSet::new(),
    };
    TaggedRpm { epoch: nevra.contains("-4:").then_some(4), sigmd5: md5(nevra.as_bytes()), built }
}

fn rpms() -> Vec<TaggedRpm> {
    ["src", "x86_64", "aarch64"]
        .map(|arch| rpm(&format!("perl-4:5.30-1.{arch}"), "GPL"))
        .into_iter()
        .chain([rpm("perl-devel-0:5.30-1.x86_64", "MIT"), rpm("perl-doc-0:5.30-1.noarch", "GFDL")])
        .collect()
}

fn settings() -> Settings {
    let program = |name: &str, version: &str| Program { name: name.into(), version: version.into() };
    Settings {
        generator: program(GENERATOR, "1"),
        host_os: "Fedora Linux 40".into(),
        host_arch: Arch::new("x86_64").unwrap(),
        tools: vec![program("rpm", "4.19")],
    }
}

fn imported(change: impl FnOnce(&mut FinishedModule), part: Part) -> Result<Import, NotImportable> {
    let mut module = finished();
    change(&mut module);
    let sources = Sources {
        module: &module,
        rpms: &rpms(),
        source_document: Some(b"document: modulemd\r\n"),
        is_owner_known: true,
        settings: &settings(),
    };
    import(&sources, part)
}

fn content<'i>(import: &'i Import, name: &str) -> &'i str {
    let file = import.files.iter().find(|file| file.name == name).unwrap();
    std::str::from_utf8(&file.content).unwrap()
}

fn names(import: &Import) -> Vec<&str> {
    import.files.iter().map(|file| &*file.name).collect()
}

/// The RPMs that metadata say a file is about.
fn components(import: &Import, name: &str) -> Vec<String> {
    let outputs = import.metadata.member("output").unwrap().as_array().unwrap();
    let is_it = |output: &&Value| output.member("filename").unwrap().as_str() == Some(name);
    let rpms = outputs.iter().find(is_it).unwrap().member("components").unwrap().as_array().unwrap();
    let text = |rpm: &Value, member: &str| rpm.member(member).unwrap().as_str().unwrap().to_owned();
    rpms.iter().map(|rpm| format!("{}.{}", text(rpm, "name"), text(rpm, "arch"))).collect()
}

fn build(import: &Import, member: &str) -> Value {
    import.metadata.member("build").unwrap().member(member).unwrap().clone()
}

fn module(import: &Import, member: &str) -> Value {
    let extra = build(import, "extra");
    extra.member("typeinfo").unwrap().member("module").unwrap().member(member).unwrap().clone()
}

#[test]
fn the_build_is_described_by_its_record() {
    let import = imported(|_| (), Part::Module).unwrap();
    assert_eq!(import.nvr.to_string(), "app-1.10_x-7.c0ffee42");
    assert_eq!(build(&import, "version"), "1.10_x".into());
    assert_eq!((build(&import, "start_time"), build(&import, "end_time")), (1_000.into(), 2_000.into()));
    assert_eq!(build(&import, "owner"), "mprahl".into());
    assert_eq!(module(&import, "module_build_service_id"), 12.into());
    assert_eq!(module(&import, "content_koji_tag"), "module-app".into());
    assert_eq!(module(&import, "stream"), "1.10-x".into());
    assert_eq!(module(&import, "version"), "7".into());
    assert_eq!(module(&import, "modulemd_str"), document().to_yaml().into());
}

#[test]
fn a_build_without_commit_has_neither_source_nor_source_document() {
    let mut module = finished();
    module.build.new.scmurl = None;
    module.log.clear();
    let settings = settings();
    let sources = Sources {
        module: &module,
        rpms: &rpms(),
        source_document: None,
        is_owner_known: false,
        settings: &settings,
    };
    let import = import(&sources, Part::Module).unwrap();
    assert_eq!(build(&import, "source"), Value::Nil);
    assert_eq!(import.metadata.member("build").unwrap().member("owner"), None);
    assert_eq!(names(&import), ["modulemd.aarch64.txt", "modulemd.x86_64.txt", "modulemd.txt"]);
}

#[test]
fn files_are_the_documents_the_source_byte_for_byte_and_the_log() {
    let import = imported(|_| (), Part::Module).unwrap();
    let expected =
        ["modulemd.aarch64.txt", "modulemd.x86_64.txt", "modulemd.txt", "modulemd.src.txt", "build.log"];
    assert_eq!(names(&import), expected);
    assert_eq!(content(&import, "modulemd.txt"), document().to_yaml());
    assert_eq!(content(&import, "modulemd.src.txt"), "document: modulemd\r\n");
    assert_eq!(content(&import, "build.log"), "it began\nit ended\n");
    let built = ModuleStream::from_stored(content(&import, "modulemd.x86_64.txt")).unwrap();
    assert_eq!(built.arch.as_deref(), Some("x86_64"));
    assert_eq!(built.xmd.value("mbs"), None);
    assert_eq!(built.content_licenses, ["GFDL", "GPL"].map(str::to_owned).into());
}

#[test]
fn each_file_names_the_rpms_it_is_about() {
    let import = imported(|_| (), Part::Module).unwrap();
    let for_arch = ["perl.src", "perl.x86_64", "perl-doc.noarch"];
    assert_eq!(components(&import, "modulemd.x86_64.txt"), for_arch);
    let all = ["perl.aarch64", "perl.src", "perl.x86_64", "perl-devel.x86_64", "perl-doc.noarch"];
    assert_eq!(components(&import, "modulemd.txt"), all);
    assert_eq!(components(&import, "modulemd.src.txt"), all);
}

#[test]
fn the_twin_has_what_the_module_leaves_out_and_its_own_name() {
    let import = imported(|_| (), Part::DevelTwin).unwrap();
    assert_eq!(import.nvr.to_string(), "app-devel-1.10_x-7.c0ffee42");
    assert_eq!(module(&import, "name"), "app-devel".into());
    assert_eq!(components(&import, "modulemd.x86_64.txt"), ["perl-devel.x86_64"]);
    assert_eq!(components(&import, "modulemd.aarch64.txt"), Vec::<String>::new());
    let stored = ModuleStream::from_stored(content(&import, "modulemd.txt")).unwrap();
    assert_eq!(stored, ModuleStream { name: Some("app-devel".into()), ..document() });
    let built = ModuleStream::from_stored(content(&import, "modulemd.x86_64.txt")).unwrap();
    assert!(built.api.is_empty() && built.profiles.is_empty());
    assert!(built.dependencies[0].requires["app"].contains("1.10-x"));
}

#[test]
fn the_order_of_the_hubs_rows_changes_nothing() {
    let module = finished();
    let made = |rpms: &[TaggedRpm]| {
        let settings = settings();
        let sources = Sources {
            module: &module,
            rpms,
            source_document: None,
            is_owner_known: true,
            settings: &settings,
        };
        import(&sources, Part::Module).unwrap()
    };
    let mut reversed = rpms();
    reversed.reverse();
    assert_eq!(made(&reversed), made(&rpms()));
}

#[test]
fn only_finished_builds_are_imported_and_never_scratch_ones() {
    let scratch = imported(|module| module.build.new.scratch = true, Part::Module);
    assert!(matches!(scratch, Err(NotImportable::Scratch { .. })), "{scratch:?}");
    let tagless = imported(|module| module.build.koji_tag = None, Part::Module).unwrap_err();
    assert_eq!(tagless.to_string(), "app:1.10-x:7:c0ffee42 cannot be imported: it has no destination tag");
    let unfinished = imported(
        |module| {
            let mut build = ModuleBuild::begin(module.build.new.clone(), BuildId(1), BuildId(1), at(0));
            build.koji_tag = module.build.koji_tag.clone();
            *module.build = build;
        },
        Part::Module,
    );
    assert!(unfinished.unwrap_err().to_string().ends_with("no time of completion"));
}
