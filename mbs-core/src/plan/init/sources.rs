//! Where the components come from: repositories, refs, commits, and what the stored document says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Refusal;
use crate::batch::{self, BuildOrder, Entry, Gathered};
use crate::ident::{Arch, CommitId, Package, Weight};
use crate::model::{ComponentBuild, ComponentSource, ModuleBuild, NewBuild};
use crate::modulemd::{Limits, ModuleStream, RpmComponent, Submission, Xmd, given, read_submission};
use crate::plan::Observation;
use crate::policy::Policy;
use crate::shared::Shared;
use crate::source_control::{Place, RefQuestion, SourceError};

/// How far the components are known.
pub(super) enum Components {
    /// Documents of included modules are to be fetched first.
    Missing(BTreeSet<Place>),
    /// All of them, in order.
    Known(BuildOrder),
}

/// Gathers the components, those of included modules among them.
pub(super) fn components(
    build: &ModuleBuild,
    seen: &Observation,
    policy: &Policy,
) -> Result<Components, Refusal> {
    let mut known = BTreeMap::new();
    for (place, fetched) in &seen.documents {
        let text = &fetched.as_ref().map_err(Refusal::of_source)?.text;
        known.insert(place.clone(), Arc::new(included_document(place, text)?));
    }
    let branch = submitted(build, "branch");
    match batch::gather(build.document(), branch, policy, &known).map_err(Refusal::user)? {
        Gathered::Missing(places) => Ok(Components::Missing(places)),
        Gathered::Whole(included) => {
            batch::order(build.document(), &included).map(Components::Known).map_err(Refusal::user)
        }
    }
}

fn included_document(place: &Place, text: &str) -> Result<ModuleStream, Refusal> {
    let unusable = |why: String| {
        Refusal::user(format!("the included module {} cannot be used: {why}", place.repository))
    };
    let (read, _) = read_submission(text, Some(&place.path), &Limits::of_submission())
        .map_err(|problems| unusable(problems.to_string()))?;
    match read {
        Submission::Stream(stream) => Ok(*stream),
        Submission::Packager(_) => Err(unusable("its document has several configurations".into())),
    }
}

/// Returns what was noted of the submission in `xmd.mbs`.
fn submitted<'b>(build: &'b ModuleBuild, key: &str) -> Option<&'b str> {
    build.document().xmd.at(&["mbs", key]).and_then(Xmd::spelling).filter(|text| !text.is_empty())
}

/// A component with its sources named, its ref not yet resolved.
pub(super) struct Sourced<'e> {
    pub(super) entry: &'e Entry,
    pub(super) cache: String,
    pub(super) from: From,
}

/// Where a component's source is.
pub(super) enum From {
    Srpm(String),
    Git(RefQuestion),
}

/// Names the sources of all components; everything that is not allowed is said at once.
pub(super) fn named<'e>(
    build: &ModuleBuild,
    order: &'e BuildOrder,
    policy: &Policy,
) -> Result<Vec<Sourced<'e>>, Refusal> {
    let overrides = build.document().xmd.at(&["mbs", "rpm_component_ref_overrides"]);
    let branch = submitted(build, "branch").unwrap_or(&policy.default_branch);
    let mut refused = Vec::new();
    let mut all = Vec::with_capacity(order.entries.len());
    for entry in &order.entries {
        let Entry { component, key, .. } = entry;
        refused.extend(own_places(entry, policy));
        let overridden = overrides.and_then(|all| all.value(key)).and_then(Xmd::spelling);
        let git_ref = overridden.or(given(component.git_ref.as_ref())).unwrap_or(branch).to_owned();
        let repository = given(component.repository.as_ref())
            .map_or_else(|| joined(&policy.rpms_default_repository, key), str::to_owned);
        let from = match build.new.srpms.get(&entry.package) {
            Some(path) => From::Srpm(path.clone()),
            None => From::Git(RefQuestion { repository, git_ref }),
        };
        let cache = given(component.cache.as_ref())
            .map_or_else(|| joined(&policy.rpms_default_cache, key), str::to_owned);
        all.push(Sourced { entry, cache, from });
    }
    if refused.is_empty() { Ok(all) } else { Err(Refusal::user(refused.join("\n"))) }
}

fn own_places(entry: &Entry, policy: &Policy) -> Vec<String> {
    let Entry { component, key, .. } = entry;
    let own = [
        ("repository", &component.repository, policy.rpms_allow_repository),
        ("cache", &component.cache, policy.rpms_allow_cache),
    ];
    own.into_iter()
        .filter_map(|(what, own, is_allowed)| {
            given(own.as_ref()).filter(|_| !is_allowed).map(|url| (what, url))
        })
        .map(|(what, url)| {
            format!("component {key}: its own {what} is not allowed here, it bears {url}; remove it from the document")
        })
        .collect()
}

fn joined(prefix: &str, key: &str) -> String {
    format!("{}/{key}", prefix.trim_end_matches('/'))
}

