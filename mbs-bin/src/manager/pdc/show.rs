//! `show` and `list`: entries for people and programs.

use std::cmp::Ordering;
use std::fmt::Write as _;

use mbs_core::ident::Version;
use mbs_pdc::api::{Dependency, Entry, Filter};

use super::arguments::{AskedDependency, ListArguments, ShowArguments, YesNo};
use super::change::all_of;
use super::site::Site;
use crate::exit::Stop;
use crate::table::Table;

/// Shows one entry.
///
/// # Errors
/// As PDC answers.
pub(super) async fn show(site: &mut Site<'_>, arguments: &ShowArguments) -> Result<(), Stop> {
    let entries = site.entries().await?;
    for entry in all_of(site, &entries, &[arguments.uid.as_str()].into()).await? {
        if arguments.json {
            site.print_raw(&json(&entry))?;
        } else {
            site.print(&described(&entry))?;
        }
    }
    Ok(())
}

/// Lists entries, sorted by name, stream, version and context.
///
/// # Errors
/// As PDC answers.
pub(super) async fn list(site: &mut Site<'_>, arguments: &ListArguments) -> Result<(), Stop> {
    let entries = site.entries().await?;
    let mut found = entries.find(&filter(arguments)).await.map_err(|error| site.stop(&error))?;
    found.retain(|entry| has_dependencies(entry, arguments));
    found.sort_by(order);
    if arguments.json {
        return found.iter().try_for_each(|entry| site.print_raw(&json(entry)));
    }
    if found.is_empty() {
        return site.print("PDC has no such module\n");
    }
    let table = table(&found);
    site.print(&table)
}

fn json(entry: &Entry) -> String {
    let text = serde_json::to_string(entry).expect("texts and lists can be written as JSON");
    format!("{text}\n")
}

fn described(entry: &Entry) -> String {
    let document = match entry.modulemd.as_str() {
        "" => "PDC has no document of it\n".to_owned(),
        text => format!("{}\n", text.trim_end()),
    };
    let mut shown = String::new();
    for (what, value) in [
        ("uid", entry.uid.clone()),
        ("name", entry.name.clone()),
        ("stream", entry.stream.clone()),
        ("version", entry.version.clone()),
        ("context", entry.context.clone()),
        ("Koji tag", tag(entry).to_owned()),
        ("active", yes_no(entry.active).to_owned()),
        ("runs with", dependencies(&entry.runtime_deps)),
        ("built with", dependencies(&entry.build_deps)),
        ("packages", entry.rpms.len().to_string()),
    ] {
        writeln!(shown, "{what:<12}{value}").expect("texts can be written to");
    }
    format!("{shown}\n{document}")
}

fn tag(entry: &Entry) -> &str {
    match entry.koji_tag.as_str() {
        "" | "NA" => "not known yet",
        tag => tag,
    }
}

pub(super) fn yes_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// Tells dependencies in one line.
pub(super) fn dependencies(all: &[Dependency]) -> String {
    let mut all: Vec<String> = all.iter().map(|one| format!("{}:{}", one.dependency, one.stream)).collect();
    all.sort();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn filter(arguments: &ListArguments) -> Filter {
    Filter {
        uid: None,
        name: arguments.name.clone(),
        stream: arguments.stream.clone(),
        version: arguments.version.clone(),
        context: arguments.context.clone(),
        koji_tag: arguments.tag.clone(),
        active: arguments.active.map(|wanted| wanted == YesNo::Yes),
        build_dep: arguments.build_dep.clone(),
        runtime_dep: arguments.runtime_dep.clone(),
        component: arguments.component.clone(),
    }
}

/// PDC looks at names and streams of dependencies apart: an entry with `a:x` and `b:s` matches `a:s`, too.
fn has_dependencies(entry: &Entry, arguments: &ListArguments) -> bool {
    has(&entry.build_deps, arguments.build_dep.as_ref())
        && has(&entry.runtime_deps, arguments.runtime_dep.as_ref())
}

fn has(all: &[Dependency], asked: Option<&AskedDependency>) -> bool {
    asked.is_none_or(|(name, stream)| {
        let is_meant = |one: &Dependency| {
            one.dependency == *name && stream.as_ref().is_none_or(|stream| one.stream == *stream)
        };
        all.iter().any(is_meant)
    })
}

/// Versions are numbers; what is none comes after them.
fn order(one: &Entry, other: &Entry) -> Ordering {
    fn key(entry: &Entry) -> (&str, &str, u64, &str, &str, &str) {
        let version = entry.version.parse().map_or(u64::MAX, |Version(number)| number);
        (&entry.name, &entry.stream, version, &entry.version, &entry.context, &entry.uid)
    }
    key(one).cmp(&key(other))
}

fn table(entries: &[Entry]) -> String {
    let mut table = Table::new(["Name", "Stream", "Version", "Context", "Active", "Koji tag", "UID"]);
    for entry in entries {
        let cells = [
            &entry.name,
            &entry.stream,
            &entry.version,
            &entry.context,
            yes_no(entry.active),
            &entry.koji_tag,
            &entry.uid,
        ];
        // A line each, whatever was written there.
        table.push(cells.map(|cell| Some(cell.replace(char::is_control, " "))));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::pdc::testing::entry;

    fn dependency(name: &str, stream: &str) -> Dependency {
        Dependency { dependency: name.to_owned(), stream: stream.to_owned() }
    }

    #[test]
    fn versions_are_sorted_as_numbers() {
        let mut all = ["x", "10", "9"].map(|version| entry(version, "p", version));
        all.sort_by(order);
        assert_eq!(all.map(|entry| entry.version), ["9", "10", "x"]);
    }

    #[test]
    fn a_dependency_is_name_and_stream_together() {
        let entry =
            Entry { build_deps: vec![dependency("a", "x"), dependency("b", "s")], ..entry("u", "p", "1") };
        let has = |build_dep: (&str, Option<&str>)| {
            let build_dep = Some((build_dep.0.to_owned(), build_dep.1.map(str::to_owned)));
            has_dependencies(&entry, &ListArguments { build_dep, ..ListArguments::default() })
        };
        assert!(has(("a", None)) && has(("a", Some("x"))) && has(("b", Some("s"))));
        assert!(!has(("a", Some("s"))) && !has(("c", None)));
    }

    #[test]
    fn an_entry_is_shown_with_its_document() {
        let entry = Entry {
            koji_tag: "NA".into(),
            runtime_deps: vec![dependency("platform", "f40"), dependency("perl", "5.30")],
            rpms: vec!["bash-0:5-1.src.rpm".into()],
            modulemd: "document: modulemd\n".into(),
            ..entry("p-1", "p", "1")
        };
        let shown = "uid         p-1
name        p
stream      f40
version     1
context     00000000
Koji tag    not known yet
active      no
runs with   perl:5.30, platform:f40
built with  nothing
packages    1

document: modulemd
";
        assert_eq!(described(&entry), shown);
        assert!(described(&Entry { modulemd: String::new(), ..entry }).ends_with("no document of it\n"));
    }

    #[test]
    fn a_cell_is_one_line() {
        let table = table(&[Entry { koji_tag: "a\nb".into(), ..entry("p-1", "p", "1") }]);
        assert_eq!(table.lines().count(), 3, "{table}");
    }
}
