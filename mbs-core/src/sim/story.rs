//! What happened in a world, as people tell it: when, who, what.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::clock::Clock;
use crate::ident::BuildId;
use crate::memory::ManualClock;

/// One line of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Since the world began.
    pub at: Duration,
    /// Who, or what.
    pub who: String,
    /// What, and why.
    pub what: String,
    /// The build it is about; `None`: the world.
    pub build: Option<BuildId>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, tenths) = (self.at.as_secs(), self.at.subsec_millis() / 100);
        let (hours, minutes) = (secs / 3_600, secs / 60 % 60);
        write!(f, "{hours}:{minutes:02}:{:02}.{tenths}  {:<9} {}", secs % 60, self.who, self.what)
    }
}

/// Listens while a world turns; deaf ones cost nothing.
#[derive(Debug)]
pub(super) struct Story {
    clock: Arc<ManualClock>,
    lines: Option<Mutex<Vec<Line>>>,
}

impl Story {
    /// Makes one that keeps every line.
    pub(super) fn told(clock: Arc<ManualClock>) -> Self {
        Self { clock, lines: Some(Mutex::default()) }
    }

    /// Makes one that keeps nothing.
    pub(super) fn untold(clock: Arc<ManualClock>) -> Self {
        Self { clock, lines: None }
    }

    /// Keeps a line, if anybody listens; only then it is made.
    pub(super) fn tell(&self, build: Option<BuildId>, who: &str, what: impl FnOnce() -> String) {
        if let Some(mut lines) = self.lines() {
            let line = Line { at: self.clock.reading(), who: who.to_owned(), what: what(), build };
            lines.push(line);
        }
    }

    /// Returns all lines, oldest first.
    pub(super) fn lines_told(&self) -> Vec<Line> {
        self.lines().map(|lines| lines.clone()).unwrap_or_default()
    }

    fn lines(&self) -> Option<MutexGuard<'_, Vec<Line>>> {
        self.lines.as_ref().map(|lines| lines.lock().expect("nothing panics while it holds the story"))
    }
}

/// Shortens a story to at most `most` lines: what is about the build, and the world, counts more than what others did, and
/// the end more than the beginning.
pub fn shortened(lines: &[Line], about: Option<BuildId>, most: usize) -> Vec<Line> {
    let matters = |line: &&Line| line.build.is_none() || about.is_none() || line.build == about;
    let mut kept: Vec<Line> = lines.iter().filter(matters).cloned().collect();
    if kept.len() > most {
        let (begin, end) = (most / 3, most - most / 3 - 1);
        let tail = kept.split_off(kept.len() - end);
        let left_out = kept.len() - begin;
        kept.truncate(begin);
        let at = kept.last().map_or(Duration::ZERO, |line| line.at);
        kept.push(Line { at, who: "…".into(), what: format!("({left_out} lines left out)"), build: None });
        kept.extend(tail);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64, build: Option<i64>) -> Line {
        let at = Duration::from_millis(number * 100);
        Line { at, who: "one".into(), what: format!("line {number}"), build: build.map(BuildId) }
    }

    #[test]
    fn a_long_story_keeps_its_begin_and_its_end() {
        let lines: Vec<Line> = (0..100).map(|number| line(number, Some(1))).collect();
        let short = shortened(&lines, Some(BuildId(1)), 40);
        assert_eq!(short.len(), 40);
        assert_eq!((&short[0], &short[39]), (&lines[0], &lines[99]));
        assert!(short[13].what.contains("(61 lines left out)"), "{}", short[13].what);
    }

    #[test]
    fn what_others_did_is_left_out_first() {
        let lines = [line(1, Some(1)), line(2, Some(2)), line(3, None)];
        let short = shortened(&lines, Some(BuildId(1)), 40);
        assert_eq!(short, [line(1, Some(1)), line(3, None)]);
    }

    #[test]
    fn a_line_says_when_who_and_what() {
        let line = Line { at: Duration::from_millis(3_725_300), ..line(1, None) };
        assert_eq!(line.to_string(), "1:02:05.3  one       line 1");
    }
}
