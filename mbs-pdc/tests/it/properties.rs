//! What holds whatever is stored and asked for, against the fake server.

use std::sync::Arc;

use mbs_http::Secret;
use mbs_pdc::api::{Change, Dependency, Entries, Entry, Face, Filter, NewEntry};
use mbs_pdc::client::{Pdc, PdcError};
use mbs_pdc::fake_server::{self, FakePdc, NewRow, Package, Row, Setup};
use mbs_pdc::server::{Login, Server};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::{Config, TestCaseError};

use crate::client::{Skipping, ends, server};

/// A runtime for one case, and the entries of a fake server with these rows.
fn with_rows<T>(rows: &[NewRow], face: Face, ask: impl AsyncFnOnce(&FakePdc, Entries) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ends(async {
        let fake = FakePdc::start(Setup::default()).await.unwrap();
        rows.iter().for_each(|row| fake.plant(row.clone()));
        let login = Login::Token(Secret::new("b".repeat(40)));
        let server = Server { login, ..server(fake.url(), 20_000) };
        let pdc = Pdc::new(&server, Arc::new(Skipping::default())).unwrap();
        ask(&fake, Entries::new(pdc, face)).await
    }))
}

fn faces() -> impl Strategy<Value = Face> {
    prop_oneof![Just(Face::Variants), Just(Face::Modules)]
}

/// Values that are often the same, but for their case, and that addresses give a meaning to.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[aA]", "[aAä&=+%#/?; ]{1,2}"].prop_filter("PDC cuts white space", |word| word.trim() == word)
}

fn dependency() -> impl Strategy<Value = fake_server::Dependency> {
    (word(), word()).prop_map(|(dependency, stream)| fake_server::Dependency { dependency, stream })
}

fn row() -> impl Strategy<Value = NewRow> {
    let identity = (word(), word(), word(), word());
    let rest = (
        word(),
        any::<bool>(),
        prop::collection::vec(dependency(), 0..3),
        prop::collection::vec(dependency(), 0..3),
        prop::collection::vec(word(), 0..2),
    );
    (identity, rest).prop_map(|(identity, (koji_tag, active, build_deps, runtime_deps, sources))| {
        let (name, stream, version, context) = identity;
        let package = |srpm_name| Package { name: "p".to_owned(), srpm_name, ..Package::default() };
        NewRow {
            koji_tag,
            active,
            build_deps,
            runtime_deps,
            rpms: sources.into_iter().map(package).collect(),
            ..NewRow::new(&name, &stream, &version).in_context(&context)
        }
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let maybe = || prop::option::weighted(0.2, word());
    let dependency = || prop::option::weighted(0.2, (word(), prop::option::of(word())));
    let texts = (maybe(), maybe(), maybe(), maybe(), maybe(), maybe());
    (texts, prop::option::of(any::<bool>()), dependency(), dependency()).prop_map(
        |((name, stream, version, context, koji_tag, component), active, build_dep, runtime_dep)| Filter {
            uid: None,
            name,
            stream,
            version,
            context,
            koji_tag,
            active,
            build_dep,
            runtime_dep,
            component,
        },
    )
}

/// Says whether a filter finds a row.
fn finds(filter: &Filter, row: &Row) -> bool {
    // No text and an empty one are the same.
    let is = |wanted: &Option<String>, own: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted.is_empty() || wanted.eq_ignore_ascii_case(own))
    };
    let depends = |wanted: &Option<(String, Option<String>)>, on: &[fake_server::Dependency]| {
        let Some((name, stream)) = wanted else { return true };
        let has_stream = |wanted: &String| wanted.is_empty() || on.iter().any(|one| one.stream == *wanted);
        (name.is_empty() || on.iter().any(|one| one.dependency == *name))
            && stream.as_ref().is_none_or(has_stream)
    };
    is(&filter.name, &row.name)
        && is(&filter.stream, &row.stream)
        && is(&filter.version, &row.version)
        && is(&filter.context, &row.context)
        && is(&filter.koji_tag, &row.koji_tag)
        && filter.active.is_none_or(|active| active == row.active)
        && depends(&filter.build_dep, &row.build_deps)
        && depends(&filter.runtime_dep, &row.runtime_deps)
        && filter.component.as_ref().is_none_or(|wanted| {
            wanted.is_empty() || row.rpms.iter().any(|package| package.srpm_name == *wanted)
        })
}

