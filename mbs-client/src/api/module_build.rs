//! Module builds, as the service shows them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId, InvalidIdent, Nsvc, TaskId};
use mbs_core::model::{BuildState, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::{empty, told};
use super::{Filter, Form, Ordered};
use crate::client::{Client, ClientError, Method, Pages, Request};

/// A module build. Short forms end after `scratch`, standard ones after `time_completed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleBuild {
    /// Its number.
    pub id: BuildId,
    /// The module's name.
    pub name: String,
    /// Its stream.
    pub stream: String,
    /// Its version, a number as text.
    pub version: String,
    /// Its context; services before contexts have none.
    pub context: Option<String>,
    /// The state's number.
    pub state: u8,
    /// The state's name.
    pub state_name: String,
    /// Whether it is thrown away when it is done; old records do not say.
    pub scratch: Option<bool>,

    /// The batch that is being built; 0 before the first.
    pub batch: Option<u32>,
    /// The modules of its buildroot, by name.
    #[serde(default, deserialize_with = "empty")]
    pub buildrequires: BTreeMap<String, Buildrequire>,
    /// Its component builds.
    #[serde(default, deserialize_with = "empty")]
    pub component_builds: Vec<ComponentId>,
    /// The tag for what is built; `None` before the state `wait`.
    pub koji_tag: Option<String>,
    /// The task of the last repository that was asked for.
    pub new_repo_task_id: Option<TaskId>,
    /// Who submitted it.
    pub owner: Option<String>,
    /// Which components are built again: `all`, `changed-and-after`, `only-changed`.
    pub rebuild_strategy: Option<String>,
    /// Where its document came from; `None`: it was given directly, or imported.
    pub scmurl: Option<String>,
    /// The other builds of this name, stream and version.
    #[serde(default, deserialize_with = "empty")]
    pub siblings: Vec<BuildId>,
    /// Uploaded sources of a scratch build.
    #[serde(default, deserialize_with = "empty")]
    pub srpms: Vec<String>,
    /// The last reason that was given for a state.
    pub state_reason: Option<String>,
    /// What is built: packages by format, `rpms`, in the order of the answer.
    #[serde(default, deserialize_with = "empty")]
    pub tasks: BTreeMap<String, Ordered<Task>>,
    /// When it was submitted.
    pub time_submitted: Option<Timestamp>,
    /// When it changed last.
    pub time_modified: Option<Timestamp>,
    /// When it was done, or failed.
    pub time_completed: Option<Timestamp>,

    /// Its architectures, sorted; empty before the state `wait`.
    #[serde(default, deserialize_with = "empty")]
    pub arches: Vec<String>,
    /// The base modules among its buildrequires.
    #[serde(default, deserialize_with = "empty")]
    pub base_module_buildrequires: Vec<BaseModule>,
    /// 40 hexadecimal digits.
    pub build_context: Option<String>,
    /// 40 hexadecimal digits, without base modules.
    pub build_context_no_bms: Option<String>,
    /// 40 hexadecimal digits.
    pub runtime_context: Option<String>,
    /// Its document as YAML.
    pub modulemd: Option<String>,
    /// The build that its components may be taken from, if one was named.
    pub reused_module_id: Option<BuildId>,
    /// Its states, oldest first.
    #[serde(default, deserialize_with = "empty")]
    pub state_trace: Vec<Trace>,
    /// The path of this build at the service.
    pub state_url: Option<String>,
    /// What orders base modules.
    pub stream_version: Option<f64>,
    /// Other names of a base module's stream.
    #[serde(default, deserialize_with = "empty")]
    pub virtual_streams: Vec<String>,

    /// What else the service shows.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// A module of a buildroot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buildrequire {
    /// Its stream.
    pub stream: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its context.
    pub context: Option<String>,
    /// The commit of its document.
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    /// The tag with its packages.
    pub koji_tag: Option<String>,
    /// What else the service shows.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// A base module that a build is built on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaseModule {
    /// Its number.
    pub id: BuildId,
    /// Its name.
    pub name: String,
    /// Its stream.
    pub stream: String,
    /// Its version, a number as text.
    pub version: String,
    /// Its context.
    pub context: Option<String>,
    /// The state's number.
    pub state: u8,
    /// The state's name.
    pub state_name: String,
    /// What orders base modules.
    pub stream_version: Option<f64>,
}

