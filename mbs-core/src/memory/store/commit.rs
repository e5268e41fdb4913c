//! What every change of a record has in common: the checks before it, and all that is written with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::tables::{Row, Tables};
use crate::ident::{BuildId, ComponentId, Revision};
use crate::model::{ModuleBuild, Transition};
use crate::store::{
    AuditEntry, ComponentTransition, Ending, EventNumber, Note, Saved, StateChange, StoreError, checks,
};

impl Tables {
    /// Returns the row of a record that was loaded at a revision.
    pub(super) fn row_at(&self, id: BuildId, revision: Revision) -> Result<&Row, StoreError> {
        let row = self.row(id)?;
        if row.revision == revision { Ok(row) } else { Err(StoreError::Stale(id)) }
    }

    /// Checks what a person did to a record, whether running or resumed.
    pub(super) fn check_by_hand(&self, now: &ModuleBuild, revision: Revision) -> Result<(), StoreError> {
        let row = self.row_at(now.id, revision)?;
        checks::by_hand(&row.build, now)
    }

    /// Writes what a person did to a record that passed its checks, with the audit row; the build is due at once.
    pub(super) fn commit_by_hand(&mut self, build: ModuleBuild, audit: AuditEntry) {
        let (id, now) = (build.id, audit.at);
        self.waking_line(Some(id), now, |tables| tables.commit(build, Vec::new(), now));
        self.change(id, |row| {
            row.audit.push(audit);
            row.work.make_due(now);
        });
    }

    /// Writes a record that passed its checks: components get ids, transitions go to the traces, those of the build become
    /// events, notes go to the log.
    pub(super) fn commit(&mut self, mut build: ModuleBuild, notes: Vec<Note>, now: Timestamp) {
        let id = build.id;
        self.number_components(&mut build);
        let transitions = build.life.take_unsaved();
        let build = Arc::new(build);
        self.announce(&build, &transitions);
        let lines = self.lines(notes, &build, now);
        for ending in Ending::all_of(&build, &transitions) {
            *self.endings.entry(ending).or_default() += 1;
        }
        self.change(id, |row| {
            if row.build != build {
                row.progressed_at = now;
            }
            row.last_seq += transitions.len() as u64;
            row.trace.extend(transitions);
            row.trace_components(&build, now);
            row.log.extend(lines);
            row.revision = Revision(row.revision.0 + 1);
            row.build = build;
        });
    }

    /// Makes an event of each transition, numbered after the build's last one.
    pub(super) fn announce(&mut self, build: &ModuleBuild, transitions: &[Transition]) {
        let before = self.rows.row(build.id);
        let last_seq = before.map_or(0, |row| row.last_seq);
        let reason = before.and_then(|row| row.build.life.reason()).map(str::to_owned);
        for event in StateChange::all_of(build, last_seq, reason, transitions) {
            self.last_event += 1;
            self.events.insert(EventNumber(self.last_event), Arc::new(event));
        }
    }

    /// Returns a build as it was just saved.
    pub(super) fn saved(&self, id: BuildId) -> Result<Saved, StoreError> {
        let row = self.row(id)?;
        Ok(Saved { build: (*row.build).clone(), revision: row.revision, slots: self.slots() })
    }

    fn number_components(&mut self, build: &mut ModuleBuild) {
        let build_id = build.id;
        for component in build.components.iter_mut().filter(|component| component.id.is_none()) {
            self.last_component += 1;
            let id = ComponentId(self.last_component);
            self.build_of.insert(id, build_id);
            component.id = Some(id);
        }
    }
}

impl Row {
    /// Adds what changed to the traces of the components; those of components that are gone go with them.
    fn trace_components(&mut self, now: &ModuleBuild, at: Timestamp) {
        for (component, change) in ComponentTransition::between(Some(&self.build), now, at) {
            self.component_traces.entry(component).or_default().push(change);
        }
        let kept: BTreeSet<ComponentId> =
            now.components.iter().filter_map(|component| component.id).collect();
        self.component_traces.retain(|component, _| kept.contains(component));
    }
}
