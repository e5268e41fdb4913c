//! Changes of state as others read them: the topic and the body that the original published.
//!
//! A body is the standard form of REST as of the change, without `tasks`; siblings are those of the moment it is rendered. Source:
//! behaviour, section 11.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use mbs_amqp::{Message, Renderer};
use mbs_core::bus::BusError;
use mbs_core::ident::BuildId;
use mbs_core::store::{
    Catalogue, Column, Condition, Direction, Filter, ListedBuild, Order, Page, StateChange, StoreError, Value,
};
use serde_json::Value as Json;

use crate::rest::objects::BuildStandard;

/// What follows the prefix in the topic of an event.
const TOPIC: &str = "mbs.module.state.change";

/// Makes messages of events.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    topic: String,
    store: Arc<dyn Catalogue>,
}

impl Events {
    /// Takes what topics begin with, without the dot after it, and who knows the siblings of builds.
    pub(crate) fn new(prefix: &str, store: Arc<dyn Catalogue>) -> Self {
        let topic = if prefix.is_empty() { TOPIC.to_owned() } else { format!("{prefix}.{TOPIC}") };
        Self { topic, store }
    }

    fn message(&self, event: &StateChange, body: &BuildStandard) -> Message {
        let (name, owner) = (&event.summary.nsvc.name, &event.summary.owner);
        Message {
            topic: self.topic.clone(),
            body: serde_json::to_value(body).unwrap_or(Json::Null),
            modules: vec![name.to_string()],
            people: vec![owner.clone()],
        }
    }
}

#[async_trait]
impl Renderer for Events {
    async fn render(&self, events: &[StateChange]) -> Result<Vec<Message>, BusError> {
        let bodies = bodies(&*self.store, events)
            .await
            .map_err(|error| BusError::Unavailable { reason: error.to_string() })?;
        Ok(events.iter().zip(&bodies).map(|(event, body)| self.message(event, body)).collect())
    }
}

/// Makes the bodies of events, in their order, with one question to the store.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn bodies(
    store: &dyn Catalogue,
    events: &[StateChange],
) -> Result<Vec<BuildStandard>, StoreError> {
    let siblings = siblings(store, events).await?;
    let body = |event: &StateChange| {
        let siblings = siblings.get(&event.build).cloned().unwrap_or_default();
        let listed = ListedBuild { id: event.build, summary: event.summary.clone(), siblings };
        BuildStandard::of(listed).without_tasks()
    };
    Ok(events.iter().map(body).collect())
}

async fn siblings(
    store: &dyn Catalogue,
    events: &[StateChange],
) -> Result<BTreeMap<BuildId, Vec<BuildId>>, StoreError> {
    let mut siblings = BTreeMap::new();
    // As many as a page has at most.
    for part in events.chunks(mbs_core::store::MOST_LISTED) {
        let ids = part.iter().map(|event| Value::Number(event.build.0)).collect();
        let filter = Filter { columns: vec![Condition::AnyOf(Column::Id, ids)], ..Filter::default() };
        let order = Order { by: vec![Column::Id], direction: Direction::Ascending };
        let listed = store.list(&filter, &order, Page::first(part.len())).await?;
        siblings.extend(listed.into_iter().map(|build| (build.id, build.siblings)));
    }
    Ok(siblings)
}
