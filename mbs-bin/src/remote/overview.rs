//! `mbs-build overview`: the newest module builds of some states, as a table.

use std::cmp::Reverse;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use indicatif::{MultiProgress, ProgressBar};
use mbs_client::api::{Filter, Form, ModuleBuild};
use mbs_core::ident::BuildId;
use mbs_core::model::State;
use serde_json::json;

use super::show::{components, line, print, print_json};
use super::site::{Site, stop};
use crate::cli::{OverviewArguments, Reader};
use crate::exit::{Exit, Stop};
use crate::table::Table;

/// So many builds are asked for at a time.
const BUILDS_AT_ONCE: usize = 20;

pub(super) async fn run(
    site: &Site,
    arguments: &OverviewArguments,
    bars: Option<&MultiProgress>,
) -> Result<Exit, Stop> {
    let states = match arguments.finished {
        false => [State::Init, State::Wait, State::Build],
        true => [State::Done, State::Ready, State::Failed],
    };
    let listed = states.map(|state| ids(site, state, arguments.limit));
    let listed: Vec<Vec<BuildId>> = stream::iter(listed).buffered(states.len()).try_collect().await?;
    let mut ids: Vec<BuildId> = listed.into_iter().flatten().collect();
    ids.sort_by_key(|id| Reverse(*id));
    // A build whose state changes meanwhile may stand in two lists.
    ids.dedup();
    ids.truncate(arguments.limit);
    let builds = builds(site, &ids, bars).await?;
    match arguments.reader() {
        Reader::Person => print(&table(&builds))?,
        Reader::Program => builds.iter().try_for_each(|build| print_json(&object(build)))?,
    }
    Ok(Exit::Done)
}

/// Returns the builds in a state: all, or so many of the newest where they come newest first.
async fn ids(site: &Site, state: State, limit: usize) -> Result<Vec<BuildId>, Stop> {
    let filter = Filter { states: vec![state], ..Filter::default() };
    let mut pages = site.client.module_builds(&filter, Form::Standard);
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await.map_err(stop)? {
        ids.extend(page.items.iter().map(|build| build.id));
        if ids.len() >= limit && ids.is_sorted_by(|one, next| one > next) {
            break;
        }
    }
    Ok(ids)
}

async fn builds(
    site: &Site,
    ids: &[BuildId],
    bars: Option<&MultiProgress>,
) -> Result<Vec<ModuleBuild>, Stop> {
    let bar = bars.map_or_else(ProgressBar::hidden, |bars| bars.add(ProgressBar::new(ids.len() as u64)));
    let asked = ids.iter().map(async |id| {
        let build = site.client.module_build(*id, Form::Extended).await.map_err(stop);
        bar.inc(1);
        build
    });
    let builds = stream::iter(asked).buffered(BUILDS_AT_ONCE).try_collect().await;
    bar.finish_and_clear();
    builds
}

fn table(builds: &[ModuleBuild]) -> String {
    let mut table = Table::new(["ID", "State", "Submitted", "Components", "Owner", "Module"]);
    for build in builds {
        let (built, all) = components(build);
        table.push([
            Some(build.id.to_string()),
            Some(line(&build.state_name)),
            build.time_submitted.map(|time| time.to_string()),
            Some(format!("{built}/{all}")),
            build.owner.as_deref().map(line),
            Some(line(&format!("{}-{}-{}", build.name, build.stream, build.version))),
        ]);
    }
    table.to_string()
}

/// What a row says, without the documents that a build has.
fn object(build: &ModuleBuild) -> serde_json::Value {
    let (built, all) = components(build);
    json!({
        "id": build.id, "state_name": build.state_name, "time_submitted": build.time_submitted,
        "components": {"built": built, "all": all}, "owner": build.owner,
        "name": build.name, "stream": build.stream, "version": build.version, "context": build.context,
    })
}
