//! `stuck`: the builds that have not moved, why, and what somebody could do about each.
//!
//! Why a build is not further has been stored by its last look. What is to be done follows from it, and from whether anybody looks
//! at the build at all.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use mbs_core::plan::Why;
use mbs_core::store::{MOST_LISTED, Standing};
use serde::Serialize;

use super::keeper::Keeper;
use crate::exit::Stop;

/// How late a build may be looked at before it is said that nobody does.
const LATE: Duration = Duration::from_secs(300);

/// Which builds count as stuck.
#[derive(Debug, Args)]
pub struct StuckArguments {
    /// How long a build has not moved, in minutes
    #[arg(long = "for", value_name = "MINUTES", default_value_t = 60)]
    pub minutes: u32,
    /// Print each as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

/// A build as `--json` shows it.
#[derive(Debug, Serialize)]
struct Shown<'s> {
    id: i64,
    nsvc: String,
    state: &'static str,
    /// When its record changed last.
    since: Timestamp,
    /// When it is looked at next; null: when somebody wakes it.
    due: Option<Timestamp>,
    /// Who looks at it; null: nobody does.
    looked_at_by: Option<&'s str>,
    /// One sentence; null before the first look.
    sentence: Option<String>,
    /// The same for programs.
    why: Option<&'s Why>,
    hint: String,
}

/// Shows the builds that stand still, those first that have stood longest.
pub(super) async fn run(keeper: &mut Keeper<'_>, asked: &StuckArguments) -> Result<(), Stop> {
    let now = keeper.store.now().await?;
    let before = Duration::from_secs(u64::from(asked.minutes) * 60);
    let since = now.checked_sub(before).unwrap_or(Timestamp::MIN);
    let standing = keeper.store.standing(since, MOST_LISTED).await?;
    for one in &standing {
        match asked.json {
            true => keeper.print_json(&shown(one, now))?,
            false => keeper.print(&told(one, now))?,
        }
    }
    if standing.len() == MOST_LISTED && !asked.json {
        keeper.print("there may be more: these are those that have stood longest\n")?;
    }
    if standing.is_empty() && !asked.json {
        keeper.print(&format!("every build under way has moved in the last {} minutes\n", asked.minutes))?;
    }
    Ok(())
}

fn shown(standing: &Standing, now: Timestamp) -> Shown<'_> {
    Shown {
        id: standing.id.0,
        nsvc: standing.nsvc.to_string(),
        state: standing.state.name(),
        since: standing.progressed_at,
        due: standing.due,
        looked_at_by: standing.leased_by.as_ref().map(|worker| worker.0.as_str()),
        sentence: standing.why.as_ref().map(Why::to_string),
        why: standing.why.as_ref(),
        hint: hint(standing, now),
    }
}

fn told(standing: &Standing, now: Timestamp) -> String {
    let Standing { id, nsvc, state, progressed_at, why, .. } = standing;
    let why = why.as_ref().map_or_else(|| "nobody has looked at it yet".to_owned(), Why::to_string);
    // A line each, whatever a build system said.
    let why = why.replace(char::is_control, " ");
    let since = progressed_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("{id} {nsvc}, {state} since {since}\n  why:  {why}\n  hint: {}\n", hint(standing, now))
}

/// Says what somebody could do about a build.
fn hint(standing: &Standing, now: Timestamp) -> String {
    if let Some(worker) = &standing.leased_by {
        return format!("{} is looking at it right now; see its log if that does not end", worker.0);
    }
    let late = now.checked_sub(LATE).unwrap_or(now);
    if standing.due.is_some_and(|due| due < late) {
        return "it is due and nobody looks at it: see whether a backend runs".to_owned();
    }
    let id = standing.id;
    match &standing.why {
        None => format!("see whether a backend runs, then `mbs-manager requeue {id}`"),
        Some(why) => of_reason(why, &id.to_string()),
    }
}

