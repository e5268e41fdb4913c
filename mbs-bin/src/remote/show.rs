//! What commands print in common: cells, counts, names of states, and results on standard output.

use std::io::{self, Write as _};

use mbs_client::api::{ModuleBuild, Task};
use serde::Serialize;

use crate::exit::Stop;
use crate::validate::tolerate;

/// What the state of a component is called that has not begun.
pub(super) const UNDEFINED: &str = "undefined";

/// Prints a result. That nobody reads on is no error.
///
/// # Errors
/// `Machine`: it cannot be written.
pub(super) fn print(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    tolerate(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints a value as JSON on a line of its own.
///
/// # Errors
/// As for [`print`].
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Stop> {
    let text = serde_json::to_string(value).expect("texts, numbers and lists can be written as JSON");
    print(&format!("{text}\n"))
}

/// Returns a text from elsewhere as it stands in a line of its own.
pub(super) fn line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Returns how many components are finished, well or badly, and how many there are.
pub(super) fn components(build: &ModuleBuild) -> (usize, usize) {
    let packages = build.packages();
    let built = packages.iter().filter(|(_, task)| task.state_number().is_some_and(|state| state != 0));
    (built.count(), packages.len())
}

/// Returns what a component's state is called.
pub(super) fn state_name(task: &Task) -> String {
    match (task.known_state(), task.state_number()) {
        (Some(state), _) => state.name().to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => UNDEFINED.to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Returns a build as a service shows it, with these components.
    pub(in crate::remote) fn build(packages: &Value) -> ModuleBuild {
        serde_json::from_value(json!({
            "id": 1204, "name": "desktop", "stream": "f26", "version": "20170601141014", "context": "c",
            "state": 2, "state_name": "build", "owner": "anna", "time_submitted": "2017-06-01T17:18:11Z",
            "tasks": {"rpms": packages},
        }))
        .unwrap()
    }

    #[test]
    fn failed_and_cancelled_components_count_as_built() {
        let states = [json!(null), json!(0), json!(1), json!(3), json!(4)];
        let packages: serde_json::Map<String, Value> = states
            .iter()
            .enumerate()
            .map(|(at, state)| (format!("p{at}"), json!({"state": state})))
            .collect();
        assert_eq!(components(&build(&Value::Object(packages))), (3, 5));
        assert_eq!(components(&build(&json!({}))), (0, 0));
    }
}
