//! Is recorded XML read as it was meant, and what we write read the same?

use mbs_koji::xmlrpc::{Call, decode_call, decode_response, encode_call, encode_response};
use serde_json::Value as Json;

use crate::recorded::{answer, text, traffic, value};

#[test]
fn golden_requests_are_read_and_written_alike() {
    for recording in traffic() {
        for (at, exchange) in recording.entries.iter().enumerate() {
            let Some(xml) = text(exchange, "request_xml") else { continue };
            let read = decode_call(xml.as_bytes());
            if is_unreadable(exchange) {
                assert!(read.is_err(), "{} {at}: {read:?}", recording.name);
                continue;
            }
            let params = exchange.get("params").and_then(Json::as_array).expect("it can be read");
            let params: Vec<_> = params.iter().map(value).collect();
            let method = text(exchange, "method").expect("a request has a method");
            let Ok(read) = read else {
                panic!("{} {at}: {method} is not read: {read:?}", recording.name);
            };
            assert_eq!((read.method(), read.params()), (method, params.clone()), "{} {at}", recording.name);
            let ours = encode_call(&Call::from_params(method, params));
            assert_eq!(decode_call(ours.as_bytes()), Ok(read), "{} {at}", recording.name);
        }
    }
}

#[test]
fn golden_answers_are_read_and_written_alike() {
    for recording in traffic() {
        for (at, exchange) in recording.entries.iter().enumerate() {
            let (Some(xml), Some(meant)) = (text(exchange, "response_xml"), answer(exchange)) else {
                continue;
            };
            let read = decode_response(xml.as_bytes());
            assert_eq!(read.as_ref(), Ok(&meant), "{} {at}", recording.name);
            let ours = encode_response(meant.as_ref());
            assert_eq!(decode_response(ours.as_bytes()), Ok(meant), "{} {at}", recording.name);
        }
    }
}

/// Says whether the hub could not read a request either: by its status, or because a number in it is too large.
fn is_unreadable(exchange: &Json) -> bool {
    let has_large_number = exchange.pointer("/fault/faultString").and_then(Json::as_str);
    exchange["http_status"] == 400 || has_large_number.is_some_and(|text| text.contains("OverflowError"))
}
