//! What would become of a submission: services of ours tell, and build nothing.

use std::collections::BTreeMap;

use mbs_core::model::Ordering;
use serde::{Deserialize, Serialize};

use super::Submission;
use crate::client::{Client, ClientError, Method, Request};
use crate::server::ApiVersion;

/// All builds of a submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plans {
    /// The builds, by version and context.
    pub builds: Vec<PlannedBuild>,
    /// What people should know about the document.
    pub warnings: Vec<String>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedBuild {
    /// Name, stream, version and context.
    pub nsvc: String,
    /// Whether it is there already.
    pub exists: bool,
    /// The runtime requires of all dependency pairs.
    pub requires: Vec<BTreeMap<String, Vec<String>>>,
    /// What it is built with.
    pub buildrequires: Vec<PlannedBuildrequire>,
    /// The build that components are taken from.
    pub reuse_from: Option<String>,
    /// What orders its components: `batches` or `graph`.
    pub ordering: Ordering,
    /// Its components, by batch.
    pub components: Vec<PlannedComponent>,
    /// Included modules, whose components are not looked at.
    pub included: Vec<String>,
    /// What is built costs, in the build system's unit.
    pub cost: f64,
    /// What the longest row of components costs that wait for each other.
    pub longest: f64,
}

/// A module that a build is built with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBuildrequire {
    /// Name, stream, version and context.
    pub nsvc: String,
    /// Why this one, in words.
    pub why: String,
    /// Where it was found; `None` where there is only one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_in: Option<String>,
}

/// A component of a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedComponent {
    /// The package.
    pub package: String,
    /// Its batch.
    pub batch: u32,
    /// The packages that it waits for, where a graph orders them.
    pub after: Vec<String>,
    /// The ref of its source, as the document says.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Whether it is built, as far as can be told.
    pub is_built: bool,
    /// Whether it is, and why, in words.
    pub fate: String,
    /// What it costs.
    pub cost: f64,
}

impl Client {
    /// Asks what would become of a submission. Nothing is built or recorded; who may submit may ask.
    ///
    /// # Errors
    /// `Refused`: the service would not take it, or is none of ours (404). Others as for [`write`](Self::write).
    pub async fn plan(&self, submission: &Submission) -> Result<Plans, ClientError> {
        self.write(&Request::new(Method::Post, ["plan"]).of(ApiVersion::Two).body(submission.body())).await
    }
}
