//! Publishing: messages go out one after another over one channel, and count when the broker has confirmed them.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation, PublisherConfirm};
use mbs_core::bus::BusError;
use mbs_core::store::StateChange;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use crate::counts::Counts;
use crate::line::{Line, down, late};
use crate::message::{Message, properties};
use crate::pauses::Pauses;
use crate::{Renderer, Settings};

/// Publishes events.
#[derive(Debug)]
pub(crate) struct Speaker {
    settings: Arc<Settings>,
    renderer: Arc<dyn Renderer>,
    counts: Arc<Counts>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    speaking: Option<Speaking>,
    pauses: Pauses,
}

/// A connection with a channel whose messages are confirmed.
#[derive(Debug)]
struct Speaking {
    channel: Channel,
    line: Line,
}

impl Speaker {
    pub(crate) fn new(settings: Arc<Settings>, renderer: Arc<dyn Renderer>, counts: Arc<Counts>) -> Self {
        Self { settings, renderer, counts, state: Mutex::default() }
    }

    /// Publishes events, all under way at once, and says of each whether the broker has it.
    ///
    /// Given up half-way, the connection is given up with it: what waits to be sent is not sent later, after its successor.
    pub(crate) async fn publish_each(&self, events: &[StateChange]) -> Vec<Result<(), BusError>> {
        if events.is_empty() {
            return Vec::new();
        }
        let outcomes = match self.renderer.render(events).await {
            Ok(messages) => self.send(&messages, events).await,
            Err(error) => vec![Err(error); events.len()],
        };
        for outcome in &outcomes {
            let count = if outcome.is_ok() { &self.counts.published } else { &self.counts.not_taken };
            count.add();
        }
        outcomes
    }

    async fn send(&self, messages: &[Message], events: &[StateChange]) -> Vec<Result<(), BusError>> {
        let mut state = self.state.lock().await;
        let speaking = match self.speaking(&mut state).await {
            Ok(speaking) => speaking,
            Err(error) => {
                state.pauses.failed();
                return vec![Err(error); events.len()];
            }
        };
        let outcomes = self.exchange(&speaking, messages, events).await;
        if outcomes.iter().any(Result::is_ok) {
            state.pauses.succeeded();
        } else {
            state.pauses.failed();
        }
        // A message that was merely refused leaves all others in order; whatever else went wrong may have left something behind.
        if outcomes.iter().all(|outcome| !matches!(outcome, Err(Untold::Lost(_)))) && speaking.line.is_up() {
            state.speaking = Some(speaking);
        }
        outcomes.into_iter().map(|outcome| outcome.map_err(Untold::into_error)).collect()
    }

    /// Takes the connection, or makes one. It is given back only in good order.
    async fn speaking(&self, state: &mut State) -> Result<Speaking, BusError> {
        if let Some(speaking) = state.speaking.take().filter(|speaking| speaking.line.is_up()) {
            return Ok(speaking);
        }
        state.pauses.wait().await;
        let line = Line::open(&self.settings, "module build service: events").await?;
        let opened = timeout(self.settings.patience, async {
            let channel = line.channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(channel)
        });
        let channel: Result<_, lapin::Error> = opened.await.map_err(|_| late("it opens no channel"))?;
        self.counts.connections.add();
        Ok(Speaking { channel: channel.map_err(|error| down(&error))?, line })
    }

    async fn exchange(
        &self,
        speaking: &Speaking,
        messages: &[Message],
        events: &[StateChange],
    ) -> Vec<Result<(), Untold>> {
        let deadline = Instant::now() + self.settings.patience;
        let mut sent = Vec::with_capacity(messages.len());
        let mut lost: Option<Untold> = None;
        for (message, event) in messages.iter().zip(events) {
            let confirm = match &lost {
                None => within(deadline, speaking, self.hand_over(&speaking.channel, message, event)).await,
                Some(lost) => Err(lost.clone()),
            };
            if let Err(Untold::Lost(_)) = &confirm {
                lost = confirm.as_ref().err().cloned();
            }
            sent.push(confirm);
        }
        let each = sent.into_iter().zip(messages).map(async |(sent, message)| {
            let confirmation = within(deadline, speaking, async { Ok(sent?.await) }).await?;
            self.judge(&confirmation.map_err(|error| Untold::Lost(down(&error)))?, message)
        });
        join_all(each).await
    }

    async fn hand_over(
        &self,
        channel: &Channel,
        message: &Message,
        event: &StateChange,
    ) -> Result<PublisherConfirm, Untold> {
        let refused = |reason: String| Untold::Refused(BusError::Unavailable { reason });
        let topic = ShortString::try_new(&message.topic)
            .map_err(|_| refused(format!("the topic {} has more than 255 bytes", message.topic)))?;
        let body = serde_json::to_vec(&message.body).map_err(|error| refused(error.to_string()))?;
        let properties = properties(message, event, Timestamp::now());
        let exchange = self.settings.exchange.as_str().into();
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent = channel.basic_publish(exchange, topic, options, &body, properties).await;
        sent.map_err(|error| Untold::Lost(down(&error)))
    }

    /// Says whether a message is told. One that reached no queue is: nobody asked for it.
    fn judge(&self, confirmation: &Confirmation, message: &Message) -> Result<(), Untold> {
        match confirmation {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => {
                if self.counts.unrouted.add() {
                    let (topic, exchange) = (&message.topic, &self.settings.exchange);
                    tracing::warn!(
                        topic,
                        exchange,
                        "nobody listens to {topic}: no queue of the broker gets it"
                    );
                }
                Ok(())
            }
            Confirmation::Nack(_) | Confirmation::NotRequested => {
                let reason = "the broker refuses a message".to_owned();
                Err(Untold::Refused(BusError::Unavailable { reason }))
            }
        }
    }

    /// Takes leave of the broker.
    pub(crate) async fn close(&self) {
        if let Some(speaking) = self.state.lock().await.speaking.take() {
            speaking.line.close().await;
        }
    }
}

/// Why a message is not told.
#[derive(Debug, Clone)]
enum Untold {
    /// The broker does not take it; others it does.
    Refused(BusError),
    /// Nobody knows, and the connection is of no use any more.
    Lost(BusError),
}

impl Untold {
    fn into_error(self) -> BusError {
        match self {
            Self::Refused(error) | Self::Lost(error) => error,
        }
    }
}

async fn within<T>(
    deadline: Instant,
    speaking: &Speaking,
    answer: impl Future<Output = Result<T, Untold>>,
) -> Result<T, Untold> {
    match timeout_at(deadline, speaking.line.answer(answer)).await {
        Ok(answer) => answer.map_err(Untold::Lost)?,
        Err(_) if speaking.line.is_blocked() => {
            let reason = "the broker takes no messages: it is short of memory or disk".to_owned();
            Err(Untold::Lost(BusError::Unavailable { reason }))
        }
        Err(_) => Err(Untold::Lost(late("a message is not confirmed"))),
    }
}
