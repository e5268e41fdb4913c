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

use crate::ident::{Arch, Batch, CommitId, Nvr, Package};
use crate::model::{ComponentBuild, ModuleBuild, Ordering, RebuildStrategy, State, Verdict, WhyRebuild};
use crate::modulemd::Xmd;
use crate::policy::Reuse;
use crate::store::ReuseQuestion;

/// The first batch of packages; module-build-macros before it is never reused.
const FIRST_BATCH: Batch = Batch(2);

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
    })
}

/// Chooses the build to reuse from; `None` if none fits. Candidates may stand in any order and include unfit ones.
///
/// The build that the user named is taken without further conditions. Else it must have the same name, stream and build
/// context, for `changed-and-after` itself be built so or with `all`, and a scmurl. Of `ready` ones the newest by completion
/// counts. Where failed ones count, too, a scmurl is not needed, the very same builds must be buildrequired, and the one of
/// which most can be reused is taken; among equals `ready` ones come first, then the newest.
pub fn choose_source(
    build: &ModuleBuild,
    candidates: &[Arc<ModuleBuild>],
    rule: Reuse,
) -> Option<Arc<ModuleBuild>> {
    if rule == Reuse::Never || build.new.strategy == RebuildStrategy::All {
        return None;
    }
    if let Some(named) = build.new.reuse_from {
        return candidates.iter().find(|candidate| candidate.id == named).cloned();
    }
    let fitting = candidates.iter().filter(|candidate| fits(build, candidate, rule));
    let newest = |candidate: &ModuleBuild| {
        (candidate.state() == State::Ready, candidate.life.completed_at(), candidate.id)
    };
    match rule {
        Reuse::Never => None,
        Reuse::Ready => fitting.max_by_key(|candidate| newest(candidate)).cloned(),
        Reuse::ReadyAndFailed => {
            fitting.max_by_key(|candidate| (reusable(build, candidate), newest(candidate))).cloned()
        }
    }
}

fn fits(build: &ModuleBuild, candidate: &ModuleBuild, rule: Reuse) -> bool {
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
        && candidate.new.contexts.build == build.new.contexts.build
        && (!takes_failed || buildrequired(candidate) == buildrequired(build))
}

/// Returns name, stream, version and context of each buildrequired module. On one machine the very same builds are asked for:
/// another build of the same stream, just made here, is what the packager wants to build against.
fn buildrequired(build: &ModuleBuild) -> BTreeSet<[Option<&str>; 4]> {
    let entries = build.document().xmd.at(&["mbs", "buildrequires"]).map(Xmd::entries).unwrap_or_default();
    entries
        .iter()
        .map(|(name, entry)| {
            let text = |key: &str| entry.value(key).and_then(Xmd::text);
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
    let mut packages: Vec<&ComponentBuild> = build.components.iter().filter(|c| !c.is_macros()).collect();
    packages.sort_by_key(|component| component.batch);
    let mut comparison = Comparison { build, source, decided: BTreeMap::new(), changes: BTreeMap::new() };
    for component in packages {
        let verdict = comparison.verdict(component);
        comparison.decided.insert(component.package.clone(), verdict);
    }
    comparison.decided
}

/// Decides what changes when a build that was to be reused is gone: its component is built, and with `changed-and-after`
/// those after it that were to be reused. Only components whose verdict changes are in the answer.
pub fn verdicts_after_loss(build: &ModuleBuild, lost: &Package, nvr: Nvr) -> BTreeMap<Package, Verdict> {
    let mut turned = BTreeMap::from([(lost.clone(), Verdict::Rebuild(WhyRebuild::Gone(nvr)))]);
    if build.new.strategy == RebuildStrategy::ChangedAndAfter {
        for component in &build.components {
            let was_reused = matches!(component.verdict, Some(Verdict::Reuse { .. }));
            if was_reused && before(build, component).iter().any(|earlier| earlier.package == *lost) {
                let why = WhyRebuild::EarlierChanged(lost.to_string());
                turned.insert(component.package.clone(), Verdict::Rebuild(why));
            }
        }
    }
    turned
}

/// Returns the packages that are built before a component, in the order of the record.
fn before<'a>(build: &'a ModuleBuild, component: &ComponentBuild) -> Vec<&'a ComponentBuild> {
    match build.ordering {
        Ordering::Batches => {
            let is_earlier = |c: &&ComponentBuild| c.batch >= FIRST_BATCH && c.batch < component.batch;
            build.components.iter().filter(is_earlier).collect()
        }
        Ordering::Graph => {
            let predecessors = predecessors(build, component);
            build.components.iter().filter(|c| predecessors.contains(&c.package)).collect()
        }
    }
}

