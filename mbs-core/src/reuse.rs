//! Which earlier build components are taken from, and which of them. Source: behaviour, section 8.
//!
//! | condition on a component | `only-changed` | `changed-and-after` |
//! | --- | --- | --- |
//! | complete there, same commit, same architectures | yes | yes |
//! | same batch, same macros of the module | | yes |
//! | the same components before it, and all of them reused | | yes |
//!
//! With `all` nothing is reused. "Before it" means earlier batches; on graphs, whatever it follows, directly or not: its depth
//! does not matter there. Contexts are those of submission. Whether a build still exists is for [`crate::plan`] to see; if
//! it does not, [`verdicts_after_loss`] says what changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ident::{Arch, Batch, CommitId, Nsvc, Nvr, Package, TagName};
use crate::model::{ComponentBuild, ModuleBuild, Ordering, RebuildStrategy, State, Verdict, WhyRebuild};
use crate::modulemd::Xmd;
use crate::policy::Reuse;
use crate::store::ReuseQuestion;

mod before;

use before::{Bits, Numbers, before};

/// So many names of changed components are spelled out in a reason.
const NAMES_SHOWN: usize = 5;

/// Returns what to ask the store before [`choose_source`]; `None` if nothing may be reused.
pub fn question(build: &ModuleBuild, rule: Reuse) -> Option<ReuseQuestion> {
    let states = match rule {
        Reuse::Never => return None,
        Reuse::Ready => vec![State::Ready],
        Reuse::ReadyAndFailed => vec![State::Ready, State::Failed],
    };
    (build.new.strategy != RebuildStrategy::All).then(|| ReuseQuestion {
        build: build.id,
        module: build.nsvc().name_stream(),
        states,
        exactly: build.new.reuse_from,
        contexts: match &build.surroundings.reuse_tag {
            Some(_) => Vec::new(),
            None => contexts(build, rule),
        },
    })
}

/// Returns the build contexts of builds to reuse from, in turn.
fn contexts(build: &ModuleBuild, rule: Reuse) -> Vec<String> {
    match &build.surroundings.reuse_contexts[..] {
        several @ [_, ..] if rule == Reuse::Ready => several.to_vec(),
        _ => vec![build.new.contexts.build.clone()],
    }
}

/// Returns the tag whose builds must be known before [`choose_source`]; `None`: none.
pub fn tag_to_ask(build: &ModuleBuild, rule: Reuse) -> Option<&TagName> {
    let counts = rule == Reuse::Ready && build.new.reuse_from.is_none();
    let tag = build.surroundings.reuse_tag.as_ref();
    tag.filter(|_| counts && build.new.strategy != RebuildStrategy::All)
}

/// Chooses the build to reuse from; `None` if none fits. Candidates may stand in any order and include unfit ones. `tagged` holds
/// the builds in the tag of [`tag_to_ask`]; `None` where there is none.
///
/// The build that the user named is taken without further conditions. Else it must have the same name and stream, and the
/// build context that ours has, or would have on a compatible base stream: those are tried in turn, the newest first. Where a tag
/// counts it must be in that instead, with the same context without base modules. For `changed-and-after` it must itself be
/// built so or with `all`, and it must have a scmurl. Of `ready` ones the newest by completion counts. Where failed ones
/// count, too, a scmurl is not needed, the very same builds must be buildrequired, and the one of which most can be reused is
/// taken; among equals `ready` ones come first, then the newest.
pub fn choose_source(
    build: &ModuleBuild,
    candidates: &[Arc<ModuleBuild>],
    tagged: Option<&BTreeSet<Nsvc>>,
    rule: Reuse,
) -> Option<Arc<ModuleBuild>> {
    if rule == Reuse::Never || build.new.strategy == RebuildStrategy::All {
        return None;
    }
    if let Some(named) = build.new.reuse_from {
        return candidates.iter().find(|candidate| candidate.id == named).cloned();
    }
    let fitting: Vec<_> = candidates.iter().filter(|candidate| fits(build, candidate, rule)).collect();
    let newest = |candidate: &ModuleBuild| {
        (candidate.state() == State::Ready, candidate.life.completed_at(), candidate.id)
    };
    let best = |is_counted: &dyn Fn(&ModuleBuild) -> bool| {
        let counted = fitting.iter().filter(|candidate| is_counted(candidate));
        match rule {
            Reuse::ReadyAndFailed => {
                counted.max_by_key(|candidate| (reusable(build, candidate), newest(candidate)))
            }
            Reuse::Ready | Reuse::Never => counted.max_by_key(|candidate| newest(candidate)),
        }
    };
    let found = match tagged.filter(|_| tag_to_ask(build, rule).is_some()) {
        Some(tagged) => best(&|candidate| {
            tagged.contains(candidate.nsvc())
                && candidate.new.contexts.build_without_base == build.new.contexts.build_without_base
        }),
        None => contexts(build, rule)
            .iter()
            .find_map(|context| best(&|candidate| candidate.new.contexts.build == *context)),
    };
    found.map(|candidate| Arc::clone(candidate))
}

