//! Choosing one build per module, given the stream of each direct buildrequire.
//!
//! Direct buildrequires and, transitively, their runtime requires must hold, and no module name may occur with two builds.
//! With the streams fixed only contexts and alternatives of runtime requires are left open, so a depth-first search does.

use std::collections::{BTreeMap, BTreeSet};

use super::Refused;
use super::single_streams::{BaseFit, Universe, admits, ambiguous};
use crate::ident::{Name, NameStream, Stream};
use crate::modulemd::{Dependencies, Xmd};
use crate::resolver::KnownModule;
use crate::stream_version::{Padding, counts_as_xyz, stream_version};

/// So many choices are tried; each answer of real modules is found within a few hundred.
const MOST_CHOICES: usize = 20_000;

/// So many modules take part in one solution.
const MOST_MODULES: usize = 200;

/// What is to be solved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) universe: &'a Universe,
    pub(super) default_streams: &'a BTreeMap<Name, Stream>,
    pub(super) base_module_names: &'a [Name],
    /// The base module builds, in configuration order.
    pub(super) bases: &'a [KnownModule],
    /// The stream of each direct buildrequire, base modules included.
    pub(super) direct: &'a BTreeMap<Name, Stream>,
}

/// Whether all candidates are known.
#[derive(Debug)]
pub(super) enum Gathered {
    /// These must be looked up first, sorted.
    Unknown(Vec<NameStream>),
    /// All name:streams that could take part, base modules left out.
    All(BTreeSet<NameStream>),
}

/// The streams of a runtime require that may be taken.
#[derive(Debug, Clone)]
enum Accepted<'a> {
    /// One of these; nothing else is looked up.
    OneOf(BTreeSet<Stream>),
    /// Whatever takes part for another reason, as far as these written streams allow it.
    AnyPresent(&'a BTreeSet<String>),
}

impl Accepted<'_> {
    fn admits(&self, stream: &Stream) -> bool {
        match self {
            Accepted::OneOf(streams) => streams.contains(stream),
            Accepted::AnyPresent(written) => admits(written, stream),
        }
    }
}

