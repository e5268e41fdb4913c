//! Rebuild strategies: which components are built again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{Client, ClientError, Method, Request};

/// A rebuild strategy, as the service offers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildStrategyRow {
    /// Its name: `all`, `changed-and-after`, `only-changed`.
    pub name: String,
    /// What it does, in the service's words.
    pub description: String,
    /// Whether a submission may ask for it.
    pub allowed: bool,
    /// Whether it counts if none is asked for.
    pub default: bool,
    /// What else the service shows.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Rows {
    items: Vec<RebuildStrategyRow>,
}

impl Client {
    /// Lists the rebuild strategies by name.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn rebuild_strategies(&self) -> Result<Vec<RebuildStrategyRow>, ClientError> {
        let rows: Rows = self.read(&Request::new(Method::Get, ["rebuild-strategies", ""])).await?;
        Ok(rows.items)
    }
}
