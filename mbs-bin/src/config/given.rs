//! What is given: the keys of a file, and over them those of the environment.
//!
//! A variable is called like its key, in capital letters and with `MBS_` in front. Its text is the value of a text; numbers,
//! `true` and `false`, lists and tables are written as in the file, a list of texts also with commas between.

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::{Array, ImDocument, Item, Value};

use super::keys::{self, OLD, PATHS, RENAMED, SECRETS, TABLES};
use super::parts::Part;
use super::problem::Problem;

/// What variables of ours begin with.
const PREFIX: &str = "MBS_";
/// Variables that are for the command line.
const FOREIGN: [&str; 2] = ["MBS_CONFIG_FILE", "MBS_PDC"];
/// Variables of the original.
const OLD_VARIABLES: [&str; 2] = ["MBS_CONFIG_SECTION", "MODULE_BUILD_SERVICE_DEVELOPER_ENV"];
/// Longer values are cut in messages.
const LONGEST_SHOWN: usize = 60;

/// A value, and where it stands.
#[derive(Debug, Clone)]
struct Said {
    value: Value,
    place: String,
}

/// A key of a file.
struct Entry<'f> {
    place: String,
    table: &'f str,
    key: &'f str,
    item: &'f Item,
    written: &'f str,
}

/// All that is given.
pub(super) struct Given {
    parts: Vec<Part>,
    said: BTreeMap<&'static str, Said>,
    pub(super) notices: Vec<String>,
    pub(super) problems: Vec<Problem>,
}

