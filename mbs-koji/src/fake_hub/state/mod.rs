//! What the hub knows: plain data with methods by noun. It reads no clock and does no I/O; the time of a call is told to it.
//!
//! A copy costs a few counters, so a copy made before a call is its savepoint. Most of it are rows that events make and revoke
//! ([`table`]): a query at an event sees what counted then.

mod build;
mod cg;
mod external;
mod group;
mod history;
mod inherit;
mod names;
mod package;
mod repo;
mod rpm;
mod session;
mod table;
mod tag;
mod tagged;
mod target;
mod task;
mod upload;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use build::{Archive, Build, NewBuild, build_state};
pub(crate) use external::ExternalRepo;
pub(crate) use group::{Group, GroupSettings};
pub(crate) use history::{HistoryQuery, TABLES};
pub(crate) use inherit::{Link, Walked};
pub(crate) use names::Names;
pub(crate) use package::{Listed, PackageEntry};
pub(crate) use repo::{Repo, RepoRequest, repo_state};
pub(crate) use rpm::Rpm;
pub(crate) use session::{Claim, Session, authtype};
pub(crate) use table::{Entry, Stamp, Table};
pub(crate) use tag::TagSettings;
pub(crate) use tagged::{Tagged, TaggedQuery};
pub(crate) use target::Target;
pub(crate) use task::{NewTask, Task, task_state};
pub(crate) use upload::{Upload, WORK, path as upload_path};
pub(crate) use user::User;

use super::messages::News;
use super::time::Moment;
use crate::xmlrpc::{Fault, FaultCode, Struct, Value};

/// An id of the hub's database.
pub(crate) type Id = i64;

/// What a call answers.
pub(crate) type Answer<T = Value> = Result<T, Fault>;

/// Makes the hub's usual no.
pub(crate) fn refuse(text: impl Into<String>) -> Fault {
    Fault::new(FaultCode::GenericError, text)
}

/// RPM names in the groups of tags: whether they are blocked, and their type.
type GroupPackages = Table<(Id, Id, Arc<str>), (bool, Arc<str>)>;

/// The hub's database.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The time of the call under way.
    pub(crate) now: Moment,
    /// Who calls; 0 is nobody.
    pub(crate) actor: Id,
    /// Whether the call has written something.
    pub(crate) is_changed: bool,
    event_of_call: Option<Id>,
    events: Arc<BTreeMap<Id, Moment>>,

    pub(crate) users: Arc<BTreeMap<Id, User>>,
    pub(crate) permissions: Names,
    pub(crate) user_permissions: Table<(Id, Id), ()>,
    pub(crate) sessions: Arc<BTreeMap<Id, Session>>,

    pub(crate) tags: Names,
    pub(crate) tag_settings: Table<Id, TagSettings>,
    pub(crate) tag_extra: Table<(Id, Arc<str>), Value>,
    pub(crate) inheritance: Table<(Id, Id), Link>,
    pub(crate) packages: Names,
    pub(crate) listed: Table<(Id, Id), Listed>,
    pub(crate) owners: Table<(Id, Id), Id>,
    pub(crate) groups: Names,
    pub(crate) group_settings: Table<(Id, Id), GroupSettings>,
    pub(crate) group_packages: GroupPackages,
    pub(crate) targets: Names,
    pub(crate) target_settings: Table<Id, Target>,
    pub(crate) tagged: Table<(Id, Id), ()>,
    pub(crate) externals: Names,
    pub(crate) external_urls: Table<Id, Arc<str>>,
    pub(crate) tag_externals: Table<(Id, Id), ExternalRepo>,

    pub(crate) generators: Names,
    pub(crate) generator_users: Table<(Id, Id), ()>,
    pub(crate) build_types: Names,

    pub(crate) tasks: Arc<BTreeMap<Id, Arc<Task>>>,
    /// Those that have not ended.
    pub(crate) live_tasks: Arc<BTreeSet<Id>>,
    pub(crate) children: Arc<BTreeMap<Id, Vec<Id>>>,
    pub(crate) builds: Arc<BTreeMap<Id, Arc<Build>>>,
    pub(crate) build_ids: Arc<BTreeMap<Arc<str>, Id>>,
    pub(crate) rpms: Arc<BTreeMap<Id, Arc<Rpm>>>,
    pub(crate) rpms_of_builds: Arc<BTreeMap<Id, Vec<Id>>>,
    pub(crate) archives: Arc<BTreeMap<Id, Archive>>,
    pub(crate) repos: Arc<BTreeMap<Id, Repo>>,
    pub(crate) repo_requests: Arc<BTreeMap<Id, RepoRequest>>,
    pub(crate) uploads: Arc<BTreeMap<Arc<str>, Upload>>,
    pub(crate) weights: Arc<BTreeMap<Id, f64>>,
    /// The last ids given, of what may be forgotten again.
    pub(crate) last_task: Id,
    pub(crate) last_session: Id,
    pub(crate) last_buildroot: Id,

    /// New ids are above this.
    pub(crate) floor: Id,
    /// Builders and channels as `listHosts` and `getChannel` say them.
    pub(crate) hosts: Arc<BTreeMap<Id, Struct>>,
    pub(crate) channels: Arc<BTreeMap<Id, Struct>>,

    /// What the bus has yet to say.
    pub(crate) news: Vec<News>,
}

