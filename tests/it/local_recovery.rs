//! Does a build that is interrupted at any moment leave nothing behind, and does the same command go on from there?

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mbs_tests::observe::{Component, Record, Running, tasks, until_nothing_lives};
use mbs_tests::repository::Repository;
use mbs_tests::{Workbench, greeter, needed};

const DOCUMENT: &str = "greeter.yaml";

/// A build that is interrupted again and again.
struct Interrupted {
    bench: Workbench,
    results: PathBuf,
    /// What was seen complete, with its tasks.
    complete: BTreeMap<String, (Component, Vec<u64>)>,
}

impl Interrupted {
    fn new() -> Result<Self> {
        let bench = Workbench::new()?;
        Ok(Self { results: bench.path("results"), bench, complete: BTreeMap::new() })
    }

    /// Notes what is complete after everything of the run is gone.
    fn note_complete(&mut self) -> Result<Record> {
        until_nothing_lives(&self.bench.path(""))?;
        let record = Record::of(&self.results)?;
        self.check(&record)?;
        let tasks = tasks_by_package(&self.results)?;
        for (name, component) in record.components() {
            if component.state.as_deref() == Some("COMPLETE") {
                let tasks = tasks.get(&name).cloned().unwrap_or_default();
                self.complete.insert(name, (component, tasks));
            }
        }
        Ok(record)
    }

    /// What was complete is as it was, and nobody tried it again.
    fn check(&self, record: &Record) -> Result<()> {
        let (now, tasks) = (record.components(), tasks_by_package(&self.results)?);
        for (name, (before, their_tasks)) in &self.complete {
            assert_eq!(
                (&now[name].nvr, now[name].task, &now[name].tries),
                (&before.nvr, before.task, &before.tries)
            );
            assert_eq!(&tasks[name], their_tasks, "{name} was complete and is not built again");
        }
        Ok(())
    }

    /// Runs the command to its end; the result is that of a build that nobody interrupted.
    fn finish(&self, document: &str, nsvc: &str) -> Result<()> {
        let ran = self.bench.build::<&str>(document, &[])?;
        assert_eq!(ran.status, Some(0), "{}", ran.err);
        let record = Record::of(&self.results)?;
        assert_eq!((record.nsvc(), record.state()), (nsvc, "ready"));
        self.check(&record)?;
        self.check_outcome(&record, &Repository::printed(&ran.out)?)
    }

    /// The build that ended is that of a build that nobody interrupted.
    fn check_outcome(&self, record: &Record, repository: &Repository) -> Result<()> {
        let nsvc = record.nsvc();
        let dist = greeter::dist(nsvc, &greeter::platform_of_machine()?, record.id())?;
        let expected = greeter::nevras(|_| dist.clone());
        assert_eq!(repository.nevras()?, expected);
        assert_eq!(repository.listed()?, expected);
        assert_eq!(repository.document()?.artifacts, expected);
        until_nothing_lives(&self.bench.path(""))
    }
}

fn tasks_by_package(results: &Path) -> Result<BTreeMap<String, Vec<u64>>> {
    let mut by_package: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (task, (package, _)) in tasks(results)? {
        by_package.entry(package).or_default().push(task);
    }
    Ok(by_package)
}

/// Returns the record once a component of a batch is being built.
fn in_batch(results: &Path, batch: u64) -> Result<Option<Record>> {
    let is_building = |one: &Component| {
        one.batch == batch && one.state.as_deref() == Some("BUILDING") && !one.tries.is_empty()
    };
    Ok(Record::read(results)?.filter(|record| record.components().values().any(is_building)))
}

#[test]
fn a_build_killed_in_every_batch_goes_on_where_it_was() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let mut build = Interrupted::new()?;
    let mut nsvc = None;
    for batch in 1..=6 {
        let mut run = Running::start(&build.bench, DOCUMENT)?;
        run.watch(&format!("a component of batch {batch} is being built"), || {
            in_batch(&build.results, batch)
        })?;
        run.kill()?;
        let record = build.note_complete()?;
        assert_eq!(record.state(), "build");
        let of_build = nsvc.get_or_insert_with(|| record.nsvc().to_owned());
        assert_eq!(of_build, record.nsvc(), "it is the same build");
        let components = record.components();
        let earlier = components.values().filter(|one| one.batch < batch);
        assert!(
            earlier.into_iter().all(|one| one.state.as_deref() == Some("COMPLETE")),
            "batch {batch}: {components:?}"
        );
    }
    build.finish(DOCUMENT, &nsvc.context("it was begun")?)
}

