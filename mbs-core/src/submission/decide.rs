//! From a submission as it came to the builds that are recorded: one decision, taken step by step.
//!
//! ```text
//! check -> document -> names, contexts, overrides -> virtual streams -> expansion -> identities -> new, resumed or there already
//! ```
//!
//! A step decides as far as what is known reaches, and says what it needs next. Nothing is asked, recorded or read from a clock
//! here. Source: behaviour, section 3.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::asked::Accepted;
use super::assemble::{assemble_one_of_many, identity};
use super::{
    Asked, Computed, Disposition, Refused, Request, Rules, dispositions, match_srpms,
    replace_virtual_streams, resume,
};
use crate::context::Contexts;
use crate::expansion::{BaseFit, Choices, Expanded, Expansion, Expansions, Questions, Step, Universe};
use crate::ident::{BuildId, Nsvc, Revision, Version};
use crate::model::{ModuleBuild, NewBuild, State};
use crate::modulemd::{ModuleStream, Proofs};
use crate::policy::Policy;
use crate::stream_version::prefixed_version;

mod read;
mod words;

pub use words::{Decided, DecidedBuild, Decision, KnownBuilds, Needs, Told};

/// A submission being decided.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    asked: &'a Asked,
    rules: &'a Rules,
    policy: &'a Policy,
    now: Timestamp,
    accepted: Accepted,
    told: Told,
    universe: Universe,
    /// The documents, ready to be expanded; `None` while they are not known.
    documents: Option<Vec<ModuleStream>>,
    /// Whether the document calls its context static itself.
    is_called_static: bool,
    /// Whether their virtual streams are replaced.
    are_streams_real: bool,
    /// What each document expands to, as far as it is decided.
    expansions: BTreeMap<usize, Expansions>,
    /// Identities that were found to be taken.
    taken: BTreeSet<Nsvc>,
    warnings: Vec<String>,
}

/// So many lines are told to a submitter and written into the logs of the builds.
const MOST_WARNINGS: usize = 100;

