//! `list`, `count` and the same of components: against what the columns of the records say.

use std::sync::Arc;

use super::bench::{Bench, enter, fail, finish};
use super::catalogue::create_all;
use crate::contract::promise::{Verdict, equal, there};
use crate::contract::samples::{at, component, id, new_build, running};
use crate::ident::{Batch, BuildId, ComponentId, TaskId, Weight};
use crate::model::{
    BuildState, ComponentBuild, ModuleBuild, NewBuild, RebuildStrategy, State, Verdict as Taken,
};
use crate::modulemd::{ModuleStream, Xmd};
use crate::store::{
    BaseFilter, BuildColumns, Column, ComponentColumn, ComponentColumns, ComponentFilter, Condition,
    Direction, Filter, MOST_LISTED, Order, Page, Rules, Summary, Value,
};

const ALL: Page = Page { before: None, skip: 0, limit: 100 };

async fn list(bench: &Bench<'_>, filter: &Filter, page: Page) -> Verdict<Vec<BuildId>> {
    let listed = bench.store.list(filter, &Order::default(), page).await?;
    Ok(listed.into_iter().map(|build| build.id).collect())
}

async fn list_components(bench: &Bench<'_>, filter: &ComponentFilter) -> Verdict<Vec<ComponentId>> {
    let listed = bench.store.list_components(filter, &Order::default(), ALL).await?;
    Ok(listed.into_iter().map(|component| component.id).collect())
}

fn only(condition: Condition<Column>) -> Filter {
    Filter { columns: vec![condition], ..Filter::default() }
}

/// Returns the submission of a base module that provides `f` and `g`.
pub(super) fn providing() -> NewBuild {
    let new = new_build("platform:f31:1:a");
    let streams = ["g", "f"].map(|stream| Xmd::Text(stream.into())).to_vec();
    let mbs = Xmd::Map(vec![("virtual_streams".into(), Xmd::Seq(streams))]);
    let document = ModuleStream { xmd: Xmd::Map(vec![("mbs".into(), mbs)]), ..(*new.document).clone() };
    NewBuild { document: Arc::new(document), ..new }
}

/// Makes builds that differ in all columns; some have nothing there.
async fn various(bench: &Bench<'_>) -> Verdict<Vec<ModuleBuild>> {
    let mut ids = Vec::new();
    let mut news = [providing(), new_build("app:1:9:a"), new_build("app:10:10:b"), new_build("lib:é:9:a_1")];
    news[0].strategy = RebuildStrategy::All;
    news[1].owner = "anna's \"%_\\ 'friend'; --".into();
    news[1].scmurl = Some("https://src.example.com/app?#1".into());
    news[1].contexts.build = "b1".into();
    news[1].contexts.runtime = "r1".into();
    news[1].base_modules = vec![id("platform:f30.2:1:a"), id("platform:f31:1:a")];
    news[2].owner = "x".repeat(3_000);
    news[2].contexts.build = "b2".into();
    news[2].contexts.build_without_base = "n2".into();
    news[2].reuse_from = Some(BuildId(7));
    news[3].scratch = true;
    news[3].srpms = [(id("liba"), "upload/liba.src.rpm".to_owned())].into();
    for new in news {
        let build = bench.create_as(new.into()).await?;
        bench.put_to_sleep(build).await?;
        ids.push(build);
    }
    bench.look(ids[0], |build| finish(build, 90)).await?;
    let building = bench.look(ids[1], |build| {
        enter(build, State::Wait, 50);
        enter(build, State::Build, 60);
        build.koji_tag = Some(id("module-app-1"));
        build.cg_tag = Some(id("app-candidate"));
        build.batch = Batch(3);
        build.repo_task = Some(TaskId(9));
        build.components = components();
    });
    building.await?;
    let failed = bench.look(ids[2], |build| {
        fail(build);
        build.components = vec![component("liba").into()];
    });
    failed.await?;
    let mut builds = Vec::new();
    for build in ids {
        builds.push(bench.load(build).await?.build);
    }
    Ok(builds)
}

