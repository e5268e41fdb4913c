//! Is what was built once built again only where it must be, and are failures named so that one can mend them?

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result};
use mbs_tests::observe::{Component, Record, named_log};
use mbs_tests::repository::Repository;
use mbs_tests::{Ran, Workbench, edit, greeter, needed};

const DOCUMENT: &str = "greeter.yaml";

/// Runs of the module on one folder of results, each with its record.
struct Runs {
    bench: Workbench,
    /// The dist tag of each module build.
    dists: BTreeMap<u64, String>,
}

impl Runs {
    fn new() -> Result<Self> {
        Ok(Self { bench: Workbench::new()?, dists: BTreeMap::new() })
    }

    fn run(&mut self, options: &[&str], status: i32) -> Result<(Ran, Record)> {
        let ran = self.bench.build(DOCUMENT, options)?;
        assert_eq!(ran.status, Some(status), "{}", ran.err);
        let record = Record::of(&self.bench.path("results"))?;
        let dist = greeter::dist(record.nsvc(), &greeter::platform_of_machine()?, record.id())?;
        self.dists.insert(record.id(), dist);
        Ok((ran, record))
    }

    /// Runs it to `ready`; the repository is whole, and each RPM has the dist tag of the module build that built it.
    fn ready(&mut self, options: &[&str], built: &[&str]) -> Result<(Ran, Record)> {
        let (ran, record) = self.run(options, 0)?;
        let components = record.components();
        let is_rebuilt = |one: &Component| one.reused_from.is_none();
        let rebuilt: BTreeSet<&str> =
            components.iter().filter(|(_, one)| is_rebuilt(one)).map(|(name, _)| name.as_str()).collect();
        assert_eq!(rebuilt, built.iter().copied().collect());
        let expected = greeter::nevras(|component| self.dist_in_name(&components[component]));
        let repository = Repository::printed(&ran.out)?;
        assert_eq!(repository.nevras()?, expected);
        assert_eq!(repository.document()?.artifacts, expected);
        for rpm in repository.rpms()? {
            let id =
                self.dists.iter().find(|(_, dist)| rpm.release.ends_with(*dist)).context("a dist tag")?.0;
            let is_reused = *id != record.id();
            assert_eq!(rpm.label == record.nsvc(), !is_reused, "{}: {}", rpm.nevra, rpm.label);
        }
        Ok((ran, record))
    }

    /// Returns the dist tag that a component's NVR ends with, which is one of a module build's.
    fn dist_in_name(&self, component: &Component) -> String {
        let nvr = component.nvr.as_deref().unwrap_or_default();
        let found = self.dists.values().find(|dist| nvr.ends_with(*dist));
        found.unwrap_or_else(|| panic!("{nvr} has the dist tag of a known build")).clone()
    }

    fn commit(&self, package: &str) -> Result<String> {
        let repository = self.bench.path("made/repositories").join(package);
        let asked = std::process::Command::new("git")
            .arg("-C")
            .arg(repository)
            .args(["rev-parse", "HEAD"])
            .output()?;
        Ok(String::from_utf8(asked.stdout)?.trim().to_owned())
    }
}

/// Says whether the run told why a component is built.
fn assert_told(ran: &Ran, component: &str, why: &str) {
    let sentence = format!("{component}: will be built, since {why}\n");
    assert!(ran.err.contains(&sentence), "not told: {sentence}{}", ran.err);
}

