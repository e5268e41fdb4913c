//! What building a module would take: its batches, what would be reused and why not, and what it would cost. For a preview,
//! before anything is recorded, and without asking a build system or git.
//!
//! Refs are not resolved here. A component whose ref is the same text as in the earlier build counts as unchanged, which holds
//! as long as nobody pushed; one with another ref is built unless it turns out to be the same commit. Nobody knows how long
//! components take here, so each has the cost of an unknown one. The earlier build is looked for on the build's own base stream
//! only, and the newest version is taken for the one completed last: [`crate::reuse`] knows better, of recorded builds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::batch::{self, BuildOrder, Entry, Inclusions, OrderError};
use crate::context::build_context;
use crate::ident::{Arch, Batch, BuildId, CommitId, Name, Nsvc, Nvr, Package, Stream, Weight};
use crate::model::{
    BuildState, ComponentBuild, ComponentSource, ModuleBuild, NewBuild, Ordering, RebuildStrategy, Verdict,
    WhyRebuild,
};
use crate::modulemd::{ModuleStream, Xmd, given};
use crate::policy::{Policy, Reuse};
use crate::resolver::KnownModule;
use crate::reuse;
use crate::shared::Shared;

/// What stands where a commit is not known.
const UNKNOWN_COMMIT: &str = "0000000000000000000000000000000000000000";

/// What building a module would take.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// What orders the components.
    pub ordering: Ordering,
    /// By batch, then by name; module-build-macros and what included modules bring are left out.
    pub components: Vec<PlannedComponent>,
    /// Included modules, whose components are not looked at.
    pub included: Vec<String>,
    /// The earlier build that components would be taken from; `None`: none fits.
    pub source: Option<Nsvc>,
    /// The cost of all that is built.
    pub cost: Weight,
    /// The cost of the longest row of components that wait for each other.
    pub longest: Weight,
}

/// What would become of a component.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedComponent {
    /// The source package.
    pub package: Package,
    /// The run it belongs to; on graphs its depth + 2.
    pub batch: Batch,
    /// On graphs: what it waits for.
    pub after: Vec<Package>,
    /// Its ref as it stands in the document, or by default.
    pub git_ref: String,
    /// What building it costs.
    pub cost: Weight,
    /// Whether it is built.
    pub fate: Fate,
}

/// Whether a component would be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is taken from the earlier build.
    Reused,
    /// It is taken from the earlier build, provided that its ref is still this commit.
    ReusedIfStill(CommitId),
    /// It is built, unless its ref is this commit.
    BuiltUnless(CommitId),
    /// It is built.
    Built(WhyRebuild),
}

impl Fate {
    /// Says whether it is built, as far as can be told.
    pub fn is_built(&self) -> bool {
        matches!(self, Fate::BuiltUnless(_) | Fate::Built(_))
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Reused => f.write_str("reused"),
            Fate::ReusedIfStill(commit) => write!(f, "reused, if its ref is still {commit}"),
            Fate::BuiltUnless(commit) => write!(f, "built, unless its ref is {commit}"),
            Fate::Built(why) => write!(f, "built: {why}"),
        }
    }
}

/// Works it out. `earlier` holds builds that may be reused from, in any order, unfit ones among them.
///
/// # Errors
/// The components cannot be ordered.
pub fn outlook(new: &NewBuild, earlier: &[KnownModule], policy: &Policy) -> Result<Outlook, OrderError> {
    let order = order(&new.document)?;
    let source = source(new, earlier, policy);
    let mut ours = build(new.clone(), &order);
    let theirs = source.map(|module| earlier_build(module, policy)).transpose()?;
    for component in &mut ours.components {
        let git_ref = git_ref(&order, &component.package, policy);
        let then = theirs.as_ref().and_then(|theirs| theirs.component(component.package.as_str()));
        let then_ref = source.and_then(|module| written_ref(&module.document, &component.package));
        component.source = git(guess(&git_ref, then, then_ref.as_deref()));
        // Those that name no architectures get those of the installation, as they did then.
        if component.arches.is_empty()
            && let Some(then) = then
        {
            component.arches.clone_from(&then.arches);
        }
    }
    let verdicts = reuse::verdicts(&ours, theirs.as_ref());
    let components: Vec<PlannedComponent> =
        ours.components.iter().map(|one| planned(one, &verdicts, &order, theirs.as_ref(), policy)).collect();
    for component in &mut ours.components {
        let is_built = components.iter().any(|one| one.package == component.package && one.fate.is_built());
        component.weight = if is_built { Weight::UNKNOWN } else { Weight::default() };
    }
    Ok(Outlook {
        ordering: order.ordering,
        included: new.document.modules.keys().cloned().collect(),
        source: source.map(|module| module.nsvc.clone()),
        cost: Weight::new(ours.components.iter().map(|component| component.weight.cost()).sum()),
        longest: longest(&ours.components, order.ordering),
        components,
    })
}

