//! The modules that files describe: the `modules.yaml` of a repository, or a folder of documents. It decides which builds there
//! are and on what they run; which of them are chosen is decided in [`mbs_core::expansion`].
//!
//! | in the files | becomes |
//! | --- | --- |
//! | `modulemd` 1 and 2 with name and stream | a build that is ready; a missing version is 0, a missing context `00000000` |
//! | `xmd.mbs.koji_tag` | its tag |
//! | a base stream that is required at run time and described nowhere | a base module `name:stream:1:00000000` |
//! | `modulemd-packager` 3, defaults, obsoletes, translations | nothing |
//! | what cannot be read; an identity for the second time with another document | a problem: the rest counts |
//!
//! `modulemd-packager` 2 is a `modulemd` document by another name, and read as one. Files do not say reliably which build of a
//! base module something was built against: here that is any base module on which it runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use mbs_core::ident::{Name, NameStream, Nsvc, Stream, TagName};
use mbs_core::memory::MemoryResolver;
use mbs_core::modulemd::{Limits, ModuleStream};
use mbs_core::resolver::{Against, KnownModule, ModuleResolver, ResolverError, Retired};

mod documents;
mod problems;
mod walk;

use documents::Found;
use problems::Problems;

/// So much is read of all files together, unpacked: 256 MiB.
const MOST_BYTES: usize = 256 << 20;

/// The modules of some files, as they were when read.
///
/// It differs from what [`ModuleResolver`] promises in one thing: in [`Against::FirstOf`] a build counts as built against every
/// base module build that the `requires` of one of its dependency pairs allow. A pair that does not name the base allows it; a
/// build without pairs runs everywhere.
#[derive(Debug)]
pub struct ModuleFiles {
    resolver: MemoryResolver,
    builds: BTreeMap<NameStream, Vec<KnownModule>>,
    problems: Vec<String>,
}

/// Why files of modules cannot be used. The person who named them has to change that.
#[derive(Debug, thiserror::Error)]
pub enum ModuleFilesError {
    /// A path leads nowhere.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// There is no module that can be read.
    #[error("there is no module document{}", reasons(problems))]
    Nothing {
        /// What was odd, in the order in which it was met; may be empty.
        problems: Vec<String>,
    },
}

fn reasons(problems: &[String]) -> String {
    problems.iter().map(|problem| format!("\n{problem}")).collect()
}

impl ModuleFiles {
    /// Reads files and folders, the earlier one counting where two describe the same build. It blocks.
    ///
    /// A file holds one or many documents, may be compressed by gzip, and is read within the limits of [`Limits::default`]. In a
    /// folder `*.yaml` and `*.yml`, also with `.gz` behind, are read by name, up to three folders deep; hidden ones and links
    /// that lead out of it are not. 10,000 files and 256 MiB are read at most.
    ///
    /// # Errors
    /// `Missing`: a path does not exist. `Nothing`: no module was found in any of them.
    pub fn read(paths: &[PathBuf], base_module_names: &[Name]) -> Result<Self, ModuleFilesError> {
        let mut problems = Problems::default();
        let files = walk::files(paths, &mut problems)?;
        let found = read_all(&files, &mut problems);
        let problems = problems.into_texts();
        if found.is_empty() {
            return Err(ModuleFilesError::Nothing { problems });
        }
        Ok(Self::new(found.into_builds(base_module_names), problems))
    }

    fn new(all: Vec<KnownModule>, problems: Vec<String>) -> Self {
        let mut builds: BTreeMap<NameStream, Vec<KnownModule>> = BTreeMap::new();
        for build in &all {
            builds.entry(build.nsvc.name_stream()).or_default().push(build.clone());
        }
        let resolver = MemoryResolver::new(all).expect("identities are distinct and those of the documents");
        Self { resolver, builds, problems }
    }

    /// Returns what was skipped and why, for people: `file:line:column: what`, in the order in which it was met.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Returns every build, base modules included, by identity.
    pub fn all(&self) -> impl Iterator<Item = &KnownModule> {
        self.builds.values().flatten()
    }