#[test]
fn a_component_that_does_not_compile_fails_the_module_after_its_batch() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let mut runs = Runs::new()?;
    runs.bench.edit_source("greeter/greeter.c", "int main(", "int main((")?;
    let (ran, failed) = runs.run(&[], 1)?;
    assert_eq!(failed.state(), "failed");
    let components = failed.components();
    assert_eq!(components["greeter"].state.as_deref(), Some("FAILED"));
    assert_eq!(
        components["greeter-shell"].state.as_deref(),
        Some("COMPLETE"),
        "its batch is built to the end"
    );
    assert_eq!(components["greeter-doc"].tries, [0; 0], "nothing after its batch is begun");
    let errors: String = ran
        .err
        .lines()
        .filter_map(|line| line.strip_prefix("ERROR: "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(errors.contains("greeter FAILED: %build failed: greeter.c:"), "{errors}");
    let log = named_log(&errors, "greeter FAILED").context("the log is named")?;
    let text = fs::read_to_string(&log)?;
    assert!(text.contains("greeter.c:") && text.contains("error:"), "{text}");
    assert!(!ran.out.contains(" is ready: "), "{}", ran.out);

    // A new commit mends it; what needed it or comes after it is built, the rest of the failed build is used.
    runs.bench.edit_source("greeter/greeter.c", "int main((", "int main(")?;
    let (ran, _) = runs.ready(&[], &["greeter", "greeter-doc", "module-build-macros"])?;
    let not_built = format!("{} did not build it", failed.nsvc());
    assert_told(&ran, "greeter", &not_built);
    assert_told(&ran, "greeter-doc", &not_built);
    Ok(())
}

#[test]
fn only_what_changed_and_what_comes_after_is_built_again() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let all: Vec<&str> = greeter::BATCHES.concat().into_iter().chain(["module-build-macros"]).collect();
    let mut runs = Runs::new()?;
    let (ran, _) = runs.ready(&[], &all)?;
    for component in greeter::BATCHES.concat() {
        assert_told(&ran, component, "there is no earlier build to reuse from");
    }

    let (ran, _) = runs.ready(&[], &[])?;
    assert!(!ran.err.contains("built, since") && !ran.err.contains(": building"), "{}", ran.err);

    let before = runs.commit("libgreeter")?;
    runs.bench.edit_source(
        "libgreeter/greeter.c",
        "#include <string.h>",
        "#include <string.h>\n#include <stdio.h>",
    )?;
    let (ran, _) =
        runs.ready(&[], &["libgreeter", "greeter", "greeter-shell", "greeter-doc", "module-build-macros"])?;
    let changed = format!("its commit changed from {before} to {}", runs.commit("libgreeter")?);
    assert_told(&ran, "libgreeter", &changed);
    for component in ["greeter", "greeter-shell", "greeter-doc"] {
        assert_told(&ran, component, "something it may depend on changed: libgreeter");
    }

    let (ran, _) = runs.ready(&["--fresh"], &all)?;
    for component in greeter::BATCHES.concat() {
        assert_told(&ran, component, "the rebuild strategy is \"all\"");
    }
    Ok(())
}

/// The module fails, and the message about the component names what it lacks.
fn assert_lacks(bench: &Workbench, component: &str, lacking: &str) -> Result<()> {
    let ran = bench.build::<&str>(DOCUMENT, &[])?;
    assert_eq!(ran.status, Some(1), "{}", ran.err);
    let line = ran.err.lines().find(|line| line.starts_with(&format!("ERROR: {component} FAILED: ")));
    let line = line.with_context(|| format!("{component} is named:\n{}", ran.err))?;
    assert!(line.contains(lacking), "{lacking} is named: {line}");
    Ok(())
}

#[test]
fn a_component_without_the_library_of_an_earlier_batch_names_what_it_lacks() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    // In the same batch as what needs it, the library comes too late.
    let bench = Workbench::new()?;
    edit(&bench.document(DOCUMENT), "buildorder: 20", "buildorder: 30")?;
    assert_lacks(&bench, "greeter", "libgreeter-devel")
}

#[test]
fn a_component_whose_needs_are_no_part_of_the_module_names_what_it_lacks() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let bench = Workbench::new()?;
    let text = fs::read_to_string(bench.document(DOCUMENT))?;
    let begin = text.find("      greeter-phrasegen:\n").context("the document has the generator")?;
    let end = begin + text[begin..].find("      greeter-phrases:\n").context("and the phrases after it")?;
    edit(&bench.document(DOCUMENT), &text[begin..end], "")?;
    assert_lacks(&bench, "libgreeter", "greeter-phrasegen")
}
