//! The suites on the implementations in memory, and on implementations with a defect: is exactly that promise named?

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::{Broken, Kept};

mod build_system;
mod others;
mod store;

/// Ends a suite that waits for nothing but itself.
fn run(suite: impl Future<Output = Result<Kept, Broken>>) -> Result<Kept, Broken> {
    let mut suite = pin!(suite);
    let mut context = Context::from_waker(Waker::noop());
    let ended = (0..100).find_map(|_| match suite.as_mut().poll(&mut context) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    });
    ended.expect("memory waits for the suite only")
}

/// Runs a suite that tries everything.
fn keeps_all(suite: impl Future<Output = Result<Kept, Broken>>) {
    let kept = run(suite).unwrap();
    assert!(kept.left_out.is_empty() && !kept.promises.is_empty(), "{kept}");
}

/// Runs a suite on something with a defect and returns the promises that it breaks.
fn broken_by(suite: impl Future<Output = Result<Kept, Broken>>) -> Vec<&'static str> {
    let broken = run(suite).expect_err("the suite does not see the defect");
    broken.promises.into_iter().map(|(promise, _)| promise).collect()
}
