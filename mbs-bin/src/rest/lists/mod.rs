//! From the parameters of a list to what the store is asked: filters, order. Pure. Source: rest-api, sections 2 and 3.

use mbs_core::store::{Column, ComponentColumn, Direction, Order};

use super::problem::Problem;
use super::query::{Query, whole_number};

mod builds;
mod components;
mod time;

pub(crate) use builds::builds;
pub(crate) use components::components;

/// Reads how a list is sorted; `column` finds a column by the name that clients use. A column that comes again decides nothing.
pub(crate) fn order<C: PartialEq>(
    query: &Query,
    column: impl Fn(&str) -> Option<C>,
) -> Result<Order<C>, Problem> {
    let rising: Vec<&str> = query.all("order_by").collect();
    let falling: Vec<&str> = query.all("order_desc_by").collect();
    let (names, direction) = match (rising.is_empty(), falling.is_empty()) {
        (false, false) => return Err(Problem::bad("You may not specify both order_by and order_desc_by")),
        (false, true) => (rising, Direction::Ascending),
        (true, _) => (falling, Direction::Descending),
    };
    let unknown = |name: &str| {
        Problem::bad(format!("An invalid ordering key of \"{}\" was supplied", name.escape_debug()))
    };
    let mut by = Vec::new();
    for name in names {
        let column = column(name).ok_or_else(|| unknown(name))?;
        if !by.contains(&column) {
            by.push(column);
        }
    }
    Ok(Order { by, direction })
}

/// Refuses a parameter that people use who look for a single build; `single` is its path without the number.
pub(crate) fn refuse_id(query: &Query, single: &str) -> Result<(), Problem> {
    let Some(id) = query.first("id") else { return Ok(()) };
    Err(Problem::bad(match whole_number(id) {
        Some(id) => {
            format!("The \"id\" query option is invalid. Did you mean to go to \"{single}{id}\"?")
        }
        None => "The \"id\" query option is invalid.".to_owned(),
    }))
}

/// Returns the column of module builds that clients call so.
pub(crate) fn build_column(name: &str) -> Option<Column> {
    Some(match name {
        "id" => Column::Id,
        "name" => Column::Name,
        "stream" => Column::Stream,
        "version" => Column::Version,
        "context" => Column::Context,
        "build_context" => Column::BuildContext,
        "build_context_no_bms" => Column::BuildContextNoBases,
        "runtime_context" => Column::RuntimeContext,
        "state" => Column::State,
        "state_reason" => Column::StateReason,
        "modulemd" => Column::Document,
        "koji_tag" => Column::KojiTag,
        "cg_build_koji_tag" => Column::CgTag,
        "scmurl" => Column::ScmUrl,
        "scratch" => Column::Scratch,
        "srpms" => Column::Srpms,
        "owner" => Column::Owner,
        "time_submitted" => Column::TimeSubmitted,
        "time_modified" => Column::TimeModified,
        "time_completed" => Column::TimeCompleted,
        "new_repo_task_id" => Column::RepoTask,
        "rebuild_strategy" => Column::Strategy,
        "reused_module_id" => Column::ReuseFrom,
        "batch" => Column::Batch,
        "stream_version" => Column::StreamVersion,
        _ => return None,
    })
}

/// Returns the column of component builds that clients call so.
pub(crate) fn component_column(name: &str) -> Option<ComponentColumn> {
    Some(match name {
        "id" => ComponentColumn::Id,
        "package" => ComponentColumn::Package,
        "scmurl" => ComponentColumn::ScmUrl,
        "format" => ComponentColumn::Format,
        "task_id" => ComponentColumn::Task,
        "ref" => ComponentColumn::Ref,
        "state" => ComponentColumn::State,
        "state_reason" => ComponentColumn::StateReason,
        "nvr" => ComponentColumn::Nvr,
        "tagged" => ComponentColumn::Tagged,
        "tagged_in_final" => ComponentColumn::TaggedInFinal,
        "build_time_only" => ComponentColumn::BuildTimeOnly,
        "buildonly" => ComponentColumn::Buildonly,
        "batch" => ComponentColumn::Batch,
        "module_id" => ComponentColumn::ModuleBuild,
        "reused_component_id" => ComponentColumn::ReusedFrom,
        "weight" => ComponentColumn::Weight,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_one_direction_and_known_columns() {
        let of = |text: &str| order(&Query::read(text), build_column);
        assert_eq!(of("").unwrap(), Order::default());
        let by = Order { by: vec![Column::Name, Column::Id], direction: Direction::Ascending };
        assert_eq!(of("order_by=name&order_by=id").unwrap(), by);
        assert_eq!(of("order_by=name&order_by=id&order_by=name").unwrap(), by);
        assert_eq!(of("order_desc_by=stream").unwrap().direction, Direction::Descending);
        let refused = |text: &str| of(text).unwrap_err().message;
        assert_eq!(
            refused("order_by=a&order_desc_by=b"),
            "You may not specify both order_by and order_desc_by"
        );
        assert_eq!(refused("order_by="), "An invalid ordering key of \"\" was supplied");
        assert_eq!(refused("order_by=a,b"), "An invalid ordering key of \"a,b\" was supplied");
    }

    #[test]
    fn every_column_has_a_name() {
        let names = "id name stream version build_context build_context_no_bms runtime_context context state \
            state_reason modulemd koji_tag cg_build_koji_tag scmurl scratch srpms owner time_submitted time_modified \
            time_completed new_repo_task_id rebuild_strategy reused_module_id batch stream_version";
        let mut named: Vec<Column> = names.split_whitespace().filter_map(build_column).collect();
        named.sort_unstable();
        assert_eq!(named, Column::ALL);
        let names = "id package scmurl format task_id ref state state_reason nvr tagged tagged_in_final build_time_only \
            buildonly batch module_id reused_component_id weight";
        let mut named: Vec<ComponentColumn> = names.split_whitespace().filter_map(component_column).collect();
        named.sort_unstable();
        assert_eq!(named, ComponentColumn::ALL);
    }

    #[test]
    fn who_looks_for_a_single_build_is_told_where() {
        let told = |text: &str| refuse_id(&Query::read(text), "/1/module-builds/").unwrap_err().message;
        assert_eq!(
            told("id=7"),
            "The \"id\" query option is invalid. Did you mean to go to \"/1/module-builds/7\"?"
        );
        assert_eq!(told("id="), "The \"id\" query option is invalid.");
        assert_eq!(refuse_id(&Query::default(), ""), Ok(()));
    }
}
