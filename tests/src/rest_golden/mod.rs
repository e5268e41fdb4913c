//! The real frontend over the state that the original service was recorded in: records, repositories, and stand-ins for what
//! it asked. Nothing drives the builds, so that what is submitted stays as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mbs_bin::rest::{Frontend, Setup};
use mbs_bin::takeover;
use mbs_core::build_system::BuildSystem;
use mbs_core::engine::Desk;
use mbs_core::resolver::StoreResolver;
use mbs_koji::build_system::{KojiBuildSystem, KojiSettings};
use mbs_koji::content_generator::{GENERATOR, Program, Settings};
use mbs_koji::hub::Hub;
use mbs_koji::profile::{Login, Profile as KojiProfile};
use mbs_koji::repodata::Repodata;
use mbs_local::SystemClock;
use mbs_local::git::{GitSettings, GitSourceControl};
use mbs_store::Opened;
use tempfile::TempDir;
use tokio::process::Command;

mod profile;
pub(crate) mod services;

/// A frontend over recorded state, and the folder that goes with it.
#[derive(Debug)]
pub struct Recorded {
    /// The frontend.
    pub frontend: Frontend,
    /// Repositories, and the store unless it is elsewhere; gone when dropped.
    pub folder: TempDir,
    /// Tells of news as long as it is there.
    pub opened: Opened,
}

/// Sets everything up: `state` is the folder of the recordings, `database` the URL of an empty store, `None`: a new file.
///
/// # Errors
/// Something is missing, or cannot be started.
pub async fn set_up(state: &Path, profile: &str, database: Option<String>) -> Result<Recorded> {
    let folder = TempDir::new()?;
    let read = |name: &str| {
        std::fs::read_to_string(state.join(name)).with_context(|| format!("{name} cannot be read"))
    };
    let services = services::start(serde_json::from_str(&read("fake-services.json")?)?).await?;
    let profile = profile::read(&read("settings.toml")?, profile, &format!("http://{services}"))?;
    let repositories = repositories(state, folder.path()).await?;
    let config = profile.config;
    let url = database.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("mbs.db").display()));
    mbs_store::upgrade(&url).await?;
    let opened = mbs_store::open(&url, &config.policy).await?;
    let (store, news) = (Arc::clone(&opened.store), opened.news());
    store.restore(takeover::records(&serde_json::from_str(&read("seed-db.json")?)?)?).await?;
    let sources = Arc::new(source_control(&repositories));
    let build_system: Option<Arc<dyn BuildSystem>> = match profile.has_build_system {
        true => Some(Arc::new(koji(&format!("http://{services}/kojihub"), Arc::clone(&sources))?)),
        false => None,
    };
    let desk = Desk {
        store: Arc::clone(&store),
        resolver: Arc::new(StoreResolver::new(Arc::clone(&store))),
        source_control: sources,
        rules: Arc::new(config.rules),
        policy: Arc::new(config.policy),
    };
    let setup = Setup {
        store,
        desk,
        build_system,
        access: config.access,
        most_body: 2 << 20,
        most_per_page: 1_000,
        within: Duration::from_secs(60),
        news,
    };
    let frontend = Frontend::new(setup).map_err(anyhow::Error::msg)?;
    Ok(Recorded { frontend, folder, opened })
}

/// Makes the repositories by the recordings' own script.
async fn repositories(state: &Path, folder: &Path) -> Result<PathBuf> {
    let repositories = folder.join("git");
    let script = state.join("git_seed.py");
    let made = Command::new("python3").arg(script).arg(&repositories).output().await?;
    ensure!(made.status.success(), "git_seed.py: {}", String::from_utf8_lossy(&made.stderr));
    Ok(repositories)
}

/// Git, which finds the repositories under their public address.
fn source_control(repositories: &Path) -> GitSourceControl {
    let stand_in = format!("url.file://{}/.insteadOf", repositories.display());
    let own = [
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", stand_in),
        ("GIT_CONFIG_VALUE_0", "https://src.example.test/".to_owned()),
    ];
    let own = own.map(|(name, value)| (name.into(), value.into()));
    GitSourceControl::with_variables(GitSettings::default(), std::env::vars_os().chain(own))
}

fn koji(server: &str, sources: Arc<GitSourceControl>) -> Result<KojiBuildSystem> {
    let profile = KojiProfile::new("koji", server, Login::Anonymous).without_retries();
    let hub = Hub::new(&profile, Arc::new(SystemClock::new()))?;
    let generator = Program { name: GENERATOR.to_owned(), version: "1".to_owned() };
    let import =
        Settings { generator, host_os: "Linux".to_owned(), host_arch: "x86_64".parse()?, tools: Vec::new() };
    let repodata = Repodata::new(Duration::from_secs(10))?;
    Ok(KojiBuildSystem::new(hub, repodata, sources, KojiSettings::new(import)))
}
