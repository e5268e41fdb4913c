//! What is tested on real files: the contract of stores, opening, several programs, hostile texts, calls that are given up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::clock::Clock as _;
use mbs_core::context::Contexts;
use mbs_core::contract::{self, StoreGround};
use mbs_core::ident::{Batch, BuildId, CommitId, Nsvc, TaskId};
use mbs_core::memory::ManualClock;
use mbs_core::model::{
    Attempt, BuildState, ComponentBuild, ComponentSource, ModuleBuild, NewBuild, RebuildStrategy,
};
use mbs_core::modulemd::ModuleStream;
use mbs_core::plan::Why;
use mbs_core::policy::Policy;
use mbs_core::store::{Builds as _, Lease, Save, Saved, Signal, Store, StoreError, Work as _, WorkerId};
use tempfile::TempDir;

use crate::{Options, SqliteStore, Time};

mod changes;
mod damage;
mod dropping;
mod line;
mod model;
mod opening;
mod programs;
mod several;
mod texts;

fn start() -> Timestamp {
    "2024-01-02T03:04:05Z".parse().unwrap()
}

/// A time that moves when it is told to.
fn time_of(clock: &Arc<ManualClock>) -> Time {
    let clock = clock.clone();
    Arc::new(move || start() + clock.reading())
}

async fn open_at(path: &Path, clock: &Arc<ManualClock>) -> SqliteStore {
    let options = Options { time: time_of(clock), ..Options::default() };
    SqliteStore::open_with(path, &Policy::default(), options).await.unwrap()
}

/// A store on a file of its own, and its time.
struct Fixture {
    clock: Arc<ManualClock>,
    store: SqliteStore,
    directory: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let (directory, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new()));
        let store = open_at(&directory.path().join("mbs.db"), &clock).await;
        Self { clock, store, directory }
    }

    /// Another store on the same file, as another program has it.
    async fn another(&self) -> SqliteStore {
        open_at(&self.directory.path().join("mbs.db"), &self.clock).await
    }

    async fn create(&self, nsvc: &str) -> BuildId {
        self.store.create(new_build(nsvc).into()).await.unwrap().builds[0].id
    }

    async fn claim(&self) -> Lease {
        claim(&self.store, "w").await.pop().expect("a build is due")
    }

    async fn try_save(
        &self,
        lease: &Lease,
        change: impl FnOnce(&mut ModuleBuild),
    ) -> Result<Saved, StoreError> {
        let draft = self.draft(lease, change).await;
        self.store.save(draft).await
    }

    async fn draft(&self, lease: &Lease, change: impl FnOnce(&mut ModuleBuild)) -> Save {
        let loaded = self.store.load(lease.build).await.unwrap();
        let mut now = loaded.build.clone();
        change(&mut now);
        Save {
            was: Arc::new(loaded.build),
            now,
            revision: loaded.revision,
            lease: lease.clone(),
            notes: vec!["went on".into()],
            signal: Signal::Quiet,
        }
    }

    async fn release(&self, lease: &Lease) {
        self.store.release(lease, None, Why::GoingOn, Signal::Quiet).await.unwrap();
    }
}

async fn claim(store: &SqliteStore, worker: &str) -> Vec<Lease> {
    let claims = store.claim(&WorkerId(worker.into()), 1).await.unwrap();
    claims.into_iter().map(|claim| claim.lease).collect()
}

fn new_build(nsvc: &str) -> NewBuild {
    let nsvc: Nsvc = nsvc.parse().unwrap();
    let document = ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        version: Some(nsvc.version.0),
        context: Some(nsvc.context.to_string()),
        summary: "A module".into(),
        description: "A module of the tests.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        ..ModuleStream::default()
    };
    NewBuild {
        nsvc,
        owner: "anna".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::default(),
        reuse_from: None,
        origin: None,
        document: Arc::new(document),
        contexts: Contexts::default(),
        srpms: [].into(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    }
}

fn component(package: &str) -> ComponentBuild {
    let url = format!("https://src.example.com/rpms/{package}");
    let source = ComponentSource::Git { url, commit: CommitId::new("a".repeat(40)).unwrap() };
    ComponentBuild::new(package.parse().unwrap(), source, Batch(2))
}

/// A component that holds a slot.
fn running(package: &str, task: Option<i64>) -> ComponentBuild {
    let task = task.map(TaskId);
    let attempt = Attempt { number: 1, intended_at: start(), not_after: start(), task, end: None };
    ComponentBuild { state: Some(BuildState::Building), attempts: vec![attempt], task, ..component(package) }
}

struct Ground {
    clock: Arc<ManualClock>,
    store: Box<dyn Store>,
    _directory: TempDir,
}

#[async_trait]
impl StoreGround for Ground {
    fn store(&self) -> &dyn Store {
        &*self.store
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

#[tokio::test]
async fn the_contract_of_stores_is_kept() {
    let kept = contract::store(async || {
        let Fixture { clock, store, directory } = Fixture::new().await;
        Ground { clock, store: Box::new(store), _directory: directory }
    });
    let kept = kept.await.unwrap_or_else(|broken| panic!("{broken}"));
    assert!(kept.left_out.is_empty(), "{kept}");
}

#[tokio::test]
async fn the_contract_of_stores_is_kept_by_two_programs_in_turns() {
    let kept = contract::store(async || {
        let fixture = Fixture::new().await;
        let store = several::Several::of([fixture.store.clone(), fixture.another().await]);
        Ground { clock: fixture.clock, store: Box::new(store), _directory: fixture.directory }
    });
    let kept = kept.await.unwrap_or_else(|broken| panic!("{broken}"));
    assert!(kept.left_out.is_empty(), "{kept}");
}
