//! Modules of another service, behind those of this machine: for builds that require what was never built here.
//!
//! Only what modules are is looked up. Their packages are not fetched: what a build needs of them has to be installed on this
//! machine, as everything of the base module has. Base modules are never asked for there; this machine is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use mbs_client::client::Client;
use mbs_client::login::Login;
use mbs_client::resolver::MbsResolver;
use mbs_client::server::Server;
use mbs_core::ident::{Name, NameStream, Nsvc, Stream, TagName};
use mbs_core::model::ModuleBuild;
use mbs_core::modulemd::Xmd;
use mbs_core::policy::Policy;
use mbs_core::resolver::{Against, Chain, KnownModule, ModuleResolver, ResolverError, Retired};
use mbs_local::modules::LocalModules;

use crate::exit::Stop;

/// What errors call the modules of this machine.
const HERE: &str = "this machine";
/// What errors call those of the service.
const THERE: &str = "the service";

/// Returns the modules of this machine, and behind them those of a service if one is named.
///
/// # Errors
/// `Usage`: its address is no good one.
pub fn with_service(
    modules: Arc<LocalModules>,
    url: Option<&str>,
    policy: &Arc<Policy>,
) -> Result<Arc<dyn ModuleResolver>, Stop> {
    let Some(url) = url else { return Ok(modules) };
    let client = Client::new(Server::new(url), Login::Anonymous);
    let client = client.map_err(|error| Stop::Usage(format!("--resolver: {error}")))?;
    let elsewhere: Arc<dyn ModuleResolver> =
        Arc::new(Elsewhere { resolver: MbsResolver::new(client), policy: policy.clone() });
    let sources = vec![(HERE.to_owned(), modules as Arc<dyn ModuleResolver>), (THERE.to_owned(), elsewhere)];
    Ok(Arc::new(Chain::new(sources).remembering()))
}

/// Returns the modules that a build is built with and that this machine does not have: nobody brings their packages here.
///
/// # Errors
/// There is none: this machine answers.
pub async fn not_fetched(build: &ModuleBuild, here: &LocalModules) -> Result<Vec<Nsvc>, ResolverError> {
    let written = build.document().xmd.at(&["mbs", "buildrequires"]).map(Xmd::entries).unwrap_or_default();
    let mut nsvcs: Vec<Nsvc> = written.iter().filter_map(|(name, entry)| nsvc(name, entry)).collect();
    let known = here.builds(&nsvcs).await?;
    nsvcs.retain(|nsvc| !known.contains_key(nsvc));
    Ok(nsvcs)
}

fn nsvc(name: &str, entry: &Xmd) -> Option<Nsvc> {
    let part = |key| entry.value(key).and_then(Xmd::spelling);
    format!("{name}:{}:{}:{}", part("stream")?, part("version")?, part("context")?).parse().ok()
}

/// The modules of a service, but for base modules.
#[derive(Debug)]
struct Elsewhere {
    resolver: MbsResolver,
    policy: Arc<Policy>,
}

impl Elsewhere {
    fn is_asked(&self, name: &Name) -> bool {
        !self.policy.is_base(name)
    }
}

#[async_trait]
impl ModuleResolver for Elsewhere {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        let asked: Vec<Name> = names.iter().filter(|name| self.is_asked(name)).cloned().collect();
        self.resolver.streams(&asked).await
    }

    /// Whatever base they were built against: their own requirements say whether they go with this machine.
    async fn latest(
        &self,
        modules: &[NameStream],
        _against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let asked: Vec<NameStream> = modules.iter().filter(|one| self.is_asked(&one.name)).cloned().collect();
        self.resolver.latest(&asked, &Against::Anything).await
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        let asked: Vec<Nsvc> = nsvcs.iter().filter(|one| self.is_asked(&one.name)).cloned().collect();
        self.resolver.builds(&asked).await
    }

    async fn compatible_bases(
        &self,
        _: &[Nsvc],
        _: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        Ok(BTreeMap::new())
    }

    async fn providers(
        &self,
        _: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        Ok(BTreeMap::new())
    }

    async fn in_tag(&self, _: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        Err(ResolverError::Unsupported { what: "tags of modules that are not here" })
    }

    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
        self.resolver.is_end_of_life(module).await
    }

    fn for_one_expansion(&self) -> Option<Arc<dyn ModuleResolver>> {
        let resolver = self.resolver.remembering();
        Some(Arc::new(Self { resolver, policy: self.policy.clone() }))
    }
}
