//! What operators set, and what time sweeps away.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{AuditEntry, Figures, Retention, Settings, StoreError, Trim, Trimmed};

/// What operators set, and what time sweeps away.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Upkeep: Debug + Send + Sync + 'static {
    /// Returns the settings.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn settings(&self) -> Result<Settings, StoreError>;

    /// Changes the settings; who did is kept. Those become due who can go on now: in line, as far as slots became free for
    /// them; in `init` and `wait`, if a drain ended.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError>;

    /// Returns who changed the settings, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError>;

    /// Removes or counts what is kept no longer. States and traces stay.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError>;

    /// Returns how the service stands, at little cost.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn figures(&self) -> Result<Figures, StoreError>;
}
