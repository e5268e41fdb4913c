//! The broker of these tests, started once, and what the tests say over it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use lapin::message::Delivery;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use mbs_amqp::broker::Broker;
use mbs_amqp::{AmqpBus, Arrived, Message, Read, Reader, Renderer, Settings};
use mbs_core::bus::{BusError, Hint, MessageBus as _};
use mbs_core::ident::{BuildId, TagName, TaskId};
use mbs_core::model::{ModuleBuild, NewBuild, RebuildStrategy, State};
use mbs_core::modulemd::ModuleStream;
use mbs_core::store::StateChange;
use mbs_http::Secret;
use serde_json::{Value as Json, json};
use tokio::time::timeout;

/// The broker. Without one the tests fail: nothing is skipped.
pub(crate) static BROKER: LazyLock<Broker> =
    LazyLock::new(|| Broker::start().expect("scripts/install-needed test installs RabbitMQ"));

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

static TOPICS: AtomicU64 = AtomicU64::new(0);

/// Writes events whole, and reads hints of one member.
#[derive(Debug)]
pub(crate) struct Plain {
    /// What events are published under.
    pub(crate) topic: String,
}

#[async_trait]
impl Renderer for Plain {
    async fn render(&self, events: &[StateChange]) -> Result<Vec<Message>, BusError> {
        let message = |event: &StateChange| Message {
            topic: self.topic.clone(),
            body: serde_json::to_value(event).unwrap(),
            modules: vec![event.summary.nsvc.name.to_string()],
            people: vec![event.summary.owner.clone()],
        };
        Ok(events.iter().map(message).collect())
    }
}

impl Reader for Plain {
    fn read(&self, message: Arrived<'_>) -> Read {
        let Ok(body) = serde_json::from_slice::<Json>(message.body) else {
            return Read::Malformed("no JSON");
        };
        let number = |name: &str| body[name].as_i64();
        let tag = body["tag"].as_str().map(|tag| Hint::Tag(TagName::new(tag).unwrap()));
        let hint = tag
            .or(number("task").map(|task| Hint::Task(TaskId(task))))
            .or(number("build").map(|build| Hint::Build(BuildId(build))))
            .or(body["all"].as_bool().map(|_| Hint::Everything));
        hint.map_or(Read::Ignored, Read::Hint)
    }
}

/// Returns the body that [`Plain`] reads as this hint.
pub(crate) fn body(hint: &Hint) -> Vec<u8> {
    let body = match hint {
        Hint::Build(build) => json!({ "build": build.0 }),
        Hint::Tag(tag) => json!({ "tag": tag.as_str() }),
        Hint::Task(task) => json!({ "task": task.0 }),
        Hint::Everything => json!({ "all": true }),
    };
    body.to_string().into_bytes()
}

/// Returns a name that no other test has.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", TOPICS.fetch_add(1, Ordering::Relaxed))
}

/// Makes a bus that publishes under a topic.
pub(crate) fn bus(settings: Settings, topic: &str) -> AmqpBus {
    let form = Arc::new(Plain { topic: topic.to_owned() });
    AmqpBus::new(settings, form.clone(), form).unwrap()
}

/// Returns settings for a bus that listens to a queue which is there already.
pub(crate) fn listening_to(url: Secret, queue: &str) -> Settings {
    Settings { queue: Some(queue.to_owned()), ..Settings::new(url) }
}

/// Waits for the next hints of a bus.
pub(crate) async fn hints(bus: &AmqpBus) -> Result<Vec<Hint>, BusError> {
    timeout(PATIENCE, bus.hints()).await.expect("hints come, or the word that none do")
}

/// Waits for hints until all of these have come, and returns all that did, in order. `each` sees every error.
pub(crate) async fn hear(bus: &AmqpBus, wanted: &[Hint], mut each: impl FnMut(BusError)) -> Vec<Hint> {
    let mut heard = Vec::new();
    while !wanted.iter().all(|hint| heard.contains(hint)) {
        match hints(bus).await {
            Ok(hints) => heard.extend(hints),
            Err(error) => each(error),
        }
    }
    heard
}

/// Makes the first events of a build.
pub(crate) fn events(build: i64, count: usize) -> Vec<StateChange> {
    let new = NewBuild {
        nsvc: "app:1:1:a".parse().unwrap(),
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::default(),
        reuse_from: None,
        origin: None,
        document: Arc::new(ModuleStream::default()),
        contexts: Default::default(),
        srpms: Default::default(),
        given_srpms: Default::default(),
        base_modules: Vec::new(),
    };
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    let mut record = ModuleBuild::begin(new, BuildId(build), BuildId(build), at);
    let course = [State::Wait, State::Build, State::Failed].into_iter().cycle();
    for state in course.take(count.saturating_sub(1)) {
        record.enter(state, None, at).unwrap();
    }
    let transitions = record.life.take_unsaved();
    StateChange::all_of(&record, 0, None, &transitions)
}

/// Somebody else at the broker.
pub(crate) struct Peer {
    _connection: Connection,
    pub(crate) channel: Channel,
}

impl Peer {
    pub(crate) async fn new() -> Self {
        Self::at(&BROKER).await
    }

    pub(crate) async fn at(broker: &Broker) -> Self {
        let connection =
            Connection::connect(broker.url().reveal(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { _connection: connection, channel }
    }

    /// Makes a queue that outlasts the broker, and binds it to a topic unless that is empty.
    pub(crate) async fn queue(&self, name: &str, topic: &str) {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(name.into(), options, FieldTable::default()).await.unwrap();
        if !topic.is_empty() {
            let options = QueueBindOptions::default();
            let bound = self.channel.queue_bind(
                name.into(),
                "amq.topic".into(),
                topic.into(),
                options,
                FieldTable::default(),
            );
            bound.await.unwrap();
        }
    }

    /// Puts a message into a queue, and returns when it is there; waits for the queue, too.
    pub(crate) async fn put(&self, queue: &str, body: &[u8]) {
        while !self.sent("", queue, body).await {}
    }

    /// Publishes under a topic, and says whether a queue got it.
    pub(crate) async fn tell(&self, topic: &str, body: &[u8]) -> bool {
        self.sent("amq.topic", topic, body).await
    }

    async fn sent(&self, exchange: &str, key: &str, body: &[u8]) -> bool {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let sent = self.channel.basic_publish(exchange.into(), key.into(), options, body, properties).await;
        matches!(sent.unwrap().await.unwrap(), Confirmation::Ack(None))
    }

    /// Returns how many messages wait in a queue.
    pub(crate) async fn waiting(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
        queue.message_count()
    }

    /// Reads a queue.
    pub(crate) async fn reader(&self, queue: &str) -> Heard {
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = self.channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        Heard(consumer.await.unwrap())
    }
}

/// What comes out of a queue.
pub(crate) struct Heard(Consumer);

impl Heard {
    /// Returns the next message.
    pub(crate) async fn next(&mut self) -> Delivery {
        timeout(PATIENCE, self.0.next()).await.expect("a message comes").unwrap().unwrap()
    }

    /// Returns the events of the next messages.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<StateChange> {
        let mut events = Vec::new();
        for _ in 0..count {
            events.push(serde_json::from_slice(&self.next().await.data).unwrap());
        }
        events
    }
}