/// Says why [`choose_source`] found none among the candidates.
pub fn why_no_source(build: &ModuleBuild, candidates: &[Arc<ModuleBuild>], rule: Reuse) -> WhyRebuild {
    let is_near = |candidate: &Arc<ModuleBuild>| {
        fits_but_for_modules(build, candidate, rule)
            && candidate.new.contexts.build == build.new.contexts.build
            && buildrequired(candidate) != buildrequired(build)
    };
    match build.new.reuse_from {
        None if rule == Reuse::ReadyAndFailed && candidates.iter().any(is_near) => {
            WhyRebuild::OtherBuildrequires
        }
        _ => WhyRebuild::NoSource,
    }
}

fn fits(build: &ModuleBuild, candidate: &ModuleBuild, rule: Reuse) -> bool {
    fits_but_for_modules(build, candidate, rule)
        && (rule != Reuse::ReadyAndFailed || buildrequired(candidate) == buildrequired(build))
}

fn fits_but_for_modules(build: &ModuleBuild, candidate: &ModuleBuild, rule: Reuse) -> bool {
    let takes_failed = rule == Reuse::ReadyAndFailed;
    let state_fits = match candidate.state() {
        State::Ready => true,
        State::Failed => takes_failed,
        State::Init | State::Wait | State::Build | State::Done | State::Garbage => false,
    };
    let strategy_fits = match build.new.strategy {
        RebuildStrategy::ChangedAndAfter => candidate.new.strategy != RebuildStrategy::OnlyChanged,
        RebuildStrategy::OnlyChanged | RebuildStrategy::All => true,
    };
    let scratch_fits = !candidate.new.scratch || (takes_failed && build.new.scratch);
    state_fits
        && strategy_fits
        && scratch_fits
        && (takes_failed || candidate.new.scmurl.is_some())
        && candidate.id != build.id
        && candidate.nsvc().name_stream() == build.nsvc().name_stream()
}

/// Returns name, stream, version and context of each buildrequired module. On one machine the very same builds are asked for:
/// another build of the same stream, just made here, is what the packager wants to build against.
fn buildrequired(build: &ModuleBuild) -> BTreeSet<[Option<&str>; 4]> {
    let entries = build.document().xmd.at(&["mbs", "buildrequires"]).map(Xmd::entries).unwrap_or_default();
    entries
        .iter()
        .map(|(name, entry)| {
            let text = |key: &str| entry.value(key).and_then(Xmd::spelling);
            [Some(name.as_str()), text("stream"), text("version"), text("context")]
        })
        .collect()
}

fn reusable(build: &ModuleBuild, source: &ModuleBuild) -> usize {
    let is_reused = |verdict: &&Verdict| matches!(verdict, Verdict::Reuse { .. });
    verdicts(build, Some(source)).values().filter(is_reused).count()
}

/// Decides for each component but module-build-macros whether it is reused, by package.
pub fn verdicts(build: &ModuleBuild, source: Option<&ModuleBuild>) -> BTreeMap<Package, Verdict> {
    let mut packages: Vec<_> = build.components.iter().filter(|c| !c.is_macros()).collect();
    packages.sort_by_key(|component| component.batch);
    let mut comparison = source.map(|source| Comparison::of(build, source));
    let mut decided = BTreeMap::new();
    for component in packages {
        let verdict = match &mut comparison {
            _ if build.new.strategy == RebuildStrategy::All => Verdict::Rebuild(WhyRebuild::Strategy),
            None => Verdict::Rebuild(WhyRebuild::NoSource),
            Some(comparison) => comparison.verdict(component),
        };
        decided.insert(component.package.clone(), verdict);
    }
    decided
}

/// Decides what changes when a build that was to be reused is gone: its component is built, and with `changed-and-after`
/// those after it that were to be reused. Only components whose verdict changes are in the answer.
pub fn verdicts_after_loss(build: &ModuleBuild, lost: &Package, nvr: Nvr) -> BTreeMap<Package, Verdict> {
    let mut turned = BTreeMap::from([(lost.clone(), Verdict::Rebuild(WhyRebuild::Gone(nvr)))]);
    if build.new.strategy == RebuildStrategy::ChangedAndAfter {
        let numbers = Numbers::of(&[build]);
        let Some(lost_number) = numbers.number(lost) else { return turned };
        let before = before(build, &numbers);
        for component in &build.components {
            let was_reused = matches!(component.verdict, Some(Verdict::Reuse { .. }));
            if was_reused && before[&component.package].contains(lost_number) {
                let why = WhyRebuild::EarlierChanged(lost.to_string());
                turned.insert(component.package.clone(), Verdict::Rebuild(why));
            }
        }
    }
    turned
}

/// A build beside the one it may reuse from.
struct Comparison<'a> {
    build: &'a ModuleBuild,
    source: &'a ModuleBuild,
    /// The packages of both.
    numbers: Numbers<'a>,
    ours: BTreeMap<&'a Package, Bits>,
    theirs: BTreeMap<&'a Package, Bits>,
    /// Those that are not the same component in both builds.
    other: Bits,
    /// Those that are built, as far as that is decided.
    rebuilt: Bits,
}

