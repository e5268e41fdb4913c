//! `mbs-build submit` and `cancel`.

use std::fs;
use std::process::Command;

use mbs_client::fake_server::{Answer, Heard};
use serde_json::{Value, json};

use super::{API, Service, build};

const URL: &str = "https://src.example.org/modules/desktop.git?#63bab2255fe92a4140e9bef6735767b35bbb8281";

/// A service that wants a token of the provider, and takes `good`; about it says what is given.
fn taking(about: Answer) -> impl Fn(&Heard) -> Answer + Send + Sync + 'static {
    move |heard| match (heard.method.as_str(), heard.headers.get("authorization").map(String::as_str)) {
        ("GET", _) if heard.path() == format!("{API}about/") => about.clone(),
        ("GET", _) => Answer::json(200, &build(7, json!({"state": 5, "state_name": "ready"}))),
        ("POST", Some("Bearer good")) => {
            Answer::json(201, &build(7, json!({"state": 0, "state_name": "init"})))
        }
        ("PATCH", Some("Bearer good")) => {
            Answer::json(200, &build(7, json!({"state": 4, "state_name": "failed"})))
        }
        _ => Answer::refusal(401, "Unauthorized", "OIDC token invalid or expired."),
    }
}

fn oidc() -> Answer {
    Answer::json(200, &json!({"api_version": 2, "auth_method": "oidc", "version": "1"}))
}

/// Keeps a token where the dist-git clients do.
fn keep(service: &Service, token: &str) {
    let scopes = [
        "openid",
        "https://id.fedoraproject.org/scope/groups",
        "https://mbs.fedoraproject.org/oidc/submit-build",
    ];
    let entry =
        json!({"idp": "https://id.fedoraproject.org/openidc/", "access_token": token, "scopes": scopes});
    service.write(".openidc/oidc_mbs_build.json", &json!({"x": entry}).to_string());
}

fn service() -> Service {
    let service = Service::new(taking(oidc()));
    keep(&service, "good");
    service
}

fn sent(service: &Service) -> Value {
    service.server.heard().iter().find(|heard| heard.method == "POST").unwrap().json()
}

#[test]
fn a_submission_names_the_build_that_came_of_it() {
    let service = service();
    let ended = service.run(&["submit", URL, "f26"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "Submitted module build 7\n", ""));
    assert_eq!(service.asked(), ["GET about/", "POST module-builds/"]);
    assert_eq!(sent(&service), json!({"scmurl": URL, "branch": "f26"}));
}

#[test]
fn options_are_members_of_what_is_sent_as_text() {
    let service = service();
    let ended = service.run(&["submit", "-o", "owner=anna", "-o", "x=1=2", URL, "f26"]);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert_eq!(sent(&service), json!({"scmurl": URL, "branch": "f26", "owner": "anna", "x": "1=2"}));
    let ended = service.run(&["submit", "-o", "owner", URL, "f26"]);
    let wanted = "CRITICAL: Optional arguments are not in a proper arg=value format.\n";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (251, "", wanted));
}

#[test]
fn the_current_folder_says_what_is_not_given() {
    let service = service();
    let client = service.write("fedpkg", &format!("#!/bin/sh\n[ \"$1\" = giturl ] && echo '{URL}'\n"));
    for arguments in [
        &["init", "--quiet", "--initial-branch", "stream-1"][..],
        &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "x"],
    ] {
        assert!(
            Command::new("git").current_dir(service.home.path()).args(arguments).status().unwrap().success()
        );
    }
    let ended = service.run(&["-p", &client, "submit"]);
    assert_eq!((ended.status, ended.out.as_str()), (0, "Submitted module build 7\n"), "{}", ended.err);
    assert_eq!(sent(&service), json!({"scmurl": URL, "branch": "stream-1"}));
}

