//! What the updater makes known: changes from a store's outbox, packages from a build system, written to a server that may be
//! away.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use mbs_core::context::Contexts;
use mbs_core::engine::{PublishError, Publisher};
use mbs_core::ident::{BuildId, Nvr, Package, TagName};
use mbs_core::memory::{ManualClock, MemoryBuildSystem, MemoryStore};
use mbs_core::model::{NewBuild, RebuildStrategy, State};
use mbs_core::modulemd::ModuleStream;
use mbs_core::policy::Policy;
use mbs_core::store::{Amend, Builds as _, Create, Sink, Work as _, WorkerId};
use mbs_pdc::client::Pdc;
use mbs_pdc::fake_server::{FakePdc, Flavour, NewRow, Row, Rule, Setup, Trouble};
use mbs_pdc::server::{Login, Server};
use mbs_pdc::updater::Updater;

use crate::universe::NoWaiting;

const DOCUMENT: &str = "document: modulemd
version: 2
data:
  name: httpd
  stream: '2.4'
  version: 1
  context: c0ffee00
  summary: A web server
  description: A web server.
  license: {module: [MIT]}
  dependencies: [{buildrequires: {platform: [f28]}, requires: {platform: [f28]}}]
  xmd: {mbs: {rpms: {httpd: {ref: dddddddddddddddddddddddddddddddddddddddd}}}}
";

/// The token of a user who may write modules.
const TOKEN: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

struct Site {
    store: Arc<MemoryStore>,
    build_system: Arc<MemoryBuildSystem>,
    pdc: FakePdc,
    publisher: Publisher,
}

impl Site {
    async fn new() -> Self {
        Self::on(Flavour::Current).await
    }

    async fn on(flavour: Flavour) -> Self {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::new(clock.clone(), Timestamp::UNIX_EPOCH, &Policy::default());
        let (store, build_system) = (Arc::new(store), Arc::new(MemoryBuildSystem::new()));
        let pdc = FakePdc::start(Setup { flavour, ..Setup::default() }).await.unwrap();
        let login = Login::Token(mbs_http::Secret::new(TOKEN));
        let server = Server { retries: 0, ..Server::new(pdc.url(), login) };
        let client = Pdc::new(&server, Arc::new(NoWaiting)).unwrap();
        let updater = Updater::new(client, store.clone(), build_system.clone());
        let publisher = Publisher {
            store: store.clone(),
            bus: Arc::new(updater),
            clock,
            policy: Arc::default(),
            sink: Sink("pdc".into()),
            worker: WorkerId("one".into()),
        };
        Self { store, build_system, pdc, publisher }
    }

    /// Makes a build with a tag that holds two packages.
    async fn build(&self, version: u64, scratch: bool) -> BuildId {
        let mut document = ModuleStream::from_stored(DOCUMENT).unwrap();
        document.version = Some(version);
        let nsvc = format!("httpd:2.4:{version}:c0ffee00").parse().unwrap();
        let new = NewBuild {
            nsvc,
            owner: "anna".into(),
            priority: 0,
            scratch,
            scmurl: None,
            commit: None,
            strategy: RebuildStrategy::default(),
            reuse_from: None,
            origin: None,
            document: Arc::new(document),
            contexts: Contexts::default(),
            srpms: [].into(),
            given_srpms: Vec::new(),
            base_modules: vec![],
        };
        let created = self.store.create(Create::from(new)).await.unwrap();
        let tag: TagName = format!("module-httpd-2.4-{version}").parse().unwrap();
        let nvr: Nvr = format!("httpd-2.4.33-{version}").parse().unwrap();
        let package: Package = "httpd".parse().unwrap();
        self.build_system.add_tag(&tag, &["x86_64".parse().unwrap()]);
        self.build_system.add_build(&nvr, &["x86_64".parse().unwrap()]).unwrap();
        let rpms = ["src", "x86_64"].map(|arch| format!("httpd-0:2.4.33-{version}.{arch}").parse().unwrap());
        self.build_system.set_rpms(&nvr, rpms.to_vec()).unwrap();
        self.build_system.put_in_tag(&tag, &package, &nvr).unwrap();
        created.builds[0].id
    }

