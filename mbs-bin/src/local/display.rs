//! Shows how a build goes on: a live picture on a terminal, else plain lines, or JSON for programs.
//!
//! What is new is decided in [`super::news`]; here it becomes text.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use mbs_core::ident::{Nsvc, Package, TaskId};
use mbs_core::model::{ComponentBuild, ModuleBuild, State};

use super::json;
use super::machine::Places;
use super::news::{By, News};
use crate::cli::Reader;
use crate::logging::{Screen, Verbosity, without_controls};

/// How often the live picture moves.
const BEAT: Duration = Duration::from_millis(200);

/// Who is told how.
#[derive(Debug)]
pub enum Display {
    /// Nobody.
    Silent,
    /// People, by lines on standard error.
    Lines(Screen),
    /// People, by a picture on standard error, with lines above it.
    Live(Box<Live>),
    /// A program, by JSON on standard output.
    Json,
}

impl Display {
    /// Chooses for the options and the terminal.
    pub fn choose(reader: Reader, verbosity: Verbosity, screen: &Screen) -> Self {
        match (reader, verbosity) {
            (Reader::Program, _) => Display::Json,
            (Reader::Person, Verbosity::Errors) => Display::Silent,
            (Reader::Person, _) if screen.is_live() => Display::Live(Box::new(Live::new(screen.clone()))),
            (Reader::Person, _) => Display::Lines(screen.clone()),
        }
    }

    /// Tells what is new about a build.
    pub fn tell(&self, build: &ModuleBuild, news: &[News], places: &dyn Places) {
        for one in news {
            match self {
                Display::Silent => {}
                Display::Json => print(&json::news(build, one, places)),
                // What is under way is in the picture.
                Display::Live(_) if matches!(one, News::Began { attempt: 1, .. }) => {}
                Display::Lines(_) | Display::Live(_) if is_told_elsewhere(build, one) => {}
                Display::Lines(screen) => screen.line(&line(build.nsvc(), one, places)),
                Display::Live(live) => live.screen.line(&line(build.nsvc(), one, places)),
            }
        }
    }

    /// Tells people something about the run itself.
    pub fn say(&self, text: &str) {
        match self {
            Display::Silent => {}
            Display::Json => print(&json::said(text)),
            Display::Lines(screen) => screen.line(text),
            Display::Live(live) => live.screen.line(text),
        }
    }

    /// Shows where the builds of a run stand.
    pub fn draw(&mut self, builds: &[ModuleBuild], places: &dyn Places) {
        if let Display::Live(live) = self {
            live.draw(builds, places);
        }
    }

    /// Takes the live picture away.
    pub fn end(&mut self) {
        if let Display::Live(live) = self {
            live.end();
        }
    }
}

/// Says whether people learn of it anyway: of what is reused from the build's log, and what never began ended with the
/// module.
fn is_told_elsewhere(build: &ModuleBuild, news: &News) -> bool {
    match news {
        News::Complete { by: By::Reuse(_), .. } => true,
        News::Unsuccessful { task: None, reason, .. } => build.life.reason() == Some(reason),
        _ => false,
    }
}

/// Prints a line of JSON; that nobody reads on is no error.
pub(super) fn print(line: &str) {
    drop(writeln!(anstream::stdout(), "{line}"));
}

/// A picture of what is under way: a bar for all, a line per component.
#[derive(Debug)]
pub struct Live {
    screen: Screen,
    all: ProgressBar,
    under_way: BTreeMap<(Nsvc, Package), ProgressBar>,
}

impl Live {
    fn new(screen: Screen) -> Self {
        let all = screen.bars().add(ProgressBar::new(0));
        all.set_style(style(picture_of(0)));
        Self { screen, all, under_way: BTreeMap::new() }
    }

    fn draw(&mut self, builds: &[ModuleBuild], places: &dyn Places) {
        let components = || builds.iter().flat_map(|build| &build.components);
        let count = |complete: usize| u64::try_from(complete).unwrap_or(u64::MAX);
        self.all.set_style(style(picture_of(components().count())));
        self.all.set_length(count(components().count()));
        self.all.set_position(count(components().filter(|component| component.is_complete()).count()));
        self.all.set_message(builds.iter().map(stand).collect::<Vec<_>>().join(", "));
        let mut over = std::mem::take(&mut self.under_way);
        for build in builds {
            for component in build.components.iter().filter(|component| component.holds_slot()) {
                let key = (build.nsvc().clone(), component.package.clone());
                let bar = over.remove(&key).unwrap_or_else(|| self.begin(component));
                bar.set_message(log(component, places));
                self.under_way.insert(key, bar);
            }
        }
        over.into_values().for_each(|bar| bar.finish_and_clear());
    }

    fn begin(&self, component: &ComponentBuild) -> ProgressBar {
        let bar = self.screen.bars().insert_before(&self.all, ProgressBar::new_spinner());
        bar.set_style(style("{spinner} {prefix} {elapsed} {wide_msg}"));
        bar.set_prefix(component.package.to_string());
        bar.enable_steady_tick(BEAT);
        bar
    }

