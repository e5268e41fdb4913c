//! Which ids a page has, as a query.
//!
//! A page sorted by id ends as soon as it is full, and the database looks for it from one end, supposing that what passes is
//! spread evenly. It seldom is: old times, owners and streams lie at the other end, behind everything that does not pass. Only
//! where one index gives the ids of one value in order nothing can go wrong. All else is asked of one stretch of ids after the
//! other: there an index on the number of the stretch and a time, or on a column and the id, says at once that nothing of it
//! passes. The same goes for components of builds below an id.

use mbs_core::store::{
    BaseFilter, Column, ComponentColumn, ComponentFilter, Condition, Direction, Filter, Order, Page,
};

use super::conditions::{
    Kind, Listed, Query, column_of, need_document, push_base, push_condition, push_virtual_streams,
};

/// Ids of a table in stretches, as its indexes have them.
#[derive(Debug, Clone, Copy)]
struct Stretches {
    /// All their numbers, from the largest.
    numbers: &'static str,
    /// Says that an id behind it is in the stretch.
    inside: &'static str,
    /// The same, for indexes on other columns and the id: each is read once in all.
    between: &'static str,
}

const OF_BUILDS: Stretches = Stretches {
    numbers: "generate_series((SELECT max(id) / 2000 FROM module_builds), 0, -1)",
    inside: " / 2000 = s.stretch",
    between: " BETWEEN s.stretch * 2000 AND s.stretch * 2000 + 1999",
};

const OF_COMPONENTS: Stretches = Stretches {
    numbers: "generate_series((SELECT max(id) / 5000 FROM components), 0, -1)",
    inside: " / 5000 = s.stretch",
    between: " BETWEEN s.stretch * 5000 AND s.stretch * 5000 + 4999",
};

/// Where ids of builds come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Builds,
    /// Base module builds alone, which are indexed with the ids of the builds that require them.
    Bases,
    /// Base module builds, and the builds that require them.
    BasesAndBuilds,
}

/// Returns the query for the ids of a page of builds, in order.
pub(super) fn of_builds(filter: &Filter, order: &Order<Column>, page: Page) -> Query {
    let is_by_id = order.by.first().is_none_or(|column| *column == Column::Id);
    let source = Source::of(filter, is_by_id);
    let mut query = Query::new("");
    if is_by_id && is_uneven(filter) {
        OF_BUILDS.begin(&mut query, order.direction);
        source.push(&mut query, filter, order);
        push_inside(&mut query, source, filter);
        push_before(&mut query, source.id(), page);
        if filter.columns.iter().any(is_range_of_times) || has_range(&filter.base) {
            // No index has what passes by id, and to look for it there is what shall not be.
            query.push(" OFFSET 0");
        } else {
            query.push(" ORDER BY ").push(source.id()).push(way(order.direction));
            query.push(" LIMIT ").push_bind(number(page.skip.saturating_add(page.size() as u64)));
        }
        end_stretches(&mut query, order.direction);
    } else {
        source.push(&mut query, filter, order);
        push_before(&mut query, source.id(), page);
        push_order(&mut query, source.id(), order);
    }
    push_cut(&mut query, page);
    query
}

/// Returns the query for the ids of a page of components, in order.
pub(super) fn of_components(filter: &ComponentFilter, order: &Order<ComponentColumn>, page: Page) -> Query {
    let is_by_id = order.by.first().is_none_or(|column| *column == ComponentColumn::Id);
    let mut query = Query::new("");
    let push = |query: &mut Query| {
        query.push("SELECT c.id FROM components c WHERE true");
        filter.columns.iter().for_each(|condition| push_condition(query, condition));
        push_before(query, "c.build_id", page);
    };
    if is_by_id && page.before.is_some() {
        OF_COMPONENTS.begin(&mut query, order.direction);
        push(&mut query);
        query.push(" AND c.id").push(OF_COMPONENTS.inside);
        if !filter.columns.is_empty() {
            query.push(" AND c.id").push(OF_COMPONENTS.between);
        }
        query.push(" OFFSET 0");
        end_stretches(&mut query, order.direction);
    } else {
        push(&mut query);
        push_order(&mut query, "c.id", order);
    }
    push_cut(&mut query, page);
    query
}

/// Adds from where builds are counted, and which of them.
pub(super) fn push_counted(query: &mut Query, filter: &Filter) {
    query.push(" FROM module_builds b");
    push_filter(query, filter, need_document(&filter.columns));
    push_required(query, filter);
}

impl Source {
    fn of(filter: &Filter, is_by_id: bool) -> Self {
        if filter.base == BaseFilter::default() || !is_by_id {
            Self::Builds
        } else if filter.columns.is_empty() && filter.virtual_streams.is_empty() {
            Self::Bases
        } else {
            Self::BasesAndBuilds
        }
    }

