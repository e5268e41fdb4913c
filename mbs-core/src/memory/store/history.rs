//! Log lines, and the traces of components.

use jiff::Timestamp;

use super::tables::Tables;
use crate::ident::{ComponentId, LogId};
use crate::model::ModuleBuild;
use crate::store::{ComponentTransition, LogLine, Logged, Note, Page};

impl Tables {
    pub(super) fn next_line(&mut self) -> LogId {
        self.last_line += 1;
        LogId(self.last_line)
    }

    /// Makes log lines of notes that are saved with a record.
    pub(super) fn lines(&mut self, notes: Vec<Note>, build: &ModuleBuild, at: Timestamp) -> Vec<LogLine> {
        let line = |note: Note| LogLine {
            id: self.next_line(),
            component: note.component_in(build),
            at,
            text: note.text,
        };
        notes.into_iter().map(line).collect()
    }

    pub(super) fn log_page(&self, of: Logged, page: Page) -> Vec<LogLine> {
        let skip = usize::try_from(page.skip).unwrap_or(usize::MAX);
        self.logged(of).skip(skip).take(page.size()).cloned().collect()
    }

    pub(super) fn count_log(&self, of: Logged) -> u64 {
        self.logged(of).count() as u64
    }

    /// Returns log lines, newest first.
    fn logged(&self, of: Logged) -> impl Iterator<Item = &LogLine> {
        let (build, component) = match of {
            Logged::Build(id) => (Some(id), None),
            Logged::Component(id) => (self.build_of.get(&id).copied(), Some(id)),
        };
        let lines =
            build.and_then(|build| self.rows.row(build)).into_iter().flat_map(|row| row.log.iter().rev());
        lines.filter(move |line| component.is_none() || line.component == component)
    }

    /// Returns what is kept of a component's changes; `None`: nothing.
    pub(super) fn component_trace(&self, id: ComponentId) -> Option<Vec<ComponentTransition>> {
        self.rows.row(*self.build_of.get(&id)?)?.component_traces.get(&id).cloned()
    }
}
