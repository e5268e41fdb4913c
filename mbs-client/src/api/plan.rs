//! What would become of a submission: services of ours tell, and record nothing.

use std::collections::BTreeMap;

use mbs_core::ident::BuildId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Submission;
use crate::client::{Client, ClientError, Method, Request};
use crate::server::ApiVersion;

/// What would become of a submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plans {
    /// The builds that would be recorded, go on, or stay as they are.
    pub builds: Vec<PlannedBuild>,
    /// What people should know about the document.
    pub warnings: Vec<String>,
    /// What else the service tells.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// A build of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedBuild {
    /// The module's name.
    pub name: String,
    /// Its stream.
    pub stream: String,
    /// Its version, a number as text.
    pub version: String,
    /// Its context.
    pub context: String,
    /// What would become of it: `new`, `resume`, `exists`.
    pub disposition: String,
    /// The build that goes on, or is there; `None`: there is none yet.
    pub id: Option<BuildId>,
    /// The streams of the modules that it would be built with.
    pub buildrequires: BTreeMap<String, String>,
    /// What else the service tells.
    #[serde(flatten)]
    pub others: Map<String, Value>,
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