/// Something that must hold of the solution.
#[derive(Debug, Clone)]
enum Goal<'a> {
    /// A module is there in an accepted stream.
    Module { name: Name, accepted: Accepted<'a>, wanted_by: String },
    /// One of the dependency pairs of a build holds.
    Runtime(&'a KnownModule),
}

type Chosen<'a> = BTreeMap<Name, &'a KnownModule>;

impl<'a> Problem<'a> {
    /// Finds all name:streams that could take part.
    ///
    /// # Errors
    /// One has no build, or a direct candidate leaves a stream open.
    pub(super) fn gather(&self) -> Result<Gathered, Refused> {
        let mut all = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        let mut queue: Vec<NameStream> = self.direct_modules();
        while let Some(module) = queue.pop() {
            if !all.insert(module.clone()) {
                continue;
            }
            match self.universe.builds(&module) {
                None => {
                    unknown.insert(module);
                }
                Some([]) => return Err(Refused::NoBuilds(module)),
                Some(builds) => {
                    for build in builds {
                        queue.extend(self.required_by(build)?);
                    }
                }
            }
        }
        let is_complete = unknown.is_empty();
        Ok(if is_complete { Gathered::All(all) } else { Gathered::Unknown(unknown.into_iter().collect()) })
    }

    fn direct_modules(&self) -> Vec<NameStream> {
        let named =
            |(name, stream): (&Name, &Stream)| NameStream { name: name.clone(), stream: stream.clone() };
        self.direct.iter().filter(|(name, _)| !self.is_base(name)).map(named).collect()
    }

    /// Returns what a candidate may bring in, from the pairs that fit the base.
    fn required_by(&self, build: &'a KnownModule) -> Result<Vec<NameStream>, Refused> {
        let mut required = Vec::new();
        for pair in self.fitting_pairs(build) {
            for (name, written) in self.modules_of(pair)? {
                if let Accepted::OneOf(streams) = self.accepted(&name, written, build)? {
                    let named = streams.into_iter().map(|stream| NameStream { name: name.clone(), stream });
                    required.extend(named);
                }
            }
        }
        Ok(required)
    }

    /// Returns the runtime requires of a pair that are no base modules.
    fn modules_of(&self, pair: &'a Dependencies) -> Result<Vec<(Name, &'a BTreeSet<String>)>, Refused> {
        let mut modules = Vec::new();
        for (module, written) in &pair.requires {
            let name = Name::new(module.as_str())?;
            if !self.is_base(&name) {
                modules.push((name, written));
            }
        }
        Ok(modules)
    }

    /// Decides which streams a runtime require accepts: the document's own choice beats a default, a default beats a list.
    fn accepted(
        &self,
        name: &Name,
        written: &'a BTreeSet<String>,
        by: &KnownModule,
    ) -> Result<Accepted<'a>, Refused> {
        let positive: Vec<&String> = written.iter().filter(|stream| !stream.starts_with('-')).collect();
        let answers = [self.direct.get(name), self.default_streams.get(name)];
        let answer = answers.into_iter().flatten().find(|stream| admits(written, stream));
        if let (Some(stream), true) = (answer, positive.len() != 1) {
            return Ok(Accepted::OneOf([stream.clone()].into()));
        }
        if positive.is_empty() {
            return Ok(Accepted::AnyPresent(written));
        }
        if positive.len() > 1 && self.is_direct(by) {
            return Err(ambiguous(name, written));
        }
        let streams = positive.into_iter().map(|stream| Stream::new(stream.as_str()));
        Ok(Accepted::OneOf(streams.collect::<Result<_, _>>()?))
    }

    fn is_base(&self, name: &Name) -> bool {
        self.base_module_names.contains(name)
    }

    fn is_direct(&self, build: &KnownModule) -> bool {
        self.direct.get(&build.nsvc.name) == Some(&build.nsvc.stream)
    }

    /// Returns the dependency pairs of a build that fit the base modules; of one that need not fit, all if none does.
    fn fitting_pairs(&self, build: &'a KnownModule) -> Vec<&'a Dependencies> {
        let pairs = &build.document.dependencies;
        let fitting: Vec<_> = pairs.iter().filter(|pair| self.fits_base(pair, build)).collect();
        let takes_all = fitting.is_empty() && self.universe.base_fit() == BaseFit::Any;
        if takes_all { pairs.iter().collect() } else { fitting }
    }

    /// Says whether what a pair requires of base modules holds: the stream itself, one it provides, or one that continues
    /// what the build was made against.
    fn fits_base(&self, pair: &Dependencies, build: &KnownModule) -> bool {
        let holds = |name: &Name| {
            let Some(written) = pair.requires.get(name.as_str()) else { return true };
            let base = self.bases.iter().find(|base| base.nsvc.name == *name);
            base.is_some_and(|base| {
                base.is_allowed_by(written) || !base.is_refused_by(written) && was_built_for(build, base)
            })
        };
        self.base_module_names.iter().all(holds)
    }

    /// Chooses one build per module, sorted by name, base modules included.
    ///
    /// # Errors
    /// `Conflict` names the first two that exclude each other; `TooManyChoices` if the search was given up.
    pub(super) fn solve(&self, candidates: &BTreeSet<NameStream>) -> Result<Vec<KnownModule>, Refused> {
        let chosen = self.bases.iter().map(|base| (base.nsvc.name.clone(), base)).collect();
        let mut goals: Vec<Goal<'_>> = Vec::new();
        for module in self.direct_modules().into_iter().rev() {
            let accepted = Accepted::OneOf([module.stream].into());
            goals.push(Goal::Module { name: module.name, accepted, wanted_by: "the module itself".into() });
        }
        let mut search = Search { problem: self, candidates, clash: None, choices: 0 };
        match search.complete(chosen, goals)? {
            Some(solution) => Ok(solution.into_values().cloned().collect()),
            None => {
                let (one, other) = search.clash.unwrap_or_default();
                Err(Refused::Conflict(one, other))
            }
        }
    }
}

/// Says whether a build was made against the stream of a base module or, where both count as x.y.z, an earlier one.
fn was_built_for(build: &KnownModule, base: &KnownModule) -> bool {
    let path = ["mbs", "buildrequires", base.nsvc.name.as_str(), "stream"];
    let Some(theirs) = build.document.xmd.at(&path).and_then(Xmd::spelling) else { return false };
    let ours = base.nsvc.stream.as_str();
    let number = |stream| stream_version(stream, Padding::Right, 0.0);
    theirs == ours || counts_as_xyz(theirs) && counts_as_xyz(ours) && number(theirs) <= number(ours)
}

struct Search<'p, 'a> {
    problem: &'p Problem<'a>,
    candidates: &'p BTreeSet<NameStream>,
    /// The first two that excluded each other.
    clash: Option<(String, String)>,
    choices: usize,
}

impl<'a> Search<'_, 'a> {
    /// Reaches all goals, the last first; `None` if they cannot all hold.
    fn complete(
        &mut self,
        chosen: Chosen<'a>,
        mut goals: Vec<Goal<'a>>,
    ) -> Result<Option<Chosen<'a>>, Refused> {
        while let Some(goal) = goals.pop() {
            let (name, accepted, wanted_by) = match goal {
                Goal::Module { name, accepted, wanted_by } => (name, accepted, wanted_by),
                Goal::Runtime(build) => return self.satisfy_one_pair(&chosen, &goals, build),
            };
            match chosen.get(&name) {
                Some(present) if accepted.admits(&present.nsvc.stream) => {}
                Some(present) => {
                    let other = self.options(&name, &accepted).first().map(|option| option.nsvc.to_string());
                    self.note_clash(present.nsvc.to_string(), other.unwrap_or(wanted_by));
                    return Ok(None);
                }
                None => return self.choose(&chosen, &goals, (&name, &accepted, wanted_by)),
            }
        }
        Ok(Some(chosen))
    }

    fn choose(
        &mut self,
        chosen: &Chosen<'a>,
        goals: &[Goal<'a>],
        (name, accepted, wanted_by): (&Name, &Accepted<'a>, String),
    ) -> Result<Option<Chosen<'a>>, Refused> {
        let options = self.options(name, accepted);
        if options.is_empty() {
            self.note_clash(wanted_by, format!("{name}, of which no usable stream takes part"));
        }
        for option in options {
            self.choices += 1;
            if self.choices > MOST_CHOICES || chosen.len() >= MOST_MODULES {
                return Err(Refused::TooManyChoices(name.to_string()));
            }
            let mut chosen = chosen.clone();
            chosen.insert(name.clone(), option);
            let mut goals = goals.to_vec();
            goals.push(Goal::Runtime(option));
            if let Some(solution) = self.complete(chosen, goals)? {
                return Ok(Some(solution));
            }
        }
        Ok(None)
    }

    fn satisfy_one_pair(
        &mut self,
        chosen: &Chosen<'a>,
        goals: &[Goal<'a>],
        build: &'a KnownModule,
    ) -> Result<Option<Chosen<'a>>, Refused> {
        let pairs = &build.document.dependencies;
        if pairs.is_empty() {
            return self.complete(chosen.clone(), goals.to_vec());
        }
        let fitting = self.problem.fitting_pairs(build);
        if fitting.is_empty() {
            self.note_clash(build.nsvc.to_string(), self.problem.bases[0].nsvc.to_string());
        }
        for pair in fitting {
            let mut goals = goals.to_vec();
            for (name, written) in self.problem.modules_of(pair)?.into_iter().rev() {
                let accepted = self.problem.accepted(&name, written, build)?;
                goals.push(Goal::Module { name, accepted, wanted_by: build.nsvc.to_string() });
            }
            if let Some(solution) = self.complete(chosen.clone(), goals)? {
                return Ok(Some(solution));
            }
        }
        Ok(None)
    }

    /// Returns the builds that would do: streams by text, within a stream newest first, then by context.
    fn options(&self, name: &Name, accepted: &Accepted<'a>) -> Vec<&'a KnownModule> {
        let mut options = Vec::new();
        for module in self.candidates.iter().filter(|m| m.name == *name && accepted.admits(&m.stream)) {
            let mut builds: Vec<_> =
                self.problem.universe.builds(module).unwrap_or_default().iter().collect();
            builds.sort_by(|a, b| {
                b.nsvc.version.cmp(&a.nsvc.version).then_with(|| a.nsvc.context.cmp(&b.nsvc.context))
            });
            options.extend(builds);
        }
        options
    }

    fn note_clash(&mut self, one: String, other: String) {
        self.clash.get_or_insert((one, other));
    }
}