impl<'a> Submission<'a> {
    /// Begins to decide; `now` is the store's time.
    ///
    /// # Errors
    /// What was asked is not allowed, or makes no sense whatever the document says.
    pub fn new(
        asked: &'a Asked,
        rules: &'a Rules,
        policy: &'a Policy,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        Ok(Self {
            asked,
            rules,
            policy,
            now,
            accepted: asked.check(rules)?,
            told: Told::default(),
            universe: Universe::default(),
            documents: None,
            is_called_static: false,
            are_streams_real: false,
            expansions: BTreeMap::new(),
            taken: BTreeSet::new(),
            warnings: Vec::new(),
        })
    }

    /// Adds what was asked and answered.
    pub fn learn(&mut self, asked: Needs, told: Told) {
        self.universe.learn(asked.modules, told.modules);
        let known = &mut self.told;
        known.document = told.document.or(known.document.take());
        known.end_of_life = told.end_of_life.or(known.end_of_life.take());
        known.reuse_from = told.reuse_from.or(known.reuse_from.take());
        known.builds = told.builds.or(known.builds.take());
        known.scratch.extend(told.scratch);
    }

    /// Forgets which builds there are, since another submission was faster, or took this identity.
    pub fn forget_builds(&mut self, taken: Option<Nsvc>) {
        self.told.builds = None;
        self.told.scratch.clear();
        self.taken.extend(taken);
    }

    /// Decides as far as what is known reaches.
    ///
    /// # Errors
    /// The submission is refused: the text says what to change.
    pub fn step(&mut self) -> Result<Decision, Refused> {
        if let Some(needs) = self.begin()? {
            return Ok(need(needs));
        }
        let mut documents = match self.documents.take() {
            Some(documents) => documents,
            None => match self.read()? {
                Some(documents) => documents,
                None => return Ok(need(self.place())),
            },
        };
        let questions = self.expand_all(&mut documents);
        self.documents = Some(documents);
        let modules = questions?;
        if modules.is_empty() { self.decide() } else { Ok(need(Needs { modules, ..Needs::default() })) }
    }

    /// Replaces virtual streams and expands; returns what must be known first.
    fn expand_all(&mut self, documents: &mut [ModuleStream]) -> Result<Questions, Refused> {
        if !self.are_streams_real {
            let questions = self.make_real(documents)?;
            if !questions.is_empty() {
                return Ok(questions);
            }
        }
        self.expand(documents)
    }

    /// Asks what can refuse the submission before its document is looked at.
    fn begin(&self) -> Result<Option<Needs>, Refused> {
        let mut needs = Needs::default();
        match (&self.accepted.reuse_from, &self.told.reuse_from) {
            (Some(named), None) => needs.reuse_from = Some(named.clone()),
            (Some(_), Some(None)) => return Err(Refused::ReuseFromUnknown),
            (Some(_), Some(Some((_, state)))) if *state != State::Ready => {
                return Err(Refused::ReuseFromUnready);
            }
            (Some(_) | None, _) => {}
        }
        Ok((needs != Needs::default()).then_some(needs))
    }

    /// Replaces virtual streams; returns what must be known first.
    fn make_real(&mut self, documents: &mut [ModuleStream]) -> Result<Questions, Refused> {
        let mut questions = Questions::default();
        for document in documents.iter_mut() {
            questions.add(replace_virtual_streams(document, &self.universe, self.policy)?);
        }
        self.are_streams_real = questions.is_empty();
        Ok(questions)
    }

    /// Expands the documents that are not expanded yet; returns what must be known first.
    fn expand(&mut self, documents: &[ModuleStream]) -> Result<Questions, Refused> {
        let mut questions = Questions::default();
        for (place, document) in documents.iter().enumerate() {
            if self.expansions.contains_key(&place) {
                continue;
            }
            let expansion = Expansion {
                document,
                default_streams: &BTreeMap::new(),
                choices: Choices::Open,
                base_fit: BaseFit::Required,
                policy: self.policy,
            };
            match expansion.step(&self.universe)? {
                Step::Need(more) => questions.add(more),
                Step::Done(expansions) => {
                    check_number(document, &expansions)?;
                    self.expansions.insert(place, expansions);
                }
            }
        }
        Ok(questions)
    }

    /// Gives every build its identity, and decides what becomes of it.
    fn decide(&self) -> Result<Decision, Refused> {
        let mut warnings = Warnings::new(&self.warnings);
        let mut drafts = Vec::new();
        for expansions in self.expansions.values() {
            note_left_out(expansions, &mut warnings);
            for expanded in &expansions.expanded {
                let contexts =
                    Contexts::of(&expanded.streams(), &expanded.document.dependencies, self.policy);
                let version = version(expanded, &mut warnings);
                let computed = Computed { context: contexts.short(), contexts, version, earlier_scratch: 0 };
                let nsvc = identity(&expanded.document, &computed, false)?;
                drafts.push(Draft { expanded, computed, nsvc });
            }
        }
        drafts.sort_by(|a, b| a.nsvc.cmp(&b.nsvc));
        drafts.dedup_by(|a, b| a.nsvc == b.nsvc);
        if self.asked.scratch {
            self.decide_scratch(drafts, warnings)
        } else {
            self.decide_real(drafts, warnings)
        }
    }

    fn decide_real(&self, drafts: Vec<Draft<'_>>, warnings: Warnings) -> Result<Decision, Refused> {
        let nsvcs: Vec<Nsvc> = drafts.iter().map(|draft| draft.nsvc.clone()).collect();
        let Some(known) = &self.told.builds else {
            return Ok(need(Needs { builds: nsvcs.into_iter().collect(), ..Needs::default() }));
        };
        let existing: Vec<&ModuleBuild> = known.builds.iter().map(|(build, _)| build).collect();
        let decided = dispositions(&nsvcs, &existing)?;
        let mut done = Decided { warnings: warnings.lines, ..Decided::default() };
        // What goes on is looked at first: that its strategy cannot change comes before what is wrong with new ones.
        for disposition in &decided {
            if let Disposition::Resume(id) = disposition {
                done.resumed.extend(self.resumed(known, *id)?);
            }
        }
        let mut proofs = Proofs::default();
        for (draft, disposition) in drafts.into_iter().zip(decided) {
            let chosen = draft.expanded.chosen.clone();
            done.builds.push(DecidedBuild { nsvc: draft.nsvc.clone(), disposition, chosen });
            if disposition == Disposition::New {
                self.check_branch()?;
                done.new.push(self.assemble(draft, &mut proofs)?);
            }
        }
        Ok(Decision::Done(Box::new(done)))
    }

    fn decide_scratch(&self, drafts: Vec<Draft<'_>>, mut warnings: Warnings) -> Result<Decision, Refused> {
        let unknown = drafts.iter().filter(|draft| !self.told.scratch.contains_key(&draft.nsvc));
        let scratch: BTreeSet<Nsvc> = unknown.map(|draft| draft.nsvc.clone()).collect();
        if !scratch.is_empty() {
            return Ok(need(Needs { scratch, ..Needs::default() }));
        }
        let (mut done, mut proofs) = (Decided::default(), Proofs::default());
        for mut draft in drafts {
            let document = &draft.expanded.document;
            draft.computed.earlier_scratch = self.told.scratch.get(&draft.nsvc).copied().unwrap_or_default();
            let mut nsvc = identity(document, &draft.computed, true)?;
            while self.taken.contains(&nsvc) {
                draft.computed.earlier_scratch += 1;
                nsvc = identity(document, &draft.computed, true)?;
            }
            match_srpms(document, &self.asked.srpms)
                .warnings
                .into_iter()
                .for_each(|line| warnings.push(line));
            let chosen = draft.expanded.chosen.clone();
            done.builds.push(DecidedBuild { nsvc, disposition: Disposition::New, chosen });
            done.new.push(self.assemble(draft, &mut proofs)?);
        }
        done.warnings = warnings.lines;
        Ok(Decision::Done(Box::new(done)))
    }

    fn assemble(&self, draft: Draft<'_>, proofs: &mut Proofs) -> Result<NewBuild, Refused> {
        let fetched = self.told.document.as_ref().and_then(|fetched| fetched.as_ref().ok());
        let request = Request {
            owner: self.asked.owner.clone(),
            priority: self.asked.priority,
            scratch: self.asked.scratch,
            scmurl: self.asked.scmurl.clone(),
            commit: fetched.map(|fetched| fetched.commit.clone()),
            strategy: self.accepted.strategy.unwrap_or(self.rules.rebuild_strategy),
            reuse_from: self.told.reuse_from.flatten().map(|(id, _)| id),
            srpms: match_srpms(&draft.expanded.document, &self.asked.srpms).by_package,
            given_srpms: self.asked.srpms.clone(),
            notes_static_contexts_only: !self.is_called_static,
        };
        assemble_one_of_many(draft.expanded.clone(), &request, draft.computed, self.rules, proofs)
    }

    fn check_branch(&self) -> Result<(), Refused> {
        let branch = self.asked.branch.as_deref().unwrap_or_default();
        match self.rules.scratch_build_only_branches.is_found_in(branch) {
            true => Err(Refused::ScratchOnlyBranch),
            false => Ok(()),
        }
    }

    fn resumed(&self, known: &KnownBuilds, id: BuildId) -> Result<Option<(ModuleBuild, Revision)>, Refused> {
        let Some((build, revision)) = known.builds.iter().find(|(build, _)| build.id == id) else {
            return Ok(None);
        };
        let resumed = resume(build, &self.asked.owner, self.accepted.strategy, known.at)?;
        Ok(Some((resumed, *revision)))
    }
}

