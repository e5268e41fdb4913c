//! What happens at a service, as it happens; services of ours tell (server-sent events).
//!
//! An event is a hint to look: what is so, the builds themselves say. A stream that breaks off is taken up behind the last event
//! that came.

use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_http::Failure;
use reqwest::Response;
use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::client::event_stream::{EventReader, RawEvent};
use crate::client::{Client, ClientError, Method, Request};
use crate::server::ApiVersion;

/// No event is longer, in bytes.
const EVENT_BYTES: usize = 1 << 20;
/// Services send something at least this often, if only that they live.
const LONGEST_SILENCE: Duration = Duration::from_secs(120);
/// No pause before a stream is taken up again is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What a later stream resumes from; `None`: the service does not number its events.
    pub id: Option<String>,
    /// What kind of event it is.
    pub kind: String,
    /// What happened, as text; usually JSON.
    pub data: String,
}

impl Event {
    /// Reads what happened as JSON.
    ///
    /// # Errors
    /// It is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.data)
    }
}

/// A stream of events. It has no end.
#[derive(Debug)]
pub struct Events {
    client: Client,
    last: Option<String>,
    open: Option<Response>,
    reader: EventReader,
    waiting: std::collections::VecDeque<RawEvent>,
}

impl Client {
    /// Follows what happens at the service: behind the event with this id; `None`: from now on. Nothing is asked before the
    /// first event is awaited.
    pub fn events(&self, behind: Option<String>) -> Events {
        Events {
            client: self.clone(),
            last: behind,
            open: None,
            reader: EventReader::default(),
            waiting: Default::default(),
        }
    }
}

impl Events {
    /// Returns the id to resume from, of the last event that was returned.
    pub fn last_id(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Waits for the next event. A stream that broke off is taken up again, as often as a read is repeated.
    ///
    /// # Errors
    /// `Refused` with status 404: the service has none. `Unavailable`: it was away for longer; calling again takes up the
    /// stream. Others as for [`Client::read`].
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        let mut retries = 0;
        loop {
            if let Some(RawEvent { id, kind, data }) = self.waiting.pop_front() {
                self.last = id.clone().or(self.last.take());
                return Ok(Event { id, kind, data });
            }
            match self.more().await {
                Ok(()) => retries = 0,
                Err(error) => {
                    self.open = None;
                    if !error.is_transient() || retries >= self.client.server().retries {
                        return Err(error);
                    }
                    let own = self.client.server().retry_pause.saturating_mul(1 << retries.min(16));
                    sleep(own.max(self.reader.retry().unwrap_or_default()).min(LONGEST_PAUSE)).await;
                    retries += 1;
                }
            }
        }
    }

    /// Reads what comes next of the stream, which is opened if it is not.
    async fn more(&mut self) -> Result<(), ClientError> {
        let lost = |reason: String| ClientError::Unavailable {
            reason,
            status: None,
            effect: Effect::None,
            retry_after: None,
        };
        let response = match &mut self.open {
            Some(response) => response,
            None => {
                self.reader = EventReader::default();
                self.open.insert(self.client.opened(&request(), headers(self.last.as_deref())?).await?)
            }
        };
        let read = timeout(LONGEST_SILENCE, response.chunk()).await;
        let read = read.map_err(|_| lost("it has fallen silent".to_owned()))?;
        let part = read.map_err(|error| lost(Failure::of_reading(&error).reason))?;
        let part = part.ok_or_else(|| lost("it ended the stream of events".to_owned()))?;
        let events = self.reader.take(&part, EVENT_BYTES);
        let events = events.map_err(|_| ClientError::odd("an event has no end", Effect::None))?;
        self.waiting.extend(events);
        Ok(())
    }
}

fn request() -> Request {
    Request::new(Method::Get, ["events"]).of(ApiVersion::Two)
}

fn headers(last: Option<&str>) -> Result<Vec<(HeaderName, HeaderValue)>, ClientError> {
    let mut headers = vec![(ACCEPT, HeaderValue::from_static("text/event-stream"))];
    if let Some(last) = last {
        let value = HeaderValue::from_str(last);
        let value = value.map_err(|_| ClientError::unusable("there are no events with such an id"))?;
        headers.push((LAST_EVENT_ID, value));
    }
    Ok(headers)
}
