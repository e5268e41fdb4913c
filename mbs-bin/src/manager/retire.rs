//! `retire`: builds that nobody is to require any more. Source: behaviour, section 9.
//!
//! It shows which ready builds fit, asks, and retires each. The build system is left alone: tags and imports stay.

use std::io;
use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;
use mbs_core::ident::{BuildId, Context, Name, Stream, Version};
use mbs_core::model::{ModuleBuild, State};
use mbs_core::store::{Column, Condition, Filter, ListedBuild, Order, Page, Value, sortable};

use super::ask::Person;
use super::keeper::{Keeper, builds};
use crate::exit::Stop;
use crate::table::Table;

/// Why a build is retired, for everybody who sees it. Its wording is the original's.
const REASON: &str = "Module build retired";

/// How many builds are read at a time.
const PAGE: usize = 500;

/// Which builds are retired.
#[derive(Debug, Args)]
pub struct RetireArguments {
    /// The builds: of a stream, of one version of it, or one alone
    #[arg(value_name = "NAME:STREAM[:VERSION[:CONTEXT]]")]
    pub wanted: Wanted,
    /// Agree beforehand, and be asked nothing
    #[arg(long)]
    pub confirm: bool,
}

/// Builds of a stream, of one version of it, or one alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    written: String,
    name: Name,
    stream: Stream,
    version: Option<Version>,
    context: Option<Context>,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let (2..=4) = parts.len() else {
            return Err(
                "it must be NAME:STREAM, NAME:STREAM:VERSION or NAME:STREAM:VERSION:CONTEXT".to_owned()
            );
        };
        let told = |error: mbs_core::ident::InvalidIdent| error.to_string();
        Ok(Self {
            written: text.to_owned(),
            name: parts[0].parse().map_err(told)?,
            stream: parts[1].parse().map_err(told)?,
            version: parts.get(2).map(|version| version.parse()).transpose().map_err(told)?,
            context: parts.get(3).map(|context| context.parse()).transpose().map_err(told)?,
        })
    }
}

impl Wanted {
    fn filter(&self) -> Filter {
        let is = |column, value: String| Condition::AnyOf(column, vec![Value::Text(value)]);
        let ready = Value::Number(State::Ready.number().into());
        let mut columns = vec![
            is(Column::Name, self.name.to_string()),
            is(Column::Stream, self.stream.to_string()),
            Condition::AnyOf(Column::State, vec![ready]),
        ];
        columns.extend(self.version.map(|version| is(Column::Version, sortable(version))));
        columns.extend(self.context.as_ref().map(|context| is(Column::Context, context.to_string())));
        Filter { columns, ..Filter::default() }
    }
}

/// Retires builds for a person at the terminal, or for one who has agreed.
pub(super) async fn run(keeper: &mut Keeper<'_>, asked: &RetireArguments) -> Result<(), Stop> {
    let (mut screen, mut input) = (anstream::stderr(), io::stdin().lock());
    let person = Person::of(asked.confirm, "--confirm", &mut screen, &mut input);
    retire(keeper, &asked.wanted, person).await
}

async fn retire(keeper: &mut Keeper<'_>, wanted: &Wanted, mut person: Person<'_>) -> Result<(), Stop> {
    let found = found(keeper, wanted).await?;
    if found.is_empty() {
        return keeper.print(&format!("no build of {} is ready: nothing is retired\n", wanted.written));
    }
    keeper.print(&table(&found))?;
    person.agree(&format!("Retire {}?", builds(found.len())))?;
    let now = keeper.store.now().await?;
    let mut retired = 0;
    for build in &found {
        retired += usize::from(keeper.amend(build.id, |build| retired_at(build, now)).await?.is_some());
    }
    keeper.print(&format!("{} retired\n", builds(retired)))
}

async fn found(keeper: &Keeper<'_>, wanted: &Wanted) -> Result<Vec<ListedBuild>, Stop> {
    let (filter, order) = (wanted.filter(), Order::default());
    let mut found: Vec<ListedBuild> = Vec::new();
    loop {
        let before: Option<BuildId> = found.last().map(|build| build.id);
        let page = keeper.store.list(&filter, &order, Page { before, ..Page::first(PAGE) }).await?;
        if page.is_empty() {
            found.reverse();
            return Ok(found);
        }
        found.extend(page);
    }
}

