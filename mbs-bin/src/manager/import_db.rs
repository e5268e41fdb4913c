//! `import-db`: takes over the builds of an original service into an empty store; all of them, or nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use mbs_core::ident::BuildId;
use mbs_core::model::State;
use mbs_core::store::{Filter, Restored};

use super::keeper::{Keeper, builds, refused};
use crate::exit::Stop;
use crate::takeover::{Dump, arrive, records};

/// What is taken over.
#[derive(Debug, Args)]
pub struct ImportDbArguments {
    /// The tables of the original's database as a JSON object: table → rows → columns
    #[arg(value_name = "DUMP.json")]
    pub dump: PathBuf,
}

/// Takes over the builds of another service.
pub(super) async fn run(keeper: &mut Keeper<'_>, asked: &ImportDbArguments) -> Result<(), Stop> {
    let there = keeper.store.count(&Filter::default()).await?;
    if there > 0 {
        let there = builds(usize::try_from(there).unwrap_or(usize::MAX));
        return Err(Stop::Failed(format!(
            "the store has {there} already, and what is taken over keeps its ids: name one that `mbs-manager upgradedb` has \
             made and nobody has used"
        )));
    }
    let mut all = read(asked)?;
    let in_flight = arrive(&mut all, &keeper.config.policy, keeper.store.now().await?);
    let told = told(&all, &in_flight);
    keeper.store.restore(all).await.map_err(|error| refused(&error))?;
    keeper.print(&told)
}

fn read(asked: &ImportDbArguments) -> Result<Vec<Restored>, Stop> {
    let path = &asked.dump;
    let file = File::open(path).map_err(|error| Stop::unreadable(path, &error))?;
    let dump: Dump =
        serde_json::from_reader(BufReader::new(file)).map_err(|error| unusable(asked, &error))?;
    records(&dump).map_err(|error| unusable(asked, &error))
}

fn unusable(asked: &ImportDbArguments, error: &dyn std::error::Error) -> Stop {
    Stop::Usage(format!("{} cannot be taken over: {error}", asked.dump.display()))
}

fn told(all: &[Restored], in_flight: &[BuildId]) -> String {
    let mut by_state: BTreeMap<State, usize> = BTreeMap::new();
    for record in all {
        *by_state.entry(record.build.state()).or_default() += 1;
    }
    let states: Vec<String> = by_state.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let mut told = format!("{} taken over: {}\n", builds(all.len()), states.join(", "));
    if !in_flight.is_empty() {
        let ids: Vec<String> = in_flight.iter().map(ToString::to_string).collect();
        told += &format!("in flight, and failed now, to be resumed or submitted again: {}\n", ids.join(", "));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::manager::testing::Bench;

    fn seed() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rest-golden/seed-db.json")
    }

    #[test]
    fn the_builds_of_an_original_service_keep_their_ids_and_what_was_in_flight_has_failed() {
        if !seed().exists() {
            assert!(std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "{} is missing", seed().display());
            return;
        }
        let bench = Bench::new();
        let told = bench.done(&["import-db", &seed().display().to_string()]);
        assert!(told.starts_with("43 builds taken over: 1 done, 5 failed, 35 ready, 2 garbage\n"), "{told}");
        let in_flight: Vec<&str> = told.rsplit_once(": ").unwrap().1.trim().split(", ").collect();
        assert_eq!(in_flight.len(), 4, "{told}");
        for id in in_flight {
            let build = bench.loaded(BuildId(id.parse().unwrap()));
            assert_eq!((build.state(), build.life.is_settled()), (State::Failed, false));
        }
        assert_eq!(bench.submitted("app:1:1:a"), BuildId(44));
    }

    #[test]
    fn a_store_that_has_builds_takes_over_none() {
        let bench = Bench::new();
        bench.submitted("app:1:1:a");
        let stop = bench.run(&["import-db", "/nowhere.json"]).unwrap_err();
        assert!(
            matches!(&stop, Stop::Failed(told) if told.starts_with("the store has 1 build already")),
            "{stop}"
        );
    }

    #[test]
    fn a_dump_that_makes_no_sense_is_refused_with_its_row_and_nothing_is_taken_over() {
        let bench = Bench::new();
        let path = bench.folder.path().join("dump.json");
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            bench.run(&["import-db", &path.display().to_string()]).unwrap_err()
        };
        assert!(refused("{").to_string().starts_with(&format!("{} cannot be taken over: ", path.display())));
        let row = json!({"id": 7, "name": "a", "stream": "1", "version": "5", "context": "c0", "state": 9, "modulemd": "x",
            "owner": "anna", "time_submitted": "2023-03-01T00:00:00", "time_modified": "2023-03-01T01:00:00",
            "rebuild_strategy": "all"});
        let stop = refused(&json!({"module_builds": [row]}).to_string());
        assert!(matches!(&stop, Stop::Usage(told) if told.contains("module_builds 7: ")), "{stop}");
        assert_eq!(bench.submitted("app:1:1:a"), BuildId(1));
        assert!(matches!(bench.run(&["import-db", "/nowhere.json"]).unwrap_err(), Stop::Failed(_)));
    }
}