/// Returns what an entry of a row looks like.
fn shown(row: &Row) -> Entry {
    let dependencies = |all: &[fake_server::Dependency]| {
        let shown = |one: &fake_server::Dependency| Dependency {
            dependency: one.dependency.clone(),
            stream: one.stream.clone(),
        };
        all.iter().map(shown).collect()
    };
    Entry {
        uid: row.uid.clone(),
        name: row.name.clone(),
        stream: row.stream.clone(),
        version: row.version.clone(),
        context: row.context.clone(),
        active: row.active,
        koji_tag: row.koji_tag.clone(),
        modulemd: row.modulemd.clone(),
        runtime_deps: dependencies(&row.runtime_deps),
        build_deps: dependencies(&row.build_deps),
        rpms: row.rpms.iter().map(ToString::to_string).collect(),
    }
}

/// Texts as people and programs write them into PDC.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9.:]{1,8}", "[ \t]?[a-zäλ\u{1f600}./%?#\\\\\"'\n\u{1b}-]{1,6}\n?"]
}

fn new_entry() -> impl Strategy<Value = NewEntry> {
    let dependency = || (text(), text()).prop_map(|(dependency, stream)| Dependency { dependency, stream });
    let dependencies = || prop::option::of(prop::collection::vec(dependency(), 0..3));
    let texts = (text(), text(), text(), text(), prop::option::of(text()), text(), text());
    (texts, prop::option::of(any::<bool>()), dependencies(), dependencies()).prop_map(
        |((uid, name, stream, version, context, koji_tag, modulemd), active, runtime_deps, build_deps)| {
            NewEntry {
                uid,
                name,
                stream,
                version,
                context,
                koji_tag,
                modulemd,
                active,
                runtime_deps,
                build_deps,
                rpms: None,
            }
        },
    )
}

proptest! {
    #![proptest_config(Config { cases: 32, ..Config::default() })]

    #[test]
    fn a_filter_finds_what_it_says(
        rows in prop::collection::vec(row(), 0..8),
        filters in prop::collection::vec(filter(), 1..6),
        face in faces(),
    ) {
        with_rows(&rows, face, async |fake, entries| {
            for filter in filters {
                let wanted: Vec<Entry> =
                    fake.rows().iter().filter(|row| finds(&filter, row)).map(shown).collect();
                prop_assert_eq!(&entries.find(&filter).await, &Ok(wanted), "{:?}", filter);
            }
            for entry in entries.find(&Filter::default()).await.unwrap() {
                let by_uid = Filter { uid: Some(entry.uid.clone()), ..Filter::default() };
                prop_assert!(entries.find(&by_uid).await.unwrap().contains(&entry));
                prop_assert_eq!(entries.entry(&entry.uid).await, Ok(entry));
            }
            Ok::<(), TestCaseError>(())
        })?;
    }

    #[test]
    fn what_is_made_is_what_was_to_be_made_and_is_changed_by_its_key(
        made in new_entry(),
        face in faces(),
        comment in any::<String>(),
    ) {
        with_rows(&[], face, async |fake, entries| {
            let is_possible = face == Face::Variants || made.context.is_some();
            let entry = match entries.create(&made, &comment).await {
                Ok(entry) => entry,
                // What is nothing but white space is nothing to PDC.
                Err(PdcError::Rejected { .. }) => {
                    prop_assert_eq!(fake.rows().len(), 0);
                    return Ok(());
                }
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            prop_assert!(is_possible && made.is(&entry), "{:?}", entry);
            prop_assert_eq!(entry.active, made.active.unwrap_or(false));
            if matches!(entry.uid.as_str(), "." | "..") {
                return Ok(());
            }
            prop_assert_eq!(&entries.entry(&entry.uid).await, &Ok(entry.clone()));
            let change = Change { active: Some(!entry.active), ..Change::default() };
            let changed = entries.change(&entry.uid, &change, "").await;
            prop_assert_eq!(changed, Ok(Entry { active: !entry.active, ..entry }));
            Ok::<(), TestCaseError>(())
        })?;
    }
}
