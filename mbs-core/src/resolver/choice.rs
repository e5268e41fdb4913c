//! Which of the known builds a question is about: pure, whatever knows them and however much of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Against, KnownModule, Retired};
use crate::ident::{Nsvc, Stream};
use crate::store::ModuleRow;
use crate::stream_version::{Padding, stream_version};

/// What has to be known of a build to choose it.
pub trait Candidate {
    /// Returns its identity.
    fn nsvc(&self) -> &Nsvc;
    /// Says whether it is `ready`, and not retired.
    fn is_ready(&self) -> bool;
    /// Returns its virtual streams.
    fn provided_streams(&self) -> Vec<&str>;
    /// Says whether it was built against exactly this base module build.
    fn is_built_against(&self, base: &Nsvc) -> bool;
}

impl Candidate for KnownModule {
    fn nsvc(&self) -> &Nsvc {
        &self.nsvc
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn provided_streams(&self) -> Vec<&str> {
        self.virtual_streams()
    }

    fn is_built_against(&self, base: &Nsvc) -> bool {
        self.was_built_against(base)
    }
}

impl Candidate for ModuleRow {
    fn nsvc(&self) -> &Nsvc {
        &self.nsvc
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn provided_streams(&self) -> Vec<&str> {
        self.virtual_streams.iter().map(String::as_str).collect()
    }

    fn is_built_against(&self, base: &Nsvc) -> bool {
        self.bases.contains(base)
    }
}

/// Returns what [`ModuleResolver::latest`](super::ModuleResolver::latest) gives for one name:stream, of its ready builds.
pub fn latest<'m, C: Candidate>(builds: &[&'m C], against: &Against) -> Vec<&'m C> {
    let mut found = match against {
        Against::Anything => of_highest_version(builds.iter().copied()),
        Against::FirstOf(lists) => lists.iter().flat_map(|bases| latest_on_first(builds, bases)).collect(),
    };
    found.sort_by_key(|build| (Reverse(build.nsvc().version), build.nsvc().context.clone()));
    found.dedup_by_key(|build| build.nsvc());
    found
}

fn latest_on_first<'m, C: Candidate>(builds: &[&'m C], bases: &[Nsvc]) -> Vec<&'m C> {
    let on = |base| builds.iter().copied().filter(move |build| build.is_built_against(base));
    let first = bases.iter().find(|base| on(*base).next().is_some());
    first.map(|base| of_highest_version(on(base))).unwrap_or_default()
}

/// Returns what [`ModuleResolver::compatible_bases`](super::ModuleResolver::compatible_bases) gives for a base module build, of
/// all builds of its name.
pub fn compatible<'m, C: Candidate>(of_name: &[&'m C], base: &'m C, retired: Retired) -> Vec<&'m C> {
    let provided = base.provided_streams();
    let is_compatible = |build: &&C| build.provided_streams().iter().any(|stream| provided.contains(stream));
    let compatible = || of_name.iter().copied().filter(is_compatible);
    let mut bases = highest_of_streams(compatible().filter(|build| build.is_ready()));
    if retired == Retired::Included {
        bases.extend(highest_of_streams(compatible().filter(|build| !build.is_ready())));
    }
    if !bases.iter().any(|build| build.nsvc() == base.nsvc()) {
        bases.push(base);
    }
    bases.sort_by_key(|build| Reverse((stream_rank(&build.nsvc().stream), build.nsvc().clone())));
    bases
}

/// Returns what [`ModuleResolver::providers`](super::ModuleResolver::providers) gives for a virtual stream, of all builds of
/// its name.
pub fn providers<'m, C: Candidate>(of_name: &[&'m C], stream: &Stream) -> Vec<&'m C> {
    let provides = |build: &&C| build.is_ready() && build.provided_streams().contains(&stream.as_str());
    highest_of_streams(of_name.iter().copied().filter(provides))
}

fn of_highest_version<'m, C: Candidate>(builds: impl Iterator<Item = &'m C>) -> Vec<&'m C> {
    let builds: Vec<&C> = builds.collect();
    let highest = builds.iter().map(|build| build.nsvc().version).max();
    builds.into_iter().filter(|build| Some(build.nsvc().version) == highest).collect()
}

/// Keeps the build of each stream that comes last by version, then context; sorted by stream.
fn highest_of_streams<'m, C: Candidate>(builds: impl Iterator<Item = &'m C>) -> Vec<&'m C> {
    let mut highest: BTreeMap<&Stream, &C> = BTreeMap::new();
    for build in builds {
        let best = highest.entry(&build.nsvc().stream).or_insert(build);
        if best.nsvc() < build.nsvc() {
            *best = build;
        }
    }
    highest.into_values().collect()
}

/// Orders base module streams; the suffixes of the configuration are not known here.
fn stream_rank(stream: &Stream) -> u64 {
    // Stream versions are whole numbers without a suffix, and far below what a float holds exactly.
    stream_version(stream.as_str(), Padding::Right, 0.0).max(0.0) as u64
}
