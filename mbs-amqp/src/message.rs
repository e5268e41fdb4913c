//! What goes over the wire, and who writes and reads it.
//!
//! The properties and headers are those of fedora-messaging 3: `content_type`, `content_encoding`, a message id, and the headers
//! `fedora_messaging_schema`, `fedora_messaging_severity`, `sent-at`, `priority` and one for each name that people filter by.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use mbs_core::bus::{BusError, Hint};
use mbs_core::store::StateChange;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// Messages of this kind promise nothing about their bodies.
const SCHEMA: &str = "base.message";

/// Of interest to those who ask for it.
const INFO: i32 = 20;

/// Stored on disk before it is confirmed.
const PERSISTENT: u8 = 2;

/// An event as others read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its topic, at most 255 bytes.
    pub topic: String,
    /// What it says: an object.
    pub body: Json,
    /// The modules it is about, for those who filter by them.
    pub modules: Vec<String>,
    /// The people it is about.
    pub people: Vec<String>,
}

/// Makes messages of events.
#[async_trait]
pub trait Renderer: Debug + Send + Sync + 'static {
    /// Renders events: a message each, in their order, and the same for the same event.
    ///
    /// # Errors
    /// `Unavailable`: something that belongs into them cannot be asked for.
    async fn render(&self, events: &[StateChange]) -> Result<Vec<Message>, BusError>;
}

/// A message that came.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its body, which may be anything.
    pub body: &'a [u8],
    /// Those of its headers that are texts, numbers or truth values: an object.
    pub headers: &'a Json,
}

/// What came of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Somewhere to look.
    Hint(Hint),
    /// It is of no use to us.
    Ignored,
    /// It is not what it should be: how so, without quoting it.
    Malformed(&'static str),
}

/// Makes hints of messages.
pub trait Reader: Debug + Send + Sync + 'static {
    /// Reads a message, which may be forged.
    fn read(&self, message: Arrived<'_>) -> Read;
}

/// Returns the properties of the message of an event.
pub(crate) fn properties(message: &Message, event: &StateChange, now: Timestamp) -> BasicProperties {
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(id(&message.topic, event).to_string().into())
        .with_headers(headers(message, now))
}

/// Returns the id of an event's message: the same each time, and another on each bus where topics differ.
fn id(topic: &str, event: &StateChange) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{topic} {} {}", event.build, event.seq).as_bytes())
}

fn headers(message: &Message, now: Timestamp) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert("fedora_messaging_schema".into(), AMQPValue::LongString(SCHEMA.into()));
    headers.insert("fedora_messaging_severity".into(), AMQPValue::LongInt(INFO));
    let sent_at = now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    headers.insert("sent-at".into(), AMQPValue::LongString(sent_at.into()));
    headers.insert("priority".into(), AMQPValue::LongInt(0));
    let kinds = [("module", &message.modules), ("user", &message.people)];
    for (kind, name) in kinds.iter().flat_map(|(kind, names)| names.iter().map(move |name| (kind, name))) {
        // Whoever has so long a name is not filtered by.
        if let Ok(header) = ShortString::try_new(format!("fedora_messaging_{kind}_{name}")) {
            headers.insert(header, AMQPValue::Boolean(true));
        }
    }
    headers
}

/// Returns the flat headers of a message that came.
pub(crate) fn flat_headers(delivery: &Delivery) -> Json {
    let headers = delivery.properties.headers().as_ref().map(FieldTable::inner);
    let flat = headers.into_iter().flatten();
    let flat = flat.filter_map(|(name, value)| Some((name.as_str().to_owned(), flat_value(value)?)));
    Json::Object(flat.collect::<Map<_, _>>())
}

fn flat_value(value: &AMQPValue) -> Option<Json> {
    match value {
        AMQPValue::Boolean(is) => Some((*is).into()),
        AMQPValue::ShortShortInt(n) => Some((*n).into()),
        AMQPValue::ShortShortUInt(n) => Some((*n).into()),
        AMQPValue::ShortInt(n) => Some((*n).into()),
        AMQPValue::ShortUInt(n) => Some((*n).into()),
        AMQPValue::LongInt(n) => Some((*n).into()),
        AMQPValue::LongUInt(n) => Some((*n).into()),
        AMQPValue::LongLongInt(n) => Some((*n).into()),
        AMQPValue::Timestamp(n) => Some((*n).into()),
        AMQPValue::ShortString(text) => Some(text.as_str().into()),
        AMQPValue::LongString(text) => Some(std::str::from_utf8(text.as_bytes()).ok()?.into()),
        AMQPValue::Void => Some(Json::Null),
        AMQPValue::Float(_)
        | AMQPValue::Double(_)
        | AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::ByteArray(_) => None,
    }
}