#[test]
fn a_client_or_git_that_fails_is_told_in_its_own_words() {
    let service = service();
    let client =
        service.write("fedpkg", "#!/bin/sh\necho 'Could not execute giturl: no' >&2\necho why >&2\nexit 1\n");
    let ended = service.run(&["-p", &client, "submit"]);
    let wanted = "ERROR: Could not execute giturl: no\nERROR: why\n";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (254, "", wanted));
    let mut command = service.command(&["submit", URL]);
    // Folders above this one may be in git.
    let ended: crate::Ended =
        command.env("GIT_CEILING_DIRECTORIES", "/").env("GIT_DIR", "/no/such").output().unwrap().into();
    assert_eq!((ended.status, ended.out.as_str()), (254, ""));
    assert!(ended.err.starts_with("ERROR: fatal: not a git repository"), "{}", ended.err);
    assert_eq!(service.asked(), [""; 0]);
}

#[test]
fn a_refusal_is_critical_and_told_with_status_error_and_message() {
    let service = Service::new(|heard| match heard.method.as_str() {
        "GET" => oidc(),
        _ => {
            Answer::refusal(409, "Conflict", "Module (state=5) already exists. Only a new build is allowed.")
        }
    });
    keep(&service, "good");
    let ended = service.run(&["submit", URL, "f26"]);
    let wanted = "CRITICAL: 409 Conflict: Module (state=5) already exists. Only a new build is allowed.\n";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (252, "", wanted));
    let ended = service.run(&["cancel", "7"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (252, "", wanted));
    assert_eq!(service.run(&["-q", "cancel", "7"]).err, wanted, "nothing is too quiet for it");
}

