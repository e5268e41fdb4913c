//! From documents to builds in the store: modules looked up, identity, version, and what becomes of earlier builds.
//!
//! The rules are those of [`mbs_core::submission`]; here they are asked in order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mbs_core::context::Contexts;
use mbs_core::engine::{ExpandError, expand};
use mbs_core::expansion::{BaseFit, Choices, Expanded, Expansion, Universe, Unresolved};
use mbs_core::ident::{BuildId, Name, NameStream, Package, Stream, Version};
use mbs_core::model::{ModuleBuild, NewBuild, RebuildStrategy};
use mbs_core::modulemd::ModuleStream;
use mbs_core::policy::Policy;
use mbs_core::resolver::ModuleResolver;
use mbs_core::store::{Create, Filter, MOST_LISTED, Order, Page, Store};
use mbs_core::stream_version::prefixed_version;
use mbs_core::submission::{Computed, Request, Rules, assemble, resume, version_of};
use tracing::warn;

use super::cancel::cancel;
use super::course::{Earlier, Mode, Next, course};
use super::origin::{GivenSrpm, Origin};
use crate::exit::Stop;

/// A request, all of it read and checked.
#[derive(Debug)]
pub struct Submission<'a> {
    /// What is built, one document per context; at least one.
    pub documents: Vec<ModuleStream>,
    /// What it was made from.
    pub origin: Origin,
    /// What was asked about earlier builds.
    pub mode: Mode,
    /// Source RPMs by package.
    pub srpms: BTreeMap<Package, GivenSrpm>,
    /// The streams that count where a document leaves a choice.
    pub default_streams: BTreeMap<Name, Stream>,
    /// The base module that stands for this machine.
    pub base: NameStream,
    /// Who builds.
    pub user: String,
    /// The rules.
    pub policy: &'a Policy,
}

/// The builds of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// The builds, as they are at the start; at least one.
    pub builds: Vec<ModuleBuild>,
    /// Builds of other requests that were cancelled for this one.
    pub cancelled: Vec<ModuleBuild>,
    /// Whether they were begun by an earlier run.
    pub is_taken_up: bool,
}

