//! What the calls of a store take among 100,000 module builds with 2,000,000 components.
//!
//! Each database is loaded in bulk, then asked as the service asks it. Lists are within their budget if the median of a page
//! is below 5 ms; totals, which may cost more, are shown apart.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `MBS_BENCH_BUILDS` | another number of builds |
//! | `MBS_BENCH_STORES` | which of `postgresql` and `sqlite` |
//! | `MBS_BENCH_PARTS` | which of `lists`, `totals`, `work` and `plans` |
//! | `MBS_TEST_DATABASE_URL` | a PostgreSQL server; the throw-away one does not wait for its disk |
//! | `MBS_BENCH_LOADED` | a database of PostgreSQL that an earlier run has loaded |
#![expect(clippy::print_stdout, reason = "a measurement shows its figures")]

use jiff::Timestamp;
use mbs_core::policy::Policy;
use mbs_core::store::{Rules, Store};

mod dice;
mod fleet;
mod lists;
mod on_postgres;
mod on_sqlite;
mod rows;
mod table;
mod work;

use fleet::Fleet;
use lists::{BuildList, ComponentList, Lists};
use rows::Rower;
use table::Figures;

/// What the median of a list stays below, in milliseconds.
const BUDGET: f64 = 5.0;

/// Names what is measured.
const PARTS: &str = "MBS_BENCH_PARTS";

/// How often each total is asked for.
const TOTALS: usize = 5;

#[tokio::main]
async fn main() {
    let size = std::env::var("MBS_BENCH_BUILDS").ok().and_then(|size| size.parse().ok()).unwrap_or(100_000);
    let fleet = Fleet { size };
    let policy = Policy { min_gap: std::time::Duration::ZERO, ..Policy::default() };
    let rules = Rules::of(&policy);
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 365);
    let rower = Rower { fleet, rules: rules.clone(), later };
    let lists = Lists { fleet, rules };
    let (of_builds, of_components) = (lists.of_builds(), lists.of_components());
    let log = on_postgres::Log::default();
    let logged = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || logged.clone()).init();

    println!("{size} module builds, {} components", size * fleet::COMPONENTS);
    let lists = (&of_builds[..], &of_components[..]);
    if is_wanted("MBS_BENCH_STORES", "postgresql") {
        let loaded = on_postgres::load(&rower, &policy).await;
        println!("\n## PostgreSQL\n\n{}", loaded.settings);
        show(&*loaded.store, fleet, lists).await;
        if is_wanted(PARTS, "plans") {
            log.take();
            plans(&*loaded.explaining(&policy).await, lists, &log).await;
        }
    }
    if is_wanted("MBS_BENCH_STORES", "sqlite") {
        let loaded = on_sqlite::load(&rower, &policy).await;
        println!("\n## SQLite\n\n{}", loaded.settings);
        show(&*loaded.store, fleet, lists).await;
    }
}

/// Says whether a variable names something, or everything by not being there.
fn is_wanted(variable: &str, part: &str) -> bool {
    std::env::var(variable).map_or(true, |parts| parts.split(',').any(|wanted| wanted == part))
}

async fn show(store: &dyn Store, fleet: Fleet, lists: (&[BuildList], &[ComponentList])) {
    if is_wanted(PARTS, "lists") {
        pages(store, lists).await;
    }
    if is_wanted(PARTS, "totals") {
        totals(store, lists).await;
    }
    if is_wanted(PARTS, "work") {
        work::show(store, fleet).await;
    }
}

async fn pages(store: &dyn Store, (of_builds, of_components): (&[BuildList], &[ComponentList])) {
    table::head("list of builds, a page");
    for list in of_builds {
        let mut figures = Figures::default();
        for (filter, order, page) in &list.asked {
            let listed = figures.time(store.list(filter, order, *page)).await;
            figures.rows += listed.expect("builds can be listed").len();
        }
        table::row(&list.what, &figures, Some(BUDGET));
    }
    table::head("list of components, a page");
    for list in of_components {
        let mut figures = Figures::default();
        for (filter, order, page) in &list.asked {
            let listed = figures.time(store.list_components(filter, order, *page)).await;
            figures.rows += listed.expect("components can be listed").len();
        }
        table::row(&list.what, &figures, Some(BUDGET));
    }
}

/// Totals do not depend on the order.
async fn totals(store: &dyn Store, (of_builds, of_components): (&[BuildList], &[ComponentList])) {
    table::head("total of builds");
    for list in of_builds.iter().filter(|list| !list.what.starts_with("by ")) {
        let mut figures = Figures::default();
        for (filter, ..) in list.asked.iter().take(TOTALS) {
            let total = figures.time(store.count(filter)).await;
            figures.rows += total.expect("builds can be counted") as usize;
        }
        table::row(&list.what, &figures, None);
    }
    table::head("total of components");
    for list in of_components.iter().filter(|list| !list.what.starts_with("by ")) {
        let mut figures = Figures::default();
        for (filter, ..) in list.asked.iter().take(TOTALS) {
            let total = figures.time(store.count_components(filter)).await;
            figures.rows += total.expect("components can be counted") as usize;
        }
        table::row(&list.what, &figures, None);
    }
}

/// Shows which lists read a big table from end to end.
async fn plans(
    store: &dyn Store,
    (of_builds, of_components): (&[BuildList], &[ComponentList]),
    log: &on_postgres::Log,
) {
    let (mut seen, mut scanning) = (0, 0);
    let mut show = |what: &str, plans: &str| {
        seen += plans.matches("Query Text").count();
        let tables = on_postgres::scanned(plans);
        if !tables.is_empty() {
            scanning += 1;
            println!("reads from end to end: {what}: {}", tables.join(", "));
        }
    };
    println!();
    for list in of_builds {
        for (filter, order, page) in list.asked.iter().take(TOTALS) {
            store.list(filter, order, *page).await.expect("builds can be listed");
        }
        show(&format!("builds, {}", list.what), &log.take());
    }
    for list in of_components {
        for (filter, order, page) in list.asked.iter().take(TOTALS) {
            store.list_components(filter, order, *page).await.expect("components can be listed");
        }
        show(&format!("components, {}", list.what), &log.take());
    }
    println!("{scanning} lists read a big table from end to end; {seen} plans were looked at");
}
