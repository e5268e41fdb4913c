//! Who waits for something to do is told of commits: of those of this process at once, of others by looking.
//!
//! SQLite has no notifications, but a connection can ask cheaply whether anybody else changed the file. That is asked only
//! while somebody waits. A lost or doubled telling costs a look, never correctness.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::open;

/// How often it is asked whether another program changed the file.
const EVERY: Duration = Duration::from_millis(200);

/// The number of commits, who counts those of others, and whether the last of ours failed.
#[derive(Debug)]
pub(crate) struct Changes {
    path: PathBuf,
    commits: watch::Sender<u64>,
    failure: watch::Sender<Option<Arc<str>>>,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

impl Changes {
    pub(crate) fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            commits: watch::Sender::new(0),
            failure: watch::Sender::default(),
            watcher: Mutex::default(),
        }
    }

    /// Notes a commit of this process.
    pub(crate) fn note(&self) {
        self.failure.send_if_modified(|failure| failure.take().is_some());
        count(&self.commits);
    }

    /// Notes that the file could not be used.
    pub(crate) fn note_failure(&self, reason: &str) {
        self.failure.send_replace(Some(reason.into()));
    }

    /// Returns why the file could not be used last; `None` if it could.
    pub(crate) fn failure(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.failure.subscribe()
    }

    /// Stops to look for commits of others.
    pub(crate) fn stop(&self) {
        if let Some(watcher) = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take() {
            watcher.abort();
        }
    }

    /// Returns the number of commits from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.commits.subscribe();
        // A watcher may have seen just before that nobody waits, and be about to end.
        if self.commits.receiver_count() == 1 || watcher.is_none() {
            let begun = tokio::spawn(watch_file(self.path.clone(), self.commits.clone()));
            if let Some(last) = watcher.replace(begun) {
                last.abort();
            }
        }
        receiver
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.stop();
    }
}

fn count(commits: &watch::Sender<u64>) {
    commits.send_modify(|number| *number = number.wrapping_add(1));
}

/// Counts the commits of others until nobody waits for them.
async fn watch_file(path: PathBuf, commits: watch::Sender<u64>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut connection, mut seen, mut is_blind) = (None, None, false);
    while !commits.is_closed() {
        ticks.tick().await;
        match version(&path, &mut connection).await {
            Ok(version) => {
                is_blind = false;
                if seen.replace(version) != Some(version) {
                    count(&commits);
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut is_blind, true) {
                    tracing::warn!(path = %path.display(), %error, "commits of other programs are not noticed");
                }
                (connection, seen) = (None, None);
            }
        }
    }
}

/// Returns a number that differs once another connection has changed the file.
async fn version(path: &Path, connection: &mut Option<SqliteConnection>) -> Result<i64, sqlx::Error> {
    let connected = match connection.take() {
        Some(connected) => connected,
        None => open::existing(path).connect().await?,
    };
    let connected = connection.insert(connected);
    sqlx::query_scalar::<_, i64>("PRAGMA data_version").fetch_one(connected).await
}
