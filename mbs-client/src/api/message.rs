//! What the service notes of a build while it works on it.

use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{Client, Method, Pages, Request};

/// A line of a build's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its number; later ones have larger ones.
    pub id: i64,
    /// The text.
    pub message: String,
    /// When it was written.
    pub time_created: Option<Timestamp>,
    /// What else the service shows.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessagesOf {
    /// A module build's, those of its components among it.
    Module(BuildId),
    /// A component build's.
    Component(ComponentId),
}

impl Client {
    /// Lists the log of a build, newest first.
    pub fn messages(&self, of: MessagesOf) -> Pages<Message> {
        let (noun, id) = match of {
            MessagesOf::Module(id) => ("module-builds", id.to_string()),
            MessagesOf::Component(id) => ("component-builds", id.to_string()),
        };
        Pages::new(self.clone(), Request::new(Method::Get, [noun, &id, "messages"]))
    }
}
