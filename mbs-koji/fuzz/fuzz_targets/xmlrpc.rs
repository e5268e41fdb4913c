//! Any bytes are refused, or read as something that is written and read again alike.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mbs_koji_fuzz::xmlrpc::{decode_call, decode_response, encode_call, encode_response};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(call) = decode_call(bytes) {
        let xml = encode_call(&call);
        let again = decode_call(xml.as_bytes()).expect("what we write can be read");
        // As text: a double that is no number does not equal itself.
        assert_eq!(encode_call(&again), xml);
        assert_eq!(again.method(), call.method());
    }
    if let Ok(answer) = decode_response(bytes) {
        let xml = encode_response(answer.as_ref());
        let again = decode_response(xml.as_bytes()).expect("what we write can be read");
        assert_eq!(encode_response(again.as_ref()), xml);
        assert_eq!(again.is_ok(), answer.is_ok());
    }
});