    async fn enter(&self, id: BuildId, states: &[State]) {
        for state in states {
            let loaded = self.store.load(id).await.unwrap();
            let mut now = loaded.build;
            now.koji_tag = Some(format!("module-httpd-2.4-{}", now.nsvc().version).parse().unwrap());
            now.enter(*state, None, self.store.now().await.unwrap()).unwrap();
            let amend = Amend { now, revision: loaded.revision, by: "anna".into(), what: "change".into() };
            self.store.amend(amend).await.unwrap();
        }
    }

    /// Publishes until nothing is left, or the first round that does not succeed.
    async fn publish(&self) -> Result<(), PublishError> {
        while self.publisher.round().await? > 0 {}
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        self.pdc.rows()
    }

    fn writes(&self) -> usize {
        self.pdc.requests().iter().filter(|seen| seen.method != "GET").count()
    }
}

const TO_READY: [State; 4] = [State::Wait, State::Build, State::Done, State::Ready];

#[tokio::test]
async fn a_build_is_known_once_it_is_ready_and_inactive_once_it_is_retired() {
    let site = Site::new().await;
    let id = site.build(1, false).await;
    site.enter(id, &TO_READY[..3]).await;
    site.publish().await.unwrap();
    assert_eq!((site.rows().len(), site.pdc.requests().len()), (0, 0), "nobody asks before it is ready");
    site.enter(id, &TO_READY[3..]).await;
    site.publish().await.unwrap();
    let rows = site.rows();
    let [row] = &rows[..] else { panic!("{rows:#?}") };
    assert_eq!((row.uid.as_str(), row.active), ("httpd:2.4:1:c0ffee00", true));
    assert_eq!(row.koji_tag, "module-httpd-2.4-1");
    assert_eq!(row.runtime_deps[0].stream, "f28");
    let sources: BTreeSet<_> = row.rpms.iter().map(|rpm| rpm.srpm_nevra.clone()).collect();
    assert_eq!(sources, [None, Some("httpd-0:2.4.33-1.src".to_owned())].into());
    assert_eq!(site.writes(), 1, "it is written at once, or not at all");
    let comments: Vec<_> = site.pdc.requests().into_iter().filter_map(|seen| seen.comment).collect();
    assert_eq!(comments, [format!("build {id} is ready")]);
    site.enter(id, &[State::Garbage]).await;
    site.publish().await.unwrap();
    assert!(!site.rows()[0].active);
}