fn order(document: &ModuleStream) -> Result<BuildOrder, OrderError> {
    if document.modules.is_empty() {
        return batch::order(document, &Inclusions::default());
    }
    let own = ModuleStream { modules: BTreeMap::new(), ..document.clone() };
    batch::order(&own, &Inclusions::default())
}

/// Returns the newest earlier build of the same stream and build context.
fn source<'m>(new: &NewBuild, earlier: &'m [KnownModule], policy: &Policy) -> Option<&'m KnownModule> {
    let is_named_so = |module: &&KnownModule| module.nsvc.name_stream() == new.nsvc.name_stream();
    let fits = |module: &&KnownModule| {
        let context = build_context(&built_with(&module.document));
        let is_usable = || order(&module.document).is_ok();
        module.is_ready && module.nsvc != new.nsvc && context == new.contexts.build && is_usable()
    };
    let counts = policy.reuse != Reuse::Never && new.strategy != RebuildStrategy::All;
    earlier.iter().filter(|_| counts).filter(is_named_so).filter(fits).max_by_key(|module| &module.nsvc)
}

fn built_with(document: &ModuleStream) -> BTreeMap<Name, Stream> {
    let entries = document.xmd.at(&["mbs", "buildrequires"]).map(Xmd::entries).unwrap_or_default();
    let stream = |(name, entry): &(String, Xmd)| {
        let stream = entry.value("stream").and_then(Xmd::spelling)?;
        Some((Name::new(name.as_str()).ok()?, Stream::new(stream).ok()?))
    };
    entries.iter().filter_map(stream).collect()
}

/// Makes the record of a build of which only the document is known.
fn build(new: NewBuild, order: &BuildOrder) -> ModuleBuild {
    let mut build = ModuleBuild::begin(new, BuildId(0), BuildId(0), jiff::Timestamp::UNIX_EPOCH);
    build.ordering = order.ordering;
    build.components = order.entries.iter().map(|entry| Shared::from(component(entry))).collect();
    build
}

fn component(entry: &Entry) -> ComponentBuild {
    let arches = entry.component.arches.iter().filter_map(|arch| Arch::new(arch.as_str()).ok());
    ComponentBuild {
        after: entry.after.clone(),
        arches: arches.collect(),
        ..ComponentBuild::new(entry.package.clone(), git(None), entry.batch)
    }
}

fn git(commit: Option<CommitId>) -> ComponentSource {
    let unknown = || CommitId::new(UNKNOWN_COMMIT).expect("zeros are a valid commit");
    ComponentSource::Git { url: String::new(), commit: commit.unwrap_or_else(unknown) }
}

fn earlier_build(module: &KnownModule, policy: &Policy) -> Result<ModuleBuild, OrderError> {
    let new = NewBuild {
        nsvc: module.nsvc.clone(),
        owner: String::new(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::default(),
        reuse_from: None,
        origin: None,
        document: Arc::clone(&module.document),
        contexts: crate::context::Contexts::default(),
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    };
    let mut build = build(new, &order(&module.document)?);
    for component in &mut build.components {
        let package = component.package.clone();
        let commit =
            module.document.xmd.at(&["mbs", "rpms", package.as_str(), "ref"]).and_then(Xmd::spelling);
        let Some(commit) = commit.and_then(|commit| CommitId::new(commit).ok()) else { continue };
        component.source = git(Some(commit));
        component.state = Some(BuildState::Complete);
        component.nvr = Some(Nvr::of(package.as_str(), "0", "0"));
        if component.arches.is_empty() {
            component.arches.clone_from(&policy.arches);
        }
    }
    Ok(build)
}

fn entry<'o>(order: &'o BuildOrder, package: &Package) -> Option<&'o Entry> {
    order.entries.iter().find(|entry| entry.package == *package)
}

