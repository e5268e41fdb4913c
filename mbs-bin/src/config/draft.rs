//! A configuration that is being written, one key after another: each is checked as one that is read, and so is the whole.

use std::collections::BTreeMap;

use toml_edit::Value;

use super::keys::{self, OLD, RENAMED, SECRETS, TABLES};
use super::parts::Part;
use super::{Config, parts, write};

/// A configuration that is being written.
pub(crate) struct Draft {
    parts: Vec<Part>,
    values: BTreeMap<&'static str, Value>,
}

/// What became of a key of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is the same.
    Kept(&'static str),
    /// It is of no effect any more, and why.
    Old(&'static str),
    /// It was never one.
    Unknown,
}

impl Fate {
    /// Says what became of a key, by its name in lower case.
    pub(crate) fn of(key: &str) -> Self {
        let renamed = RENAMED.iter().find(|(old, _)| *old == key).map(|(_, new)| *new);
        let known = TABLES.iter().flat_map(keys::Table::keys).find(|known| *known == key);
        match (known.or(renamed), OLD.iter().find(|(old, _)| *old == key)) {
            (Some(key), _) => Self::Kept(key),
            (None, Some((_, why))) => Self::Old(why),
            (None, None) => Self::Unknown,
        }
    }
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self { parts: parts().into(), values: BTreeMap::new() }
    }

    /// Says a value.
    ///
    /// # Errors
    /// Says what was expected; it does not quote what may hold a password.
    pub(crate) fn say(&mut self, key: &'static str, value: Value) -> Result<(), String> {
        let part = self.parts.iter().find(|part| part.keys().iter().any(|known| known == key));
        let checked = part.map_or(Ok(()), |part| part.check(key, &value));
        checked.map_err(|what| if SECRETS.contains(&key) { "it cannot be read".to_owned() } else { what })?;
        self.values.insert(key, value);
        Ok(())
    }

    /// Returns the file, and what was left out as it does not fit with the rest: keys, and why.
    pub(crate) fn finish(mut self) -> (String, Vec<String>) {
        let mut left_out = Vec::new();
        loop {
            let values = self.values.iter().map(|(key, value)| ((*key).to_owned(), write::written(value)));
            let text = write::file(&values.collect());
            let Err(error) = Config::read("mbs.toml", &text, &[], None) else { return (text, left_out) };
            let keys = error.keys();
            let before = self.values.len();
            self.values.retain(|key, _| !keys.contains(key));
            left_out.extend(error.whats());
            if self.values.len() == before {
                // It is wrong in something that nobody said; so nothing fits.
                self.values.clear();
            }
        }
    }
}
