//! `mbs-build login` and `logout`, as far as they come without a browser.

use std::fs;

use mbs_client::fake_server::Answer;
use serde_json::{Value, json};

use super::Service;

fn saying(method: &str) -> Service {
    Service::with([("about/", Answer::json(200, &json!({"auth_method": method})))])
}

#[test]
fn who_needs_no_token_is_told_what_is_needed() {
    let ended = saying("kerberos").run(&["login"]);
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (0, "The service takes Kerberos tickets: kinit gets one.\n")
    );
    let ended = saying("oidc").run(&["--login", "none", "login", "--json"]);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told, json!({"has_token": false, "message": "Nobody has to log in."}));
}

#[test]
fn a_provider_that_cannot_be_one_is_told_before_anybody_is_sent_anywhere() {
    let service = saying("oidc");
    let ended = service.run(&["-i", "https://id.example.org/openidc", "login"]);
    let told = "ERROR: the address of the identity provider has to end in a slash\n";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (3, "", told));
}

#[test]
fn who_logs_out_leaves_the_tokens_of_others() {
    let service = saying("oidc");
    let scopes = ["a", "b"];
    let entry = |idp: &str| json!({"idp": idp, "access_token": "geheim", "scopes": scopes});
    let kept = json!({"x": entry("https://id.example.org/"), "y": entry("https://other/")});
    let file = service.write(".openidc/oidc_mbs_build.json", &kept.to_string());
    let log_out = || service.run(&["-i", "https://id.example.org/", "--oidc-scopes", "a,b", "logout"]);
    let (first, second) = (log_out(), log_out());
    assert_eq!((first.status, first.out.as_str()), (0, "Logged out.\n"));
    assert_eq!((second.status, second.out.as_str()), (0, "Nobody was logged in.\n"));
    let left: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(left, json!({"y": entry("https://other/")}));
    assert_eq!(service.asked(), [""; 0]);
}
