//! Looking up, who may, and what an old server lacks.

use mbs_pdc::fake_server::{FakePdc, Flavour, NewRow, Rights, Setup, User};
use serde_json::{Value, json};

use super::{get, module, row, start, started_as, variant, write};
use crate::raw::{ADMIN, BOT, ask, request};

#[tokio::test]
async fn what_is_wrong_is_said_in_this_order() {
    let pdc = start().await;
    let mut asked = request("POST", "modules/?x=1", "", json!({}));
    asked.headers.insert("Accept".into(), "text/plain".into());
    let answer = ask(&pdc, &asked).await;
    assert_eq!(answer.body["detail"], "Could not satisfy the request Accept header.");
    assert_eq!(answer.status, 406);
    asked.headers.insert("Accept".into(), "application/json".into());
    assert_eq!(ask(&pdc, &asked).await.status, 401);
    asked.headers.insert("Authorization".into(), BOT.into());
    asked.headers.insert("Content-Type".into(), "text/plain".into());
    asked.body = json!({ "__text__": "nonsense" });
    assert_eq!(ask(&pdc, &asked).await.body["detail"], "Unknown query params: x.");
    asked.query.clear();
    let answer = ask(&pdc, &asked).await;
    assert_eq!(answer.status, 415);
    assert_eq!(answer.body["detail"], "Unsupported media type \"text/plain\" in request.");
    asked.headers.insert("Content-Type".into(), "application/json; charset=utf-8".into());
    let answer = ask(&pdc, &asked).await;
    assert_eq!(answer.body["detail"], "JSON parse error - No JSON object could be decoded");
    let answer = ask(&pdc, &request("POST", "modules/core/", ADMIN, json!({}))).await;
    assert_eq!((answer.status, &answer.body["detail"]), (405, &json!("Method \"POST\" not allowed.")));
}

#[tokio::test]
async fn filters_are_what_they_are() {
    let pdc = start().await;
    pdc.plant(NewRow { active: true, ..NewRow::new("Core", "s", "1") });
    for (query, count) in [
        ("name=cORE&stream=S", 1),
        ("name=&stream=", 1),
        ("name=other&name=core", 1),
        ("name=core&name=other", 0),
        ("active=T", 1),
        ("active=0", 0),
        ("active=", 1),
    ] {
        assert_eq!(get(&pdc, &format!("modules/?{query}")).await.body["count"], count, "{query}");
    }
    let answer = get(&pdc, "modules/?active=yes").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, json!({ "detail": "yes is not a valid boolean value" }));
}

#[tokio::test]
async fn a_page_has_a_hundred_entries_at_most_though_the_address_of_the_next_does_not_say_so() {
    let setup = Setup { host: Some("pdc.test".into()), ..Setup::default() };
    let pdc = FakePdc::start(setup).await.unwrap();
    for version in 0..150 {
        pdc.plant(NewRow::new("core", "s", &version.to_string()));
    }
    let page = get(&pdc, "modules/?page_size=500&name=core").await.body;
    assert_eq!(page["results"].as_array().unwrap().len(), 100);
    let next = "http://pdc.test/rest_api/v1/modules/?name=core&page=2&page_size=500";
    assert_eq!(page["next"], next);
    let last = get(&pdc, "modules/?page_size=500&page=last").await.body;
    assert_eq!(last["results"].as_array().unwrap().len(), 50);
    assert_eq!(last["previous"], "http://pdc.test/rest_api/v1/modules/?page_size=500");
}

#[tokio::test]
async fn an_old_server_lacks_what_came_later() {
    for (flavour, lacks) in [
        (Flavour::WithoutContexts, vec!["variant_context"]),
        (Flavour::WithoutPackages, vec!["variant_context", "rpms"]),
        (Flavour::WithoutActive, vec!["variant_context", "rpms", "active"]),
    ] {
        let pdc = started_as(flavour).await;
        assert_eq!(get(&pdc, "modules/?page_size=1").await.body, json!({ "detail": "Not found" }));
        assert_eq!(get(&pdc, "modules").await.status, 404);
        let made = write(&pdc, "POST", "unreleasedvariants/", variant("core", "1")).await;
        assert_eq!(made.status, 201);
        for name in ["variant_context", "rpms", "active"] {
            assert_eq!(made.body.get(name).is_none(), lacks.contains(&name), "{flavour:?} {name}");
        }
        for name in lacks {
            let mut body = variant("core", "2");
            body[name] = Value::Null;
            let answer = write(&pdc, "POST", "unreleasedvariants/", body).await;
            assert_eq!(answer.body["detail"], format!("Unknown fields: \"{name}\"."));
            let filter = if name == "rpms" { "component_name" } else { name };
            let answer = get(&pdc, &format!("unreleasedvariants/?{filter}=1")).await;
            assert_eq!(answer.body["detail"], format!("Unknown query params: {filter}."));
        }
    }
}

