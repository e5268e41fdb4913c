//! The contract of message buses.

use async_trait::async_trait;
use lapin::options::BasicGetOptions;
use mbs_amqp::AmqpBus;
use mbs_core::bus::{Hint, MessageBus};
use mbs_core::contract::{self, MessageBusGround, Unable};
use mbs_core::store::StateChange;
use tokio::sync::Mutex;

use crate::ground::{BROKER, Peer, body, bus, listening_to, unique};
use crate::wire::{Net, Wire};

struct Ground {
    bus: AmqpBus,
    net: Net,
    peer: Peer,
    events: String,
    hints: String,
    published: Mutex<Vec<StateChange>>,
}

impl Ground {
    async fn new() -> Self {
        let (peer, net) = (Peer::new().await, Net::to(BROKER.address()).await);
        let (events, hints) = (unique("events"), unique("hints"));
        peer.queue(&events, &events).await;
        peer.queue(&hints, "").await;
        let bus = bus(listening_to(net.url(), &hints), &events);
        Self { bus, net, peer, events, hints, published: Mutex::default() }
    }
}

#[async_trait]
impl MessageBusGround for Ground {
    fn bus(&self) -> &dyn MessageBus {
        &self.bus
    }

    async fn published(&self) -> Vec<StateChange> {
        let mut published = self.published.lock().await;
        let options = BasicGetOptions { no_ack: true };
        while let Some(message) =
            self.peer.channel.basic_get(self.events.as_str().into(), options).await.unwrap()
        {
            published.push(serde_json::from_slice(&message.data).unwrap());
        }
        published.clone()
    }

    async fn push(&self, hints: Vec<Hint>) {
        for hint in hints {
            self.peer.put(&self.hints, &body(&hint)).await;
        }
    }

    async fn close(&self) -> Result<(), Unable> {
        self.bus.close().await;
        Ok(())
    }

    async fn break_down(&self) -> Result<(), Unable> {
        self.net.is(Wire::Cut);
        Ok(())
    }

    async fn repair(&self) -> Result<(), Unable> {
        self.net.is(Wire::Well);
        Ok(())
    }
}

#[tokio::test]
async fn a_broker_keeps_the_contract_of_message_buses() {
    let kept = contract::message_bus(Ground::new).await.unwrap();
    assert!(kept.left_out.is_empty(), "{kept}");
}
