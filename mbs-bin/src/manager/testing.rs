//! What the tests of the commands on a store share: a store in an SQLite file of a temporary folder, and commands that are run
//! against it as they are typed.

use std::sync::Arc;

use clap::Parser as _;
use jiff::Timestamp;
use mbs_core::ident::BuildId;
use mbs_core::model::{ModuleBuild, NewBuild};
use mbs_core::modulemd::ModuleStream;
use mbs_core::plan::Why;
use mbs_core::policy::Policy;
use mbs_core::store::{Import, Signal, Store, WorkerId};
use tempfile::TempDir;

use super::keeper::Keeper;
use super::{Arguments, execute};
use crate::exit::Stop;
use crate::local::testing::module_build;
use crate::logging::Screen;

/// A store, and what commands do to it.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    url: String,
}

impl Bench {
    /// Makes an empty store.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("mbs.db").display());
        let bench = Self { folder, url };
        bench.done(&["upgradedb"]);
        bench
    }

    /// Runs a command as it is typed, without a configuration, and returns what it prints.
    pub(super) fn run(&self, words: &[&str]) -> Result<String, Stop> {
        let mut out = Vec::new();
        execute(&self.arguments(words), &Screen::new(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn arguments(&self, words: &[&str]) -> Arguments {
        let all = [&["mbs-manager", "--database", &self.url, "--config", ""], words].concat();
        Arguments::try_parse_from(all).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a command that ends well.
    pub(super) fn done(&self, words: &[&str]) -> String {
        self.run(words).unwrap_or_else(|stop| panic!("{words:?}: {stop}"))
    }

    /// Does something as a command does, and returns how it ended and what it printed.
    pub(super) fn keep(
        &self,
        what: impl AsyncFnOnce(&mut Keeper<'_>) -> Result<(), Stop>,
    ) -> (Result<(), Stop>, String) {
        let mut out = Vec::new();
        let ended = runtime().block_on(async {
            let mut keeper = Keeper::open(&self.arguments(&["limit"]), &mut out).await?;
            what(&mut keeper).await
        });
        (ended, String::from_utf8(out).unwrap())
    }

    /// Asks the store something.
    pub(super) fn ask<T>(&self, question: impl AsyncFnOnce(&dyn Store) -> T) -> T {
        runtime().block_on(async {
            let opened = mbs_store::open_existing(&self.url, &Policy::default()).await.unwrap();
            question(&*opened.store).await
        })
    }

    /// Returns who gives the commands.
    pub(super) fn by(&self) -> String {
        let mut by = String::new();
        let ended = self.keep(async |keeper| {
            by.clone_from(&keeper.by);
            Ok(())
        });
        ended.0.unwrap();
        by
    }

    /// Records a build as a submission does.
    pub(super) fn submitted(&self, nsvc: &str) -> BuildId {
        let new = new_build(nsvc);
        self.ask(async |store| store.create(new.into()).await.unwrap().builds[0].id)
    }

    /// Takes in a module that was built elsewhere.
    pub(super) fn imported(&self, nsvc: &str) -> BuildId {
        self.ask(async |store| import(store, nsvc).await)
    }

    pub(super) fn loaded(&self, id: BuildId) -> ModuleBuild {
        self.ask(async |store| store.load(id).await.unwrap().build)
    }

    /// Has all builds looked at, so that they are due only when woken.
    pub(super) fn put_to_sleep(&self) {
        self.ask(async |store| {
            for claim in store.claim(&WorkerId("w".into()), 99).await.unwrap() {
                store.release(&claim.lease, None, Why::Finished, Signal::Quiet).await.unwrap();
            }
        });
    }

    /// Returns when a build under way is looked at next.
    pub(super) fn due(&self, id: BuildId) -> Option<Timestamp> {
        let standing = self.ask(async |store| {
            let now = store.now().await.unwrap();
            store.standing(now, 99).await.unwrap()
        });
        standing.iter().find(|one| one.id == id).unwrap().due
    }
}

/// Returns a build with a document that can be kept.
fn new_build(nsvc: &str) -> NewBuild {
    let new = module_build(nsvc).new;
    let document = ModuleStream {
        version: Some(new.nsvc.version.0),
        context: Some(new.nsvc.context.to_string()),
        summary: "A module".to_owned(),
        description: "A module of the tests.".to_owned(),
        module_licenses: ["MIT".to_owned()].into(),
        ..(*new.document).clone()
    };
    NewBuild { document: Arc::new(document), ..new }
}

/// Takes in a module that was built elsewhere.
pub(super) async fn import(store: &dyn Store, nsvc: &str) -> BuildId {
    let nsvc: mbs_core::ident::Nsvc = nsvc.parse().unwrap();
    let import =
        Import { document: new_build(&nsvc.to_string()).document, nsvc, koji_tag: None, by: "root".into() };
    store.import(import).await.unwrap().build.id
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