/// A build before it is one: what it is made of, and what it will be called unless it is a try.
struct Draft<'e> {
    expanded: &'e Expanded,
    computed: Computed,
    nsvc: Nsvc,
}

/// Lines for the submitter, each once, and not without end.
struct Warnings {
    lines: Vec<String>,
}

impl Warnings {
    fn new(lines: &[String]) -> Self {
        let mut warnings = Self { lines: Vec::new() };
        lines.iter().cloned().for_each(|line| warnings.push(line));
        warnings
    }

    fn push(&mut self, line: String) {
        match self.lines.len() {
            MOST_WARNINGS => self.lines.push("there is more to say, which is left out".to_owned()),
            len if len < MOST_WARNINGS && !self.lines.contains(&line) => self.lines.push(line),
            _ => {}
        }
    }
}

fn need(needs: Needs) -> Decision {
    Decision::Need(Box::new(needs))
}

/// A document gives at least one build, one with a static context exactly one.
fn check_number(document: &ModuleStream, expansions: &Expansions) -> Result<(), Refused> {
    match expansions.expanded.as_slice() {
        [] => {
            let lacking = expansions.lacking.iter().flat_map(|lacking| lacking.modules.iter().cloned());
            let modules: BTreeSet<String> = lacking.collect();
            Err(Refused::NoCombination(modules.into_iter().collect()))
        }
        [_, _, ..] if document.static_context => Err(Refused::StaticContextInSeveralWays {
            context: document.context.clone().unwrap_or_default(),
            ways: expansions.expanded.iter().map(way).collect(),
        }),
        _ => Ok(()),
    }
}

fn way(expanded: &Expanded) -> String {
    let modules: Vec<String> =
        expanded.buildrequires.iter().map(|module| module.nsvc.name_stream().to_string()).collect();
    modules.join(" ")
}

fn note_left_out(expansions: &Expansions, warnings: &mut Warnings) {
    for base in &expansions.missing_bases {
        warnings.push(format!("there is no {base}; nothing is built for it"));
    }
    for lacking in &expansions.lacking {
        let modules = lacking.modules.join(", ");
        let number = lacking.pair + 1;
        warnings.push(format!(
            "the dependency pair {number} gives no build: nothing can be chosen for {modules}"
        ));
    }
}

/// Returns the version with the number of the first base stream in front.
fn version(expanded: &Expanded, warnings: &mut Warnings) -> Version {
    let own = Version(expanded.document.version.unwrap_or_default());
    let Some(base) = expanded.base_modules.first() else { return own };
    let prefixed = prefixed_version(own, &base.stream);
    if prefixed.overflowed {
        let stream = &base.stream;
        warnings
            .push(format!("the version {own} gets no prefix for {stream}: the number would be too large"));
    }
    prefixed.version
}

#[cfg(test)]
mod tests;