    /// The id that is sorted by.
    fn id(self) -> &'static str {
        match self {
            Self::Builds => "b.id",
            Self::Bases | Self::BasesAndBuilds => "base.build_id",
        }
    }

    fn push(self, query: &mut Query, filter: &Filter, order: &Order<Column>) {
        let documents = need_document(&filter.columns) || order.by.contains(&Column::Document);
        match self {
            Self::Builds => {
                query.push("SELECT b.id FROM module_builds b");
                push_filter(query, filter, documents);
                push_required(query, filter);
            }
            Self::Bases => {
                query.push("SELECT DISTINCT base.build_id AS id FROM base_modules base WHERE true");
                push_base(query, &filter.base);
            }
            Self::BasesAndBuilds => {
                query.push(
                    "SELECT DISTINCT base.build_id AS id
                     FROM base_modules base JOIN module_builds b ON b.id = base.build_id",
                );
                push_filter(query, filter, documents);
                push_base(query, &filter.base);
            }
        }
    }
}

impl Stretches {
    /// Begins a query that asks one stretch after the other, up to what it asks of the stretch `s.stretch`.
    fn begin(self, query: &mut Query, direction: Direction) {
        query.push("SELECT m.id FROM (SELECT stretch FROM ").push(self.numbers);
        query.push(" AS stretch ORDER BY stretch").push(way(direction));
        query.push(") s CROSS JOIN LATERAL (");
    }
}

/// Keeps to the stretch in the words of those indexes that shall be read.
fn push_inside(query: &mut Query, source: Source, filter: &Filter) {
    if filter.columns.iter().any(is_range_of_times) {
        query.push(" AND b.id").push(OF_BUILDS.inside);
    }
    if !filter.columns.iter().all(is_range_of_times) {
        query.push(" AND b.id").push(OF_BUILDS.between);
    }
    if has_range(&filter.base) {
        query.push(" AND base.build_id").push(OF_BUILDS.inside);
    } else if source != Source::Builds {
        query.push(" AND base.build_id").push(OF_BUILDS.between);
    }
}

/// Ends what is asked of a stretch, by a LIMIT or an OFFSET before it: these keep the database from asking all stretches at once.
fn end_stretches(query: &mut Query, direction: Direction) {
    query.push(") m ORDER BY s.stretch").push(way(direction));
    query.push(", m.id").push(way(direction));
}

/// Says whether the database, left alone, might read nearly all builds for a page sorted by id.
fn is_uneven(filter: &Filter) -> bool {
    let is_long = |condition: &Condition<Column>| column_of(condition).column().1 == Kind::LongText;
    match &filter.columns[..] {
        [] => has_range(&filter.base),
        [condition] => {
            filter.base != BaseFilter::default() || is_range_of_times(condition) || is_long(condition)
        }
        _ => true,
    }
}

fn is_range_of_times(condition: &Condition<Column>) -> bool {
    let is_range = matches!(condition, Condition::AtLeast(..) | Condition::AtMost(..));
    is_range && column_of(condition).column().1 == Kind::Time
}

fn has_range(base: &BaseFilter) -> bool {
    base.stream_version_at_least.is_some() || base.stream_version_at_most.is_some()
}

fn push_filter(query: &mut Query, filter: &Filter, documents: bool) {
    query.push(if documents { " JOIN documents d ON d.build_id = b.id WHERE true" } else { " WHERE true" });
    filter.columns.iter().for_each(|condition| push_condition(query, condition));
    push_virtual_streams(query, &filter.virtual_streams);
}

fn push_required(query: &mut Query, filter: &Filter) {
    if filter.base != BaseFilter::default() {
        query.push(" AND b.id IN (SELECT base.build_id FROM base_modules base WHERE true");
        push_base(query, &filter.base);
        query.push(")");
    }
}

fn push_before(query: &mut Query, id: &'static str, page: Page) {
    if let Some(before) = page.before {
        query.push(" AND ").push(id).push(" < ").push_bind(before.0);
    }
}

/// Sorts. PostgreSQL's own order has null where it should be; what is sorted by its id needs no other column.
fn push_order<C: Listed>(query: &mut Query, id: &'static str, order: &Order<C>) {
    query.push(" ORDER BY ");
    for column in order.by.iter().take_while(|column| !column.is_id()) {
        match column.column() {
            (name, Kind::LongText | Kind::Document) => query.push("left(").push(name).push(", 200)"),
            // A constant sorts nothing.
            ("'rpms'", _) => continue,
            (name, _) => query.push(name),
        };
        query.push(way(order.direction)).push(", ");
    }
    query.push(id).push(way(order.direction));
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => " ASC",
        Direction::Descending => " DESC",
    }
}

fn push_cut(query: &mut Query, page: Page) {
    query.push(" LIMIT ").push_bind(number(page.size() as u64));
    query.push(" OFFSET ").push_bind(number(page.skip));
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