#[test]
fn an_odd_answer_ends_in_silence() {
    let service =
        Service::new(
            |heard| if heard.method == "GET" { oidc() } else { Answer::json(200, &json!({"x": 1})) },
        );
    keep(&service, "good");
    let ended = service.run(&["submit", URL, "f26"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (253, "", ""));
    let ended = service.run(&["-v", "submit", URL, "f26"]);
    assert!(ended.status == 253 && ended.err.contains("INFO: the answer cannot be read: "), "{}", ended.err);
}

#[test]
fn a_build_can_be_watched_at_once() {
    let service = service();
    let ended = service.run(&["submit", "-w", URL, "f26"]);
    let wanted = "\u{1b}[2J\n\nSummary:\nanna's build #7 of desktop-f26 is in the \"ready\" state\n";
    assert_eq!((ended.status, ended.out.as_str()), (0, wanted), "{}", ended.err);
    assert_eq!(service.asked().last().unwrap(), "GET module-builds/7?verbose=true");
}

#[test]
fn a_cancellation_says_nothing_unless_asked_to() {
    let service = service();
    let ended = service.run(&["cancel", "7"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
    assert_eq!(service.asked(), ["GET about/", "PATCH module-builds/7"]);
    assert_eq!(service.server.heard()[1].json(), json!({"state": "failed"}));
    let ended = service.run(&["-v", "cancel", "7"]);
    let lines: Vec<&str> = ended.err.lines().collect();
    assert_eq!((ended.out.as_str(), lines[0]), ("", "INFO: Cancelling module build 7"));
    assert!(lines[1].starts_with("INFO: {") && lines[1].contains("\"state_name\":\"failed\""), "{lines:?}");
}

#[test]
fn a_document_is_submitted_with_the_name_of_its_file() {
    let service = service();
    service.write("app.yaml", "document: modulemd\n");
    let arguments = ["submit", "--file", "app.yaml", "--stream", "1", "--scratch", "--require", "gtk:3"];
    let more =
        ["--buildrequire", "platform:f38", "--buildrequires", "platform:f39", "--rebuild-strategy", "all"];
    let ended = service.run(&[&arguments[..], &more, &["--reuse-from", "12"]].concat());
    assert_eq!(ended.status, 0, "{}", ended.err);
    let wanted = json!({
        "modulemd": "document: modulemd\n", "module_name": "app", "module_stream": "1", "scratch": true,
        "require_overrides": {"gtk": ["3"]}, "buildrequire_overrides": {"platform": ["f38", "f39"]},
        "rebuild_strategy": "all", "reuse_components_from": 12,
    });
    assert_eq!(sent(&service), wanted);
    let ended = service.run(&["submit", "--file", "missing.yaml"]);
    assert_eq!((ended.status, ended.err.as_str()), (2, "ERROR: missing.yaml does not exist\n"));
    assert_eq!(service.run(&["submit", URL, "f26", "--file", "app.yaml"]).status, 2);
}

#[test]
fn a_token_of_a_file_is_used_without_asking_how() {
    let service = Service::new(taking(oidc()));
    let token = service.write("token", "good\n");
    let ended = service.run(&["--token-file", &token, "cancel", "7"]);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert_eq!(service.asked(), ["PATCH module-builds/7"]);
    fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let ended = service.run(&["--token-file", &token, "cancel", "7"]);
    assert!(ended.status == 3 && ended.err.contains("is open to others than its owner"), "{}", ended.err);
    assert!(!ended.err.contains("good"), "{}", ended.err);
}

#[test]
fn a_token_that_is_none_any_more_is_told_and_forgotten() {
    let service = Service::new(taking(oidc()));
    keep(&service, "old");
    let ended = service.run(&["cancel", "7"]);
    let wanted = "CRITICAL: 401 Unauthorized: OIDC token invalid or expired.\n";
    assert_eq!((ended.status, ended.err.as_str()), (252, wanted));
    assert_eq!(fs::read_to_string(service.path(".openidc/oidc_mbs_build.json")).unwrap(), "{}");
}

#[test]
fn a_service_that_does_not_say_how_people_log_in_is_taken_for_one_that_wants_tokens() {
    for about in [
        Answer::of(500, "text/html", "<h1>Internal Server Error</h1>"),
        Answer::refusal(404, "Not Found", "no"),
        Answer::json(200, &json!({"version": "1.3"})),
    ] {
        let service = Service::new(taking(about));
        keep(&service, "good");
        assert_eq!(service.run(&["submit", URL, "f26"]).out, "Submitted module build 7\n");
    }
}

#[test]
fn a_way_to_log_in_that_is_not_known_is_told() {
    let service = Service::new(taking(Answer::json(200, &json!({"auth_method": "ssl"}))));
    let ended = service.run(&["submit", URL, "f26"]);
    let wanted = "ERROR: the service wants people to log in by \"ssl\", which is not known here\n";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (1, "", wanted));
}

#[cfg(not(feature = "gssapi"))]
#[test]
fn a_program_without_kerberos_says_so() {
    let service = Service::new(taking(Answer::json(200, &json!({"auth_method": "kerberos"}))));
    let ended = service.run(&["submit", URL, "f26"]);
    assert!(ended.status == 3 && ended.err.contains("built without"), "{}", ended.err);
}

#[test]
fn somebody_may_be_nobody_where_everybody_may() {
    let service = Service::new(|_| Answer::json(201, &build(7, json!({}))));
    let ended = service.run(&["--login", "none", "submit", URL, "f26"]);
    assert_eq!((ended.status, ended.out.as_str()), (0, "Submitted module build 7\n"));
    assert_eq!(service.asked(), ["POST module-builds/"]);
    assert!(!service.server.heard()[0].headers.contains_key("authorization"));
}

#[test]
fn all_builds_are_named_where_the_second_version_is_spoken() {
    let service = Service::new(|heard| match heard.method.as_str() {
        "GET" => oidc(),
        _ => Answer::json(201, &json!([build(7, json!({})), build(8, json!({}))])),
    });
    keep(&service, "good");
    let url = format!("{}/module-build-service/2/", service.server.url());
    let mut command = crate::mbs_build(service.home.path(), &["-s", &url, "submit", URL, "f26"]);
    let ended: crate::Ended = command.env("HOME", service.home.path()).output().unwrap().into();
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (0, "Submitted module build 7\nSubmitted module build 8\n")
    );
}

#[test]
fn a_service_that_goes_away_after_the_request_leaves_a_doubt() {
    let service = Service::new(|heard| if heard.method == "GET" { oidc() } else { Answer::nothing() });
    keep(&service, "good");
    let ended = service.run(&["submit", URL, "f26"]);
    assert_eq!(ended.status, 3);
    assert!(ended.err.contains("ERROR: It may have been done all the same: look before"), "{}", ended.err);
}
