//! What observing says.

use super::*;
use crate::ident::{Nevra, Weight};

fn search(packages: &[&str]) -> Search {
    Search {
        tags: vec![id("module-app-build"), id("module-app")],
        packages: packages.iter().map(|package| (id(package), id("module-app"))).collect(),
        module_target: id("module-app"),
        dist_suffix: DIST.into(),
    }
}

/// Searches, and returns live tasks, and builds with the tag they were found in.
fn find(plant: &MemoryBuildSystem, search: Search) -> (Vec<TaskId>, Vec<(String, Option<TagName>)>) {
    let questions = BuildQuestions { search: Some(search), ..BuildQuestions::default() };
    let found = observe(plant, &questions).search.unwrap();
    let builds = found.builds.into_iter().map(|build| (build.nvr.to_string(), build.tag)).collect();
    (found.live.into_iter().map(|(_, task)| task).collect(), builds)
}

#[test]
fn a_search_finds_live_tasks_of_this_module_only() {
    let plant = plant();
    let task = submit(&plant, &job("liba"));
    submit(&plant, &ComponentJob { dist: ".other".into(), ..job("liba") });
    submit(&plant, &job("libb"));
    assert_eq!(find(&plant, search(&["liba"])), (vec![task], vec![]));
    let elsewhere = Search { packages: [(id("liba"), id("module-app2"))].into(), ..search(&["liba"]) };
    assert_eq!(find(&plant, elsewhere), (vec![], vec![]));
    plant.cancel_by_stranger(task).unwrap();
    assert_eq!(find(&plant, search(&["liba"])), (vec![], vec![]));
}

#[test]
fn a_search_finds_builds_in_the_tags_first_then_untagged_ones_with_our_dist_tag() {
    let plant = plant();
    plant.add_build(&id("liba-9-1.fc29"), &[]).unwrap();
    assert_eq!(find(&plant, search(&["liba"])).1, []);
    let ours = build(&plant, "liba");
    assert_eq!(find(&plant, search(&["liba"])).1, [(ours.to_string(), None)]);
    tag(&plant, "module-app", &ours).unwrap();
    assert_eq!(find(&plant, search(&["liba"])).1, [(ours.to_string(), Some(id("module-app")))]);
    plant.put_in_tag(&id("module-app-build"), &id("liba"), &id("liba-9-1.fc29")).unwrap();
    assert_eq!(
        find(&plant, search(&["liba"])).1,
        [("liba-9-1.fc29".into(), Some(id("module-app-build")))],
        "the first tag that has one decides"
    );
}

#[test]
fn a_search_is_final_only_where_the_script_says_so() {
    let plant = plant();
    let questions = BuildQuestions { search: Some(search(&[])), ..BuildQuestions::default() };
    assert!(!observe(&plant, &questions).search.unwrap().is_final);
    plant.make_searches_final();
    assert!(observe(&plant, &questions).search.unwrap().is_final);
}

#[test]
fn a_build_has_its_source_and_its_rpms_for_each_architecture() {
    let plant = plant();
    plant.set_recipe(&id("liba"), "1", &["liba", "liba-devel"]);
    let nvr = build(&plant, "liba");
    let rpms = |nvr: &Nvr| -> Vec<String> {
        let questions = BuildQuestions { rpms_of_builds: [nvr.clone()].into(), ..BuildQuestions::default() };
        let rpms = observe(&plant, &questions).rpms_of_builds.unwrap().remove(nvr).unwrap();
        rpms.iter().map(|rpm| format!("{}.{}", rpm.name, rpm.arch)).collect()
    };
    let expected = ["liba.src", "liba.i686", "liba.x86_64", "liba-devel.i686", "liba-devel.x86_64"];
    assert_eq!(rpms(&nvr), expected);
    let rpm: Nevra = id("other-0:2-1.noarch");
    plant.set_rpms(&nvr, vec![rpm]).unwrap();
    assert_eq!(rpms(&nvr), ["other.noarch"]);
    plant.finish(submit(&plant, &macros_job())).unwrap();
    let macros = rpms(&id(&format!("module-build-macros-0.1-1{DIST}")));
    assert_eq!(macros, ["module-build-macros.src", "module-build-macros.noarch"]);
    let narrow = ComponentJob { arch_override: vec![id("x86_64")], ..job("libb") };
    plant.finish(submit(&plant, &narrow)).unwrap();
    assert_eq!(rpms(&id(&format!("libb-1-1{DIST}"))), ["libb.src", "libb.x86_64"]);
}

#[test]
fn the_rpms_of_a_tag_are_the_latest_inherited_and_external_ones_of_the_architectures_asked() {
    let plant = plant();
    for nvr in ["liba-1-1", "liba-2-1", "bash-5-1"] {
        plant.add_build(&id(nvr), &[id("x86_64"), id("i686")]).unwrap();
    }
    plant.put_in_tag(&id("f29-build"), &id("bash"), &id("bash-5-1")).unwrap();
    plant.put_in_tag(&id("f29-build"), &id("liba"), &id("liba-2-1")).unwrap();
    plant.put_in_tag(&id("module-app-build"), &id("liba"), &id("liba-1-1")).unwrap();
    plant.set_external_rpms(&id("module-app-build"), vec![id("ext-0:1-1.x86_64"), id("ext-0:1-1.s390x")]);
    let questions = BuildQuestions {
        tag_rpms: [id("module-app-build")].into(),
        arches: [id("x86_64")].into(),
        ..BuildQuestions::default()
    };
    let rpms = observe(&plant, &questions).tag_rpms.unwrap().remove("module-app-build").unwrap();
    let names: BTreeSet<String> = rpms.iter().map(ToString::to_string).collect();
    let expected =
        ["bash-0:5-1.src", "bash-0:5-1.x86_64", "ext-0:1-1.x86_64", "liba-0:1-1.src", "liba-0:1-1.x86_64"];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn architectures_and_weights_are_as_set_up() {
    let plant = plant();
    plant.add_tag(&id("bare"), &[]);
    plant.set_weight(&id("liba"), Weight::new(7.5));
    let questions = BuildQuestions {
        tag_arches: [id("bare"), id("f29-build")].into(),
        weights: [id("liba"), id("libb")].into(),
        ..BuildQuestions::default()
    };
    let answers = observe(&plant, &questions);
    let arches = answers.tag_arches.unwrap();
    assert_eq!(arches[&id::<TagName>("f29-build")], Some(vec![id("x86_64")]));
    assert_eq!(arches[&id::<TagName>("bare")], None);
    assert_eq!(answers.weights.unwrap().into_iter().collect::<Vec<_>>(), [(id("liba"), Weight::new(7.5))]);
}

#[test]
fn only_file_names_of_rpms_have_tags() {
    assert!(is_rejected(&now_or_panic(plant().tags_of_rpm("liba"))));
    assert!(is_rejected(&now_or_panic(plant().tags_of_rpm("dir/liba-1-1.x86_64.rpm"))));
}
