//! Contexts: hashes of what a module build depends on. They tell apart builds of one version and say what may be reused.
//!
//! All are lower-case hex SHA-1 over the JSON text that Python's `json.dumps` makes with sorted keys, byte for byte: old and
//! new builds must hash the same. They are computed once, at submission, and never looked up. Source: behaviour, section 1.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::ident::{Context, Name, Stream};
use crate::modulemd::Dependencies;
use crate::policy::Policy;

/// The hashes of a build's dependencies, lower-case hex SHA-1. Source: behaviour, section 1.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contexts {
    /// Of the resolved buildrequires.
    pub build: String,
    /// Of the resolved buildrequires without base modules.
    pub build_without_base: String,
    /// Of the runtime requires.
    pub runtime: String,
}

impl Contexts {
    /// Computes the hashes from the resolved buildrequires (transitive ones included) and the dependency pairs of the expanded
    /// document.
    pub fn of(buildrequires: &BTreeMap<Name, Stream>, pairs: &[Dependencies], policy: &Policy) -> Self {
        let mut without_base = buildrequires.clone();
        without_base.retain(|name, _| !policy.is_base(name));
        Self {
            build: build_context(buildrequires),
            build_without_base: build_context(&without_base),
            runtime: runtime_context(pairs),
        }
    }

    /// Returns the context of the build: eight hexadecimal digits.
    pub fn short(&self) -> Context {
        let hash = sha1_hex(&format!("{}:{}", self.build, self.runtime));
        Context::new(&hash[..8]).expect("hexadecimal digits are a valid context")
    }
}

/// Hashes `{"<module>": "<stream>", …}`.
pub fn build_context(buildrequires: &BTreeMap<Name, Stream>) -> String {
    let entries = buildrequires.iter().map(|(name, stream)| (name.as_str(), json_text(stream.as_str())));
    sha1_hex(&json_map(entries))
}

/// Hashes `{"<module>": ["<stream>", …], …}`: the union of the runtime requires of all pairs, streams as written and sorted.
pub fn runtime_context(pairs: &[Dependencies]) -> String {
    let mut union: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, streams) in pairs.iter().flat_map(|pair| &pair.requires) {
        union.entry(name).or_default().extend(streams.iter().map(String::as_str));
    }
    let list = |streams: BTreeSet<&str>| {
        format!("[{}]", streams.into_iter().map(json_text).collect::<Vec<_>>().join(", "))
    };
    sha1_hex(&json_map(union.into_iter().map(|(name, streams)| (name, list(streams)))))
}

/// Returns the SHA-1 of a text in lower-case hexadecimal digits.
pub(crate) fn sha1_hex(text: &str) -> String {
    hex(&Sha1::digest(text.as_bytes()))
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Joins keys and JSON values to a map, in the order given.
fn json_map<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let entries: Vec<String> = entries.map(|(key, value)| format!("{}: {value}", json_text(key))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// Quotes a text; what is not printable ASCII is escaped, beyond 16 bits as a surrogate pair.
fn json_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            ' '..='~' => quoted.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(quoted, "\\u{unit:04x}").expect("writing to a string cannot fail");
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::tests::reference::golden;

    fn requires(value: &Value) -> Dependencies {
        let requires = serde_json::from_value(value.clone()).unwrap();
        Dependencies { requires, ..Dependencies::default() }
    }

    #[test]
    fn every_golden_build_has_its_contexts() {
        for line in &golden("contexts.jsonl").unwrap_or_default() {
            let buildrequires = serde_json::from_value(line["input"]["buildrequires"].clone()).unwrap();
            let pairs: Vec<_> = line["input"]["requires"].as_array().unwrap().iter().map(requires).collect();
            let contexts = Contexts::of(&buildrequires, &pairs, &Policy::default());
            let all = serde_json::json!({
                "build_context": contexts.build,
                "build_context_no_bms": contexts.build_without_base,
                "runtime_context": contexts.runtime,
                "context": contexts.short(),
            });
            assert_eq!(all, line["output"], "{}", line["name"]);
        }
    }

    #[test]
    fn the_text_is_what_python_writes() {
        assert_eq!(json_text("a\"\\\u{7f}\u{1}\té😀"), r#""a\"\\\u007f\u0001\t\u00e9\ud83d\ude00""#);
        assert_eq!(
            json_map([("b", json_text("1")), ("c", "[]".into())].into_iter()),
            r#"{"b": "1", "c": []}"#
        );
    }

    #[test]
    fn the_order_of_pairs_does_not_matter() {
        let one = requires(&serde_json::json!({"a": ["2"], "b": []}));
        let other = requires(&serde_json::json!({"a": ["1"]}));
        assert_eq!(
            runtime_context(&[one.clone(), other.clone()]),
            runtime_context(&[other.clone(), one.clone()])
        );
        assert_ne!(runtime_context(std::slice::from_ref(&one)), runtime_context(&[one.clone(), other]));
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
