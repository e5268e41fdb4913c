//! Is a finished module imported once, whole, and into its tag, whatever gets lost on the way?

use std::collections::BTreeMap;
use std::sync::Arc;

use mbs_core::build_system::{BuildSystem as _, FinishedModule, TagRequest};
use mbs_core::context::Contexts;
use mbs_core::ident::{BuildId, Nvr, Package};
use mbs_core::model::{ModuleBuild, NewBuild, RebuildStrategy, State};
use mbs_core::modulemd::ModuleStream;
use mbs_koji::api::{build, tag};
use mbs_koji::fake_hub::{Rule, Trouble};
use mbs_koji::xmlrpc::{Call, Value};

use crate::site::{DIST, Site, id, job, spec};

const CG_TAG: &str = "f40-modular-updates-candidate";

/// A hub with a module whose only package is built and tagged, and the module.
async fn site() -> (Site, FinishedModule) {
    let site = Site::new("1.35.3").await;
    site.hub.plant_generator("module-build-service", &["mbs"]);
    site.hub.plant_tag(CG_TAG, &[]);
    site.system.ensure_buildroot(&spec(&["liba"])).await.unwrap();
    let task = site.system.submit(&job(&id("liba"))).await.unwrap();
    site.hub.finish(task).unwrap();
    let nvr: Nvr = format!("liba-1.0-1{DIST}").parse().unwrap();
    let request = TagRequest { tag: id("module-app"), package: id::<Package>("liba"), nvr };
    site.system.ensure_tagged(&[request]).await.unwrap();
    (site, module())
}

fn module() -> FinishedModule {
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    let mut build = ModuleBuild::begin(submission(), BuildId(1), BuildId(1), at(100));
    build.koji_tag = Some(id("module-app"));
    build.cg_tag = Some(id(CG_TAG));
    build.arches = vec![id("aarch64"), id("x86_64")];
    for state in [State::Wait, State::Build] {
        build.enter(state, None, at(101)).unwrap();
    }
    build.life.complete(at(200));
    FinishedModule { build: Box::new(build), log: vec!["it began".to_owned(), "it ended".to_owned()] }
}

fn submission() -> NewBuild {
    let document = ModuleStream {
        name: Some("app".into()),
        stream: Some("1-x".into()),
        summary: "A module".into(),
        description: "A module.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        rpms: [("liba".to_owned(), Default::default())].into(),
        ..ModuleStream::default()
    };
    NewBuild {
        document: Arc::new(document),
        nsvc: id("app:1-x:7:c0ffee00"),
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::All,
        reuse_from: None,
        origin: None,
        contexts: Contexts::default(),
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    }
}

async fn read(site: &Site, call: Call) -> Value {
    site.system.hub().read(&call).await.unwrap()
}

/// What a hub says of the module and its twin: tags, and names of files.
async fn imported(site: &Site) -> Vec<(String, Vec<String>, Vec<String>)> {
    let mut all = Vec::new();
    for name in ["app", "app-devel"] {
        let nvr: Nvr = Nvr::of(name, "1_x", "7.c0ffee00");
        let build = build::read(&read(site, build::build(&nvr)).await).unwrap().unwrap();
        let tags = tag::read_names(&read(site, tag::holding(build.id)).await).unwrap();
        let archives = read(site, Call::new("listArchives").keyword("buildID", build.id)).await;
        let file = |row: &Value| row.member("filename").and_then(Value::as_str).unwrap().to_owned();
        let mut files: Vec<String> = archives.as_array().unwrap().iter().map(file).collect();
        files.sort();
        all.push((build.nvr.to_string(), tags.iter().map(ToString::to_string).collect(), files));
    }
    all
}

fn wanted() -> Vec<(String, Vec<String>, Vec<String>)> {
    let files = ["modulemd.aarch64.txt", "modulemd.txt", "modulemd.x86_64.txt"].map(str::to_owned);
    ["app-1_x-7.c0ffee00", "app-devel-1_x-7.c0ffee00"]
        .map(|nvr| (nvr.to_owned(), vec![CG_TAG.to_owned()], files.to_vec()))
        .to_vec()
}

#[tokio::test]
async fn a_module_and_its_twin_are_imported_with_their_documents_and_tagged() {
    let (site, module) = site().await;
    site.system.import_module(&module).await.unwrap();
    assert_eq!(imported(&site).await, wanted());
    site.hub.reset_counters();
    site.system.import_module(&module).await.unwrap();
    let counters = site.hub.counters();
    assert_eq!((counters.calls_of("CGImport"), counters.calls_of("tagBuild")), (0, 0), "{counters:?}");
}

#[tokio::test]
async fn whichever_answer_is_lost_the_next_try_finishes_the_import() {
    let mut lost = 0;
    for nth in 0.. {
        let (site, module) = site().await;
        site.hub.faults().add(Rule::always(Trouble::ResetAfter).after(nth).times(1));
        let mut tries = 1;
        while let Err(error) = site.system.import_module(&module).await {
            assert!(error.is_transient(), "{error}");
            tries += 1;
            assert!(tries < 5, "the answer to request {nth} was lost: {error}");
        }
        assert_eq!(imported(&site).await, wanted(), "the answer to request {nth} was lost");
        if site.hub.faults().count() == 0 {
            break;
        }
        lost += 1;
    }
    assert!(lost > 20, "an import has many requests, not {lost}");
}

#[tokio::test]
async fn final_documents_name_the_rpms_of_their_architecture() {
    let (site, module) = site().await;
    let documents = site.system.final_documents(&module.build).await.unwrap();
    let rpms: Vec<(String, Vec<String>)> = documents
        .iter()
        .map(|(arch, document)| (arch.to_string(), document.artifacts.iter().cloned().collect()))
        .collect();
    let of = |arch: &str| {
        let rpm = |arch: &str| format!("liba-0:1.0-1{DIST}.{arch}");
        let mut rpms = vec![rpm(arch), rpm("src")];
        rpms.sort();
        (arch.to_owned(), rpms)
    };
    assert_eq!(rpms, [of("aarch64"), of("x86_64")]);
}
