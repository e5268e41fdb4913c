//! Which builds may take part: the base modules, what was built against them, and what that requires at run time. Or what must
//! be known first to say so. Source: behaviour, section 4, steps 2 and 3.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::pool::Pool;
use super::streams::{Pair, admits, ambiguous, positive};
use super::{BaseFit, Choices, Expansion, Questions, Universe, Unresolved};
use crate::ident::{InvalidIdent, Name, NameStream, Nsvc, Stream, Version};
use crate::modulemd::Dependencies;
use crate::policy::major;
use crate::resolver::{Against, KnownModule};
use crate::stream_version::counts_as_xyz;

/// Everything that may take part in the answers to a document.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Base modules and candidates.
    pub(super) modules: Vec<KnownModule>,
    /// Buildrequired base streams that do not exist, sorted.
    pub(super) missing_bases: Vec<NameStream>,
}

impl Gathered {
    /// Returns what takes part, sorted.
    pub(super) fn considered(&self) -> Vec<Nsvc> {
        let all: BTreeSet<&Nsvc> = self.modules.iter().map(|module| &module.nsvc).collect();
        all.into_iter().cloned().collect()
    }
}

/// Returns what to ask when streams are not known yet: these, and whatever else is clear already.
pub(super) fn first_questions(asked: &Expansion<'_>, streams: BTreeSet<Name>, known: &Universe) -> Questions {
    let mut questions = Questions { streams, ..Questions::default() };
    for pair in &asked.document.dependencies {
        for name in asked.policy.base_module_names.iter() {
            let written = pair.buildrequires.get(name.as_str()).map(positive).unwrap_or_default();
            let named = written.iter().filter_map(|stream| Stream::new(stream.as_str()).ok());
            let named = named.map(|stream| NameStream { name: name.clone(), stream });
            let unknown = named.filter(|base| known.latest(base, &Against::Anything).is_none());
            questions.latest.entry(Against::Anything).or_default().extend(unknown);
        }
    }
    questions.latest.retain(|_, modules| !modules.is_empty());
    questions
}

/// Gathers all that may take part; or returns what must be asked first.
///
/// # Errors
/// No base module is there, one is not x.y.z where it must be, a name:stream has no build, or a choice is left open.
pub(super) fn gather(
    asked: &Expansion<'_>,
    pairs: &[Pair],
    known: &Universe,
) -> Result<Result<Gathered, Questions>, Unresolved> {
    let bases = match asked.bases(pairs, known)? {
        Ok(bases) => bases,
        Err(questions) => return Ok(Err(questions)),
    };
    let search = match asked.search_bases(&bases, known)? {
        Ok(search) => search,
        Err(questions) => return Ok(Err(questions)),
    };
    let candidates = match asked.candidates(pairs, &bases, &search, known)? {
        Ok(candidates) => candidates,
        Err(questions) => return Ok(Err(questions)),
    };
    let ready = search.bases.into_iter().filter(|base| base.is_ready);
    let modules = bases.all.into_iter().chain(ready).chain(candidates).collect();
    Ok(Ok(Gathered { modules, missing_bases: bases.missing }))
}

/// The buildrequired base modules.
struct Bases {
    /// All of them.
    all: Vec<KnownModule>,
    /// Those that come first in some pair: what candidates were built against.
    first: Vec<KnownModule>,
    missing: Vec<NameStream>,
}

/// Where candidates come from.
struct Search {
    /// The base modules that they were built against, but for those whose tags say what is built on them.
    bases: Vec<KnownModule>,
    against: Against,
    /// The builds in these tags.
    tagged: Vec<KnownModule>,
}

