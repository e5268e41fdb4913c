//! What changed in a build since people were last told: pure, from the record as it was and as it is.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mbs_core::ident::{BuildId, Nvr, Package, TaskId};
use mbs_core::model::{BuildState, ComponentBuild, ModuleBuild, State, Transition, Verdict};

/// Something that people are told.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// The module build entered a state.
    Module {
        /// The state.
        state: State,
        /// Why, where there is more to say.
        reason: Option<String>,
    },
    /// A component's task began.
    Began {
        /// The component.
        package: Package,
        /// Its task.
        task: TaskId,
        /// Which try it is, from 1.
        attempt: u32,
    },
    /// A component is complete.
    Complete {
        /// The component.
        package: Package,
        /// What was built.
        nvr: Option<Nvr>,
        /// How it came to be.
        by: By,
    },
    /// A component ended without a usable build.
    Unsuccessful {
        /// The component.
        package: Package,
        /// How it ended.
        state: BuildState,
        /// Its task, if it got that far.
        task: Option<TaskId>,
        /// Why.
        reason: String,
    },
    /// Something keeps going wrong.
    Trouble(String),
    /// A line of the build's log.
    Note(String),
}

/// How a component came to be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// It was built, in this time.
    Building(Duration),
    /// It was taken from an earlier module build.
    Reuse(BuildId),
}

/// What people know of a build.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// How many of its changes of state.
    transitions: usize,
    /// Per component its state, and the try whose begin was told.
    components: BTreeMap<Package, (Option<BuildState>, u32)>,
    trouble: Option<String>,
    notes: usize,
}

/// What a store keeps beside the record, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The build's changes of state.
    pub trace: Vec<Transition>,
    /// Lines of the build's log.
    pub notes: Vec<String>,
}

impl Told {
    /// Begins with a build that an earlier run left: what it achieved is no news, the state that it is in is.
    pub fn up_to(build: &ModuleBuild, history: &History) -> Self {
        let began =
            |component: &ComponentBuild| component.attempts.last().map_or(0, |attempt| attempt.number);
        let known =
            |component: &ComponentBuild| (component.package.clone(), (component.state, began(component)));
        Self {
            transitions: history.trace.len().saturating_sub(1),
            components: build.components.iter().map(|component| known(component)).collect(),
            trouble: None,
            notes: history.notes.len(),
        }
    }

    /// Returns what is new, in the order in which it happened as far as that is known, and remembers that it was told.
    pub fn news(&mut self, build: &ModuleBuild, history: &History, now: Timestamp) -> Vec<News> {
        let notes = history.notes.iter().skip(self.notes);
        let mut news: Vec<News> = notes.cloned().map(News::Note).collect();
        self.notes = self.notes.max(history.notes.len());
        for component in &build.components {
            news.extend(self.news_of(component, now));
        }
        let trouble = build.trouble.as_ref().map(|trouble| trouble.last.clone());
        if trouble != self.trouble {
            news.extend(trouble.clone().map(News::Trouble));
            self.trouble = trouble;
        }
        for entered in history.trace.iter().skip(self.transitions) {
            news.push(News::Module { state: entered.to, reason: entered.reason.clone() });
        }
        self.transitions = self.transitions.max(history.trace.len());
        news
    }

    fn news_of(&mut self, component: &ComponentBuild, now: Timestamp) -> Vec<News> {
        let (state, begun) = self.components.entry(component.package.clone()).or_default();
        let mut news = Vec::new();
        let package = || component.package.clone();
        if let Some(attempt) = component.live_attempt()
            && let Some(task) = attempt.task
            && attempt.number > *begun
        {
            *begun = attempt.number;
            news.push(News::Began { package: package(), task, attempt: attempt.number });
        }
        if *state == component.state {
            return news;
        }
        *state = component.state;
        match component.state {
            Some(BuildState::Complete) => {
                news.push(News::Complete {
                    package: package(),
                    nvr: component.nvr.clone(),
                    by: by(component, now),
                });
            }
            Some(state @ (BuildState::Deleted | BuildState::Failed | BuildState::Canceled)) => {
                let reason = component.reason.clone().unwrap_or_else(|| "no reason is known".to_owned());
                news.push(News::Unsuccessful { package: package(), state, task: component.task, reason });
            }
            None | Some(BuildState::Building) => {}
        }
        news
    }
}

