//! Does `mbs-build local` build the example modules, and is what it leaves what their documents promise?

use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::ARCH;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use mbs_tests::observe::{Record, processes_of};
use mbs_tests::repository::{Repository, Rpm};
use mbs_tests::{Workbench, greeter, needed};
use serde_json::Value;

/// A finished build of the module `greeter`.
struct Built {
    bench: Workbench,
    record: Record,
    repository: Repository,
    rpms: Vec<Rpm>,
    out: String,
}

impl Built {
    fn make() -> Result<Self> {
        let bench = Workbench::new()?;
        let ran = bench.build::<&str>("greeter.yaml", &[])?;
        ensure!(ran.status == Some(0), "{}", ran.err);
        let repository = Repository::printed(&ran.out)?;
        let record = Record::of(&bench.path("results"))?;
        Ok(Self { record, rpms: repository.rpms()?, repository, out: ran.out, bench })
    }

    fn rpm(&self, name: &str) -> Result<&Rpm> {
        let binary = self.rpms.iter().find(|rpm| rpm.name == name && rpm.arch != "src");
        binary.with_context(|| format!("{name} is in the repository"))
    }

    fn dist(&self) -> Result<String> {
        greeter::dist(self.record.nsvc(), &greeter::platform_of_machine()?, self.record.id())
    }
}

#[test]
fn greeter_ends_ready_with_what_its_document_promises() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let built = Built::make()?;
    assert_eq!(built.record.state(), "ready");
    assert!(built.record.nsvc().starts_with("greeter:1.0:"), "{}", built.record.nsvc());
    check_repository(&built)?;
    check_labels(&built)?;
    check_document(&built)?;
    check_content(&built)?;
    check_table(&built)?;
    assert_eq!(processes_of(&built.bench.path(""))?, [""; 0]);
    check_module_on_top(&built)
}

/// The RPMs that are there, those that the metadata list, and the artifacts are the same ones.
fn check_repository(built: &Built) -> Result<()> {
    let dist = built.dist()?;
    let expected = greeter::nevras(|_| dist.clone());
    let present: BTreeSet<String> = built.rpms.iter().map(|rpm| rpm.nevra.clone()).collect();
    assert_eq!(present, expected);
    assert_eq!(built.repository.listed()?, expected);
    assert_eq!(built.repository.document()?.artifacts, expected);
    for filtered in ["libgreeter-tests", "greeter-phrasegen", "module-build-macros"] {
        assert!(!built.rpms.iter().any(|rpm| rpm.name == filtered), "{filtered} is no part of the module");
    }
    Ok(())
}

fn check_labels(built: &Built) -> Result<()> {
    let release = format!("1.{}", built.dist()?);
    for rpm in &built.rpms {
        assert_eq!(
            (rpm.label.as_str(), rpm.release.as_str()),
            (built.record.nsvc(), release.as_str()),
            "{}",
            rpm.nevra
        );
    }
    Ok(())
}

fn check_document(built: &Built) -> Result<()> {
    let file = built.bench.path("modules.yaml");
    fs::write(&file, built.repository.modules_yaml()?)?;
    let judged = Command::new("modulemd-validator").arg(&file).output()?;
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));

    let document = built.repository.document()?;
    let part = |place: usize| built.record.nsvc().split(':').nth(place).unwrap_or_default().to_owned();
    assert_eq!(document.name.as_deref(), Some("greeter"));
    assert_eq!(document.stream.as_deref(), Some("1.0"));
    assert_eq!(document.version.map(|version| version.to_string()), Some(part(2)));
    assert_eq!(document.context, Some(part(3)));
    assert_eq!(document.arch.as_deref(), Some(ARCH));
    assert_eq!(document.content_licenses, BTreeSet::from(["MIT".to_owned()]));
    let licences: BTreeSet<String> = built.rpms.iter().map(|rpm| rpm.licence.clone()).collect();
    assert_eq!(document.content_licenses, licences);
    let platform = BTreeSet::from([greeter::platform_of_machine()?]);
    assert_eq!(document.dependencies[0].requires["platform"], platform);
    assert_eq!(document.dependencies[0].buildrequires["platform"], platform);

    let both: BTreeSet<String> = ["aarch64", "x86_64"].map(str::to_owned).into();
    let ours = BTreeSet::from([ARCH.to_owned()]);
    for (name, component) in &document.rpms {
        let is_compiled = ["greeter", "greeter-phrasegen", "libgreeter"].contains(&name.as_str());
        assert_eq!(*component.arches, if is_compiled { both.clone() } else { ours.clone() }, "{name}");
    }
    Ok(())
}

/// The RPMs were built with one another and with the document's macro.
fn check_content(built: &Built) -> Result<()> {
    let bits = if cfg!(target_pointer_width = "64") { "()(64bit)" } else { "" };
    let library = format!("libgreeter.so.1{bits}");
    assert!(built.rpm("greeter")?.requires.contains(&library), "greeter is linked to {library}");
    assert!(built.rpm("libgreeter")?.provides.contains(&library), "libgreeter provides {library}");

    let texts = Repository::texts_in(built.rpm("greeter-doc")?)?;
    let guide = &texts["/usr/share/greeter/guide.txt"];
    assert!(guide.contains("    Good morning, modular world!\n"), "{guide}");
    assert!(guide.ends_with("Built in the module greeter:1.0.\n"), "{guide}");
    Ok(())
}

