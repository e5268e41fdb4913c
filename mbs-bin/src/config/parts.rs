//! Reading structs whose fields are keys: single keys, so that an error names one, and then all of them.

use serde::Serialize;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use toml_edit::{InlineTable, Value};

/// A struct whose fields are keys.
pub(super) struct Part {
    keys: Vec<String>,
    check: fn(&str, &Value) -> Result<(), String>,
}

impl Part {
    pub(super) fn of<T: Serialize + DeserializeOwned + Default>() -> Self {
        Self { keys: keys(&T::default()), check: |key, value| read::<T>([(key, value.clone())]).map(drop) }
    }

    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Says whether a value is one for a key.
    ///
    /// # Errors
    /// Says what was expected.
    pub(super) fn check(&self, key: &str, value: &Value) -> Result<(), String> {
        (self.check)(key, value)
    }
}

/// Reads a struct from the values of some of its keys; others have their defaults.
///
/// # Errors
/// Says what was expected.
pub(super) fn read<'k, T: DeserializeOwned>(
    values: impl IntoIterator<Item = (&'k str, Value)>,
) -> Result<T, String> {
    let table: InlineTable = values.into_iter().collect();
    T::deserialize(Value::InlineTable(table).into_deserializer()).map_err(|error| expected(error.message()))
}

/// Returns the fields of a struct, also those that have no value.
pub(super) fn keys(of: &impl Serialize) -> Vec<String> {
    let json = serde_json::to_value(of).expect("structs of the configuration are plain");
    json.as_object().expect("a struct is an object").keys().cloned().collect()
}

/// Puts a reader's message into words: what it found is told elsewhere.
fn expected(message: &str) -> String {
    let message = message.trim_end();
    let Some((_, expected)) =
        message.strip_prefix("invalid ").and_then(|message| message.split_once(", expected "))
    else {
        return message.to_owned();
    };
    let words = match expected {
        "i64" | "an integer" => "a whole number",
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number from 0 on, and not that large",
        "f64" | "a float" => "a number",
        "a string" | "a borrowed string" | "path string" => "a text, in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list, in brackets",
        "a map" => "a table",
        other => other,
    };
    format!("expected is {words}")
}
