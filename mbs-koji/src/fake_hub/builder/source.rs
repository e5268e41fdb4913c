//! What a build is made of: an uploaded source RPM, or a commit in source control.

use std::sync::Arc;

use super::{Recipe, Scripts};
use crate::fake_hub::state::{Id, State, TaggedQuery, Task, refuse};
use crate::xmlrpc::{Fault, Value};

/// Name, version and release of what comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) release: String,
    pub(super) epoch: Option<i64>,
}

/// The build tag's package whose release carries the dist tag.
const MACROS: &str = "module-build-macros";

/// Returns the package a build task builds, as far as its source tells.
pub(crate) fn source_package(task: &Task) -> Option<String> {
    let source = task.request.first()?.as_str()?;
    match is_upload(source) {
        true => file_identity(source).map(|identity| identity.name),
        false => Some(scm_package(source)),
    }
}

/// Says whether a source is an uploaded file.
pub(super) fn is_upload(source: &str) -> bool {
    !source.contains("://")
}

fn scm_package(url: &str) -> String {
    let place = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/');
    let last = place.rsplit('/').next().unwrap_or(place);
    last.strip_suffix(".git").unwrap_or(last).to_owned()
}

fn file_identity(path: &str) -> Option<Identity> {
    let file = path.rsplit('/').next()?;
    let nvr = file.strip_suffix(".src.rpm")?;
    let (rest, release) = nvr.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(Identity { name: name.into(), version: version.into(), release: release.into(), epoch: None })
}

/// Returns what a source makes in a build tag.
pub(super) fn identity(
    state: &State,
    scripts: &Scripts,
    source: &str,
    build_tag: Id,
) -> Result<(Identity, Recipe), Fault> {
    if is_upload(source) {
        let upload = state.uploads.get(source);
        let upload = upload.ok_or_else(|| refuse(format!("File not found: {source}")))?;
        let named = || file_identity(source).ok_or_else(|| refuse(format!("invalid format: {source}")));
        let identity = header_identity(&upload.bytes).map_or_else(named, Ok)?;
        let recipe = scripts.recipes.get(&identity.name).cloned();
        let recipe = recipe.unwrap_or_else(|| Recipe::noarch(&identity.name));
        return Ok((identity, recipe));
    }
    let name = scm_package(source);
    let recipe = scripts.recipes.get(&name).cloned().unwrap_or_else(|| Recipe::of(&name));
    let dist = dist(state, build_tag).unwrap_or_default();
    let has_dist = recipe.release.ends_with(&dist);
    let release = if has_dist { recipe.release.clone() } else { format!("{}{dist}", recipe.release) };
    Ok((Identity { name, version: recipe.version.clone(), release, epoch: None }, recipe))
}

/// Returns the dist tag that a buildroot defines.
fn dist(state: &State, build_tag: Id) -> Option<String> {
    let package = Some(state.packages.id(MACROS)?);
    let query = TaggedQuery { inherits: true, latest: Some(1), package, ..TaggedQuery::default() };
    let newest = state.tagged_builds(build_tag, &query).into_iter().next()?;
    Some(newest.build.release.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
}

fn header_identity(bytes: &Arc<Vec<u8>>) -> Option<Identity> {
    let package = rpm::Package::parse(&mut bytes.as_slice()).ok()?;
    let metadata = &package.metadata;
    let epoch = metadata.get_epoch().ok().filter(|epoch| *epoch != 0).map(i64::from);
    Some(Identity {
        name: metadata.get_name().ok()?.to_owned(),
        version: metadata.get_version().ok()?.to_owned(),
        release: metadata.get_release().ok()?.to_owned(),
        epoch,
    })
}

/// Returns the options of a build task.
pub(super) fn option<'t>(task: &'t Task, name: &str) -> &'t Value {
    static NIL: Value = Value::Nil;
    task.request.get(2).and_then(|options| options.member(name)).unwrap_or(&NIL)
}
