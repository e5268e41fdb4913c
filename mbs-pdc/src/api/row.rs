//! What an endpoint shows, read field by field: one field of an unexpected kind costs its entry, and no other.
//!
//! Everything is read once. A number stands for its text, as in PDC itself, and no list for an empty one.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use super::entry::{Dependency, Entry, NO_CONTEXT};
use super::face::{Face, Names};
use crate::client::told;

/// What is asked of an endpoint, as a type.
pub(super) trait Shown: Send + 'static {
    const FACE: Face;
}

/// Asked of `unreleasedvariants`.
pub(super) struct Variants;
/// Asked of `modules`.
pub(super) struct Modules;

impl Shown for Variants {
    const FACE: Face = Face::Variants;
}

impl Shown for Modules {
    const FACE: Face = Face::Modules;
}

/// One of a list, whatever it is.
pub(super) struct Row<F>(Loose, PhantomData<F>);

/// Why a row is no entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Its key, if it has one; one line of bounded length.
    pub(super) uid: Option<String>,
    pub(super) why: String,
}

/// A value of JSON; of members only those that an entry may have.
#[derive(Debug, Default)]
enum Loose {
    #[default]
    Null,
    Truth(bool),
    Text(String),
    List(Vec<Loose>),
    Members(Vec<(String, Loose)>),
}

/// The members that are kept, beside those that have two names.
const COMMON: [&str; 8] =
    ["active", "koji_tag", "modulemd", "runtime_deps", "build_deps", "rpms", "dependency", "stream"];

