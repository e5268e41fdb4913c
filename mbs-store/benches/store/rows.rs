//! The rows of builds, as both databases have them: names of tables and columns are the same.

use jiff::Timestamp;
use mbs_core::share::place_in_line;
use mbs_core::store::{
    AttemptRow, BuildColumns, Changes, ComponentRow, Rules, StateChange, buildrequires, document_digest,
    is_under_way, sortable, virtual_streams,
};
use serde::Serialize;

use crate::fleet::{Filed, Fleet};

/// Builds that are loaded at once.
const CHUNK: usize = 500;

/// Builds that have a time to be looked at, far from now: the last ones.
pub(crate) const DUE_LATER: usize = 10_000;

/// One value.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Number(i64),
    Decimal(f64),
    Flag(bool),
    Time(Timestamp),
    Numbers(Vec<i64>),
}

/// A table and its columns, with blanks between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static str,
}

pub(crate) const BUILDS: Table = Table {
    name: "module_builds",
    columns: "id revision dist_index name stream version context build_context build_context_no_bases runtime_context \
              state state_reason koji_tag cg_tag scmurl scratch srpms owner submitted_at modified_at completed_at repo_task \
              strategy reuse_from batch stream_version under_way last_seq record repo_tasks",
};

/// The tables beside it.
pub(crate) const BESIDE: [Table; 9] = [
    Table { name: "documents", columns: "build_id digest text buildrequires" },
    Table { name: "virtual_streams", columns: "build_id stream" },
    Table { name: "base_modules", columns: "build_id name stream version context stream_version" },
    Table {
        name: "components",
        columns: "id build_id position package scmurl task commit state state_reason nvr tagged tagged_in_final \
                  build_time_only buildonly batch reused_from weight record",
    },
    Table { name: "attempts", columns: "component_id position task is_live record" },
    Table { name: "traces", columns: "build_id seq at state record" },
    Table { name: "events", columns: "build_id seq number at record" },
    Table { name: "work", columns: "build_id due" },
    Table { name: "slots", columns: "build_id held priority turn wants" },
];

/// Rows of all tables, in the order of [`BUILDS`] and [`BESIDE`].
pub(crate) type Rows = [Vec<Vec<Cell>>; 1 + BESIDE.len()];

impl Cell {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn maybe(text: Option<&String>) -> Self {
        text.map_or(Self::Null, |text| Self::text(text))
    }

    fn number(number: impl TryInto<i64>) -> Self {
        Self::Number(number.try_into().unwrap_or(i64::MAX))
    }

    fn number_or_null(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    fn json(value: &impl Serialize) -> Self {
        Self::Text(serde_json::to_string(value).expect("records can be written"))
    }
}

/// Makes rows of builds.
#[derive(Debug, Clone)]
pub(crate) struct Rower {
    pub(crate) fleet: Fleet,
    pub(crate) rules: Rules,
    /// A moment in the future.
    pub(crate) later: Timestamp,
}

impl Rower {
    /// Makes the rows of all builds and hands them on, chunk by chunk. Returns the number of the last event: those of the last
    /// tenth of the builds are kept.
    pub(crate) async fn in_chunks<E>(
        &self,
        mut load: impl AsyncFnMut(&Rows) -> Result<(), E>,
    ) -> Result<i64, E> {
        let mut number = 1;
        for first in (0..self.fleet.size).step_by(CHUNK) {
            let mut rows = Rows::default();
            for build in first..(first + CHUNK).min(self.fleet.size) {
                let filed = self.fleet.build(build);
                let has_events = build * 10 >= self.fleet.size * 9;
                self.add(&mut rows, &filed, has_events.then_some(number));
                number += if has_events { filed.transitions.len() as i64 } else { 0 };
            }
            load(&rows).await?;
        }
        Ok(number - 1)
    }

