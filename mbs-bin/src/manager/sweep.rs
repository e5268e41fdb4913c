//! `gc`: removes what is kept no longer. Builds, their components and their histories always stay.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use mbs_core::store::{Retention, Trim};

use super::keeper::Keeper;
use crate::exit::Stop;

const DAY: Duration = Duration::from_secs(86_400);

/// What is kept how long, in days.
#[derive(Debug, Args)]
pub struct GcArguments {
    /// Count only, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep events so long that every known receiver has; without a receiver all are kept
    #[arg(long, value_name = "DAYS|never", default_value = "30")]
    pub events: KeptFor,
    /// Keep so long what protects submissions against being done twice
    #[arg(long, value_name = "DAYS|never", default_value = "30")]
    pub keys: KeptFor,
    /// Keep log lines of builds so long
    #[arg(long, value_name = "DAYS|never", default_value = "never")]
    pub log: KeptFor,
    /// Keep so long who did what
    #[arg(long, value_name = "DAYS|never", default_value = "never")]
    pub audit: KeptFor,
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptFor {
    /// So many days.
    Days(u32),
    /// It is never removed.
    Always,
}

impl FromStr for KeptFor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "never" => Ok(Self::Always),
            days => days.parse().map(Self::Days).map_err(|_| "it must be a whole number of days, or never"),
        }
    }
}

impl KeptFor {
    /// Returns the moment before which it goes.
    fn before(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => Some(now.checked_sub(DAY * days).unwrap_or(Timestamp::MIN)),
            Self::Always => None,
        }
    }
}

/// Removes or counts what is old.
pub(super) async fn run(keeper: &mut Keeper<'_>, asked: &GcArguments) -> Result<(), Stop> {
    let now = keeper.store.now().await?;
    let retention = Retention {
        log: asked.log.before(now),
        events: asked.events.before(now),
        audit: asked.audit.before(now),
        keys: asked.keys.before(now),
    };
    let (trim, verb) = match asked.dry_run {
        true => (Trim::Count, "would be removed"),
        false => (Trim::Remove, "removed"),
    };
    let gone = keeper.store.trim(&retention, trim).await?;
    keeper.print(&format!(
        "{verb}: {} events, {} keys, {} log lines, {} entries of the audit\n",
        gone.events, gone.keys, gone.log, gone.audit
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::testing::Bench;

    #[test]
    fn how_long_is_days_or_never() {
        let read = |text: &str| text.parse::<KeptFor>();
        assert_eq!((read("0"), read("never")), (Ok(KeptFor::Days(0)), Ok(KeptFor::Always)));
        assert!(["", "-1", "2w"].into_iter().all(|text| read(text).is_err()));
    }

    #[test]
    fn what_is_old_is_counted_first_and_then_removed() {
        let bench = Bench::new();
        bench.done(&["limit", "7"]);
        bench.done(&["limit", "8"]);
        let nothing = "removed: 0 events, 0 keys, 0 log lines, 0 entries of the audit\n";
        assert_eq!(bench.done(&["gc"]), nothing);
        let count = || bench.ask(async |store| store.settings_audit().await.unwrap().len());
        let before = count();
        assert!(before >= 2);
        let told = bench.done(&["gc", "--audit", "0", "--dry-run"]);
        assert_eq!(
            told,
            format!("would be removed: 0 events, 0 keys, 0 log lines, {before} entries of the audit\n")
        );
        assert_eq!(count(), before);
        bench.done(&["gc", "--audit", "0"]);
        assert_eq!(count(), 0);
    }
}
