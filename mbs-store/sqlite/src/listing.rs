//! Which builds and components a list shows: a filter and an order as SQL.
//!
//! The only file that puts SQL together. It is made of constants alone; values are bound. Which columns there are and what
//! passes is decided by [`mbs_core::store::Condition`]: what holds nothing never passes, nor does a value of another kind than
//! the column's.

use mbs_core::store::{
    BaseFilter, Column, ComponentColumn, ComponentFilter, Condition, Direction, Filter, Order, Page, Value,
    document_digest, sortable_text,
};
use sqlx::{QueryBuilder, Sqlite};

use crate::time::micros;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Decimal,
    Flag,
    Time,
}

/// A column of a query.
type Place = (&'static str, Kind);

/// Returns the query for the ids of a page of builds, in order.
pub(crate) fn builds(filter: &Filter, order: &Order<Column>, page: Page) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT b.id");
    passing(&mut query, filter, order.by.contains(&Column::Document));
    before(&mut query, " AND b.id < ", page);
    sorted(&mut query, order.by.iter().map(|column| place(*column).0), "b.id", order.direction);
    cut(&mut query, page);
    query
}

/// Returns the query for the number of builds that pass.
pub(crate) fn count_of_builds(filter: &Filter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT count(*)");
    passing(&mut query, filter, false);
    query
}

/// Returns the query for a page of components, in order: id, build and record.
pub(crate) fn components(
    filter: &ComponentFilter,
    order: &Order<ComponentColumn>,
    page: Page,
) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT c.id, c.build_id, c.record FROM components c");
    conditions(&mut query, &filter.columns, component_place);
    before(&mut query, " AND c.build_id < ", page);
    sorted(&mut query, order.by.iter().map(|column| component_place(*column).0), "c.id", order.direction);
    cut(&mut query, page);
    query
}

/// Returns the query for the number of components that pass.
pub(crate) fn count_of_components(filter: &ComponentFilter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM components c");
    conditions(&mut query, &filter.columns, component_place);
    query
}

/// Documents are joined only where a condition, or else the order, is about them.
fn passing(query: &mut QueryBuilder<Sqlite>, filter: &Filter, sorts_documents: bool) {
    query.push(" FROM module_builds b");
    if sorts_documents || filter.columns.iter().any(is_about_documents) {
        query.push(" JOIN documents d ON d.build_id = b.id");
    }
    conditions(query, &filter.columns, place);
    if !filter.virtual_streams.is_empty() {
        query.push(" AND b.id IN (SELECT build_id FROM virtual_streams WHERE ");
        any_of(query, ("stream", Kind::Text), filter.virtual_streams.iter().cloned().map(Value::Text));
        query.push(")");
    }
    if filter.base != BaseFilter::default() {
        query.push(" AND b.id IN (SELECT build_id FROM base_modules WHERE 1");
        base(query, &filter.base);
        query.push(")");
    }
}

/// Where the text of a document stands.
const DOCUMENT: &str = "d.text";

fn conditions<C: Copy>(
    query: &mut QueryBuilder<Sqlite>,
    conditions: &[Condition<C>],
    place: impl Fn(C) -> Place,
) {
    query.push(" WHERE 1");
    for condition in conditions {
        query.push(" AND ");
        match condition {
            Condition::AnyOf(column, values) => any_of(query, place(*column), values.iter().cloned()),
            Condition::AtLeast(column, value) => compare(query, place(*column), ">=", value.clone()),
            Condition::AtMost(column, value) => compare(query, place(*column), "<=", value.clone()),
        }
    }
}

fn any_of(
    query: &mut QueryBuilder<Sqlite>,
    (name, kind): Place,
    values: impl Iterator<Item = Value> + Clone,
) {
    if name == DOCUMENT {
        digests(query, values.clone());
    }
    query.push(name).push(" IN (");
    let mut list = query.separated(", ");
    for value in values.filter(|value| kind_of(value) == kind) {
        match value {
            Value::Text(text) => list.push_bind(text),
            Value::Number(number) => list.push_bind(number),
            Value::Decimal(number) => list.push_bind(number),
            Value::Flag(flag) => list.push_bind(flag),
            Value::Time(at) => list.push_bind(micros(at)),
        };
    }
    query.push(")");
}

/// Names the digests of documents, which are indexed, beside their texts.
fn digests(query: &mut QueryBuilder<Sqlite>, values: impl Iterator<Item = Value>) {
    query.push("d.digest IN (");
    let mut list = query.separated(", ");
    for value in values {
        if let Value::Text(text) = value {
            list.push_bind(document_digest(&text));
        }
    }
    query.push(") AND ");
}

