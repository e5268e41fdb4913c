//! What columns must hold, as conditions of a query. Every value is bound.

use mbs_core::store::{
    BaseFilter, Column, ComponentColumn, Condition, Value, document_digest, sortable_text,
};
use sqlx::{Postgres, QueryBuilder};

use crate::text::{bounded, plain};
use crate::time::sql;

pub(super) type Query = QueryBuilder<Postgres>;

/// So many characters of a long text are indexed.
const BEGINNING: usize = 200;

/// How a column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text of bounded length.
    Text,
    /// Text of any length; its first 200 characters are indexed.
    LongText,
    /// The text of the document, in a table of its own.
    Document,
    Number,
    Decimal,
    Flag,
    Time,
}

/// A column of a table, by its name there.
pub(super) trait Listed: Copy {
    fn column(self) -> (&'static str, Kind);

    /// Says whether it is the id of a row, which tells all rows apart.
    fn is_id(self) -> bool;
}

impl Listed for Column {
    fn is_id(self) -> bool {
        self == Column::Id
    }

    fn column(self) -> (&'static str, Kind) {
        match self {
            Column::Id => ("b.id", Kind::Number),
            Column::Name => ("b.name", Kind::Text),
            Column::Stream => ("b.stream", Kind::Text),
            Column::Version => ("b.version", Kind::Text),
            Column::Context => ("b.context", Kind::Text),
            Column::BuildContext => ("b.build_context", Kind::Text),
            Column::BuildContextNoBases => ("b.build_context_no_bases", Kind::Text),
            Column::RuntimeContext => ("b.runtime_context", Kind::Text),
            Column::State => ("b.state", Kind::Number),
            Column::StateReason => ("b.state_reason", Kind::LongText),
            Column::Document => ("d.text", Kind::Document),
            Column::KojiTag => ("b.koji_tag", Kind::Text),
            Column::CgTag => ("b.cg_tag", Kind::Text),
            Column::ScmUrl => ("b.scmurl", Kind::LongText),
            Column::Scratch => ("b.scratch", Kind::Flag),
            Column::Srpms => ("b.srpms", Kind::LongText),
            Column::Owner => ("b.owner", Kind::LongText),
            Column::TimeSubmitted => ("b.submitted_at", Kind::Time),
            Column::TimeModified => ("b.modified_at", Kind::Time),
            Column::TimeCompleted => ("b.completed_at", Kind::Time),
            Column::RepoTask => ("b.repo_task", Kind::Number),
            Column::Strategy => ("b.strategy", Kind::Text),
            Column::ReuseFrom => ("b.reuse_from", Kind::Number),
            Column::Batch => ("b.batch", Kind::Number),
            Column::StreamVersion => ("b.stream_version", Kind::Decimal),
        }
    }
}

impl Listed for ComponentColumn {
    fn is_id(self) -> bool {
        self == ComponentColumn::Id
    }

