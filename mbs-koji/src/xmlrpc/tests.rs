use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    let text = "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\u{fffe}\u{ffff}]{0,20}";
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter("it must equal itself", |number| !number.is_nan()).prop_map(Value::from),
        text.prop_map(Value::from),
        "[0-9]{8}T[0-9]{2}:[0-9]{2}:[0-9]{2}".prop_map(|text| Value::DateTime(text.into())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..6).prop_map(|members| {
                Value::from(members.into_iter().map(|(name, value)| (name.into(), value)).collect::<Struct>())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn an_answer_is_read_as_it_was_written(value in value()) {
        let xml = encode_response(Ok(&value));
        prop_assert_eq!(decode_response(xml.as_bytes()), Ok(Ok(value)));
    }

    #[test]
    fn a_call_is_read_as_it_was_written(
        arguments in prop::collection::vec(value(), 0..4),
        keywords in prop::collection::btree_map("[a-z_]{1,8}", value(), 0..4),
    ) {
        let mut call = Call::new("some.method");
        for argument in arguments {
            call = call.arg(argument);
        }
        for (name, value) in keywords {
            call = call.keyword(&name, value);
        }
        let read = decode_call(encode_call(&call).as_bytes());
        prop_assert_eq!(read, Ok(call));
    }

    #[test]
    fn what_was_read_is_written_as_it_stood(value in value()) {
        let xml = encode_response(Ok(&value));
        let read = decode_response(xml.as_bytes()).unwrap().unwrap();
        prop_assert_eq!(encode_response(Ok(&read)), xml);
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(decode_response(&bytes));
        drop(decode_call(&bytes));
    }

    #[test]
    fn a_damaged_answer_is_read_or_refused(value in value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut xml = encode_response(Ok(&value)).trim_ascii_end().to_owned().into_bytes();
        let at = at.index(xml.len());
        xml[at] = byte;
        drop(decode_response(&xml));
        xml.truncate(at);
        prop_assert!(decode_response(&xml).is_err());
    }
}

fn answer(value: &str) -> Result<Value, DecodeError> {
    let xml = format!("<methodResponse><params><param>{value}</param></params></methodResponse>");
    decode_response(xml.as_bytes()).map(|answer| answer.unwrap())
}

fn refusal(value: &str) -> String {
    answer(value).unwrap_err().to_string()
}

#[test]
fn text_without_a_type_is_a_string_blanks_and_all() {
    assert_eq!(answer("<value> a b </value>"), Ok(Value::from(" a b ")));
    assert_eq!(answer("<value/>"), Ok(Value::from("")));
    assert_eq!(answer("<value>\n <int>1</int>\n</value>"), Ok(Value::from(1)));
}

#[test]
fn entities_sections_and_comments_make_one_text() {
    let value = "<value><string>a&lt;b&#x2603;<![CDATA[<c>]]><!-- no -->&amp;&#13;\r\nd\re</string></value>";
    assert_eq!(answer(value), Ok(Value::from("a<b\u{2603}<c>&\r\nd\ne")));
}

#[test]
fn every_width_of_integer_is_read() {
    for element in ["int", "i1", "i2", "i4", "i8", "biginteger"] {
        let value = format!("<value><{element}> -9223372036854775808 </{element}></value>");
        assert_eq!(answer(&value), Ok(Value::from(i64::MIN)));
    }
    assert!(
        refusal("<value><int>9223372036854775808</int></value>").ends_with("an integer of more than 64 bits")
    );
    assert!(refusal("<value><int>1x</int></value>").ends_with("an integer that is no number"));
}

#[test]
fn integers_beyond_32_bits_are_written_as_such() {
    let xml = encode_response(Ok(&Value::from([i64::from(i32::MAX), i64::from(i32::MAX) + 1])));
    assert!(xml.contains("<int>2147483647</int>") && xml.contains("<i8>2147483648</i8>"), "{xml}");
}

#[test]
fn a_fault_is_no_value() {
    let fault = Fault::new(FaultCode::RetryError, "unable to retry call 3");
    let xml = encode_response(Err(&fault));
    assert_eq!(decode_response(xml.as_bytes()), Ok(Err(fault.clone())));
    assert_eq!(fault.to_string(), "unable to retry call 3 (RetryError, 1009)");
    assert_eq!(FaultCode::of(77).to_string(), "fault 77");
}

#[test]
fn control_characters_are_left_out_when_writing_and_refused_when_reading() {
    assert!(encode_response(Ok(&Value::from("a\u{1}b\u{fffe}c"))).contains("<string>abc</string>"));
    assert!(refusal("<value>a\u{1}b</value>").ends_with("a control character"));
    assert!(refusal("<value>a&#1;b</value>").ends_with("a control character"));
    assert!(refusal("<value>a\u{fffe}b</value>").ends_with("a control character"));
    assert!(refusal("<value>a\u{ffff}b</value>").ends_with("a control character"));
}

#[test]
fn a_struct_is_a_set_of_keywords_only_with_its_mark() {
    let marked = Struct::from([("strict", true), ("__starstar", true)]);
    let call = Call::from_params("getTag", vec!["f40".into(), marked.into()]);
    assert_eq!(call, Call::new("getTag").arg("f40").keyword("strict", true));
    let plain = Value::from(Struct::from([("strict", true)]));
    assert_eq!(Call::from_params("echo", vec![plain.clone()]), Call::new("echo").arg(plain));
}

#[test]
fn a_hostile_answer_is_refused_in_few_words() {
    let bomb = "<!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\">]><methodResponse><params><param><value>&a;</value></param></params></methodResponse>";
    let deep = format!("<value>{}", "<array><data><value>".repeat(1_000_000));
    let long_name = format!("<value><{0}></{0}></value>", "x".repeat(1_000_000));
    let cases = [
        (decode_response(bomb.as_bytes()).unwrap_err().to_string(), "a document type"),
        (refusal("<value>&a;</value>"), "an unknown entity"),
        (refusal(&deep), "it is nested too deeply"),
        (refusal(&long_name), "where none such may stand"),
        (refusal("<value><int>1</value></int>"), "it is not well-formed"),
        (refusal("<value><int>1</int>x</value>"), "text beside a value"),
        (refusal("<value>x<int>1</int></value>"), "text beside a type"),
        (refusal("<value><boolean>true</boolean></value>"), "a boolean that is neither 0 nor 1"),
        (refusal("<value><base64>!!</base64></value>"), "broken base64"),
        (
            refusal("<value><struct><member><value>1</value></member></struct></value>"),
            "where none such may stand",
        ),
        (refusal("<value>1</value></param><param><value>2</value>"), "an answer has one value"),
        (
            decode_response(b"<html><body>Bad Gateway</body></html>").unwrap_err().to_string(),
            "where none such may stand",
        ),
        (decode_response(b"").unwrap_err().to_string(), "it ends too early"),
        (decode_response(b"\xff").unwrap_err().to_string(), "it is not UTF-8"),
    ];
    for (said, wanted) in cases {
        assert!(said.ends_with(wanted) && said.len() < 120, "{said:?} does not end with {wanted:?}");
    }
}
