//! Bodies: what an entry is to have, as far as it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::face::{Face, Kind};
use super::fields::{self, Wrong, missing};
use super::packages::{self, unknown_fields};
use crate::fake_server::answer::Refusal;
use crate::fake_server::python;
use crate::fake_server::rows::{Dependency, Package, Row};
use crate::fake_server::shared::Work;
use crate::fake_server::state::Column;

/// What an entry is to have, as far as it is sent.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) texts: BTreeMap<Column, String>,
    modulemd: Option<String>,
    active: Option<bool>,
    runtime_deps: Option<Vec<Dependency>>,
    build_deps: Option<Vec<Dependency>>,
    rpms: Option<Vec<Arc<Package>>>,
}

/// Reads a body.
///
/// # Errors
/// It has fields that nobody knows or may send, lacks some though it is not partial, or some do not fit.
pub(super) fn read(work: &mut Work, face: Face, body: &Value, is_partial: bool) -> Result<Draft, Refusal> {
    let Value::Object(members) = body else {
        return Err(Refusal::details(&["Invalid input: must be a dict.".to_owned()]));
    };
    let is_made_here = |name: &str| face.kind == Kind::Modules && name == "uid";
    known(members, |name| face.has(name), is_made_here)?;
    let mut reader = Reader { face, members, is_partial, errors: Map::new() };
    let mut draft = Draft::default();
    for (name, column) in face.columns().filter(|(name, _)| !is_made_here(name)) {
        if let Some(text) = reader.text(name, column)? {
            draft.texts.insert(column, text);
        }
    }
    draft.modulemd = reader.needed("modulemd", |value| fields::text(value, None))?;
    draft.active = reader.optional("active", fields::truth)?;
    draft.runtime_deps = reader.optional("runtime_deps", fields::dependencies)?;
    draft.build_deps = reader.optional("build_deps", fields::dependencies)?;
    draft.rpms = reader.optional("rpms", |value| packages::read(work, value))?;
    if reader.errors.is_empty() { Ok(draft) } else { Err(Refusal::fields(reader.errors)) }
}

/// Checks the names of a body's fields.
///
/// # Errors
/// Nobody knows some, or they are not for sending.
pub(super) fn known(
    members: &Map<String, Value>,
    is_known: impl Fn(&str) -> bool,
    is_read_only: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let keys = || members.keys().map(String::as_str);
    let unknown = python::unknown(keys(), is_known);
    if !unknown.is_empty() {
        return Err(unknown_fields(&unknown));
    }
    let mut read_only = python::table_order(keys());
    read_only.retain(|name| is_read_only(name));
    let quoted: Vec<String> = read_only.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [] => Ok(()),
        quoted => {
            let text = format!("Can not update read only fields: {}.", quoted.join(", "));
            Err(Refusal::detail(400, &text))
        }
    }
}

/// Reads field after field, and gathers what is wrong.
struct Reader<'b> {
    face: Face,
    members: &'b Map<String, Value>,
    is_partial: bool,
    errors: Map<String, Value>,
}

impl Reader<'_> {
    fn text(&mut self, name: &str, column: Column) -> Result<Option<String>, Refusal> {
        // How long a text may be is looked at here only where the endpoint does not leave it to the store.
        let longest = match (self.face.kind, column) {
            (Kind::Variants, Column::VariantId | Column::KojiTag) | (Kind::Modules, _) => {
                Some(super::write::longest(column))
            }
            (Kind::Variants, _) => None,
        };
        let is_context = column == Column::Context && self.face.kind == Kind::Variants;
        if is_context && !self.members.contains_key(name) {
            return Ok((!self.is_partial).then(|| NO_CONTEXT.to_owned()));
        }
        self.needed(name, |value| fields::text(value, longest))
    }

    fn needed<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Refusal> {
        match self.members.get(name) {
            None if self.is_partial => Ok(None),
            None => self.noted(name, Err(missing())),
            Some(value) => self.noted(name, read(value)),
        }
    }

    fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Refusal> {
        self.members.get(name).map_or(Ok(None), |value| self.noted(name, read(value)))
    }

    fn noted<T>(&mut self, name: &str, read: Result<T, Wrong>) -> Result<Option<T>, Refusal> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(Wrong::All(refusal)) => Err(refusal),
            Err(Wrong::Field(error)) => {
                self.errors.insert(name.to_owned(), error);
                Ok(None)
            }
        }
    }
}

/// The context of an entry that has none.
const NO_CONTEXT: &str = "00000000";

impl Draft {
    /// Says whether it has what cannot be changed.
    pub(super) fn has_dependencies(&self) -> bool {
        self.runtime_deps.is_some() || self.build_deps.is_some()
    }

    /// Puts it over a row.
    pub(super) fn apply(self, row: &mut Row) {
        for (column, text) in self.texts {
            let own = match column {
                Column::VariantId => &mut row.variant_id,
                Column::Uid => &mut row.uid,
                Column::Name => &mut row.name,
                Column::Kind => &mut row.kind,
                Column::Stream => &mut row.stream,
                Column::Version => &mut row.version,
                Column::Context => &mut row.context,
                Column::KojiTag => &mut row.koji_tag,
            };
            *own = text;
        }
        row.modulemd = self.modulemd.unwrap_or_else(|| std::mem::take(&mut row.modulemd));
        row.active = self.active.unwrap_or(row.active);
        row.runtime_deps = self.runtime_deps.unwrap_or_else(|| std::mem::take(&mut row.runtime_deps));
        row.build_deps = self.build_deps.unwrap_or_else(|| std::mem::take(&mut row.build_deps));
        row.rpms = self.rpms.unwrap_or_else(|| std::mem::take(&mut row.rpms));
    }

    /// Returns a row of nothing else.
    pub(super) fn into_row(self, id: u64) -> Row {
        let mut row = Row {
            id,
            uid: String::new(),
            variant_id: String::new(),
            name: String::new(),
            kind: "module".to_owned(),
            stream: String::new(),
            version: String::new(),
            context: NO_CONTEXT.to_owned(),
            active: false,
            koji_tag: String::new(),
            modulemd: String::new(),
            runtime_deps: Vec::new(),
            build_deps: Vec::new(),
            rpms: Vec::new(),
        };
        self.apply(&mut row);
        row
    }
}
