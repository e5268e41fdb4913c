//! `limit`, `pause`, `drain`: what operators set while the service runs. Without a value each shows how it is.
//!
//! Whoever can go on after a change is woken by the store; what runs is never stopped.

use std::num::NonZeroU32;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use mbs_core::store::{Figures, Settings};

use super::keeper::{Keeper, builds};
use crate::exit::Stop;

/// What the limit becomes.
#[derive(Debug, Args)]
pub struct LimitArguments {
    /// The most components in progress at a time, of all builds together, or `none`; without it the limit is shown
    #[arg(value_name = "N|none")]
    pub limit: Option<Limit>,
}

/// A limit on components in progress; `None`: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(Option<NonZeroU32>);

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            "0" => Err("to begin no component at all, say `pause on`"),
            number => number
                .parse()
                .map(|limit| Self(Some(limit)))
                .map_err(|_| "it must be a whole number, or none"),
        }
    }
}

/// Whether something is switched on.
#[derive(Debug, Args)]
pub struct SwitchArguments {
    /// What it becomes; without it, how it is is shown
    #[arg(value_enum)]
    pub switch: Option<Switch>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    fn is_on(self) -> bool {
        self == Self::On
    }
}

/// Shows or sets the limit.
pub(super) async fn limit(keeper: &mut Keeper<'_>, asked: &LimitArguments) -> Result<(), Stop> {
    if let Some(Limit(limit)) = asked.limit {
        let limit = limit.map(NonZeroU32::get);
        change(keeper, |settings| settings.limit = limit).await?;
    }
    let figures = keeper.store.figures().await?;
    keeper.print(&told_limit(&figures))
}

/// Shows or sets whether components are begun.
pub(super) async fn pause(keeper: &mut Keeper<'_>, asked: &SwitchArguments) -> Result<(), Stop> {
    if let Some(switch) = asked.switch {
        change(keeper, |settings| settings.paused = switch.is_on()).await?;
    }
    let figures = keeper.store.figures().await?;
    keeper.print(&told_pause(&figures))
}

/// Shows or sets whether builds leave `init` and `wait`.
pub(super) async fn drain(keeper: &mut Keeper<'_>, asked: &SwitchArguments) -> Result<(), Stop> {
    if let Some(switch) = asked.switch {
        change(keeper, |settings| settings.draining = switch.is_on()).await?;
    }
    let figures = keeper.store.figures().await?;
    keeper.print(&told_drain(&figures))
}

/// Changes the settings; what is so already leaves no trace in the audit.
async fn change(keeper: &Keeper<'_>, change: impl FnOnce(&mut Settings)) -> Result<(), Stop> {
    let was = keeper.store.settings().await?;
    let mut settings = was.clone();
    change(&mut settings);
    if settings != was {
        keeper.store.change_settings(settings, &keeper.by).await?;
    }
    Ok(())
}

fn told_limit(figures: &Figures) -> String {
    let limit = match figures.configured_limit {
        None => "there is no limit".to_owned(),
        Some(limit) => format!("the limit is {limit}"),
    };
    let lowered = match figures.limit.filter(|_| figures.limit != figures.configured_limit) {
        Some(lowered) => format!(", lowered to {lowered} for as long as the build system is strained"),
        None => String::new(),
    };
    let line = builds(usize::try_from(figures.in_line).unwrap_or(usize::MAX));
    format!("{limit}{lowered}; {} in progress, {line} in line\n", figures.in_use)
}

fn told_pause(figures: &Figures) -> String {
    match figures.paused {
        true => format!("paused: no component is begun, {} in progress go on\n", figures.in_use),
        false => "not paused\n".to_owned(),
    }
}

fn told_drain(figures: &Figures) -> String {
    use mbs_core::model::State;

    let count = |state| figures.by_state.get(&state).copied().unwrap_or_default();
    match figures.draining {
        true => format!(
            "draining: {} in init and {} in wait stay there, {} in build go on\n",
            count(State::Init),
            count(State::Wait),
            count(State::Build)
        ),
        false => "not draining\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::testing::Bench;

    #[test]
    fn a_limit_is_a_number_from_one_on_or_none() {
        let read = |text: &str| text.parse::<Limit>();
        assert_eq!((read("none"), read("7")), (Ok(Limit(None)), Ok(Limit(NonZeroU32::new(7)))));
        assert!(read("0").unwrap_err().contains("pause on"));
        assert!(["", "-1", "many"].into_iter().all(|text| read(text).is_err()));
    }

    #[test]
    fn the_limit_is_set_and_shown_and_who_did_it_is_kept() {
        let bench = Bench::new();
        assert_eq!(bench.done(&["limit", "7"]), "the limit is 7; 0 in progress, 0 builds in line\n");
        assert_eq!(bench.done(&["limit"]), "the limit is 7; 0 in progress, 0 builds in line\n");
        assert_eq!(bench.done(&["limit", "none"]), "there is no limit; 0 in progress, 0 builds in line\n");
        let audit = bench.ask(async |store| store.settings_audit().await.unwrap());
        let told: Vec<_> = audit.iter().map(|entry| entry.what.as_str()).collect();
        assert_eq!(told[told.len() - 2..], ["changed limit from none to 7", "changed limit from 7 to none"]);
        assert_eq!(audit.last().unwrap().by, bench.by());
    }

    #[test]
    fn what_is_so_already_is_not_done_again() {
        let bench = Bench::new();
        bench.done(&["pause", "on"]);
        let count = || bench.ask(async |store| store.settings_audit().await.unwrap().len());
        let before = count();
        assert_eq!(bench.done(&["pause", "on"]), "paused: no component is begun, 0 in progress go on\n");
        assert_eq!(count(), before);
    }

    #[test]
    fn switches_are_turned_on_and_off_one_by_one() {
        let bench = Bench::new();
        bench.done(&["pause", "on"]);
        assert_eq!(
            bench.done(&["drain", "on"]),
            "draining: 0 in init and 0 in wait stay there, 0 in build go on\n"
        );
        let settings = || bench.ask(async |store| store.settings().await.unwrap());
        assert_eq!((settings().paused, settings().draining), (true, true));
        assert_eq!(bench.done(&["pause", "off"]), "not paused\n");
        assert_eq!((settings().paused, settings().draining), (false, true));
        assert_eq!(bench.done(&["drain", "off"]), "not draining\n");
    }
}