/// Makes the component builds; every ref that does not resolve is named in one refusal, a line each.
pub(super) fn resolved(
    sourced: &[Sourced<'_>],
    seen: &Observation,
    policy: &Policy,
) -> Result<Vec<ComponentBuild>, Refusal> {
    let mut refused: Vec<String> = Vec::new();
    let mut components = Vec::with_capacity(sourced.len());
    for Sourced { entry, from, .. } in sourced {
        let source = match from {
            From::Srpm(path) => ComponentSource::Srpm(path.clone()),
            From::Git(question) => match commit(question, seen) {
                Ok(commit) => ComponentSource::Git { url: question.repository.clone(), commit },
                Err(why) => {
                    let hint = hint(entry, question, seen, policy);
                    refused.push(format!("{}: {why}{hint}", entry.key));
                    continue;
                }
            },
        };
        components.push(component(entry, source, seen, policy));
    }
    if refused.is_empty() { Ok(components) } else { Err(Refusal::user(refused.join("\n"))) }
}

fn commit(question: &RefQuestion, seen: &Observation) -> Result<CommitId, String> {
    match seen.refs.get(question) {
        Some(Ok(commit)) => Ok(commit.clone()),
        // It names what it is about: the address, or the ref and the address.
        Some(Err(error)) => Err(error.to_string()),
        None => Err(format!("the ref {} was not looked up", question.git_ref)),
    }
}

/// Says where a ref that is not there comes from, if the document does not name it.
fn hint(entry: &Entry, question: &RefQuestion, seen: &Observation, policy: &Policy) -> String {
    let is_given = given(entry.component.git_ref.as_ref()).is_some();
    // It may be the repository that is not there.
    let names_ref = |what: &str| what.contains(&question.git_ref);
    let is_gone =
        matches!(seen.refs.get(question), Some(Err(SourceError::NotFound { what })) if names_ref(what));
    if is_given || !is_gone || question.git_ref != policy.default_branch {
        return String::new();
    }
    format!(" (without `ref:` the default is taken, {})", question.git_ref)
}

fn component(entry: &Entry, source: ComponentSource, seen: &Observation, policy: &Policy) -> ComponentBuild {
    let weight = seen.build.weights.as_ref().and_then(|weights| weights.get(&entry.package)).copied();
    let mut component = ComponentBuild::new(entry.package.clone(), source, entry.batch);
    component.after.clone_from(&entry.after);
    component.arches = arches(entry, policy);
    component.weight = weight.unwrap_or(Weight::UNKNOWN);
    component.buildonly = entry.component.buildonly;
    component.buildroot = entry.component.buildroot;
    component.srpm_buildroot = entry.component.srpm_buildroot;
    component
}

fn arches(entry: &Entry, policy: &Policy) -> Vec<Arch> {
    let own: Vec<Arch> =
        entry.component.arches.iter().filter_map(|arch| Arch::new(arch.clone()).ok()).collect();
    let mut arches = if own.is_empty() { policy.arches.clone() } else { own };
    arches.sort();
    arches
}

/// Fills in the stored document what the sources turned out to be; components of included modules join its own.
///
/// A document may name no architecture of a component outside its `buildopts.arches`; what is built knows them all.
pub(super) fn fill_in(
    document: &mut ModuleStream,
    new: &NewBuild,
    sourced: &[Sourced<'_>],
    components: &[ComponentBuild],
) {
    let (scmurl, commit) = (new.scmurl.as_deref(), new.commit.as_ref());
    let mut rpms = Xmd::default();
    let allowed = document.buildopts.arches.clone();
    let mut shared = Shared::default();
    for (sourced, built) in sourced.iter().zip(components) {
        let key = &sourced.entry.key;
        let stored = document.rpms.entry(key.clone()).or_insert_with(|| flattened(sourced.entry));
        if let From::Git(question) = &sourced.from {
            stored.repository = Some(question.repository.clone());
            stored.git_ref = Some(question.git_ref.clone());
        }
        stored.cache = Some(sourced.cache.clone());
        let arches = built.arches.iter().map(ToString::to_string);
        let arches: BTreeSet<String> =
            arches.filter(|arch| allowed.is_empty() || allowed.contains(arch)).collect();
        // Mostly they are those of the component before.
        if *shared != arches {
            shared = arches.into();
        }
        stored.arches = shared.clone();
        let mut entry = Xmd::default();
        // Xmd knows no null: a source RPM that was uploaded has no ref at all.
        if let Some(commit) = built.source.commit() {
            entry.set("ref", commit.as_str().into());
        }
        rpms.set(key, entry);
    }
    let mut mbs = document.xmd.remove("mbs").unwrap_or_default();
    mbs.set("rpms", rpms);
    mbs.set("scmurl", scmurl.unwrap_or_default().into());
    // Builds that were recorded without it were submitted by their full commits.
    let written = || scmurl.and_then(|url| url.rsplit_once('#')).map_or("", |(_, commit)| commit);
    let commit = commit.map_or_else(written, CommitId::as_str);
    mbs.set("commit", commit.into());
    document.xmd.set("mbs", mbs);
}

/// Returns a component of an included module as it stands in the including one. Its own document's order would not
/// mix with that of the new one; the record holds the order of all.
fn flattened(entry: &Entry) -> RpmComponent {
    RpmComponent { buildorder: 0, buildafter: BTreeSet::new(), ..entry.component.clone() }
}

/// Returns the packages whose cost is asked for.
pub(super) fn packages(order: &BuildOrder) -> BTreeSet<Package> {
    order.entries.iter().map(|entry| entry.package.clone()).collect()
}
