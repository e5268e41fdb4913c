//! `mbs-build info`: the components of a module build, as a table.

use mbs_client::api::{Form, ModuleBuild};

use super::show::{line, print, print_json, state_name};
use super::site::{Site, build_id, stop};
use crate::cli::{BuildArguments, Reader};
use crate::exit::{Exit, Stop};
use crate::table::Table;

/// What stands in the place of an NVR that the service does not mention at all.
const MISSING: &str = "null";

pub(super) async fn run(site: &Site, arguments: &BuildArguments) -> Result<Exit, Stop> {
    let id = build_id(&arguments.id)?;
    let build = site.client.module_build(id, Form::Extended).await.map_err(stop)?;
    match arguments.reader() {
        Reader::Person => print(&table(site, &build))?,
        Reader::Program => print_json(&build)?,
    }
    Ok(Exit::Done)
}

fn table(site: &Site, build: &ModuleBuild) -> String {
    let mut table = Table::new(["NVR", "State", "Koji Task"]);
    for (_, task) in build.packages() {
        table.push([
            task.nvr.as_ref().map_or(Some(MISSING.to_owned()), |nvr| nvr.as_deref().map(line)),
            Some(state_name(task)),
            task.task_id.flatten().map(|task| site.task_url(task)),
        ]);
    }
    table.to_string()
}
