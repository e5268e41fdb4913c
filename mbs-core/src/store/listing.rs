//! Which builds or components to list, in which order, and which part of the list.
//!
//! The columns are those that the REST interface filters and sorts by. What a record has in a column says
//! [`BuildColumns`](super::BuildColumns); stores with tables keep exactly these.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Summary;
use crate::ident::{Batch, BuildId, ComponentId, Nvr, Package, TaskId, Weight};
use crate::model::{BuildState, ComponentSource};

/// The largest part of a list that is given at once; more is cut to it.
pub const MOST_LISTED: usize = 1_000;

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A number.
    Decimal(f64),
    /// True or false.
    Flag(bool),
    /// A moment.
    Time(Timestamp),
}

impl Value {
    /// Compares values of one kind, text by code points; `None` for those of two kinds.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
            (Value::Number(one), Value::Number(other)) => Some(one.cmp(other)),
            (Value::Decimal(one), Value::Decimal(other)) => one.partial_cmp(other),
            (Value::Flag(one), Value::Flag(other)) => Some(one.cmp(other)),
            (Value::Time(one), Value::Time(other)) => Some(one.cmp(other)),
            (Value::Text(_) | Value::Number(_) | Value::Decimal(_) | Value::Flag(_) | Value::Time(_), _) => {
                None
            }
        }
    }
}

/// A column of module builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Its id, a number.
    Id,
    /// Its name.
    Name,
    /// Its stream.
    Stream,
    /// Its version: twenty digits ([`sortable_text`](super::sortable_text)), sorted as a number.
    Version,
    /// Its context.
    Context,
    /// The hash of its buildrequires.
    BuildContext,
    /// The same without base modules.
    BuildContextNoBases,
    /// The hash of its runtime requires.
    RuntimeContext,
    /// The number of its state.
    State,
    /// The last reason given.
    StateReason,
    /// Its document, as text.
    Document,
    /// The destination tag.
    KojiTag,
    /// The tag its import goes into.
    CgTag,
    /// Where it was submitted from.
    ScmUrl,
    /// Whether it is a try only.
    Scratch,
    /// The source RPMs that the user gave: a list as JSON text.
    Srpms,
    /// Who submitted it.
    Owner,
    /// When it was submitted.
    TimeSubmitted,
    /// When its state last changed.
    TimeModified,
    /// When it ended.
    TimeCompleted,
    /// The last repository task, a number.
    RepoTask,
    /// What is built again, by the name that REST uses.
    Strategy,
    /// The build that components are taken from, a number.
    ReuseFrom,
    /// The batch being built, a number.
    Batch,
    /// The number of a base module's stream, a decimal.
    StreamVersion,
}

impl Column {
    /// All columns.
    pub const ALL: [Column; 25] = [
        Column::Id,
        Column::Name,
        Column::Stream,
        Column::Version,
        Column::Context,
        Column::BuildContext,
        Column::BuildContextNoBases,
        Column::RuntimeContext,
        Column::State,
        Column::StateReason,
        Column::Document,
        Column::KojiTag,
        Column::CgTag,
        Column::ScmUrl,
        Column::Scratch,
        Column::Srpms,
        Column::Owner,
        Column::TimeSubmitted,
        Column::TimeModified,
        Column::TimeCompleted,
        Column::RepoTask,
        Column::Strategy,
        Column::ReuseFrom,
        Column::Batch,
        Column::StreamVersion,
    ];
}

/// A column of component builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComponentColumn {
    /// Its id, a number.
    Id,
    /// Its package.
    Package,
    /// Where its source is.
    ScmUrl,
    /// What is built: always `rpms`.
    Format,
    /// The latest task, a number.
    Task,
    /// The commit that is built.
    Ref,
    /// The number of its state.
    State,
    /// Why it is in it.
    StateReason,
    /// What was built.
    Nvr,
    /// Whether it is in the build tag.
    Tagged,
    /// Whether it is in the destination tag.
    TaggedInFinal,
    /// Whether it never goes into the destination tag.
    BuildTimeOnly,
    /// Whether its RPMs are filtered from the module.
    Buildonly,
    /// Its batch, a number.
    Batch,
    /// The module build it belongs to, a number.
    ModuleBuild,
    /// The component that it is taken from, a number.
    ReusedFrom,
    /// Its expected cost, a decimal.
    Weight,
}

