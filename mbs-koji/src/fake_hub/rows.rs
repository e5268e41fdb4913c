//! Set-up from what a hub has said: rows as its calls answer them become rows of this one, ids and times included.

mod build;
mod tag;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FakeHub;
use super::state::{Id, State};
use super::time::Moment;
use crate::xmlrpc::{Struct, Value};

/// What a row is about: the call that answers such rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// `getTag`, `listTags`. Extra data are replaced if the row has them.
    Tag,
    /// `getInheritanceData`.
    Link,
    /// `listPackages`, `getPackageConfig`.
    Package,
    /// `getTagGroups`.
    Group,
    /// `getBuildTarget`.
    Target,
    /// `getTagExternalRepos`.
    External,
    /// `getBuild`, `listBuilds`, `listTagged`; with `tag_id` and `create_event` the build is in that tag, with
    /// `logs` (a list of paths) it has those.
    Build,
    /// `getRPM`, `listBuildRPMs`; with `headers` (a struct) and `dependencies` (a list) also those.
    Rpm,
    /// `listArchives`.
    Archive,
    /// `getTaskInfo`; with `request` and `result` (a list of one, or a fault as a struct) also those.
    Task,
    /// `repoInfo`.
    Repo,
    /// `getUser`; with `permissions` (a list of names) also those.
    User,
    /// `getAllPerms`.
    Permission,
    /// `getPackage`.
    PackageName,
    /// `listBTypes`.
    BuildType,
    /// `getLastEvent`.
    Event,
    /// A session: `id`, `key`, `user_id`.
    Session,
    /// `listHosts`.
    Host,
    /// `getChannel`.
    Channel,
}

impl FakeHub {
    /// Adds what a row says, over what was known of it. Members that are missing keep what was known.
    pub fn plant_row(&self, kind: RowKind, row: &Struct) {
        self.plant(|state| add(state, kind, &Row(row)));
    }

    /// Lets all ids that the hub gives from here on be above a number, but for those of events: rows from elsewhere can then be
    /// planted at any time.
    pub fn plant_ids_above(&self, floor: i64) {
        self.plant(|state| state.raise_floor(floor));
    }

    /// Returns the newest event.
    pub fn last_event(&self) -> i64 {
        self.shared.inner().state.last_event().0
    }
}

/// A row to read from.
struct Row<'r>(&'r Struct);

impl<'r> Row<'r> {
    fn value(&self, name: &str) -> Option<&'r Value> {
        self.0.member(name).filter(|value| !value.is_nil())
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.value(name)?.as_int()
    }

    fn text(&self, name: &str) -> Option<&'r str> {
        self.value(name)?.as_str()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.value(name)?.as_bool()
    }

    fn moment(&self, name: &str) -> Option<Moment> {
        self.value(&format!("{name}_ts")).and_then(Value::as_double).map(Moment::of_seconds).or_else(|| {
            let text = self.text(&format!("{name}_time"))?.replacen(' ', "T", 1);
            text.parse::<jiff::Timestamp>().ok().map(Moment::of)
        })
    }
}

fn add(state: &mut State, kind: RowKind, row: &Row<'_>) {
    // What was so before anybody looked has been so since the beginning, unless the row says since when.
    state.begin_at(1);
    match kind {
        RowKind::Tag => tag::tag(state, row),
        RowKind::Link => tag::link(state, row),
        RowKind::Package => tag::package(state, row),
        RowKind::Group => tag::group(state, row),
        RowKind::Target => tag::target(state, row),
        RowKind::External => tag::external(state, row),
        RowKind::Build => build::build(state, row),
        RowKind::Rpm => build::rpm(state, row),
        RowKind::Archive => build::archive(state, row),
        RowKind::Task => task::task(state, row),
        RowKind::Repo => task::repo(state, row),
        RowKind::User => task::user(state, row),
        RowKind::Session => task::session(state, row),
        RowKind::Permission => named(row, |id, name| state.permissions.set(id, name)),
        RowKind::PackageName => named(row, |id, name| state.packages.set(id, name)),
        RowKind::BuildType => named(row, |id, name| state.build_types.set(id, name)),
        RowKind::Host => kept(row, &mut state.hosts),
        RowKind::Channel => kept(row, &mut state.channels),
        RowKind::Event => event(state, row.int("id"), row.value("ts").and_then(Value::as_double)),
    }
}

fn kept(row: &Row<'_>, rows: &mut Arc<BTreeMap<Id, Struct>>) {
    if let Some(id) = row.int("id") {
        Arc::make_mut(rows).insert(id, row.0.clone());
    }
}

fn named(row: &Row<'_>, set: impl FnOnce(Id, &str)) {
    if let (Some(id), Some(name)) = (row.int("id"), row.text("name")) {
        set(id, name);
    }
}

/// Notes an event; without a time, that it was at the hub's present.
fn event(state: &mut State, id: Option<Id>, seconds: Option<f64>) {
    let Some(id) = id else { return };
    if seconds.is_some() || !state.has_event(id) {
        let at = seconds.map_or(state.now, Moment::of_seconds);
        state.plant_event(id, at);
    }
}
