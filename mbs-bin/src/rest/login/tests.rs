//! Who may do what, and what tokens of ours are good for.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use mbs_core::memory::{ManualClock, MemoryStore};
use mbs_core::policy::Policy;
use mbs_core::store::{NewToken, Scope, Tokens as _};

use super::super::origin::Origin;
use super::super::query::Query;
use super::*;
use crate::api_token;
use crate::config::Oidc;

fn store() -> Arc<MemoryStore> {
    let start = "2024-01-01T00:00:00Z".parse().unwrap();
    Arc::new(MemoryStore::new(Arc::new(ManualClock::new()), start, &Policy::default()))
}

fn person(name: &str, groups: &[&str]) -> Person {
    Person {
        name: name.to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        pass: None,
    }
}

fn gate() -> Gate {
    let access = Access {
        allowed_users: ["bot".to_owned()].into(),
        admin_groups: ["admins".to_owned()].into(),
        allowed_groups_to_import_module: ["importers".to_owned()].into(),
        ..Access::default()
    };
    Gate::new(access, store()).unwrap()
}

#[test]
fn a_group_or_a_name_lets_people_in() {
    let may = |who: &Person, wish| gate().allow(who, wish).is_ok();
    assert!(may(&person("anna", &["packager", "x"]), Wish::Submit));
    assert!(may(&person("bot", &[]), Wish::Submit) && may(&person("bot", &[]), Wish::Import));
    assert!(!may(&person("anna", &["packager"]), Wish::Import));
    assert!(may(&person("anna", &["importers"]), Wish::Import));
}

#[test]
fn who_is_kept_out_reads_why() {
    let told = |groups: &[&str]| gate().allow(&person("mallory", groups), Wish::Submit).unwrap_err().message;
    assert_eq!(told(&[]), "mallory is not in any of {'packager'}, only set()");
    assert_eq!(told(&["b", "a"]), "mallory is not in any of {'packager'}, only {'a', 'b'}");
}

#[test]
fn where_no_group_is_named_everybody_who_is_logged_in_may_submit() {
    let access = Access { allowed_groups: BTreeSet::new(), ..Access::default() };
    let gate = Gate::new(access, store()).unwrap();
    assert_eq!(gate.allow(&person("anna", &[]), Wish::Submit), Ok(()));
}

#[test]
fn administrators_are_in_a_group() {
    assert!(gate().is_admin(&person("anna", &["admins"])));
    assert!(!gate().is_admin(&person("bot", &[])));
    assert!(!Gate::new(Access::default(), store()).unwrap().is_admin(&person("anna", &["admins"])));
}

fn asking(authorization: &str) -> Seen {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(authorization).unwrap());
    Seen { version: 1, query: Query::default(), origin: Origin::of(&headers), headers, peer: None }
}

