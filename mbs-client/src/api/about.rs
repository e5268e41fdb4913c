//! What a service says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{Client, ClientError, Method, Request};

/// What a service says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The newest version of the interface; old services do not say.
    pub api_version: Option<u32>,
    /// How people log in: `oidc`, `kerberos`; also where nobody has to.
    pub auth_method: Option<String>,
    /// The version of its software.
    pub version: Option<String>,
    /// What else it says.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Client {
    /// Asks the service what it is.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn about(&self) -> Result<About, ClientError> {
        self.read(&Request::new(Method::Get, ["about", ""])).await
    }

    /// Returns what the service counts, as Prometheus reads it.
    ///
    /// # Errors
    /// As for [`read_text`](Self::read_text).
    pub async fn metrics(&self) -> Result<String, ClientError> {
        self.read_text(&Request::new(Method::Get, ["monitor", "metrics"])).await
    }
}