#[tokio::test]
async fn an_entry_that_is_there_is_completed_whatever_its_uid() {
    let site = Site::new().await;
    let row = NewRow { koji_tag: "NA".into(), ..NewRow::new("httpd", "2.4", "1").in_context("c0ffee00") };
    site.pdc.plant(NewRow { uid: "httpd-2.4-1".into(), modulemd: "document: modulemd".into(), ..row });
    let id = site.build(1, false).await;
    site.enter(id, &TO_READY).await;
    site.publish().await.unwrap();
    let rows = site.rows();
    assert_eq!((rows.len(), rows[0].active, rows[0].rpms.len()), (1, true, 2), "{rows:#?}");
    assert!(
        rows[0].koji_tag == "module-httpd-2.4-1" && rows[0].modulemd.contains("A web server"),
        "{rows:#?}"
    );
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_recorded_later_and_once() {
    for trouble in [Trouble::ResetBefore, Trouble::ResetAfter, Trouble::Status(503), Trouble::Status(403)] {
        let site = Site::new().await;
        let id = site.build(1, false).await;
        site.enter(id, &TO_READY).await;
        site.pdc.faults().add(Rule::always(trouble.clone()).of_method("POST").times(1));
        let outcome = site.publish().await;
        assert!(matches!(&outcome, Err(PublishError::Bus(_))), "{trouble:?}: {outcome:?}");
        site.publish().await.unwrap();
        let rows = site.rows();
        assert_eq!((rows.len(), rows[0].active, rows[0].rpms.len()), (1, true, 2), "{trouble:?}: {rows:#?}");
        // Told again, it is known already.
        let before = site.writes();
        let again = Publisher { sink: Sink("another".into()), ..site.publisher.clone() };
        while again.round().await.unwrap() > 0 {}
        assert_eq!(site.writes(), before, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_change_that_pdc_refuses_holds_up_no_other() {
    let site = Site::new().await;
    let refusal = r#"{"modulemd": ["This field may not be blank."]}"#.to_owned();
    site.pdc.faults().add(Rule::always(Trouble::Words(400, refusal)).of_method("POST").times(1));
    for version in [1, 2] {
        let id = site.build(version, false).await;
        site.enter(id, &TO_READY).await;
    }
    site.publish().await.unwrap();
    assert_eq!((site.rows().len(), site.writes()), (1, 2));
}

#[tokio::test]
async fn scratch_builds_and_failures_are_nothing_to_pdc() {
    let site = Site::new().await;
    let scratch = site.build(1, true).await;
    site.enter(scratch, &TO_READY).await;
    let failed = site.build(2, false).await;
    site.enter(failed, &[State::Failed]).await;
    site.publish().await.unwrap();
    assert_eq!((site.rows().len(), site.pdc.requests().len()), (0, 0));
}

#[tokio::test]
async fn a_change_that_cannot_be_recorded_yet_holds_up_no_other_build() {
    let site = Site::new().await;
    let page = Trouble::Html(413);
    site.pdc.faults().add(Rule::always(page).of_method("POST").times(1));
    for version in [1, 2] {
        let id = site.build(version, false).await;
        site.enter(id, &TO_READY).await;
    }
    // The rounds before bring both to `ready`; in that one the first is not taken.
    site.publish().await.unwrap();
    assert_eq!((site.rows().len(), site.writes()), (2, 3));
}

#[tokio::test]
async fn a_root_that_leads_elsewhere_loses_nothing() {
    let site = Site::new().await;
    let id = site.build(1, false).await;
    site.enter(id, &TO_READY).await;
    let nothing = Trouble::Words(404, r#"{"detail": "Not found"}"#.to_owned());
    site.pdc.faults().add(Rule::always(nothing));
    assert!(matches!(site.publish().await, Err(PublishError::Bus(_))));
    site.pdc.faults().clear();
    site.publish().await.unwrap();
    assert_eq!(site.rows().len(), 1);
}

#[tokio::test]
async fn a_build_whose_tag_is_gone_keeps_the_packages_that_pdc_knows() {
    let site = Site::new().await;
    let id = site.build(1, false).await;
    site.enter(id, &TO_READY).await;
    site.publish().await.unwrap();
    site.pdc.set_active("httpd:2.4:1:c0ffee00", false);
    site.build_system.remove_tag(&"module-httpd-2.4-1".parse().unwrap()).unwrap();
    let again = Publisher { sink: Sink("another".into()), ..site.publisher.clone() };
    while again.round().await.unwrap() > 0 {}
    assert_eq!((site.rows()[0].active, site.rows()[0].rpms.len()), (true, 2));
}

#[tokio::test]
async fn a_change_that_comes_late_brings_no_retired_build_back() {
    let site = Site::new().await;
    let id = site.build(1, false).await;
    site.enter(id, &TO_READY).await;
    site.publish().await.unwrap();
    site.enter(id, &[State::Garbage]).await;
    site.publish().await.unwrap();
    let again = Publisher { sink: Sink("another".into()), ..site.publisher.clone() };
    let before = site.writes();
    while again.round().await.unwrap() > 0 {
        assert!(!site.rows()[0].active);
    }
    assert_eq!(site.writes(), before);
}

#[tokio::test]
async fn on_a_server_without_contexts_the_contexts_of_a_version_share_an_entry() {
    let site = Site::on(Flavour::WithoutContexts).await;
    let id = site.build(1, false).await;
    site.enter(id, &TO_READY).await;
    site.publish().await.unwrap();
    site.enter(id, &[State::Garbage]).await;
    site.publish().await.unwrap();
    let rows = site.rows();
    assert_eq!((rows[0].uid.as_str(), rows[0].active, rows.len()), ("httpd:2.4:1", false, 1));
}