impl Submission<'_> {
    /// Takes up the builds that are meant, or records new ones; what is not meant is cancelled.
    ///
    /// # Errors
    /// `Usage`: the dependencies do not work out, or there is nothing to resume. `Machine`: the record cannot be kept.
    pub async fn submit(&self, store: &dyn Store, modules: &dyn ModuleResolver) -> Result<Submitted, Stop> {
        let module = self.module()?;
        let course = course(&earlier(store).await?, &module, &self.origin, self.mode)?;
        let new = match course.next {
            Next::Begin => self.new_builds(store, modules).await?,
            Next::GoOn(_) | Next::Resume(_) => Vec::new(),
        };
        for build in &course.cancelled {
            cancel(store, build.id, &self.user).await?;
        }
        let (builds, is_taken_up) = match course.next {
            Next::GoOn(builds) => (builds, true),
            Next::Resume(failed) => (self.resume(store, failed).await?, true),
            Next::Begin => {
                let create = Create { new, by: self.user.clone(), ..Create::default() };
                (store.create(create).await?.builds, false)
            }
        };
        Ok(Submitted { builds, cancelled: course.cancelled, is_taken_up })
    }

    fn module(&self) -> Result<NameStream, Stop> {
        let first = self.documents.first().ok_or_else(|| Stop::Usage("there is no document".to_owned()))?;
        let name = Name::new(first.name.as_deref().unwrap_or_default())?;
        let stream = Stream::new(first.stream.as_deref().unwrap_or_default())?;
        Ok(NameStream { name, stream })
    }

    async fn resume(&self, store: &dyn Store, failed: Vec<ModuleBuild>) -> Result<Vec<ModuleBuild>, Stop> {
        let now = store.now().await?;
        let mut resumed = Vec::new();
        for build in failed {
            let loaded = store.load(build.id).await?;
            let mut build = resume(&loaded.build, &self.user, None, now)?;
            build.new.origin = Some(self.origin.as_str().to_owned());
            resumed.push((build, loaded.revision));
        }
        let create = Create { resumed, by: self.user.clone(), ..Create::default() };
        Ok(store.create(create).await?.builds)
    }

    async fn new_builds(
        &self,
        store: &dyn Store,
        modules: &dyn ModuleResolver,
    ) -> Result<Vec<NewBuild>, Stop> {
        let mut expanded = Vec::new();
        for document in &self.documents {
            expanded.push(self.expand(document, modules).await?);
        }
        let mut version = written_version(&self.documents);
        let now = version_of(store.now().await?);
        loop {
            let new = expanded.iter().map(|one| self.assemble(one.clone(), version));
            let new = new.collect::<Result<Vec<_>, Stop>>()?;
            let nsvcs: Vec<_> = new.iter().map(|one| one.nsvc.clone()).collect();
            if store.find(&nsvcs).await?.is_empty() {
                warn_of_overflow(&expanded, version);
                return Ok(new);
            }
            version = next_version(version, now);
        }
    }

    async fn expand(&self, document: &ModuleStream, modules: &dyn ModuleResolver) -> Result<Expanded, Stop> {
        let asked = Expansion {
            document,
            default_streams: &self.default_streams,
            choices: Choices::Closed,
            base_fit: BaseFit::Any,
            policy: self.policy,
        };
        let expansions = expand(&asked, modules, None, &mut Universe::default()).await;
        let mut expanded = match expansions {
            Ok(expansions) => expansions.expanded,
            Err(ExpandError::Unresolved(why)) => return Err(self.with_hint(&why)),
            Err(ExpandError::Resolver(error)) => return Err(error.into()),
            Err(ExpandError::Store(error)) => return Err(error.into()),
        };
        expanded.pop().ok_or_else(|| Stop::Usage("the dependencies of the module cannot be met".to_owned()))
    }

    /// Adds what would help here to why a document was refused.
    fn with_hint(&self, unresolved: &Unresolved) -> Stop {
        let stands_for = |wanted: &str| {
            format!(
                "\nThis machine stands for {}; say --platform {wanted} to let it stand for that.",
                self.base
            )
        };
        let hint = match unresolved {
            Unresolved::NoBuilds(module) if self.policy.is_base(&module.name) => {
                stands_for(&module.to_string())
            }
            Unresolved::AmbiguousStream { module, .. } if self.is_base(module) => {
                stands_for(&format!("{module}:STREAM"))
            }
            Unresolved::NoBuilds(module) => {
                format!("\nIf it was built here before, say -l {module} to use that.")
            }
            Unresolved::AmbiguousStream { module, .. } => {
                format!(
                    "\nA stream that was built here before is taken with -l {module} or -l {module}:STREAM."
                )
            }
            Unresolved::NoBaseModule { missing, .. } if !missing.is_empty() => {
                stands_for(&missing[0].to_string())
            }
            Unresolved::NoBaseModule { names, .. } => {
                format!("\nThe document must buildrequire it: {}: []", names.join(" or "))
            }
            _ => String::new(),
        };
        Stop::Usage(format!("{unresolved}{hint}"))
    }

    fn is_base(&self, module: &str) -> bool {
        self.policy.base_module_names.iter().any(|base| base.as_str() == module)
    }

    fn assemble(&self, expanded: Expanded, version: Version) -> Result<NewBuild, Stop> {
        let contexts = Contexts::of(&expanded.streams(), &expanded.document.dependencies, self.policy);
        let prefixed = expanded.base_modules.first().map(|base| prefixed_version(version, &base.stream));
        let computed = Computed {
            context: contexts.short(),
            contexts,
            version: prefixed.map_or(version, |prefixed| prefixed.version),
            earlier_scratch: 0,
        };
        let new = assemble(expanded, &self.request(), computed, &Rules::default())?;
        Ok(NewBuild { origin: Some(self.origin.as_str().to_owned()), ..new })
    }

    fn request(&self) -> Request {
        Request {
            owner: self.user.clone(),
            priority: 0,
            scratch: false,
            scmurl: None,
            commit: None,
            strategy: match self.mode {
                Mode::Fresh => RebuildStrategy::All,
                Mode::Usual | Mode::Resume => RebuildStrategy::default(),
            },
            reuse_from: None,
            srpms: self.srpms.iter().map(|(package, srpm)| (package.clone(), srpm.path.clone())).collect(),
            given_srpms: Vec::new(),
            notes_static_contexts_only: false,
        }
    }
}

