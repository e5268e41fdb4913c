//! Whether an answer has the shape that the description says, and nothing more: stricter than JSON Schema, which lets members pass
//! that it does not know. A word that is not understood here is an error.

use serde_json::{Map, Value};

/// Words that say nothing about a value.
const SILENT: [&str; 5] = ["description", "format", "examples", "default", "required"];

/// Returns what is wrong with a value, and where; `None`: nothing.
pub(super) fn wrong(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let mut known = Vec::new();
    let told = check(document, schema, value, &mut known);
    told.or_else(|| stranger(&known, value)).map(|told| format!("{told} in {value}"))
}

/// Finds a member that no part of a schema knows.
fn stranger(known: &[String], value: &Value) -> Option<String> {
    let name = value.as_object()?.keys().find(|name| !known.iter().any(|one| one == *name || one == "*"))?;
    Some(format!("the description does not know the member {name}"))
}

/// Checks a value, and notes which members its schema knows.
fn check(document: &Value, schema: &Value, value: &Value, known: &mut Vec<String>) -> Option<String> {
    let words = schema.as_object().expect("a schema is an object");
    words.iter().find_map(|(word, content)| match (word.as_str(), content) {
        (word, _) if SILENT.contains(&word) => lacking(word, content, value),
        ("$ref", to) => check(document, target(document, to), value, known),
        ("allOf", Value::Array(parts)) => parts.iter().find_map(|part| check(document, part, value, known)),
        ("anyOf", Value::Array(parts)) => {
            known.push("*".to_owned());
            let told: Option<Vec<String>> = parts.iter().map(|part| wrong(document, part, value)).collect();
            told.map(|told| told.join(", and "))
        }
        ("enum", Value::Array(values)) => {
            (!values.contains(value)).then(|| format!("{value} is not in {content}"))
        }
        ("type", types) => {
            let allowed = types.as_array().map_or_else(|| vec![types], |types| types.iter().collect());
            let fits = allowed.iter().any(|name| is(name.as_str().expect("a type has a name"), value));
            (!fits).then(|| format!("{value} is no {types}"))
        }
        ("minimum", least) => {
            (value.as_f64() < least.as_f64()).then(|| format!("{value} is less than {least}"))
        }
        ("items", each) => value.as_array()?.iter().find_map(|item| wrong(document, each, item)),
        ("properties", Value::Object(each)) => properties(document, each, value, known),
        ("additionalProperties", Value::Bool(_)) => {
            known.push("*".to_owned());
            None
        }
        ("additionalProperties", each) => {
            known.push("*".to_owned());
            value.as_object()?.values().find_map(|member| wrong(document, each, member))
        }
        (word, _) => panic!("nobody knows what {word} means"),
    })
}

fn lacking(word: &str, names: &Value, value: &Value) -> Option<String> {
    let (names, value) = (names.as_array().filter(|_| word == "required")?, value.as_object()?);
    let name = names.iter().filter_map(Value::as_str).find(|name| !value.contains_key(*name))?;
    Some(format!("the member {name} is missing"))
}

fn properties(
    document: &Value,
    each: &Map<String, Value>,
    value: &Value,
    known: &mut Vec<String>,
) -> Option<String> {
    known.extend(each.keys().cloned());
    each.iter().find_map(|(name, schema)| wrong(document, schema, value.get(name)?))
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("nobody knows the type {name}"),
    }
}

fn target<'d>(document: &'d Value, to: &Value) -> &'d Value {
    let to = to.as_str().expect("a reference is a text");
    document.pointer(to.trim_start_matches('#')).unwrap_or_else(|| panic!("{to} is nowhere"))
}
