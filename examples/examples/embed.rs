//! Embeds the library: one module of two components, built by the in-memory build system, from document to `ready`.
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use mbs_core::ident::{Arch, TagName, Version};
use mbs_core::memory::{
    ManualClock, MemoryBuildSystem, MemoryResolver, MemorySourceControl, MemoryStore, Pace, TaskKind,
};
use mbs_core::modulemd::{Limits, read_submission};
use mbs_core::plan::Standard;
use mbs_core::store::{Builds, Catalogue, Create, WorkerId};
use mbs_core::submission::{
    Computed, Request, Rules, SingleStreams, Step, Universe, assemble, single_streams,
};
use mbs_core::{context::Contexts, engine::Engine, model::State, policy::Policy, resolver::KnownModule};

const DOCUMENT: &str = r#"
document: modulemd
version: 2
data:
  name: app
  stream: "1.0"
  summary: An example
  description: An example.
  license: { module: [MIT] }
  dependencies: [{ buildrequires: { platform: [f40] }, requires: { platform: [f40] } }]
  components:
    rpms:
      libapp: { rationale: The library., repository: "memory:libapp", ref: main }
      app: { rationale: The program., repository: "memory:app", ref: main, buildorder: 1 }
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let policy = Policy { rpms_allow_repository: true, ..Policy::default() };
    let (clock, start) = (Arc::new(ManualClock::new()), "2026-01-01T00:00:00Z".parse()?);
    let store = Arc::new(MemoryStore::new(clock.clone(), start, &policy));
    let tag = TagName::new("f40-build")?;
    let system = MemoryBuildSystem::new();
    system.add_tag(&tag, &[Arch::new("x86_64")?]);
    system.set_pace(TaskKind::Build, Pace::AfterObserves(2));
    system.set_pace(TaskKind::Repo, Pace::AtOnce);
    let sources = MemorySourceControl::new();
    sources.commit("memory:libapp", "main", start, &[("libapp.spec", "Name: libapp")]);
    sources.commit("memory:app", "main", start, &[("app.spec", "Name: app")]);
    let (nsvc, document) = ("platform:f40:1:00000000".parse()?, Arc::default());
    let base = KnownModule { nsvc, tag: Some(tag), document, is_ready: true };

    let (document, _) = read_submission(DOCUMENT, None, &Limits::of_submission())?;
    let [document] = &document.into_streams()[..] else { bail!("the document has one stream") };
    let mut universe = Universe::default();
    let platform = base.nsvc.name_stream();
    universe.learn(std::slice::from_ref(&platform), [(platform.clone(), vec![base.clone()])].into());
    let (default_streams, base_module_names) = (&BTreeMap::new(), &policy.base_module_names[..]);
    let asked = SingleStreams { document, default_streams, base_module_names };
    let Step::Done(expanded) = single_streams(asked, &universe)? else { bail!("all modules are known") };
    let contexts = Contexts::of(&expanded.streams(), &expanded.document.dependencies, &policy);
    let computed = Computed { context: contexts.short(), contexts, version: Version(7), earlier_scratch: 0 };
    let request = Request { owner: "anna".into(), ..Request::default() };
    let new = assemble(*expanded, &request, computed, &Rules::default())?;
    let id = store.create(Create::from(new)).await?.builds.first().context("one build was made")?.id;
    let engine = Engine {
        store: store.clone(),
        build_system: Arc::new(system),
        resolver: Arc::new(MemoryResolver::new([base])?),
        source_control: Arc::new(sources),
        clock: clock.clone(),
        planner: Arc::new(Standard),
        policy: Arc::new(policy),
        worker: WorkerId("example".into()),
        looks_at_once: 1,
    };
    while !matches!(store.load(id).await?.build.state(), State::Ready | State::Failed) {
        engine.round().await?;
        clock.advance(Duration::from_secs(30));
    }
    store.trace(id).await?.iter().for_each(|step| println!("{} {}", step.at, step.to));
    Ok(())
}
