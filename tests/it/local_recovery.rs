//! Does a build that is interrupted at any moment leave nothing behind, and does the same command go on from there?

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mbs_tests::held::{HangingProgram, release, waiting_builds};
use mbs_tests::observe::{Component, Record, tasks, until_nothing_lives};
use mbs_tests::repository::Repository;
use mbs_tests::running::{LOG, Running};
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

    /// Runs the command until all these components are being built and wait, and kills it then; what else waits goes on.
    fn kill_once_waiting(&self, components: &[&str]) -> Result<()> {
        // As many at the same time as wait, on a machine with one processor, too.
        let jobs = components.len().to_string();
        let mut run = Running::of(&self.bench, self.bench.local(DOCUMENT).args(["--jobs", &jobs]))?;
        run.watch(&format!("{components:?} wait"), || {
            let (awaited, others): (BTreeMap<_, _>, BTreeMap<_, _>) = waiting_builds(&self.results)?
                .into_iter()
                .partition(|(package, _)| components.contains(&package.as_str()));
            others.values().for_each(|pipe| drop(release(pipe)));
            let are_recorded = are_building(&self.results, components)?;
            Ok((awaited.len() == components.len() && are_recorded).then_some(()))
        })?;
        run.kill()
    }

    /// Kills the command while module-build-macros is being built, whose spec nobody can make wait.
    fn kill_in_the_first_batch(&self) -> Result<()> {
        let hanging = HangingProgram::new("unshare", "work/tasks/")?;
        let mut command = self.bench.local(DOCUMENT);
        let mut run = Running::of(&self.bench, command.env("PATH", hanging.path()?))?;
        run.watch("the build of module-build-macros hangs", || {
            let is_recorded = are_building(&self.results, &["module-build-macros"])?;
            Ok((hanging.is_called() && is_recorded).then_some(()))
        })?;
        run.kill()
    }

    /// Runs the command to its end; what waits goes on.
    fn run_to_end(&self, document: &str) -> Result<Record> {
        let run = Running::start(&self.bench, document)?;
        let status = run.end(|| {
            waiting_builds(&self.results)?.values().for_each(|pipe| drop(release(pipe)));
            Ok(())
        })?;
        assert!(status.success(), "{status}: {}", fs::read_to_string(self.bench.path(LOG))?);
        Record::of(&self.results)
    }

    /// Runs the command to its end; the result is that of a build that nobody interrupted.
    fn finish(&self, document: &str, nsvc: &str) -> Result<()> {
        let record = self.run_to_end(document)?;
        assert_eq!((record.nsvc(), record.state()), (nsvc, "ready"));
        self.check(&record)?;
        self.check_outcome(&record)
    }

    /// The build that ended is that of a build that nobody interrupted.
    fn check_outcome(&self, record: &Record) -> Result<()> {
        let nsvc = record.nsvc();
        let repository = Repository::of_build(&self.results, nsvc)?;
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

/// Says whether the record has a running task for each of these components.
fn are_building(results: &Path, components: &[&str]) -> Result<bool> {
    let Some(record) = Record::read(results)? else { return Ok(false) };
    let recorded = record.components();
    let is_building = |one: &Component| one.state.as_deref() == Some("BUILDING") && !one.tries.is_empty();
    Ok(components.iter().all(|name| recorded.get(*name).is_some_and(is_building)))
}

#[test]
fn a_build_killed_in_every_batch_goes_on_where_it_was() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let mut build = Interrupted::new()?;
    build.bench.hold(&greeter::BATCHES.concat())?;
    build.kill_in_the_first_batch()?;
    let first = build.note_complete()?;
    assert_eq!(first.components_in("COMPLETE"), BTreeSet::new());
    let mut complete = BTreeSet::from(["module-build-macros".to_owned()]);
    for batch in greeter::BATCHES {
        build.kill_once_waiting(batch)?;
        // These builds would wait for ever: whatever of them outlives the program stays, and is seen.
        let record = build.note_complete()?;
        assert_eq!((record.nsvc(), record.state()), (first.nsvc(), "build"), "it is the same build");
        assert_eq!(record.components_in("COMPLETE"), complete);
        let batch: BTreeSet<String> = batch.iter().copied().map(str::to_owned).collect();
        assert_eq!(record.components_in("BUILDING"), batch);
        complete.extend(batch);
    }
    build.finish(DOCUMENT, first.nsvc())
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
            return build.check_outcome(&record);
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
    let hanging = HangingProgram::new("modifyrepo_c", "--mdtype=modules")?;
    let mut command = build.bench.local(DOCUMENT);
    let mut run = Running::of(&build.bench, command.env("PATH", hanging.path()?))?;
    run.watch("the document is put into the repository", || Ok(hanging.is_called().then_some(())))?;
    run.kill()?;
    drop(hanging);
    let record = build.note_complete()?;
    assert_ne!(record.state(), "ready");
    assert_eq!(record.components_in("COMPLETE").len(), 8);
    assert_eq!(half_made(&build.results)?.len(), 1);
    build.finish(DOCUMENT, record.nsvc())?;
    assert!(half_made(&build.results)?.is_empty(), "nothing half-made is left");
    Ok(())
}

/// Returns the repositories of modules that are not whole.
fn half_made(results: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(results)? {
        let repository = entry?.path().join("results.new");
        found.extend(repository.is_dir().then_some(repository));
    }
    Ok(found)
}

#[test]
fn ctrl_c_cancels_the_build_and_the_next_one_reuses_what_is_complete() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let mut build = Interrupted::new()?;
    build.bench.hold(&["libgreeter"])?;
    let mut run = Running::start(&build.bench, DOCUMENT)?;
    run.watch("libgreeter waits", || {
        let waits = waiting_builds(&build.results)?.contains_key("libgreeter");
        Ok((waits && are_building(&build.results, &["libgreeter"])?).then_some(()))
    })?;
    run.interrupt()?;
    let status = run.end(|| Ok(()))?;
    assert_eq!(status.code(), Some(1), "{status}");
    let cancelled = build.note_complete()?;
    assert_eq!(cancelled.state(), "failed");
    assert!(cancelled.reason().starts_with("Canceled by "), "{}", cancelled.reason());
    let said = fs::read_to_string(build.bench.path(LOG))?;
    assert!(said.contains(cancelled.reason()), "{said}");
    let unsuccessful: Vec<String> = cancelled.components_in("FAILED").into_iter().collect();
    assert_eq!(unsuccessful, ["greeter", "greeter-doc", "greeter-shell", "libgreeter"]);
    assert!(!tasks(&build.results)?.values().any(|(_, has_ended)| !has_ended), "every task is seen ended");

    let record = build.run_to_end(DOCUMENT)?;
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