impl<'a> Comparison<'a> {
    fn of(build: &'a ModuleBuild, source: &'a ModuleBuild) -> Self {
        let numbers = Numbers::of(&[build, source]);
        let (ours, theirs) = (before(build, &numbers), before(source, &numbers));
        let by_package = |build: &'a ModuleBuild| -> BTreeMap<&'a Package, Same<'a>> {
            build.components.iter().map(|component| (&component.package, same(build, component))).collect()
        };
        let (in_ours, in_theirs) = (by_package(build), by_package(source));
        let mut other = Bits::default();
        for package in in_ours.keys().chain(in_theirs.keys()) {
            if in_ours.get(package) != in_theirs.get(package) {
                numbers.number(package).into_iter().for_each(|number| other.insert(number));
            }
        }
        Self { build, source, numbers, ours, theirs, other, rebuilt: Bits::default() }
    }

    /// Decides on a component; on all that are built before it was decided.
    fn verdict(&mut self, component: &ComponentBuild) -> Verdict {
        self.reuse(component).unwrap_or_else(|why| {
            let number = self.numbers.number(&component.package);
            number.into_iter().for_each(|number| self.rebuilt.insert(number));
            Verdict::Rebuild(why)
        })
    }

    fn reuse(&self, component: &ComponentBuild) -> Result<Verdict, WhyRebuild> {
        let source = self.source;
        let not_there = || WhyRebuild::NotInSource(source.nsvc().to_string());
        let theirs = source.component(component.package.as_str()).ok_or_else(not_there)?;
        let nvr = usable_nvr(theirs).ok_or_else(not_there)?;
        same_commit(theirs, component)?;
        if self.build.new.strategy == RebuildStrategy::ChangedAndAfter {
            self.same_place(component, theirs)?;
        }
        if theirs.arches != component.arches {
            return Err(WhyRebuild::OtherArches);
        }
        Ok(Verdict::Reuse { from: theirs.id, build: source.id, nvr: nvr.clone(), task: theirs.task })
    }

    fn same_place(&self, component: &ComponentBuild, theirs: &ComponentBuild) -> Result<(), WhyRebuild> {
        if self.build.ordering != self.source.ordering {
            return Err(WhyRebuild::EarlierChanged("the order is given in another way".into()));
        }
        if self.build.ordering == Ordering::Batches && theirs.batch != component.batch {
            return Err(WhyRebuild::OtherBatch { from: theirs.batch, to: component.batch });
        }
        if macros_of(self.source) != macros_of(self.build) {
            return Err(WhyRebuild::OtherMacros);
        }
        match self.changed_before(component) {
            Some(names) => Err(WhyRebuild::EarlierChanged(names)),
            None => Ok(()),
        }
    }

    /// Returns the names of what differs or is rebuilt before a component; `None` if nothing does.
    fn changed_before(&self, component: &ComponentBuild) -> Option<String> {
        let (ours, theirs) = (self.ours.get(&component.package)?, self.theirs.get(&component.package)?);
        let in_one_only = ours.with(theirs, |one, other| one ^ other);
        let in_either = ours.with(theirs, |one, other| one | other);
        let differing = in_either.with(&self.other, |one, other| one & other);
        let mut names = in_one_only.with(&differing, |one, other| one | other);
        if names.is_empty() {
            // Only where the content is the same: else the root of the change is named alone.
            names = ours.with(&self.rebuilt, |one, other| one & other);
        }
        (!names.is_empty()).then(|| shown(&self.numbers.packages(&names).collect::<Vec<_>>()))
    }
}

/// What makes a component the same one in two builds.
type Same<'a> = (Batch, Option<&'a CommitId>, &'a [Arch]);

fn same<'a>(build: &ModuleBuild, component: &'a ComponentBuild) -> Same<'a> {
    let batch = match build.ordering {
        Ordering::Batches => component.batch,
        Ordering::Graph => Batch(0),
    };
    (batch, component.source.commit(), component.arches.as_slice())
}

/// Returns what a component of an earlier build left; `None` unless it completed, or if it reused what is gone.
fn usable_nvr(theirs: &ComponentBuild) -> Option<&Nvr> {
    let nvr = theirs.nvr.as_ref().filter(|_| theirs.is_complete())?;
    let is_gone = matches!(&theirs.verdict, Some(Verdict::Rebuild(WhyRebuild::Gone(gone))) if gone == nvr);
    (!is_gone).then_some(nvr)
}

fn same_commit(theirs: &ComponentBuild, ours: &ComponentBuild) -> Result<(), WhyRebuild> {
    let (Some(from), Some(to)) = (theirs.source.commit(), ours.source.commit()) else {
        return Err(WhyRebuild::NoCommit);
    };
    if from == to { Ok(()) } else { Err(WhyRebuild::OtherCommit { from: from.clone(), to: to.clone() }) }
}

fn macros_of(build: &ModuleBuild) -> &str {
    build.document().buildopts.macros.as_deref().unwrap_or_default()
}

fn shown(names: &[&Package]) -> String {
    let first: Vec<&str> = names.iter().take(NAMES_SHOWN).map(|package| package.as_str()).collect();
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
