//! The modules that a local build may require: a base module that stands for this machine, and earlier local results that
//! the user named.
//!
//! The base module has no tag: what the machine has installed is what it brings. A local result is taken whatever base it
//! was built against. Which of several streams is meant is decided in [`mbs_core::submission`].

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use mbs_core::ident::{Context, InvalidIdent, Name, NameStream, Nsvc, Stream, TagName, Version};
use mbs_core::memory::MemoryResolver;
use mbs_core::model::ModuleBuild;
use mbs_core::modulemd::{ModuleStream, Profile, Xmd};
use mbs_core::resolver::{Against, KnownModule, ModuleResolver, ResolverError, Retired};
use mbs_core::store::{ModuleRow, ModulesAsked, Store, StoreError};

/// Where systems say what they are, first come first.
const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// The base module of a system that does not say what it is.
const UNKNOWN_PLATFORM: &str = "platform:linux";

/// The base module and the local results of one run.
#[derive(Debug)]
pub struct LocalModules {
    resolver: MemoryResolver,
}

impl LocalModules {
    /// Knows the base module, and these finished builds.
    ///
    /// # Errors
    /// `Conflict`: the document of a build names another module, or two builds have the same identity.
    pub fn new(base: &NameStream, results: &[ModuleBuild]) -> Result<Self, ResolverError> {
        let resolver = MemoryResolver::new([base_module(base)])?;
        for build in results {
            resolver.add(KnownModule {
                nsvc: build.nsvc().clone(),
                tag: build.koji_tag.clone(),
                document: Arc::clone(&build.new.document),
                is_ready: true,
            })?;
        }
        Ok(Self { resolver })
    }
}

#[async_trait]
impl ModuleResolver for LocalModules {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        self.resolver.streams(names).await
    }

    /// The base does not matter: who names a local result wants that one.
    async fn latest(
        &self,
        modules: &[NameStream],
        _against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        self.resolver.latest(modules, &Against::Anything).await
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        self.resolver.builds(nsvcs).await
    }

    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        self.resolver.compatible_bases(bases, retired).await
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        self.resolver.providers(virtual_streams).await
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        self.resolver.in_tag(tag).await
    }

    async fn is_end_of_life(&self, _: &NameStream) -> Result<bool, ResolverError> {
        Err(ResolverError::Unsupported { what: "the end of life of streams" })
    }
}

/// Returns the base module of this machine, as its os-release says.
pub fn platform_of_machine() -> NameStream {
    let said = OS_RELEASE.iter().find_map(|path| fs::read_to_string(Path::new(path)).ok());
    platform_of(&said.unwrap_or_default())
}

/// Returns the base module that an os-release stands for: its `PLATFORM_ID`, else one made of `ID` and `VERSION_ID`, else
/// `platform:linux`.
pub fn platform_of(os_release: &str) -> NameStream {
    let value = |key: &str| os_release.lines().find_map(|line| value_of(line.trim(), key));
    let of_platform_id = || value("PLATFORM_ID")?.parse().ok();
    let of_id = || {
        let stream = format!("{}{}", value("ID")?, value("VERSION_ID").unwrap_or_default());
        format!("platform:{}", stream.replace('-', "_")).parse().ok()
    };
    let platform: Option<NameStream> = of_platform_id().or_else(of_id);
    platform.unwrap_or_else(|| UNKNOWN_PLATFORM.parse().expect("the built-in platform is valid"))
}

fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let value = line.strip_prefix(key)?.strip_prefix('=')?.trim_matches(['"', '\'']);
    (!value.is_empty()).then_some(value)
}

fn base_module(base: &NameStream) -> KnownModule {
    let nsvc = Nsvc {
        name: base.name.clone(),
        stream: base.stream.clone(),
        version: Version(1),
        context: Context::new("000000").expect("the built-in context is valid"),
    };
    let document = base_document(&nsvc);
    KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready: true }
}

fn base_document(nsvc: &Nsvc) -> ModuleStream {
    let is_markable = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    let marking: String = nsvc.stream.as_str().chars().filter(is_markable).collect();
    let mbs = [
        ("mse", Xmd::Bool(true)),
        ("buildrequires", Xmd::Map(Vec::new())),
        ("disttag_marking", Xmd::Text(marking)),
    ];
    let mbs = Xmd::Map(mbs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
    let empty = |name: &str| (name.to_owned(), Profile::default());
    ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        version: Some(nsvc.version.0),
        context: Some(nsvc.context.to_string()),
        summary: "This machine".to_owned(),
        description: "The packages that are installed on this machine.".to_owned(),
        module_licenses: ["MIT".to_owned()].into(),
        profiles: [empty("buildroot"), empty("srpm-buildroot")].into(),
        xmd: Xmd::Map(vec![("mbs".to_owned(), mbs)]),
        ..ModuleStream::default()
    }
}

