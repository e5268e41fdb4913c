//! Does the program that embeds the library still build its module?

use std::process::Command;

use anyhow::Result;
use mbs_tests::built::example;

#[test]
fn the_embedding_example_takes_its_module_to_ready() -> Result<()> {
    let ended = Command::new(example("embed")).output()?;
    let said = String::from_utf8(ended.stdout)?;
    let states: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(
        states,
        ["init", "wait", "build", "done", "ready"],
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    Ok(())
}
