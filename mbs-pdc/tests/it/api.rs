//! PDC's nouns, against a server that answers as it is told to.

use mbs_pdc::api::{Branch, branch_request, branches};

use crate::client::{client, ends, server};
use crate::server::{Server, json};

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
