//! What a service is made of, as the configuration names it: store, git, Koji, and where modules are looked up. Frontends and
//! backends are made of the same. Nothing is decided here but which implementation stands behind which trait.

use std::path::PathBuf;
use std::sync::Arc;

use mbs_core::build_system::BuildSystem;
use mbs_core::engine::Desk;
use mbs_core::policy::Policy;
use mbs_core::resolver::{Chain, ModuleResolver, StoreResolver};
use mbs_core::source_control::SourceControl;
use mbs_core::submission::Rules;
use mbs_koji::build_system::KojiBuildSystem;
use mbs_koji::content_generator::{GENERATOR, Program, Settings};
use mbs_koji::hub::Hub;
use mbs_koji::repodata::Repodata;
use mbs_koji::resolver::KojiResolver;
use mbs_local::SystemClock;
use mbs_local::git::GitSourceControl;
use mbs_store::Opened;

use crate::config::{Config, Place, System};
use crate::exit::Stop;
use crate::sources;

/// The parts of a service.
#[derive(Debug)]
pub struct Site {
    /// What was configured.
    pub config: Config,
    /// The rules of building.
    pub policy: Arc<Policy>,
    /// The rules of submitting.
    pub rules: Arc<Rules>,
    /// The records.
    pub opened: Opened,
    /// Documents and sources.
    pub source_control: Arc<dyn SourceControl>,
    /// The hub, and the build system on it; `None`: builds are not made on Koji.
    pub koji: Option<(Hub, Arc<KojiBuildSystem>)>,
    /// Where modules are looked up.
    pub resolver: Arc<dyn ModuleResolver>,
}

impl Site {
    /// Opens the parts. Of all of them only the store is asked for something.
    ///
    /// # Errors
    /// `Usage`: a value of the configuration cannot be used. `Machine`: the store cannot be opened.
    pub async fn open(config: Config) -> Result<Self, Stop> {
        let policy = Arc::new(config.policy.clone());
        let opened = mbs_store::open_existing(config.service.database.reveal(), &policy).await?;
        let git: Arc<dyn SourceControl> =
            Arc::new(GitSourceControl::new(config.git.settings(&config.building)));
        let koji = match config.building.system {
            System::Koji => Some(koji(&config, &policy, Arc::clone(&git))?),
            System::Mock | System::Memory => None,
        };
        let resolver = resolver(&config, &opened, koji.as_ref().map(|(hub, _)| hub))?;
        let rules = Arc::new(config.rules.clone());
        Ok(Self { config, policy, rules, opened, source_control: git, koji, resolver })
    }

    /// Returns who takes submissions.
    pub fn desk(&self) -> Desk {
        Desk {
            store: Arc::clone(&self.opened.store),
            resolver: Arc::clone(&self.resolver),
            source_control: Arc::clone(&self.source_control),
            rules: Arc::clone(&self.rules),
            policy: Arc::clone(&self.policy),
        }
    }

    /// Returns who can be asked what was built; `None`: nobody.
    pub fn build_system(&self) -> Option<Arc<dyn BuildSystem>> {
        self.koji.as_ref().map(|(_, system)| Arc::clone(system) as Arc<dyn BuildSystem>)
    }
}

fn koji(
    config: &Config,
    policy: &Policy,
    git: Arc<dyn SourceControl>,
) -> Result<(Hub, Arc<KojiBuildSystem>), Stop> {
    let profile = config.koji.profile().map_err(|error| Stop::Usage(error.to_string()))?;
    let hub =
        Hub::new(&profile, Arc::new(SystemClock::new())).map_err(|error| Stop::Usage(error.to_string()))?;
    let repodata = Repodata::new(config.building.dnf_timeout).map_err(|error| {
        Stop::Machine(format!("the certificates of this machine cannot be used: {error}"))
    })?;
    let settings = config.koji.settings(policy, import_settings());
    let system = KojiBuildSystem::new(hub.clone(), repodata, git, settings);
    Ok((hub, Arc::new(system)))
}

/// What imports say of this installation.
fn import_settings() -> Settings {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Settings {
        generator: Program { name: GENERATOR.to_owned(), version: version.clone() },
        host_os: "Linux".to_owned(),
        host_arch: std::env::consts::ARCH
            .parse()
            .unwrap_or_else(|_| "noarch".parse().expect("it is an architecture")),
        tools: vec![Program { name: GENERATOR.to_owned(), version }],
    }
}

fn resolver(config: &Config, opened: &Opened, hub: Option<&Hub>) -> Result<Arc<dyn ModuleResolver>, Stop> {
    let ours = || Arc::new(StoreResolver::new(Arc::clone(&opened.store)));
    let mut chain: Vec<(String, Arc<dyn ModuleResolver>)> = Vec::new();
    for place in &config.building.resolver {
        let resolver: Arc<dyn ModuleResolver> = match place {
            Place::Db => ours(),
            Place::Koji => {
                let hub = hub
                    .ok_or_else(|| Stop::Usage("`resolver` names koji, but `system` does not".to_owned()))?;
                Arc::new(KojiResolver::new(hub.clone(), ours()))
            }
            Place::Pdc => Arc::new(sources::pdc(&config.pdc.pdc_url, config.pdc.pdc_face)?),
            Place::Files => {
                let paths: Vec<PathBuf> = config.building.module_files.clone();
                Arc::new(sources::read_files(&paths, &config.policy)?)
            }
            Place::Mbs => Arc::new(sources::mbs(&config.building.mbs_url)?),
        };
        chain.push((place.title().to_owned(), resolver));
    }
    // One place alone is asked itself: a chain has questions of its own.
    match chain.len() {
        1 => Ok(chain.swap_remove(0).1),
        _ => Ok(Arc::new(Chain::new(chain))),
    }
}