/// Returns every build of the directory with what it was made from.
async fn earlier(store: &dyn Store) -> Result<Vec<Earlier>, Stop> {
    let (mut earlier, mut page) = (Vec::new(), Page::first(MOST_LISTED));
    loop {
        let listed = store.list(&Filter::default(), &Order::default(), page).await?;
        let Some(last) = listed.last() else { return Ok(earlier) };
        page.before = Some(last.id);
        for id in listed.iter().map(|one| one.id) {
            let build = store.load(id).await?.build;
            earlier.push(Earlier { origin: build.new.origin.clone(), build });
        }
    }
}

fn written_version(documents: &[ModuleStream]) -> Version {
    Version(documents.iter().filter_map(|document| document.version).max().unwrap_or_default())
}

/// Returns the version to try after one that is taken: the time, then what follows it.
fn next_version(taken: Version, now: Version) -> Version {
    if taken < now { now } else { Version(taken.0.saturating_add(1)) }
}

fn warn_of_overflow(expanded: &[Expanded], version: Version) {
    for base in expanded.iter().filter_map(|one| one.base_modules.first()) {
        if prefixed_version(version, &base.stream).overflowed {
            warn!("the version {version} gets no prefix for {}: the number would be too large", base.stream);
        }
    }
}

/// Returns who builds, as the environment says.
pub fn user() -> String {
    let named = ["USER", "LOGNAME"].iter().find_map(|key| std::env::var(key).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "local".to_owned())
}

/// Returns the moment at which a run begins.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Returns the ids of builds.
pub fn ids(builds: &[ModuleBuild]) -> Vec<BuildId> {
    builds.iter().map(|build| build.id).collect()
}

#[cfg(test)]
mod tests {
    use super::super::settings::policy;
    use super::*;

    fn hinted(base: &str, unresolved: &Unresolved) -> String {
        let base: NameStream = base.parse().unwrap();
        let submission = Submission {
            documents: Vec::new(),
            origin: Origin::from_text(""),
            mode: Mode::Usual,
            srpms: BTreeMap::new(),
            default_streams: BTreeMap::new(),
            base: base.clone(),
            user: "anna".into(),
            policy: &policy(&base),
        };
        let stop = submission.with_hint(unresolved);
        assert!(matches!(stop, Stop::Usage(_)), "{stop}");
        stop.to_string().lines().last().unwrap_or_default().to_owned()
    }

    fn ambiguous(module: &str) -> Unresolved {
        Unresolved::AmbiguousStream { module: module.into(), streams: Vec::new() }
    }

    #[test]
    fn a_base_module_is_chosen_by_what_this_machine_stands_for() {
        let hint = |wanted: &str| {
            format!("This machine stands for foo:bar; say --platform {wanted} to let it stand for that.")
        };
        assert_eq!(hinted("foo:bar", &ambiguous("platform")), hint("platform:STREAM"));
        let none = Unresolved::NoBuilds("platform:f40".parse().unwrap());
        assert_eq!(hinted("foo:bar", &none), hint("platform:f40"));
        let names = vec!["platform".to_owned()];
        let missing = Unresolved::NoBaseModule { names, missing: vec!["platform:f41".parse().unwrap()] };
        assert_eq!(hinted("foo:bar", &missing), hint("platform:f41"));
    }

    #[test]
    fn another_module_is_taken_from_what_was_built_here() {
        assert!(hinted("platform:f40", &ambiguous("gtk")).ends_with("-l gtk or -l gtk:STREAM."));
        let none = Unresolved::NoBuilds("gtk:4".parse().unwrap());
        assert!(hinted("platform:f40", &none).ends_with("say -l gtk:4 to use that."));
    }
}
