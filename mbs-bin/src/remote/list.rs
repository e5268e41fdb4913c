//! `mbs-build list`: the module builds that fit, as a table.

use mbs_client::api::{Bases, Filter, Form, ModuleBuild, Order};

use super::show::{components, line, print, print_json};
use super::site::{Site, stop};
use crate::cli::{ListArguments, Reader};
use crate::exit::{Exit, Stop};
use crate::table::Table;

/// No page that is asked for has more.
const PER_PAGE: usize = 100;

pub(super) async fn run(site: &Site, arguments: &ListArguments) -> Result<Exit, Stop> {
    let pages = site.client.module_builds(&filter(arguments)?, Form::Standard);
    let pages = pages.per_page(arguments.limit.clamp(1, PER_PAGE) as u64);
    let builds = pages.all(arguments.limit).await.map_err(stop)?;
    match arguments.reader() {
        Reader::Person => print(&table(&builds))?,
        Reader::Program => builds.iter().try_for_each(print_json)?,
    }
    Ok(Exit::Done)
}

fn filter(arguments: &ListArguments) -> Result<Filter, Stop> {
    Ok(Filter {
        name: arguments.name.clone(),
        stream: arguments.stream.clone(),
        version: arguments.version.clone(),
        context: arguments.context.clone(),
        nsvc: arguments.nsvc.clone(),
        states: arguments.states.clone(),
        owner: arguments.owner.clone(),
        koji_tag: arguments.koji_tag.clone(),
        rebuild_strategy: arguments.rebuild_strategy.clone(),
        scratch: arguments.scratch,
        base: arguments.base.as_deref().map(base).transpose()?.unwrap_or_default(),
        virtual_streams: arguments.virtual_streams.clone(),
        rpm: arguments.rpm.clone(),
        submitted_before: arguments.submitted_before,
        submitted_after: arguments.submitted_after,
        modified_before: arguments.modified_before,
        modified_after: arguments.modified_after,
        completed_before: arguments.completed_before,
        completed_after: arguments.completed_after,
        order: order(arguments),
        ..Filter::default()
    })
}

/// Reads which base module is meant: by all four parts, or by the first of them.
fn base(text: &str) -> Result<Bases, Stop> {
    let mut parts = text.split(':').map(str::to_owned);
    if parts.clone().count() >= 4 {
        return Ok(Bases { exactly: Some(text.parse()?), ..Bases::default() });
    }
    Ok(Bases { name: parts.next(), stream: parts.next(), version: parts.next(), ..Bases::default() })
}

fn order(arguments: &ListArguments) -> Order {
    match (arguments.order_by.as_slice(), arguments.reverse) {
        ([], _) => Order::Newest,
        (columns, false) => Order::By(columns.to_vec()),
        (columns, true) => Order::DescendingBy(columns.to_vec()),
    }
}

fn table(builds: &[ModuleBuild]) -> String {
    let mut table = Table::new(["ID", "State", "Submitted", "Components", "Owner", "Module"]);
    for build in builds {
        let (built, all) = components(build);
        let context = build.context.as_ref().map(|context| format!(":{context}")).unwrap_or_default();
        table.push([
            Some(build.id.to_string()),
            Some(line(&build.state_name)),
            build.time_submitted.map(|time| time.to_string()),
            Some(format!("{built}/{all}")),
            build.owner.as_deref().map(line),
            Some(line(&format!("{}:{}:{}{context}", build.name, build.stream, build.version))),
        ]);
    }
    table.to_string()
}
