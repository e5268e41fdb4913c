//! Embeds the library: one module of two components, built by the in-memory build system, from document to `ready`.
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use mbs_core::ident::{Arch, TagName};
use mbs_core::memory::{
    ManualClock, MemoryBuildSystem, MemoryResolver, MemorySourceControl, MemoryStore, Pace, TaskKind,
};
use mbs_core::store::{Builds, WorkerId};
use mbs_core::{engine::Engine, model::State, plan::Standard, policy::Policy};
use mbs_examples::{base_module, submission};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let policy = Policy { rpms_allow_repository: true, ..Policy::default() };
    let (clock, start) = (Arc::new(ManualClock::new()), "2026-01-01T00:00:00Z".parse()?);
    let store = Arc::new(MemoryStore::new(clock.clone(), start, &policy));
    let system = MemoryBuildSystem::new();
    system.add_tag(&TagName::new("f40-build")?, &[Arch::new("x86_64")?]);
    system.set_pace(TaskKind::Build, Pace::AfterObserves(2));
    system.set_pace(TaskKind::Repo, Pace::AtOnce);
    let sources = MemorySourceControl::new();
    sources.commit("memory:libapp", "main", start, &[("libapp.spec", "Name: libapp")]);
    sources.commit("memory:app", "main", start, &[("app.spec", "Name: app")]);
    let base = base_module("f40-build")?;
    let new = submission(&base, &policy).await?;
    let id = store.create(new.into()).await?.builds.first().context("one build was made")?.id;
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
