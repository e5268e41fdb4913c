//! The builds that may be chosen, in the order in which they are preferred, and which of them a requirement accepts.
//!
//! What is preferred: of a module the stream that comes first by text, of a stream the highest version, of a version the
//! context that comes first by text; but of what the document buildrequires itself, before the context, what was built for the
//! newest base stream. Which of the builds go together is decided in [`super::solve`].

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::BaseFit;
use crate::ident::Name;
use crate::modulemd::Dependencies;
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::stream_version::counts_as_xyz;

/// The place of a build in a pool.
pub(super) type Place = usize;

/// Builds in the order in which they are preferred, by name; no identity twice.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    policy: &'a Policy,
    base_fit: BaseFit,
    builds: Vec<Candidate>,
    of_name: BTreeMap<Name, Range<Place>>,
    /// The runtime requirements met so far: most builds have the same ones.
    known: RefCell<BTreeMap<Asked, Rc<Requirement>>>,
}

/// What decides which builds meet a runtime requirement: name, streams as written, and for base modules the stream that the
/// build was made against.
type Asked = (String, BTreeSet<String>, Option<String>);

#[derive(Debug)]
struct Candidate {
    module: KnownModule,
    /// How many higher versions of its name:stream there are.
    rank: u32,
}

/// What is required of one module, and the builds that would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) name: String,
    /// The streams as written.
    pub(super) written: BTreeSet<String>,
    /// The builds, the preferred first.
    pub(super) options: Vec<Place>,
}

impl<'a> Pool<'a> {
    /// Puts builds in order.
    pub(super) fn new(
        modules: impl IntoIterator<Item = KnownModule>,
        base_fit: BaseFit,
        policy: &'a Policy,
    ) -> Self {
        let mut modules: Vec<KnownModule> = modules.into_iter().collect();
        modules.sort_by_cached_key(preference);
        modules.dedup_by(|a, b| a.nsvc == b.nsvc);
        let mut builds: Vec<Candidate> = Vec::with_capacity(modules.len());
        let mut of_name: BTreeMap<Name, Range<Place>> = BTreeMap::new();
        for (place, module) in modules.into_iter().enumerate() {
            let rank = builds.last().map_or(0, |before: &Candidate| before.rank_behind(&module));
            let range = of_name.entry(module.nsvc.name.clone()).or_insert(place..place);
            range.end = place + 1;
            builds.push(Candidate { module, rank });
        }
        Self { policy, base_fit, builds, of_name, known: RefCell::default() }
    }

    pub(super) fn module(&self, place: Place) -> &KnownModule {
        &self.builds[place].module
    }

    pub(super) fn rank(&self, place: Place) -> u32 {
        self.builds[place].rank
    }

    pub(super) fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// Returns the builds of a module.
    fn places(&self, name: &str) -> Range<Place> {
        self.of_name.get(name).cloned().unwrap_or_default()
    }

    /// Returns what the submitted document requires of a module. A stream of a base module that counts as x.y.z is meant
    /// exactly.
    pub(super) fn buildrequire(&self, name: &str, written: &BTreeSet<String>) -> Requirement {
        let is_base = self.policy.base_module_names.iter().any(|base| base.as_str() == name);
        let fits = |place: &Place| {
            let module = self.module(*place);
            let is_meant = |stream: &str| {
                !is_base || !counts_as_xyz(stream) || self.policy.stream_number(stream) == self.number(module)
            };
            fits(module, written, is_meant)
        };
        let mut options: Vec<Place> = self.places(name).filter(fits).collect();
        options.sort_by_key(|place| {
            let module = self.module(*place);
            (module.nsvc.stream.clone(), self.rank(*place), Reverse(self.built_for(module)))
        });
        Requirement { name: name.to_owned(), written: written.clone(), options }
    }

    /// Returns the number of the base stream that a build was built for, as bits that are ordered like it.
    fn built_for(&self, build: &KnownModule) -> u64 {
        let base = self.policy.base_module_names.iter().find_map(|name| build.built_with(name));
        base.map_or(0, |stream| self.policy.stream_number(stream).max(0.0).to_bits())
    }