#[tokio::test]
async fn tokens_come_with_tickets_and_stay_until_they_are_refreshed() {
    let mut setup = Setup::default();
    setup.users.push(User { token: None, ..User::new("new", "", Rights::Modules) });
    let pdc = FakePdc::start(Setup { asks_for_negotiate: true, ..setup }).await.unwrap();
    let ask_for =
        async |path: &str, ticket: &str| ask(&pdc, &request("GET", path, ticket, Value::Null)).await;
    let answer = ask_for("auth/token/obtain/", BOT).await;
    assert_eq!((answer.status, answer.headers["www-authenticate"].as_str()), (401, "Negotiate"));
    let ticket = "Negotiate <ticket of new@EXAMPLE.COM>";
    let answer = ask_for("auth/token/refresh/", ticket).await;
    let text = "You have not got a token yet, please try obtain first.";
    assert_eq!((answer.status, answer.body), (400, json!({ "Refresh Token Error": text })));
    let first = ask_for("auth/token/obtain/", ticket).await.body;
    assert_eq!(first["token"].as_str().unwrap().len(), 40);
    assert_eq!(ask_for("auth/token/obtain/", ticket).await.body, first);
    let token = format!("Token {}", first["token"].as_str().unwrap());
    assert_eq!(ask_for("auth/current-user/", &token).await.body["username"], "new");
    assert_ne!(ask_for("auth/token/refresh/", ticket).await.body, first);
    assert_eq!(ask_for("auth/current-user/", &token).await.body["detail"], "Invalid token.");
    for old in ["auth/obtain-token/", "auth/obtain_token/"] {
        assert_eq!(ask_for(old, ticket).await.body, json!({ "detail": "Not found" }));
    }
}

#[tokio::test]
async fn a_branch_ends_the_day_after_its_last_support() {
    let today = Some("2018-05-01".parse().unwrap());
    let pdc = FakePdc::start(Setup { today, ..Setup::default() }).await.unwrap();
    pdc.plant_branch("httpd", "2.4", "module", &[("bug_fixes", "2018-05-01")]);
    pdc.plant_branch("httpd", "2.2", "module", &[("bug_fixes", "2018-04-30")]);
    pdc.plant_branch("httpd", "2.2", "rpm", &[("bug_fixes", "2099-01-01")]);
    let path = "component-branches/?type=module&global_component=httpd&name=";
    assert_eq!(get(&pdc, &format!("{path}2.4")).await.body["results"][0]["active"], true);
    assert_eq!(get(&pdc, &format!("{path}2.2")).await.body["results"][0]["active"], false);
    assert_eq!(get(&pdc, "component-branches/?active=False").await.body["count"], 1);
}

#[tokio::test]
async fn what_is_planted_is_found_among_thousands() {
    let pdc = start().await;
    for number in 0..3000 {
        pdc.plant(NewRow { active: true, ..NewRow::new(&format!("module-{number}"), "s", "1") });
    }
    let found = get(&pdc, "unreleasedvariants/?variant_id=MODULE-2999&variant_version=s&page_size=-1").await;
    assert_eq!(found.body[0]["variant_uid"], "module-2999:s:1");
    pdc.set_active("module-2999:s:1", false);
    let found = get(&pdc, "unreleasedvariants/?variant_id=module-2999&active=True&page_size=1").await;
    assert_eq!(found.body["count"], 0);
    pdc.plant(NewRow { koji_tag: "other".into(), ..NewRow::new("module-0", "s", "1") });
    assert_eq!((row(&pdc, "module-0:s:1").koji_tag.as_str(), pdc.rows().len()), ("other", 3000));
    pdc.remove("module-0:s:1");
    assert_eq!(get(&pdc, "modules/module-0:s:1/").await.status, 404);
}

#[tokio::test]
async fn requests_are_remembered_with_what_they_said() {
    let pdc = start().await;
    let mut asked = request("POST", "modules/?page=1", BOT, module("core", "1"));
    asked.headers.insert("PDC-Change-Comment".into(), "message 1".into());
    ask(&pdc, &asked).await;
    get(&pdc, "modules/").await;
    let seen = pdc.requests();
    let told: Vec<_> =
        seen.iter().map(|one| (one.method.as_str(), one.user.as_deref(), one.status)).collect();
    assert_eq!(told, [("POST", Some("module-bot"), Some(201)), ("GET", None, Some(200))]);
    assert_eq!(seen[0].comment.as_deref(), Some("message 1"));
    assert_eq!(seen[0].query, [("page".to_owned(), "1".to_owned())]);
    assert_eq!((&seen[0].body, seen[0].has_credentials, seen[1].has_credentials), (&asked.body, true, false));
    assert_eq!(pdc.most_at_once(), 1);
    pdc.reset_requests();
    assert_eq!((pdc.requests(), pdc.most_at_once()), (Vec::new(), 0));
}
