use std::sync::Arc;

use super::*;
use crate::ident::Weight;
use crate::model::{ComponentBuild, ComponentSource};
use crate::modulemd::ModuleComponent;

/// A document of components, given as key, buildorder and the keys they are built after.
fn document(components: &[(&str, i64, &[&str])]) -> ModuleStream {
    let component = |(key, buildorder, after): &(&str, i64, &[&str])| {
        let buildafter = after.iter().map(|key| (*key).to_owned()).collect();
        ((*key).to_owned(), RpmComponent { buildorder: *buildorder, buildafter, ..RpmComponent::default() })
    };
    ModuleStream { rpms: components.iter().map(component).collect(), ..ModuleStream::default() }
}

/// Adds an included module to a document.
fn include(document: &mut ModuleStream, key: &str, buildorder: i64, after: &[&str]) {
    let buildafter = after.iter().map(|key| (*key).to_owned()).collect();
    document
        .modules
        .insert(key.into(), ModuleComponent { buildorder, buildafter, ..ModuleComponent::default() });
}

fn inclusions(included: &[(&str, &ModuleStream, Inclusions)]) -> Inclusions {
    let entry = |(key, document, inner): &(&str, &ModuleStream, Inclusions)| {
        let document = Arc::new((*document).clone());
        ((*key).to_owned(), Included { document, inner: inner.clone() })
    };
    included.iter().map(entry).collect()
}

/// Packages with their batch, in order.
fn batches(order: &BuildOrder) -> Vec<(&str, u32)> {
    order.entries.iter().map(|entry| (entry.package.as_str(), entry.batch.0)).collect()
}

fn after<'a>(order: &'a BuildOrder, package: &str) -> Vec<&'a str> {
    let entry = order.entries.iter().find(|entry| entry.package.as_str() == package).unwrap();
    entry.after.iter().map(Package::as_str).collect()
}

#[test]
fn a_new_batch_begins_whenever_buildorder_grows() {
    let document = document(&[("d", 10, &[]), ("a", -1, &[]), ("c", 0, &[]), ("b", 0, &[])]);
    let order = order(&document, &Inclusions::new()).unwrap();
    assert_eq!(order.ordering, Ordering::Batches);
    assert_eq!(batches(&order), [("a", 2), ("b", 3), ("c", 3), ("d", 4)]);
}

#[test]
fn the_package_is_the_name_if_there_is_one() {
    let mut document = document(&[("perl-bootstrap", 0, &[])]);
    document.rpms.get_mut("perl-bootstrap").unwrap().name = Some("perl".into());
    let order = order(&document, &Inclusions::new()).unwrap();
    assert_eq!(
        (order.entries[0].package.as_str(), order.entries[0].key.as_str()),
        ("perl", "perl-bootstrap")
    );
}

#[test]
fn included_components_begin_in_the_batch_of_their_module_and_what_follows_comes_after() {
    let mut app = document(&[("first", 0, &[]), ("beside", 5, &[]), ("last", 6, &[])]);
    include(&mut app, "lib", 5, &[]);
    let lib = document(&[("lib-a", 100, &[]), ("lib-b", 200, &[])]);
    let order = order(&app, &inclusions(&[("lib", &lib, Inclusions::new())])).unwrap();
    let expected = [("first", 2), ("beside", 3), ("lib-a", 3), ("lib-b", 4), ("last", 5)];
    assert_eq!(batches(&order), expected);
    assert_eq!(order.entries[2].via, ["lib"]);
}

#[test]
fn modules_included_side_by_side_share_batches_and_empty_ones_take_none() {
    let (mut app, mut empty) = (document(&[("last", 1, &[])]), document(&[]));
    for key in ["one", "two", "none"] {
        include(&mut app, key, if key == "none" { -1 } else { 0 }, &[]);
    }
    include(&mut empty, "inner", 3, &[]);
    let (one, two) = (document(&[("a", 0, &[]), ("b", 1, &[])]), document(&[("c", 0, &[])]));
    let inner = inclusions(&[("inner", &document(&[]), Inclusions::new())]);
    let all = inclusions(&[
        ("one", &one, Inclusions::new()),
        ("two", &two, Inclusions::new()),
        ("none", &empty, inner),
    ]);
    assert_eq!(batches(&order(&app, &all).unwrap()), [("a", 2), ("c", 2), ("b", 3), ("last", 4)]);
}

#[test]
fn all_packages_that_stand_in_several_places_are_named() {
    let mut app = document(&[("a", 0, &[]), ("b", 0, &[]), ("c", 0, &[])]);
    include(&mut app, "lib", 0, &[]);
    app.rpms.get_mut("c").unwrap().name = Some("a".into());
    let lib = document(&[("a", 0, &[]), ("b", 0, &[])]);
    let refused = order(&app, &inclusions(&[("lib", &lib, Inclusions::new())])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "these packages would be built more than once: a (a, c, lib/a), b (b, lib/b)"
    );
}

#[test]
fn the_package_of_the_macros_is_no_component() {
    let refused = order(&document(&[("module-build-macros", 0, &[])]), &Inclusions::new()).unwrap_err();
    assert!(matches!(refused, OrderError::Reserved(_)));
}

#[test]
fn a_module_that_was_not_fetched_is_an_error() {
    let mut app = document(&[]);
    include(&mut app, "lib", 0, &[]);
    assert_eq!(order(&app, &Inclusions::new()), Err(OrderError::NotIncluded("lib".into())));
}