    /// Returns what is known of a base module build: of one that is in no file, what its stream provides here, if anything.
    fn base(&self, nsvc: &Nsvc) -> KnownModule {
        let of_stream = self.builds.get(&nsvc.name_stream()).map(Vec::as_slice).unwrap_or_default();
        let described = of_stream.iter().find(|build| build.nsvc == *nsvc).or(of_stream.last());
        let document =
            described.map_or_else(|| Arc::new(ModuleStream::default()), |base| Arc::clone(&base.document));
        KnownModule { nsvc: nsvc.clone(), tag: None, document, is_ready: true }
    }

    /// Says whether a build counts as built against a base module build: its record says so of the stream, or of none that is
    /// described here, and then it is enough that it runs on it.
    fn is_built_on(&self, build: &KnownModule, base: &KnownModule) -> bool {
        let name = &base.nsvc.name;
        let recorded = build.built_with(name).and_then(|stream| stream.parse::<Stream>().ok());
        let described = recorded
            .map(|stream| NameStream { name: name.clone(), stream })
            .filter(|recorded| self.builds.contains_key(recorded));
        match described {
            Some(recorded) => recorded == base.nsvc.name_stream(),
            None => runs_on(build, base),
        }
    }

    /// Returns, of each list, the highest version on the first base on which anything counts as built.
    fn latest_on(&self, module: &NameStream, lists: &[Vec<KnownModule>]) -> Vec<KnownModule> {
        let builds = self.builds.get(module).map(Vec::as_slice).unwrap_or_default();
        let on = |base: &KnownModule| -> Vec<&KnownModule> {
            builds.iter().filter(|build| self.is_built_on(build, base)).collect()
        };
        let first = |bases: &Vec<KnownModule>| bases.iter().map(on).find(|builds| !builds.is_empty());
        let mut latest: BTreeMap<_, &KnownModule> = BTreeMap::new();
        for builds in lists.iter().filter_map(first) {
            let highest = builds.iter().map(|build| build.nsvc.version).max();
            let of_highest = builds.into_iter().filter(|build| Some(build.nsvc.version) == highest);
            latest
                .extend(of_highest.map(|build| ((Reverse(build.nsvc.version), &build.nsvc.context), build)));
        }
        latest.into_values().cloned().collect()
    }
}

fn read_all(files: &[PathBuf], problems: &mut Problems) -> Found {
    let limits = Limits::default();
    let mut found = Found::default();
    let mut bytes_left = MOST_BYTES;
    for file in files {
        let most_bytes = limits.bytes.min(bytes_left);
        match walk::read(file, most_bytes) {
            Ok(bytes) => {
                bytes_left -= bytes.len();
                found.take(&bytes, file, &limits, problems);
            }
            Err(what) if most_bytes < limits.bytes => {
                problems.add(format!("{}: {what}, all that is left of {MOST_BYTES}", file.display()));
            }
            Err(what) => problems.add(format!("{}: {what}", file.display())),
        }
    }
    found
}

/// Says whether what a build requires at run time allows a base module.
fn runs_on(build: &KnownModule, base: &KnownModule) -> bool {
    let pairs = &build.document.dependencies;
    let name = base.nsvc.name.as_str();
    pairs.is_empty()
        || pairs.iter().any(|pair| pair.requires.get(name).is_none_or(|written| base.is_allowed_by(written)))
}

#[async_trait]
impl ModuleResolver for ModuleFiles {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        self.resolver.streams(names).await
    }

    /// Which base a build counts as built against follows from its record, as far as that names a stream that is described here.
    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let Against::FirstOf(lists) = against else { return self.resolver.latest(modules, against).await };
        let known = |bases: &Vec<Nsvc>| bases.iter().map(|base| self.base(base)).collect();
        let lists: Vec<Vec<KnownModule>> = lists.iter().map(known).collect();
        let latest = modules.iter().map(|module| (module.clone(), self.latest_on(module, &lists)));
        Ok(latest.filter(|(_, builds)| !builds.is_empty()).collect())
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

    async fn in_tag(&self, _: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        Err(ResolverError::Unsupported { what: "modules in a tag" })
    }

    async fn is_end_of_life(&self, _: &NameStream) -> Result<bool, ResolverError> {
        Err(ResolverError::Unsupported { what: "the end of life of streams" })
    }
}

#[cfg(test)]
mod tests;
