//! People who were logged in by the web server in front: it hands their principal over in a header.
//!
//! The header counts only if it comes from an address that is trusted: anybody can send one.

use super::super::problem::Problem;
use super::super::request::Seen;
use crate::config::Access;

/// Returns the name of who is logged in.
pub(super) fn user(seen: &Seen, access: &Access) -> Result<String, Problem> {
    let nobody = || Problem::unauthorized("No REMOTE_USER is set.");
    if !access.trusts(seen.peer) {
        return Err(nobody());
    }
    // Of two headers one may be the client's own.
    let mut principals = seen.headers.get_all(&access.remote_user_header).iter();
    let (Some(principal), None) = (principals.next(), principals.next()) else { return Err(nobody()) };
    let principal = principal.to_str().map(str::trim).unwrap_or_default();
    if principal.is_empty() {
        return Err(nobody());
    }
    match principal.split('@').collect::<Vec<_>>()[..] {
        [name, realm] if !name.is_empty() && !realm.is_empty() => Ok(name.to_owned()),
        _ => Err(Problem::unauthorized("Value of REMOTE_NAME is not in format username@REALM")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::super::super::origin::Origin;
    use super::super::super::query::Query;
    use super::*;

    fn asked(users: &[&str], peer: &str, trusted: &str) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for user in users {
            headers.append("remote-user", HeaderValue::from_str(user).unwrap());
        }
        let origin = Origin::of(&headers);
        let peer = peer.parse().ok();
        let seen = Seen { version: 1, query: Query::default(), origin, headers, peer };
        let trusted_proxies = trusted.split_whitespace().map(|one| one.parse().unwrap()).collect();
        let access = Access { trusted_proxies, ..Access::default() };
        user(&seen, &access).map_err(|problem| problem.message)
    }

    #[test]
    fn a_trusted_proxy_says_who_it_is() {
        assert_eq!(asked(&["anna@EXAMPLE.ORG"], "10.1.2.3", "10.0.0.0/8"), Ok("anna".to_owned()));
        assert_eq!(asked(&["anna@R"], "unix", "unix"), Ok("anna".to_owned()));
    }

    #[test]
    fn nobody_else_does() {
        let nobody = Err("No REMOTE_USER is set.".to_owned());
        for (users, peer, trusted) in [
            (&["anna@R"][..], "10.1.2.3", ""),
            (&["anna@R"], "11.1.2.3", "10.0.0.0/8"),
            (&["anna@R"], "unix", "10.0.0.0/8"),
            (&["anna@R", "root@R"], "10.1.2.3", "10.0.0.0/8"),
            (&[], "10.1.2.3", "10.0.0.0/8"),
            (&[" "], "10.1.2.3", "10.0.0.0/8"),
        ] {
            assert_eq!(asked(users, peer, trusted), nobody, "{users:?} from {peer}");
        }
    }

    #[test]
    fn a_principal_has_a_realm() {
        for user in ["anna", "anna@", "@R", "a@b@c"] {
            let told = asked(&[user], "10.1.2.3", "10.1.2.3").unwrap_err();
            assert_eq!(told, "Value of REMOTE_NAME is not in format username@REALM");
        }
    }
}
