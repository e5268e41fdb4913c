//! What was built elsewhere: single modules, and the record of another service.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::tables::{Row, Tables, WorkRow};
use crate::ident::{BuildId, Revision};
use crate::model::{ModuleBuild, Transition};
use crate::plan::Why;
use crate::store::{AuditEntry, Import, Imported, LogLine, Present, Restored, StoreError, is_under_way};

impl Tables {
    pub(super) fn import(&mut self, import: &Import, now: Timestamp) -> Result<Imported, StoreError> {
        let there = self.index.by_nsvc.get(&import.nsvc).copied();
        if let Some(row) = there.and_then(|id| self.rows.row(id))
            && is_under_way(&row.build)
        {
            return Err(StoreError::UnderWay(import.nsvc.clone(), row.build.state()));
        }
        let id = there.unwrap_or_else(|| self.next_build());
        let dist_index = self.smallest_sibling(&import.nsvc, false, id);
        let build = Arc::new(import.record(id, dist_index, &self.rules, now));
        let audit = AuditEntry { at: now, by: import.by.clone(), what: "imported it".to_owned() };
        match there {
            Some(_) => self.overwrite(build.clone(), audit),
            None => self.insert(Row { audit: vec![audit], ..finished(build.clone(), Vec::new(), (1, now)) }),
        }
        Ok(Imported { build: (*build).clone(), was_there: there.is_some() })
    }

    fn overwrite(&mut self, build: Arc<ModuleBuild>, audit: AuditEntry) {
        self.change(build.id, |row| {
            row.revision = Revision(row.revision.0 + 1);
            row.work = asleep();
            row.trace.clear();
            row.component_traces.clear();
            row.audit.push(audit);
            row.last_seq += 1;
            row.progressed_at = build.submitted_at;
            row.build = build;
        });
    }

    pub(super) fn restore(&mut self, records: Vec<Restored>, now: Timestamp) -> Result<(), StoreError> {
        let present = self.present(&records);
        for record in Restored::check_all(records, &present)? {
            self.take_over(record, now);
        }
        Ok(())
    }

    fn present(&self, records: &[Restored]) -> Present {
        let builds = Restored::mentioned(records);
        let stored = |id: BuildId| Some((id, self.rows.row(id)?.build.nsvc().clone()));
        let taken = |record: &&Restored| self.index.by_nsvc.contains_key(record.build.nsvc());
        let components = records.iter().flat_map(Restored::component_ids);
        Present {
            builds: builds.into_iter().filter_map(stored).collect(),
            taken: records.iter().filter(taken).map(|record| record.build.nsvc().clone()).collect(),
            components: components.filter(|id| self.build_of.contains_key(id)).collect(),
        }
    }

    fn take_over(&mut self, record: Restored, now: Timestamp) {
        let (id, last_seq) = (record.build.id, record.last_seq());
        let work =
            if record.needs_look() { WorkRow { due: Some(now), ..WorkRow::default() } } else { asleep() };
        self.last_build = self.last_build.max(id.0);
        for component in record.component_ids() {
            self.last_component = self.last_component.max(component.0);
            self.build_of.insert(component, id);
        }
        let line = |(component, at, text)| LogLine { id: self.next_line(), component, at, text };
        let log = record.log.into_iter().map(line).collect();
        let row = finished(Arc::new(record.build), record.trace, (last_seq, now));
        self.insert(Row { work, log, component_traces: record.component_traces, ..row });
    }
}

/// Makes the row of a build that needs no look.
fn finished(
    build: Arc<ModuleBuild>,
    trace: Vec<Transition>,
    (last_seq, progressed_at): (u64, Timestamp),
) -> Row {
    Row {
        build,
        revision: Revision(0),
        work: asleep(),
        trace,
        component_traces: BTreeMap::new(),
        log: Vec::new(),
        audit: Vec::new(),
        last_seq,
        progressed_at,
    }
}

fn asleep() -> WorkRow {
    WorkRow { why: Some(Why::Finished), ..WorkRow::default() }
}
