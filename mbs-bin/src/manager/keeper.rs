//! What the commands on the store of a service share: the store, the rules, who gives the command, and where its results go.

use std::io::Write;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use mbs_core::ident::BuildId;
use mbs_core::model::ModuleBuild;
use mbs_core::store::{Amend, Loaded, Store, StoreError};
use serde::Serialize;

use super::ask::login_name;
use super::{Arguments, configured};
use crate::config::Config;
use crate::exit::Stop;
use crate::logging::without_controls;
use crate::validate::tolerate;

/// How often a change of a build is tried while others change it.
const MOST_TRIES: usize = 10;

/// Who takes care of a service, and with what.
pub(super) struct Keeper<'k> {
    pub(super) store: Arc<dyn Store>,
    pub(super) config: Config,
    /// Who gives the command, for the audit.
    pub(super) by: String,
    pub(super) out: &'k mut dyn Write,
}

impl<'k> Keeper<'k> {
    /// Opens the store that is meant; nothing is asked of anything else.
    ///
    /// # Errors
    /// `Usage`: no store is named, or there is none. `Machine`: it cannot be opened.
    pub(super) async fn open(asked: &Arguments, out: &'k mut dyn Write) -> Result<Self, Stop> {
        let config = configured(asked)?;
        let opened = mbs_store::open_existing(config.service.database.reveal(), &config.policy).await?;
        Ok(Self { store: opened.store, config, by: who(), out })
    }

    /// Prints what came of a command. That nobody reads on is no error.
    ///
    /// # Errors
    /// `Machine`: it cannot be written.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Stop> {
        tolerate(self.out.write_all(without_controls(text).as_bytes()).and_then(|()| self.out.flush()))
    }

    /// Prints a value as JSON on a line of its own.
    ///
    /// # Errors
    /// As for [`print`](Self::print).
    pub(super) fn print_json(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        let text = serde_json::to_string(value).expect("texts, numbers and lists can be written as JSON");
        self.print(&format!("{text}\n"))
    }

    /// Loads a build that was named.
    ///
    /// # Errors
    /// `Usage`: there is none. `Machine`.
    pub(super) async fn load(&self, id: BuildId) -> Result<Loaded, Stop> {
        self.store.load(id).await.map_err(|error| refused(&error))
    }

    /// Changes a build, whoever else changes it meanwhile. `change` is given the record as it is, and returns it as it should be
    /// with words for the audit; `None`: it is so already.
    ///
    /// # Errors
    /// As `change` says. `Usage`: there is no such build. `Machine`.
    pub(super) async fn amend(
        &self,
        id: BuildId,
        change: impl Fn(&ModuleBuild) -> Result<Option<(ModuleBuild, String)>, Stop>,
    ) -> Result<Option<ModuleBuild>, Stop> {
        for _ in 0..MOST_TRIES {
            let loaded = self.load(id).await?;
            let Some((now, what)) = change(&loaded.build)? else { return Ok(None) };
            let amend = Amend { now, revision: loaded.revision, by: self.by.clone(), what };
            match self.store.amend(amend).await {
                Ok(saved) => return Ok(Some(saved.build)),
                Err(StoreError::Stale(_)) => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        Err(refused(&StoreError::Stale(id)))
    }
}

/// Says who has to act: a build that is not there, or is taken, was asked for wrongly.
pub(super) fn refused(error: &StoreError) -> Stop {
    match error {
        StoreError::NotFound(_) => Stop::Usage(error.to_string()),
        StoreError::Taken(_)
        | StoreError::UnderWay(..)
        | StoreError::Stale(_)
        | StoreError::Rejected { .. } => Stop::Failed(error.to_string()),
        StoreError::LeaseLost(_)
        | StoreError::NoSlot { .. }
        | StoreError::KeyReused(_)
        | StoreError::Unavailable { .. } => Stop::Machine(error.to_string()),
    }
}

/// Returns who gives a command: the name of the login, or where nobody has logged in that of the account it runs as.
fn who() -> String {
    login_name().unwrap_or_else(|| {
        let number = std::fs::metadata("/proc/self").map_or(0, |this| this.uid());
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        account(number, &accounts).unwrap_or_else(|| format!("user {number}"))
    })
}

/// Finds the name of an account, as `/etc/passwd` lists them.
fn account(number: u32, accounts: &str) -> Option<String> {
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let fields = lines.find(|fields| fields.get(2) == Some(&number.to_string().as_str()))?;
    fields.first().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

/// Returns the plural of builds.
pub(super) fn builds(count: usize) -> String {
    if count == 1 { "1 build".to_owned() } else { format!("{count} builds") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let accounts = "root:x:0:7:root:/root:/bin/sh\nmbs:x:998:997::/var/lib/mbs:/sbin/nologin\nodd\n";
        assert_eq!((account(998, accounts), account(0, accounts)), (Some("mbs".into()), Some("root".into())));
        assert_eq!((account(7, accounts), account(7, "")), (None, None));
    }
}