    /// Returns what a build requires at run time: per dependency pair what must be there together; without pairs nothing.
    pub(super) fn requires(&self, by: Place) -> Vec<Vec<Rc<Requirement>>> {
        let build = self.module(by);
        let pairs = &build.document.dependencies;
        let of_pair = |pair: &Dependencies| -> Vec<Rc<Requirement>> {
            pair.requires.iter().map(|(name, written)| self.require(build, name, written)).collect()
        };
        let mut required: Vec<_> = pairs.iter().map(of_pair).collect();
        let holds = |one: &Rc<Requirement>| !self.is_base(&one.name) || !one.options.is_empty();
        if self.base_fit == BaseFit::Any && !required.iter().any(|pair| pair.iter().all(holds)) {
            required.iter_mut().for_each(|pair| pair.retain(|one| !self.is_base(&one.name)));
        }
        required
    }

    /// Says whether what a dependency pair of a build requires of base modules can hold.
    pub(super) fn fits_base(&self, by: &KnownModule, pair: &Dependencies) -> bool {
        let on_base = pair.requires.iter().filter(|(name, _)| self.is_base(name));
        on_base.map(|(name, written)| self.require(by, name, written)).all(|one| !one.options.is_empty())
    }

    fn require(&self, by: &KnownModule, name: &str, written: &BTreeSet<String>) -> Rc<Requirement> {
        let base = Name::new(name).ok().filter(|_| self.is_base(name));
        let built_with = base.and_then(|base| by.built_with(&base));
        let asked = (name.to_owned(), written.clone(), built_with.map(str::to_owned));
        if let Some(known) = self.known.borrow().get(&asked) {
            return Rc::clone(known);
        }
        let fits = |place: &Place| {
            let module = self.module(*place);
            // What was built against a stream of the form x.y.z runs on that and on what follows it.
            let is_meant = |stream: &str| {
                let since = built_with.unwrap_or(stream);
                !self.is_base(name)
                    || !counts_as_xyz(since)
                    || self.number(module) >= self.policy.stream_number(since)
            };
            fits(module, written, is_meant)
        };
        let options = self.places(name).filter(fits).collect();
        let required = Rc::new(Requirement { name: name.to_owned(), written: written.clone(), options });
        self.known.borrow_mut().insert(asked, Rc::clone(&required));
        required
    }

    /// Says whether a requirement that nothing meets would be met by a base module that were new enough.
    pub(super) fn has_older(&self, one: &Requirement) -> bool {
        self.is_base(&one.name)
            && self.places(&one.name).any(|place| fits(self.module(place), &one.written, |_| true))
    }

    fn is_base(&self, name: &str) -> bool {
        self.policy.base_module_names.iter().any(|base| base.as_str() == name)
    }

    fn number(&self, base: &KnownModule) -> f64 {
        self.policy.stream_number(base.nsvc.stream.as_str())
    }
}

/// Says whether streams as written accept a build: none that is negated, and of the positive ones, if there are any, one that
/// it provides and that is meant.
fn fits(module: &KnownModule, written: &BTreeSet<String>, is_meant: impl Fn(&str) -> bool) -> bool {
    let mut positive = written.iter().filter(|stream| !stream.starts_with('-')).peekable();
    if positive.peek().is_none() {
        return !module.is_refused_by(written);
    }
    let provided = module.provided();
    positive.any(|stream| provided.contains(&stream.as_str()) && is_meant(stream))
        && !module.is_refused_by(written)
}

fn preference(module: &KnownModule) -> impl Ord + use<> {
    let nsvc = module.nsvc.clone();
    (nsvc.name, nsvc.stream, Reverse(nsvc.version), nsvc.context)
}

impl Candidate {
    /// Returns the rank of the next in order.
    fn rank_behind(&self, next: &KnownModule) -> u32 {
        let (ours, theirs) = (&self.module.nsvc, &next.nsvc);
        match ours.name == theirs.name && ours.stream == theirs.stream {
            false => 0,
            true => self.rank + u32::from(ours.version != theirs.version),
        }
    }
}
