//! How Python spells values in texts: the real hub's words quote arguments so.

use std::fmt::Write as _;

use crate::xmlrpc::Value;

/// Returns what `repr()` says of a value.
pub(crate) fn repr(value: &Value) -> String {
    match value {
        Value::Nil => "None".into(),
        Value::Bool(truth) => if *truth { "True" } else { "False" }.into(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::String(text) => quoted(text),
        Value::DateTime(text) => format!("<DateTime {}>", quoted(text)),
        Value::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
        Value::Array(values) => format!("[{}]", values.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Struct(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", quoted(name), repr(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns what `str()` says of a value.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => repr(other),
    }
}

/// Returns what `type()` says of a value.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<class 'NoneType'>",
        Value::Bool(_) => "<class 'bool'>",
        Value::Int(_) => "<class 'int'>",
        Value::Double(_) => "<class 'float'>",
        Value::String(_) => "<class 'str'>",
        Value::DateTime(_) => "<class 'xmlrpc.client.DateTime'>",
        Value::Bytes(_) => "<class 'bytes'>",
        Value::Array(_) => "<class 'list'>",
        Value::Struct(_) => "<class 'dict'>",
    }
}

/// Says what Python takes for true.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Nil => false,
        Value::Bool(truth) => *truth,
        Value::Int(number) => *number != 0,
        Value::Double(number) => *number != 0.0,
        Value::String(text) | Value::DateTime(text) => !text.is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Struct(members) => !members.is_empty(),
    }
}

/// Returns a text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut spelled = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => spelled.push_str("\\\\"),
            '\n' => spelled.push_str("\\n"),
            '\r' => spelled.push_str("\\r"),
            '\t' => spelled.push_str("\\t"),
            c if c == quote => {
                spelled.push('\\');
                spelled.push(c);
            }
            c if c.is_control() => {
                write!(spelled, "\\x{:02x}", u32::from(c)).expect("a string takes what is written to it");
            }
            c => spelled.push(c),
        }
    }
    spelled.push(quote);
    spelled
}