#[test]
fn a_graph_makes_each_component_wait_for_those_it_names_only() {
    let document = document(&[("a", 0, &["b", "c"]), ("b", 0, &["c"]), ("c", 0, &[]), ("d", 0, &[])]);
    let order = order(&document, &Inclusions::new()).unwrap();
    assert_eq!(order.ordering, Ordering::Graph);
    assert_eq!(batches(&order), [("c", 2), ("d", 2), ("b", 3), ("a", 4)]);
    assert_eq!(after(&order, "a"), ["b", "c"]);
    assert!(after(&order, "d").is_empty());
}

#[test]
fn keys_not_package_names_say_what_to_follow() {
    let mut document = document(&[("a", 0, &["b"]), ("b", 0, &[])]);
    document.rpms.get_mut("b").unwrap().name = Some("real-b".into());
    assert_eq!(after(&order(&document, &Inclusions::new()).unwrap(), "a"), ["real-b"]);
}

#[test]
fn an_unknown_key_and_a_circle_are_named() {
    let unknown = order(&document(&[("a", 0, &["x"])]), &Inclusions::new()).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "a of the document is to be built after x, which is not in that document"
    );
    let circle = document(&[("a", 0, &["b"]), ("b", 0, &["c"]), ("c", 0, &["b"]), ("d", 0, &[])]);
    let circle = order(&circle, &Inclusions::new()).unwrap_err();
    assert_eq!(
        circle.to_string(),
        "components of the document wait for each other: b, which is built after c, which is built after b"
    );
    assert!(order(&document(&[("a", 0, &["a"])]), &Inclusions::new()).is_err());
}

#[test]
fn a_document_orders_in_one_way_only() {
    let both = order(&document(&[("a", 0, &["b"]), ("b", 1, &[])]), &Inclusions::new()).unwrap_err();
    assert!(matches!(both, OrderError::BothOrders { .. }));
}

#[test]
fn following_an_included_module_means_following_all_of_it() {
    let mut app = document(&[("first", 0, &[]), ("last", 0, &["lib"])]);
    include(&mut app, "lib", 0, &["first"]);
    let lib = document(&[("x", 0, &[]), ("y", 1, &[]), ("z", 1, &[])]);
    let order = order(&app, &inclusions(&[("lib", &lib, Inclusions::new())])).unwrap();
    assert_eq!(batches(&order), [("first", 2), ("x", 3), ("y", 4), ("z", 4), ("last", 5)]);
    assert_eq!((after(&order, "x"), after(&order, "y")), (vec!["first"], vec!["x"]));
    assert_eq!(after(&order, "last"), ["y", "z"]);
}

#[test]
fn what_follows_an_empty_module_follows_what_that_follows() {
    let mut app = document(&[("first", 0, &[]), ("last", 0, &["lib"])]);
    include(&mut app, "lib", 0, &["first"]);
    let order = order(&app, &inclusions(&[("lib", &document(&[]), Inclusions::new())])).unwrap();
    assert_eq!(after(&order, "last"), ["first"]);
}

#[test]
fn one_included_graph_turns_the_batches_around_it_into_edges() {
    let mut app = document(&[("first", 0, &[]), ("last", 9, &[])]);
    include(&mut app, "lib", 5, &[]);
    let lib = document(&[("x", 0, &[]), ("y", 0, &["x"])]);
    let order = order(&app, &inclusions(&[("lib", &lib, Inclusions::new())])).unwrap();
    assert_eq!(order.ordering, Ordering::Graph);
    assert_eq!(batches(&order), [("first", 2), ("x", 3), ("y", 4), ("last", 5)]);
    assert_eq!((after(&order, "x"), after(&order, "last")), (vec!["first"], vec!["y"]));
}

fn component(entry: &Entry, weight: f64) -> ComponentBuild {
    let source = ComponentSource::Srpm(String::new());
    let mut component = ComponentBuild::new(entry.package.clone(), source, entry.batch);
    component.after.clone_from(&entry.after);
    component.weight = Weight::new(weight);
    component
}

#[test]
fn the_longest_remaining_path_counts_everything_behind() {
    let document =
        document(&[("a", 0, &[]), ("b", 0, &["a"]), ("c", 0, &["a"]), ("d", 0, &["b", "c"]), ("e", 0, &[])]);
    let order = order(&document, &Inclusions::new()).unwrap();
    let weight = |entry: &Entry| if entry.key == "c" { 5.0 } else { 1.0 };
    let components: Vec<_> =
        order.entries.iter().map(|entry| component(entry, weight(entry)).into()).collect();
    let paths = remaining_path(&components);
    let cost = |package: &str| paths[&Package::new(package).unwrap()].cost();
    assert_eq!(["a", "b", "c", "d", "e"].map(cost), [7.0, 2.0, 6.0, 1.0, 1.0]);
}

#[test]
fn a_key_that_stands_in_two_documents_is_refused_whatever_its_packages_are() {
    let mut app = document(&[("tool", 0, &[])]);
    include(&mut app, "lib", 0, &[]);
    let mut lib = document(&[("tool", 0, &[])]);
    lib.rpms.get_mut("tool").unwrap().name = Some("other".into());
    let refused = order(&app, &inclusions(&[("lib", &lib, Inclusions::new())])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "these components have the same key in several documents: tool (tool, lib/tool)"
    );
}

#[test]
fn a_graph_with_too_many_edges_is_refused_before_it_is_walked() {
    let keys: Vec<String> = (0..500).map(|number| format!("p{number:04}")).collect();
    let all: Vec<&str> = keys.iter().map(String::as_str).collect();
    let components: Vec<_> = all.iter().enumerate().map(|(place, key)| (*key, 0, &all[..place])).collect();
    let refused = order(&document(&components), &Inclusions::new()).unwrap_err();
    assert_eq!(
        refused,
        OrderError::TooLarge { what: "waits between components", count: 124_750, most: MOST_EDGES }
    );
}