impl Given {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self { parts, said: BTreeMap::new(), notices: Vec::new(), problems: Vec::new() }
    }

    /// Returns what is given for a struct.
    pub(super) fn values(&self, of: &Part) -> Vec<(&'static str, Value)> {
        let is_its = |key: &str| of.keys().iter().any(|known| known == key);
        let said = self.said.iter().filter(|(key, _)| is_its(key));
        said.map(|(key, said)| (*key, said.value.clone())).collect()
    }

    /// Returns where a key stands.
    pub(super) fn place(&self, key: &str) -> String {
        self.said.get(key).map_or_else(|| "the configuration".to_owned(), |said| said.place.clone())
    }

    pub(super) fn complain(&mut self, place: String, key: Option<&str>, what: String) {
        self.problems.push(Problem { place, key: key.map(str::to_owned), what });
    }

    /// Reads a file.
    pub(super) fn read_file(&mut self, name: &str, text: &str) {
        let line = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        let place = |at: Option<usize>| at.map_or(name.to_owned(), |at| format!("{name}, line {}", line(at)));
        if name.ends_with(".py") {
            let what = "is in Python: `mbs-manager config import` makes a file of it that can be read here";
            return self.complain(name.to_owned(), None, what.to_owned());
        }
        let document = match ImDocument::parse(text) {
            Ok(document) => document,
            Err(error) => {
                // The message alone: the lines around it may hold a password.
                let at = place(error.span().map(|span| span.start));
                return self.complain(at, None, error.message().trim_end().replace('\n', ", "));
            }
        };
        for (table, item) in document.iter() {
            let at = document.key(table).and_then(toml_edit::Key::span).or(item.span());
            let at = place(at.map(|span| span.start));
            let Some(inner) = item.as_table_like() else {
                self.outside_tables(at, table);
                continue;
            };
            if !TABLES.iter().any(|known| known.name == table) {
                self.unknown_table(at, table);
                continue;
            }
            for (key, item) in inner.iter() {
                let at = inner.key(key).and_then(toml_edit::Key::span).or(item.span());
                let written = item.span().and_then(|span| text.get(span)).unwrap_or_default();
                let place = place(at.map(|span| span.start));
                self.take(Entry { place, table, key, item, written });
            }
        }
    }

    fn outside_tables(&mut self, place: String, key: &str) {
        if let Some(notice) = old(key) {
            return self.notices.push(format!("{place}: {notice}"));
        }
        let what = match keys::table_of(key) {
            Some(table) => format!("`{key}` stands outside of all tables; it belongs into [{table}]"),
            None => format!("unknown key `{key}`, outside of all tables{}", did_you_mean(key)),
        };
        self.complain(place, Some(key), what);
    }

    fn unknown_table(&mut self, place: String, table: &str) {
        let what = match keys::nearest(table, TABLES.iter().map(|table| table.name)) {
            Some(near) => format!("unknown table [{table}]; did you mean [{near}]?"),
            None => {
                let known: Vec<_> = TABLES.iter().map(|table| table.name).collect();
                format!("unknown table [{table}]; there are {}", known.join(", "))
            }
        };
        self.complain(place, Some(table), what);
    }

    fn take(&mut self, entry: Entry<'_>) {
        let Entry { place, table, key, item, written } = entry;
        let known = TABLES.iter().find_map(|table| Some((table, table.keys().find(|known| *known == key)?)));
        match known {
            Some((right, key)) if right.name == table => match item.clone().into_value() {
                Ok(value) => self.insert(key, value, written, place),
                Err(_) => self.complain(place, Some(key), format!("`{key}` in [{table}] has no value")),
            },
            Some((right, _)) => {
                let what =
                    format!("unknown key `{key}` in [{table}]; did you mean `{key}` in [{}]?", right.name);
                self.complain(place, Some(key), what);
            }
            None => match old(key) {
                Some(notice) => self.notices.push(format!("{place}: {notice}")),
                None => {
                    let what = format!("unknown key `{key}` in [{table}]{}", did_you_mean(key));
                    self.complain(place, Some(key), what);
                }
            },
        }
    }

    fn insert(&mut self, key: &'static str, value: Value, written: &str, place: String) {
        match self.check(key, &value) {
            Ok(()) => drop(self.said.insert(key, Said { value, place })),
            Err(expected) => {
                let table = keys::table_of(key).unwrap_or_default();
                let what = format!("`{key}` in [{table}] cannot be {}: {expected}", shown(key, written));
                self.complain(place, Some(key), what);
            }
        }
    }

    fn check(&self, key: &str, value: &Value) -> Result<(), String> {
        let part = self.parts.iter().find(|part| part.keys().iter().any(|known| known == key));
        part.map_or(Ok(()), |part| part.check(key, value))
    }

    /// Reads the environment.
    pub(super) fn read_environment(&mut self, variables: &[(String, String)]) {
        for (name, text) in variables {
            if OLD_VARIABLES.contains(&name.as_str()) {
                let notice =
                    format!("the variable {name} is ignored: a file has no sections of which one counts");
                self.notices.push(notice);
                continue;
            }
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let key = key.to_lowercase();
            let known = TABLES.iter().flat_map(keys::Table::keys).find(|known| *known == key);
            match known {
                Some(key) => self.take_variable(key, name, text),
                None => self.unknown_variable(&key, name),
            }
        }
    }

    fn take_variable(&mut self, key: &'static str, name: &str, text: &str) {
        let list =
            || text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect::<Array>().into();
        let forms: [Option<Value>; 3] = [Some(text.into()), text.trim().parse().ok(), Some(list())];
        let forms: Vec<Value> = forms.into_iter().flatten().collect();
        let fitting = forms.iter().find(|value| self.check(key, value).is_ok());
        // What it looks like tells best what is wrong with it.
        let value = fitting.or(forms.iter().rev().nth(1)).unwrap_or(&forms[0]).clone();
        self.insert(key, value, text, format!("the variable {name}"));
    }

    fn unknown_variable(&mut self, key: &str, name: &str) {
        if FOREIGN.contains(&name) {
            return;
        }
        let meant = old(key).unwrap_or_else(|| format!("it is none of ours{}", did_you_mean(key)));
        self.notices.push(format!("the variable {name} is ignored: {meant}"));
    }

    /// Puts the home directory in the place of `~` in paths.
    pub(super) fn expand(&mut self, home: Option<&Path>) {
        for key in PATHS {
            if let Some(said) = self.said.get_mut(key) {
                expand(&mut said.value, home);
            }
        }
    }
}

fn expand(value: &mut Value, home: Option<&Path>) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| expand(value, home)),
        Value::String(text) => {
            if let Some(path) = super::paths::expanded(Path::new(text.value()), home) {
                *value = path.display().to_string().into();
            }
        }
        _ => {}
    }
}

/// Returns a value as it was written, in one line, unless it may hold a password.
fn shown(key: &str, written: &str) -> String {
    if SECRETS.contains(&key) || written.is_empty() {
        return "what it is".to_owned();
    }
    let text = written.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn old(key: &str) -> Option<String> {
    let (_, why) = OLD.iter().find(|(old, _)| *old == key)?;
    Some(format!("`{key}` is obsolete and of no effect: {why}"))
}

fn did_you_mean(key: &str) -> String {
    let renamed = RENAMED.iter().find(|(old, _)| *old == key).map(|(_, name)| *name);
    let near = renamed.or_else(|| keys::nearest(key, TABLES.iter().flat_map(keys::Table::keys)));
    match near.and_then(|near| Some((near, keys::table_of(near)?))) {
        Some((near, table)) => format!("; did you mean `{near}` in [{table}]?"),
        None => String::new(),
    }
}
