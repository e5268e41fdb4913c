//! Component builds, as the service shows them.

use mbs_core::ident::{BuildId, ComponentId, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::empty;
use super::{ComponentFilter, Form, Trace};
use crate::client::{Client, ClientError, Method, Pages, Request};

/// A component build. Standard forms end after `task_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentBuild {
    /// Its number.
    pub id: ComponentId,
    /// Its module build.
    pub module_build: BuildId,
    /// The package.
    pub package: String,
    /// What is built of it: `rpms`.
    pub format: String,
    /// The state's number; `None` before it begins.
    pub state: Option<u8>,
    /// The state's name.
    pub state_name: Option<String>,
    /// The last reason that was given.
    pub state_reason: Option<String>,
    /// What was built; `None` until it is complete.
    pub nvr: Option<String>,
    /// Its task at Koji.
    pub task_id: Option<TaskId>,

    /// Its batch.
    pub batch: Option<u32>,
    /// Its states, oldest first.
    #[serde(default, deserialize_with = "empty")]
    pub state_trace: Vec<Trace>,
    /// The path of this build at the service.
    pub state_url: Option<String>,

    /// What else the service shows.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Client {
    /// Lists component builds; the newest first unless the filter orders them.
    pub fn component_builds(&self, filter: &ComponentFilter, form: Form) -> Pages<ComponentBuild> {
        Pages::new(self.clone(), form.asked(filter.request()))
    }

    /// Returns one component build.
    ///
    /// # Errors
    /// `Refused` with status 404: there is none. Others as for [`read`](Self::read).
    pub async fn component_build(&self, id: ComponentId, form: Form) -> Result<ComponentBuild, ClientError> {
        let request = Request::new(Method::Get, ["component-builds".to_owned(), id.to_string()]);
        self.read(&form.asked(request)).await
    }
}