fn compare(query: &mut QueryBuilder<Sqlite>, (name, kind): Place, how: &'static str, value: Value) {
    if kind_of(&value) != kind {
        query.push("0");
        return;
    }
    query.push(name).push(how);
    match value {
        Value::Text(text) => query.push_bind(text),
        Value::Number(number) => query.push_bind(number),
        Value::Decimal(number) => query.push_bind(number),
        Value::Flag(flag) => query.push_bind(flag),
        Value::Time(at) => query.push_bind(micros(at)),
    };
}

fn base(query: &mut QueryBuilder<Sqlite>, base: &BaseFilter) {
    let texts =
        [(" AND name = ", &base.name), (" AND stream = ", &base.stream), (" AND context = ", &base.context)];
    for (condition, wanted) in texts {
        if let Some(text) = wanted {
            query.push(condition).push_bind(text.clone());
        }
    }
    match base.version.as_deref().map(sortable_text) {
        Some(Some(version)) => _ = query.push(" AND version = ").push_bind(version),
        Some(None) => _ = query.push(" AND 0"),
        None => {}
    }
    let numbers = [
        (" AND stream_version = ", base.stream_version),
        (" AND stream_version >= ", base.stream_version_at_least),
        (" AND stream_version <= ", base.stream_version_at_most),
    ];
    for (condition, wanted) in numbers {
        if let Some(number) = wanted {
            query.push(condition).push_bind(number);
        }
    }
}

fn before(query: &mut QueryBuilder<Sqlite>, condition: &'static str, page: Page) {
    if let Some(before) = page.before {
        query.push(condition).push_bind(before.0);
    }
}

/// Null counts as the largest. What is sorted by its id needs no other column.
fn sorted(
    query: &mut QueryBuilder<Sqlite>,
    by: impl Iterator<Item = &'static str>,
    id: &'static str,
    direction: Direction,
) {
    let (of_value, of_id) = match direction {
        Direction::Ascending => (" ASC NULLS LAST, ", " ASC"),
        Direction::Descending => (" DESC NULLS FIRST, ", " DESC"),
    };
    query.push(" ORDER BY ");
    // A constant sorts nothing.
    for name in by.take_while(|name| *name != id).filter(|name| !name.starts_with('\'')) {
        query.push(name).push(of_value);
    }
    query.push(id).push(of_id);
}

fn cut(query: &mut QueryBuilder<Sqlite>, page: Page) {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    query.push(" LIMIT ").push_bind(number(page.size() as u64));
    query.push(" OFFSET ").push_bind(number(page.skip));
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Text(_) => Kind::Text,
        Value::Number(_) => Kind::Number,
        Value::Decimal(_) => Kind::Decimal,
        Value::Flag(_) => Kind::Flag,
        Value::Time(_) => Kind::Time,
    }
}

fn is_about_documents(condition: &Condition<Column>) -> bool {
    let (Condition::AnyOf(column, _) | Condition::AtLeast(column, _) | Condition::AtMost(column, _)) =
        condition;
    *column == Column::Document
}

fn place(column: Column) -> Place {
    match column {
        Column::Id => ("b.id", Kind::Number),
        Column::Name => ("b.name", Kind::Text),
        Column::Stream => ("b.stream", Kind::Text),
        Column::Version => ("b.version", Kind::Text),
        Column::Context => ("b.context", Kind::Text),
        Column::BuildContext => ("b.build_context", Kind::Text),
        Column::BuildContextNoBases => ("b.build_context_no_bases", Kind::Text),
        Column::RuntimeContext => ("b.runtime_context", Kind::Text),
        Column::State => ("b.state", Kind::Number),
        Column::StateReason => ("b.state_reason", Kind::Text),
        Column::Document => (DOCUMENT, Kind::Text),
        Column::KojiTag => ("b.koji_tag", Kind::Text),
        Column::CgTag => ("b.cg_tag", Kind::Text),
        Column::ScmUrl => ("b.scmurl", Kind::Text),
        Column::Scratch => ("b.scratch", Kind::Flag),
        Column::Srpms => ("b.srpms", Kind::Text),
        Column::Owner => ("b.owner", Kind::Text),
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

fn component_place(column: ComponentColumn) -> Place {
    match column {
        ComponentColumn::Id => ("c.id", Kind::Number),
        ComponentColumn::Package => ("c.package", Kind::Text),
        ComponentColumn::ScmUrl => ("c.scmurl", Kind::Text),
        ComponentColumn::Format => ("'rpms'", Kind::Text),
        ComponentColumn::Task => ("c.task", Kind::Number),
        ComponentColumn::Ref => ("c.\"commit\"", Kind::Text),
        ComponentColumn::State => ("c.state", Kind::Number),
        ComponentColumn::StateReason => ("c.state_reason", Kind::Text),
        ComponentColumn::Nvr => ("c.nvr", Kind::Text),
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