fn is_kept(key: &str) -> bool {
    let has =
        |names: &Names| [names.uid, names.name, names.stream, names.version, names.context].contains(&key);
    COMMON.contains(&key) || has(Face::Variants.names()) || has(Face::Modules.names())
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

impl<'de, F> Deserialize<'de> for Row<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Loose::deserialize(deserializer).map(|value| Self(value, PhantomData))
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Loose, E> {
        Ok(Loose::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        Ok(Number::from_f64(number).map_or(Loose::Null, |number| Loose::Text(number.to_string())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Loose::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Loose, A::Error> {
        let mut kept = Vec::new();
        while let Some(key) = members.next_key::<String>()? {
            if is_kept(&key) {
                kept.push((key, members.next_value()?));
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Loose::Members(kept))
    }
}

/// The members of an object. What is wrong with one is told by its name.
struct Fields(Vec<(String, Loose)>);

impl Fields {
    fn of(value: Loose) -> Result<Self, String> {
        match value {
            Loose::Members(members) => Ok(Self(members)),
            _ => Err("it is no object".to_owned()),
        }
    }

    /// Takes a member; of several with a name the last one, as everywhere.
    fn take(&mut self, key: &str) -> Option<Loose> {
        let at = self.0.iter().rposition(|(own, _)| own == key)?;
        Some(self.0.swap_remove(at).1)
    }

    fn text(&mut self, key: &str) -> Result<String, String> {
        let absent = || format!("`{key}` is missing");
        self.optional(key)?.ok_or_else(absent)
    }

    /// Takes a text; `None`: it is missing or null.
    fn optional(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.take(key).unwrap_or_default() {
            Loose::Null => Ok(None),
            Loose::Text(text) => Ok(Some(text)),
            _ => Err(format!("`{key}` is no text")),
        }
    }

    /// Takes a truth; `None`: it is missing or null.
    fn truth(&mut self, key: &str) -> Result<Option<bool>, String> {
        match self.take(key).unwrap_or_default() {
            Loose::Null => Ok(None),
            Loose::Truth(truth) => Ok(Some(truth)),
            _ => Err(format!("`{key}` is neither true nor false")),
        }
    }

    fn list<T>(&mut self, key: &str, read: impl Fn(Loose) -> Result<T, String>) -> Result<Vec<T>, String> {
        match self.take(key).unwrap_or_default() {
            Loose::Null => Ok(Vec::new()),
            Loose::List(items) => {
                let read = items.into_iter().map(read).collect::<Result<_, _>>();
                read.map_err(|why| format!("`{key}`: {why}"))
            }
            _ => Err(format!("`{key}` is no list")),
        }
    }
}

fn dependency(value: Loose) -> Result<Dependency, String> {
    let mut fields = Fields::of(value)?;
    Ok(Dependency { dependency: fields.text("dependency")?, stream: fields.text("stream")? })
}

fn package(value: Loose) -> Result<String, String> {
    match value {
        Loose::Text(name) => Ok(name),
        _ => Err("it holds what is no text".to_owned()),
    }
}

impl<F: Shown> Row<F> {
    /// Returns the entry that it shows.
    pub(super) fn entry(self) -> Result<Entry, Unreadable> {
        let names = F::FACE.names();
        let unreadable = |uid, why| Unreadable { uid, why };
        let mut fields = Fields::of(self.0).map_err(|why| unreadable(None, why))?;
        let uid = fields.text(names.uid).map_err(|why| unreadable(None, why))?;
        let shown = told(&uid);
        read(uid, &mut fields, F::FACE).map_err(|why| unreadable(Some(shown), why))
    }
}

fn read(uid: String, fields: &mut Fields, face: Face) -> Result<Entry, String> {
    let names = face.names();
    Ok(Entry {
        uid,
        name: fields.text(names.name)?,
        stream: fields.text(names.stream)?,
        version: fields.text(names.version)?,
        context: match face {
            Face::Variants => fields.optional(names.context)?.unwrap_or_else(|| NO_CONTEXT.to_owned()),
            Face::Modules => fields.text(names.context)?,
        },
        active: fields.truth("active")?.unwrap_or(true),
        koji_tag: fields.optional("koji_tag")?.unwrap_or_default(),
        modulemd: fields.optional("modulemd")?.unwrap_or_default(),
        runtime_deps: fields.list("runtime_deps", dependency)?,
        build_deps: fields.list("build_deps", dependency)?,
        rpms: fields.list("rpms", package)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(shown: Value) -> Result<Entry, Unreadable> {
        serde_json::from_value::<Row<Variants>>(shown).unwrap().entry()
    }

    fn good() -> Value {
        json!({
            "variant_uid": "a", "variant_id": "n", "variant_version": "s", "variant_release": "1",
            "variant_name": {"is": ["of", 0, "interest"]}, "active": false, "koji_tag": "t",
            "rpms": ["p.rpm"], "build_deps": [{"dependency": "d", "stream": 8}],
        })
    }

    #[test]
    fn numbers_stand_for_their_text_and_null_for_an_empty_list() {
        let mut odd = good();
        odd["variant_release"] = json!(20_180_501_120_000_u64);
        odd["variant_version"] = json!(5.0);
        odd["koji_tag"] = json!(-1);
        for key in ["rpms", "runtime_deps", "modulemd", "variant_context"] {
            odd[key] = Value::Null;
        }
        let entry = entry(odd).unwrap();
        assert_eq!((&*entry.version, &*entry.stream, &*entry.koji_tag), ("20180501120000", "5.0", "-1"));
        assert_eq!((entry.rpms.len(), &*entry.modulemd, &*entry.context), (0, "", NO_CONTEXT));
        assert_eq!((entry.active, &*entry.build_deps[0].stream), (false, "8"));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_field() {
        for (key, value, why) in [
            ("variant_id", Value::Null, "`variant_id` is missing"),
            ("variant_release", json!(["1"]), "`variant_release` is no text"),
            ("active", json!("yes"), "`active` is neither true nor false"),
            ("rpms", json!({}), "`rpms` is no list"),
            ("rpms", json!([null]), "`rpms`: it holds what is no text"),
            ("build_deps", json!(["d"]), "`build_deps`: it is no object"),
            ("runtime_deps", json!([{"dependency": "d"}]), "`runtime_deps`: `stream` is missing"),
        ] {
            let mut odd = good();
            odd[key] = value;
            assert_eq!(entry(odd), Err(Unreadable { uid: Some("a".to_owned()), why: why.to_owned() }));
        }
        assert_eq!(entry(json!(7)).unwrap_err().uid, None);
        assert_eq!(entry(json!({"variant_uid": []})).unwrap_err().why, "`variant_uid` is no text");
    }
}
