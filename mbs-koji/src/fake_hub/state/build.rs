//! Builds, and the archives of those that a content generator made.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answer, Id, State, refuse};
use crate::fake_hub::python;
use crate::fake_hub::time::{self, Moment};
use crate::xmlrpc::{Struct, Value};

/// Numbers of a build's states.
pub(crate) mod build_state {
    pub(crate) const BUILDING: i64 = 0;
    pub(crate) const COMPLETE: i64 = 1;
    pub(crate) const DELETED: i64 = 2;
    pub(crate) const FAILED: i64 = 3;
    pub(crate) const CANCELED: i64 = 4;

    /// Returns a state's name.
    pub(crate) fn name(state: i64) -> &'static str {
        match state {
            BUILDING => "BUILDING",
            COMPLETE => "COMPLETE",
            DELETED => "DELETED",
            FAILED => "FAILED",
            _ => "CANCELED",
        }
    }
}

/// A build.
#[derive(Debug, Clone, Default)]
pub(crate) struct Build {
    pub(crate) id: Id,
    pub(crate) package: Id,
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) release: Arc<str>,
    pub(crate) epoch: Option<i64>,
    pub(crate) state: i64,
    pub(crate) task: Option<Id>,
    pub(crate) owner: Id,
    pub(crate) event: Id,
    pub(crate) created: Moment,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
    pub(crate) source: Option<Arc<str>>,
    pub(crate) extra: Option<Value>,
    pub(crate) generator: Option<Id>,
    pub(crate) is_draft: bool,
    /// What it is, beside what that needs: `rpm`, `module`, …
    pub(crate) types: BTreeMap<Arc<str>, Value>,
    pub(crate) token: Option<Arc<str>>,
    pub(crate) logs: Vec<Arc<str>>,
}

/// A build to be begun.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewBuild {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) release: String,
    pub(crate) epoch: Option<i64>,
    pub(crate) task: Option<Id>,
    pub(crate) owner: Id,
    pub(crate) source: Option<String>,
    pub(crate) extra: Option<Value>,
}

/// A file of a build that is no RPM.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub(crate) build: Id,
    pub(crate) kind: Arc<str>,
    pub(crate) filename: Arc<str>,
    pub(crate) size: i64,
    pub(crate) checksum: Arc<str>,
    pub(crate) buildroot: Id,
    pub(crate) extra: Value,
}

impl Build {
    /// Returns name, version and release in one.
    pub(crate) fn nvr(&self) -> String {
        format!("{}-{}-{}", self.name, self.version, self.release)
    }
}

impl State {
    /// Returns the build a value names: by id, by NVR, or by a struct.
    pub(crate) fn find_build(&self, build: &Value) -> Answer<Option<Id>> {
        match build {
            Value::Int(id) => Ok(self.builds.contains_key(id).then_some(*id)),
            Value::String(nvr) => Ok(self.build_ids.get(&**nvr).copied()),
            Value::Struct(members) => {
                if let Some(id) = members.member("id") {
                    return self.find_build(id);
                }
                let part = |name| members.member(name).map(python::text);
                let parts = (part("name"), part("version"), part("release"));
                let (Some(name), Some(version), Some(release)) = parts else {
                    return Err(refuse(format!(
                        "did not provide name, version, and release: {}",
                        python::repr(build)
                    )));
                };
                Ok(self.build_ids.get(&*format!("{name}-{version}-{release}")).copied())
            }
            other => Err(refuse(format!("Invalid type for build: {}", python::type_of(other)))),
        }
    }

    /// Returns the build a value names.
    pub(crate) fn build(&self, build: &Value) -> Answer<Id> {
        let no_build = || refuse(format!("No such build: {}", python::repr(build)));
        self.find_build(build)?.ok_or_else(no_build)
    }

    /// Returns the builds a task made, by id.
    pub(crate) fn builds_of_task(&self, task: Id) -> Vec<Id> {
        let builds = self.builds.values().filter(|build| build.task == Some(task));
        builds.map(|build| build.id).collect()
    }

