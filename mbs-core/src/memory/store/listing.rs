//! Lists by definition: every row is looked at, those that pass are sorted.

use std::cmp::Ordering;
use std::sync::Arc;

use super::tables::Row;
use crate::ident::{BuildId, ComponentId, Nsvc};
use crate::model::{ComponentBuild, ModuleBuild};
use crate::store::{
    BaseFilter, BuildColumns, Column, ComponentColumn, ComponentColumns, ComponentFilter, Direction, Filter,
    ListedComponent, Order, Rules, Value, sortable_text, virtual_streams,
};

/// A row of a list, and what it has in the columns.
pub(super) struct Listed<T, C> {
    pub(super) of: T,
    id: i64,
    value: Box<dyn Fn(C) -> Option<Value>>,
}

/// Returns the builds that pass, in no particular order.
pub(super) fn builds<'t>(
    rows: impl Iterator<Item = &'t Row>,
    filter: &Filter,
    rules: &Rules,
) -> Vec<Listed<&'t Arc<ModuleBuild>, Column>> {
    let listed = rows.map(|row| {
        let (build, columns) = (&row.build, BuildColumns::of(&row.build, rules));
        let document = build.clone();
        let value = move |column| match column {
            Column::Document => Some(Value::Text(document.document().to_yaml())),
            column => columns.value(column),
        };
        Listed { of: build, id: build.id.0, value: Box::new(value) }
    });
    let passes = |listed: &Listed<&Arc<ModuleBuild>, Column>| {
        filter.columns.iter().all(|condition| condition.holds(&listed.value))
            && provides(listed.of, &filter.virtual_streams)
            && (filter.base == BaseFilter::default()
                || listed.of.new.base_modules.iter().any(|base| is_base(base, &filter.base, rules)))
    };
    listed.filter(passes).collect()
}

/// Returns the components that pass, in no particular order.
pub(super) fn components<'t>(
    rows: impl Iterator<Item = &'t Row>,
    filter: &ComponentFilter,
) -> Vec<Listed<ListedComponent, ComponentColumn>> {
    let of_build = |row: &'t Row| {
        row.build.components.iter().filter_map(|component| listed_component(row.build.id, component))
    };
    let passes = |listed: &Listed<ListedComponent, ComponentColumn>| {
        filter.columns.iter().all(|condition| condition.holds(&listed.value))
    };
    rows.flat_map(of_build).filter(passes).collect()
}

/// Sorts a list; null counts as the largest.
pub(super) fn sort<T, C: Copy>(rows: &mut [Listed<T, C>], order: &Order<C>) {
    rows.sort_by(|one, other| {
        let by_column = |column: &C| match ((one.value)(*column), (other.value)(*column)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) => one.compare(&other).unwrap_or(Ordering::Equal),
        };
        let ascending = order.by.iter().map(by_column).find(|order| order.is_ne());
        let ascending = ascending.unwrap_or_else(|| one.id.cmp(&other.id));
        match order.direction {
            Direction::Ascending => ascending,
            Direction::Descending => ascending.reverse(),
        }
    });
}

fn listed_component(
    build: BuildId,
    component: &ComponentBuild,
) -> Option<Listed<ListedComponent, ComponentColumn>> {
    let (id, columns): (ComponentId, _) = (component.id?, ComponentColumns::of(component));
    let value = move |column| match column {
        ComponentColumn::Id => Some(Value::Number(id.0)),
        ComponentColumn::ModuleBuild => Some(Value::Number(build.0)),
        column => columns.value(column),
    };
    let listed = ListedComponent {
        id,
        build,
        package: component.package.clone(),
        source: component.source.clone(),
        state: component.state,
        reason: component.reason.clone(),
        nvr: component.nvr.clone(),
        task: component.task,
        batch: component.batch,
        weight: component.weight,
    };
    Some(Listed { of: listed, id: id.0, value: Box::new(value) })
}

fn provides(build: &ModuleBuild, wanted: &[String]) -> bool {
    let provided = || virtual_streams(build.document());
    wanted.is_empty() || wanted.iter().any(|stream| provided().contains(stream))
}

fn is_base(base: &Nsvc, filter: &BaseFilter, rules: &Rules) -> bool {
    let number = rules.stream_version(base);
    let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
    let version = filter.version.as_ref().map(|text| sortable_text(text));
    let number_passes = |wanted: Option<f64>, passes: fn(f64, f64) -> bool| {
        wanted.is_none_or(|wanted| number.is_some_and(|number| passes(number, wanted)))
    };
    is(&filter.name, base.name.as_str())
        && is(&filter.stream, base.stream.as_str())
        && is(&filter.context, base.context.as_str())
        && version.is_none_or(|version| version == Some(crate::store::sortable(base.version)))
        && number_passes(filter.stream_version, |number, wanted| number == wanted)
        && number_passes(filter.stream_version_at_least, |number, wanted| number >= wanted)
        && number_passes(filter.stream_version_at_most, |number, wanted| number <= wanted)
}
