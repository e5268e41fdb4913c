//! Values in bodies, and what is said of those that do not fit.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::fake_server::answer::Refusal;
use crate::fake_server::python;
use crate::fake_server::rows::Dependency;

/// Why a body is refused.
pub(in crate::fake_server) enum Wrong {
    /// One field does not fit; this is said of it.
    Field(Value),
    /// Nothing else is looked at.
    All(Refusal),
}

impl Wrong {
    fn field(text: &str) -> Self {
        Self::Field(json!([text]))
    }
}

/// Says that a field is not there.
pub(in crate::fake_server) fn missing() -> Wrong {
    Wrong::field("This field is required.")
}

/// Reads a text: blanks around it are cut, numbers become text.
///
/// # Errors
/// It is none, blank or too long.
pub(in crate::fake_server) fn text(value: &Value, longest: Option<usize>) -> Result<String, Wrong> {
    let text = match value {
        Value::Null => return Err(null()),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Wrong::field("Not a valid string.")),
    };
    if text.is_empty() {
        return Err(Wrong::field("This field may not be blank."));
    }
    match longest {
        Some(longest) if text.chars().count() > longest => {
            let text = format!("Ensure this field has no more than {longest} characters.");
            Err(Wrong::field(&text))
        }
        _ => Ok(text),
    }
}

/// Reads a truth value in one of many spellings.
///
/// # Errors
/// It is none.
pub(in crate::fake_server) fn truth(value: &Value) -> Result<bool, Wrong> {
    let spelled = match value {
        Value::Null => return Err(null()),
        Value::Bool(truth) => return Ok(*truth),
        Value::Number(number) if number.as_f64() == Some(1.0) => return Ok(true),
        Value::Number(number) if number.as_f64() == Some(0.0) => return Ok(false),
        other => python::text(other),
    };
    match spelled.as_str() {
        "t" | "T" | "true" | "True" | "TRUE" | "1" if value.is_string() => Ok(true),
        "f" | "F" | "false" | "False" | "FALSE" | "0" if value.is_string() => Ok(false),
        spelled => Err(Wrong::field(&format!("\"{spelled}\" is not a valid boolean."))),
    }
}

/// Reads a day.
///
/// # Errors
/// It is none.
pub(in crate::fake_server) fn date(value: &Value) -> Result<Date, Wrong> {
    let parsed = match value {
        Value::Null => return Err(null()),
        value => value.as_str().and_then(|text| text.parse().ok()),
    };
    let text = "Date has wrong format. Use one of these formats instead: YYYY[-MM[-DD]].";
    parsed.ok_or_else(|| Wrong::field(text))
}

/// Reads a list of dependencies.
///
/// # Errors
/// It is none: what is wrong with each item, or with the whole.
pub(super) fn dependencies(value: &Value) -> Result<Vec<Dependency>, Wrong> {
    let items = match value {
        Value::Null => return Err(null()),
        Value::Array(items) => items,
        other => {
            let text = format!("Expected a list of items but got type \"{}\".", python::type_of(other));
            return Err(Wrong::Field(json!({ "detail": [text] })));
        }
    };
    let (mut read, mut errors) = (Vec::new(), Vec::new());
    for item in items {
        match dependency(item) {
            Ok(dependency) => {
                read.push(dependency);
                errors.push(json!({}));
            }
            Err(error) => errors.push(error),
        }
    }
    if read.len() == items.len() { Ok(read) } else { Err(Wrong::Field(Value::Array(errors))) }
}

fn dependency(item: &Value) -> Result<Dependency, Value> {
    let members = match item {
        Value::Object(members) => members,
        Value::Null => return Err(json!(["This field may not be null."])),
        other => {
            let kind = python::type_of(other);
            let text = format!("Invalid data. Expected a dictionary, but got {kind}.");
            return Err(json!({ "detail": [text] }));
        }
    };
    let mut errors = Map::new();
    let mut read = |name: &str| {
        let read = members.get(name).ok_or_else(missing).and_then(|value| text(value, Some(300)));
        read.unwrap_or_else(|wrong| {
            if let Wrong::Field(error) = wrong {
                errors.insert(name.to_owned(), error);
            }
            String::new()
        })
    };
    let dependency = Dependency { dependency: read("dependency"), stream: read("stream") };
    if errors.is_empty() { Ok(dependency) } else { Err(Value::Object(errors)) }
}

pub(super) fn null() -> Wrong {
    Wrong::field("This field may not be null.")
}
