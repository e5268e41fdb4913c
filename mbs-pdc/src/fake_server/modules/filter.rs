//! Which rows a request asks for.

use std::sync::Arc;

use super::face::Face;
use crate::fake_server::answer::Refusal;
use crate::fake_server::asked::Asked;
use crate::fake_server::query;
use crate::fake_server::rows::{Dependency, Package, Row};
use crate::fake_server::state::{Column, Table};

/// The filters that may be repeated; those over packages come last.
const REPEATED: [&str; 8] = [
    "runtime_dep_name",
    "runtime_dep_stream",
    "build_dep_name",
    "build_dep_stream",
    "component_name",
    "component_branch",
    "component",
    "rpm_filename",
];

/// What rows must have. All of it must match.
pub(super) struct Wanted<'a> {
    /// The whole value, whatever its case.
    texts: Vec<(Column, &'a str)>,
    active: Option<bool>,
    /// Any of the values, exactly.
    repeated: Vec<(&'static str, Vec<&'a str>)>,
}

/// Returns the repeated filters that an endpoint has.
fn repeated(face: Face) -> &'static [&'static str] {
    let count = if face.has("rpms") { REPEATED.len() } else { 4 };
    &REPEATED[..count]
}

/// Says whether a parameter is a filter.
pub(super) fn is_one(face: Face, name: &str) -> bool {
    let is_field = name == "active" && face.has(name);
    is_field || face.columns().any(|(own, _)| own == name) || repeated(face).contains(&name)
}

/// Reads the filters of a request.
///
/// # Errors
/// One has a value that it cannot have.
pub(super) fn read(face: Face, asked: &Asked) -> Result<Wanted<'_>, Refusal> {
    let texts = face.columns().filter_map(|(name, column)| {
        let value = asked.parameter(name)?.trim();
        (!value.is_empty()).then_some((column, value))
    });
    let active = asked.parameter("active").map(query::truth).transpose()?;
    let values = |name: &&'static str| (*name, asked.parameters(name).collect::<Vec<_>>());
    let repeated = repeated(face).iter().map(values).filter(|(_, values)| !values.is_empty());
    Ok(Wanted { texts: texts.collect(), active, repeated: repeated.collect() })
}

impl Wanted<'_> {
    /// Returns the rows in order of uid.
    pub(super) fn rows(&self, table: &Table, face: Face) -> Vec<Arc<Row>> {
        let found = self.texts.iter().filter_map(|(column, value)| table.having(*column, value));
        let candidates = found.min_by_key(Vec::len).unwrap_or_else(|| table.rows().collect());
        let wanted = candidates.into_iter().filter(|row| face.shows(row) && self.takes(row));
        wanted.cloned().collect()
    }

    fn takes(&self, row: &Row) -> bool {
        self.texts.iter().all(|(column, value)| column.of(row).eq_ignore_ascii_case(value))
            && self.active.is_none_or(|active| row.active == active)
            && self.repeated.iter().all(|(name, values)| has_any(row, name, values))
    }
}

fn has_any(row: &Row, name: &str, values: &[&str]) -> bool {
    let names = |all: &[Dependency]| all.iter().any(|one| values.contains(&one.dependency.as_str()));
    let streams = |all: &[Dependency]| all.iter().any(|one| values.contains(&one.stream.as_str()));
    let packages = |has: &dyn Fn(&Package) -> bool| row.rpms.iter().any(|package| has(package));
    match name {
        "runtime_dep_name" => names(&row.runtime_deps),
        "runtime_dep_stream" => streams(&row.runtime_deps),
        "build_dep_name" => names(&row.build_deps),
        "build_dep_stream" => streams(&row.build_deps),
        "component_name" => packages(&|package| values.contains(&package.srpm_name.as_str())),
        "component_branch" => packages(&|package| {
            package.srpm_commit_branch.as_deref().is_some_and(|branch| values.contains(&branch))
        }),
        "component" => packages(&|package| values.iter().any(|value| is_component(package, value))),
        _ => packages(&|package| values.contains(&package.filename.as_str())),
    }
}

/// Says whether a package has a name, or `NAME/BRANCH`. More slashes are part of a name.
fn is_component(package: &Package, value: &str) -> bool {
    match value.split_once('/') {
        Some((name, branch)) if !branch.contains('/') => {
            package.name == name && package.srpm_commit_branch.as_deref() == Some(branch)
        }
        _ => package.name == value,
    }
}
