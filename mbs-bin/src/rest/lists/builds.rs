//! Which module builds a list is of.

use std::collections::BTreeMap;

use mbs_core::model::State;
use mbs_core::store::{BaseFilter, Column, Condition, Filter, Value, sortable_text};

use super::super::problem::Problem;
use super::super::query::{Query, invalid, number, number_of, whole_number};
use super::time;

/// Filters by exact text.
const TEXTS: [&str; 14] = [
    "name",
    "stream",
    "context",
    "owner",
    "koji_tag",
    "cg_build_koji_tag",
    "scmurl",
    "state_reason",
    "rebuild_strategy",
    "build_context",
    "build_context_no_bms",
    "runtime_context",
    "srpms",
    "modulemd",
];

/// Filters by whole number.
const NUMBERS: [&str; 3] = ["batch", "new_repo_task_id", "reused_module_id"];

/// Filters by time: a parameter's beginning, and the column.
const TIMES: [(&str, Column); 3] = [
    ("submitted", Column::TimeSubmitted),
    ("modified", Column::TimeModified),
    ("completed", Column::TimeCompleted),
];

/// What a list of module builds is of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// What the store is asked.
    pub(crate) filter: Filter,
    /// The file name of an RPM that the builds contain, which the build system has to be asked about; `None`: any.
    pub(crate) rpm: Option<String>,
}

/// Reads which module builds are wanted.
pub(crate) fn builds(query: &Query) -> Result<Wanted, Problem> {
    let mut columns = texts(query);
    for name in NUMBERS {
        if let (Some(wanted), Some(column)) =
            (number_of(query, name, whole_number)?, super::build_column(name))
        {
            columns.push(Condition::AnyOf(column, vec![Value::Number(wanted)]));
        }
    }
    if let Some(wanted) = number_of(query, "stream_version", number)? {
        columns.push(Condition::AnyOf(Column::StreamVersion, vec![Value::Decimal(wanted)]));
    }
    columns.extend(
        number_of(query, "scratch", flag)?.map(|is| Condition::AnyOf(Column::Scratch, vec![Value::Flag(is)])),
    );
    columns.extend(states(query)?);
    for (name, column) in TIMES {
        columns.extend(moment(query, &format!("{name}_before"))?.map(|at| Condition::AtMost(column, at)));
        columns.extend(moment(query, &format!("{name}_after"))?.map(|at| Condition::AtLeast(column, at)));
    }
    columns.extend(same_major(query)?.into_iter().flatten());
    let virtual_streams = query.all("virtual_stream").map(str::to_owned).collect();
    let filter = Filter { columns, virtual_streams, base: base(query)? };
    Ok(Wanted { filter, rpm: query.filled("rpm").map(str::to_owned) })
}

/// Returns the conditions on texts. An NSVC beats single parts of it.
fn texts(query: &Query) -> Vec<Condition<Column>> {
    let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
    for name in TEXTS.into_iter().chain(["version"]) {
        wanted.extend(query.first(name).map(|text| (name, text)));
    }
    if let Some(nsvc) = query.filled("nsvc") {
        wanted.extend(["name", "stream", "version", "context"].into_iter().zip(nsvc.split(':')));
    }
    let condition = |(name, text): (&str, &str)| {
        let column = super::build_column(name)?;
        let value = if column == Column::Version { sortable_text(text) } else { Some(text.to_owned()) };
        // What cannot be written in the store is not there.
        let value = value.filter(|text| !text.contains('\0'));
        Some(Condition::AnyOf(column, value.map(Value::Text).into_iter().collect()))
    };
    wanted.into_iter().filter_map(condition).collect()
}

