//! The whole service as it is deployed: the real frontends and backends as processes, on PostgreSQL and RabbitMQ, with a Koji hub
//! that is a process of its own, repositories of modules and packages, and an identity provider.
//!
//! ```text
//!  mbs-build, HTTP ──► frontend, frontend ──► PostgreSQL ◄── backend, backend ──► hub
//!                          │      │                              ▲    │            │
//!                          ▼      └──► identity provider         │    ▼            ▼
//!                         git                                    └─ RabbitMQ ◄─ messages, some lost
//! ```
//!
//! Nothing here judges; the test does.

mod http;
pub mod hub;
mod repositories;
mod witness;

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use mbs_amqp::broker::Broker;
use mbs_core::modulemd::{Limits, read_submission};
use mbs_core::policy::Policy;
use mbs_core::store::Import;
use mbs_store::Opened;
use mbs_store_postgres::cluster::{Cluster, TestDatabase};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Ran;
use crate::built::{mbs_backend, mbs_build, mbs_frontend, mbs_manager};
use crate::chaos::process::{Process, tail};
use crate::rest_golden::services;
use crate::within::{eventually, run_within_limit};

pub use http::request;
pub use repositories::{BRANCH, MODULES, scmurl};
pub use witness::{Told, Witness};

/// What every topic begins with; the hub's messages do, too.
pub const PREFIX: &str = "org.fedoraproject.dev";

/// The base module.
const PLATFORM: &str = "document: modulemd
version: 2
data:
  name: platform
  stream: f40
  version: 1
  context: '00000000'
  summary: The distribution
  description: The distribution.
  license: {module: [MIT]}
  profiles: {buildroot: {rpms: [bash]}, srpm-buildroot: {rpms: [bash]}}
  xmd: {mbs: {mse: true, commit: virtual, buildrequires: {}, koji_tag: f40-build}}
";

/// The people, with their groups; the token of each is `token-` and the name.
const PEOPLE: [(&str, &[&str]); 3] =
    [("anna", &["packager"]), ("bert", &["packager"]), ("chief", &["packager", "releng"])];

/// The service and all that it talks to; gone when dropped.
#[derive(Debug)]
pub struct Service {
    frontends: Vec<(Process, String)>,
    backends: Vec<Option<Process>>,
    hub: Process,
    hub_url: String,
    /// The broker.
    pub broker: Broker,
    /// The records as the service sees them.
    pub opened: Opened,
    /// Where they are.
    pub database: TestDatabase,
    /// The database's server.
    pub cluster: Cluster,
    folder: TempDir,
}

impl Service {
    /// Starts everything: so many frontends and backends, and a hub, which is the program `service-hub`.
    ///
    /// # Errors
    /// Something is missing, or does not start.
    pub async fn start(hub: &str, frontends: usize, backends: usize) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("mbs-test-service-").tempdir()?;
        repositories::make(folder.path())?;
        let cluster = Cluster::start().await?;
        let database = cluster.bare_database().await?;
        let broker = Broker::start()?;
        let log = folder.path().join("hub.log");
        let hub = Process::start(hub, &[broker.url().reveal()], &log)?;
        let hub_url = said(&log, "hub ")?;
        fs::write(folder.path().join("koji.conf"), koji_profile(&hub_url))?;
        let provider = services::start(provider()).await?;
        let config = configuration(folder.path(), &database.url, broker.url().reveal(), provider);
        fs::write(folder.path().join("mbs.toml"), config)?;
        for (person, _) in PEOPLE {
            let file = folder.path().join(format!("token-{person}"));
            fs::write(&file, format!("token-{person}"))?;
            fs::set_permissions(&file, Permissions::from_mode(0o600))?;
        }
        let opened = first_records(&database.url).await?;
        let backends = (0..backends).map(|_| None).collect();
        let mut service =
            Self { frontends: Vec::new(), backends, hub, hub_url, broker, opened, database, cluster, folder };
        service.start_all(frontends)?;
        Ok(service)
    }

    /// Starts so many frontends, and all backends.
    ///
    /// # Errors
    /// One does not start.
    pub fn start_all(&mut self, frontends: usize) -> Result<()> {
        for number in 0..frontends {
            let frontend = self.frontend(number)?;
            self.frontends.push(frontend);
        }
        (0..self.backends.len()).try_for_each(|number| self.start_backend(number))
    }

    /// Kills all frontends and backends.
    ///
    /// # Errors
    /// One had ended by itself.
    pub fn kill_all(&mut self) -> Result<()> {
        (0..self.backends.len()).try_for_each(|number| self.kill_backend(number))?;
        self.frontends.drain(..).try_for_each(|(process, _)| process.kill())
    }

    /// Runs a backend that is to end by itself.
    ///
    /// # Errors
    /// It cannot be run, or does not end.
    pub fn refused_backend(&self) -> Result<Ran> {
        run_within_limit(&mut self.command(mbs_backend()))
    }

    /// Runs `mbs-manager`.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn mbs_manager(&self, arguments: &[&str]) -> Result<Ran> {
        run_within_limit(self.command(mbs_manager()).args(arguments))
    }

    /// Returns the address of a frontend; there are more than enough numbers.
    pub fn url(&self, number: usize) -> &str {
        &self.frontends[number % self.frontends.len()].1
    }

    /// Returns the address of the hub.
    pub fn hub_url(&self) -> &str {
        &self.hub_url
    }

    /// Takes the hub away, or brings it back.
    ///
    /// # Errors
    /// It has ended.
    pub fn set_hub_down(&mut self, is_down: bool) -> Result<()> {
        self.hub.say(if is_down { "down" } else { "up" })
    }

    /// Kills a backend as `kill -9` does.
    ///
    /// # Errors
    /// It had ended by itself.
    pub fn kill_backend(&mut self, number: usize) -> Result<()> {
        self.backends[number].take().map_or(Ok(()), Process::kill)
    }

    /// Tells a backend to stop, and waits until it has.
    ///
    /// # Errors
    /// It does not end, or badly.
    pub fn stop_backend(&mut self, number: usize) -> Result<()> {
        self.backends[number].take().map_or(Ok(()), Process::terminate)
    }

    /// Starts a backend that is not there.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_backend(&mut self, number: usize) -> Result<()> {
        let log = self.folder.path().join(format!("backend-{number}.log"));
        self.backends[number] = Some(Process::of(&mut self.command(mbs_backend()), &log)?);
        Ok(())
    }

    fn frontend(&self, number: usize) -> Result<(Process, String)> {
        let log = self.folder.path().join(format!("frontend-{number}.log"));
        // The address is that of this start.
        drop(fs::remove_file(&log));
        let process = Process::of(&mut self.command(mbs_frontend()), &log)?;
        let address = said(&log, "listening on ")?;
        Ok((process, address.trim_end_matches("/module-build-service/").to_owned()))
    }

    /// Runs `mbs-build` as one of the people, with a frontend of a number.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn mbs_build(&self, person: &str, number: usize, arguments: &[&str]) -> Result<Ran> {
        let token = self.folder.path().join(format!("token-{person}"));
        let mut command = self.command(mbs_build());
        command.args(["-s", self.url(number), "--login", "token", "--token-file"]).arg(token).args(arguments);
        run_within_limit(&mut command)
    }

    /// Checks that everything runs that was started.
    ///
    /// # Errors
    /// A process has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        let backends = self.backends.iter_mut().flatten();
        let frontends = self.frontends.iter_mut().map(|(process, _)| process);
        backends.chain(frontends).chain([&mut self.hub]).try_for_each(Process::check)
    }

    /// Returns the ends of all logs.
    pub fn tails(&self) -> String {
        let logs = fs::read_dir(self.folder.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        logs.filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .map(|path| tail(&path))
            .collect()
    }

    /// A program of ours: it finds the configuration, and git the repositories under their public address.
    fn command(&self, program: &Path) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(program);
        command.env("HOME", folder).env("MBS_CONFIG_FILE", folder.join("mbs.toml"));
        let stand_in = format!("url.file://{}/git/.insteadOf", folder.display());
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", stand_in);
        command.env("GIT_CONFIG_VALUE_0", repositories::PUBLIC);
        command
    }
}

