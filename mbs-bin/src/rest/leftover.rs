//! Bodies that an answer had no need of: a redirect or a refusal is made without reading what came with the request.
//!
//! If they were left unread, the connection would be closed after the answer, with no word of it, while its client already sends the next
//! request through it, as those do that follow a redirect. So they are read away if they are small and come soon; else the answer
//! says that the connection ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

/// The most that is read away, in bytes.
const MOST: u64 = 64 << 10;

/// So long it is waited for.
const WITHIN: Duration = Duration::from_secs(1);

/// A body that comes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lent<B: Unpin> {
    body: Option<B>,
    back: Option<oneshot::Sender<B>>,
}

/// What comes back.
#[derive(Debug)]
pub(crate) struct Left<B>(oneshot::Receiver<B>);

/// Gives a body away until it is dropped.
pub(crate) fn lend<B: Unpin>(body: B) -> (Lent<B>, Left<B>) {
    let (back, left) = oneshot::channel();
    (Lent { body: Some(body), back: Some(back) }, Left(left))
}

impl<B: Body + Unpin> Left<B> {
    /// Reads away what is left of the body; says whether nothing is left then.
    pub(crate) async fn read_away(mut self) -> bool {
        let Ok(mut body) = self.0.try_recv() else { return false };
        let mut read = 0;
        let rest = async {
            while !body.is_end_stream() && read + body.size_hint().lower() <= MOST {
                match body.frame().await {
                    Some(Ok(frame)) => read += frame.data_ref().map_or(0, length),
                    Some(Err(_)) => return false,
                    None => return true,
                }
            }
            body.is_end_stream()
        };
        tokio::time::timeout(WITHIN, rest).await.unwrap_or(false)
    }
}

fn length(data: &impl hyper::body::Buf) -> u64 {
    data.remaining() as u64
}

impl<B: Body + Unpin> Body for Lent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl<B: Unpin> Drop for Lent<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody waits for it any more when the connection is gone.
            drop(back.send(body));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use http_body_util::{Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_small_body_that_nobody_read_read_away() {
        let (lent, left) = lend(Full::new(Bytes::from_static(b"{\"state\": \"failed\"}")));
        drop(lent);
        assert!(left.read_away().await);
    }

    #[tokio::test]
    async fn of_a_body_that_was_read_nothing_is_left() {
        let (lent, left) = lend(Full::new(Bytes::from_static(b"{}")));
        assert_eq!(lent.collect().await.unwrap().to_bytes(), "{}");
        assert!(left.read_away().await);
    }

    #[tokio::test]
    async fn a_large_body_is_left_unread() {
        let (lent, left) = lend(Full::new(Bytes::from(vec![0; (64 << 10) + 1])));
        drop(lent);
        assert!(!left.read_away().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let nothing = futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
        let (lent, left) = lend(StreamBody::new(nothing));
        drop(lent);
        assert!(!left.read_away().await);
    }
}