impl Expansion<'_> {
    /// Finds the base modules of all pairs.
    fn bases(&self, pairs: &[Pair], known: &Universe) -> Result<Result<Bases, Questions>, Unresolved> {
        let mut questions = Questions::default();
        let mut bases = Bases { all: Vec::new(), first: Vec::new(), missing: Vec::new() };
        for pair in pairs {
            let mut is_first = true;
            for name in &self.policy.base_module_names {
                let Some(streams) = pair.buildrequires.get(name.as_str()) else { continue };
                for stream in streams {
                    let base = NameStream { name: name.clone(), stream: Stream::new(stream.as_str())? };
                    match known.latest(&base, &Against::Anything) {
                        None => {
                            questions.latest.entry(Against::Anything).or_default().insert(base);
                        }
                        Some([]) => bases.missing.push(base),
                        Some(builds) => {
                            bases.all.extend_from_slice(builds);
                            let counts = if is_first { builds } else { &[] };
                            bases.first.extend_from_slice(counts);
                        }
                    }
                }
                is_first = false;
            }
        }
        if !questions.is_empty() {
            return Ok(Err(questions));
        }
        bases.missing.sort();
        bases.missing.dedup();
        if bases.first.is_empty() || (self.choices == Choices::Closed && !bases.missing.is_empty()) {
            let names = self.policy.base_module_names.iter().map(ToString::to_string).collect();
            return Err(Unresolved::NoBaseModule { names, missing: bases.missing });
        }
        Ok(Ok(bases))
    }

    /// Finds the base modules against which candidates may have been built.
    fn search_bases(&self, bases: &Bases, known: &Universe) -> Result<Result<Search, Questions>, Unresolved> {
        let only_compatible = self.policy.allow_only_compatible_base_modules;
        let mut questions = Questions { includes_retired: !only_compatible, ..Questions::default() };
        let mut found: BTreeMap<Nsvc, KnownModule> = BTreeMap::new();
        let mut tagged = Vec::new();
        for base in &bases.first {
            if let Some(tag) = base.tag_with_modules() {
                match known.tagged(&tag) {
                    None => {
                        questions.tagged.insert(tag);
                        continue;
                    }
                    Some(Some(builds)) => {
                        tagged.extend(latest_of_each(builds));
                        continue;
                    }
                    Some(None) => {}
                }
            }
            let Some(compatible) = known.compatible(&base.nsvc) else {
                questions.compatible.insert(base.nsvc.clone());
                continue;
            };
            found.insert(base.nsvc.clone(), base.clone());
            if !base.virtual_streams().is_empty() {
                self.check_xyz(base)?;
                let within = |other: &KnownModule| {
                    other.is_ready
                        && self.policy.is_within_major(base.nsvc.stream.as_str(), other.nsvc.stream.as_str())
                };
                let fits = |other: &&KnownModule| !only_compatible || within(other);
                found.extend(compatible.iter().filter(fits).map(|other| (other.nsvc.clone(), other.clone())));
            }
        }
        if !questions.is_empty() {
            return Ok(Err(questions));
        }
        let bases: Vec<KnownModule> = found.into_values().collect();
        let against = Against::FirstOf(self.majors(&bases));
        Ok(Ok(Search { bases, against, tagged }))
    }

    fn check_xyz(&self, base: &KnownModule) -> Result<(), Unresolved> {
        match self.policy.allow_only_compatible_base_modules && !counts_as_xyz(base.nsvc.stream.as_str()) {
            true => Err(Unresolved::NotXyz(base.nsvc.name_stream())),
            false => Ok(()),
        }
    }

    /// Returns base modules by major version, the newest first; those without a number each by itself.
    fn majors(&self, bases: &[KnownModule]) -> Vec<Vec<Nsvc>> {
        let number = |nsvc: &Nsvc| self.policy.stream_number(nsvc.stream.as_str());
        let mut sorted: Vec<&Nsvc> = bases.iter().map(|base| &base.nsvc).collect();
        sorted.sort_by(|a, b| {
            let by_number = number(b).total_cmp(&number(a));
            a.name
                .cmp(&b.name)
                .then(by_number)
                .then_with(|| (&a.stream, Reverse(a)).cmp(&(&b.stream, Reverse(b))))
        });
        let is_same = |a: &&Nsvc, b: &&Nsvc| {
            let of_one_major = major(number(a)) == major(number(b)) && number(a) >= 1.0;
            a.name == b.name && (of_one_major || a.stream == b.stream)
        };
        sorted.chunk_by(is_same).map(|group| group.iter().copied().cloned().collect()).collect()
    }

    /// Finds the candidates for what the pairs buildrequire, and for what these require at run time.
    fn candidates(
        &self,
        pairs: &[Pair],
        bases: &Bases,
        search: &Search,
        known: &Universe,
    ) -> Result<Result<Vec<KnownModule>, Questions>, Unresolved> {
        let mut gathering = Gathering {
            asked: self,
            search,
            fit: Pool::new(bases.all.iter().chain(&search.bases).cloned(), self.base_fit, self.policy),
            seen: BTreeSet::new(),
            found: Vec::new(),
            unknown: BTreeSet::new(),
            without: None,
        };
        let mut queue = self.buildrequired(pairs)?;
        let direct = queue.clone();
        while let Some(module) = queue.pop_first() {
            queue.append(&mut gathering.visit(&module, &direct, known)?);
        }
        if !gathering.unknown.is_empty() {
            let latest = BTreeMap::from([(search.against.clone(), gathering.unknown)]);
            return Ok(Err(Questions { latest, ..Questions::default() }));
        }
        match gathering.without {
            Some(module) => Err(Unresolved::NoBuilds(module)),
            None => Ok(Ok(gathering.found)),
        }
    }

    /// Returns every buildrequired name:stream that is no base module.
    fn buildrequired(&self, pairs: &[Pair]) -> Result<BTreeSet<NameStream>, Unresolved> {
        let mut all = BTreeSet::new();
        for (module, streams) in pairs.iter().flat_map(|pair| &pair.buildrequires) {
            let name = Name::new(module.as_str())?;
            if !self.policy.is_base(&name) {
                for stream in streams {
                    all.insert(NameStream { name: name.clone(), stream: Stream::new(stream.as_str())? });
                }
            }
        }
        Ok(all)
    }
}