    fn end(&mut self) {
        std::mem::take(&mut self.under_way).into_values().for_each(|bar| bar.finish_and_clear());
        self.all.finish_and_clear();
    }
}

/// Returns how the stand of so many components is drawn. Of none that is known a bar would look complete.
fn picture_of(components: usize) -> &'static str {
    match components {
        0 => "{wide_msg}",
        _ => "{bar:24} {pos}/{len} {wide_msg}",
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the built-in templates are valid")
}

fn stand(build: &ModuleBuild) -> String {
    match build.state() {
        State::Build => format!("{}: batch {}", build.nsvc(), build.batch),
        state => format!("{}: {state}", build.nsvc()),
    }
}

fn log(component: &ComponentBuild, places: &dyn Places) -> String {
    let task = component.live_attempt().and_then(|attempt| attempt.task);
    task.map(|task| places.log_of(task).display().to_string()).unwrap_or_default()
}

/// Returns a piece of news as a line.
pub(super) fn line(nsvc: &Nsvc, news: &News, places: &dyn Places) -> String {
    let text = match news {
        // Why it failed is in the report, which follows at once.
        News::Module { state: State::Failed, .. } => format!("{nsvc}: {}", State::Failed),
        News::Module { state, reason: Some(reason) } => format!("{nsvc}: {state}: {reason}"),
        News::Module { state, reason: None } => format!("{nsvc}: {state}"),
        News::Began { package, task, attempt: 1 } => {
            format!("{package}: building, log {}", places.log_of(*task).display())
        }
        News::Began { package, task, attempt } => {
            format!("{package}: building (try {attempt}), log {}", places.log_of(*task).display())
        }
        News::Complete { package, nvr, by } => {
            let what = nvr.as_ref().map_or_else(|| package.to_string(), ToString::to_string);
            match by {
                By::Building(time) => format!("{package}: built {what} in {} s", time.as_secs()),
                By::Reuse(build) => format!("{package}: reused {what} of module build {build}"),
            }
        }
        News::Unsuccessful { package, state, task, reason } => {
            format!("{package}: {}: {}", state.name().to_lowercase(), with_log(reason, *task, places))
        }
        News::Trouble(what) => format!("{nsvc}: trying again: {what}"),
        News::Note(text) => format!("{nsvc}: {text}"),
    };
    without_controls(&text)
}

/// Adds the log of a task to a reason, unless that names it.
pub(super) fn with_log(reason: &str, task: Option<TaskId>, places: &dyn Places) -> String {
    let log = task.map(|task| places.log_of(task).display().to_string());
    match log.filter(|log| !reason.contains(log)) {
        Some(log) => format!("{reason} (see {log})"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mbs_core::ident::BuildId;
    use mbs_core::model::BuildState;

    use super::super::testing::{Folder, module_build};
    use super::*;

    fn shown(news: &News) -> String {
        line(module_build("app:1:2:c").nsvc(), news, &Folder)
    }

    fn package() -> Package {
        Package::new("liba").unwrap()
    }

    #[test]
    fn a_component_is_shown_with_its_log() {
        let began = |attempt| News::Began { package: package(), task: TaskId(7), attempt };
        assert_eq!(shown(&began(1)), "liba: building, log /logs/7");
        assert_eq!(shown(&began(2)), "liba: building (try 2), log /logs/7");
        let failed = |task| News::Unsuccessful {
            package: package(),
            state: BuildState::Failed,
            task,
            reason: "%check failed".into(),
        };
        assert_eq!(shown(&failed(Some(TaskId(7)))), "liba: failed: %check failed (see /logs/7)");
        assert_eq!(shown(&failed(None)), "liba: failed: %check failed");
    }

    #[test]
    fn there_is_no_bar_before_there_are_components() {
        assert!(!picture_of(0).contains("bar") && picture_of(1).contains("bar"));
        for components in [0, 1] {
            style(picture_of(components));
        }
    }

    #[test]
    fn a_log_that_the_reason_names_is_not_named_twice() {
        assert_eq!(with_log("no (see /logs/7)", Some(TaskId(7)), &Folder), "no (see /logs/7)");
    }

    #[test]
    fn a_complete_component_is_shown_with_how_it_came_to_be() {
        let complete = |by| News::Complete { package: package(), nvr: "liba-1-1".parse().ok(), by };
        let built = shown(&complete(By::Building(Duration::from_millis(12_700))));
        assert_eq!(built, "liba: built liba-1-1 in 12 s");
        let reused = shown(&complete(By::Reuse(BuildId(4))));
        assert_eq!(reused, "liba: reused liba-1-1 of module build 4");
    }

    #[test]
    fn the_module_is_shown_with_state_and_reason_but_why_it_failed_is_left_to_the_report() {
        let shown_as =
            |state, reason: Option<&str>| shown(&News::Module { state, reason: reason.map(Into::into) });
        assert_eq!(shown_as(State::Wait, None), "app:1:2:c: wait");
        assert_eq!(shown_as(State::Wait, Some("no\u{1b} more")), "app:1:2:c: wait: no\\u{1b} more");
        assert_eq!(shown_as(State::Failed, Some("a reason")), "app:1:2:c: failed");
    }
}