#[test]
fn a_build_killed_after_ever_more_changes_of_its_record_ends_like_any_other() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let mut build = Interrupted::new()?;
    let mut nsvc = None;
    for changes in 1.. {
        let before = Record::read(&build.results)?.map_or(0, |record| record.changes());
        let mut run = Running::start(&build.bench, "greeter-graph.yaml")?;
        run.watch(&format!("{changes} changes of the record"), || {
            let record = Record::read(&build.results)?;
            Ok(record.filter(|record| record.changes() >= before + changes || is_near_its_end(record)))
        })?;
        run.kill()?;
        let record = build.note_complete()?;
        let of_build = nsvc.get_or_insert_with(|| record.nsvc().to_owned());
        assert_eq!(of_build, record.nsvc(), "it is the same build");
        if record.state() == "ready" {
            // The kill came too late: the same command would begin another build.
            return build.check_outcome(&record, &Repository::of_build(&build.results, record.nsvc())?);
        }
        if is_near_its_end(&record) {
            break;
        }
    }
    build.finish("greeter-graph.yaml", &nsvc.context("it was begun")?)
}

/// Says whether what all others come before is complete.
fn is_near_its_end(record: &Record) -> bool {
    record.components_in("COMPLETE").contains("greeter")
}

#[test]
fn a_build_killed_while_its_repository_is_made_makes_it_again() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let mut build = Interrupted::new()?;
    let mut run = Running::start(&build.bench, DOCUMENT)?;
    let half_made = run.watch("the module's repository is being made", || {
        let Some(record) = Record::read(&build.results)? else { return Ok(None) };
        let version = record.nsvc().split(':').nth(2).unwrap_or_default().to_owned();
        let half_made = build.results.join(format!("module-greeter-1.0-{version}/results.new"));
        Ok(half_made.is_dir().then_some(half_made))
    })?;
    run.kill()?;
    let record = build.note_complete()?;
    assert_ne!(record.state(), "ready");
    assert_eq!(record.components_in("COMPLETE").len(), 8);
    build.finish(DOCUMENT, record.nsvc())?;
    assert!(!half_made.exists(), "nothing half-made is left");
    Ok(())
}

#[test]
fn ctrl_c_cancels_the_build_and_the_next_one_reuses_what_is_complete() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let mut build = Interrupted::new()?;
    let mut run = Running::start(&build.bench, DOCUMENT)?;
    run.watch("a component of batch 4 is being built", || in_batch(&build.results, 4))?;
    run.interrupt()?;
    let status = run.end()?;
    assert_eq!(status.code(), Some(1), "{status}");
    let cancelled = build.note_complete()?;
    assert_eq!(cancelled.state(), "failed");
    assert!(cancelled.reason().starts_with("Canceled by "), "{}", cancelled.reason());
    let said = fs::read_to_string(build.bench.path("start.log"))?;
    assert!(said.contains(cancelled.reason()), "{said}");
    let unsuccessful: Vec<String> = cancelled.components_in("FAILED").into_iter().collect();
    assert_eq!(unsuccessful, ["greeter", "greeter-doc", "greeter-shell", "libgreeter"]);
    assert!(!tasks(&build.results)?.values().any(|(_, has_ended)| !has_ended), "every task is seen ended");

    let ran = build.bench.build::<&str>(DOCUMENT, &[])?;
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let record = Record::of(&build.results)?;
    assert_ne!(record.nsvc(), cancelled.nsvc());
    let components = record.components();
    for (name, (before, _)) in build.complete.iter().filter(|(name, _)| *name != "module-build-macros") {
        assert_eq!(
            (components[name].reused_from, components[name].task),
            (Some(cancelled.id()), before.task)
        );
    }
    let reused = components.values().filter(|one| one.reused_from.is_some()).count();
    assert_eq!(reused, build.complete.len() - 1, "module-build-macros is built anew, all else is reused");
    Ok(())
}
