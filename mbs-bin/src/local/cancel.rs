//! Cancelling a build by hand: recorded at once; the engine then ends what is under way.

use mbs_core::ident::BuildId;
use mbs_core::store::{Amend, Store, StoreError};
use mbs_core::submission;

use crate::exit::Stop;

/// Records that a build is cancelled; one that has ended, or is about to, stays as it is.
///
/// # Errors
/// `Machine`: the record cannot be kept.
pub async fn cancel(store: &dyn Store, id: BuildId, user: &str) -> Result<(), Stop> {
    loop {
        let loaded = store.load(id).await?;
        let Ok(now) = submission::cancel(&loaded.build, user, store.now().await?) else { return Ok(()) };
        let what = "cancelled it".to_owned();
        match store.amend(Amend { now, revision: loaded.revision, by: user.to_owned(), what }).await {
            // The engine was faster; what it saved is cancelled instead.
            Err(StoreError::Stale(_)) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
