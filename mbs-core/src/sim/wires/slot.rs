//! A place for one answer, between a call under way and whoever waits for it.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// Takes one answer and gives it to whoever waits. Dropped by either side, the other just never hears.
#[derive(Debug)]
pub(super) struct Slot<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new((None, None))))
    }

    pub(super) fn put(&self, answer: T) {
        let waker = {
            let mut inner = self.0.lock().expect("nothing panics while it holds a slot");
            inner.0 = Some(answer);
            inner.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    pub(super) async fn take(&self) -> T {
        poll_fn(|context| {
            let mut inner = self.0.lock().expect("nothing panics while it holds a slot");
            match inner.0.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    inner.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}
