//! Why tasks failed, in one or two sentences, and whose fault it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mbs_core::build_system::{BuildSystemError, TaskFailure, TaskState};
use mbs_core::ident::TaskId;

use crate::api::task::{self, Task};
use crate::build_system::calls::{Answers, Calls, Ticket};
use crate::build_system::refusal::words;
use crate::xmlrpc::{Fault, FaultCode};

/// Where the answers are: the tasks, and of each its result and what it had begun.
#[derive(Debug, Default)]
pub(super) struct Asked {
    tasks: Option<Ticket>,
    each: Vec<(TaskId, Ticket, Ticket)>,
}

impl Asked {
    pub(super) fn ask(tasks: &BTreeSet<TaskId>, calls: &mut Calls) -> Self {
        let all = (!tasks.is_empty()).then(|| calls.add(task::tasks(tasks.iter().copied())));
        let each = tasks
            .iter()
            .map(|id| (*id, calls.add(task::result(*id)), calls.add(task::children(*id))))
            .collect();
        Self { tasks: all, each }
    }

    /// `web`: where people look at tasks.
    pub(super) fn read(
        &self,
        answers: &Answers,
        web: Option<&str>,
    ) -> Result<BTreeMap<TaskId, TaskFailure>, BuildSystemError> {
        let tasks = match self.tasks {
            Some(ticket) => answers.read(ticket, "to show tasks", task::read_tasks)?,
            None => Vec::new(),
        };
        let failed: BTreeSet<TaskId> = tasks
            .into_iter()
            .flatten()
            .filter(|task| task.state == TaskState::Failed)
            .map(|task| task.id)
            .collect();
        let mut failures = BTreeMap::new();
        for (id, result, children) in self.each.iter().filter(|(id, ..)| failed.contains(id)) {
            // A failed task raises its own fault.
            let Err(fault) = answers.of(*result) else { continue };
            let doing = format_args!("to show what task {id} had begun");
            let children =
                answers.read(*children, doing, |value| task::read_list("getTaskChildren", value))?;
            failures.insert(*id, failure(*id, fault, &children, web));
        }
        Ok(failures)
    }
}

/// Says what failed. A subtask that failed names the phase, and has the logs.
fn failure(id: TaskId, fault: &Fault, children: &[Task], web: Option<&str>) -> TaskFailure {
    let culprit = children.iter().find(|child| child.state == TaskState::Failed);
    let mut reason = match culprit {
        Some(Task { method, label: Some(label), .. }) => format!("{method} ({label}) failed"),
        Some(Task { method, .. }) => format!("{method} failed"),
        None => "the task failed".to_owned(),
    };
    let place = culprit.map_or(id, |child| child.id);
    write!(reason, ": {}", words(&fault.text)).expect("a string takes what is written to it");
    match web {
        Some(web) => write!(reason, " ({web}/taskinfo?taskID={place})"),
        None => write!(reason, " (task {place})"),
    }
    .expect("a string takes what is written to it");
    TaskFailure { reason, is_package_fault: is_package_fault(fault) }
}

/// Says whether the package is at fault: what is built failed to build, or cannot be fetched or read. All else (no buildroot, a
/// builder that died, a build that exists already) is the build system's, and tried again.
fn is_package_fault(fault: &Fault) -> bool {
    match fault.code {
        FaultCode::BuildError | FaultCode::PreBuildError | FaultCode::PostBuildError => true,
        FaultCode::GenericError => {
            let is_about_source = |words: &&str| fault.text.contains(*words);
            ["scmurl", "SCM", "source rpm", "SRPM", "spec file"].iter().any(is_about_source)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(id: i64, state: TaskState, label: Option<&str>) -> Task {
        let (method, label) = ("buildArch".to_owned(), label.map(str::to_owned));
        Task { id: TaskId(id), method, state, label, weight: 1.0, request: None }
    }

    #[test]
    fn a_failure_names_the_phase_the_error_and_where_the_log_is() {
        let fault = Fault::new(
            FaultCode::BuildError,
            "error building package (arch x86_64), mock exited with status 1",
        );
        let children =
            [child(8, TaskState::Closed, Some("aarch64")), child(9, TaskState::Failed, Some("x86_64"))];
        let failure = failure(TaskId(7), &fault, &children, Some("https://koji.example/koji"));
        assert_eq!(
            failure.reason,
            "buildArch (x86_64) failed: error building package (arch x86_64), mock exited with status 1 \
             (https://koji.example/koji/taskinfo?taskID=9)"
        );
        assert!(failure.is_package_fault);
    }

    #[test]
    fn what_is_not_the_packages_fault_is_tried_again() {
        let is = |code, text: &str| is_package_fault(&Fault::new(code, text));
        assert!(is(FaultCode::GenericError, "Invalid scmurl: git+https://x"));
        assert!(!is(FaultCode::GenericError, "Build already exists (id=7, state=COMPLETE)"));
        assert!(!is(FaultCode::BuildrootError, "could not init mock buildroot"));
        assert!(!is(FaultCode::Exception, "<class 'OSError'>: no space left"));
        let told =
            failure(TaskId(7), &Fault::new(FaultCode::Exception, "<class 'OSError'>: full"), &[], None);
        assert_eq!(told.reason, "the task failed: full (task 7)");
    }
}
