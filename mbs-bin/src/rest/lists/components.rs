//! Which component builds a list is of.

use mbs_core::model::BuildState;
use mbs_core::store::{ComponentColumn, ComponentFilter, Condition, Value};

use super::super::problem::Problem;
use super::super::query::{Query, is_true, number, number_of, whole_number};

/// Filters by exact text.
const TEXTS: [&str; 6] = ["package", "scmurl", "format", "ref", "nvr", "state_reason"];

/// Filters by whole number.
const NUMBERS: [&str; 3] = ["task_id", "batch", "reused_component_id"];

/// Filters that are true or, whatever else they say, false.
const FLAGS: [&str; 4] = ["tagged", "tagged_in_final", "build_time_only", "buildonly"];

/// Reads which component builds are wanted.
pub(crate) fn components(query: &Query) -> Result<ComponentFilter, Problem> {
    let mut columns = Vec::new();
    let mut wanted = |name: &str, value: Option<Value>| {
        columns.extend(
            super::component_column(name).map(|column| Condition::AnyOf(column, value.into_iter().collect())),
        );
    };
    for name in TEXTS {
        if let Some(text) = query.first(name) {
            // What cannot be written in the store is not there.
            wanted(
                name,
                Some(text).filter(|text| !text.contains('\0')).map(|text| Value::Text(text.to_owned())),
            );
        }
    }
    let build = number_of(query, "module_build", whole_number)?;
    if let Some(id) = build.or(number_of(query, "module_id", whole_number)?) {
        wanted("module_id", Some(Value::Number(id)));
    }
    for name in NUMBERS {
        if let Some(number) = number_of(query, name, whole_number)? {
            wanted(name, Some(Value::Number(number)));
        }
    }
    if let Some(weight) = number_of(query, "weight", number)? {
        wanted("weight", Some(Value::Decimal(weight)));
    }
    for name in FLAGS {
        if let Some(text) = query.first(name) {
            wanted(name, Some(Value::Flag(is_true(text))));
        }
    }
    columns.extend(states(query)?);
    Ok(ComponentFilter { columns })
}

fn states(query: &Query) -> Result<Option<Condition<ComponentColumn>>, Problem> {
    let read = |text: &str| {
        let named = BuildState::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(text));
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let numbered = if is_number { text.parse::<i64>().ok() } else { None };
        named
            .map(|state| state.number().into())
            .or(numbered)
            .map(Value::Number)
            .ok_or_else(|| Problem::bad(format!("Invalid state was supplied: {}", text.escape_debug())))
    };
    let wanted = query.all("state").map(read).collect::<Result<Vec<_>, _>>()?;
    Ok((!wanted.is_empty()).then_some(Condition::AnyOf(ComponentColumn::State, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<Condition<ComponentColumn>> {
        components(&Query::read(text)).unwrap().columns
    }

    fn refused(text: &str) -> String {
        components(&Query::read(text)).unwrap_err().message
    }

    #[test]
    fn whatever_is_not_true_is_false() {
        let tagged = |is| vec![Condition::AnyOf(ComponentColumn::Tagged, vec![Value::Flag(is)])];
        assert_eq!(columns("tagged=TRUE"), tagged(true));
        assert_eq!(columns("tagged=zzz"), tagged(false));
        assert_eq!(columns(""), []);
    }

    #[test]
    fn the_module_build_has_two_names() {
        let of = |id| vec![Condition::AnyOf(ComponentColumn::ModuleBuild, vec![Value::Number(id)])];
        assert_eq!(columns("module_id=7"), of(7));
        assert_eq!(columns("module_id=7&module_build=9"), of(9));
    }

    #[test]
    fn states_go_by_name_in_any_case_or_number() {
        let states = vec![Condition::AnyOf(ComponentColumn::State, vec![Value::Number(3), Value::Number(0)])];
        assert_eq!(columns("state=failed&state=0"), states);
        assert_eq!(refused("state=bogus"), "Invalid state was supplied: bogus");
    }

    #[test]
    fn numbers_must_be_numbers() {
        assert_eq!(refused("task_id=abc"), "An invalid value of \"task_id\" was supplied: abc");
        assert_eq!(
            columns("weight=1.5"),
            [Condition::AnyOf(ComponentColumn::Weight, vec![Value::Decimal(1.5)])]
        );
    }
}