fn components() -> Vec<crate::shared::Shared<ComponentBuild>> {
    let mut complete = component("liba");
    complete.state = Some(BuildState::Complete);
    complete.nvr = Some(id("liba-1-1"));
    complete.task = Some(TaskId(3));
    complete.tagged = true;
    complete.tagged_in_final = true;
    complete.buildonly = true;
    complete.weight = Weight::new(9.5);
    let mut reused = component("prog");
    reused.state = Some(BuildState::Complete);
    reused.reason = Some("Reused component".into());
    reused.build_time_only = true;
    let nvr = id("prog-1-1");
    reused.verdict = Some(Taken::Reuse { from: Some(ComponentId(77)), build: BuildId(7), nvr, task: None });
    reused.batch = Batch(3);
    vec![complete.into(), running("libb", Some(4)).into(), reused.into()]
}

/// What a build has in a column.
fn value(build: &ModuleBuild, column: Column, rules: &Rules) -> Option<Value> {
    match column {
        Column::Document => Some(Value::Text(build.document().to_yaml())),
        column => BuildColumns::of(build, rules).value(column),
    }
}

/// [`Condition`]: exactly, at least, at most; null never passes. Every column of builds.
pub(super) async fn every_column_of_builds_is_filtered_by(bench: &Bench<'_>) -> Verdict {
    let (builds, rules) = (various(bench).await?, Rules::of(&bench.ground.policy()));
    for column in Column::ALL {
        let values: Vec<Value> = builds.iter().filter_map(|build| value(build, column, &rules)).collect();
        let mut conditions =
            vec![Condition::AnyOf(column, values.clone()), Condition::AnyOf(column, Vec::new())];
        for one in values {
            conditions.push(Condition::AnyOf(column, vec![one.clone()]));
            conditions.push(Condition::AtLeast(column, one.clone()));
            conditions.push(Condition::AtMost(column, one));
        }
        let kinds = [Value::Text("no such text\0".into()), Value::Number(i64::MIN), Value::Decimal(-0.5)];
        conditions.push(Condition::AtMost(column, Value::Decimal(f64::NAN)));
        conditions.extend(kinds.map(|kind| Condition::AnyOf(column, vec![kind])));
        for condition in conditions {
            let passes = |build: &&ModuleBuild| condition.holds(|column| value(build, column, &rules));
            let wanted: Vec<_> = builds.iter().rev().filter(passes).map(|build| build.id).collect();
            let filter = only(condition);
            equal(&format!("builds with {filter:?}"), list(bench, &filter, ALL).await?, wanted.clone())?;
            let count = bench.store.count(&filter).await?;
            equal(&format!("the number with {filter:?}"), count, wanted.len() as u64)?;
        }
    }
    Ok(())
}

/// [`Order`]: by every column both ways; null last when ascending, then by id.
pub(super) async fn every_column_of_builds_sorts_both_ways(bench: &Bench<'_>) -> Verdict {
    let (builds, rules) = (various(bench).await?, Rules::of(&bench.ground.policy()));
    for column in Column::ALL {
        let mut wanted = builds.clone();
        wanted.sort_by(|one, other| {
            let [one_has, other_has] = [one, other].map(|build| value(build, column, &rules));
            let by_value = match (&one_has, &other_has) {
                (Some(one), Some(other)) => one.compare(other).unwrap_or(std::cmp::Ordering::Equal),
                (one, other) => one.is_none().cmp(&other.is_none()),
            };
            by_value.then(one.id.cmp(&other.id))
        });
        let mut wanted: Vec<_> = wanted.into_iter().map(|build| build.id).collect();
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = Order { by: vec![column], direction };
            let listed = bench.store.list(&Filter::default(), &order, ALL).await?;
            let listed: Vec<_> = listed.into_iter().map(|build| build.id).collect();
            equal(&format!("builds in {order:?}"), listed, wanted.clone())?;
            wanted.reverse();
        }
    }
    let order = Order { by: vec![Column::Context, Column::Version], direction: Direction::Ascending };
    let listed = bench.store.list(&Filter::default(), &order, ALL).await?;
    let listed: Vec<_> = listed.into_iter().map(|build| build.summary.nsvc.to_string()).collect();
    let wanted = ["platform:f31:1:a", "app:1:9:a", "lib:é:9:a_1", "app:10:10:b"];
    equal("builds by context, then version", listed, wanted)
}

