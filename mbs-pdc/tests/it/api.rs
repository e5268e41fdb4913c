//! PDC's nouns, against a server that answers as it is told to.

use mbs_pdc::api::{Branch, Entries, Face, Filter, branch_request, branches};
use mbs_pdc::client::PdcError;

use crate::client::{client, ends, server};
use crate::server::{Server, bytes, json};

#[tokio::test]
async fn a_branch_is_asked_for_without_a_word_about_pages() {
    let page = r#"{"count": 1, "next": null, "previous": null, "results": [{"id": 1, "global_component": "httpd",
        "name": "2.4", "slas": [], "type": "module", "active": true, "critical_path": false}]}"#;
    let asked = Server::playing([json(200, page)]).await;
    let pdc = client(&server(asked.root.as_str(), 10_000));
    let found = ends(branches(&pdc, &branch_request("module", "httpd", "2.4"))).await;
    let wanted = Branch {
        global_component: "httpd".to_owned(),
        name: "2.4".to_owned(),
        kind: "module".to_owned(),
        active: true,
    };
    assert_eq!(found, Ok(vec![wanted]));
    let [heard] = asked.heard().try_into().unwrap();
    let query = [("type", "module"), ("global_component", "httpd"), ("name", "2.4")];
    assert_eq!(heard.query, query.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn the_newer_endpoint_is_taken_where_there_is_one() {
    let nowhere = r#"{"detail": "Not found"}"#;
    let page = r#"{"count": 0, "next": null, "previous": null, "results": []}"#;
    for (answer, wanted) in [
        (json(200, page), Ok(Face::Modules)),
        (json(404, nowhere), Ok(Face::Variants)),
        (json(503, "{}"), Err(())),
    ] {
        let asked = Server::start(move |_| answer.clone()).await;
        let pdc = client(&server(asked.root.as_str(), 10_000));
        let found = ends(Entries::newest(pdc)).await;
        assert_eq!(found.as_ref().map(Entries::face).map_err(|_| ()), wanted);
        assert!(found.err().is_none_or(|error| error.is_transient()));
        let heard = &asked.heard()[0];
        assert_eq!((heard.path.as_str(), heard.parameter("page_size")), ("/rest_api/v1/modules/", Some("1")));
    }
    // A web server that knows nothing of a PDC is no old PDC.
    let asked = Server::start(|_| bytes(404, &[("Content-Type", "text/html")], "<h1>Not Found</h1>")).await;
    let found = ends(Entries::newest(client(&server(asked.root.as_str(), 10_000)))).await;
    assert!(matches!(found, Err(PdcError::Protocol { .. })), "{found:?}");
}

#[tokio::test]
async fn what_an_old_server_does_not_show_is_filled_in() {
    let shown = |more: &str| {
        let entry = r#""variant_id": "core", "variant_uid": "core-s-1", "variant_name": "core",
            "variant_type": "module", "variant_version": "s", "variant_release": "1", "koji_tag": "t", "modulemd": """#;
        json(200, &format!("[{{{entry}{more}}}]"))
    };
    let asked = Server::playing([shown(""), shown(r#", "active": false, "variant_context": null"#)]).await;
    let entries = Entries::new(client(&server(asked.root.as_str(), 10_000)), Face::Variants);
    for active in [true, false] {
        let found = ends(entries.find(&Filter::default())).await.unwrap().remove(0);
        assert_eq!((found.active, found.context.as_str(), found.modulemd.as_str()), (active, "00000000", ""));
        assert_eq!((found.rpms.len(), found.build_deps.len(), found.runtime_deps.len()), (0, 0, 0));
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_costs_no_other() {
    for (face, page) in [
        (
            Face::Variants,
            r#"[{"variant_uid": "a", "variant_id": "a", "variant_version": "1", "variant_release": 20180501120000, "rpms": null},
            {"variant_uid": "b", "variant_id": "b", "variant_version": "1"}, 7, null, ["c"],
            {"variant_uid": "d", "variant_id": "d", "variant_version": "1", "variant_release": "1", "rpms": {}},
            {"variant_uid": "e", "variant_id": "e", "variant_version": "1", "variant_release": "1", "active": true}]"#,
        ),
        (
            Face::Modules,
            r#"{"count": 3, "next": null, "results": [
            {"uid": "a", "name": "a", "stream": 1, "version": 20180501120000, "context": "c", "build_deps": null},
            {"uid": "b", "name": {}, "stream": "1", "version": "1", "context": "c"},
            {"uid": "e", "name": "e", "stream": "1", "version": "1", "context": "c", "rpms": ["p"]}]}"#,
        ),
    ] {
        let asked = Server::playing([json(200, page)]).await;
        let entries = Entries::new(client(&server(asked.root.as_str(), 10_000)), face);
        let found = ends(entries.find(&Filter::default())).await.unwrap();
        let found: Vec<_> = found.iter().map(|entry| (entry.uid.as_str(), entry.version.as_str())).collect();
        assert_eq!(found, [("a", "20180501120000"), ("e", "1")]);
    }
}