/// Candidates being gathered.
struct Gathering<'g> {
    asked: &'g Expansion<'g>,
    search: &'g Search,
    /// The base modules, to see which dependency pairs fit.
    fit: Pool<'g>,
    seen: BTreeSet<NameStream>,
    found: Vec<KnownModule>,
    unknown: BTreeSet<NameStream>,
    /// The first that has no build.
    without: Option<NameStream>,
}

impl Gathering<'_> {
    /// Takes in the builds of a name:stream, and returns what they require.
    fn visit(
        &mut self,
        module: &NameStream,
        direct: &BTreeSet<NameStream>,
        known: &Universe,
    ) -> Result<BTreeSet<NameStream>, Unresolved> {
        let mut required = BTreeSet::new();
        if !self.seen.insert(module.clone()) {
            return Ok(required);
        }
        let Some(builds) = known.latest(module, &self.search.against) else {
            self.unknown.insert(module.clone());
            return Ok(required);
        };
        let tagged = self.search.tagged.iter().filter(|build| build.nsvc.name_stream() == *module);
        let builds: Vec<KnownModule> = builds.iter().chain(tagged).cloned().collect();
        if builds.is_empty() {
            self.without.get_or_insert_with(|| module.clone());
        }
        for build in &builds {
            for pair in self.pairs_of(build) {
                let brought = self.required_by(pair, direct.contains(module), direct)?;
                required.extend(
                    brought.map_err(|why| Unresolved::UnusableRequire {
                        by: Box::new(build.nsvc.clone()),
                        why,
                    })?,
                );
            }
        }
        self.found.extend(builds);
        Ok(required)
    }

    /// Returns the dependency pairs of a build that count: where choices are closed those that fit the base module.
    fn pairs_of<'b>(&self, build: &'b KnownModule) -> Vec<&'b Dependencies> {
        let pairs = &build.document.dependencies;
        let fitting = |pair: &&Dependencies| self.fit.fits_base(build, pair);
        let left: Vec<_> = pairs.iter().filter(fitting).collect();
        let takes_all =
            self.asked.choices == Choices::Open || (left.is_empty() && self.asked.base_fit == BaseFit::Any);
        if takes_all { pairs.iter().collect() } else { left }
    }

    /// Returns what a pair may bring in: the streams it names. Where it names none, whatever is there for another reason will do.
    /// The inner error: a name or stream of the pair is unusable.
    fn required_by(
        &self,
        pair: &Dependencies,
        is_direct: bool,
        direct: &BTreeSet<NameStream>,
    ) -> Result<Result<Vec<NameStream>, InvalidIdent>, Unresolved> {
        let mut required = Vec::new();
        for (module, written) in &pair.requires {
            let name = match Name::new(module.as_str()) {
                Ok(name) if self.asked.policy.is_base(&name) => continue,
                Ok(name) => name,
                Err(why) => return Ok(Err(why)),
            };
            let streams = match self.answered(&name, written, direct) {
                Some(stream) => BTreeSet::from([stream]),
                None => positive(written),
            };
            if streams.len() > 1 && is_direct && self.asked.choices == Choices::Closed {
                return Err(ambiguous(module, written));
            }
            for stream in streams {
                match Stream::new(stream) {
                    Ok(stream) => required.push(NameStream { name: name.clone(), stream }),
                    Err(why) => return Ok(Err(why)),
                }
            }
        }
        Ok(Ok(required))
    }

    /// Returns the stream that the document or a default chose, where a build leaves several.
    fn answered(
        &self,
        name: &Name,
        written: &BTreeSet<String>,
        direct: &BTreeSet<NameStream>,
    ) -> Option<String> {
        if positive(written).len() == 1 {
            return None;
        }
        let closed = self.asked.choices == Choices::Closed;
        let own = direct.iter().filter(|module| closed && module.name == *name).map(|module| &module.stream);
        let mut answers = own.chain(self.asked.default_streams.get(name));
        answers.find(|stream| admits(written, stream.as_str())).map(ToString::to_string)
    }
}

/// Returns of each name:stream the builds of the highest version.
fn latest_of_each(builds: &[KnownModule]) -> Vec<KnownModule> {
    let mut highest: BTreeMap<NameStream, Version> = BTreeMap::new();
    for build in builds.iter().filter(|build| build.is_ready) {
        let version = highest.entry(build.nsvc.name_stream()).or_insert(build.nsvc.version);
        *version = build.nsvc.version.max(*version);
    }
    let is_latest =
        |build: &&KnownModule| build.is_ready && highest[&build.nsvc.name_stream()] == build.nsvc.version;
    builds.iter().filter(is_latest).cloned().collect()
}
