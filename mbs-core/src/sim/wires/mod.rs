//! What stands between a backend and the world: every call takes its way, and may go wrong on it.
//!
//! A call of the build system lives on when its caller dies: it was sent, and takes effect when it arrives. A call of the
//! store is one transaction; its caller may die before or after it.

mod bus;
mod hub;
mod network;
mod slot;
mod store;

pub(super) use bus::BusWire;
pub(super) use hub::HubWire;
pub(super) use network::{Begun, Driven, Network};
pub(super) use store::StoreWire;

use std::future::poll_fn;
use std::task::Poll;

/// Is not ready the first time it is asked: whoever waits for it may be dropped there.
pub(super) async fn hesitate() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
