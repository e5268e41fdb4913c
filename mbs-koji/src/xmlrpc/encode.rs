//! Values to XML, in the layout of the reference client.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Call, Fault, Struct, Value};

const PROLOGUE: &str = "<?xml version='1.0'?>\n";

/// Writes a request. Control characters, which XML cannot carry, are left out.
pub fn encode_call(call: &Call) -> String {
    let mut xml = format!("{PROLOGUE}<methodCall>\n<methodName>");
    write_text(&mut xml, call.method());
    xml.push_str("</methodName>\n<params>\n");
    for value in call.arguments() {
        write_param(&mut xml, value);
    }
    if let Some(keywords) = call.marked_keywords() {
        write_param(&mut xml, &keywords);
    }
    xml.push_str("</params>\n</methodCall>\n");
    xml
}

/// Writes an answer. Control characters, which XML cannot carry, are left out.
pub fn encode_response(answer: Result<&Value, &Fault>) -> String {
    let mut xml = format!("{PROLOGUE}<methodResponse>\n");
    match answer {
        Ok(value) => {
            xml.push_str("<params>\n");
            write_param(&mut xml, value);
            xml.push_str("</params>\n");
        }
        Err(fault) => {
            let members = Struct::from([
                ("faultCode", Value::Int(fault.code.number())),
                ("faultString", Value::from(&fault.text)),
            ]);
            xml.push_str("<fault>\n");
            write_value(&mut xml, &Value::Struct(members));
            xml.push_str("</fault>\n");
        }
    }
    xml.push_str("</methodResponse>\n");
    xml
}

fn write_param(xml: &mut String, value: &Value) {
    xml.push_str("<param>\n");
    write_value(xml, value);
    xml.push_str("</param>\n");
}

fn write_value(xml: &mut String, value: &Value) {
    xml.push_str("<value>");
    match value {
        Value::Nil => xml.push_str("<nil/>"),
        Value::Bool(truth) => write_as(xml, "boolean", u8::from(*truth)),
        Value::Int(number) if i32::try_from(*number).is_ok() => write_as(xml, "int", number),
        Value::Int(number) => write_as(xml, "i8", number),
        Value::Double(number) => write_as(xml, "double", format_args!("{number:?}")),
        Value::String(text) => {
            xml.push_str("<string>");
            write_text(xml, text);
            xml.push_str("</string>");
        }
        Value::DateTime(text) => {
            xml.push_str("<dateTime.iso8601>");
            write_text(xml, text);
            xml.push_str("</dateTime.iso8601>");
        }
        Value::Bytes(bytes) => {
            xml.push_str("<base64>\n");
            STANDARD.encode_string(bytes, xml);
            xml.push_str("\n</base64>");
        }
        Value::Array(values) => {
            xml.push_str("<array><data>\n");
            values.iter().for_each(|value| write_value(xml, value));
            xml.push_str("</data></array>");
        }
        Value::Struct(members) => write_struct(xml, members),
    }
    xml.push_str("</value>\n");
}

fn write_as(xml: &mut String, element: &str, value: impl std::fmt::Display) {
    write!(xml, "<{element}>{value}</{element}>").expect("a string takes what is written to it");
}

fn write_struct(xml: &mut String, members: &Struct) {
    xml.push_str("<struct>\n");
    for (name, value) in members.iter() {
        xml.push_str("<member>\n<name>");
        write_text(xml, name);
        xml.push_str("</name>\n");
        write_value(xml, value);
        xml.push_str("</member>\n");
    }
    xml.push_str("</struct>");
}

fn write_text(xml: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(needs_care) {
        xml.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        match chars.next() {
            Some('<') => xml.push_str("&lt;"),
            Some('>') => xml.push_str("&gt;"),
            Some('&') => xml.push_str("&amp;"),
            // As it stands it would be read as a line feed.
            Some('\r') => xml.push_str("&#13;"),
            _ => {}
        }
        rest = chars.as_str();
    }
    xml.push_str(rest);
}

fn needs_care(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '\r') || !is_xml_char(c)
}

/// Says whether XML 1.0 can carry a character at all.
pub(super) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
