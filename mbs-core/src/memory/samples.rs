//! What the tests of this folder, and of the engine, share.

use std::time::Duration;

use futures_util::FutureExt;

pub(crate) use crate::contract::samples::{at, component, id, new_build, running};

/// Ends a future that never waits.
pub(crate) fn now_or_panic<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory never waits")
}

pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
