//! What packages are expected to cost: the weights of all tasks of our newest build of each, or a guess from how long it takes.
//!
//! Three rounds, for each hangs on the one before: Koji's ids of the packages and how long they take; our newest build of each;
//! the tasks of these. Source: behaviour, section 5, "Weights".

use std::collections::BTreeMap;

use mbs_core::build_system::{BuildQuestions, BuildSystemError};
use mbs_core::ident::{Package, TaskId, Weight};

use crate::api::{Odd, build, task};
use crate::build_system::calls::{Answers, Calls, Ticket};

/// Weights, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Weights {
    stage: Stage,
    known: BTreeMap<Package, Weight>,
}

/// What is known, and where the answers to what was asked are.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Unasked,
    Packages(Vec<(Package, Ticket, Ticket)>),
    Ids(Vec<(Package, i64)>),
    Builds(Vec<(Package, Ticket)>),
    Tasks(Vec<(Package, TaskId)>),
    Descendents(Vec<(Package, Ticket)>),
    Over,
}

impl Weights {
    pub(super) fn ask(&mut self, calls: &mut Calls, questions: &BuildQuestions, user: Option<i64>) {
        self.stage = match (std::mem::take(&mut self.stage), user) {
            (Stage::Unasked, _) if questions.weights.is_empty() => Stage::Over,
            (Stage::Unasked, _) => Stage::Packages(
                questions
                    .weights
                    .iter()
                    .map(|package| {
                        let id = calls.add(build::package_id(package));
                        (package.clone(), id, calls.add(build::average_duration(package)))
                    })
                    .collect(),
            ),
            (Stage::Ids(ids), Some(user)) => Stage::Builds(
                ids.into_iter()
                    .map(|(package, id)| (package, calls.add(build::newest_by(id, user))))
                    .collect(),
            ),
            (Stage::Tasks(tasks), _) => Stage::Descendents(
                tasks.into_iter().map(|(package, id)| (package, calls.add(task::descendents(id)))).collect(),
            ),
            _ => Stage::Over,
        };
    }

    /// `arches`: how many architectures components are built for.
    pub(super) fn take(&mut self, answers: &Answers, arches: usize) -> Result<(), BuildSystemError> {
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Packages(asked) => Stage::Ids(self.take_packages(asked, answers, arches)?),
            Stage::Builds(asked) => Stage::Tasks(take_builds(asked, answers)?),
            Stage::Descendents(asked) => {
                for (package, ticket) in asked {
                    let doing = format_args!("to show the tasks of the newest build of {package}");
                    let tasks = answers.read(ticket, doing, task::read_descendents)?;
                    let sum: f64 = tasks.iter().map(|task| task.weight).sum();
                    self.known.insert(package, Weight::new(sum));
                }
                Stage::Over
            }
            other => other,
        };
        if matches!(&self.stage, Stage::Ids(left) if left.is_empty())
            || matches!(&self.stage, Stage::Tasks(left) if left.is_empty())
        {
            self.stage = Stage::Over;
        }
        Ok(())
    }

    fn take_packages(
        &mut self,
        asked: Vec<(Package, Ticket, Ticket)>,
        answers: &Answers,
        arches: usize,
    ) -> Result<Vec<(Package, i64)>, BuildSystemError> {
        let mut ids = Vec::new();
        for (package, id, duration) in asked {
            let doing = format_args!("to show the package {package}");
            if let Some(seconds) = answers.read(duration, doing, |value| Ok(value.as_double()))? {
                self.known.insert(package.clone(), guess(seconds, arches));
            }
            if let Some(id) = answers.read(id, doing, |value| Ok(value.as_int()))? {
                ids.push((package, id));
            }
        }
        Ok(ids)
    }

    /// Returns the weights; packages of which nothing is known are missing.
    pub(super) fn known(self) -> BTreeMap<Package, Weight> {
        self.known
    }
}

fn take_builds(
    asked: Vec<(Package, Ticket)>,
    answers: &Answers,
) -> Result<Vec<(Package, TaskId)>, BuildSystemError> {
    let mut tasks = Vec::new();
    for (package, ticket) in asked {
        let doing = format_args!("to show our newest build of {package}");
        let newest = answers.read(ticket, doing, |value| -> Result<_, Odd> {
            Ok(build::read_list(value)?.into_iter().next().and_then(|build| build.task))
        })?;
        tasks.extend(newest.map(|task| (package, task)));
    }
    Ok(tasks)
}

/// A build of an hour on one architecture weighs 1.5 + 0.75, and the whole another 1.5.
fn guess(seconds: f64, arches: usize) -> Weight {
    let arches = u32::try_from(arches).unwrap_or(u32::MAX);
    Weight::new((1.5 + (seconds / 3_600.0 * 0.75).min(4.5)) * f64::from(arches) + 1.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_grows_with_the_hours_up_to_six_and_with_the_architectures() {
        assert_eq!(guess(0.0, 2), Weight::new(4.5));
        assert_eq!(guess(7_200.0, 2), Weight::new(7.5));
        assert_eq!(guess(1e9, 2), Weight::new(13.5));
    }
}
