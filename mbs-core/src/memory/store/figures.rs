//! Figures about all builds, and those that stand still.

use jiff::Timestamp;

use super::tables::{Row, Tables};
use crate::store::{Figures, MOST_LISTED, Standing};

impl Tables {
    pub(super) fn figures(&self, now: Timestamp) -> Figures {
        let slots = self.slots_without_line();
        let mut figures = Figures {
            at: now,
            by_state: Figures::states([]),
            configured_limit: self.settings.limit,
            limit: slots.limit,
            in_use: slots.in_use,
            in_line: self.index.line.len() as u64,
            due: self.rows.all().filter(|row| row.work.is_due(now)).count() as u64,
            paused: slots.is_paused,
            draining: slots.is_draining,
            oldest_unfinished: self
                .under_way()
                .min_by_key(|row| row.progressed_at)
                .map(|row| (row.build.id, row.progressed_at)),
            pending: self.pending(),
            failed: Default::default(),
            succeeded: 0,
        };
        for row in self.rows.all() {
            *figures.by_state.entry(row.build.state()).or_default() += 1;
        }
        figures.count_endings(|ending| self.endings.get(&ending).copied().unwrap_or_default());
        figures
    }

    pub(super) fn standing(&self, since: Timestamp, n: usize, now: Timestamp) -> Vec<Standing> {
        let mut rows: Vec<&Row> = self.under_way().filter(|row| row.progressed_at < since).collect();
        rows.sort_by_key(|row| (row.progressed_at, row.build.id));
        let standing = |row: &Row| Standing {
            id: row.build.id,
            nsvc: row.build.nsvc().clone(),
            state: row.build.state(),
            progressed_at: row.progressed_at,
            due: row.work.due,
            leased_by: row
                .work
                .lease
                .as_ref()
                .filter(|lease| lease.until > now)
                .map(|lease| lease.worker.clone()),
            why: row.work.why.clone(),
        };
        rows.into_iter().take(n.min(MOST_LISTED)).map(standing).collect()
    }

    /// Returns the rows of builds under way, smallest id first.
    fn under_way(&self) -> impl Iterator<Item = &Row> {
        let mut ids: Vec<_> = self.index.under_way().collect();
        ids.sort();
        ids.into_iter().filter_map(|id| self.rows.row(id))
    }
}
