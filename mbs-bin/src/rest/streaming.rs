//! Changes of state as they happen: server-sent events.
//!
//! An event has the number under which it was published, so that who comes back names the last one it saw and misses none. A
//! stream ends when the server stops, or when its client is too slow for long; both come back the same way.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use futures_util::stream::unfold;
use mbs_core::ident::BuildId;
use mbs_core::model::State;
use mbs_core::store::{Delivery, EventNumber, StateChange, Store, StoreError, Summary};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::Frontend;
use super::answer::{Answer, body, open};
use super::json;
use super::objects::BuildStandard;
use super::problem::Problem;
use super::query::{Query, whole_number};
use super::request::Seen;
use crate::bus::bodies;

/// Most events that are read at a time.
const AT_ONCE: usize = 100;

/// So often a stream without news says that it lives, and looks even if nobody told of news.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Which events somebody wants; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    ids: Vec<i64>,
    names: Vec<String>,
    streams: Vec<String>,
    owners: Vec<String>,
    states: Vec<State>,
}

/// A stream under way.
struct Stream {
    store: Arc<dyn Store>,
    news: watch::Receiver<u64>,
    stopped: watch::Receiver<bool>,
    wanted: Wanted,
    after: EventNumber,
    has_begun: bool,
    _turn: OwnedSemaphorePermit,
}

impl Frontend {
    pub(super) async fn events(&self, seen: &Seen) -> Result<Answer, Problem> {
        let wanted = Wanted::of(&seen.query)?;
        let after = match after(seen)? {
            Some(number) => number,
            None => self.store.last_published().await?,
        };
        let Ok(turn) = Arc::clone(&self.streams).try_acquire_owned() else {
            return Err(Problem::unavailable("Too many clients follow events already. Try again later."));
        };
        let stream = Stream {
            store: Arc::clone(&self.store),
            news: self.news.clone(),
            stopped: self.stopped.subscribe(),
            wanted,
            after,
            has_begun: false,
            _turn: turn,
        };
        let parts = unfold(stream, |mut stream| async move {
            let part = stream.next().await?;
            Some((Ok::<_, Infallible>(part), stream))
        });
        let mut answer = open(body(StatusCode::OK, "text/event-stream", Body::from_stream(parts)));
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }
}

impl Stream {
    /// Waits for the next part of the stream; `None`: it ends.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.has_begun, true) {
            // Who waits for the head of the answer gets it, and where to go on from.
            return Some(Bytes::from(format!("retry: 2000\nid: {}\n\n", self.after.0)));
        }
        loop {
            if *self.stopped.borrow() {
                return None;
            }
            match self.written().await {
                Ok(Some(part)) => return Some(part),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ends");
                    return None;
                }
            }
            if !self.wait().await {
                return Some(Bytes::from_static(b":\n\n"));
            }
        }
    }

    /// Writes the next events that are wanted; `None`: there are none now.
    async fn written(&mut self) -> Result<Option<Bytes>, StoreError> {
        loop {
            let read = self.store.published(self.after, AT_ONCE).await?;
            let Some(last) = read.last() else { return Ok(None) };
            let last = last.number;
            let wanted = |one: &Delivery| self.wanted.passes(one.event.build, &one.event.summary);
            let (numbers, events): (Vec<EventNumber>, Vec<StateChange>) =
                read.into_iter().filter(wanted).map(|one| (one.number, one.event)).unzip();
            let bodies = bodies(&*self.store, &events).await?;
            self.after = last;
            if !bodies.is_empty() {
                let text: Vec<u8> = numbers.into_iter().zip(&bodies).flat_map(frame).collect();
                return Ok(Some(text.into()));
            }
        }
    }

    /// Waits for news; false if there were none for a while.
    async fn wait(&mut self) -> bool {
        let news = async {
            tokio::select! {
                () = changed(&mut self.news) => {}
                () = changed(&mut self.stopped) => {}
            }
        };
        timeout(ALIVE_EVERY, news).await.is_ok()
    }
}

/// Waits for a change; where none can come any more, for ever.
async fn changed<T>(value: &mut watch::Receiver<T>) {
    if value.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn frame((number, body): (EventNumber, &BuildStandard)) -> Vec<u8> {
    let mut text = format!("id: {}\nevent: state\ndata: ", number.0).into_bytes();
    text.extend(json::written(body));
    text.push(b'\n');
    text
}

/// Reads after which event somebody wants to go on; `None`: after the newest.
fn after(seen: &Seen) -> Result<Option<EventNumber>, Problem> {
    let named = seen.header("last-event-id").or_else(|| seen.query.first("after"));
    let Some(text) = named else { return Ok(None) };
    let number = whole_number(text).and_then(|number| u64::try_from(number).ok());
    number
        .map(|number| Some(EventNumber(number)))
        .ok_or_else(|| Problem::bad(format!("\"{}\" is no number of an event", text.escape_debug())))
}

impl Wanted {
    fn of(query: &Query) -> Result<Self, Problem> {
        let texts = |name: &str| query.all(name).map(str::to_owned).collect();
        let id = |text: &str| whole_number(text).ok_or_else(|| super::query::invalid("id", text));
        let state = |text: &str| {
            let numbered = |state: &State| state.number().to_string() == text;
            State::ALL
                .into_iter()
                .find(|state| state.name() == text || numbered(state))
                .ok_or_else(|| Problem::bad(format!("Invalid state was supplied: {}", text.escape_debug())))
        };
        Ok(Self {
            ids: query.all("id").map(id).collect::<Result<_, _>>()?,
            names: texts("name"),
            streams: texts("stream"),
            owners: texts("owner"),
            states: query.all("state").map(state).collect::<Result<_, _>>()?,
        })
    }

    fn passes(&self, build: BuildId, summary: &Summary) -> bool {
        let among = |wanted: &[String], is: &str| wanted.is_empty() || wanted.iter().any(|one| one == is);
        (self.ids.is_empty() || self.ids.contains(&build.0))
            && among(&self.names, summary.nsvc.name.as_str())
            && among(&self.streams, summary.nsvc.stream.as_str())
            && among(&self.owners, &summary.owner)
            && (self.states.is_empty() || self.states.contains(&summary.state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_read() {
        let of = |text: &str| Wanted::of(&Query::read(text));
        assert_eq!(of("").unwrap(), Wanted::default());
        let wanted = of("id=7&name=a&name=b&state=ready&state=4&owner=o&stream=s").unwrap();
        assert_eq!(
            (wanted.ids, wanted.names.len(), wanted.states),
            (vec![7], 2, vec![State::Ready, State::Failed])
        );
        assert_eq!(of("id=x").unwrap_err().message, "An invalid value of \"id\" was supplied: x");
        assert_eq!(of("state=x").unwrap_err().message, "Invalid state was supplied: x");
    }
}
