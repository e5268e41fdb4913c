//! The lists that REST asks for: each filter, each order, each kind of page, with values of builds from all the years and of
//! those that are long gone.

use mbs_core::ident::{BuildId, Nsvc};
use mbs_core::model::ModuleBuild;
use mbs_core::store::{
    BaseFilter, BuildColumns, Column, ComponentColumn, ComponentColumns, ComponentFilter, Condition,
    Direction, Filter, Order, Page, Rules, Value,
};

use crate::dice::Dice;
use crate::fleet::{COMPONENTS, Fleet};

/// How often each list is asked for, each time with other values where there are any.
pub(crate) const RUNS: usize = 50;

/// How many rows a page has.
const ROWS: usize = 10;

/// The builds that values are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// All.
    Any,
    /// The first tenth.
    Old,
}

/// A kind of list.
#[derive(Debug)]
pub(crate) struct List<F, C> {
    pub(crate) what: String,
    pub(crate) asked: Vec<(F, Order<C>, Page)>,
}

pub(crate) type BuildList = List<Filter, Column>;
pub(crate) type ComponentList = List<ComponentFilter, ComponentColumn>;

/// Makes lists up.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) fleet: Fleet,
    pub(crate) rules: Rules,
}

fn newest_first<F: Default, C>(filter: F) -> (F, Order<C>, Page) {
    (filter, Order::default(), Page::first(ROWS))
}

fn is<C>(column: C, value: Value) -> Condition<C> {
    Condition::AnyOf(column, vec![value])
}

fn builds_with(columns: Vec<Condition<Column>>) -> Filter {
    Filter { columns, ..Filter::default() }
}

impl Lists {
    /// Returns the lists of builds.
    pub(crate) fn of_builds(&self) -> Vec<BuildList> {
        let mut lists = self.pages();
        for column in Column::ALL {
            let is_filter = !matches!(
                column,
                Column::Id | Column::TimeSubmitted | Column::TimeModified | Column::TimeCompleted
            );
            for from in [From::Any, From::Old].into_iter().filter(|_| is_filter) {
                lists.push(self.list(&format!("{column:?} ({from:?})"), from, |build, columns| {
                    Some(builds_with(vec![is(column, value(build, columns, column)?)]))
                }));
            }
        }
        lists.extend(self.states());
        lists.extend(self.times());
        lists.extend(self.relations());
        lists.extend(self.together());
        lists.extend(self.orders());
        lists
    }

