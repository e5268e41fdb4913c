//! What comes in: hints, and much that is none.

use lapin::options::QueueDeleteOptions;
use mbs_amqp::Settings;
use mbs_core::bus::{Hint, MessageBus as _};
use mbs_core::ident::{BuildId, TaskId};

use crate::ground::{BROKER, Peer, body, bus, hear, hints, listening_to, unique};

fn tasks(numbers: impl IntoIterator<Item = i64>) -> Vec<Hint> {
    numbers.into_iter().map(|number| Hint::Task(TaskId(number))).collect()
}

#[tokio::test]
async fn a_poison_message_is_counted_and_gone_and_those_behind_it_come() {
    let (peer, queue) = (Peer::new().await, unique("poison"));
    peer.queue(&queue, "").await;
    let bus = bus(listening_to(BROKER.url(), &queue), "unused");
    for poison in [&b"\xff\xfe"[..], b"", b"{\"task\":", &[b'['; 100_000]] {
        peer.put(&queue, poison).await;
    }
    peer.put(&queue, b"{\"weather\": \"fine\"}").await;
    peer.put(&queue, &body(&tasks([7])[0])).await;
    assert_eq!(hints(&bus).await.unwrap(), tasks([7]));
    let figures = bus.figures();
    assert_eq!((figures.received, figures.malformed, figures.hints), (6, 4, 1));
    // They were taken; the hint is acknowledged once somebody asks for more.
    peer.put(&queue, &body(&Hint::Everything)).await;
    assert_eq!(hints(&bus).await.unwrap(), [Hint::Everything]);
    bus.close().await;
    assert_eq!(peer.waiting(&queue).await, 1, "the last hint alone comes again");
}

#[tokio::test]
async fn more_hints_than_may_be_under_way_come_one_after_another() {
    let (peer, queue) = (Peer::new().await, unique("many"));
    peer.queue(&queue, "").await;
    let bus = bus(Settings { prefetch: 10, ..listening_to(BROKER.url(), &queue) }, "unused");
    for hint in tasks(1..=300) {
        peer.put(&queue, &body(&hint)).await;
    }
    let mut heard = Vec::new();
    while heard.len() < 300 {
        let some = hints(&bus).await.unwrap();
        assert!(some.len() <= 10, "{} at once", some.len());
        heard.extend(some);
    }
    assert_eq!(heard, tasks(1..=300));
}

#[tokio::test]
async fn hints_that_nobody_took_come_again() {
    let (peer, queue) = (Peer::new().await, unique("again"));
    peer.queue(&queue, "").await;
    let settings = listening_to(BROKER.url(), &queue);
    let dies = bus(settings.clone(), "unused");
    peer.put(&queue, &body(&tasks([7])[0])).await;
    assert_eq!(hints(&dies).await.unwrap(), tasks([7]));
    drop(dies);
    assert_eq!(hints(&bus(settings, "unused")).await.unwrap(), tasks([7]));
}

#[tokio::test]
async fn who_gives_up_listening_loses_nothing() {
    let (peer, queue) = (Peer::new().await, unique("patient"));
    peer.queue(&queue, "").await;
    let bus = bus(listening_to(BROKER.url(), &queue), "unused");
    peer.put(&queue, &body(&tasks([1])[0])).await;
    assert_eq!(hints(&bus).await.unwrap(), tasks([1]));
    for number in 2..=20 {
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(2), bus.hints()).await;
        assert!(given_up.is_err(), "{given_up:?}");
        peer.put(&queue, &body(&tasks([number])[0])).await;
        assert_eq!(hints(&bus).await.unwrap(), tasks([number]));
    }
    assert_eq!(bus.figures().connections, 1);
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_made_and_bound_and_stays() {
    let (peer, queue, topic) = (Peer::new().await, unique("made"), unique("made.topic"));
    let settings =
        Settings { routing_keys: vec![format!("{topic}.#")], ..listening_to(BROKER.url(), &queue) };
    let first = bus(settings.clone(), "unused");
    let told = format!("{topic}.build.state");
    let (heard, ()) =
        tokio::join!(hints(&first), async { while !peer.tell(&told, &body(&Hint::Everything)).await {} });
    assert_eq!(heard, Ok(vec![Hint::Everything]));
    first.close().await;
    peer.tell(&told, &body(&tasks([7])[0])).await;
    // The first was not acknowledged.
    assert_eq!(peer.waiting(&queue).await, 2, "it stays when nobody listens");
    assert_eq!(hear(&bus(settings, "unused"), &tasks([7]), |error| panic!("{error}")).await.len(), 2);
}

#[tokio::test]
async fn a_queue_without_a_name_brings_what_is_told_meanwhile() {
    let (peer, topic) = (Peer::new().await, unique("fleeting"));
    let settings = Settings { routing_keys: vec![topic.clone()], ..Settings::new(BROKER.url()) };
    let bus = bus(settings, "unused");
    let (heard, ()) =
        tokio::join!(hints(&bus), async { while !peer.tell(&topic, &body(&Hint::Everything)).await {} });
    assert_eq!(heard, Ok(vec![Hint::Everything]));
    peer.tell(&topic, &body(&Hint::Build(BuildId(3)))).await;
    peer.tell("another", &body(&Hint::Everything)).await;
    peer.tell(&topic, &body(&tasks([9])[0])).await;
    let wanted = [Hint::Build(BuildId(3)), Hint::Task(TaskId(9))];
    assert_eq!(hear(&bus, &wanted, |error| panic!("{error}")).await, wanted);
}

#[tokio::test]
async fn a_queue_that_somebody_deletes_is_told_and_made_again() {
    let (peer, queue) = (Peer::new().await, unique("deleted"));
    peer.queue(&queue, "").await;
    let bus = bus(listening_to(BROKER.url(), &queue), "unused");
    peer.put(&queue, &body(&Hint::Everything)).await;
    assert_eq!(hints(&bus).await.unwrap(), [Hint::Everything]);
    peer.channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    assert!(hints(&bus).await.is_err());
    let wanted = tasks([7]);
    let made_again = body(&wanted[0]);
    let (heard, ()) = tokio::join!(hear(&bus, &wanted, drop), peer.put(&queue, &made_again));
    assert_eq!(heard, wanted);
}

#[tokio::test]
async fn a_bus_with_nothing_to_listen_to_waits_until_it_is_closed() {
    let bus = bus(Settings::new(BROKER.url()), "unused");
    let (heard, ()) = tokio::join!(hints(&bus), async {
        tokio::task::yield_now().await;
        bus.close().await;
    });
    assert_eq!(heard, Ok(vec![]));
    assert_eq!(bus.figures().connections, 0);
}
