//! A broker that goes away, comes back, or takes nothing for want of memory.

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::time::Duration;

use mbs_amqp::Settings;
use mbs_amqp::broker::Broker;
use mbs_core::bus::{BusError, Hint, MessageBus as _};
use mbs_core::ident::TaskId;
use mbs_http::Secret;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::ground::{BROKER, Peer, body, bus, events, hear, hints, listening_to, unique};
use crate::wire::{Net, Wire};

/// A broker that is disturbed: by one test at a time.
static FRAIL: LazyLock<Mutex<Broker>> =
    LazyLock::new(|| Mutex::new(Broker::start().expect("scripts/install-needed test installs RabbitMQ")));

fn task(number: i64) -> Hint {
    Hint::Task(TaskId(number))
}

#[tokio::test]
async fn a_broker_that_is_stopped_and_started_again_is_found_again() {
    let broker = FRAIL.lock().await;
    let (events_in, hints_in) = (unique("events"), unique("hints"));
    let peer = Peer::at(&broker).await;
    peer.queue(&events_in, &events_in).await;
    peer.queue(&hints_in, "").await;
    let bus = bus(listening_to(broker.url(), &hints_in), &events_in);
    let all = events(7, 3);
    bus.publish(&all[..1]).await.unwrap();
    peer.put(&hints_in, &body(&task(1))).await;
    assert_eq!(hints(&bus).await.unwrap(), [task(1)]);
    drop(peer);

    broker.stop().unwrap();
    assert!(matches!(bus.publish(&all[1..]).await, Err(BusError::Unavailable { .. })));
    assert!(matches!(hints(&bus).await, Err(BusError::Unavailable { .. })));
    broker.resume().unwrap();

    let peer = Peer::at(&broker).await;
    peer.put(&hints_in, &body(&task(2))).await;
    hear(&bus, &[task(2)], drop).await;
    while bus.publish(&all[1..]).await.is_err() {}
    // What was confirmed before is there still.
    assert_eq!(peer.reader(&events_in).await.events(3).await, all);
    assert!(bus.figures().is_listening);
}

#[tokio::test]
async fn a_broker_without_memory_takes_nothing_until_it_has_some() {
    let broker = FRAIL.lock().await;
    let topic = unique("topic");
    let peer = Peer::at(&broker).await;
    peer.queue(&topic, &topic).await;
    let patient = Settings { patience: Duration::from_secs(1), ..Settings::new(broker.url()) };
    let bus = bus(patient, &topic);
    let all = events(7, 2);
    bus.publish(&all[..1]).await.unwrap();
    broker.control(&["set_vm_memory_high_watermark", "0.000001"]).unwrap();
    let told = bus.publish(&all[1..]).await.unwrap_err().to_string();
    assert!(told.contains("short of memory or disk"), "{told}");
    broker.control(&["set_vm_memory_high_watermark", "0.4"]).unwrap();
    while bus.publish(&all[1..]).await.is_err() {}
    let mut heard = peer.reader(&topic).await.events(2).await;
    heard.dedup();
    assert_eq!(heard, all[..heard.len()]);
}

#[tokio::test]
async fn connections_that_are_cut_are_made_again() {
    let (peer, net) = (Peer::new().await, Net::to(BROKER.address()).await);
    let (events_in, hints_in) = (unique("events"), unique("hints"));
    peer.queue(&events_in, &events_in).await;
    peer.queue(&hints_in, "").await;
    let bus = bus(listening_to(net.url(), &hints_in), &events_in);
    for number in 1..=5 {
        let event = &events(number, 1)[..];
        while bus.publish(event).await.is_err() {}
        peer.put(&hints_in, &body(&task(number))).await;
        hear(&bus, &[task(number)], drop).await;
        net.is(Wire::Cut);
        net.is(Wire::Well);
    }
    let builds: Vec<i64> =
        peer.reader(&events_in).await.events(5).await.iter().map(|event| event.build.0).collect();
    assert_eq!(builds, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_connection_that_is_lost_while_nobody_speaks_is_told_to_who_listens() {
    let (peer, net, queue) = (Peer::new().await, Net::to(BROKER.address()).await, unique("lost"));
    peer.queue(&queue, "").await;
    let bus = bus(listening_to(net.url(), &queue), "unused");
    peer.put(&queue, &body(&task(1))).await;
    assert_eq!(hints(&bus).await.unwrap(), [task(1)]);
    let (heard, ()) = tokio::join!(hints(&bus), async { net.is(Wire::Cut) });
    assert!(matches!(heard, Err(BusError::Unavailable { .. })), "{heard:?}");
    assert!(!bus.figures().is_listening);
}

#[tokio::test]
async fn a_broker_that_never_answers_is_hung_up_on() {
    let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = Secret::new(format!("amqp://{}", mute.local_addr().unwrap()));
    let bus = bus(Settings { patience: Duration::from_secs(1), ..Settings::new(url) }, "unused");
    for _ in 0..2 {
        let all = events(7, 1);
        let (told, heard) = tokio::join!(bus.publish(&all), async {
            let (mut socket, _) = mute.accept().await.unwrap();
            let mut heard = Vec::new();
            socket.read_to_end(&mut heard).await.unwrap();
            heard
        });
        assert!(told.unwrap_err().to_string().contains("does not let us in"));
        assert_eq!(heard, b"AMQP\x00\x00\x09\x01", "the connection ended right after the greeting");
    }
}