    /// Adds the rows of a build. `number` is that of its first event, where it has any left.
    fn add(&self, rows: &mut Rows, filed: &Filed, number: Option<i64>) {
        let build = &filed.build;
        let [builds, documents, streams, bases, components, attempts, traces, events, work, slots] = rows;
        let id = Cell::Number(build.id.0);
        builds.push(self.build(filed));
        let text = build.document().to_yaml();
        let requires = Cell::json(&buildrequires(build.document()));
        documents.push(vec![id.clone(), Cell::Text(document_digest(&text)), Cell::Text(text), requires]);
        streams
            .extend(virtual_streams(build.document()).into_iter().map(|s| vec![id.clone(), Cell::Text(s)]));
        bases.extend(build.new.base_modules.iter().map(|base| {
            let number = self.rules.stream_version(base).map_or(Cell::Null, Cell::Decimal);
            let (version, context) = (Cell::Text(sortable(base.version)), Cell::text(base.context.as_str()));
            let (name, stream) = (Cell::text(base.name.as_str()), Cell::text(base.stream.as_str()));
            vec![id.clone(), name, stream, version, context, number]
        }));
        let changes = Changes::between(None, build);
        components.extend(changes.components.iter().map(component));
        attempts.extend(changes.attempts.iter().map(attempt));
        let changes = StateChange::all_of(build, 0, None, &filed.transitions);
        for (place, change) in (0..).zip(&changes) {
            let (seq, at) = (Cell::number(change.seq), Cell::Time(change.transition.at));
            let state = Cell::number(change.transition.to.number());
            let record = Cell::json(&change.transition);
            traces.push(vec![id.clone(), seq.clone(), at.clone(), state, record]);
            if let Some(number) = number {
                events.push(vec![id.clone(), seq, Cell::Number(number + place), at, Cell::json(change)]);
            }
        }
        work.push(vec![id.clone(), self.due(build.id.0)]);
        let place = build.line.map(|line| place_in_line(build, line, self.rules.tau));
        slots.push(vec![
            id,
            Cell::number(build.slots_held()),
            place.map_or(Cell::Null, |place| Cell::number(place.priority.0)),
            place.map_or(Cell::Null, |place| Cell::Time(place.turn)),
            place.map_or(Cell::Null, |place| Cell::number(place.wants)),
        ]);
    }

    fn due(&self, id: i64) -> Cell {
        let last = self.fleet.size as i64 - id;
        let is_due = last < DUE_LATER as i64;
        let later = self.later + jiff::SignedDuration::from_secs(last);
        if is_due { Cell::Time(later) } else { Cell::Null }
    }

    fn build(&self, filed: &Filed) -> Vec<Cell> {
        let build = &filed.build;
        let columns = BuildColumns::of(build, &self.rules);
        let (head, ..) = build.clone().into_parts();
        vec![
            Cell::Number(build.id.0),
            Cell::Number(filed.transitions.len() as i64),
            Cell::Number(build.dist_index.0),
            Cell::text(&columns.name),
            Cell::text(&columns.stream),
            Cell::text(&columns.version),
            Cell::text(&columns.context),
            Cell::maybe(columns.build_context.as_ref()),
            Cell::maybe(columns.build_context_no_bases.as_ref()),
            Cell::maybe(columns.runtime_context.as_ref()),
            Cell::number(columns.state.number()),
            Cell::maybe(columns.state_reason.as_ref()),
            Cell::maybe(columns.koji_tag.as_ref()),
            Cell::maybe(columns.cg_tag.as_ref()),
            Cell::maybe(columns.scmurl.as_ref()),
            Cell::Flag(columns.scratch),
            Cell::text(&columns.srpms),
            Cell::text(&columns.owner),
            Cell::Time(columns.submitted_at),
            Cell::Time(columns.modified_at),
            columns.completed_at.map_or(Cell::Null, Cell::Time),
            Cell::number_or_null(columns.repo_task.map(|task| task.0)),
            Cell::text(columns.strategy),
            Cell::number_or_null(columns.reuse_from.map(|build| build.0)),
            Cell::number(columns.batch),
            columns.stream_version.map_or(Cell::Null, Cell::Decimal),
            Cell::Flag(is_under_way(build)),
            Cell::Number(filed.transitions.len() as i64),
            Cell::json(&head),
            Cell::Numbers(build.repo_tasks().map(|task| task.0).collect()),
        ]
    }
}

fn component(row: &ComponentRow) -> Vec<Cell> {
    let columns = &row.columns;
    vec![
        Cell::Number(row.id.0),
        Cell::Number(row.build_id.0),
        Cell::number(row.position),
        Cell::text(&columns.package),
        Cell::maybe(columns.scmurl.as_ref()),
        Cell::number_or_null(columns.task.map(|task| task.0)),
        Cell::maybe(columns.commit.as_ref()),
        Cell::number_or_null(columns.state.map(i64::from)),
        Cell::maybe(columns.state_reason.as_ref()),
        Cell::maybe(columns.nvr.as_ref()),
        Cell::Flag(columns.tagged),
        Cell::Flag(columns.tagged_in_final),
        Cell::Flag(columns.build_time_only),
        Cell::Flag(columns.buildonly),
        Cell::number(columns.batch),
        Cell::number_or_null(columns.reused_from),
        Cell::Decimal(columns.weight),
        Cell::json(&row.record),
    ]
}

fn attempt(row: &AttemptRow) -> Vec<Cell> {
    let (id, position) = (Cell::Number(row.component_id.0), Cell::number(row.position));
    vec![id, position, Cell::number_or_null(row.task), Cell::Flag(row.is_live), Cell::json(&row.record)]
}
