//! Requests that can go out again as they are, and until when.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Url};

use super::figures::Kind;

/// A request that can go out again as it is.
pub(super) struct Parcel {
    pub(super) kind: Kind,
    /// What is called, for messages.
    pub(super) method: String,
    request: Request,
}

/// What a request holds.
pub(super) enum Content {
    /// A call in XML.
    Xml(String),
    /// Bytes of a file.
    Bytes(Vec<u8>),
}

impl Parcel {
    pub(super) fn new(kind: Kind, method: &str, url: Url, mut headers: HeaderMap, content: Content) -> Self {
        let (media, body) = match content {
            Content::Xml(xml) => ("text/xml", xml.into_bytes()),
            Content::Bytes(bytes) => ("application/octet-stream", bytes),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        // Hubs refuse requests that do not tell their length, empty ones too.
        headers.insert(CONTENT_LENGTH, body.len().into());
        let mut request = Request::new(Method::POST, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(body.into());
        Self { kind, method: method.to_owned(), request }
    }

    /// Returns the length of its body in bytes.
    pub(super) fn length(&self) -> u64 {
        self.request.body().and_then(|body| body.as_bytes()).map_or(0, <[u8]>::len) as u64
    }

    /// Makes the request to send.
    pub(super) fn request(&self, until: Deadline) -> Request {
        let mut request = self.request.try_clone().expect("a body in memory can be sent again");
        *request.timeout_mut() = Some(until.remaining());
        request
    }
}

/// Until when a call has to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn within(time: Duration) -> Self {
        // A year is as good as never, and always within what an instant can hold.
        Self(Instant::now() + time.min(Duration::from_secs(365 * 24 * 3600)))
    }

    /// Returns the earlier one of this and another, counted from now.
    pub(super) fn at_most(self, time: Duration) -> Self {
        Self(self.0.min(Self::within(time).0))
    }

    fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Waits for what is asked, or for the deadline.
    pub(super) async fn bound<T>(self, wanted: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.remaining(), wanted).await.ok()
    }
}
