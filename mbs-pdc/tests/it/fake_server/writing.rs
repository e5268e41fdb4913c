//! Creating, changing and deleting.

use mbs_pdc::fake_server::{Dependency, NewRow, Package};
use serde_json::{Value, json};

use super::{get, module, row, start, uids, variant, write};

#[tokio::test]
async fn put_replaces_all_but_what_has_no_default() {
    let pdc = start().await;
    pdc.plant(NewRow {
        active: true,
        rpms: vec![source("core")],
        ..NewRow::new("core", "s", "1").in_context("12345678")
    });
    let body = variant("core", "2");
    let answer = write(&pdc, "PUT", "unreleasedvariants/core:s:1:12345678/", body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["variant_context"], "00000000");
    assert_eq!(answer.body["active"], true);
    assert_eq!(answer.body["rpms"], json!(["core-0:1-1.src.rpm"]));
    assert_eq!(uids(&pdc), ["core-s-2"]);

    let answer = write(&pdc, "PUT", "unreleasedvariants/core-s-2/", json!({ "active": false })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["variant_id"], json!(["This field is required."]));
    let answer = write(&pdc, "PUT", "unreleasedvariants/core-s-1/", json!("nonsense")).await;
    assert_eq!(answer.status, 404, "what is not there is missed first");
}

#[tokio::test]
async fn a_module_gets_another_path_with_another_version() {
    let pdc = start().await;
    assert_eq!(write(&pdc, "POST", "modules/", module("core", "1")).await.status, 201);
    let answer = write(&pdc, "PATCH", "modules/core:s:1:00000000/", json!({ "version": 2 })).await;
    assert_eq!(answer.body["uid"], "core:s:2:00000000");
    assert_eq!(get(&pdc, "modules/core:s:1:00000000/").await.status, 404);
    let answer = write(&pdc, "PATCH", "modules/core:s:2:00000000/", json!({ "uid": "core" })).await;
    assert_eq!(answer.body, json!({ "detail": "Can not update read only fields: \"uid\"." }));
}

#[tokio::test]
async fn an_entry_made_through_one_endpoint_is_seen_through_the_other_with_its_uid() {
    let pdc = start().await;
    write(&pdc, "POST", "unreleasedvariants/", variant("bootstrap", "1")).await;
    assert_eq!(get(&pdc, "modules/bootstrap-s-1/").await.body["stream"], "s");
    let answer = write(&pdc, "PATCH", "modules/bootstrap-s-1/", json!({ "koji_tag": "other" })).await;
    assert_eq!(answer.body["uid"], "bootstrap-s-1");
    write(&pdc, "PATCH", "unreleasedvariants/bootstrap-s-1/", json!({ "variant_type": "layer" })).await;
    assert_eq!(get(&pdc, "modules/bootstrap-s-1/").await.status, 404);
    assert_eq!(get(&pdc, "modules/?page_size=-1").await.body, json!([]));
}

#[tokio::test]
async fn many_are_created_all_or_nothing() {
    let pdc = start().await;
    let mut bad = module("b", "1");
    bad["koji_tag"] = Value::Null;
    let answer = write(&pdc, "POST", "modules/", json!([module("a", "1"), bad])).await;
    let expected = json!({
        "id_of_invalid_data": 1,
        "detail": { "koji_tag": ["This field may not be null."] },
        "invalid_data": bad,
    });
    assert_eq!((answer.status, answer.body), (400, expected));
    assert_eq!(pdc.rows(), []);
    let answer = write(&pdc, "POST", "modules/", json!([module("b", "1"), module("a", "1")])).await;
    let made: Vec<&Value> = answer.body.as_array().unwrap().iter().map(|one| &one["uid"]).collect();
    assert_eq!((answer.status, made), (201, vec![&json!("b:s:1:00000000"), &json!("a:s:1:00000000")]));
}

#[tokio::test]
async fn many_are_changed_and_deleted_all_or_nothing() {
    let pdc = start().await;
    for name in ["a", "b"] {
        pdc.plant(NewRow::new(name, "s", "1"));
    }
    let body = json!({ "a:s:1": { "active": true }, "b:s:1": {} });
    let answer = write(&pdc, "PATCH", "modules/", body).await;
    let detail = "Partial update with no changes does not make much sense.";
    assert_eq!(answer.body, json!({ "id_of_invalid_data": "b:s:1", "detail": detail }));
    assert!(!row(&pdc, "a:s:1").active);

    let answer = write(&pdc, "DELETE", "modules/", json!(["a:s:1", "a:s:1", 7])).await;
    assert_eq!(
        (answer.status, answer.body),
        (404, json!({ "id_of_invalid_data": 7, "detail": "Not found." }))
    );
    assert_eq!(uids(&pdc), ["a:s:1", "b:s:1"]);
    let answer = write(&pdc, "DELETE", "modules/", json!([{}])).await;
    assert_eq!(answer.body, json!({ "detail": "\"{}\" is not a valid identifier." }));
    assert_eq!(write(&pdc, "DELETE", "modules/", json!(["a:s:1", "a:s:1"])).await.status, 204);
    assert_eq!(uids(&pdc), ["b:s:1"]);
}

