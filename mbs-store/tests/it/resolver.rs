//! The contract suite of resolvers, kept by the modules of each store.

use std::sync::Arc;

use async_trait::async_trait;
use mbs_core::contract::{self, Kept, ModuleResolverGround};
use mbs_core::ident::{Nsvc, TagName};
use mbs_core::memory::{ManualClock, MemoryStore};
use mbs_core::model::{ModuleBuild, State};
use mbs_core::policy::Policy;
use mbs_core::resolver::{KnownModule, ModuleResolver, StoreResolver};
use mbs_core::store::{Amend, Store, buildrequires};
use tempfile::TempDir;

use crate::samples::{new_build, start};
use crate::servers::{self, InFile};

struct Ground {
    store: Arc<dyn Store>,
    resolver: StoreResolver,
    /// Where its file is, if it has one.
    _file: Option<TempDir>,
}

impl Ground {
    fn over(store: Arc<dyn Store>) -> Self {
        Self { resolver: StoreResolver::new(store.clone()), store, _file: None }
    }

    async fn change(&self, nsvc: &Nsvc, change: impl FnOnce(&mut ModuleBuild)) {
        let id = self.store.find(std::slice::from_ref(nsvc)).await.unwrap()[nsvc];
        let loaded = self.store.load(id).await.unwrap();
        let mut now = loaded.build;
        change(&mut now);
        let amend = Amend { now, revision: loaded.revision, by: "mary".into(), what: "changed it".into() };
        self.store.amend(amend).await.unwrap();
    }
}

#[async_trait]
impl ModuleResolverGround for Ground {
    fn resolver(&self) -> &dyn ModuleResolver {
        &self.resolver
    }

    async fn add(&self, module: KnownModule) {
        let mut new = new_build(&module.nsvc.to_string());
        let base = |(name, entry): (&String, &_)| nsvc_of(name, entry);
        new.base_modules = buildrequires(&module.document).iter().map(base).collect();
        new.document = module.document.clone();
        self.store.create(new.into()).await.unwrap();
        let finish = |build: &mut ModuleBuild| {
            build.koji_tag = module.tag;
            for state in [State::Wait, State::Build, State::Done, State::Ready] {
                build.enter(state, None, start()).unwrap();
            }
        };
        self.change(&module.nsvc, finish).await;
    }

    async fn retire(&self, nsvc: &Nsvc) {
        self.change(nsvc, |build| build.enter(State::Garbage, None, start()).unwrap()).await;
    }
}

fn nsvc_of(name: &str, entry: &std::collections::BTreeMap<String, mbs_core::store::Detail>) -> Nsvc {
    let part = |key: &str| match &entry[key] {
        mbs_core::store::Detail::Text(text) => text.clone(),
        other => panic!("{key} is {other:?}"),
    };
    format!("{name}:{}:{}:{}", part("stream"), part("version"), part("context")).parse().unwrap()
}

/// Nobody can put builds into other tags than their own, nor end the life of a stream, in a store.
fn assert_kept(kept: &Kept) {
    let left_out: Vec<_> = kept.left_out.iter().map(|(promise, _)| *promise).collect();
    let wanted = [
        "builds_are_found_in_their_own_tag_and_in_those_that_inherit_it",
        "the_end_of_life_of_an_unknown_stream_is_an_error",
    ];
    assert_eq!(left_out, wanted, "{kept}");
}

#[tokio::test]
async fn modules_in_memory_are_resolved() {
    let kept = contract::module_resolver(async || {
        Ground::over(Arc::new(MemoryStore::new(Arc::new(ManualClock::new()), start(), &Policy::default())))
    });
    assert_kept(&kept.await.unwrap());
}

/// What the suite leaves out: it wants other tags, too.
async fn assert_found_in_own_tag(ground: &Ground) {
    let tag: TagName = "module-perl".parse().unwrap();
    for (nsvc, tag) in [("perl:5:1:a", Some(tag.clone())), ("perl:5:2:a", None)] {
        let new = new_build(nsvc);
        let (nsvc, document) = (new.nsvc, new.document);
        ground.add(KnownModule { nsvc, tag, document, is_ready: true }).await;
    }
    let found = ground.resolver.in_tag(&tag).await.unwrap();
    assert_eq!(found.iter().map(|module| module.nsvc.to_string()).collect::<Vec<_>>(), ["perl:5:1:a"]);
    assert_eq!(ground.resolver.in_tag(&"other".parse().unwrap()).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_are_found_in_their_own_tag() {
    let memory = MemoryStore::new(Arc::new(ManualClock::new()), start(), &Policy::default());
    assert_found_in_own_tag(&Ground::over(Arc::new(memory))).await;
    assert_found_in_own_tag(&Ground::over(Arc::new(servers::postgres().await.0))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_on_postgresql_are_resolved() {
    let kept = contract::module_resolver(async || Ground::over(Arc::new(servers::postgres().await.0)));
    assert_kept(&kept.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_in_a_file_are_resolved() {
    let kept = contract::module_resolver(async || {
        let file = InFile::new().await;
        Ground { _file: Some(file.folder), ..Ground::over(Arc::new(file.store)) }
    });
    assert_kept(&kept.await.unwrap());
}
