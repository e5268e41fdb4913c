//! The store of the module build service, opened by URL.
//!
//! | URL | store |
//! | --- | --- |
//! | `postgresql://USER@HOST/DATABASE` | on PostgreSQL: many frontends and backends on one database |
//! | `sqlite:PATH` | in a file of this machine: the embedded default; `sqlite:///PATH` from the root |
//!
//! Which of the two it is makes no difference to what a store promises: both keep the contract of [`mbs_core::store`]. Nothing
//! is decided here but which one to open.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use mbs_core::policy::Policy;
//!
//! let url = "sqlite:/var/lib/mbs/mbs.db";
//! mbs_store::upgrade(url).await?;
//! let opened = mbs_store::open(url, &Policy::default()).await?;
//! println!("{:?}", opened.store.settings().await?);
//! # Ok(()) }
//! ```

use std::ops::Not as _;
use std::sync::Arc;

use mbs_core::policy::Policy;
use mbs_core::store::Store;
use mbs_store_postgres::{PostgresStore, Wakes};
use mbs_store_sqlite::SqliteStore;
use tokio::sync::watch;

pub use mbs_store_postgres as postgres;
pub use mbs_store_sqlite as sqlite;

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no store that there is.
    #[error("no store is known by such a URL: it begins with postgresql:// or sqlite:")]
    Unknown,
    /// The URL names SQLite, but no file that a store can be kept in. Name one.
    #[error("{0}")]
    NoFile(&'static str),
    /// There is no such file, or it is empty. Mind its path, or [`upgrade`] first.
    #[error("{0} holds no store; if the path is right, `mbs-manager upgradedb` makes one")]
    Missing(String),
    /// See there.
    #[error(transparent)]
    Postgres(#[from] mbs_store_postgres::OpenError),
    /// See there.
    #[error(transparent)]
    Sqlite(#[from] mbs_store_sqlite::OpenError),
}

/// A store that was opened, and its news.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    news: watch::Receiver<u64>,
    /// Listens for news as long as somebody holds it.
    _wakes: Option<Wakes>,
}

impl Opened {
    /// Returns a number that changes when something may have become due or visible, whichever process made it so. It is a
    /// hint: look again after a while all the same.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    /// Waits for news from this moment on: what an engine asks for before each claim. It never ends once the store is gone.
    pub fn woken(&self) -> impl Future<Output = ()> + use<> {
        let mut news = self.news.clone();
        news.mark_unchanged();
        async move {
            if news.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What an upgrade did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upgraded {
    /// The schema before; 0 for an empty store.
    pub from: i64,
    /// The schema now.
    pub to: i64,
}

/// Which store a URL names.
enum Named<'u> {
    Postgres(&'u str),
    Sqlite(&'u str),
}

impl<'u> Named<'u> {
    fn by(url: &'u str) -> Result<Self, OpenError> {
        if url.starts_with("postgresql://") || url.starts_with("postgres://") {
            return Ok(Self::Postgres(url));
        }
        let path = url.strip_prefix("sqlite:").ok_or(OpenError::Unknown)?;
        match path.strip_prefix("//").unwrap_or(path) {
            "" => Err(OpenError::NoFile("the path of the file is missing: say sqlite:PATH")),
            // What SQLite and other programs take for something else would become a file of that name.
            path if path.contains(":memory:") => {
                Err(OpenError::NoFile("a store in memory would be gone with the program: say sqlite:PATH"))
            }
            path if path.contains('?') => Err(OpenError::NoFile(
                "nothing but the path of the file is taken, no options after a ?: say sqlite:PATH",
            )),
            path => Ok(Self::Sqlite(path)),
        }
    }
}

/// Opens a store, on a Tokio runtime. An SQLite file that is not there is made; a database must have its schema already.
///
/// # Errors
/// `Behind` in either store: [`upgrade`] comes first. `Unknown`, `NoFile`: the URL names none. Others: the store cannot be reached.
pub async fn open(url: &str, policy: &Policy) -> Result<Opened, OpenError> {
    match Named::by(url)? {
        Named::Postgres(url) => {
            let store = PostgresStore::connect(url, policy).await?;
            let wakes = store.wakes();
            Ok(Opened { store: Arc::new(store), news: wakes.news(), _wakes: Some(wakes) })
        }
        Named::Sqlite(path) => {
            let store = SqliteStore::open(path, policy).await?;
            let news = store.changes();
            Ok(Opened { store: Arc::new(store), news, _wakes: None })
        }
    }
}

/// Opens a store that is there, and makes none.
///
/// # Errors
/// `Missing`: there is no such file. Others as for [`open`].
pub async fn open_existing(url: &str, policy: &Policy) -> Result<Opened, OpenError> {
    if let Named::Sqlite(path) = Named::by(url)?
        && std::fs::metadata(path).is_ok_and(|file| file.len() > 0).not()
    {
        return Err(OpenError::Missing(path.to_owned()));
    }
    open(url, policy).await
}

/// Brings the schema of a store up to what this program needs; safe while others do the same or still work with the one before.
///
/// # Errors
/// As [`open`], and if a migration does not go through.
pub async fn upgrade(url: &str) -> Result<Upgraded, OpenError> {
    match Named::by(url)? {
        Named::Postgres(url) => {
            let upgraded = mbs_store_postgres::upgrade(url).await?;
            Ok(Upgraded { from: upgraded.from, to: upgraded.to })
        }
        Named::Sqlite(path) => {
            let upgraded = mbs_store_sqlite::upgrade(path).await?;
            Ok(Upgraded { from: upgraded.from, to: upgraded.to })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_that_is_not_there_is_not_made_where_one_is_only_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mbs.db");
        let url = format!("sqlite:{}", path.display());
        let asked = async || open_existing(&url, &Policy::default()).await.map(drop);
        assert!(matches!(asked().await, Err(OpenError::Missing(_))) && !path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(matches!(asked().await, Err(OpenError::Missing(_))));
        upgrade(&url).await.unwrap();
        assert!(asked().await.is_ok());
    }

    #[test]
    fn urls_name_stores() {
        let named = |url| match Named::by(url) {
            Ok(Named::Postgres(url)) => format!("postgres {url}"),
            Ok(Named::Sqlite(path)) => format!("sqlite {path}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(named("postgresql:///mbs"), "postgres postgresql:///mbs");
        assert_eq!(named("postgres://h/mbs"), "postgres postgres://h/mbs");
        assert_eq!(named("sqlite:mbs.db"), "sqlite mbs.db");
        assert_eq!(named("sqlite:///var/mbs.db"), "sqlite /var/mbs.db");
        assert_eq!(named("sqlite:/var/mbs.db"), "sqlite /var/mbs.db");
        for url in ["", "mysql://h/mbs", "/var/mbs.db"] {
            assert_eq!(named(url), OpenError::Unknown.to_string(), "{url}");
        }
    }

    #[test]
    fn what_would_become_a_file_of_an_odd_name_is_refused() {
        for (url, why) in [
            ("sqlite:", "is missing"),
            ("sqlite://", "is missing"),
            ("sqlite::memory:", "in memory"),
            ("sqlite://:memory:", "in memory"),
            ("sqlite:mbs.db?mode=ro", "no options"),
        ] {
            let refused = Named::by(url).err().map(|error| error.to_string());
            assert!(refused.as_ref().is_some_and(|told| told.contains(why)), "{url}: {refused:?}");
        }
    }
}