/// An earlier local result: `NAME[:STREAM[:VERSION]]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedResult {
    /// The module.
    pub name: Name,
    /// Its stream; `None`: any.
    pub stream: Option<Stream>,
    /// Its version; `None`: the highest.
    pub version: Option<Version>,
}

impl FromStr for WantedResult {
    type Err = InvalidIdent;

    fn from_str(text: &str) -> Result<Self, InvalidIdent> {
        let mut parts = text.splitn(3, ':');
        let name = Name::new(parts.next().unwrap_or_default())?;
        let stream = parts.next().map(Stream::new).transpose()?;
        let version = parts.next().map(str::parse).transpose()?;
        Ok(Self { name, stream, version })
    }
}

impl fmt::Display for WantedResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(stream) = &self.stream {
            write!(f, ":{stream}")?;
        }
        match &self.version {
            Some(version) => write!(f, ":{version}"),
            None => Ok(()),
        }
    }
}

impl WantedResult {
    fn admits(&self, nsvc: &Nsvc) -> bool {
        self.name == nsvc.name
            && self.stream.as_ref().is_none_or(|stream| *stream == nsvc.stream)
            && self.version.is_none_or(|version| version == nsvc.version)
    }
}

/// Finds the finished builds of a wanted result: those of the highest version that fits, one per context, sorted by
/// context; empty if there is none. Builds on the base module come before all others, which serve where there are none; of
/// several streams the one with the highest version counts.
///
/// # Errors
/// The store cannot be asked.
pub async fn finished_builds(
    wanted: &WantedResult,
    base: &NameStream,
    store: &dyn Store,
) -> Result<Vec<ModuleBuild>, StoreError> {
    let asked = ModulesAsked { names: vec![wanted.name.clone()], ..ModulesAsked::default() };
    let known = store.modules(&asked).await?;
    let fitting: Vec<_> = known.iter().filter(|row| row.is_ready && wanted.admits(&row.nsvc)).collect();
    let place = |row: &ModuleRow| (is_built_on(row, base), row.nsvc.version, row.nsvc.stream.clone());
    let best = fitting.iter().map(|row| place(row)).max();
    let mut builds = Vec::new();
    for row in fitting.into_iter().filter(|row| Some(place(row)) == best) {
        builds.push(store.load(row.id).await?.build);
    }
    Ok(builds)
}

/// Says whether a build was made on a base module, or on none at all.
fn is_built_on(build: &ModuleRow, base: &NameStream) -> bool {
    let bases = &build.bases;
    bases.is_empty() || bases.iter().any(|nsvc| nsvc.name == base.name && nsvc.stream == base.stream)
}

#[cfg(test)]
mod tests {
    use mbs_core::context::Contexts;
    use mbs_core::ident::BuildId;
    use mbs_core::memory::{ManualClock, MemoryStore};
    use mbs_core::model::{NewBuild, RebuildStrategy, State};
    use mbs_core::policy::Policy;
    use mbs_core::store::{Amend, Builds as _, Work as _};

    use super::*;

    fn new_build(nsvc: &str) -> NewBuild {
        let nsvc: Nsvc = nsvc.parse().unwrap();
        let document = ModuleStream {
            name: Some(nsvc.name.to_string()),
            stream: Some(nsvc.stream.to_string()),
            ..ModuleStream::default()
        };
        NewBuild {
            nsvc,
            owner: "anna".into(),
            priority: 0,
            scratch: false,
            scmurl: None,
            commit: None,
            strategy: RebuildStrategy::default(),
            reuse_from: None,
            origin: None,
            document: Arc::new(document),
            contexts: Contexts::default(),
            srpms: BTreeMap::new(),
            given_srpms: Vec::new(),
            base_modules: Vec::new(),
        }
    }

    /// Makes a store with these builds, all of them ready.
    async fn store_with_ready(nsvcs: &[&str]) -> MemoryStore {
        let now = "2024-01-02T03:04:05Z".parse().unwrap();
        let store = MemoryStore::new(Arc::new(ManualClock::default()), now, &Policy::default());
        for nsvc in nsvcs {
            make_ready(&store, new_build(nsvc)).await;
        }
        store
    }

    async fn make_ready(store: &MemoryStore, new: NewBuild) {
        let now = store.now().await.unwrap();
        let id = store.create(new.into()).await.unwrap().builds[0].id;
        let loaded = store.load(id).await.unwrap();
        let mut build = loaded.build;
        for state in [State::Wait, State::Build, State::Done, State::Ready] {
            build.enter(state, None, now).unwrap();
        }
        let (by, what) = ("anna".into(), "made it ready".into());
        store.amend(Amend { now: build, revision: loaded.revision, by, what }).await.unwrap();
    }

    async fn found(wanted: &str, store: &MemoryStore) -> Vec<String> {
        let builds =
            finished_builds(&wanted.parse().unwrap(), &"platform:f40".parse().unwrap(), store).await.unwrap();
        builds.iter().map(|build| build.nsvc().to_string()).collect()
    }