fn git_ref(order: &BuildOrder, package: &Package, policy: &Policy) -> String {
    let written = entry(order, package).and_then(|entry| given(entry.component.git_ref.as_ref()));
    written.unwrap_or(&policy.default_branch).to_owned()
}

fn written_ref(document: &ModuleStream, package: &Package) -> Option<String> {
    let named = |(key, component): (&String, &crate::modulemd::RpmComponent)| {
        let is_it = given(component.name.as_ref()).unwrap_or(key) == package.as_str();
        is_it.then(|| component.git_ref.clone()).flatten()
    };
    document.rpms.iter().find_map(named)
}

/// Returns the commit that a ref is, or is taken for: what it was then, if it is the same ref.
fn guess(git_ref: &str, then: Option<&ComponentBuild>, then_ref: Option<&str>) -> Option<CommitId> {
    let unmoved =
        || then.filter(|_| then_ref == Some(git_ref)).and_then(|then| then.source.commit().cloned());
    CommitId::new(git_ref).ok().or_else(unmoved)
}

fn planned(
    component: &ComponentBuild,
    verdicts: &BTreeMap<Package, Verdict>,
    order: &BuildOrder,
    theirs: Option<&ModuleBuild>,
    policy: &Policy,
) -> PlannedComponent {
    let git_ref = git_ref(order, &component.package, policy);
    let is_commit = CommitId::new(git_ref.as_str()).is_ok();
    let then = theirs.and_then(|theirs| theirs.component(component.package.as_str()));
    let then = then.and_then(|then| then.source.commit().cloned());
    let fate = match (verdicts.get(&component.package), then) {
        (Some(Verdict::Reuse { .. }), Some(then)) if !is_commit => Fate::ReusedIfStill(then),
        (Some(Verdict::Reuse { .. }), _) => Fate::Reused,
        (Some(Verdict::Rebuild(WhyRebuild::OtherCommit { .. })), Some(then)) if !is_commit => {
            Fate::BuiltUnless(then)
        }
        (Some(Verdict::Rebuild(why)), _) => Fate::Built(why.clone()),
        (None, _) => Fate::Built(WhyRebuild::NoSource),
    };
    PlannedComponent {
        package: component.package.clone(),
        batch: component.batch,
        after: component.after.clone(),
        git_ref,
        cost: Weight::UNKNOWN,
        fate,
    }
}