impl ComponentColumn {
    /// All columns.
    pub const ALL: [ComponentColumn; 17] = [
        ComponentColumn::Id,
        ComponentColumn::Package,
        ComponentColumn::ScmUrl,
        ComponentColumn::Format,
        ComponentColumn::Task,
        ComponentColumn::Ref,
        ComponentColumn::State,
        ComponentColumn::StateReason,
        ComponentColumn::Nvr,
        ComponentColumn::Tagged,
        ComponentColumn::TaggedInFinal,
        ComponentColumn::BuildTimeOnly,
        ComponentColumn::Buildonly,
        ComponentColumn::Batch,
        ComponentColumn::ModuleBuild,
        ComponentColumn::ReusedFrom,
        ComponentColumn::Weight,
    ];
}

/// What a column must hold. What holds nothing (null) never passes, nor does a value of another kind than the column's.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition<C> {
    /// Exactly one of these; of none nothing passes.
    AnyOf(C, Vec<Value>),
    /// This or more; later for times.
    AtLeast(C, Value),
    /// This or less; earlier for times.
    AtMost(C, Value),
}

impl<C: Copy> Condition<C> {
    /// Says whether a row passes that has these values in its columns; `None` is null.
    pub fn holds(&self, value: impl Fn(C) -> Option<Value>) -> bool {
        let against = |column: C, wanted: &Value| value(column).and_then(|value| value.compare(wanted));
        match self {
            Condition::AnyOf(column, any) => {
                any.iter().any(|wanted| against(*column, wanted).is_some_and(Ordering::is_eq))
            }
            Condition::AtLeast(column, least) => against(*column, least).is_some_and(Ordering::is_ge),
            Condition::AtMost(column, most) => against(*column, most).is_some_and(Ordering::is_le),
        }
    }
}

/// Which module builds to list; everything given must hold. The default lets all pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// What columns must hold.
    pub columns: Vec<Condition<Column>>,
    /// Providing one of these virtual streams; empty: any build.
    pub virtual_streams: Vec<String>,
    /// Buildrequiring a base module build of which all this holds.
    pub base: BaseFilter,
}

/// Which base module build is buildrequired; everything given must hold of the same one. The default lets all pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BaseFilter {
    /// Its name.
    pub name: Option<String>,
    /// Its stream.
    pub stream: Option<String>,
    /// Its version, in digits.
    pub version: Option<String>,
    /// Its context.
    pub context: Option<String>,
    /// The number of its stream.
    pub stream_version: Option<f64>,
    /// The least number of its stream.
    pub stream_version_at_least: Option<f64>,
    /// The largest number of its stream.
    pub stream_version_at_most: Option<f64>,
}

/// Which component builds to list; everything given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComponentFilter {
    /// What columns must hold.
    pub columns: Vec<Condition<ComponentColumn>>,
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The least first, null last.
    Ascending,
    /// The largest first, null before it.
    #[default]
    Descending,
}

/// How a list is sorted: by these columns, then by id. The default is by id, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Order<C> {
    /// The columns, the first counts most.
    pub by: Vec<C>,
    /// Which way, id included.
    pub direction: Direction,
}

impl<C> Default for Order<C> {
    fn default() -> Self {
        Self { by: Vec::new(), direction: Direction::Descending }
    }
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only ids below this, which costs the same on every page of a list by id, newest first; `None`: any id.
    pub before: Option<BuildId>,
    /// So many of the list are left out.
    pub skip: u64,
    /// At most so many, and at most [`MOST_LISTED`].
    pub limit: usize,
}

impl Page {
    /// Makes a page of the first rows.
    pub fn first(limit: usize) -> Self {
        Self { before: None, skip: 0, limit }
    }

    /// Returns how many rows it has at most.
    pub fn size(&self) -> usize {
        self.limit.min(MOST_LISTED)
    }
}

/// A build in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedBuild {
    /// Its id.
    pub id: BuildId,
    /// Its summary.
    pub summary: Summary,
    /// Builds of the same name, stream, version and scratch-ness, smallest id first, itself left out.
    pub siblings: Vec<BuildId>,
}

/// A component in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedComponent {
    /// Its id.
    pub id: ComponentId,
    /// The module build it belongs to.
    pub build: BuildId,
    /// The package.
    pub package: Package,
    /// Where its source is.
    pub source: ComponentSource,
    /// Its state; `None`: not started.
    pub state: Option<BuildState>,
    /// Why it is in it.
    pub reason: Option<String>,
    /// What was built or is reused.
    pub nvr: Option<Nvr>,
    /// The latest task.
    pub task: Option<TaskId>,
    /// Its batch.
    pub batch: Batch,
    /// Expected cost.
    pub weight: Weight,
}