    #[test]
    fn the_platform_is_what_the_system_says() {
        let fedora = "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=40\nPLATFORM_ID=\"platform:f40\"\n";
        assert_eq!(platform_of(fedora).to_string(), "platform:f40");
        let debian = "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n";
        assert_eq!(platform_of(debian).to_string(), "platform:debian12");
        assert_eq!(platform_of("ID=arch\n").to_string(), "platform:arch");
        assert_eq!(
            platform_of("ID=opensuse-leap\nVERSION_ID=15.5").to_string(),
            "platform:opensuse_leap15.5"
        );
        for unusable in ["", "PLATFORM_ID=\"\"\nID=\"\"\n", "PLATFORM_ID=x\nID=a b\n"] {
            assert_eq!(platform_of(unusable).to_string(), UNKNOWN_PLATFORM, "{unusable}");
        }
    }

    #[test]
    fn a_wanted_result_may_leave_stream_and_version_open() {
        for text in ["app", "app:1.0", "app:1.0:20"] {
            assert_eq!(text.parse::<WantedResult>().unwrap().to_string(), text);
        }
        for text in ["", ":1", "app:", "app:1:x", "app:1:2:3"] {
            assert!(text.parse::<WantedResult>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn the_highest_version_that_fits_is_found_in_all_its_contexts() {
        let store = store_with_ready(&["app:1:9:a", "app:1:10:b", "app:1:10:a", "app:2:8:a"]).await;
        assert_eq!(found("app", &store).await, ["app:1:10:a", "app:1:10:b"]);
        assert_eq!(found("app:2", &store).await, ["app:2:8:a"]);
        assert_eq!(found("app:1:9", &store).await, ["app:1:9:a"]);
        assert!(found("app:3", &store).await.is_empty());
        assert!(found("other", &store).await.is_empty());
    }

    #[tokio::test]
    async fn builds_on_the_base_module_come_first_and_others_serve_without_them() {
        let store = store_with_ready(&["app:1:9:a"]).await;
        let mut newer = new_build("app:1:10:a");
        newer.base_modules = vec!["platform:el9:1:000000".parse().unwrap()];
        make_ready(&store, newer).await;
        assert_eq!(found("app", &store).await, ["app:1:9:a"]);
        let mut only = new_build("other:1:1:a");
        only.base_modules = vec!["platform:el9:1:000000".parse().unwrap()];
        make_ready(&store, only).await;
        assert_eq!(found("other", &store).await, ["other:1:1:a"]);
    }

    #[tokio::test]
    async fn builds_that_are_not_ready_are_not_found() {
        let store = store_with_ready(&["app:1:9:a"]).await;
        store.create(new_build("app:1:10:a").into()).await.unwrap();
        assert_eq!(found("app:1", &store).await, ["app:1:9:a"]);
    }

    #[tokio::test]
    async fn a_local_result_is_taken_whatever_it_was_built_against() {
        let store = store_with_ready(&["app:1:9:a"]).await;
        let build = store.load(BuildId(1)).await.unwrap().build;
        let base: NameStream = "platform:f40".parse().unwrap();
        let modules = LocalModules::new(&base, &[build]).unwrap();
        let app: NameStream = "app:1".parse().unwrap();
        let other = "platform:f39:1:000000".parse().unwrap();
        let latest =
            modules.latest(std::slice::from_ref(&app), &Against::FirstOf(vec![vec![other]])).await.unwrap();
        assert_eq!(latest[&app][0].nsvc.to_string(), "app:1:9:a");
    }

    #[tokio::test]
    async fn the_base_module_is_known_and_has_no_tag() {
        let base: NameStream = "platform:el-8".parse().unwrap();
        let modules = LocalModules::new(&base, &[]).unwrap();
        let latest = modules.latest(std::slice::from_ref(&base), &Against::Anything).await.unwrap();
        let known = &latest[&base][0];
        assert_eq!((known.nsvc.to_string().as_str(), &known.tag), ("platform:el-8:1:000000", &None));
        let marking = mbs_core::naming::marking(&Policy::default(), std::slice::from_ref(known)).unwrap();
        assert_eq!(marking.as_deref(), Some("el8"));
        let of = std::slice::from_ref(&known.nsvc);
        let bases = modules.compatible_bases(of, Retired::Included).await.unwrap();
        assert_eq!(bases[&known.nsvc].len(), 1);
    }

    #[test]
    fn a_result_whose_document_names_another_module_is_refused() {
        let mut new = new_build("app:1:9:a");
        Arc::make_mut(&mut new.document).stream = Some("2".into());
        let now = "2024-01-02T03:04:05Z".parse().unwrap();
        let build = ModuleBuild::begin(new, BuildId(1), BuildId(1), now);
        let refused = LocalModules::new(&"platform:f40".parse().unwrap(), &[build]).unwrap_err();
        assert!(matches!(refused, ResolverError::Conflict { .. }), "{refused}");
    }
}