fn longest(components: &[Shared<ComponentBuild>], ordering: Ordering) -> Weight {
    match ordering {
        Ordering::Graph => {
            let paths = batch::remaining_path(components).into_values();
            paths.max_by(|a, b| a.total_cmp(*b)).unwrap_or_default()
        }
        Ordering::Batches => {
            let mut of_batch: BTreeMap<Batch, f64> = BTreeMap::new();
            for component in components {
                let heaviest = of_batch.entry(component.batch).or_default();
                *heaviest = heaviest.max(component.weight.cost());
            }
            Weight::new(of_batch.values().sum())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulemd::{Limits, read_submission};
    use crate::submission::testing::{map, new_build};

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn document(components: &str) -> ModuleStream {
        let text = format!(
            "document: modulemd
version: 2
data:
  name: app
  stream: '1'
  summary: An example
  description: An example.
  license: {{module: [MIT]}}
  components:
    rpms: {components}
"
        );
        let (read, _) = read_submission(&text, None, &Limits::of_submission()).unwrap();
        read.into_streams().pop().unwrap()
    }

    fn new(components: &str) -> NewBuild {
        let mut new = new_build("app:1:9:new");
        new.document = Arc::new(document(components));
        new.contexts.build = build_context(&[("platform".parse().unwrap(), "f28".parse().unwrap())].into());
        new
    }

    /// An earlier build on `f28` whose components were at these commits.
    fn earlier(components: &str, commits: &[(&str, &str)]) -> KnownModule {
        let mut document = document(components);
        let rpms =
            commits.iter().map(|(package, commit)| ((*package).to_owned(), map([("ref", (*commit).into())])));
        let buildrequires = map([("platform", map([("stream", "f28".into())]))]);
        let rpms = Xmd::Map(rpms.collect());
        document.xmd = map([("mbs", map([("buildrequires", buildrequires), ("rpms", rpms)]))]);
        let nsvc = "app:1:5:old".parse().unwrap();
        KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready: true }
    }

    fn fates(outlook: &Outlook) -> Vec<String> {
        outlook.components.iter().map(|one| format!("{} {} {}", one.package, one.batch, one.fate)).collect()
    }

    fn looked(new: &NewBuild, earlier: &[KnownModule]) -> Outlook {
        outlook(new, earlier, &Policy::default()).unwrap()
    }

    #[test]
    fn without_an_earlier_build_everything_is_built_batch_by_batch() {
        let new =
            new("{b: {rationale: r, buildorder: 1}, a: {rationale: r}, c: {rationale: r, buildorder: 1}}");
        let outlook = looked(&new, &[]);
        let no_source = "built: there is no earlier build to reuse from";
        assert_eq!(
            fates(&outlook),
            [format!("a 2 {no_source}"), format!("b 3 {no_source}"), format!("c 3 {no_source}")]
        );
        assert_eq!((outlook.cost.cost(), outlook.longest.cost()), (4.5, 3.0));
        assert_eq!((outlook.source, outlook.components[0].git_ref.as_str()), (None, "master"));
    }

    #[test]
    fn what_has_the_same_ref_is_reused_if_nobody_pushed() {
        let components = format!("{{a: {{rationale: r, ref: f28}}, b: {{rationale: r, ref: '{HASH}'}}}}");
        let other = HASH.replace('0', "a");
        let before = earlier(&components, &[("a", &other), ("b", HASH)]);
        let outlook = looked(&new(&components), std::slice::from_ref(&before));
        assert_eq!(
            fates(&outlook),
            [format!("a 2 reused, if its ref is still {other}"), "b 2 reused".to_owned()]
        );
        assert_eq!((outlook.source, outlook.cost.cost()), (Some(before.nsvc), 0.0));
    }

    #[test]
    fn another_ref_is_built_unless_it_is_the_same_commit_and_so_is_what_follows() {
        let written = "{a: {rationale: r, ref: f28}, b: {rationale: r, ref: f28, buildorder: 1}}";
        let before = earlier(written, &[("a", HASH), ("b", HASH)]);
        let now = new("{a: {rationale: r, ref: f29}, b: {rationale: r, ref: f28, buildorder: 1}}");
        let outlook = looked(&now, &[before]);
        assert_eq!(
            fates(&outlook),
            [
                format!("a 2 built, unless its ref is {HASH}"),
                "b 3 built: something it may depend on changed: a".to_owned()
            ]
        );
    }

    #[test]
    fn a_build_on_another_base_is_no_source() {
        let components = "{a: {rationale: r}}";
        let mut new = new(components);
        new.contexts.build = "other".into();
        assert_eq!(looked(&new, &[earlier(components, &[("a", HASH)])]).source, None);
    }

    #[test]
    fn on_a_graph_the_longest_row_counts() {
        let new = new(
            "{a: {rationale: r}, b: {rationale: r, buildafter: [a]}, c: {rationale: r, buildafter: [b]}, d: {rationale: r}}",
        );
        let outlook = looked(&new, &[]);
        assert_eq!(
            (outlook.ordering, outlook.cost.cost(), outlook.longest.cost()),
            (Ordering::Graph, 6.0, 4.5)
        );
        assert_eq!(outlook.components[2].after, ["a".parse::<Package>().unwrap()]);
    }
}
