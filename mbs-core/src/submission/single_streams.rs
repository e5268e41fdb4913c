//! The one combination that a document means when every stream is named: by itself, by the user, or by a default.
//!
//! What local builds need: nothing is guessed, and a document that leaves a choice is refused, naming what to choose. Which
//! builds exist is not asked here: [`single_streams`] says what it needs to know, and is called again when that was learned.
//! Source: behaviour, sections 4 and 14.

use std::collections::{BTreeMap, BTreeSet};

use super::overrides::set_in_mbs;
use super::solve::{Gathered, Problem};
use super::{Expanded, Refused};
use crate::ident::{Name, NameStream, Nsvc, Stream};
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::resolver::KnownModule;

/// What to resolve.
#[derive(Debug, Clone, Copy)]
pub struct SingleStreams<'a> {
    /// The document, overrides applied.
    pub document: &'a ModuleStream,
    /// The streams that answer where the document leaves a choice; that of a base module also picks the dependency pair.
    pub default_streams: &'a BTreeMap<Name, Stream>,
    /// Base modules, in configuration order.
    pub base_module_names: &'a [Name],
}

/// What is known about modules so far.
#[derive(Debug, Clone, Default)]
pub struct Universe {
    known: BTreeMap<NameStream, Vec<KnownModule>>,
    base_fit: BaseFit,
}

/// Whether builds must fit the base module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BaseFit {
    /// Their runtime requires on base modules hold.
    #[default]
    Required,
    /// They need not: somebody named these very builds, results of this machine, for use on whatever base.
    Any,
}

/// The next step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The latest builds of these must be looked up, then added with [`Universe::learn`].
    Need {
        /// What to look up, sorted.
        modules: Vec<NameStream>,
        /// Only builds against one of these base modules; `None`: any. A resolver of local results may ignore it.
        base: Option<Vec<Nsvc>>,
    },
    /// The one combination.
    Done(Box<Expanded>),
}

impl Universe {
    /// Knows nothing yet; builds will fit the base module so.
    pub fn with(base_fit: BaseFit) -> Self {
        Self { base_fit, ..Self::default() }
    }

    pub(super) fn base_fit(&self) -> BaseFit {
        self.base_fit
    }

    /// Adds what a resolver answered; what was asked and is not in the answer has no build. Retired builds do not count.
    pub fn learn(&mut self, asked: &[NameStream], mut answer: BTreeMap<NameStream, Vec<KnownModule>>) {
        for module in asked {
            let mut builds = answer.remove(module).unwrap_or_default();
            builds.retain(|build| build.is_ready);
            self.known.insert(module.clone(), builds);
        }
    }

    /// Returns the builds of a name:stream in the resolver's order; `None` if nobody asked yet.
    pub(super) fn builds(&self, module: &NameStream) -> Option<&[KnownModule]> {
        self.known.get(module).map(Vec::as_slice)
    }

    fn unknown<'a>(&self, modules: impl Iterator<Item = &'a NameStream>) -> Vec<NameStream> {
        modules.filter(|module| !self.known.contains_key(*module)).cloned().collect()
    }
}

/// Resolves a document of which every stream is named.
///
/// Of several dependency pairs those drop out that exclude a default stream, base modules first; those that come to the same
/// streams count once. In the answer the pair is the last, with the chosen streams; the others stay as written.
///
/// # Errors
/// A stream, or the pair, is left open; no base module is there; a required module has no build; required builds exclude
/// each other.
pub fn single_streams(asked: SingleStreams<'_>, universe: &Universe) -> Result<Step, Refused> {
    let choice = asked.choose_pair()?;
    let bases = asked.bases_of(&choice)?;
    let unknown = universe.unknown(bases.iter());
    if !unknown.is_empty() {
        return Ok(Step::Need { modules: unknown, base: None });
    }
    let base_builds = asked.base_builds(&bases, universe)?;
    let problem = Problem {
        universe,
        default_streams: asked.default_streams,
        base_module_names: asked.base_module_names,
        bases: &base_builds,
        direct: &choice.buildrequires,
    };
    match problem.gather()? {
        Gathered::Unknown(modules) => {
            Ok(Step::Need { modules, base: Some(vec![base_builds[0].nsvc.clone()]) })
        }
        Gathered::All(candidates) => {
            let solution = problem.solve(&candidates)?;
            let document = expanded_document(asked.document, &choice, &solution);
            let base_modules = base_builds.iter().map(|base| base.nsvc.clone()).collect();
            Ok(Step::Done(Box::new(Expanded { document, buildrequires: solution, base_modules })))
        }
    }
}