fn new_token(secret: &str, scopes: &[Scope], groups: &[&str]) -> NewToken {
    NewToken {
        digest: api_token::digest(secret),
        user: "anna".to_owned(),
        scopes: scopes.iter().copied().collect(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        expires_at: None,
        by: "root".to_owned(),
    }
}

/// A gate of a service where people log in this way, with a token of these scopes and groups.
async fn with_token(access: Access, scopes: &[Scope], groups: &[&str]) -> Gate {
    let store = store();
    store.add_token(new_token("mbs_good", scopes, groups)).await.unwrap();
    Gate::new(access, store).unwrap()
}

#[tokio::test]
async fn a_token_of_ours_counts_however_people_log_in_otherwise() {
    for (no_auth, auth_method) in
        [(true, AuthMethod::Oidc), (false, AuthMethod::Oidc), (false, AuthMethod::Kerberos)]
    {
        let access = Access { no_auth, auth_method, ..Access::default() };
        let gate = with_token(access, &[Scope::Submit], &["packager"]).await;
        let person = gate.person(&asking("Bearer mbs_good")).await.unwrap();
        assert_eq!((person.name.as_str(), person.signature().as_str()), ("anna", "anna (token 1)"));
        assert_eq!(gate.allow(&person, Wish::Submit), Ok(()));
    }
}

#[tokio::test]
async fn a_token_that_does_not_count_lets_nobody_in_not_even_where_nobody_logs_in() {
    for no_auth in [true, false] {
        let access = Access { no_auth, ..Access::default() };
        let gate = with_token(access, &[Scope::Submit], &["packager"]).await;
        for text in ["Bearer mbs_bad", "Bearer mbs_", "Bearer  mbs_goo"] {
            let refused = gate.person(&asking(text)).await.unwrap_err();
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{text}");
        }
        gate.store.revoke_token(mbs_core::store::TokenId(1), "root").await.unwrap();
        let refused = gate.person(&asking("Bearer mbs_good")).await.unwrap_err();
        assert_eq!(refused.message, "The token is not known, has expired or was revoked.");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_scopes_only() {
    let access = Access {
        admin_groups: ["packager".to_owned()].into(),
        allowed_groups_to_import_module: ["packager".to_owned()].into(),
        ..Access::default()
    };
    for (scope, wish) in
        [(Scope::Submit, Wish::Submit), (Scope::Cancel, Wish::Cancel), (Scope::Import, Wish::Import)]
    {
        let gate = with_token(access.clone(), &[scope], &["packager"]).await;
        let person = gate.person(&asking("Bearer mbs_good")).await.unwrap();
        for other in [Wish::Submit, Wish::Cancel, Wish::Import] {
            assert_eq!(gate.allow(&person, other).is_ok(), other == wish, "{scope}: {other:?}");
        }
        assert!(!gate.is_admin(&person), "{scope}");
    }
    let gate = with_token(access, &[Scope::Admin], &["packager"]).await;
    let person = gate.person(&asking("Bearer mbs_good")).await.unwrap();
    assert!(gate.is_admin(&person));
    let told = gate.allow(&person, Wish::Submit).unwrap_err().message;
    assert_eq!(told, "The token lacks the scope submit: it has admin");
}

#[tokio::test]
async fn a_token_gives_its_owner_no_right_that_its_groups_do_not() {
    let every = Scope::ALL;
    let access = Access { admin_groups: ["admins".to_owned()].into(), ..Access::default() };
    let gate = with_token(access, &every, &["others"]).await;
    let person = gate.person(&asking("Bearer mbs_good")).await.unwrap();
    let told = gate.allow(&person, Wish::Submit).unwrap_err().message;
    assert_eq!(told, "anna is not in any of {'packager'}, only {'others'}");
    assert!(!gate.is_admin(&person));
}

#[tokio::test]
async fn without_groups_of_its_own_ldap_is_asked_and_what_it_does_not_say_is_a_refusal() {
    let access = Access { auth_method: AuthMethod::Kerberos, ..Access::default() };
    let gate = with_token(access, &[Scope::Submit], &[]).await;
    let told = gate.person(&asking("Bearer mbs_good")).await.unwrap_err().message;
    assert_eq!(told, "LDAP_URI must be set in server config.");
}

#[tokio::test]
async fn a_signed_token_of_the_provider_needs_the_scope_and_brings_its_groups() {
    let file = jwt::tests::set(&[jwt::tests::jwk("k1")]);
    let jwks = Some(jwt::tests::provider(&file));
    let oidc = Oidc { jwks, required_scope: "submit".to_owned(), ..Oidc::default() };
    let gate = Gate::new(Access { oidc, ..Access::default() }, store()).unwrap();
    let person = async |scope: &str, groups: Option<&str>| {
        let mut claims = jwt::tests::claims();
        claims["scope"] = format!("openid {scope} https://id.fedoraproject.org/scope/groups").into();
        claims["groups"] = groups.map(|group| vec![group.to_owned()]).into();
        gate.person(&asking(&format!("Bearer {}", jwt::tests::signed(&claims, Some("k1"))))).await
    };
    let anna = person("submit", Some("packager")).await.unwrap();
    assert_eq!((anna.name.as_str(), gate.allow(&anna, Wish::Submit)), ("anna", Ok(())));
    let other = person("submit", Some("others")).await.unwrap();
    assert!(gate.allow(&other, Wish::Submit).is_err());
    let told = person("read", Some("packager")).await.unwrap_err().message;
    assert!(told.starts_with("Required OIDC scope 'submit' not present"), "{told}");
    let told = person("submit", None).await.unwrap_err().message;
    assert_eq!(told, "The token does not say which groups its owner is in.");
}