fn by(component: &ComponentBuild, now: Timestamp) -> By {
    match &component.verdict {
        Some(Verdict::Reuse { build, .. }) => By::Reuse(*build),
        Some(Verdict::Rebuild(_)) | None => {
            let began = component.attempts.last().map_or(now, |attempt| attempt.intended_at);
            By::Building(now.duration_since(began).try_into().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use mbs_core::model::{Attempt, OverWhen, Trouble, WhyRebuild};

    use super::super::testing::{component, module_build};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn building(package: &str, number: u32) -> ComponentBuild {
        let attempt =
            Attempt { number, intended_at: at(0), not_after: at(30), task: Some(TaskId(7)), end: None };
        ComponentBuild { state: Some(BuildState::Building), attempts: vec![attempt], ..component(package) }
    }

    fn with(components: Vec<ComponentBuild>) -> ModuleBuild {
        let components = components.into_iter().map(Into::into).collect();
        ModuleBuild { components, ..module_build("app:1:2:c") }
    }

    fn entered(to: State) -> Transition {
        Transition { from: None, to, at: at(0), reason: None }
    }

    /// Returns what is told of the components after everything about `before` was told.
    fn between(before: &ModuleBuild, after: &ModuleBuild) -> Vec<News> {
        let mut told = Told::default();
        told.news(before, &History::default(), at(0));
        told.news(after, &History::default(), at(12))
    }

    #[test]
    fn what_did_not_change_is_told_once() {
        let build = with(vec![building("a", 1)]);
        let history = History { trace: vec![entered(State::Init)], notes: vec!["note".into()] };
        let mut told = Told::default();
        assert_eq!(told.news(&build, &history, at(0)).len(), 3);
        assert_eq!(told.news(&build, &history, at(9)), []);
    }

    #[test]
    fn states_that_passed_between_two_looks_are_told_in_order() {
        let trace = [State::Init, State::Wait, State::Build].map(entered).into();
        let news = Told::default().news(&with(vec![]), &History { trace, notes: vec![] }, at(0));
        let state = |state| News::Module { state, reason: None };
        assert_eq!(news, [State::Init, State::Wait, State::Build].map(state));
    }

    #[test]
    fn every_try_has_its_begin() {
        let began = |attempt| News::Began { package: Package::new("a").unwrap(), task: TaskId(7), attempt };
        assert_eq!(between(&with(vec![component("a")]), &with(vec![building("a", 1)])), [began(1)]);
        assert_eq!(between(&with(vec![building("a", 1)]), &with(vec![building("a", 2)])), [began(2)]);
    }

    #[test]
    fn a_try_without_a_task_has_not_begun() {
        let mut in_doubt = building("a", 1);
        in_doubt.attempts[0].task = None;
        assert_eq!(between(&with(vec![component("a")]), &with(vec![in_doubt])), []);
    }

    #[test]
    fn a_complete_component_was_built_in_some_time_or_reused() {
        let nvr: Nvr = "a-1-1".parse().unwrap();
        let built = ComponentBuild {
            state: Some(BuildState::Complete),
            nvr: Some(nvr.clone()),
            verdict: Some(Verdict::Rebuild(WhyRebuild::NoSource)),
            ..building("a", 1)
        };
        let reuse = Verdict::Reuse { from: None, build: BuildId(4), nvr: nvr.clone(), task: None };
        let reused = ComponentBuild { verdict: Some(reuse), attempts: vec![], ..built.clone() };
        let complete =
            |by| News::Complete { package: Package::new("a").unwrap(), nvr: Some(nvr.clone()), by };
        let before = with(vec![building("a", 1)]);
        assert_eq!(between(&before, &with(vec![built])), [complete(By::Building(Duration::from_secs(12)))]);
        assert_eq!(between(&before, &with(vec![reused])), [complete(By::Reuse(BuildId(4)))]);
    }

    #[test]
    fn a_failed_component_says_why() {
        let failed = ComponentBuild {
            state: Some(BuildState::Failed),
            reason: Some("%check failed".into()),
            task: Some(TaskId(7)),
            ..building("a", 1)
        };
        let news = between(&with(vec![building("a", 1)]), &with(vec![failed]));
        assert!(matches!(&news[..], [News::Unsuccessful { reason, .. }] if reason == "%check failed"));
    }

    #[test]
    fn what_an_earlier_run_achieved_is_no_news() {
        let mut complete = building("a", 1);
        complete.state = Some(BuildState::Complete);
        let build = with(vec![complete]);
        let earlier =
            History { trace: [State::Init, State::Wait].map(entered).into(), notes: vec!["old".into()] };
        let mut told = Told::up_to(&build, &earlier);
        let history = History { notes: vec!["old".into(), "new".into()], ..earlier };
        let state = News::Module { state: State::Wait, reason: None };
        assert_eq!(told.news(&build, &history, at(0)), [News::Note("new".into()), state]);
    }

    #[test]
    fn trouble_is_told_when_it_changes() {
        let trouble = |last: &str| {
            Some(Trouble {
                since: at(0),
                tries: 1,
                next_try: at(9),
                last: last.into(),
                over_when: OverWhen::Quiet,
            })
        };
        let troubled = |last| ModuleBuild { trouble: trouble(last), ..with(vec![]) };
        assert_eq!(between(&with(vec![]), &troubled("no space")), [News::Trouble("no space".into())]);
        assert_eq!(between(&troubled("no space"), &troubled("no space")), []);
        assert_eq!(between(&troubled("no space"), &with(vec![])), []);
    }
}