/// `list_components`, `count_components`: every column of components.
pub(super) async fn every_column_of_components_is_filtered_by(bench: &Bench<'_>) -> Verdict {
    let builds = various(bench).await?;
    let all = builds.iter().flat_map(|build| build.components.iter().map(|one| (build.id, one)));
    let mut all: Vec<_> =
        all.filter_map(|(build, one)| Some((one.id?, build, ComponentColumns::of(one)))).collect();
    all.sort_by_key(|(id, ..)| std::cmp::Reverse(*id));
    let value = |(id, build, columns): &(ComponentId, BuildId, ComponentColumns), column| match column {
        ComponentColumn::Id => Some(Value::Number(id.0)),
        ComponentColumn::ModuleBuild => Some(Value::Number(build.0)),
        column => columns.value(column),
    };
    for column in ComponentColumn::ALL {
        let values: Vec<Value> = all.iter().filter_map(|one| value(one, column)).collect();
        let conditions = values
            .into_iter()
            .flat_map(|one| [Condition::AnyOf(column, vec![one.clone()]), Condition::AtLeast(column, one)]);
        for condition in conditions.chain([Condition::AnyOf(column, vec![Value::Text("none".into())])]) {
            let passes = |one: &&(ComponentId, BuildId, ComponentColumns)| {
                condition.holds(|column| value(one, column))
            };
            let wanted: Vec<_> = all.iter().filter(passes).map(|(id, ..)| *id).collect();
            let filter = ComponentFilter { columns: vec![condition] };
            let listed = list_components(bench, &filter).await?;
            equal(&format!("components with {filter:?}"), listed, wanted.clone())?;
            let count = bench.store.count_components(&filter).await?;
            equal(&format!("the number with {filter:?}"), count, wanted.len() as u64)?;
        }
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = Order { by: vec![column], direction };
            let listed = bench.store.list_components(&ComponentFilter::default(), &order, ALL).await?;
            equal("how many are sorted", listed.len(), all.len())?;
        }
    }
    Ok(())
}

/// [`ListedComponent`](crate::store::ListedComponent): what it tells.
pub(super) async fn a_listed_component_tells_what_the_record_says(bench: &Bench<'_>) -> Verdict {
    let builds = various(bench).await?;
    let order = Order { by: vec![ComponentColumn::Id], direction: Direction::Ascending };
    let of_app = Condition::AnyOf(ComponentColumn::ModuleBuild, vec![Value::Number(builds[1].id.0)]);
    let filter = ComponentFilter { columns: vec![of_app] };
    let listed = bench.store.list_components(&filter, &order, ALL).await?;
    let told: Vec<_> = listed
        .into_iter()
        .map(|one| {
            (Some(one.id), one.package, one.source, one.state, one.reason, one.nvr, one.task, one.weight)
        })
        .collect();
    let wanted = builds[1].components.iter().map(|one| {
        let ComponentBuild { id, package, source, state, reason, nvr, task, weight, .. } = (**one).clone();
        (id, package, source, state, reason, nvr, task, weight)
    });
    equal("the components", told, wanted.collect::<Vec<_>>())
}

/// [`BaseFilter`]: everything given must hold of the same base module build. [`Filter::virtual_streams`]: any of them.
pub(super) async fn builds_are_found_by_base_module_and_virtual_stream(bench: &Bench<'_>) -> Verdict {
    let builds = various(bench).await?;
    let (base, app) = (builds[0].id, builds[1].id);
    let text = |text: &str| Some(text.to_owned());
    let f30 = BaseFilter { name: text("platform"), stream: text("f30.2"), ..BaseFilter::default() };
    let whole = BaseFilter { version: text("1"), context: text("a"), ..f30.clone() };
    for (filter, wanted) in [
        (f30.clone(), vec![app]),
        (whole.clone(), vec![app]),
        (BaseFilter { version: text("01"), ..whole.clone() }, vec![]),
        (BaseFilter { version: text("2"), ..whole }, vec![]),
        (BaseFilter { stream_version: Some(300_200.0), ..f30.clone() }, vec![app]),
        (BaseFilter { stream_version: Some(310_000.0), ..f30 }, vec![]),
        (BaseFilter { stream_version_at_least: Some(305_000.0), ..BaseFilter::default() }, vec![app]),
        (BaseFilter { stream_version_at_most: Some(300_199.0), ..BaseFilter::default() }, vec![]),
        (BaseFilter { stream_version_at_most: Some(f64::NAN), ..BaseFilter::default() }, vec![]),
    ] {
        let filter = Filter { base: filter, ..Filter::default() };
        equal(&format!("builds with {filter:?}"), list(bench, &filter, ALL).await?, wanted.clone())?;
        let count = bench.store.count(&filter).await?;
        equal(&format!("the number with {filter:?}"), count, wanted.len() as u64)?;
    }
    for (streams, wanted) in [(&["g", "f", "x"][..], vec![base]), (&["x"], vec![])] {
        let virtual_streams = streams.iter().map(|stream| (*stream).to_owned()).collect();
        let filter = Filter { virtual_streams, ..Filter::default() };
        equal(&format!("builds with {filter:?}"), list(bench, &filter, ALL).await?, wanted)?;
    }
    Ok(())
}