fn of_reason(why: &Why, id: &str) -> String {
    let requeue = format!("`mbs-manager requeue {id}`");
    match why {
        Why::GoingOn | Why::Finished | Why::Timer { .. } => format!("nothing; {requeue} looks at it now"),
        Why::Building { .. } => {
            "look at these tasks in the build system: if one hangs, cancel it there and it is tried again"
                .to_owned()
        }
        Why::WaitingForSlot { .. } => {
            format!(
                "wait, raise the limit (`mbs-manager limit N`), or serve it first: `mbs-manager priority {id} 1`"
            )
        }
        Why::WaitingForTags { .. } => {
            "see whether the build system tags at all: tasks that tag may wait there".to_owned()
        }
        Why::WaitingForRepo { task: Some(task), .. } => {
            format!("look at the repository task {task} in the build system")
        }
        Why::WaitingForRepo { task: None, .. } => {
            "see whether the build system makes repositories at all, and of this tag".to_owned()
        }
        Why::InDoubt { .. } => "nothing: it is settled by itself after that time".to_owned(),
        Why::BackingOff { .. } => {
            format!("mend what it says; it is tried again by itself, or at once after {requeue}")
        }
        Why::Cancelling { .. } => "cancel these tasks in the build system, if they do not end".to_owned(),
        Why::Paused => "`mbs-manager pause off`, when components may be begun again".to_owned(),
        Why::Draining { .. } => "`mbs-manager drain off`, when builds may begin again".to_owned(),
        Why::BrokenOff { .. } => format!("if it says the same after {requeue}, see the log of the backend"),
        Why::Contradiction { .. } => {
            format!("look at both sides; mend the build system and say {requeue}, or cancel the build")
        }
    }
}

#[cfg(test)]
mod tests {
    use mbs_core::ident::BuildId;
    use mbs_core::model::State;
    use mbs_core::store::WorkerId;
    use serde_json::Value;

    use super::*;
    use crate::manager::testing::Bench;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + secs).unwrap()
    }

    fn standing(why: Option<Why>) -> Standing {
        Standing {
            id: BuildId(7),
            nsvc: "app:1:7:c0ffee00".parse().unwrap(),
            state: State::Build,
            progressed_at: at(0),
            due: Some(at(5000)),
            leased_by: None,
            why,
        }
    }

    #[test]
    fn a_build_is_shown_with_its_reason_and_what_to_do() {
        let told = told(&standing(Some(Why::Paused)), at(4000));
        let expected = "7 app:1:7:c0ffee00, build since 2023-11-14T22:13:20Z
  why:  an operator paused submissions
  hint: `mbs-manager pause off`, when components may be begun again
";
        assert_eq!(told, expected);
    }

    #[test]
    fn what_a_build_system_said_stays_on_its_line() {
        let why = Why::BrokenOff { what: "one\ntwo\u{1b}[2J".into() };
        let told = told(&standing(Some(why)), at(4000));
        assert!(told.contains("one two [2J") && told.lines().count() == 3, "{told}");
    }

    #[test]
    fn who_looks_at_a_build_and_that_nobody_does_comes_before_its_reason() {
        let leased =
            Standing { leased_by: Some(WorkerId("backend-1".into())), ..standing(Some(Why::Paused)) };
        assert!(hint(&leased, at(9000)).starts_with("backend-1 is looking"));
        let overdue = standing(Some(Why::Paused));
        assert!(hint(&overdue, at(5301)).contains("see whether a backend runs"));
        assert!(hint(&overdue, at(5299)).contains("pause off"));
        assert!(hint(&standing(None), at(4000)).contains("requeue 7"));
    }

    #[test]
    fn builds_that_have_not_moved_are_listed_one_object_a_line() {
        let bench = Bench::new();
        let id = bench.submitted("app:1:1:a");
        bench.put_to_sleep();
        assert_eq!(bench.done(&["stuck"]), "every build under way has moved in the last 60 minutes\n");
        assert_eq!(bench.done(&["stuck", "--json"]), "");
        let told = bench.done(&["stuck", "--for", "0"]);
        assert!(told.starts_with(&format!("{id} app:1:1:a, init since ")), "{told}");
        let shown: Value = serde_json::from_str(&bench.done(&["stuck", "--for", "0", "--json"])).unwrap();
        assert_eq!(
            (&shown["id"], &shown["state"], &shown["why"]["kind"]),
            (&id.0.into(), &"init".into(), &"finished".into())
        );
    }
}
