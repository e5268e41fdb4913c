//! What goes wrong on purpose, and when nothing is there any more.

use std::time::Duration;

use mbs_pdc::fake_server::{NewRow, Rule, Trouble};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::{get, module, start, write};
use crate::raw::{BOT, hear, request, send};

#[tokio::test]
async fn answers_that_are_no_answers() {
    let pdc = start().await;
    let cases = [
        (Trouble::Status(503), 503, true),
        (Trouble::Html(502), 502, false),
        (Trouble::Words(200, "[1".into()), 200, false),
    ];
    for (trouble, status, is_json) in cases {
        pdc.faults().add(Rule::always(trouble).of_path("modules/").times(1));
        let answer = write(&pdc, "POST", "modules/", module("core", "1")).await;
        assert_eq!((answer.status, answer.body.get("__text__").is_none()), (status, is_json));
    }
    assert_eq!(pdc.rows(), [], "nothing was done");
    assert_eq!(pdc.faults().count(), 3);
}

#[tokio::test]
async fn connections_that_end_too_soon() {
    let pdc = start().await;
    let asked = request("POST", "modules/", BOT, module("core", "1"));
    pdc.faults().add(Rule::always(Trouble::ResetBefore).times(1));
    assert_eq!((hear(&pdc, &asked).await, pdc.rows().len()), (Vec::new(), 0));
    pdc.faults().add(Rule::always(Trouble::ResetAfter).times(1));
    assert_eq!((hear(&pdc, &asked).await, pdc.rows().len()), (Vec::new(), 1));
    assert_eq!(pdc.requests()[0].status, None);

    pdc.faults().add(Rule::always(Trouble::HalfBody).times(1));
    let heard = String::from_utf8(hear(&pdc, &request("GET", "modules/", "", Value::Null)).await).unwrap();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    let length: usize = head.split_once("content-length: ").unwrap().1.parse().unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.len() == length / 2, "{heard}");

    pdc.faults().set_down(true);
    assert_eq!(hear(&pdc, &asked).await, b"");
    pdc.faults().set_down(false);
    assert_eq!(get(&pdc, "modules/").await.status, 200);
}

#[tokio::test]
async fn answers_that_do_not_end() {
    let pdc = start().await;
    let asked = request("GET", "modules/", "", Value::Null);
    pdc.faults().add(Rule::always(Trouble::Hang).times(1));
    let stream = send(&pdc, &asked).await;
    while pdc.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&pdc, "modules/").await.status, 200, "others are answered meanwhile");
    assert_eq!(pdc.most_at_once(), 2);
    let nothing = stream.try_read(&mut [0]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock, "it is still open");
    assert_eq!(pdc.requests()[0].status, None);

    pdc.faults().add(Rule::always(Trouble::Endless).times(1));
    let mut stream = send(&pdc, &asked).await;
    let mut much = vec![0; 8 << 20];
    stream.read_exact(&mut much).await.unwrap();
    assert!(much.starts_with(b"HTTP/1.1 200 OK\r\n") && much.ends_with(b"  "));
}

#[tokio::test]
async fn an_answer_that_is_late_and_pages_that_never_end() {
    let pdc = start().await;
    pdc.plant(NewRow::new("core", "s", "1"));
    pdc.faults().add(Rule::always(Trouble::Late(Duration::from_millis(1))).times(1));
    assert_eq!(get(&pdc, "modules/").await.body["count"], 1);
    pdc.faults().add(Rule::always(Trouble::PageLoop).of_method("GET"));
    for page in [1, 2, 3] {
        let answer = get(&pdc, &format!("modules/?page={page}")).await.body;
        assert_eq!(answer["results"][0]["uid"], "core:s:1");
        let next = format!("http://pdc.example.com/rest_api/v1/modules/?page={}", page + 1);
        assert_eq!(answer["next"], next);
    }
}

#[tokio::test]
async fn a_server_ends_with_its_last_copy() {
    let pdc = start().await;
    let copy = pdc.clone();
    let address = pdc.url().trim_start_matches("http://").split('/').next().unwrap().to_owned();
    drop(pdc);
    assert_eq!(get(&copy, "modules/").await.status, 200);
    drop(copy);
    // The task that listens ends when the runtime next looks at it.
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
