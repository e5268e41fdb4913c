//! What a run came to: the table of components, where the repository is, and what failed and why.
//!
//! Results go to standard output, reasons of failures are errors in the log.

use std::fmt::Write as _;

use mbs_core::model::{BuildState, ComponentBuild, ModuleBuild};
use tracing::error;

use super::display::with_log;
use super::machine::Places;
use crate::exit::Exit;
use crate::table::Table;

/// What the table calls a component of which no build was begun.
const NOT_STARTED: &str = "NOT STARTED";

/// What to do about a failure of the machine.
const TRY_AGAIN: &str =
    "The machine is at fault, not the module: once that is mended, the same command reuses what is complete.";

/// Returns the table of components, under the headers of `mbs-build info`, with logs where that has addresses of tasks.
///
/// Differs: a component that came to no NVR is named by its package, where `info` leaves a blank; one that only ended with the
/// module, before any try at it, is not called failed.
pub fn table(builds: &[ModuleBuild], places: &dyn Places) -> Table {
    let mut table = Table::new(["NVR", "State", "Koji Task"]);
    let rows = builds.iter().flat_map(|build| build.components.iter().map(move |one| (build, one)));
    for (build, component) in rows {
        table.push([
            Some(component.nvr.as_ref().map_or_else(|| component.package.to_string(), ToString::to_string)),
            Some(shown_state(component, build).to_owned()),
            component.task.map(|task| places.log_of(task).display().to_string()),
        ]);
    }
    table
}

fn shown_state(component: &ComponentBuild, build: &ModuleBuild) -> &'static str {
    match component.state {
        Some(_)
            if component.is_unsuccessful()
                && ended_with(component, build)
                && component.attempts.is_empty() =>
        {
            NOT_STARTED
        }
        Some(state) => state.name(),
        None => "undefined",
    }
}

/// Says whether a component that failed has no reason of its own: the end of the module was its end.
fn ended_with(component: &ComponentBuild, build: &ModuleBuild) -> bool {
    component.task.is_none() && component.reason.as_deref() == build.life.reason()
}

/// Returns the text for standard output: the table, and the repository of each module that was built.
pub fn results(builds: &[ModuleBuild], places: &dyn Places) -> String {
    let mut text = table(builds, places).to_string();
    for build in builds.iter().filter(|build| Exit::of_build(build) == Exit::Done) {
        let repository = places.repository_of(build);
        writeln!(text, "{} is {}: {}", build.nsvc(), build.state(), repository.display())
            .expect("writing to a string cannot fail");
    }
    text
}

/// Logs what failed.
pub fn log_failures(builds: &[ModuleBuild], places: &dyn Places) {
    for line in failures(builds, places).lines() {
        error!("{line}");
    }
}

/// Returns why builds failed, and which components did, one a line.
fn failures(builds: &[ModuleBuild], places: &dyn Places) -> String {
    let mut lines = Vec::new();
    for build in builds.iter().filter(|build| Exit::of_build(build) != Exit::Done) {
        let reason = build.life.reason().unwrap_or("no reason is known");
        lines.push(format!("{} {}: {reason}", build.nsvc(), build.state()));
        let unsuccessful = build.components.iter().filter(|component| component.is_unsuccessful());
        lines.extend(
            unsuccessful.filter(|one| !ended_with(one, build)).map(|component| failure(component, places)),
        );
        if Exit::of_build(build) == Exit::Machine {
            lines.push(TRY_AGAIN.to_owned());
        }
    }
    lines.join("\n")
}

fn failure(component: &ComponentBuild, places: &dyn Places) -> String {
    let state = component.state.map_or("", BuildState::name);
    let reason = component.reason.as_deref().unwrap_or("no reason is known");
    format!("{} {state}: {}", component.package, with_log(reason, component.task, places))
}

#[cfg(test)]
mod tests {
    use mbs_core::ident::TaskId;
    use mbs_core::model::{Attempt, Failure, State};

    use super::super::testing::{Folder, component, module_build};
    use super::*;

    fn failed_build(failure: Failure) -> ModuleBuild {
        let mut build = module_build("app:1:2:c");
        let now = "2024-01-02T03:04:05Z".parse().unwrap();
        build.components = vec![
            ComponentBuild {
                state: Some(BuildState::Complete),
                nvr: "liba-1-1".parse().ok(),
                task: Some(TaskId(7)),
                ..component("liba")
            }
            .into(),
            ComponentBuild {
                state: Some(BuildState::Failed),
                reason: Some("%check failed".into()),
                task: Some(TaskId(8)),
                ..component("libb")
            }
            .into(),
            component("libc").into(),
            ComponentBuild {
                state: Some(BuildState::Failed),
                reason: Some("Component(s) libb failed to build.".into()),
                ..component("libd")
            }
            .into(),
        ];
        build.life.fail("Component(s) libb failed to build.".into(), failure, now).unwrap();
        build
    }

    #[test]
    fn each_component_has_a_row_with_its_name_and_log() {
        let expected = "
NVR       State        Koji Task
--------  -----------  -----------
liba-1-1  COMPLETE     /logs/7
libb      FAILED       /logs/8
libc      undefined
libd      NOT STARTED
";
        assert_eq!(table(&[failed_build(Failure::User)], &Folder).to_string(), expected[1..]);
    }

    #[test]
    fn what_failed_for_a_reason_of_its_own_or_was_tried_is_called_failed() {
        let mut build = failed_build(Failure::User);
        build.components[3].reason = Some("its branch is gone".into());
        assert!(table(&[build], &Folder).to_string().contains("libd      FAILED"));
        let mut build = failed_build(Failure::User);
        let at = "2024-01-02T03:04:05Z".parse().unwrap();
        let attempt = Attempt { number: 1, intended_at: at, not_after: at, task: None, end: None };
        build.components[3].attempts.push(attempt);
        assert!(table(&[build], &Folder).to_string().contains("libd      FAILED"));
    }

    #[test]
    fn a_failure_names_the_components_and_their_logs() {
        let expected = "app:1:2:c failed: Component(s) libb failed to build.
libb FAILED: %check failed (see /logs/8)";
        assert_eq!(failures(&[failed_build(Failure::User)], &Folder), expected);
        assert!(!results(&[failed_build(Failure::User)], &Folder).contains("/results/"));
    }

    #[test]
    fn a_failure_of_the_machine_says_that_trying_again_is_worth_it() {
        assert!(failures(&[failed_build(Failure::Infra)], &Folder).contains("the same command"));
        assert!(!failures(&[failed_build(Failure::User)], &Folder).contains("the same command"));
    }

    #[test]
    fn a_built_module_has_a_repository() {
        let mut build = module_build("app:1:2:c");
        let now = "2024-01-02T03:04:05Z".parse().unwrap();
        for state in [State::Wait, State::Build, State::Done, State::Ready] {
            build.enter(state, None, now).unwrap();
        }
        assert!(results(&[build.clone()], &Folder).ends_with("\napp:1:2:c is ready: /results/app:1:2:c\n"));
        assert_eq!(failures(&[build], &Folder), "");
    }
}
