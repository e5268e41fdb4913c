//! What a hub's messages say, as hints: where to look, never what is so.
//!
//! Three forms are understood, each as JSON; all other members are passed over.
//!
//! | form | shape |
//! | --- | --- |
//! | fedmsg | `{"topic", "msg"}`, perhaps inside another `body` |
//! | Fedora messaging | `{"topic", "body"}`, or topic and body apart |
//! | Koji's AMQP plugin | `{"address", "properties", "body"}`, or the three apart |
//!
//! | event | hint |
//! | --- | --- |
//! | a build changed its state | its task; none if it has no task |
//! | a build was tagged or untagged | the tag |
//! | a repository is done | its tag |
//! | a task changed its state | the task |
//!
//! Whatever else comes is counted and dropped. Nothing here connects to a bus. Source: behaviour, section 11.
//!
//! ```
//! use mbs_core::bus::Hint;
//! use mbs_core::ident::TaskId;
//! use mbs_koji::messages::{Heard, Messages};
//!
//! let messages = Messages::new(["org.fedoraproject.prod"]);
//! let bytes = br#"{"topic": "org.fedoraproject.prod.buildsys.build.state.change", "body": {"task_id": 7}}"#;
//! assert_eq!(messages.hear(bytes), Heard::Hint(Hint::Task(TaskId(7))));
//! ```

use mbs_core::bus::Hint;
use serde_json::Value as Json;

mod amqp;
mod fedora;
mod read;
mod tally;

#[cfg(test)]
mod tests;

pub use tally::Tally;

/// Largest message that is read, in bytes. Those of Koji have a few thousand; lists of files make some larger.
pub const LARGEST: usize = 1024 * 1024;

/// What came of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Somewhere to look.
    Hint(Hint),
    /// A message in order that is of no use to us.
    Ignored(Ignored),
    /// No message of Koji: not to be trusted in any part. Says what is wrong, without quoting it.
    Malformed(&'static str),
}

/// Why a message in order is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Its topic or address has none of our prefixes, or is not the build system's.
    Foreign,
    /// It comes from another instance of the build system.
    OtherInstance,
    /// It tells of something that no module build waits for.
    NoNews,
    /// A build without task: an import.
    NoTask,
    /// An event of the build system that is not known here.
    Unknown,
}

/// Reads messages whose topics, or addresses, have one of a few prefixes.
#[derive(Debug, Clone)]
pub struct Messages {
    prefixes: Vec<Box<str>>,
}

impl Messages {
    /// Takes the prefixes, such as `org.fedoraproject.prod` or, for Koji's own plugin, `koji`; a dot follows each in topics.
    pub fn new<P: Into<Box<str>>>(prefixes: impl IntoIterator<Item = P>) -> Self {
        Self { prefixes: prefixes.into_iter().map(Into::into).collect() }
    }

    /// Reads a whole message of any form.
    pub fn hear(&self, message: &[u8]) -> Heard {
        self.parsed(message, |message| self.hear_json(message))
    }

    /// Reads a body that came under a topic.
    pub fn hear_topic(&self, topic: &str, body: &[u8]) -> Heard {
        self.parsed(body, |body| fedora::heard(self.after_prefix(topic), body))
    }

    /// Reads the body of a message from Koji's AMQP plugin; `properties` are the application properties, as an object.
    pub fn hear_address(&self, address: &str, properties: &Json, body: &[u8]) -> Heard {
        self.parsed(body, |body| amqp::heard(self.after_scheme(address), properties, body))
    }

    /// Reads a whole message of any form. The caller has bounded its size.
    pub fn hear_json(&self, message: &Json) -> Heard {
        let inner = message.get("body").filter(|body| body.get("msg").is_some());
        let message = inner.unwrap_or(message);
        if let Some(address) = message.get("address") {
            let Some(address) = address.as_str() else {
                return Heard::Malformed("an address that is no text");
            };
            let part = |name| message.get(name).unwrap_or(&Json::Null);
            return amqp::heard(self.after_scheme(address), part("properties"), part("body"));
        }
        let Some(topic) = message.get("topic").and_then(Json::as_str) else {
            return Heard::Malformed("no topic and no address");
        };
        let body = message.get("msg").or_else(|| message.get("body"));
        fedora::heard(self.after_prefix(topic), body.unwrap_or(&Json::Null))
    }

    fn parsed(&self, bytes: &[u8], read: impl FnOnce(&Json) -> Heard) -> Heard {
        if bytes.len() > LARGEST {
            return Heard::Malformed("it is too large");
        }
        match serde_json::from_slice(bytes) {
            Ok(json) => read(&json),
            Err(_) => Heard::Malformed("it is no JSON"),
        }
    }

    /// Returns what follows one of our prefixes and a dot; `None` if there is none of them.
    fn after_prefix<'t>(&self, topic: &'t str) -> Option<&'t str> {
        self.prefixes.iter().find_map(|prefix| topic.strip_prefix(&**prefix)?.strip_prefix('.'))
    }

    fn after_scheme<'t>(&self, address: &'t str) -> Option<&'t str> {
        self.after_prefix(address.strip_prefix("topic://").unwrap_or(address))
    }
}