fn predecessors<'a>(build: &'a ModuleBuild, component: &'a ComponentBuild) -> BTreeSet<&'a Package> {
    let mut seen = BTreeSet::new();
    let mut queue: Vec<&Package> = component.after.iter().collect();
    while let Some(package) = queue.pop() {
        if seen.insert(package) {
            let found = build.components.iter().find(|c| c.package == *package);
            queue.extend(found.into_iter().flat_map(|c| &c.after));
        }
    }
    seen
}

/// What makes a component the same one in two builds.
type Same<'a> = (Batch, &'a Package, Option<&'a CommitId>, &'a [Arch]);

fn set_before<'a>(build: &'a ModuleBuild, component: &ComponentBuild) -> BTreeSet<Same<'a>> {
    let same = |c: &'a ComponentBuild| {
        let batch = match build.ordering {
            Ordering::Batches => c.batch,
            Ordering::Graph => Batch(0),
        };
        (batch, &c.package, c.source.commit(), c.arches.as_slice())
    };
    before(build, component).into_iter().map(same).collect()
}

/// A build beside the one it may reuse from.
struct Comparison<'a> {
    build: &'a ModuleBuild,
    source: Option<&'a ModuleBuild>,
    decided: BTreeMap<Package, Verdict>,
    /// What differs before a place: once per batch, on graphs once per component.
    changes: BTreeMap<(Batch, Option<&'a Package>), Option<String>>,
}

impl<'a> Comparison<'a> {
    fn verdict(&mut self, component: &'a ComponentBuild) -> Verdict {
        if self.build.new.strategy == RebuildStrategy::All {
            return Verdict::Rebuild(WhyRebuild::Strategy);
        }
        let Some(source) = self.source else { return Verdict::Rebuild(WhyRebuild::NoSource) };
        self.reuse(component, source).unwrap_or_else(Verdict::Rebuild)
    }

    fn reuse(
        &mut self,
        component: &'a ComponentBuild,
        source: &'a ModuleBuild,
    ) -> Result<Verdict, WhyRebuild> {
        let not_there = || WhyRebuild::NotInSource(source.nsvc().to_string());
        let theirs = source.component(component.package.as_str()).ok_or_else(not_there)?;
        let nvr = usable_nvr(theirs).ok_or_else(not_there)?;
        same_commit(theirs, component)?;
        if self.build.new.strategy == RebuildStrategy::ChangedAndAfter {
            self.same_place(component, theirs, source)?;
        }
        if theirs.arches != component.arches {
            return Err(WhyRebuild::OtherArches);
        }
        Ok(Verdict::Reuse { from: theirs.id, build: source.id, nvr: nvr.clone(), task: theirs.task })
    }

    fn same_place(
        &mut self,
        component: &'a ComponentBuild,
        theirs: &ComponentBuild,
        source: &'a ModuleBuild,
    ) -> Result<(), WhyRebuild> {
        if self.build.ordering != source.ordering {
            return Err(WhyRebuild::EarlierChanged("the order is given in another way".into()));
        }
        if self.build.ordering == Ordering::Batches && theirs.batch != component.batch {
            return Err(WhyRebuild::OtherBatch { from: theirs.batch, to: component.batch });
        }
        if macros_of(source) != macros_of(self.build) {
            return Err(WhyRebuild::OtherMacros);
        }
        match self.changed_before(component, theirs, source) {
            Some(names) => Err(WhyRebuild::EarlierChanged(names)),
            None => Ok(()),
        }
    }

    /// Returns the names of what differs or is rebuilt before a component; `None` if nothing does.
    fn changed_before(
        &mut self,
        component: &'a ComponentBuild,
        theirs: &ComponentBuild,
        source: &'a ModuleBuild,
    ) -> Option<String> {
        let place = match self.build.ordering {
            Ordering::Batches => (component.batch, None),
            Ordering::Graph => (component.batch, Some(&component.package)),
        };
        if let Some(known) = self.changes.get(&place) {
            return known.clone();
        }
        let (ours, of_theirs) = (set_before(self.build, component), set_before(source, theirs));
        let mut names: BTreeSet<&Package> =
            ours.symmetric_difference(&of_theirs).map(|same| same.1).collect();
        if names.is_empty() {
            // Only where the content is the same: else the root of the change is named alone.
            names.extend(ours.iter().map(|same| same.1).filter(|package| self.is_rebuilt(package)));
        }
        let changed = (!names.is_empty()).then(|| shown(&names));
        self.changes.insert(place, changed.clone());
        changed
    }

    fn is_rebuilt(&self, package: &Package) -> bool {
        matches!(self.decided.get(package), Some(Verdict::Rebuild(_)))
    }
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

fn shown(names: &BTreeSet<&Package>) -> String {
    let first: Vec<&str> = names.iter().take(NAMES_SHOWN).map(|package| package.as_str()).collect();
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
