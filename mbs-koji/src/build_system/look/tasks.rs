//! Tasks and the builds they made.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::build_system::{BuildSystemError, TaskSeen};
use mbs_core::ident::TaskId;

use crate::api::build::{self, BuildState};
use crate::api::task;
use crate::build_system::calls::{Answers, Calls, Ticket};

/// Where the answers are: one for all tasks, and per task its builds.
#[derive(Debug, Default)]
pub(super) struct Asked {
    tasks: Option<Ticket>,
    builds: Vec<(TaskId, Ticket)>,
}

impl Asked {
    pub(super) fn ask(tasks: &BTreeSet<TaskId>, calls: &mut Calls) -> Self {
        let all = (!tasks.is_empty()).then(|| calls.add(task::tasks(tasks.iter().copied())));
        let builds = tasks.iter().map(|id| (*id, calls.add(build::of_task(*id)))).collect();
        Self { tasks: all, builds }
    }

    /// Only complete builds count: of one that was deleted nothing can be made.
    pub(super) fn read(
        &self,
        answers: &Answers,
    ) -> Result<BTreeMap<TaskId, Option<TaskSeen>>, BuildSystemError> {
        let tasks = match self.tasks {
            Some(ticket) => answers.read(ticket, "to show tasks", task::read_tasks)?,
            None => Vec::new(),
        };
        let states: BTreeMap<_, _> = tasks.into_iter().flatten().map(|task| (task.id, task.state)).collect();
        let mut seen = BTreeMap::new();
        for (id, ticket) in &self.builds {
            let Some(state) = states.get(id) else {
                seen.insert(*id, None);
                continue;
            };
            let doing = format_args!("to show the builds of task {id}");
            let builds = answers.read(*ticket, doing, build::read_list)?;
            let complete = builds.into_iter().filter(|build| build.state == BuildState::Complete);
            seen.insert(
                *id,
                Some(TaskSeen { state: *state, builds: complete.map(|build| build.nvr).collect() }),
            );
        }
        Ok(seen)
    }
}