/// Waits until a log has a line with these words, and returns what follows them.
fn said(log: &Path, words: &str) -> Result<String> {
    eventually(words, || {
        let text = fs::read_to_string(log).unwrap_or_default();
        let rest = text.split_once(words).and_then(|(_, rest)| rest.split_once('\n'));
        Ok(rest.map(|(rest, _)| rest.trim().to_owned()))
    })
    .with_context(|| tail(log))
}

fn koji_profile(hub: &str) -> String {
    format!("[koji]\nserver = {hub}\nauthtype = password\nuser = mbs\npassword = mbspw\n")
}

/// What the identity provider answers.
fn provider() -> Value {
    let scope = "openid https://id.fedoraproject.org/scope/groups submit";
    let (mut introspect, mut userinfo) = (json!({}), json!({}));
    for (name, groups) in PEOPLE {
        let token = format!("token-{name}");
        introspect[&token] = json!({"active": true, "username": name, "scope": scope});
        userinfo[&token] = json!({"groups": groups});
    }
    json!({"oidc": {"introspect": introspect, "userinfo": userinfo}})
}

fn configuration(folder: &Path, database: &str, broker: &str, provider: SocketAddr) -> String {
    let (koji, public) = (folder.join("koji.conf"), repositories::PUBLIC);
    let koji = koji.display();
    format!(
        "[service]\ndatabase = '{database}'\nport = 0\n\
         [access]\noidc_token_introspection_uri = 'http://{provider}/introspect'\n\
         oidc_userinfo_uri = 'http://{provider}/userinfo'\noidc_client_id = 'mbs'\noidc_client_secret = 's'\n\
         oidc_required_scope = 'submit'\nadmin_groups = ['releng']\n\
         [modules]\nallow_only_compatible_base_modules = false\n\
         [submission]\nscmurls = ['{public}modules/']\nrpms_default_repository = 'git+{public}rpms/'\n\
         [building]\nnum_concurrent_builds = 20\n\
         [koji]\nkoji_config = '{koji}'\nkoji_tag_permission = 'tag'\n\
         [messaging]\nmessaging = '{broker}'\nmessaging_topic_prefix = ['{PREFIX}']\n\
         [engine]\nmin_gap = 0.1\npoll_floor = 2\nlease = 8\nsubmit_within = 4\nmargin = 2\nask_again = 4\n\
         backoff_first = 0.5\nbackoff_longest = 3\n"
    )
}

/// Makes the schema, with the base module.
async fn first_records(database: &str) -> Result<Opened> {
    mbs_store::upgrade(database).await?;
    let opened = mbs_store::open(database, &Policy::default()).await?;
    let (read, _) = read_submission(PLATFORM, None, &Limits::of_submission())?;
    let document = Arc::new(read.into_streams().remove(0));
    let koji_tag = Some(hub::BUILD_TAG.parse()?);
    let nsvc = "platform:f40:1:00000000".parse()?;
    opened.store.import(Import { document, nsvc, koji_tag, by: "chief".to_owned() }).await?;
    Ok(opened)
}
