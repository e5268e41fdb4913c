//! Default modules: what a base module switches on for everything that is built on it. Source: behaviour, section 5.

use crate::ident::{NameStream, Nsvc};
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::plan::{DefaultsPlace, Observation, ObservationQuery};
use crate::policy::Policy;
use crate::resolver::KnownModule;

/// Default modules that join the buildrequires, and what the log says of the others.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    pub(super) modules: Vec<KnownModule>,
    pub(super) notes: Vec<String>,
}

/// Asks for the next thing that is not known: the defaults, the compatible base modules, the builds.
pub(super) fn ask(
    query: &mut ObservationQuery,
    modules: &[KnownModule],
    seen: &Observation,
    policy: &Policy,
) {
    for base in asking_bases(modules, policy) {
        let places = places(base, policy);
        let unknown = places.iter().find(|place| !seen.default_streams.contains_key(place));
        let is_answered = places.iter().any(|place| matches!(seen.default_streams.get(place), Some(Some(_))));
        if let Some(place) = unknown.filter(|_| !is_answered) {
            query.sources.default_streams.insert(place.clone());
            continue;
        }
        let wanted = wanted(base, modules, seen, policy);
        if wanted.is_empty() {
            continue;
        }
        match seen.compatible_bases.get(&base.nsvc) {
            None => {
                query.modules.compatible_bases.insert(base.nsvc.clone());
            }
            Some(bases) => {
                query
                    .modules
                    .latest
                    .extend(wanted.into_iter().filter(|module| !seen.latest.contains_key(module)));
                query.modules.latest_bases.extend(bases.iter().map(|module| module.nsvc.clone()));
            }
        }
    }
}

/// Returns the base modules that ask for default modules.
fn asking_bases<'m>(modules: &'m [KnownModule], policy: &Policy) -> impl Iterator<Item = &'m KnownModule> {
    let asks = |module: &&KnownModule| {
        let mbs = |key: &str| module.document.xmd.at(&["mbs", key]);
        policy.is_base(&module.nsvc.name)
            && (mbs("use_default_modules").is_some_and(Xmd::is_true)
                || mbs("default_modules_scm_url").is_some())
    };
    modules.iter().filter(asks).collect::<Vec<_>>().into_iter()
}

/// Returns where the defaults of a base module are: the branch of its stream, and for rawhide one more.
fn places(base: &KnownModule, policy: &Policy) -> Vec<DefaultsPlace> {
    let own = base.document.xmd.at(&["mbs", "default_modules_scm_url"]).and_then(Xmd::text);
    let repository = own.unwrap_or(&policy.default_modules_scm_url).to_owned();
    let place = |branch: &str| DefaultsPlace { repository: repository.clone(), branch: branch.to_owned() };
    let mut places = vec![place(base.nsvc.stream.as_str())];
    if policy.rawhide_stream.as_ref() == Some(&base.nsvc.stream) {
        places.push(place(&policy.rawhide_branch));
    }
    places
}

/// Returns the default modules of a base that are not buildrequired anyway, in whatever stream.
fn wanted(
    base: &KnownModule,
    modules: &[KnownModule],
    seen: &Observation,
    policy: &Policy,
) -> Vec<NameStream> {
    let answers =
        places(base, policy).into_iter().find_map(|place| seen.default_streams.get(&place)?.as_ref());
    let is_there = |name: &crate::ident::Name| modules.iter().any(|module| module.nsvc.name == *name);
    let streams = answers.into_iter().flatten().filter(|(name, _)| !is_there(name));
    streams.map(|(name, stream)| NameStream { name: name.clone(), stream: stream.clone() }).collect()
}

/// Chooses a build per default module: on the newest compatible base whose stream it allows; others are left out.
pub(super) fn found(modules: &[KnownModule], seen: &Observation, policy: &Policy) -> Defaults {
    let mut defaults = Defaults::default();
    for base in asking_bases(modules, policy) {
        let bases = seen.compatible_bases.get(&base.nsvc).map(Vec::as_slice).unwrap_or_default();
        for module in wanted(base, modules, seen, policy) {
            let builds = seen.latest.get(&module).map(Vec::as_slice).unwrap_or_default();
            match bases
                .iter()
                .find_map(|on| builds.iter().find(|one| is_built_on(one, &on.nsvc) && allows(one, base)))
            {
                Some(chosen) => defaults.modules.push(chosen.clone()),
                None => defaults.notes.push(format!(
                    "the default module {module} of {} is left out: it has no build that fits",
                    base.nsvc
                )),
            }
        }
    }
    defaults
}

fn is_built_on(module: &KnownModule, base: &Nsvc) -> bool {
    let entry = module.document.xmd.at(&["mbs", "buildrequires", base.name.as_str()]);
    let field = |key: &str| entry.and_then(|entry| entry.value(key)).and_then(Xmd::text);
    field("stream") == Some(base.stream.as_str())
        && field("version") == Some(base.version.to_string().as_str())
}

/// Says whether the runtime requires of a module allow a base module's stream.
fn allows(module: &KnownModule, base: &KnownModule) -> bool {
    let streams = |pair: &Dependencies| pair.requires.get(base.nsvc.name.as_str()).cloned();
    let mut pairs = module.document.dependencies.iter();
    pairs.any(|pair| streams(pair).is_none_or(|streams| base.is_allowed_by(&streams)))
}

/// Writes the chosen modules into `xmd.mbs.buildrequires`; dependencies and contexts stay.
pub(super) fn record(document: &mut ModuleStream, defaults: &[KnownModule]) {
    if defaults.is_empty() {
        return;
    }
    let mut mbs = document.xmd.remove("mbs").unwrap_or_default();
    let mut entries = mbs.remove("buildrequires").unwrap_or_default();
    for module in defaults {
        let mut entry = Xmd::default();
        entry.set("stream", module.nsvc.stream.as_str().into());
        entry.set("version", module.nsvc.version.to_string().as_str().into());
        entry.set("context", module.nsvc.context.as_str().into());
        // Xmd knows no null: what is not there is left out.
        let commit = module.document.xmd.at(&["mbs", "commit"]).and_then(Xmd::text);
        if let Some(commit) = commit.filter(|commit| !commit.is_empty()) {
            entry.set("ref", commit.into());
        }
        if let Some(tag) = &module.tag {
            entry.set("koji_tag", tag.as_str().into());
        }
        entries.set(module.nsvc.name.as_str(), entry);
    }
    mbs.set("buildrequires", entries);
    document.xmd.set("mbs", mbs);
}