/// Columns two blanks apart, as wide as their longest cell or their header and two more.
fn check_table(built: &Built) -> Result<()> {
    let lines: Vec<&str> = built.out.lines().collect();
    let (table, rest) = lines.split_at(lines.len() - 1);
    assert_eq!(rest[0], format!("{} is ready: {}", built.record.nsvc(), built.repository.folder().display()));
    let dashes: Vec<&str> = table[1].split("  ").collect();
    assert!(dashes.iter().all(|dashes| dashes.chars().all(|c| c == '-')), "{}", table[1]);
    let widths: Vec<usize> = dashes.iter().map(|dashes| dashes.len()).collect();
    let mut rows = vec![["NVR", "State", "Koji Task"].map(str::to_owned)];
    for component in built.record.in_order() {
        let log = built
            .bench
            .path("results")
            .join("work")
            .join("tasks")
            .join(component.task.context("a task")?.to_string());
        let log = log.join("build.log");
        assert!(log.is_file(), "{}", log.display());
        let nvr = component.nvr.clone().context("all are built")?;
        rows.push([nvr, "COMPLETE".to_owned(), log.display().to_string()]);
    }
    let longest = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap_or_default();
    let least = |at: usize| rows[0][at].len() + 2;
    assert_eq!(widths, [0, 1, 2].map(|at| longest(at).max(least(at))));
    let shown = rows.iter().map(|row| {
        let line = format!("{:3$}  {:4$}  {:5$}", row[0], row[1], row[2], widths[0], widths[1], widths[2]);
        line.trim_end().to_owned()
    });
    let expected: Vec<String> = shown.collect();
    let without_dashes: Vec<&str> = [&table[..1], &table[2..]].concat();
    assert_eq!(without_dashes, expected);
    Ok(())
}

/// The module `greeter-extras` is refused without the local result, and built with it.
fn check_module_on_top(built: &Built) -> Result<()> {
    let refused = built.bench.build::<&str>("greeter-extras.yaml", &[])?;
    assert_eq!(refused.status, Some(2), "{}", refused.err);
    assert!(refused.err.contains("Cannot find any module builds for greeter:1.0"), "{}", refused.err);
    assert!(refused.err.contains("say -l greeter:1.0 to use that"), "{}", refused.err);
    assert_eq!(Record::of(&built.bench.path("results"))?.id(), built.record.id(), "nothing was recorded");

    let ran = built.bench.build("greeter-extras.yaml", &["--add-local-build", "greeter:1.0"])?;
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let repository = Repository::printed(&ran.out)?;
    let record = Record::of(&built.bench.path("results"))?;
    assert!(record.nsvc().starts_with("greeter-extras:1.10:"), "{}", record.nsvc());
    let names: BTreeSet<String> = repository.rpms()?.into_iter().map(|rpm| rpm.name).collect();
    assert_eq!(names, ["greeter-fortune", "greeter-motd"].map(str::to_owned).into());
    let dependencies = &repository.document()?.dependencies[0];
    assert_eq!(dependencies.buildrequires["greeter"], BTreeSet::from(["1.0".to_owned()]));
    let rpms = repository.rpms()?;
    let motd =
        rpms.iter().find(|rpm| rpm.name == "greeter-motd" && rpm.arch == "noarch").context("greeter-motd")?;
    let texts = Repository::texts_in(motd)?;
    assert_eq!(texts.len(), 7);
    assert!(texts.values().any(|text| text == "Good morning\n"), "{texts:?}");
    Ok(())
}

#[test]
fn a_graph_of_components_gives_the_same_packages_and_json_tells_the_way() -> Result<()> {
    if !needed::can_build() {
        return Ok(());
    }
    let bench = Workbench::new()?;
    let ran = bench.build("greeter-graph.yaml", &["--json", "--platform", "platform:f40"])?;
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let events: Vec<Value> = ran.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let record = Record::of(&bench.path("results"))?;
    check_states(&events);
    check_components(&events);

    let result = events.last().context("there is a result")?;
    assert_eq!((&result["event"], &result["status"]), (&"result".into(), &0.into()));
    let build = &result["builds"][0];
    assert_eq!((&build["nsvc"], &build["state"]), (&record.nsvc().into(), &"ready".into()));
    let repository = build["repository"].as_str().context("a finished build has a repository")?;
    let repository = Repository::printed(&format!("x is ready: {repository}"))?;
    let dist = greeter::dist(record.nsvc(), "f40", record.id())?;
    assert_eq!(repository.nevras()?, greeter::nevras(|_| dist.clone()));
    for component in build["components"].as_array().context("with components")? {
        let log = component["log"].as_str().context("each has a log")?;
        assert!(fs::metadata(log)?.len() > 0, "{log}");
    }
    Ok(())
}

fn check_states(events: &[Value]) {
    let states: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "state").map(|event| &event["state"]).collect();
    assert_eq!(states, ["init", "wait", "build", "done", "ready"]);
    let results = events.iter().filter(|event| event["event"] == "result").count();
    assert_eq!(results, 1);
}

/// Each component was told to be built, after those that it waits for in the graph.
fn check_components(events: &[Value]) {
    let mut complete: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        if let (Some(component), "COMPLETE") =
            (event["component"].as_str(), event["state"].as_str().unwrap_or_default())
        {
            assert!(complete.insert(component, at).is_none(), "{component} is told once");
            assert!(event["nvr"].as_str().is_some_and(|nvr| nvr.starts_with(component)), "{event}");
        }
    }
    assert_eq!(complete.len(), 8);
    for (before, after) in [
        ("module-build-macros", "greeter-rpm-macros"),
        ("greeter-rpm-macros", "greeter-phrasegen"),
        ("greeter-phrases", "greeter-shell"),
        ("libgreeter", "greeter"),
        ("greeter", "greeter-doc"),
    ] {
        assert!(complete[before] < complete[after], "{before} before {after}");
    }
}
