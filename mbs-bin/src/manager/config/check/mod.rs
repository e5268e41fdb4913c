//! Whether all that the configuration names can be reached. What is asked follows from the configuration; everything is asked at the
//! same time, and nothing for longer than a bound. Nothing is changed anywhere.

mod addresses;
mod files;
mod notes;
mod provider;
mod services;

use std::fmt;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use tokio::net::TcpStream;

use crate::config::Config;
use crate::exit::Stop;
use crate::logging::without_controls;
use crate::validate::tolerate;

/// How long anything is asked.
const WITHIN: Duration = Duration::from_secs(10);

/// Something that is looked at.
struct Probe {
    /// What it is, in words.
    what: String,
    /// Looks, and returns what else is worth telling; it may be empty.
    look: Look,
}

type Look = Pin<Box<dyn Future<Output = Result<String, Trouble>> + Send>>;

/// What is wrong with something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// The configuration has to be changed.
    Wrong(String),
    /// It does not answer, or refuses.
    Away(String),
}

impl Probe {
    fn new(
        what: impl Into<String>,
        look: impl Future<Output = Result<String, Trouble>> + Send + 'static,
    ) -> Self {
        Self { what: what.into(), look: Box::pin(look) }
    }

    /// Looks, and returns the line that tells it.
    async fn line(self) -> Line {
        let timed = tokio::time::timeout(WITHIN, self.look).await;
        let late = || Err(Trouble::Away(format!("there is no answer within {} seconds", WITHIN.as_secs())));
        Line { what: self.what, outcome: timed.unwrap_or_else(|_| late()) }
    }
}

/// What is told of something that was looked at.
struct Line {
    what: String,
    outcome: Result<String, Trouble>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Ok(more) if more.is_empty() => write!(f, "ok {}", self.what),
            Ok(more) => write!(f, "ok {}: {more}", self.what),
            Err(Trouble::Wrong(why)) => write!(f, "{}: {why}", self.what),
            Err(Trouble::Away(why)) => write!(f, "{} cannot be reached: {why}", self.what),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// `Usage`: something has to be changed. `Machine`: all is well but what cannot be reached.
pub(super) async fn run(config: &Config, out: &mut dyn Write) -> Result<(), Stop> {
    tolerate(writeln!(out, "ok the configuration can be meant"))?;
    for note in notes::notes(config) {
        tolerate(writeln!(out, "note: {note}"))?;
    }
    let probes = probes(&Arc::new(config.clone()));
    let running: Vec<_> = probes.into_iter().map(|probe| tokio::spawn(probe.line())).collect();
    let (mut is_wrong, mut is_away) = (false, false);
    for line in running {
        let Ok(line) = line.await else { continue };
        is_wrong |= matches!(line.outcome, Err(Trouble::Wrong(_)));
        is_away |= matches!(line.outcome, Err(Trouble::Away(_)));
        tolerate(writeln!(out, "{}", without_controls(&line.to_string())))?;
    }
    match (is_wrong, is_away) {
        (true, _) => Err(Stop::Usage("the configuration has to be changed".to_owned())),
        (false, true) => Err(Stop::Machine("not everything can be reached".to_owned())),
        (false, false) => Ok(()),
    }
}

/// Returns what is looked at.
fn probes(config: &Arc<Config>) -> Vec<Probe> {
    let mut probes = vec![services::store(config)];
    probes.extend(services::koji(config));
    probes.extend(services::bus(config));
    probes.extend(services::pdc(config));
    probes.extend(provider::probes(config));
    probes.extend(services::ldap(config));
    probes.extend(services::default_modules(config));
    probes.extend(addresses::probes(config));
    probes.extend(files::probes(config));
    probes
}

/// Connects, and says no more.
async fn connect(address: &Url, port: u16) -> Result<String, Trouble> {
    let host = address.host_str().ok_or_else(|| Trouble::Wrong("it names no host".to_owned()))?;
    let at = (host.trim_matches(['[', ']']), address.port().unwrap_or(port));
    match TcpStream::connect(at).await {
        Ok(_) => Ok("it takes connections".to_owned()),
        Err(error) => Err(Trouble::Away(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
