//! An entry as it is made.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Dependency, Entry, Face, NewPackage};
use crate::client::{Method, Request};

/// A module that PDC is to know. What is made is inactive unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewEntry {
    /// The key by which `unreleasedvariants` will know it; `modules` makes one itself.
    pub uid: String,
    /// The module's name.
    pub name: String,
    /// Its stream.
    pub stream: String,
    /// Its version, as text.
    pub version: String,
    /// Its context; `None`: it has none, which only `unreleasedvariants` takes.
    pub context: Option<String>,
    /// The Koji tag that holds its builds.
    pub koji_tag: String,
    /// Its document as YAML.
    pub modulemd: String,
    /// Whether it may be required; `None`: not yet.
    pub active: Option<bool>,
    /// The modules it runs with; `None`: nothing is said, as with an empty list.
    pub runtime_deps: Option<Vec<Dependency>>,
    /// The modules it is built with; `None`: nothing is said, as with an empty list. Once made, dependencies cannot be changed.
    pub build_deps: Option<Vec<Dependency>>,
    /// Its packages; `None`: nothing is said, as with an empty list.
    pub rpms: Option<Vec<NewPackage>>,
}

impl NewEntry {
    /// Returns the request that makes it.
    pub fn request(&self, face: Face) -> Request {
        let names = face.names();
        let mut body = json!({
            names.name: self.name,
            names.stream: self.stream,
            names.version: self.version,
            "koji_tag": self.koji_tag,
            "modulemd": self.modulemd,
        });
        if face == Face::Variants {
            body["variant_uid"] = self.uid.as_str().into();
            body["variant_name"] = self.name.as_str().into();
            body["variant_type"] = "module".into();
        }
        put(&mut body, names.context, &self.context);
        put(&mut body, "active", &self.active);
        put(&mut body, "runtime_deps", &self.runtime_deps);
        put(&mut body, "build_deps", &self.build_deps);
        put(&mut body, "rpms", &self.rpms);
        Request::new(Method::Post, [face.path()]).body(body)
    }

    /// Says whether an entry is what was to be made, apart from its uid, packages and whether it is active. White space around
    /// texts does not count: PDC cuts it.
    pub fn is(&self, entry: &Entry) -> bool {
        let same = |ours: &str, theirs: &str| ours.trim() == theirs.trim();
        let same_dependencies = |ours: &Option<Vec<Dependency>>, theirs: &[Dependency]| {
            sorted(ours.as_deref().unwrap_or_default()) == sorted(theirs)
        };
        same(&self.name, &entry.name)
            && same(&self.stream, &entry.stream)
            && same(&self.version, &entry.version)
            && same(self.context.as_deref().unwrap_or(super::NO_CONTEXT), &entry.context)
            && same(&self.koji_tag, &entry.koji_tag)
            && same(&self.modulemd, &entry.modulemd)
            && same_dependencies(&self.runtime_deps, &entry.runtime_deps)
            && same_dependencies(&self.build_deps, &entry.build_deps)
    }
}

fn sorted(dependencies: &[Dependency]) -> Vec<(&str, &str)> {
    let mut all: Vec<_> = dependencies.iter().map(|one| (one.dependency.trim(), one.stream.trim())).collect();
    all.sort_unstable();
    all
}

fn put<T: Serialize>(body: &mut Value, key: &str, value: &Option<T>) {
    if let Some(value) = value {
        body[key] = json!(value);
    }
}