/// [`Page`]: only ids below, so many left out, at most so many. [`Filter`]: everything given must hold.
pub(super) async fn builds_are_listed_page_by_page(bench: &Bench<'_>) -> Verdict {
    let [a, b, c, other] = create_all(bench, ["a:1:1:a", "a:2:1:a", "a:1:1:c", "b:1:1:a"]).await?;
    let name = Filter {
        columns: vec![
            Condition::AnyOf(Column::Name, vec![Value::Text("a".into())]),
            Condition::AnyOf(Column::State, vec![Value::Number(0)]),
        ],
        ..Filter::default()
    };
    equal("of one name", list(bench, &name, ALL).await?, [c, b, a])?;
    let none = Filter { virtual_streams: vec!["x".into()], ..name.clone() };
    equal("of one name and a virtual stream", list(bench, &none, ALL).await?, [])?;
    for (page, wanted) in [
        (Page { limit: 2, ..ALL }, vec![other, c]),
        (Page { limit: 2, before: Some(c), ..ALL }, vec![b, a]),
        (Page { limit: 2, skip: 1, ..ALL }, vec![c, b]),
        (Page { limit: 2, skip: 1, before: Some(c) }, vec![a]),
        (Page { limit: 0, ..ALL }, vec![]),
        (Page { skip: u64::MAX, ..ALL }, vec![]),
        (Page { limit: usize::MAX, ..ALL }, vec![other, c, b, a]),
    ] {
        equal(&format!("{page:?}"), list(bench, &Filter::default(), page).await?, wanted)?;
    }
    equal("the size of a page", Page::first(usize::MAX).size(), MOST_LISTED)?;
    let listed = bench.store.list(&Filter::default(), &Order::default(), Page { limit: 2, ..ALL }).await?;
    let second = there("second build", listed.into_iter().nth(1))?;
    equal("the summary", second.summary, Summary::of(&bench.load(c).await?.build))?;
    equal("the siblings", second.siblings, [a])
}

/// [`Summary`]: the components, and what the document says of buildrequires.
pub(super) async fn a_summary_is_that_of_the_record(bench: &Bench<'_>) -> Verdict {
    let mut new = new_build("app:1:1:a");
    let text = |text: &str| Xmd::Text(text.into());
    let rpms = Xmd::Seq(vec![text("x-0:1-1.src")]);
    let module =
        vec![("stream".into(), text("1.10")), ("ref".into(), text("null")), ("filtered_rpms".into(), rpms)];
    let requires = Xmd::Map(vec![("platform".into(), Xmd::Map(module))]);
    let xmd = Xmd::Map(vec![("mbs".into(), Xmd::Map(vec![("buildrequires".into(), requires)]))]);
    new.document = Arc::new(ModuleStream { xmd, ..(*new.document).clone() });
    let build = bench.create_as(new.into()).await?;
    bench.put_to_sleep(build).await?;
    bench.look(build, |build| build.components = components()).await?;
    let wanted = Summary::of(&bench.load(build).await?.build);
    equal("the modules it buildrequires", wanted.buildrequires.len(), 1)?;
    let listed = bench.store.list(&Filter::default(), &Order::default(), ALL).await?;
    equal("the summary", listed.into_iter().map(|build| build.summary).collect::<Vec<_>>(), [wanted])?;
    bench.look(build, |build| build.line = Some(crate::model::Line { since: at(1), wants: 1 })).await?;
    equal("after a save, its number", bench.store.count(&Filter::default()).await?, 1)
}
