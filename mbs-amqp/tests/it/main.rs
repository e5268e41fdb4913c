//! What the bus does with a real broker, and with one that is away, slow, or cut off.

#![expect(clippy::unwrap_used, reason = "tests fail for want of anything")]

mod away;
mod contract;
mod genuine;
mod ground;
mod listening;
mod publishing;
mod tls;
mod wire;
