//! A change of an entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Face, NewPackage};
use crate::client::{Method, Request};

/// What is changed of an entry; `None` stays as it is. Dependencies cannot be changed: PDC answers 503.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Whether it may be required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The Koji tag that holds its builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub koji_tag: Option<String>,
    /// Its document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulemd: Option<String>,
    /// Its packages, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpms: Option<Vec<NewPackage>>,
}

impl Change {
    /// Says whether nothing is changed; PDC refuses such a request.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the request that changes one entry.
    pub fn request(&self, face: Face, uid: &str) -> Request {
        Request::new(Method::Patch, [face.path(), uid]).body(json!(self))
    }

    /// Returns the request that changes several entries, by uid: all of them or none.
    pub fn request_of_many(face: Face, changes: &BTreeMap<String, Self>) -> Request {
        Request::new(Method::Patch, [face.path()]).body(json!(changes))
    }
}