    /// Returns the lists of components.
    pub(crate) fn of_components(&self) -> Vec<ComponentList> {
        let mut lists = self.component_pages();
        for column in ComponentColumn::ALL.into_iter().filter(|column| *column != ComponentColumn::Id) {
            for from in [From::Any, From::Old] {
                lists.push(self.component_list(&format!("{column:?} ({from:?})"), from, |build, columns| {
                    Some(vec![is(column, component_value(build, columns, column)?)])
                }));
            }
        }
        let states = |what: &str, states: [i64; 2]| {
            let condition = Condition::AnyOf(ComponentColumn::State, states.map(Value::Number).to_vec());
            let filter = ComponentFilter { columns: vec![condition] };
            List { what: what.to_owned(), asked: vec![newest_first(filter); RUNS] }
        };
        lists.push(states("State COMPLETE or FAILED", [1, 3]));
        lists.push(states("State BUILDING or CANCELED", [0, 4]));
        for (what, one, state) in [
            ("Package, State COMPLETE", ComponentColumn::Package, 1),
            ("Package, State FAILED", ComponentColumn::Package, 3),
            ("ModuleBuild, State COMPLETE", ComponentColumn::ModuleBuild, 1),
            ("Batch, State FAILED", ComponentColumn::Batch, 3),
        ] {
            lists.push(self.component_list(what, From::Any, |build, columns| {
                let state = is(ComponentColumn::State, Value::Number(state));
                Some(vec![is(one, component_value(build, columns, one)?), state])
            }));
        }
        for column in ComponentColumn::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                let order = Order { by: vec![column], direction };
                let asked = (ComponentFilter::default(), order, Page::first(ROWS));
                lists.push(List { what: format!("by {column:?}, {direction:?}"), asked: vec![asked; RUNS] });
            }
        }
        lists
    }

    /// Makes a list of values of builds. Builds that have no value are passed over.
    fn list(
        &self,
        what: &str,
        from: From,
        filter: impl Fn(&ModuleBuild, &BuildColumns) -> Option<Filter>,
    ) -> BuildList {
        let of = |number: usize| {
            let build = self.fleet.build(number).build;
            filter(&build, &BuildColumns::of(&build, &self.rules)).map(newest_first)
        };
        List { what: what.to_owned(), asked: self.numbers(what, from).filter_map(of).take(RUNS).collect() }
    }

    fn component_list(
        &self,
        what: &str,
        from: From,
        filter: impl Fn(&ModuleBuild, &(i64, ComponentColumns)) -> Option<Vec<Condition<ComponentColumn>>>,
    ) -> ComponentList {
        let of = |number: usize| {
            let build = self.fleet.build(number).build;
            let component = build.components.get(Dice::of(what, number).below(COMPONENTS))?;
            let columns = (component.id?.0, ComponentColumns::of(component));
            filter(&build, &columns).map(|columns| newest_first(ComponentFilter { columns }))
        };
        List { what: what.to_owned(), asked: self.numbers(what, from).filter_map(of).take(RUNS).collect() }
    }

    /// Throws numbers of builds; those of base modules, of which there are few, come in between.
    fn numbers(&self, what: &str, from: From) -> impl Iterator<Item = usize> {
        let size = if from == From::Old { self.fleet.size / 10 } else { self.fleet.size };
        let mut dice = Dice::of(what, 0);
        let bases: Vec<usize> =
            self.fleet.base_builds().into_iter().filter(|number| *number < size).collect();
        let bases = bases.into_iter().cycle().take(RUNS);
        (0..40 * RUNS).map(move |_| dice.below(size)).chain(bases)
    }

    fn pages(&self) -> Vec<BuildList> {
        let pages = |what: &str, page: &dyn Fn(&mut Dice) -> Page| {
            let mut dice = Dice::of(what, 0);
            let ask = |_| (Filter::default(), Order::default(), page(&mut dice));
            List { what: what.to_owned(), asked: (0..RUNS).map(ask).collect() }
        };
        let before = |dice: &mut Dice| Page {
            before: Some(BuildId(dice.below(self.fleet.size) as i64)),
            ..Page::first(ROWS)
        };
        vec![
            pages("no filter", &|_| Page::first(ROWS)),
            pages("no filter, 100 rows", &|_| Page::first(100)),
            pages("no filter, before a build", &before),
            pages("no filter, page 1,000", &|_| Page { skip: 9_990, ..Page::first(ROWS) }),
        ]
    }

    fn component_pages(&self) -> Vec<ComponentList> {
        let pages = |what: &str, page: &dyn Fn(&mut Dice) -> Page| {
            let mut dice = Dice::of(what, 0);
            let ask = |_| (ComponentFilter::default(), Order::default(), page(&mut dice));
            List { what: what.to_owned(), asked: (0..RUNS).map(ask).collect() }
        };
        let before = |dice: &mut Dice| Page {
            before: Some(BuildId(dice.below(self.fleet.size) as i64)),
            ..Page::first(ROWS)
        };
        vec![
            pages("no filter", &|_| Page::first(ROWS)),
            pages("no filter, 100 rows", &|_| Page::first(100)),
            pages("no filter, before a build", &before),
            pages("no filter, page 1,000", &|_| Page { skip: 9_990, ..Page::first(ROWS) }),
        ]
    }

    fn states(&self) -> Vec<BuildList> {
        let states = |what: &str, states: &[i64]| {
            let any = states.iter().copied().map(Value::Number).collect();
            let filter = builds_with(vec![Condition::AnyOf(Column::State, any)]);
            List { what: what.to_owned(), asked: vec![newest_first(filter); RUNS] }
        };
        vec![
            states("State ready or failed", &[5, 4]),
            states("State init or build", &[0, 2]),
            states("State init, wait, build or done", &[0, 1, 2, 3]),
            states("State done or garbage", &[3, 6]),
        ]
    }

    fn times(&self) -> Vec<BuildList> {
        let mut lists = Vec::new();
        for column in [Column::TimeSubmitted, Column::TimeModified, Column::TimeCompleted] {
            for (era, percent) in [("early", 5), ("middle", 50), ("late", 95)] {
                lists.push(self.since(&format!("{column:?} at least, {era}"), percent, |time| {
                    vec![Condition::AtLeast(column, time)]
                }));
                lists.push(self.since(&format!("{column:?} at most, {era}"), percent, |time| {
                    vec![Condition::AtMost(column, time)]
                }));
            }
            for (era, percent) in [("early", 5), ("middle", 50), ("late", 95)] {
                lists.push(self.since(&format!("{column:?} within a month, {era}"), percent, |time| {
                    let Value::Time(at) = time else { return Vec::new() };
                    let month = jiff::SignedDuration::from_hours(30 * 24);
                    vec![Condition::AtLeast(column, time), Condition::AtMost(column, Value::Time(at + month))]
                }));
            }
        }
        lists
    }

    fn since(
        &self,
        what: &str,
        percent: usize,
        conditions: impl Fn(Value) -> Vec<Condition<Column>>,
    ) -> BuildList {
        let mut dice = Dice::of(what, 0);
        let ask = |_| {
            let number = self.fleet.size * percent / 100 + dice.below(self.fleet.size / 50);
            let time = Value::Time(self.fleet.build(number).build.submitted_at);
            newest_first(builds_with(conditions(time)))
        };
        List { what: what.to_owned(), asked: (0..RUNS).map(ask).collect() }
    }

    fn relations(&self) -> Vec<BuildList> {
        let base = |what: &str, from, of: &dyn Fn(&BuildBase<'_>) -> BaseFilter| {
            self.list(&format!("base {what} ({from:?})"), from, |build, _| {
                let base = build.new.base_modules.first()?;
                let number = self.rules.stream_version(base)?;
                let base = of(&BuildBase { nsvc: base, number });
                Some(Filter { base, ..Filter::default() })
            })
        };
        let mut lists = Vec::new();
        for from in [From::Any, From::Old] {
            lists.extend([
                base("name", from, &|base| BaseFilter { name: base.name(), ..BaseFilter::default() }),
                base("stream", from, &|base| BaseFilter { stream: base.stream(), ..BaseFilter::default() }),
                base("version", from, &|base| BaseFilter {
                    version: Some(base.nsvc.version.to_string()),
                    ..BaseFilter::default()
                }),
                base("context", from, &|base| BaseFilter {
                    context: Some(base.nsvc.context.to_string()),
                    ..BaseFilter::default()
                }),
                base("stream version", from, &|base| BaseFilter {
                    stream_version: Some(base.number),
                    ..BaseFilter::default()
                }),
                base("stream version at most", from, &|base| BaseFilter {
                    stream_version_at_most: Some(base.number),
                    ..BaseFilter::default()
                }),
                base("stream version at least", from, &|base| BaseFilter {
                    stream_version_at_least: Some(base.number),
                    ..BaseFilter::default()
                }),
                base("name, stream", from, &|base| BaseFilter {
                    name: base.name(),
                    stream: base.stream(),
                    ..BaseFilter::default()
                }),
                base("name:stream:version:context", from, &|base| BaseFilter {
                    name: base.name(),
                    stream: base.stream(),
                    version: Some(base.nsvc.version.to_string()),
                    context: Some(base.nsvc.context.to_string()),
                    ..BaseFilter::default()
                }),
            ]);
        }
        for (what, streams) in [("virtual stream", vec!["f30"]), ("two virtual streams", vec!["el", "f34"])] {
            let virtual_streams = streams.into_iter().map(str::to_owned).collect();
            let filter = Filter { virtual_streams, ..Filter::default() };
            lists.push(List { what: what.to_owned(), asked: vec![newest_first(filter); RUNS] });
        }
        let range = |_: &ModuleBuild, columns: &BuildColumns| {
            let most = columns.stream_version?;
            let least = (most / 10_000.0).floor() * 10_000.0;
            Some(builds_with(vec![
                Condition::AtLeast(Column::StreamVersion, Value::Decimal(least)),
                Condition::AtMost(Column::StreamVersion, Value::Decimal(most)),
            ]))
        };
        lists.push(self.list("stream version at most, same major", From::Any, range));
        lists
    }

    /// Filters that people use together.
    fn together(&self) -> Vec<BuildList> {
        let exact: [(&str, &[Column]); 6] = [
            ("Name, Stream", &[Column::Name, Column::Stream]),
            ("Name, Stream, Version", &[Column::Name, Column::Stream, Column::Version]),
            (
                "Name:Stream:Version:Context",
                &[Column::Name, Column::Stream, Column::Version, Column::Context],
            ),
            ("Name, State", &[Column::Name, Column::State]),
            ("Owner, State", &[Column::Owner, Column::State]),
            ("Name, Scratch, Strategy", &[Column::Name, Column::Scratch, Column::Strategy]),
        ];
        let mut lists = Vec::new();
        for from in [From::Any, From::Old] {
            lists.extend(exact.iter().map(|(what, columns)| {
                self.list(&format!("{what} ({from:?})"), from, |build, of| {
                    let conditions =
                        columns.iter().map(|column| Some(is(*column, value(build, of, *column)?)));
                    Some(builds_with(conditions.collect::<Option<_>>()?))
                })
            }));
            for state in [2, 4] {
                lists.push(self.list(&format!("Name, State {state} ({from:?})"), from, |build, of| {
                    let name = is(Column::Name, value(build, of, Column::Name)?);
                    Some(builds_with(vec![name, is(Column::State, Value::Number(state))]))
                }));
                lists.push(self.list(&format!("Owner, State {state} ({from:?})"), from, |build, of| {
                    let owner = is(Column::Owner, value(build, of, Column::Owner)?);
                    Some(builds_with(vec![owner, is(Column::State, Value::Number(state))]))
                }));
            }
            lists.push(self.list(&format!("base stream, State 4 ({from:?})"), from, |build, _| {
                let stream = build.new.base_modules.first().map(|base| base.stream.to_string())?;
                let base = BaseFilter { stream: Some(stream), ..BaseFilter::default() };
                let state = is(Column::State, Value::Number(4));
                Some(Filter { base, ..builds_with(vec![state]) })
            }));
        }
        lists.push(self.list("20 koji tags", From::Any, |build, _| {
            let tag = |of: i64| {
                let number = (build.id.0 * of) as usize % self.fleet.size;
                self.fleet.build(number).build.koji_tag.map(|tag| Value::Text(tag.to_string()))
            };
            Some(builds_with(vec![Condition::AnyOf(Column::KojiTag, (1..=20).filter_map(tag).collect())]))
        }));
        lists.push(self.list("Owner, TimeSubmitted at most, early", From::Any, |build, of| {
            let owner = is(Column::Owner, value(build, of, Column::Owner)?);
            let time = self.fleet.build(self.fleet.size / 20).build.submitted_at;
            Some(builds_with(vec![owner, Condition::AtMost(Column::TimeSubmitted, Value::Time(time))]))
        }));
        for (what, state) in [("init", 0), ("ready", 5)] {
            let what = format!("State {what}, TimeSubmitted at most, middle");
            lists.push(self.since(&what, 50, |time| {
                let state = is(Column::State, Value::Number(state));
                vec![state, Condition::AtMost(Column::TimeSubmitted, time)]
            }));
        }
        let mut sorted = self.list("Owner, by TimeModified", From::Any, |build, of| {
            Some(builds_with(vec![is(Column::Owner, value(build, of, Column::Owner)?)]))
        });
        for (_, order, _) in &mut sorted.asked {
            order.by = vec![Column::TimeModified];
        }
        lists.push(sorted);
        lists
    }

    fn orders(&self) -> Vec<BuildList> {
        let directions = [Direction::Ascending, Direction::Descending];
        let both = |column| directions.map(|direction| Order { by: vec![column], direction });
        let list = |order: Order<Column>| List {
            what: format!("by {:?}, {:?}", order.by[0], order.direction),
            asked: vec![(Filter::default(), order, Page::first(ROWS)); RUNS],
        };
        Column::ALL.into_iter().flat_map(both).map(list).collect()
    }
}

/// A base module build that a build requires, and the number of its stream.
#[derive(Debug)]
struct BuildBase<'a> {
    nsvc: &'a Nsvc,
    number: f64,
}

impl BuildBase<'_> {
    fn name(&self) -> Option<String> {
        Some(self.nsvc.name.to_string())
    }

    fn stream(&self) -> Option<String> {
        Some(self.nsvc.stream.to_string())
    }
}

fn value(build: &ModuleBuild, columns: &BuildColumns, column: Column) -> Option<Value> {
    match column {
        Column::Document => Some(Value::Text(build.document().to_yaml())),
        column => columns.value(column),
    }
}

fn component_value(
    build: &ModuleBuild,
    (id, columns): &(i64, ComponentColumns),
    column: ComponentColumn,
) -> Option<Value> {
    match column {
        ComponentColumn::Id => Some(Value::Number(*id)),
        ComponentColumn::ModuleBuild => Some(Value::Number(build.id.0)),
        column => columns.value(column),
    }
}
