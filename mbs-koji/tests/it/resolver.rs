//! Are modules found in the tags of a hub?

use std::sync::Arc;

use async_trait::async_trait;
use mbs_core::contract::{self, ModuleResolverGround, Unable};
use mbs_core::ident::{NameStream, Nsvc, TagName};
use mbs_core::memory::{EndOfLife, MemoryResolver};
use mbs_core::modulemd::ModuleStream;
use mbs_core::resolver::{KnownModule, ModuleResolver, ResolverError};
use mbs_koji::api::{build, cg, tag};
use mbs_koji::build_system::KojiBuildSystem;
use mbs_koji::content_generator::GENERATOR;
use mbs_koji::fake_hub::{FakeHub, Setup, TagPlan};
use mbs_koji::resolver::KojiResolver;
use mbs_koji::xmlrpc::{Call, Struct, Value};

use crate::site::{id, system};

/// A hub on which modules are imported and tagged, and a resolver in memory that knows their documents.
struct Ground {
    hub: FakeHub,
    admin: KojiBuildSystem,
    known: Arc<MemoryResolver>,
    resolver: KojiResolver,
}

impl Ground {
    async fn new() -> Self {
        let hub = FakeHub::start(Setup::default()).await.unwrap();
        hub.plant_generator(GENERATOR, &["kojiadmin"]);
        let admin = system(&hub, "kojiadmin", "adminpw");
        let known = Arc::new(MemoryResolver::default());
        let resolver = KojiResolver::new(admin.hub().clone(), known.clone());
        Self { hub, admin, known, resolver }
    }

    async fn write(&self, call: Call) -> Value {
        self.admin.hub().write(&call).await.unwrap()
    }

    /// Imports a module build without any file, and puts it into a tag.
    async fn import(&self, nsvc: &Nsvc, name: &TagName) {
        let nvr = nsvc.nvr();
        let module = Struct::from([("stream", nsvc.stream.as_str()), ("content_koji_tag", name.as_str())]);
        let extra = Struct::from([("typeinfo", Struct::from([("module", module)]))]);
        let build = Struct::from([
            ("name", Value::from(nvr.name())),
            ("version", nvr.version().into()),
            ("release", nvr.release().into()),
            ("source", Value::Nil),
            ("start_time", 1.into()),
            ("end_time", 2.into()),
            ("extra", extra.into()),
        ]);
        let generator = Struct::from([("name", GENERATOR), ("version", "1")]);
        let container = Struct::from([("type", "none"), ("arch", "x86_64")]);
        let buildroot = Struct::from([
            ("id", Value::from(1)),
            ("host", Struct::from([("os", "Linux"), ("arch", "x86_64")]).into()),
            ("content_generator", generator.into()),
            ("container", container.into()),
            ("tools", Value::Array(Vec::new())),
            ("components", Value::Array(Vec::new())),
        ]);
        let metadata = Struct::from([
            ("metadata_version", Value::from(0)),
            ("build", build.into()),
            ("buildroots", [buildroot].into()),
            ("output", Value::Array(Vec::new())),
        ]);
        self.write(cg::import(metadata.into(), "mbs/none")).await;
        self.tag(name, nsvc).await;
    }

    async fn tag(&self, name: &TagName, nsvc: &Nsvc) {
        self.hub.plant_tag(name.as_str(), &[]);
        self.write(tag::add_package(name, &id(nsvc.name.as_str()), "kojiadmin")).await;
        self.write(build::tag(name, &nsvc.nvr())).await;
    }

    async fn found(&self, tag: &str) -> Vec<String> {
        let found = self.resolver.in_tag(&id(tag)).await.unwrap();
        found.iter().map(|module| module.nsvc.to_string()).collect()
    }
}

#[async_trait]
impl ModuleResolverGround for Ground {
    fn resolver(&self) -> &dyn ModuleResolver {
        &self.resolver
    }

    async fn add(&self, module: KnownModule) {
        self.known.add(module.clone()).unwrap();
        if let Some(tag) = &module.tag {
            self.import(&module.nsvc, tag).await;
        }
    }

    async fn retire(&self, nsvc: &Nsvc) {
        self.known.retire(nsvc).unwrap();
    }

    async fn tag(&self, tag: &TagName, nsvc: &Nsvc) -> Result<(), Unable> {
        let module = self.known.builds(std::slice::from_ref(nsvc)).await.unwrap().remove(nsvc).unwrap();
        let inherits = vec![module.tag.unwrap().to_string()];
        self.hub.plant_tag_as(tag.as_str(), &TagPlan { inherits, ..TagPlan::default() });
        Ok(())
    }

    async fn end_life(&self, module: &NameStream) -> Result<(), Unable> {
        self.known.set_end_of_life(module.clone(), EndOfLife::Past);
        Ok(())
    }
}

#[tokio::test]
async fn every_promise_is_kept_over_http() {
    let kept = contract::module_resolver(Ground::new).await.unwrap();
    assert!(kept.left_out.is_empty(), "{kept}");
}

fn module(nsvc: &str, tag: &str) -> KnownModule {
    let document = Arc::new(ModuleStream::default());
    KnownModule { nsvc: id(nsvc), tag: Some(id(tag)), document, is_ready: true }
}

#[tokio::test]
async fn the_topmost_tag_with_a_stream_decides_and_all_contexts_of_its_latest_version_count() {
    let ground = Ground::new().await;
    for (nsvc, tag) in [
        ("perl:5.30-x:9:aa", "below"),
        ("perl:5.30-x:2:aa", "above"),
        ("perl:5.30-x:3:aa", "above"),
        ("perl:5.30-x:3:bb", "above"),
        ("php:7:1:aa", "below"),
    ] {
        ground.add(module(nsvc, tag)).await;
    }
    let inherits = vec!["below".to_owned()];
    ground.hub.plant_tag_as("above", &TagPlan { inherits, ..TagPlan::default() });
    ground.hub.reset_counters();
    assert_eq!(ground.found("above").await, ["perl:5.30-x:3:aa", "perl:5.30-x:3:bb", "php:7:1:aa"]);
    assert_eq!(ground.hub.counters().requests, 1);
    assert_eq!(ground.found("below").await, ["perl:5.30-x:9:aa", "php:7:1:aa"]);
}

#[tokio::test]
async fn a_tagged_build_that_nobody_knows_is_named() {
    let ground = Ground::new().await;
    ground.import(&id("perl:5:1:aa"), &id("f40-modular")).await;
    let error = ground.resolver.in_tag(&id("f40-modular")).await.unwrap_err();
    assert_eq!(error.to_string(), "tagged in f40-modular, but not known here: perl:5:1:aa");
    assert!(matches!(error, ResolverError::Conflict { .. }));
}