/// One dependency pair with a stream per module.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    index: usize,
    buildrequires: BTreeMap<Name, Stream>,
    requires: BTreeMap<Name, Stream>,
}

impl SingleStreams<'_> {
    fn choose_pair(&self) -> Result<Choice, Refused> {
        let mut choices: Vec<Choice> = Vec::new();
        for index in self.pairs_that_fit()? {
            let pair = &self.document.dependencies[index];
            let choice = Choice {
                index,
                buildrequires: self.choose_streams(&pair.buildrequires)?,
                requires: self.choose_streams(&pair.requires)?,
            };
            let is_same =
                |c: &Choice| c.buildrequires == choice.buildrequires && c.requires == choice.requires;
            if !choices.iter().any(is_same) {
                choices.push(choice);
            }
        }
        if choices.len() > 1 {
            return Err(Refused::AmbiguousPairs(choices.iter().map(Choice::to_text).collect()));
        }
        choices.pop().ok_or_else(|| self.no_base(&[]))
    }

    /// Returns the places of the pairs that no default stream excludes.
    fn pairs_that_fit(&self) -> Result<Vec<usize>, Refused> {
        let pairs = &self.document.dependencies;
        let mut fitting: Vec<usize> = (0..pairs.len()).collect();
        let is_base = |name: &Name| self.base_module_names.contains(name);
        let (bases, others): (Vec<_>, Vec<_>) =
            self.default_streams.iter().partition(|(name, _)| is_base(name));
        for (name, stream) in bases.into_iter().chain(others) {
            if fitting.len() < 2 {
                break;
            }
            let admits = |index: &usize| {
                pairs[*index].buildrequires.get(name.as_str()).is_none_or(|s| admits(s, stream))
            };
            let left: Vec<usize> = fitting.iter().copied().filter(admits).collect();
            if !left.is_empty() {
                fitting = left;
            } else if is_base(name) {
                return Err(chosen_stream(name, stream, &streams_in(pairs, name)));
            }
        }
        Ok(fitting)
    }

    fn choose_streams(
        &self,
        section: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<BTreeMap<Name, Stream>, Refused> {
        let choose = |(module, streams): (&String, &BTreeSet<String>)| {
            let name = Name::new(module.as_str())?;
            let stream = self.choose_stream(&name, streams)?;
            Ok((name, stream))
        };
        section.iter().map(choose).collect()
    }

    fn choose_stream(&self, name: &Name, streams: &BTreeSet<String>) -> Result<Stream, Refused> {
        let mut positive = streams.iter().filter(|stream| !stream.starts_with('-'));
        if let (Some(only), None) = (positive.next(), positive.next()) {
            return Ok(Stream::new(only.as_str())?);
        }
        match self.default_streams.get(name) {
            Some(default) if admits(streams, default) => Ok(default.clone()),
            Some(default) => Err(chosen_stream(name, default, streams)),
            None => Err(ambiguous(name, streams)),
        }
    }

    /// Returns the base modules that a pair buildrequires, in configuration order; at least one.
    fn bases_of(&self, choice: &Choice) -> Result<Vec<NameStream>, Refused> {
        let of_name = |name: &Name| {
            let stream = choice.buildrequires.get(name)?.clone();
            Some(NameStream { name: name.clone(), stream })
        };
        let bases: Vec<_> = self.base_module_names.iter().filter_map(of_name).collect();
        if bases.is_empty() { Err(self.no_base(&[])) } else { Ok(bases) }
    }

    fn base_builds(&self, bases: &[NameStream], universe: &Universe) -> Result<Vec<KnownModule>, Refused> {
        let build = |base: &NameStream| universe.builds(base).and_then(<[_]>::first).cloned();
        let missing: Vec<NameStream> = bases.iter().filter(|base| build(base).is_none()).cloned().collect();
        if missing.is_empty() {
            Ok(bases.iter().filter_map(build).collect())
        } else {
            Err(self.no_base(&missing))
        }
    }

    fn no_base(&self, missing: &[NameStream]) -> Refused {
        let names = self.base_module_names.iter().map(ToString::to_string).collect();
        Refused::NoBaseModule { names, missing: missing.to_vec() }
    }
}

