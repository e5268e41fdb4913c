//! Listening: messages come in order from one queue and become hints. They are acknowledged when the hints have been taken,
//! which is seen by the next question; what cannot be read is acknowledged at once, so that it never comes again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer, ErrorKind};
use mbs_core::bus::{BusError, Hint};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::counts::Counts;
use crate::line::{Line, down, late};
use crate::message::flat_headers;
use crate::pauses::Pauses;
use crate::{Arrived, Read, Reader, Settings};

/// Listens.
#[derive(Debug)]
pub(crate) struct Ear {
    settings: Arc<Settings>,
    reader: Arc<dyn Reader>,
    counts: Arc<Counts>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    listening: Option<Listening>,
    pauses: Pauses,
}

/// A connection from which messages come.
#[derive(Debug)]
struct Listening {
    consumer: Consumer,
    /// The last message whose hint was handed on.
    handed_on: Option<Delivery>,
    line: Line,
    /// Held open: the consumer ends with it.
    _channel: Channel,
}

impl Ear {
    pub(crate) fn new(settings: Arc<Settings>, reader: Arc<dyn Reader>, counts: Arc<Counts>) -> Self {
        Self { settings, reader, counts, state: Mutex::default() }
    }

    /// Waits for the next hints: at least one. Given up half-way, it loses none that the broker would not bring again.
    pub(crate) async fn hear(&self) -> Result<Vec<Hint>, BusError> {
        let mut state = self.state.lock().await;
        let heard = self.hear_over(&mut state).await;
        match &heard {
            Ok(_) => state.pauses.succeeded(),
            Err(_) => {
                state.listening = None;
                state.pauses.failed();
                self.counts.is_listening.store(false, Ordering::Relaxed);
            }
        }
        heard
    }

    async fn hear_over(&self, state: &mut State) -> Result<Vec<Hint>, BusError> {
        let listening = match state.listening.take() {
            Some(listening) => listening,
            None => {
                state.pauses.wait().await;
                self.connect().await?
            }
        };
        let listening = state.listening.insert(listening);
        if let Some(last) = listening.handed_on.take() {
            listening.acknowledge(&last).await?;
        }
        loop {
            let mut delivery = listening.next().await?;
            let mut hints: Vec<Hint> = self.read(&delivery).into_iter().collect();
            // No more come than may be under way.
            while let Some(next) = listening.next().now_or_never() {
                delivery = next?;
                hints.extend(self.read(&delivery));
            }
            if !hints.is_empty() {
                listening.handed_on = Some(delivery);
                return Ok(hints);
            }
            listening.acknowledge(&delivery).await?;
        }
    }

    fn read(&self, delivery: &Delivery) -> Option<Hint> {
        self.counts.received.add();
        let topic = delivery.routing_key.as_str();
        let message = Arrived { topic, body: &delivery.data, headers: &flat_headers(delivery) };
        match self.reader.read(message) {
            Read::Hint(hint) => {
                self.counts.hints.add();
                Some(hint)
            }
            Read::Ignored => None,
            Read::Malformed(how) => {
                if self.counts.malformed.add() {
                    tracing::warn!(topic, "a message makes no sense: {how}");
                }
                None
            }
        }
    }

    async fn connect(&self) -> Result<Listening, BusError> {
        let line = Line::open(&self.settings, "module build service: hints").await?;
        self.counts.connections.add();
        let listening = timeout(self.settings.patience, self.subscribe(line)).await;
        let listening = listening.map_err(|_| late("it opens no queue"))?.map_err(|error| down(&error))?;
        self.counts.is_listening.store(true, Ordering::Relaxed);
        Ok(listening)
    }

    async fn subscribe(&self, line: Line) -> Result<Listening, lapin::Error> {
        let channel = line.channel().await?;
        channel.basic_qos(self.settings.prefetch, BasicQosOptions::default()).await?;
        let queue = match &self.settings.queue {
            Some(name) => self.named_queue(&line, name).await?,
            None => {
                declare(&channel, "", QueueDeclareOptions { exclusive: true, auto_delete: true, ..asked() })
                    .await?
            }
        };
        self.bind(&line, &queue).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = channel.basic_consume(queue, "".into(), options, arguments).await?;
        Ok(Listening { consumer, handed_on: None, line, _channel: channel })
    }

    /// Takes a queue as it is, whoever made it and however, or makes one that outlasts everything.
    async fn named_queue(&self, line: &Line, name: &str) -> Result<ShortString, lapin::Error> {
        // A refusal ends the channel.
        let channel = line.channel().await?;
        match declare(&channel, name, QueueDeclareOptions { passive: true, ..asked() }).await {
            Err(error) if is(&error, &AMQPSoftError::NOTFOUND) => {
                let channel = line.channel().await?;
                declare(&channel, name, QueueDeclareOptions { durable: true, ..asked() }).await
            }
            there => there,
        }
    }

    /// Binds the queue to what is listened to. Where we may not, administrators have done so.
    async fn bind(&self, line: &Line, queue: &ShortString) -> Result<(), lapin::Error> {
        let channel = line.channel().await?;
        for key in &self.settings.routing_keys {
            let (exchange, options) = (self.settings.exchange.as_str().into(), QueueBindOptions::default());
            let key = key.as_str().into();
            match channel.queue_bind(queue.clone(), exchange, key, options, FieldTable::default()).await {
                Err(error) if is(&error, &AMQPSoftError::ACCESSREFUSED) => {
                    tracing::warn!(queue = queue.as_str(), %error, "what the queue gets is left to the broker's administrators");
                    return Ok(());
                }
                bound => bound?,
            }
        }
        Ok(())
    }

    /// Takes leave of the broker.
    pub(crate) async fn close(&self) {
        if let Some(listening) = self.state.lock().await.listening.take() {
            listening.line.close().await;
        }
        self.counts.is_listening.store(false, Ordering::Relaxed);
    }
}

impl Listening {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        match self.line.answer(self.consumer.next()).await? {
            Some(delivery) => delivery.map_err(|error| down(&error)),
            None => Err(BusError::Unavailable { reason: "the broker has ended the queue".to_owned() }),
        }
    }

    /// Acknowledges a message and all before it.
    async fn acknowledge(&self, delivery: &Delivery) -> Result<(), BusError> {
        let acknowledged = self.line.answer(delivery.acker.ack(BasicAckOptions { multiple: true })).await?;
        acknowledged.map(drop).map_err(|error| down(&error))
    }
}

fn asked() -> QueueDeclareOptions {
    QueueDeclareOptions::default()
}

async fn declare(
    channel: &Channel,
    name: &str,
    options: QueueDeclareOptions,
) -> Result<ShortString, lapin::Error> {
    let queue = channel.queue_declare(name.into(), options, FieldTable::default()).await?;
    Ok(queue.name().clone())
}

fn is(error: &lapin::Error, soft: &AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if matches!(error.kind(), AMQPErrorKind::Soft(kind) if kind == soft))
}
