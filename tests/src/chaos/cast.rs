//! The modules, and what every process takes for granted: the rules, the base module, the sources. The same each time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mbs_core::context::Contexts;
use mbs_core::ident::{Arch, Nsvc, TagName};
use mbs_core::memory::{MemoryResolver, MemorySourceControl};
use mbs_core::model::{NewBuild, RebuildStrategy};
use mbs_core::modulemd::{ModuleStream, RpmComponent, Xmd};
use mbs_core::policy::Policy;
use mbs_core::resolver::KnownModule;

/// How many modules there are.
pub const MODULES: usize = 200;

/// How many components each has, beside the macros.
pub const COMPONENTS: usize = 10;

/// The limit on builds in progress.
pub const LIMIT: u32 = 20;

/// The name under which what was published is noted.
pub const SINK: &str = "bus";

/// How long leases, submissions and late calls last.
pub(super) const MARGIN: Duration = Duration::from_secs(2);

const BASE: &str = "platform:f40:1:00000000";
const BASE_TAG: &str = "f40-build";
const BRANCH: &str = "main";

/// Returns the rules: everything that takes minutes on a real hub takes moments. Who waits for others is woken or waits for
/// ever: the pause of those who have nothing to do stays longer than the test.
pub fn policy() -> Policy {
    Policy {
        rpms_allow_repository: true,
        lease: MARGIN,
        submit_within: MARGIN,
        margin: MARGIN,
        min_gap: Duration::from_millis(100),
        poll_floor: Duration::from_secs(1),
        idle_floor: Duration::from_secs(3_600),
        claim_floor: Duration::from_secs(1),
        publish_floor: Duration::from_millis(500),
        call_within: Duration::from_secs(5),
        ask_again: Duration::from_secs(3),
        adapt_every: Duration::from_millis(200),
        backoff_first: Duration::from_millis(200),
        backoff_longest: Duration::from_secs(5),
        ..Policy::default()
    }
}

/// Returns the submission of a module.
pub fn new_build(place: usize) -> NewBuild {
    let nsvc: Nsvc =
        format!("{}:1:1:c0ffee00", module_name(place)).parse().expect("the four parts are valid");
    NewBuild {
        document: Arc::new(document(place)),
        nsvc,
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::default(),
        reuse_from: None,
        origin: None,
        contexts: Contexts { build: "b".into(), runtime: "r".into(), ..Contexts::default() },
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: vec![base()],
    }
}

/// Returns the tag of the base module.
pub fn base_tag() -> TagName {
    TagName::new(BASE_TAG).expect("the base tag is valid")
}

/// Returns the architectures of that tag.
pub(super) fn arches() -> Vec<Arch> {
    vec![Arch::new("x86_64").expect("the architecture is valid")]
}

/// Returns a resolver that knows the base module.
pub(super) fn resolver() -> MemoryResolver {
    let document =
        ModuleStream { name: Some("platform".into()), stream: Some("f40".into()), ..ModuleStream::default() };
    let base =
        KnownModule { nsvc: base(), tag: Some(base_tag()), document: Arc::new(document), is_ready: true };
    MemoryResolver::new([base]).expect("one module does not conflict with itself")
}

/// Returns the repositories of all components.
pub(super) fn sources() -> MemorySourceControl {
    let sources = MemorySourceControl::new();
    for (module, place) in (0..MODULES).flat_map(|module| (0..COMPONENTS).map(move |place| (module, place))) {
        let key = component_key(module, place);
        sources.commit(&repository(&key), BRANCH, Timestamp::UNIX_EPOCH, &[("a.spec", &key)]);
    }
    sources
}

fn base() -> Nsvc {
    BASE.parse().expect("the base module's identity is valid")
}

fn module_name(place: usize) -> String {
    format!("module{place:03}")
}

fn component_key(module: usize, place: usize) -> String {
    format!("{}-{place}", module_name(module))
}

fn repository(key: &str) -> String {
    format!("memory:{key}")
}

fn document(module: usize) -> ModuleStream {
    let mut entry = Xmd::default();
    let base = [("stream", "f40"), ("version", "1"), ("context", "00000000"), ("koji_tag", BASE_TAG)];
    base.into_iter().for_each(|(key, value)| entry.set(key, value.into()));
    let map = |key: &str, value: Xmd| Xmd::Map(vec![(key.to_owned(), value)]);
    ModuleStream {
        name: Some(module_name(module)),
        stream: Some("1".into()),
        summary: "A module amid chaos".into(),
        description: "A module amid chaos.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd: map("mbs", map("buildrequires", map("platform", entry))),
        rpms: (0..COMPONENTS).map(|place| (component_key(module, place), component(module, place))).collect(),
        ..ModuleStream::default()
    }
}

/// Makes a component. Of three modules one has a single batch, one has three, and one is a graph.
fn component(module: usize, place: usize) -> RpmComponent {
    let (buildorder, after) = match module % 3 {
        0 => (0, None),
        1 => (i64::try_from(place / 4).unwrap_or(0), None),
        _ => (0, (place > 0).then(|| component_key(module, (place - 1) / 2))),
    };
    RpmComponent {
        repository: Some(repository(&component_key(module, place))),
        git_ref: Some(BRANCH.into()),
        rationale: "It is built again and again.".into(),
        buildorder,
        buildafter: after.into_iter().collect(),
        ..RpmComponent::default()
    }
}
