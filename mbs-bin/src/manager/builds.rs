//! `priority`, `requeue`: what is done to single builds.

use clap::Args;
use mbs_core::bus::Hint;
use mbs_core::ident::BuildId;
use mbs_core::model::{ModuleBuild, State};

use super::keeper::{Keeper, builds};
use crate::exit::Stop;

/// Which build is served when.
#[derive(Debug, Args)]
pub struct PriorityArguments {
    /// The build
    #[arg(value_name = "ID")]
    pub id: i64,
    /// Its priority: larger ones are served first, and 0 is usual
    #[arg(value_name = "N", allow_negative_numbers = true)]
    pub priority: i32,
}

/// Which builds are looked at.
#[derive(Debug, Args)]
pub struct RequeueArguments {
    /// A build
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<i64>,
    /// All builds under way
    #[arg(long)]
    pub all: bool,
}

/// Gives a build another priority.
pub(super) async fn priority(keeper: &mut Keeper<'_>, asked: &PriorityArguments) -> Result<(), Stop> {
    let id = BuildId(asked.id);
    let changed = keeper.amend(id, |build| reprioritised(build, asked.priority)).await?;
    let already = if changed.is_none() { " already" } else { "" };
    let nsvc = keeper.load(id).await?.build.nsvc().clone();
    keeper.print(&format!("{id} {nsvc} has the priority {}{already}\n", asked.priority))
}

fn reprioritised(build: &ModuleBuild, priority: i32) -> Result<Option<(ModuleBuild, String)>, Stop> {
    if matches!(build.state(), State::Done | State::Ready | State::Garbage) {
        let (id, state) = (build.id, build.state());
        return Err(Stop::Failed(format!("{id} {} is {state}: nothing of it waits any more", build.nsvc())));
    }
    if build.new.priority == priority {
        return Ok(None);
    }
    let mut now = build.clone();
    now.new.priority = priority;
    Ok(Some((now, format!("changed its priority from {} to {priority}", build.new.priority))))
}

/// Has builds looked at now.
pub(super) async fn requeue(keeper: &mut Keeper<'_>, asked: &RequeueArguments) -> Result<(), Stop> {
    let hints = if asked.all {
        vec![Hint::Everything]
    } else {
        // All that are named are there, or none is woken.
        for id in &asked.ids {
            keeper.load(BuildId(*id)).await?;
        }
        asked.ids.iter().map(|id| Hint::Build(BuildId(*id))).collect()
    };
    let woken = keeper.store.wake(&hints).await?;
    let verb = if woken == 1 { "is" } else { "are" };
    keeper.print(&format!("{} {verb} looked at as soon as a backend has time\n", builds(woken)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::testing::Bench;

    #[test]
    fn a_build_gets_another_priority_and_who_gave_it_is_kept() {
        let bench = Bench::new();
        let id = bench.submitted("app:1:1:a").0;
        let given = ["priority", &id.to_string(), "-5"];
        assert_eq!(bench.done(&given), format!("{id} app:1:1:a has the priority -5\n"));
        assert_eq!(bench.done(&given), format!("{id} app:1:1:a has the priority -5 already\n"));
        assert_eq!(bench.loaded(BuildId(id)).new.priority, -5);
        let audit = bench.ask(async |store| store.audit(BuildId(id)).await.unwrap());
        let told: Vec<_> = audit.iter().map(|entry| (entry.by.as_str(), entry.what.as_str())).collect();
        assert_eq!(told, [(bench.by().as_str(), "changed its priority from 0 to -5")]);
    }

    #[test]
    fn nothing_is_served_of_a_build_that_has_ended_or_is_not_there() {
        let bench = Bench::new();
        let id = bench.imported("platform:f40:1:00000000");
        let stop = bench.run(&["priority", &id.to_string(), "1"]).unwrap_err();
        assert!(matches!(&stop, Stop::Failed(told) if told.contains("is ready")), "{stop}");
        let stop = bench.run(&["priority", "99", "1"]).unwrap_err();
        assert_eq!(stop, Stop::Usage("there is no module build 99".into()));
    }

    #[test]
    fn requeued_builds_are_due() {
        let bench = Bench::new();
        let ids = [bench.submitted("app:1:1:a"), bench.submitted("app:1:2:a")];
        bench.put_to_sleep();
        let due = || ids.map(|id| bench.due(id).is_some());
        assert_eq!(due(), [false, false]);
        let told = bench.done(&["requeue", &ids[1].to_string()]);
        assert_eq!(told, "1 build is looked at as soon as a backend has time\n");
        assert_eq!(due(), [false, true]);
        bench.done(&["requeue", "--all"]);
        assert_eq!(due(), [true, true]);
    }

    #[test]
    fn if_one_that_is_named_is_not_there_none_is_requeued() {
        let bench = Bench::new();
        let id = bench.submitted("app:1:1:a");
        bench.put_to_sleep();
        let stop = bench.run(&["requeue", &id.to_string(), "99"]).unwrap_err();
        assert_eq!(stop, Stop::Usage("there is no module build 99".into()));
        assert_eq!(bench.due(id), None);
    }
}