    /// Begins a build; the row of one that failed or was canceled is taken over.
    pub(crate) fn begin_build(&mut self, new: NewBuild) -> Answer<Id> {
        let nvr = format!("{}-{}-{}", new.name, new.version, new.release);
        let former = self.build_ids.get(&*nvr).and_then(|id| self.builds.get(id)).cloned();
        if let Some(former) = &former
            && !matches!(former.state, build_state::FAILED | build_state::CANCELED)
        {
            let word = if former.state == build_state::BUILDING { "in progress" } else { "exists" };
            let text = if word == "exists" {
                format!(
                    "Build already exists (id={}, state={}): {}",
                    former.id,
                    build_state::name(former.state),
                    shown(&new)
                )
            } else {
                format!("Build already in progress (task {})", former.task.unwrap_or_default())
            };
            return Err(refuse(text));
        }
        let stamp = self.stamp();
        let id = former.as_ref().map_or_else(|| self.next_id(&self.builds), |former| former.id);
        let package = self.packages.ensure(&new.name);
        let mut build = former.as_deref().cloned().unwrap_or_default();
        let (old, is_new) = (build.state, former.is_none());
        build = Build {
            id,
            package,
            name: new.name.into(),
            version: new.version.into(),
            release: new.release.into(),
            epoch: new.epoch,
            state: build_state::BUILDING,
            task: new.task,
            owner: new.owner,
            event: stamp.event,
            created: self.event_time(stamp.event).unwrap_or(self.now),
            started: Some(self.now),
            completed: None,
            source: new.source.map(Into::into),
            extra: new.extra,
            ..Build::default()
        };
        self.insert_build(build);
        self.tell_build(id, (!is_new).then_some(old), build_state::BUILDING);
        Ok(id)
    }

    /// Adds a build as it stands.
    pub(crate) fn insert_build(&mut self, build: Build) {
        self.touch();
        Arc::make_mut(&mut self.build_ids).insert(build.nvr().into(), build.id);
        Arc::make_mut(&mut self.builds).insert(build.id, Arc::new(build));
    }

    /// Changes a build, if there is one.
    pub(crate) fn change_build(&mut self, id: Id, change: impl FnOnce(&mut Build)) {
        self.touch();
        if let Some(build) = Arc::make_mut(&mut self.builds).get_mut(&id) {
            change(Arc::make_mut(build));
        }
    }

    /// Ends a build in a state.
    pub(crate) fn end_build(&mut self, id: Id, state: i64) {
        let now = self.now;
        let Some(old) = self.builds.get(&id).map(|build| build.state) else { return };
        self.change_build(id, |build| {
            build.state = state;
            build.completed = Some(now);
        });
        self.tell_build(id, Some(old), state);
    }

    /// Cancels a build with its task, and says whether it was under way.
    pub(crate) fn cancel_build(&mut self, id: Id) -> bool {
        let Some(build) = self.builds.get(&id).filter(|build| build.state == build_state::BUILDING) else {
            return false;
        };
        let task = build.task;
        self.end_build(id, build_state::CANCELED);
        if let Some(task) = task {
            self.cancel_task(task);
        }
        true
    }

    /// Returns what `getBuild` says.
    pub(crate) fn build_row(&self, id: Id) -> Option<Struct> {
        let build = self.builds.get(&id)?;
        let mut row = self.listed_build_row(build);
        row.insert("id", build.id.into());
        row.insert("cg_id", build.generator.into());
        let generator = build.generator.and_then(|id| self.generators.name(id));
        row.insert("cg_name", generator.map(|name| &**name).into());
        Some(row)
    }

    /// Returns what `listBuilds` says.
    pub(crate) fn listed_build_row(&self, build: &Build) -> Struct {
        let mut row = self.short_build_row(build);
        row.remove("id");
        for (name, value) in [
            ("completion_ts", time::seconds(build.completed)),
            ("creation_ts", build.created.seconds().into()),
            ("start_ts", time::seconds(build.started)),
            ("promotion_ts", Value::Nil),
            ("source", build.source.as_deref().into()),
            ("extra", build.extra.clone().into()),
        ] {
            row.insert(name, value);
        }
        row
    }

    /// Returns what rows of tagged builds and of `getBuild` have in common.
    pub(crate) fn short_build_row(&self, build: &Build) -> Struct {
        Struct::from([
            ("id", Value::from(build.id)),
            ("build_id", build.id.into()),
            ("nvr", build.nvr().into()),
            ("name", Value::from(&*build.name)),
            ("version", Value::from(&*build.version)),
            ("release", Value::from(&*build.release)),
            ("epoch", build.epoch.into()),
            ("state", build.state.into()),
            ("task_id", build.task.into()),
            ("owner_id", build.owner.into()),
            ("owner_name", Value::from(&*self.user_name(build.owner))),
            ("package_id", build.package.into()),
            ("package_name", Value::from(&*self.package_name(build.package))),
            ("draft", build.is_draft.into()),
            ("volume_id", 0.into()),
            ("volume_name", "DEFAULT".into()),
            ("creation_event_id", build.event.into()),
            ("creation_time", build.created.text().into()),
            ("start_time", time::text(build.started)),
            ("completion_time", time::text(build.completed)),
            ("promoter_id", Value::Nil),
            ("promoter_name", Value::Nil),
            ("promotion_time", Value::Nil),
        ])
    }
}

fn shown(new: &NewBuild) -> String {
    let epoch: Value = new.epoch.into();
    let parts = [
        ("name", Value::from(&new.name)),
        ("version", (&new.version).into()),
        ("release", (&new.release).into()),
    ];
    let mut members = Struct::from(parts);
    members.insert("epoch", epoch);
    python::repr(&Value::Struct(members))
}
