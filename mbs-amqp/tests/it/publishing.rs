//! What goes out: in order, each once it is confirmed, and what becomes of it when the broker does not take it.

use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable};
use mbs_amqp::Settings;
use mbs_core::bus::MessageBus as _;

use crate::ground::{BROKER, Peer, bus, events, unique};
use crate::wire::{Net, Wire};

/// Begins to listen to a topic of its own; returns its name and what comes.
async fn topic(peer: &Peer) -> (String, crate::ground::Heard) {
    let topic = unique("topic");
    peer.queue(&topic, &topic).await;
    let heard = peer.reader(&topic).await;
    (topic, heard)
}

#[tokio::test]
async fn five_hundred_events_of_one_build_arrive_in_order() {
    let peer = Peer::new().await;
    let (topic, mut heard) = topic(&peer).await;
    let bus = bus(Settings::new(BROKER.url()), &topic);
    let all = events(7, 500);
    bus.publish(&all).await.unwrap();
    assert_eq!(heard.events(500).await, all);
    let figures = bus.figures();
    assert_eq!((figures.published, figures.not_taken, figures.connections), (500, 0, 1));
}

#[tokio::test]
async fn events_of_many_builds_go_out_at_once_and_stay_in_order() {
    let peer = Peer::new().await;
    let (topic, mut heard) = topic(&peer).await;
    let bus = bus(Settings::new(BROKER.url()), &topic);
    let first: Vec<_> = (1..=100).map(|build| events(build, 1).remove(0)).collect();
    let second: Vec<_> = (1..=100).map(|build| events(build, 2).remove(1)).collect();
    assert!(bus.publish_each(&first).await.iter().all(Result::is_ok));
    assert!(bus.publish_each(&second).await.iter().all(Result::is_ok));
    assert_eq!(heard.events(200).await, [first, second].concat());
}

#[tokio::test]
async fn a_message_has_the_form_of_fedora_messaging_and_the_same_id_each_time() {
    let peer = Peer::new().await;
    let (topic, mut heard) = topic(&peer).await;
    let bus = bus(Settings::new(BROKER.url()), &topic);
    let all = events(7, 2);
    bus.publish(&all).await.unwrap();
    bus.publish(&all[..1]).await.unwrap();

    let first = heard.next().await;
    let (id, properties) = (first.properties.message_id().clone().unwrap(), &first.properties);
    assert_eq!(first.routing_key.as_str(), topic);
    assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/json");
    assert_eq!(properties.content_encoding().as_ref().unwrap().as_str(), "utf-8");
    assert_eq!(*properties.delivery_mode(), Some(2), "it is kept on disk");
    let headers = properties.headers().clone().unwrap();
    let header = |name: &str| FieldTable::inner(&headers).get(name).cloned();
    assert_eq!(header("fedora_messaging_schema"), Some(AMQPValue::LongString("base.message".into())));
    assert_eq!(header("fedora_messaging_severity"), Some(AMQPValue::LongInt(20)));
    assert_eq!(header("fedora_messaging_module_app"), Some(AMQPValue::Boolean(true)));
    assert_eq!(header("fedora_messaging_user_mary"), Some(AMQPValue::Boolean(true)));
    let Some(AMQPValue::LongString(sent_at)) = header("sent-at") else { panic!("{headers:?}") };
    let sent_at: jiff::Timestamp = sent_at.to_string().parse().unwrap();
    assert!(sent_at.duration_until(jiff::Timestamp::now()).abs() < jiff::SignedDuration::from_mins(5));

    let (second, again) = (heard.next().await, heard.next().await);
    assert_eq!(again.properties.message_id().as_ref(), Some(&id));
    assert_ne!(second.properties.message_id().as_ref(), Some(&id));
}

#[tokio::test]
async fn what_nobody_listens_to_is_told_and_holds_nothing_up() {
    let bus = bus(Settings::new(BROKER.url()), &unique("nobody"));
    bus.publish(&events(7, 3)).await.unwrap();
    let figures = bus.figures();
    assert_eq!((figures.published, figures.unrouted), (3, 3));
}

#[tokio::test]
async fn a_missing_exchange_is_named_and_what_is_sent_to_it_is_not_told() {
    let bus = bus(Settings { exchange: unique("missing"), ..Settings::new(BROKER.url()) }, "topic");
    for _ in 0..2 {
        let told = bus.publish(&events(7, 1)).await.unwrap_err().to_string();
        assert!(told.contains("no exchange 'missing-"), "{told}");
    }
    assert_eq!(bus.figures().published, 0);
}

#[tokio::test]
async fn a_topic_that_is_too_long_holds_up_no_connection() {
    let bus = bus(Settings::new(BROKER.url()), &"x".repeat(256));
    for _ in 0..2 {
        let told = bus.publish(&events(7, 1)).await.unwrap_err().to_string();
        assert!(told.contains("more than 255 bytes"), "{told}");
    }
    assert_eq!(bus.figures().connections, 1);
}

#[tokio::test]
async fn a_broker_that_confirms_nothing_is_given_up_and_nothing_is_sent_later() {
    let peer = Peer::new().await;
    let (topic, mut heard) = topic(&peer).await;
    let net = Net::to(BROKER.address()).await;
    let bus = bus(Settings { patience: Duration::from_millis(500), ..Settings::new(net.url()) }, &topic);
    let all = events(7, 3);
    bus.publish(&all[..1]).await.unwrap();
    net.is(Wire::Silent);
    let told = bus.publish(&all[1..2]).await.unwrap_err().to_string();
    assert!(told.contains("does not answer in time"), "{told}");
    // Nor does it let anybody in.
    let told = bus.publish(&all[1..2]).await.unwrap_err().to_string();
    assert!(told.contains("does not let us in"), "{told}");
    net.is(Wire::Well);
    bus.publish(&all[1..]).await.unwrap();
    let mut seen = heard.events(3).await;
    if seen[2].seq < 3 {
        // What the wire held back may have arrived after all: before the next, never after it.
        seen.extend(heard.events(1).await);
    }
    assert!(seen.is_sorted_by_key(|event| event.seq), "{seen:?}");
    seen.dedup();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn who_gives_up_publishing_leaves_a_bus_that_works() {
    let peer = Peer::new().await;
    let (topic, mut heard) = topic(&peer).await;
    let net = Net::to(BROKER.address()).await;
    let bus = bus(Settings::new(net.url()), &topic);
    let all = events(7, 2);
    bus.publish(&all[..1]).await.unwrap();
    net.is(Wire::Silent);
    let given_up = tokio::time::timeout(Duration::from_millis(200), bus.publish(&all[1..])).await;
    assert!(given_up.is_err());
    net.is(Wire::Well);
    bus.publish(&all[1..]).await.unwrap();
    assert_eq!(heard.events(2).await.last(), all.last());
    assert_eq!(bus.figures().connections, 2);
}
