//! How often is the hub asked?

use mbs_core::build_system::{BuildQuestions, BuildSystem as _, Search, TagRequest};
use mbs_core::ident::{Nvr, Package, TaskId};

use crate::site::{DIST, Site, id, job, spec};

const PACKAGES: usize = 150;

fn packages() -> Vec<String> {
    (0..PACKAGES).map(|number| format!("package-{number:03}")).collect()
}

/// A module of 150 components that are all being built, on which somebody looked already.
async fn site() -> (Site, Vec<TaskId>) {
    let site = Site::new("1.35.3").await;
    let names = packages();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    site.system.ensure_buildroot(&spec(&names)).await.unwrap();
    let mut tasks = Vec::new();
    for name in &names {
        tasks.push(site.system.submit(&job(&id(name))).await.unwrap());
    }
    site.system.observe(&look(&tasks, &[])).await.unwrap();
    site.hub.reset_counters();
    (site, tasks)
}

/// What is asked in `build`: tasks, both tags, the newest repository, and what there is of some packages.
fn look(tasks: &[TaskId], searched: &[&str]) -> BuildQuestions {
    let search = Search {
        packages: searched.iter().map(|package| (id(package), id("module-app"))).collect(),
        module_target: id("module-app"),
        tags: vec![id("module-app-build"), id("module-app")],
        dist_suffix: DIST.to_owned(),
    };
    BuildQuestions {
        tasks: tasks.iter().copied().collect(),
        tags: [id("module-app"), id("module-app-build")].into(),
        repo_of: Some(id("module-app-build")),
        search: Some(search),
        ..BuildQuestions::default()
    }
}

#[tokio::test]
async fn a_look_is_one_request_however_many_components_there_are() {
    let (site, tasks) = site().await;
    let searched = packages();
    let searched: Vec<&str> = searched.iter().map(String::as_str).collect();
    let answers = site.system.observe(&look(&tasks, &searched)).await.unwrap();
    assert_eq!((answers.tasks.unwrap().len(), answers.search.unwrap().live.len()), (PACKAGES, PACKAGES));
    assert_eq!(site.hub.counters().requests, 1, "{:?}", site.hub.counters());
}

#[tokio::test]
async fn a_look_that_finds_an_untagged_build_asks_once_more() {
    let (site, tasks) = site().await;
    for task in &tasks {
        site.hub.finish(*task).unwrap();
    }
    let answers = site.system.observe(&look(&[], &["package-001", "package-002"])).await.unwrap();
    let found: Vec<_> = answers.search.unwrap().builds.into_iter().map(|build| build.task).collect();
    assert_eq!(found, [Some(tasks[1]), Some(tasks[2])]);
    assert_eq!(site.hub.counters().requests, 2);
}

#[tokio::test]
async fn what_needs_doing_is_done_in_one_request_and_nothing_in_none() {
    let (site, tasks) = site().await;
    let requests = async |what: &str, wanted: u64| {
        assert_eq!(site.hub.counters().requests, wanted, "{what}: {:?}", site.hub.counters());
        site.hub.reset_counters();
    };
    let names = packages();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    site.system.ensure_buildroot(&spec(&names)).await.unwrap();
    requests("a buildroot that holds", 1).await;
    names.push("one-more");
    site.system.ensure_buildroot(&spec(&names)).await.unwrap();
    requests("a buildroot that lacks something", 2).await;
    site.system.submit(&job(&id("one-more"))).await.unwrap();
    requests("a submission", 1).await;

    site.hub.finish(tasks[0]).unwrap();
    site.hub.finish(tasks[1]).unwrap();
    let build = |package: &str| -> Nvr { format!("{package}-1.0-1{DIST}").parse().unwrap() };
    let both = ["package-000", "package-001"].map(|name| TagRequest {
        tag: id("module-app"),
        package: id::<Package>(name),
        nvr: build(name),
    });
    site.system.ensure_tagged(&both).await.unwrap();
    requests("tagging", 2).await;
    site.system.ensure_tagged(&both).await.unwrap();
    requests("tagging what is tagged", 1).await;
    site.system.ensure_untagged(&both).await.unwrap();
    requests("untagging", 1).await;
    site.system.cancel(&tasks).await.unwrap();
    requests("cancelling", 1).await;
    site.system.request_repo(&id("module-app-build")).await.unwrap();
    requests("a repository", 2).await;
    site.system.remove_target(&id("module-app")).await.unwrap();
    requests("removing a target", 1).await;
}