fn states(query: &Query) -> Result<Option<Condition<Column>>, Problem> {
    let read = |text: &str| {
        let named =
            State::ALL.into_iter().find(|state| state.name() == text).map(|state| state.number().into());
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let numbered = if is_number { text.parse::<i64>().ok() } else { None };
        named
            .or(numbered)
            .map(Value::Number)
            .ok_or_else(|| Problem::bad(format!("Invalid state was supplied: {}", text.escape_debug())))
    };
    let wanted = query.all("state").map(read).collect::<Result<Vec<_>, _>>()?;
    Ok((!wanted.is_empty()).then_some(Condition::AnyOf(Column::State, wanted)))
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn moment(query: &Query, name: &str) -> Result<Option<Value>, Problem> {
    let Some(text) = query.filled(name) else { return Ok(None) };
    time::read(text).map(|at| Some(Value::Time(at))).ok_or_else(|| {
        Problem::bad(format!("An invalid Zulu ISO 8601 timestamp was provided for the \"{name}\" parameter"))
    })
}

/// Streams of the same major version that are not newer.
fn same_major(query: &Query) -> Result<Option<[Condition<Column>; 2]>, Problem> {
    let Some(text) = query.first("stream_version_lte") else { return Ok(None) };
    let most = number(text).filter(|most| *most >= 10_000.0).ok_or_else(|| {
        Problem::bad(
            "An invalid value of stream_version_lte was provided. It must be an integer or float greater than or equal \
             to 10000.",
        )
    })?;
    let least = (most / 10_000.0).floor() * 10_000.0;
    Ok(Some([
        Condition::AtLeast(Column::StreamVersion, Value::Decimal(least)),
        Condition::AtMost(Column::StreamVersion, Value::Decimal(most)),
    ]))
}

/// Reads what the buildrequired base module build is like.
fn base(query: &Query) -> Result<BaseFilter, Problem> {
    let mut base = BaseFilter::default();
    if let Some(nsvc) = query.filled("base_module_br") {
        let [name, stream, version, context] = nsvc.split(':').collect::<Vec<_>>()[..] else {
            return Err(Problem::bad(
                "The filter argument for \"base_module_br\" must be in the format of N:S:V:C",
            ));
        };
        base = BaseFilter {
            name: Some(name.to_owned()),
            stream: Some(stream.to_owned()),
            version: Some(version.to_owned()),
            context: Some(context.to_owned()),
            ..base
        };
    }
    let text = |part: &str| query.filled(&format!("base_module_br_{part}")).map(str::to_owned);
    let decimal = |part: &str| {
        let name = format!("base_module_br_stream_version{part}");
        let Some(text) = query.filled(&name) else { return Ok(None) };
        number(text).map(Some).ok_or_else(|| invalid(&name, text))
    };
    Ok(BaseFilter {
        name: text("name").or(base.name),
        stream: text("stream").or(base.stream),
        version: text("version").or(base.version),
        context: text("context").or(base.context),
        stream_version: decimal("")?,
        stream_version_at_least: decimal("_gte")?,
        stream_version_at_most: decimal("_lte")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        builds(&Query::read(text)).unwrap().filter
    }

    fn any_of(column: Column, value: Value) -> Condition<Column> {
        Condition::AnyOf(column, vec![value])
    }

    fn text(column: Column, text: &str) -> Condition<Column> {
        any_of(column, Value::Text(text.to_owned()))
    }

    fn refused(text: &str) -> String {
        builds(&Query::read(text)).unwrap_err().message
    }

    #[test]
    fn nothing_said_is_no_condition() {
        assert_eq!(filter("page=2&time_submitted=x&nsvc=&submitted_after=&zzz=1"), Filter::default());
    }

    #[test]
    fn an_empty_text_is_a_text_and_the_first_of_several_counts() {
        assert_eq!(filter("name=&name=gtk").columns, [text(Column::Name, "")]);
        assert_eq!(filter("owner=a%00b").columns, [Condition::AnyOf(Column::Owner, vec![])]);
    }

    #[test]
    fn versions_are_compared_as_they_are_written() {
        assert_eq!(filter("version=3").columns, [text(Column::Version, "00000000000000000003")]);
        assert_eq!(filter("version=03").columns, [Condition::AnyOf(Column::Version, vec![])]);
    }

    #[test]
    fn an_nsvc_beats_its_parts() {
        let columns = filter("nsvc=gtk::3:c:x&name=other&owner=o").columns;
        assert_eq!(
            columns,
            [
                text(Column::Context, "c"),
                text(Column::Name, "gtk"),
                text(Column::Owner, "o"),
                text(Column::Stream, ""),
                text(Column::Version, "00000000000000000003"),
            ]
        );
    }

    #[test]
    fn states_go_by_name_or_number() {
        let states = |numbers: &[i64]| {
            vec![Condition::AnyOf(Column::State, numbers.iter().map(|n| Value::Number(*n)).collect())]
        };
        assert_eq!(filter("state=ready&state=3&state=99").columns, states(&[5, 3, 99]));
        for wrong in ["READY", "init,wait", "-1", "", "²", "99999999999999999999"] {
            assert_eq!(refused(&format!("state={wrong}")), format!("Invalid state was supplied: {wrong}"));
        }
    }

    #[test]
    fn numbers_must_be_numbers() {
        assert_eq!(filter("batch=+2").columns, [any_of(Column::Batch, Value::Number(2))]);
        assert_eq!(
            filter("stream_version=80100.5").columns,
            [any_of(Column::StreamVersion, Value::Decimal(80100.5))]
        );
        assert_eq!(filter("scratch=Off").columns, [any_of(Column::Scratch, Value::Flag(false))]);
        assert_eq!(refused("batch=%00"), "An invalid value of \"batch\" was supplied: \\0");
        assert_eq!(refused("scratch=zzz"), "An invalid value of \"scratch\" was supplied: zzz");
        assert_eq!(
            refused("base_module_br_stream_version_lte=None"),
            "An invalid value of \"base_module_br_stream_version_lte\" was supplied: None"
        );
    }

    #[test]
    fn times_bound_a_column() {
        let at = Value::Time("2023-03-01T00:00:00Z".parse().unwrap());
        assert_eq!(
            filter("completed_before=2023-03-01T00:00:00").columns,
            [Condition::AtMost(Column::TimeCompleted, at)]
        );
        assert_eq!(
            refused("modified_after=x"),
            "An invalid Zulu ISO 8601 timestamp was provided for the \"modified_after\" parameter"
        );
    }

    #[test]
    fn a_stream_version_is_bound_within_its_major() {
        assert_eq!(
            filter("stream_version_lte=80100.5").columns,
            [
                Condition::AtLeast(Column::StreamVersion, Value::Decimal(80000.0)),
                Condition::AtMost(Column::StreamVersion, Value::Decimal(80100.5)),
            ]
        );
        for wrong in ["9999", "abc", "", "nan", "inf"] {
            assert!(refused(&format!("stream_version_lte={wrong}")).ends_with("equal to 10000."), "{wrong}");
        }
    }

    #[test]
    fn all_that_is_said_of_a_base_is_said_of_one() {
        let base = filter("base_module_br=platform:f39:3:c&base_module_br_stream_version_gte=390000").base;
        assert_eq!(base.name.as_deref(), Some("platform"));
        assert_eq!((base.version.as_deref(), base.stream_version_at_least), (Some("3"), Some(390_000.0)));
        assert_eq!(
            refused("base_module_br=platform:f39"),
            "The filter argument for \"base_module_br\" must be in the format of N:S:V:C"
        );
    }
}