impl State {
    /// Begins a call: what it changes happens at one event of its own.
    pub(crate) fn begin(&mut self, now: Moment, actor: Id) {
        self.now = now;
        self.actor = actor;
        self.is_changed = false;
        self.event_of_call = None;
    }

    /// Begins the next call of a multicall.
    pub(crate) fn begin_next(&mut self) {
        self.event_of_call = None;
    }

    /// Begins what has been so since an event of the past.
    pub(crate) fn begin_at(&mut self, event: Id) {
        if !self.has_event(event) {
            self.plant_event(event, self.now);
        }
        self.event_of_call = Some(event);
    }

    /// Lets all new ids be above a number, but for those of events.
    pub(crate) fn raise_floor(&mut self, floor: Id) {
        self.floor = floor;
        self.last_task = self.last_task.max(floor);
        self.last_session = self.last_session.max(floor);
        self.last_buildroot = self.last_buildroot.max(floor);
        let names = [
            &mut self.permissions,
            &mut self.tags,
            &mut self.packages,
            &mut self.groups,
            &mut self.targets,
            &mut self.externals,
            &mut self.generators,
        ];
        names.into_iter().for_each(|names| names.floor = floor);
    }

    /// Returns the id that comes next in a map.
    pub(crate) fn next_id<V>(&self, of: &BTreeMap<Id, V>) -> Id {
        of.last_key_value().map_or(1, |(last, _)| last + 1).max(self.floor + 1)
    }

    /// Returns the event of this call and who caused it; the call counts as one that wrote.
    pub(crate) fn stamp(&mut self) -> Stamp {
        self.is_changed = true;
        let event = self.event_of_call.unwrap_or_else(|| self.new_event());
        self.event_of_call = Some(event);
        Stamp { event, user: self.actor }
    }

    /// Notes that the call writes something that has no event.
    pub(crate) fn touch(&mut self) {
        self.is_changed = true;
    }

    fn new_event(&mut self) -> Id {
        let event = self.last_event().0 + 1;
        Arc::make_mut(&mut self.events).insert(event, self.now);
        event
    }

    /// Notes an event of the past.
    pub(crate) fn plant_event(&mut self, event: Id, at: Moment) {
        Arc::make_mut(&mut self.events).insert(event, at);
    }

    /// Returns the newest event and its time; 0 if there is none.
    pub(crate) fn last_event(&self) -> (Id, Moment) {
        self.events.last_key_value().map_or((0, Moment(0)), |(event, at)| (*event, *at))
    }

    /// Returns when an event was; that of the one before for an id that was left out.
    pub(crate) fn event_time(&self, event: Id) -> Option<Moment> {
        self.events.range(..=event).next_back().map(|(_, at)| *at)
    }

    /// Says whether there is such an event.
    pub(crate) fn has_event(&self, event: Id) -> bool {
        self.events.contains_key(&event)
    }
}

/// Returns the id that a value names: by id, by name, or by a struct with one of them.
pub(crate) fn id_of(names: &Names, value: &Value) -> Answer<Option<Id>> {
    match value {
        Value::Int(id) => Ok(names.name(*id).map(|_| *id)),
        Value::String(name) => Ok(names.id(name)),
        Value::Struct(members) => match (members.member("id"), members.member("name")) {
            (Some(id), _) => id_of(names, id),
            (None, Some(name)) => id_of(names, name),
            (None, None) => Err(bad_name_or_id(value)),
        },
        _ => Err(bad_name_or_id(value)),
    }
}

/// Returns the id that a value names, or the hub's words when there is none.
pub(crate) fn known_id(names: &Names, table: &str, value: &Value) -> Answer<Id> {
    let no_entry = || refuse(format!("No such entry in table {table}: {}", super::python::text(value)));
    id_of(names, value)?.ok_or_else(no_entry)
}

fn bad_name_or_id(value: &Value) -> Fault {
    let text = format!("Invalid name or id value: {}", super::python::repr(value));
    Fault::new(FaultCode::ParameterError, text)
}
