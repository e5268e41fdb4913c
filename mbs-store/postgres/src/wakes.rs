//! News across processes: PostgreSQL tells who listens that something may be due.
//!
//! News are hints. Who waits for them looks again after a while anyway, and after every loss of the connection.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::PostgresStore;

/// The channel that news come over.
const CHANNEL: &str = "mbs_work";

/// How long to wait before the connection is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells when something may have become due: its number grows. It ends with the last of its clones.
#[derive(Debug, Clone)]
pub struct Wakes {
    news: watch::Receiver<u64>,
    _listener: std::sync::Arc<Listening>,
}

#[derive(Debug)]
struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Wakes {
    /// Returns how news are seen: each change of the number is one.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }
}

impl PostgresStore {
    /// Begins to listen, on a connection of its own that is made anew whenever it is lost. To be called on a Tokio runtime.
    pub fn wakes(&self) -> Wakes {
        let (sender, news) = watch::channel(0);
        let pool = self.apart.clone();
        let listening = tokio::spawn(async move {
            loop {
                match listen(&pool, &sender).await {
                    Err(sqlx::Error::PoolClosed) => return,
                    Err(error) => tracing::warn!(%error, "news of the database are not heard"),
                    Ok(()) => {}
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Wakes { news, _listener: std::sync::Arc::new(Listening(listening.abort_handle())) }
    }
}

/// Listens until the connection is lost for good.
async fn listen(pool: &sqlx::PgPool, news: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // What happened before it listened, or while the connection was away, is news, too.
        news.send_modify(|number| *number += 1);
        listener.try_recv().await?;
    }
}
