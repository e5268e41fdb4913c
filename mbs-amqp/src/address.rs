//! What the URL of a broker says, with our own choice for what it leaves out.

use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};
use mbs_http::Secret;

use crate::SettingsError;

/// A broker that says nothing for twice as many seconds is gone.
const HEARTBEAT_SECS: u16 = 20;

/// Reads a URL.
///
/// With a certificate of our own the broker takes its name for the user, unless the URL names one. An empty virtual host is the
/// usual one, `/`: a URL that merely ends with a slash means no other.
pub(crate) fn address(url: &Secret, has_identity: bool) -> Result<AMQPUri, SettingsError> {
    let url = url.reveal();
    if !url.contains("://") {
        return Err(SettingsError::Url("it does not begin with amqps:// or amqp://".to_owned()));
    }
    let mut address: AMQPUri = url.parse().map_err(SettingsError::Url)?;
    if let Some(host) = ipv6_literal(url) {
        host.clone_into(&mut address.authority.host);
    }
    if address.vhost.is_empty() {
        "/".clone_into(&mut address.vhost);
    }
    if has_identity && !authority(url).contains('@') {
        address.query.auth_mechanism.get_or_insert(SASLMechanism::External);
    }
    address.query.heartbeat.get_or_insert(HEARTBEAT_SECS);
    Ok(address)
}

/// Says whether connections are encrypted.
pub(crate) fn is_encrypted(address: &AMQPUri) -> bool {
    address.scheme == AMQPScheme::AMQPS
}

/// Returns what stands between `//` and the next slash.
fn authority(url: &str) -> &str {
    let after = url.split_once("//").map_or("", |(_, after)| after);
    after.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Returns the address in brackets, which the parser of URLs for AMQP takes for localhost.
fn ipv6_literal(url: &str) -> Option<&str> {
    let authority = authority(url);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(host.strip_prefix('[')?.split_once(']')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> AMQPUri {
        address(&Secret::new(url), false).unwrap()
    }

    #[test]
    fn a_url_says_everything_or_nothing() {
        let full = read("amqps://mbs:p%40ss@broker.example.org:5999/%2Fbuilds?heartbeat=7");
        let who = &full.authority.userinfo;
        assert_eq!((full.scheme, full.authority.host.as_str()), (AMQPScheme::AMQPS, "broker.example.org"));
        assert_eq!((who.username.as_str(), who.password.as_str()), ("mbs", "p@ss"));
        let (port, vhost, heartbeat) = (full.authority.port, full.vhost.as_str(), full.query.heartbeat);
        assert_eq!((port, vhost, heartbeat), (5999, "/builds", Some(7)));
        let bare = read("amqp://broker");
        assert_eq!((bare.authority.port, bare.vhost.as_str()), (5672, "/"));
        assert_eq!(bare.query.heartbeat, Some(HEARTBEAT_SECS));
    }

    #[test]
    fn a_slash_at_the_end_means_the_usual_virtual_host() {
        assert_eq!(read("amqp://broker/").vhost, "/");
        assert_eq!(read("amqp://broker/builds").vhost, "builds");
    }

    #[test]
    fn an_address_in_brackets_is_not_localhost() {
        assert_eq!(read("amqp://mbs:x@[2001:db8::7]:5672/").authority.host, "2001:db8::7");
        assert_eq!(read("amqp://[::1]").authority.host, "::1");
        assert_eq!(read("amqp://127.0.0.1").authority.host, "127.0.0.1");
    }

    #[test]
    fn a_certificate_is_the_login_unless_the_url_says_otherwise() {
        let mechanism =
            |url| address(&Secret::new(url), true).map(|address| address.query.auth_mechanism).unwrap();
        assert_eq!(mechanism("amqps://broker"), Some(SASLMechanism::External));
        assert_eq!(mechanism("amqps://mbs:x@broker"), None);
        assert_eq!(mechanism("amqps://broker/?auth_mechanism=plain"), Some(SASLMechanism::Plain));
        assert_eq!(read("amqps://broker").query.auth_mechanism, None);
    }

    #[test]
    fn what_is_no_url_of_a_broker_is_refused_and_not_quoted() {
        for url in ["amqp", "http://mbs:hush@broker", "amqp://mbs:hush@broker:x", "amqp:hush"] {
            let told = address(&Secret::new(url), false).unwrap_err().to_string();
            assert!(!told.contains("hush"), "{told}");
        }
    }
}
