//! Sessions that are lent, one to each writer at a time.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use mbs_core::build_system::Effect;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::HubError;
use super::parcel::Deadline;
use super::session::Session;
use super::wire::Wire;

/// Sessions nobody uses at the moment, and how many there may be in all.
pub(super) struct Pool {
    idle: Mutex<Vec<Session>>,
    places: Semaphore,
}

impl Pool {
    pub(super) fn new(size: usize) -> Self {
        Self { idle: Mutex::default(), places: Semaphore::new(size.clamp(1, Semaphore::MAX_PERMITS)) }
    }

    /// Lends a session, as soon as one is free; makes one if there are less than there may be.
    ///
    /// # Errors
    /// None was free in time, or the login failed: nothing happened.
    pub(super) async fn take(&self, wire: &Arc<Wire>, until: Deadline) -> Result<Lent<'_>, HubError> {
        let Some(place) = until.bound(self.places.acquire()).await else {
            let reason = "no session was free in time".to_owned();
            return Err(HubError::Unreachable { reason, effect: Effect::None, retry_after: None });
        };
        let place = place.expect("the pool is never closed");
        let idle = self.lock().pop();
        let session = match idle {
            Some(session) => session,
            None => Session::begin(wire, until).await?,
        };
        Ok(Lent { pool: self, session: Some(session), _place: place })
    }

    /// Takes out all that nobody uses.
    pub(super) fn drain(&self) -> Vec<Session> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lent session; it goes back by itself, unless a call of it may still be under way.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    session: Option<Session>,
    _place: SemaphorePermit<'p>,
}

impl Deref for Lent<'_> {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("it is there until dropped")
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("it is there until dropped")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take().filter(|session| !session.is_in_doubt()) {
            self.pool.lock().push(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mbs_core::memory::ManualClock;

    use super::*;
    use crate::profile::{Login, Profile};

    #[tokio::test]
    async fn who_waits_for_a_session_in_vain_has_done_nothing() {
        let profile = Profile::new("test", "http://127.0.0.1:9/kojihub", Login::Anonymous);
        let wire = Arc::new(Wire::new(&profile, Arc::new(ManualClock::new()), None).unwrap());
        let pool = Pool::new(0);
        let place = pool.places.acquire().await.unwrap();
        let error = pool.take(&wire, Deadline::within(Duration::ZERO)).await.err();
        let reason = "no session was free in time".to_owned();
        assert_eq!(error, Some(HubError::Unreachable { reason, effect: Effect::None, retry_after: None }));
        drop(place);
        let error = pool.take(&wire, Deadline::within(Duration::MAX)).await.err();
        assert!(matches!(error, Some(HubError::Login { .. })), "{error:?}");
    }
}
