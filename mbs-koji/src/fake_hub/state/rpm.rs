//! RPMs of builds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answer, Id, State, refuse};
use crate::fake_hub::python::{self, quoted};
use crate::xmlrpc::{Struct, Value};

/// An RPM.
#[derive(Debug, Clone)]
pub(crate) struct Rpm {
    pub(crate) build: Id,
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) release: Arc<str>,
    pub(crate) epoch: Option<i64>,
    pub(crate) arch: Arc<str>,
    pub(crate) payloadhash: Arc<str>,
    pub(crate) size: i64,
    pub(crate) buildtime: i64,
    pub(crate) buildroot: Option<Id>,
    pub(crate) headers: BTreeMap<Arc<str>, Value>,
    pub(crate) dependencies: Value,
}

/// Name, version, release and architecture as a file name says them.
pub(crate) struct FileName<'t> {
    pub(crate) name: &'t str,
    pub(crate) version: &'t str,
    pub(crate) release: &'t str,
    pub(crate) arch: &'t str,
}

impl<'t> FileName<'t> {
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let file = text.rsplit('/').next().unwrap_or(text);
        let stem = file.strip_suffix(".rpm").unwrap_or(file);
        let (nvr, arch) = stem.rsplit_once('.')?;
        let (rest, release) = nvr.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        Some(Self { name, version, release, arch })
    }
}

impl State {
    /// Adds an RPM.
    pub(crate) fn add_rpm(&mut self, rpm: Rpm) -> Id {
        let id = self.next_id(&self.rpms);
        self.insert_rpm(id, rpm);
        id
    }

    /// Adds an RPM as it stands.
    pub(crate) fn insert_rpm(&mut self, id: Id, rpm: Rpm) {
        self.touch();
        let of_build = Arc::make_mut(&mut self.rpms_of_builds).entry(rpm.build).or_default();
        if let Err(place) = of_build.binary_search(&id) {
            of_build.insert(place, id);
        }
        Arc::make_mut(&mut self.rpms).insert(id, Arc::new(rpm));
    }

    /// Removes a build's RPMs.
    pub(crate) fn remove_rpms(&mut self, build: Id) {
        self.touch();
        for id in Arc::make_mut(&mut self.rpms_of_builds).remove(&build).unwrap_or_default() {
            Arc::make_mut(&mut self.rpms).remove(&id);
        }
    }

    /// Returns a build's RPMs, by id.
    pub(crate) fn rpms_of(&self, build: Id) -> Vec<(Id, &Rpm)> {
        let ids = self.rpms_of_builds.get(&build).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| Some((*id, &**self.rpms.get(id)?))).collect()
    }

    /// Returns the RPM a value names, and what the hub calls it when it has none.
    pub(crate) fn find_rpm(&self, rpm: &Value) -> Answer<Result<Id, String>> {
        let text = match rpm {
            Value::Int(id) if self.rpms.contains_key(id) => return Ok(Ok(*id)),
            Value::Int(id) => return Ok(Err(id.to_string())),
            Value::String(text) => text,
            other => return Err(refuse(format!("Invalid type for rpminfo: {}", python::type_of(other)))),
        };
        let file = FileName::parse(text).ok_or_else(|| refuse(format!("invalid format: {text}")))?;
        let is_meant = |rpm: &Rpm| {
            *rpm.name == *file.name
                && *rpm.version == *file.version
                && *rpm.release == *file.release
                && *rpm.arch == *file.arch
        };
        let found = self.rpms.iter().find(|(_, rpm)| is_meant(rpm)).map(|(id, _)| *id);
        Ok(found.ok_or_else(|| file.shown()))
    }

    /// Returns what `getRPM` says.
    pub(crate) fn rpm_row(&self, id: Id, rpm: &Rpm) -> Struct {
        let mut row = self.tagged_rpm_row(id, rpm);
        row.insert("external_repo_id", 0.into());
        row.insert("external_repo_name", "INTERNAL".into());
        row
    }

    /// Returns what `listTaggedRPMS` says.
    pub(crate) fn tagged_rpm_row(&self, id: Id, rpm: &Rpm) -> Struct {
        let is_draft = self.builds.get(&rpm.build).is_some_and(|build| build.is_draft);
        Struct::from([
            ("id", Value::from(id)),
            ("build_id", rpm.build.into()),
            ("name", Value::from(&*rpm.name)),
            ("version", Value::from(&*rpm.version)),
            ("release", Value::from(&*rpm.release)),
            ("epoch", rpm.epoch.into()),
            ("arch", Value::from(&*rpm.arch)),
            ("payloadhash", Value::from(&*rpm.payloadhash)),
            ("size", rpm.size.into()),
            ("buildtime", rpm.buildtime.into()),
            ("buildroot_id", rpm.buildroot.into()),
            ("extra", Value::Nil),
            ("metadata_only", false.into()),
            ("draft", is_draft.into()),
        ])
    }
}

impl FileName<'_> {
    fn shown(&self) -> String {
        let is_source = if self.arch == "src" || self.arch == "nosrc" { "True" } else { "False" };
        format!(
            "{{'release': {}, 'version': {}, 'name': {}, 'epoch': '', 'arch': {}, 'src': {is_source}}}",
            quoted(self.release),
            quoted(self.version),
            quoted(self.name),
            quoted(self.arch),
        )
    }
}
