//! Is it the broker that we talk to, and does it know us?

use mbs_amqp::{AmqpBus, Identity, Settings, SettingsError};
use mbs_core::bus::MessageBus as _;
use mbs_http::Secret;

use crate::ground::{BROKER, Peer, bus, events, unique};

async fn told(settings: Settings) -> String {
    bus(settings, "unused").publish(&events(7, 1)).await.unwrap_err().to_string()
}

fn refused(settings: Settings) -> SettingsError {
    let form = std::sync::Arc::new(crate::ground::Plain { topic: String::new() });
    AmqpBus::new(settings, form.clone(), form).unwrap_err()
}

#[tokio::test]
async fn a_certificate_is_all_the_login_there_is() {
    let (peer, topic) = (Peer::new().await, unique("topic"));
    peer.queue(&topic, &topic).await;
    let bus = bus(BROKER.over_tls(), &topic);
    let all = events(7, 3);
    bus.publish(&all).await.unwrap();
    assert_eq!(peer.reader(&topic).await.events(3).await, all);
}

#[tokio::test]
async fn a_password_counts_where_the_url_has_one() {
    let over_tls = BROKER.over_tls();
    let with = |user: &str| Secret::new(over_tls.url.reveal().replace("//", &format!("//{user}@")));
    let wrong = Settings { url: with("guest:wrong"), ..over_tls.clone() };
    let words = told(wrong).await;
    assert!(words.contains("ACCESS_REFUSED"), "{words}");
    assert!(!words.contains("wrong"), "{words}");
    let right = bus(Settings { url: with("guest:guest"), ..over_tls.clone() }, "unused");
    right.publish(&events(7, 1)).await.unwrap();
}

#[tokio::test]
async fn a_broker_of_another_authority_is_not_trusted() {
    let of_the_system = Settings { ca: None, ..BROKER.over_tls() };
    let words = told(of_the_system).await;
    assert!(words.contains("UnknownIssuer"), "{words}");
}

#[tokio::test]
async fn a_broker_of_another_name_is_not_trusted() {
    let over_tls = BROKER.over_tls();
    let url = Secret::new(over_tls.url.reveal().replace("localhost", "127.0.0.1"));
    let words = told(Settings { url, ..over_tls }).await;
    assert!(words.contains("certificate not valid for name"), "{words}");
}

#[tokio::test]
async fn who_shows_no_certificate_is_not_let_in() {
    // The broker's word for it may be lost with the connection.
    let nobody = Settings { identity: None, ..BROKER.over_tls() };
    assert!(bus(nobody, "unused").publish(&events(7, 1)).await.is_err());
}

#[tokio::test]
async fn files_that_do_not_fit_are_named_at_the_start() {
    let (over_tls, folder) = (BROKER.over_tls(), tempfile::tempdir().unwrap());
    let (missing, empty) = (folder.path().join("missing.pem"), folder.path().join("empty.pem"));
    std::fs::write(&empty, "no certificate").unwrap();
    for path in [missing, empty.clone()] {
        let words = refused(Settings { ca: Some(path.clone()), ..over_tls.clone() }).to_string();
        assert!(words.contains(path.to_str().unwrap()), "{words}");
    }
    let good = over_tls.identity.clone().unwrap();
    let no_key = Identity { key: empty, ..good.clone() };
    let words = refused(Settings { identity: Some(no_key), ..over_tls.clone() }).to_string();
    assert!(words.contains("holds no private key"), "{words}");
    let of_another = Identity { key: good.key.with_file_name("server.key"), ..good };
    let words = refused(Settings { identity: Some(of_another), ..over_tls }).to_string();
    assert!(words.contains("TLS cannot be set up"), "{words}");
}

#[test]
fn certificates_without_encryption_are_a_mistake() {
    let settings = Settings { url: Secret::new("amqp://broker"), ..BROKER.over_tls() };
    assert!(matches!(refused(settings), SettingsError::Url(_)));
    let long = Settings { queue: Some("q".repeat(256)), ..Settings::new(Secret::new("amqp://broker")) };
    assert!(matches!(refused(long), SettingsError::TooLong(_)));
}
