//! What survives a process, and what happens when the file cannot be written or read.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::context::Contexts;
use mbs_core::contract::{self, StoreGround};
use mbs_core::ident::{BuildId, Nsvc};
use mbs_core::memory::ManualClock;
use mbs_core::model::{NewBuild, RebuildStrategy, State};
use mbs_core::modulemd::ModuleStream;
use mbs_core::plan::Why;
use mbs_core::policy::Policy;
use mbs_core::store::{
    Amend, Builds as _, Catalogue as _, Filter, Save, Settings, Signal, Store, StoreError, Upkeep as _,
    Work as _, WorkerId,
};
use tempfile::TempDir;

use super::{OpenError, STATE_FILE, SnapshotStore};
use crate::lock::DirectoryLock;

fn now() -> Timestamp {
    "2024-01-02T03:04:05Z".parse().unwrap()
}

fn try_open(directory: &Path) -> Result<SnapshotStore, OpenError> {
    let lock = DirectoryLock::take(directory).unwrap();
    SnapshotStore::open(lock, Arc::new(ManualClock::default()), now(), &Policy::default())
}

fn open(directory: &Path) -> SnapshotStore {
    try_open(directory).unwrap()
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
        document: Arc::new(document),
        contexts: Contexts::default(),
        srpms: [].into(),
        base_modules: Vec::new(),
    }
}

async fn save_state(store: &SnapshotStore, state: State) -> Result<(), StoreError> {
    let claim = store.claim(&WorkerId("one".into()), 1).await?.pop().expect("a build is due");
    let loaded = store.load(claim.lease.build).await?;
    let mut next = loaded.build.clone();
    next.enter(state, None, now()).unwrap();
    let save = Save {
        was: Arc::new(loaded.build),
        now: next,
        revision: loaded.revision,
        lease: claim.lease.clone(),
        notes: vec!["went on".into()],
        signal: Signal::Quiet,
    };
    store.save(save).await?;
    store.release(&claim.lease, None, Why::Finished, Signal::Quiet).await
}

struct Ground {
    clock: Arc<ManualClock>,
    store: SnapshotStore,
    _directory: TempDir,
}

#[async_trait]
impl StoreGround for Ground {
    fn store(&self) -> &dyn Store {
        &self.store
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
        let (directory, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new()));
        let lock = DirectoryLock::take(directory.path()).unwrap();
        let store = SnapshotStore::open(lock, clock.clone(), now(), &Policy::default()).unwrap();
        Ground { clock, store, _directory: directory }
    });
    let kept = kept.await.unwrap();
    assert!(kept.left_out.is_empty(), "{kept}");
}

#[tokio::test]
async fn what_was_saved_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_from(new_build("app:1:2:c").into(), "the document").await.unwrap();
    save_state(&store, State::Wait).await.unwrap();
    store.change_settings(Settings { limit: Some(3), ..Settings::default() }, "anna").await.unwrap();
    let before = store.load(BuildId(1)).await.unwrap();
    drop(store);

    let store = open(directory.path());
    assert_eq!(store.load(BuildId(1)).await.unwrap(), before);
    assert_eq!(before.build.state(), State::Wait);
    assert_eq!(store.log(BuildId(1)).await.unwrap()[0].text, "went on");
    assert_eq!(store.settings().await.unwrap().limit, Some(3));
    assert_eq!(store.origin(BuildId(1)).as_deref(), Some("the document"));
    assert_eq!(store.origin(BuildId(2)), None);
}

#[tokio::test]
async fn the_lease_of_a_run_that_was_killed_is_void() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create(new_build("app:1:2:c").into()).await.unwrap();
    assert_eq!(store.claim(&WorkerId("one".into()), 9).await.unwrap().len(), 1);
    store.flush().await.unwrap();
    drop(store);
    let claims = open(directory.path()).claim(&WorkerId("two".into()), 9).await.unwrap();
    assert_eq!(claims.len(), 1);
}

#[tokio::test]
async fn every_change_of_a_record_is_in_the_file_when_the_call_returns() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let file = directory.path().join(STATE_FILE);
    let mut seen = vec![fs::read(&file).unwrap()];
    let mut is_written = || {
        seen.push(fs::read(&file).unwrap());
        seen[seen.len() - 1] != seen[seen.len() - 2]
    };
    store.create(new_build("app:1:2:c").into()).await.unwrap();
    assert!(is_written());
    save_state(&store, State::Wait).await.unwrap();
    assert!(is_written());
    let loaded = store.load(BuildId(1)).await.unwrap();
    let (by, what) = ("anna".into(), "touched it".into());
    store.amend(Amend { now: loaded.build, revision: loaded.revision, by, what }).await.unwrap();
    assert!(is_written());
    store.load(BuildId(1)).await.unwrap();
    assert!(!is_written());
}

#[tokio::test]
async fn while_the_file_cannot_be_written_nobody_sees_what_is_not_in_it() {
    let outer = tempfile::tempdir().unwrap();
    let (directory, aside) = (outer.path().join("results"), outer.path().join("aside"));
    let store = open(&directory);
    let writes = store.writes();
    store.create(new_build("app:1:2:c").into()).await.unwrap();
    fs::rename(&directory, &aside).unwrap();

    let refused = store.create(new_build("app:1:3:c").into()).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Unavailable { reason } if reason.contains(STATE_FILE)),
        "{refused}"
    );
    assert!(writes.borrow().failure.is_some());
    assert!(store.load(BuildId(2)).await.is_err());
    assert!(store.claim(&WorkerId("one".into()), 9).await.is_err());

    fs::rename(&aside, &directory).unwrap();
    assert_eq!(store.load(BuildId(2)).await.unwrap().build.id, BuildId(2));
    assert!(writes.borrow().failure.is_none());
    drop(store);
    assert_eq!(open(&directory).count(&Filter::default()).await.unwrap(), 2);
}

fn with_state(text: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(STATE_FILE), text).unwrap();
    directory
}

#[tokio::test]
async fn a_file_that_is_not_understood_is_left_as_it_is() {
    let newer = r#"{"form": 2, "store": {}}"#;
    for text in ["", "{", "[]", r#"{"form": 1}"#, r#"{"form": 1, "store": {"rows": 3}}"#, newer] {
        let directory = with_state(text);
        let refused = try_open(directory.path()).unwrap_err();
        assert!(matches!(refused, OpenError::Unreadable { .. }), "{text}: {refused}");
        assert!(refused.to_string().contains(STATE_FILE), "{refused}");
        assert_eq!(fs::read_to_string(directory.path().join(STATE_FILE)).unwrap(), text);
    }
}

#[tokio::test]
async fn keys_that_are_not_known_do_no_harm() {
    let directory = with_state(r#"{"form": 1, "mood": "good", "store": {"colour": "red"}}"#);
    let store = open(directory.path());
    assert!(store.claim(&WorkerId("one".into()), 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn no_other_file_is_left_behind() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create(new_build("app:1:2:c").into()).await.unwrap();
    let mut names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["lock", STATE_FILE]);
}

#[tokio::test]
async fn what_a_killed_program_was_writing_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let left = directory.path().join(".new-x");
    fs::write(&left, "half").unwrap();
    open(directory.path());
    assert!(!left.exists());
}
