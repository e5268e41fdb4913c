//! A message bus over AMQP 0.9.1 as [fedora-messaging] speaks it: a topic exchange, JSON bodies, and headers that say what a
//! message is about.
//!
//! | out | in |
//! | --- | --- |
//! | persistent messages with publisher confirms; the same event has the same id each time | a queue of a name or of the broker's making, bound to routing keys, with a bounded number of messages under way |
//! | [`Renderer`] makes messages of events | [`Reader`] makes hints of messages |
//!
//! What events look like and what messages mean is the caller's business: nothing here knows Koji, modules or REST. Nothing
//! is kept either: what a broker does not confirm is `Unavailable`, and stays in the store's outbox. Connections are made when
//! they are first needed and made anew when they are lost, in growing pauses.
//!
//! [fedora-messaging]: https://fedora-messaging.readthedocs.io
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod address;
#[cfg(feature = "broker")]
pub mod broker;
mod bus;
mod counts;
mod line;
mod listening;
mod message;
mod pauses;
mod settings;
mod speaking;
mod tls;

pub use bus::AmqpBus;
pub use counts::Figures;
pub use message::{Arrived, Message, Read, Reader, Renderer};
pub use settings::{Identity, Settings, SettingsError};
