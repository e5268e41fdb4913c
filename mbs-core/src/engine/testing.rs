//! Drives futures by hand on a clock that stands still, for the tests of this folder.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock::Clock as _;
use crate::memory::ManualClock;

/// Polls a future once.
pub(super) fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs a future to its end; time passes only as far as it sleeps.
pub(super) fn run<T>(clock: &ManualClock, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = poll(future.as_mut()) {
            return value;
        }
        let deadline = clock.next_deadline().expect("a future that waits has a deadline");
        clock.advance_to(deadline);
    }
}

/// Lets a while pass for a future, from one of its deadlines to the next, or until it ends.
pub(super) fn pass<T>(
    clock: &ManualClock,
    mut future: std::pin::Pin<&mut impl Future<Output = T>>,
    a_while: Duration,
) -> Poll<T> {
    let end = clock.reading() + a_while;
    loop {
        let polled = poll(future.as_mut());
        if polled.is_ready() || clock.reading() == end {
            return polled;
        }
        clock.advance_to(clock.next_deadline().map_or(end, |deadline| deadline.min(end)));
    }
}

/// Is not ready the first time it is asked.
pub(super) async fn hesitate() {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