/// Returns a build as it is once retired; `None`: it is not ready any more, so somebody was faster.
fn retired_at(build: &ModuleBuild, now: Timestamp) -> Result<Option<(ModuleBuild, String)>, Stop> {
    if build.state() != State::Ready {
        return Ok(None);
    }
    let mut retired = build.clone();
    let entered = retired.enter(State::Garbage, Some(REASON.to_owned()), now);
    entered.map_err(|illegal| Stop::Failed(illegal.to_string()))?;
    Ok(Some((retired, "retired it".to_owned())))
}

fn table(found: &[ListedBuild]) -> String {
    let mut table = Table::new(["ID", "Owner", "Completed", "Module"]);
    for ListedBuild { id, summary, .. } in found {
        let completed = summary.completed_at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let owner = summary.owner.replace(char::is_control, " ");
        table.push([Some(id.to_string()), Some(owner), completed, Some(summary.nsvc.to_string())]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::testing::Bench;

    /// Retires what is wanted, with an answer to the question; returns what was printed.
    fn answered(bench: &Bench, wanted: &str, mut answer: &[u8]) -> (Result<(), Stop>, String) {
        let wanted = wanted.parse().unwrap();
        bench.keep(async |keeper| {
            let person = Person::Present { screen: &mut Vec::new(), answers: &mut answer };
            retire(keeper, &wanted, person).await
        })
    }

    fn states(bench: &Bench, ids: &[BuildId]) -> Vec<State> {
        ids.iter().map(|id| bench.loaded(*id).state()).collect()
    }

    #[test]
    fn what_is_wanted_has_two_to_four_parts() {
        let read = |text: &str| text.parse::<Wanted>().is_ok();
        assert!(["a:1", "a:1:2", "a:1:2:c0"].into_iter().all(read));
        assert!(!["", "a", "a:", "a:1:x", "a:1:2:c0:x"].into_iter().any(read));
    }

    #[test]
    fn ready_builds_that_fit_are_retired_with_the_reason_and_no_others() {
        let bench = Bench::new();
        let fits = [bench.imported("platform:f40:1:a"), bench.imported("platform:f40:10:a")];
        let others = [bench.imported("platform:f41:1:a"), bench.imported("base:f40:1:a")];
        let running = bench.submitted("platform:f40:11:a");
        let told = bench.done(&["retire", "platform:f40", "--confirm"]);
        assert!(told.contains("platform:f40:10:a") && told.ends_with("2 builds retired\n"), "{told}");
        assert_eq!(states(&bench, &fits), [State::Garbage; 2]);
        assert_eq!(states(&bench, &others), [State::Ready; 2]);
        assert_eq!(bench.loaded(running).state(), State::Init);
        assert_eq!(bench.loaded(fits[0]).life.reason(), Some("Module build retired"));
        let audit = bench.ask(async |store| store.audit(fits[0]).await.unwrap());
        assert_eq!(audit.last().map(|entry| (&*entry.by, &*entry.what)), Some((&*bench.by(), "retired it")));
        let told = bench.done(&["retire", "platform:f40", "--confirm"]);
        assert_eq!(told, "no build of platform:f40 is ready: nothing is retired\n");
    }

    #[test]
    fn a_version_and_a_context_narrow_it() {
        let bench = Bench::new();
        let all = ["a", "b"].map(|context| bench.imported(&format!("app:1:5:{context}")));
        let other = bench.imported("app:1:50:a");
        bench.done(&["retire", "app:1:5:b", "--confirm"]);
        assert_eq!(states(&bench, &all), [State::Ready, State::Garbage]);
        bench.done(&["retire", "app:1:5", "--confirm"]);
        assert_eq!(states(&bench, &all), [State::Garbage; 2]);
        assert_eq!(bench.loaded(other).state(), State::Ready);
    }

    #[test]
    fn nothing_is_retired_unless_somebody_says_yes() {
        let bench = Bench::new();
        let id = bench.imported("app:1:5:a");
        let (ended, told) = answered(&bench, "app:1", b"n\n");
        assert_eq!(ended, Err(Stop::Failed("nothing was changed".into())));
        assert!(told.contains("app:1:5:a"), "{told}");
        assert_eq!(bench.loaded(id).state(), State::Ready);
        assert_eq!(answered(&bench, "app:1", b"y\n").0, Ok(()));
        assert_eq!(bench.loaded(id).state(), State::Garbage);
    }

    #[test]
    fn more_than_a_page_of_builds_is_found() {
        let bench = Bench::new();
        bench
            .keep(async |keeper| {
                for version in 0..=PAGE {
                    crate::manager::testing::import(&*keeper.store, &format!("app:1:{version}:a")).await;
                }
                assert_eq!(found(keeper, &"app:1".parse().unwrap()).await?.len(), PAGE + 1);
                Ok(())
            })
            .0
            .unwrap();
    }
}