#[tokio::test]
async fn dependencies_cannot_be_changed() {
    let pdc = start().await;
    let own = Dependency { dependency: "platform".into(), stream: "f28".into() };
    pdc.plant(NewRow { runtime_deps: vec![own.clone()], ..NewRow::new("core", "s", "1") });
    for name in ["runtime_deps", "build_deps"] {
        let answer = write(&pdc, "PATCH", "modules/core:s:1/", json!({ name: [] })).await;
        assert_eq!(answer.status, 503);
        assert!(answer.body["detail"].as_str().unwrap().starts_with("The server encountered"));
    }
    assert_eq!(row(&pdc, "core:s:1").runtime_deps, [own]);
}

fn source(name: &str) -> Package {
    Package {
        name: name.into(),
        version: "1".into(),
        release: "1".into(),
        arch: "src".into(),
        srpm_name: name.into(),
        srpm_commit_branch: Some("2.4".into()),
        ..Package::default()
    }
}

#[tokio::test]
async fn packages_are_linked_sorted_and_found() {
    let pdc = start().await;
    pdc.plant(NewRow { rpms: vec![source("core")], ..NewRow::new("core", "s", "1") });
    write(&pdc, "POST", "modules/", module("other", "1")).await;
    let package = |name: &str, epoch: u64, arch: &str| {
        let mut package = json!({
            "name": name, "epoch": epoch, "version": "1", "release": "1", "arch": arch, "srpm_name": "core",
        });
        if arch != "src" {
            package["srpm_nevra"] = "core-0:1-1.src".into();
        }
        package
    };
    let rpms = json!([package("core", 1, "s390x"), package("core", 0, "src"), package("core", 0, "noarch")]);
    let answer = write(&pdc, "PATCH", "modules/other:s:1:00000000/", json!({ "rpms": rpms })).await;
    let printed = ["core-0:1-1.noarch.rpm", "core-0:1-1.src.rpm", "core-1:1-1.s390x.rpm"];
    assert_eq!(answer.body["rpms"], json!(printed));
    let linked = &row(&pdc, "other:s:1:00000000").rpms[1];
    assert_eq!(linked.srpm_commit_branch.as_deref(), Some("2.4"), "the package that existed is the one");

    for (query, count) in [
        ("component_name=core", 2),
        ("component_name=core&component_branch=2.4", 2),
        ("component=core/2.4", 2),
        ("component=core/2.5&component=core", 2),
        ("component=core/2.5", 0),
        ("rpm_filename=core-1-1.noarch.rpm", 1),
        ("rpm_filename=CORE-1-1.noarch.rpm", 0),
    ] {
        assert_eq!(get(&pdc, &format!("modules/?{query}")).await.body["count"], count, "{query}");
    }
}

#[tokio::test]
async fn packages_that_are_none_are_refused_and_leave_nothing() {
    let pdc = start().await;
    let good = json!({
        "name": "core", "epoch": 0, "version": "1", "release": "1", "arch": "src", "srpm_name": "core",
    });
    let with = |name: &str, value: Value| {
        let mut package = good.clone();
        package[name] = value;
        package
    };
    let rule = "RPM's srpm_nevra should be empty if and only if arch is src";
    for (package, said) in [
        (json!("core-0:1-1.src.rpm"), json!({ "rpms": ["Unsupported RPM input."] })),
        (with("arch", json!("noarch")), json!({ "rpms": [rule] })),
        (with("srpm_nevra", json!("core-0:1-1.src")), json!({ "rpms": [rule] })),
        (with("size", json!(1)), json!({ "detail": "Unknown fields: \"size\"." })),
        (
            with("epoch", json!(-1)),
            json!({ "rpms": { "epoch": ["Ensure this value is greater than or equal to 0."] } }),
        ),
    ] {
        let mut body = module("core", "1");
        body["rpms"] = json!([with("name", json!("first")), package]);
        let answer = write(&pdc, "POST", "modules/", body).await;
        assert_eq!((answer.status, answer.body), (400, said));
    }
    assert_eq!(pdc.rows(), []);
    let changes = get(&pdc, "changesets/?resource=rpm").await;
    assert_eq!(changes.body["count"], 0, "a package of a refused module is not made either");
}