    fn column(self) -> (&'static str, Kind) {
        match self {
            ComponentColumn::Id => ("c.id", Kind::Number),
            ComponentColumn::Package => ("c.package", Kind::Text),
            ComponentColumn::ScmUrl => ("c.scmurl", Kind::LongText),
            ComponentColumn::Format => ("'rpms'", Kind::Text),
            ComponentColumn::Task => ("c.task", Kind::Number),
            ComponentColumn::Ref => ("c.commit", Kind::Text),
            ComponentColumn::State => ("c.state", Kind::Number),
            ComponentColumn::StateReason => ("c.state_reason", Kind::LongText),
            ComponentColumn::Nvr => ("c.nvr", Kind::LongText),
            ComponentColumn::Tagged => ("c.tagged", Kind::Flag),
            ComponentColumn::TaggedInFinal => ("c.tagged_in_final", Kind::Flag),
            ComponentColumn::BuildTimeOnly => ("c.build_time_only", Kind::Flag),
            ComponentColumn::Buildonly => ("c.buildonly", Kind::Flag),
            ComponentColumn::Batch => ("c.batch", Kind::Number),
            ComponentColumn::ModuleBuild => ("c.build_id", Kind::Number),
            ComponentColumn::ReusedFrom => ("c.reused_from", Kind::Number),
            ComponentColumn::Weight => ("c.weight", Kind::Decimal),
        }
    }
}

/// Returns the column that a condition is about.
pub(super) fn column_of<C: Copy>(condition: &Condition<C>) -> C {
    match condition {
        Condition::AnyOf(column, _) | Condition::AtLeast(column, _) | Condition::AtMost(column, _) => *column,
    }
}

/// Says whether conditions are about a document.
pub(super) fn need_document(conditions: &[Condition<Column>]) -> bool {
    conditions.iter().any(|condition| column_of(condition).column().1 == Kind::Document)
}

/// Adds a condition.
pub(super) fn push_condition<C: Listed>(query: &mut Query, condition: &Condition<C>) {
    let (name, kind) = column_of(condition).column();
    match condition {
        Condition::AnyOf(_, values) => push_any_of(query, (name, kind), values),
        Condition::AtLeast(_, value) => push_comparison(query, (name, kind), (">=", value)),
        Condition::AtMost(_, value) => push_comparison(query, (name, kind), ("<=", value)),
    }
}

/// Adds that a build provides one of these virtual streams, where there are any.
pub(super) fn push_virtual_streams(query: &mut Query, streams: &[String]) {
    if !streams.is_empty() {
        let streams: Vec<String> = streams.iter().map(|stream| bounded(stream)).collect();
        query.push(" AND b.id IN (SELECT build_id FROM virtual_streams WHERE stream = ANY(");
        query.push_bind(streams).push("))");
    }
}

/// Adds what a base module build must be, of the table `base`.
pub(super) fn push_base(query: &mut Query, base: &BaseFilter) {
    let version = base.version.as_ref().map(|text| sortable_text(text).unwrap_or_default());
    for (column, text) in [
        (" AND base.name = ", &base.name),
        (" AND base.stream = ", &base.stream),
        (" AND base.version = ", &version),
        (" AND base.context = ", &base.context),
    ] {
        if let Some(text) = text {
            query.push(column).push_bind(plain(text).into_owned());
        }
    }
    for (comparison, number) in [
        (" AND base.stream_version = ", base.stream_version),
        (" AND base.stream_version >= ", base.stream_version_at_least),
        (" AND base.stream_version <= ", base.stream_version_at_most),
    ] {
        match number {
            None => {}
            Some(number) if number.is_nan() => drop(query.push(" AND false")),
            Some(number) => drop(query.push(comparison).push_bind(number)),
        }
    }
}

/// The values of one condition that are of the column's kind.
enum Values {
    Texts(Vec<String>),
    Numbers(Vec<i64>),
    Decimals(Vec<f64>),
    Flags(Vec<bool>),
    Times(Vec<jiff_sqlx::Timestamp>),
}

impl Values {
    fn of(kind: Kind, values: &[Value]) -> Self {
        fn pick<T>(values: &[Value], pick: impl Fn(&Value) -> Option<T>) -> Vec<T> {
            values.iter().filter_map(pick).collect()
        }
        match kind {
            Kind::Text => Self::Texts(pick(values, |value| match value {
                Value::Text(text) => Some(bounded(text)),
                _ => None,
            })),
            Kind::LongText | Kind::Document => Self::Texts(pick(values, |value| match value {
                Value::Text(text) => Some(plain(text).into_owned()),
                _ => None,
            })),
            Kind::Number => Self::Numbers(pick(values, |value| match value {
                Value::Number(number) => Some(*number),
                _ => None,
            })),
            Kind::Decimal => Self::Decimals(pick(values, |value| match value {
                // What is no number compares with nothing, but PostgreSQL takes it for the largest.
                Value::Decimal(number) if !number.is_nan() => Some(*number),
                _ => None,
            })),
            Kind::Flag => Self::Flags(pick(values, |value| match value {
                Value::Flag(flag) => Some(*flag),
                _ => None,
            })),
            Kind::Time => Self::Times(pick(values, |value| match value {
                Value::Time(time) => Some(sql(*time)),
                _ => None,
            })),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Texts(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Decimals(values) => values.len(),
            Self::Flags(values) => values.len(),
            Self::Times(values) => values.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bind(self, query: &mut Query) {
        match self {
            Self::Texts(values) => query.push_bind(values),
            Self::Numbers(values) => query.push_bind(values),
            Self::Decimals(values) => query.push_bind(values),
            Self::Flags(values) => query.push_bind(values),
            Self::Times(values) => query.push_bind(values),
        };
    }

    /// Binds the only value, so that the database sees one value and not a list of one.
    fn bind_one(mut self, query: &mut Query) {
        match &mut self {
            Self::Texts(values) => query.push_bind(values.pop()),
            Self::Numbers(values) => query.push_bind(values.pop()),
            Self::Decimals(values) => query.push_bind(values.pop()),
            Self::Flags(values) => query.push_bind(values.pop()),
            Self::Times(values) => query.push_bind(values.pop()),
        };
    }
}

fn push_any_of(query: &mut Query, (name, kind): (&'static str, Kind), any: &[Value]) {
    let values = Values::of(kind, any);
    if values.is_empty() {
        query.push(" AND false");
        return;
    }
    if push_indexed(query, (name, kind), &values) == Says::All {
        return;
    }
    query.push(" AND ").push(name);
    push_equal(query, values);
}

/// Adds that what stands before is one of these.
fn push_equal(query: &mut Query, values: Values) {
    if values.len() == 1 {
        query.push(" = ");
        values.bind_one(query);
    } else {
        query.push(" = ANY(");
        values.bind(query);
        query.push(")");
    }
}

/// Whether what an index says of a text is all there is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    All,
    Part,
}

/// Names what is indexed of a long text. A beginning that is shorter than it may be is the whole text, and to name that once
/// more would let the database expect far too few rows.
fn push_indexed(query: &mut Query, (name, kind): (&'static str, Kind), values: &Values) -> Says {
    let Values::Texts(texts) = values else { return Says::Part };
    match kind {
        Kind::LongText => {
            let beginnings = texts.iter().map(|text| text.chars().take(BEGINNING).collect()).collect();
            query.push(" AND left(").push(name).push(", 200)");
            push_equal(query, Values::Texts(beginnings));
            let is_whole = |text: &String| text.chars().count() < BEGINNING;
            if texts.iter().all(is_whole) { Says::All } else { Says::Part }
        }
        Kind::Document => {
            query.push(" AND d.digest");
            push_equal(query, Values::Texts(texts.iter().map(|text| document_digest(text)).collect()));
            Says::Part
        }
        Kind::Text | Kind::Number | Kind::Decimal | Kind::Flag | Kind::Time => Says::Part,
    }
}

fn push_comparison(
    query: &mut Query,
    (name, kind): (&'static str, Kind),
    (comparison, value): (&'static str, &Value),
) {
    let values = Values::of(kind, std::slice::from_ref(value));
    if values.is_empty() {
        query.push(" AND false");
        return;
    }
    query.push(" AND ").push(name).push(" ").push(comparison).push(" ");
    values.bind_one(query);
}