/// A package of a module build. What is missing in the answer is `None`, what is null there `Some(None)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What was built; null until it is complete.
    #[serde(default, deserialize_with = "told", skip_serializing_if = "Option::is_none")]
    pub nvr: Option<Option<String>>,
    /// The state's number; null before it begins.
    #[serde(default, deserialize_with = "told", skip_serializing_if = "Option::is_none")]
    pub state: Option<Option<u8>>,
    /// The last reason that was given.
    #[serde(default, deserialize_with = "told", skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<Option<String>>,
    /// Its task at Koji.
    #[serde(default, deserialize_with = "told", skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Option<TaskId>>,
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// When.
    pub time: Option<Timestamp>,
    /// The state's number; null for a component that has not begun.
    pub state: Option<u8>,
    /// The state's name. Of components the original gives those of modules.
    pub state_name: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl ModuleBuild {
    /// Returns its state; `None`: one that is not known here.
    pub fn known_state(&self) -> Option<State> {
        State::ALL.into_iter().find(|state| state.number() == self.state)
    }

    /// Returns its identity.
    ///
    /// # Errors
    /// A part of it makes no sense.
    pub fn nsvc(&self) -> Result<Nsvc, InvalidIdent> {
        Ok(Nsvc {
            name: self.name.parse()?,
            stream: self.stream.parse()?,
            version: self.version.parse()?,
            context: self.context.as_deref().unwrap_or("00000000").parse()?,
        })
    }

    /// Returns its packages, in the order of the answer.
    pub fn packages(&self) -> &[(String, Task)] {
        self.tasks.get("rpms").map_or(&[], |packages| &packages.0)
    }

    /// Says whether it will not change any more by itself, or will be usable at once: failed, done or ready.
    pub fn has_ended(&self) -> bool {
        matches!(self.known_state(), Some(State::Failed | State::Done | State::Ready | State::Garbage))
    }
}

impl Task {
    /// Returns the state's number; `None` before it begins.
    pub fn state_number(&self) -> Option<u8> {
        self.state.flatten()
    }

    /// Returns its state; `None` before it begins, or one that is not known here.
    pub fn known_state(&self) -> Option<BuildState> {
        let number = self.state_number()?;
        BuildState::ALL.into_iter().find(|state| state.number() == number)
    }
}

impl Client {
    /// Lists module builds; the newest first unless the filter orders them.
    pub fn module_builds(&self, filter: &Filter, form: Form) -> Pages<ModuleBuild> {
        Pages::new(self.clone(), form.asked(filter.request()))
    }

    /// Returns one module build.
    ///
    /// # Errors
    /// `Refused` with status 404: there is none. Others as for [`read`](Self::read).
    pub async fn module_build(&self, id: BuildId, form: Form) -> Result<ModuleBuild, ClientError> {
        let request = Request::new(Method::Get, ["module-builds".to_owned(), id.to_string()]);
        self.read(&form.asked(request)).await
    }

    /// Cancels a module build, and returns it as it is then.
    ///
    /// # Errors
    /// `Refused`: it is somebody else's, or has ended. Others as for [`write`](Self::write).
    pub async fn cancel(&self, id: BuildId) -> Result<ModuleBuild, ClientError> {
        let request = Request::new(Method::Patch, ["module-builds".to_owned(), id.to_string()]);
        self.write(&request.body(serde_json::json!({"state": "failed"}))).await
    }

    /// Returns the finished documents of a module build by architecture, as YAML.
    ///
    /// # Errors
    /// `Refused`: there is no such build, or its build system cannot tell. Others as for [`read`](Self::read).
    pub async fn final_modulemd(&self, id: BuildId) -> Result<BTreeMap<String, String>, ClientError> {
        self.read(&Request::new(Method::Get, ["final-modulemd".to_owned(), id.to_string()])).await
    }
}