impl Choice {
    fn to_text(&self) -> String {
        let modules = self.buildrequires.iter().map(|(name, stream)| format!("{name}:{stream}"));
        modules.collect::<Vec<_>>().join(" ")
    }
}

/// Says whether streams as written allow one: a positive one means exactly the positive ones, else all but the negated.
pub(super) fn admits(streams: &BTreeSet<String>, stream: &Stream) -> bool {
    let is_exact = streams.iter().any(|written| !written.starts_with('-'));
    if is_exact { streams.contains(stream.as_str()) } else { !streams.contains(&format!("-{stream}")) }
}

pub(super) fn ambiguous(name: &Name, streams: &BTreeSet<String>) -> Refused {
    Refused::AmbiguousStream { module: name.to_string(), streams: streams.iter().cloned().collect() }
}

fn chosen_stream(name: &Name, chosen: &Stream, allowed: &BTreeSet<String>) -> Refused {
    Refused::ChosenStream {
        module: name.to_string(),
        chosen: chosen.to_string(),
        allowed: allowed.iter().cloned().collect(),
    }
}

fn streams_in(pairs: &[Dependencies], name: &Name) -> BTreeSet<String> {
    pairs.iter().filter_map(|pair| pair.buildrequires.get(name.as_str())).flatten().cloned().collect()
}

fn expanded_document(written: &ModuleStream, choice: &Choice, solution: &[KnownModule]) -> ModuleStream {
    let mut document = written.clone();
    let pair = document.dependencies.remove(choice.index);
    document.dependencies.push(expanded_pair(&pair, choice));
    let entries = solution.iter().map(|module| (module.nsvc.name.to_string(), buildrequire_entry(module)));
    let buildrequires = Xmd::Map(entries.collect());
    set_in_mbs(&mut document, [("buildrequires", buildrequires), ("mse", Xmd::Bool(true))]);
    document
}

/// A module that both sections name with the same streams is required at run time in the stream it is built with.
fn expanded_pair(written: &Dependencies, choice: &Choice) -> Dependencies {
    let one = |stream: &Stream| BTreeSet::from([stream.to_string()]);
    let buildrequires: BTreeMap<_, _> =
        choice.buildrequires.iter().map(|(name, stream)| (name.to_string(), one(stream))).collect();
    let require = |(module, streams): (&String, &BTreeSet<String>)| {
        let is_same = written.buildrequires.get(module) == Some(streams);
        let chosen = buildrequires.get(module).filter(|_| is_same);
        (module.clone(), chosen.unwrap_or(streams).clone())
    };
    let requires = written.requires.iter().map(require).collect();
    Dependencies { buildrequires, requires }
}

/// A build without commit or tag has no `ref` or `koji_tag` here, where REST shows null: `xmd` knows no null.
fn buildrequire_entry(module: &KnownModule) -> Xmd {
    let commit = module.document.xmd.at(&["mbs", "commit"]).and_then(Xmd::text);
    let entries = [
        ("stream", Some(module.nsvc.stream.to_string())),
        ("version", Some(module.nsvc.version.to_string())),
        ("context", Some(module.nsvc.context.to_string())),
        ("ref", commit.filter(|commit| !commit.is_empty()).map(str::to_owned)),
        ("koji_tag", module.tag.as_ref().map(ToString::to_string)),
    ];
    let known =
        entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Xmd::from(value?.as_str()))));
    Xmd::Map(known.collect())
}

#[cfg(test)]
mod tests;
