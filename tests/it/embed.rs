//! Do the programs that embed the library still build their module?

use std::process::Command;

use anyhow::{Result, ensure};
use mbs_tests::built::example;

/// Runs an example, which must succeed, and returns the lines it printed.
fn run(name: &str) -> Result<Vec<String>> {
    let ended = Command::new(example(name)).output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8(ended.stdout)?.lines().map(str::to_owned).collect())
}

fn states(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.split_whitespace().nth(1)).collect()
}

#[test]
fn the_embedding_example_takes_its_module_to_ready() -> Result<()> {
    assert_eq!(states(&run("embed")?), ["init", "wait", "build", "done", "ready"]);
    Ok(())
}

#[test]
fn the_build_system_of_the_farm_keeps_its_contract_and_builds_the_module() -> Result<()> {
    let lines = run("custom_build_system")?;
    let (kept, trace) = lines.split_at(lines.len() - 5);
    assert!(kept[0].ends_with(" promises kept"), "{kept:?}");
    assert_eq!(states(trace), ["init", "wait", "build", "done", "ready"]);
    Ok(())
}
