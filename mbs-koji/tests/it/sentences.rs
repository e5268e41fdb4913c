//! Do people learn which tag, package or permission is concerned?

use mbs_core::build_system::{BuildQuestions, BuildSystem as _, BuildSystemError, BuildrootSpec, TagRequest};
use mbs_core::ident::{Nvr, Package};
use mbs_koji::xmlrpc::{Call, Fault, FaultCode};

use crate::site::{DIST, Site, id, job, spec, system};

async fn site() -> Site {
    Site::new("1.35.3").await
}

fn request(package: &str) -> TagRequest {
    let nvr: Nvr = format!("{package}-1.0-1{DIST}").parse().unwrap();
    TagRequest { tag: id("module-app"), package: id::<Package>(package), nvr }
}

fn is_readable(error: &BuildSystemError) {
    let text = error.to_string();
    assert!(!text.contains("<class") && !text.contains("Traceback") && text.len() < 700, "{text}");
}

#[tokio::test]
async fn a_permission_that_lacks_is_named_with_what_it_is_for() {
    let site = site().await;
    let nobody = system(&site.hub, "nobody", "nopw");
    let error = nobody.ensure_buildroot(&spec(&["liba"])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "not allowed: to make the tag module-app; the hub said: tag permission required (logged in as nobody)"
    );
    assert!(matches!(error, BuildSystemError::Denied { .. }));
}

#[tokio::test]
async fn an_unknown_tag_is_named() {
    let site = site().await;
    let orphan = BuildrootSpec { inherits: vec![id("no-such-tag")], ..spec(&["liba"]) };
    let error = site.system.ensure_buildroot(&orphan).await.unwrap_err();
    assert_eq!(error.to_string(), "the tag no-such-tag, which the buildroot shall inherit, does not exist");
    let error = site.system.request_repo(&id("no-such-tag")).await.unwrap_err();
    assert_eq!(error.to_string(), "the tag no-such-tag does not exist");
    let error = site.system.submit(&job(&id("liba"))).await.unwrap_err();
    assert_eq!(error.to_string(), "the target module-app does not exist");
}

#[tokio::test]
async fn a_locked_tag_is_named() {
    let site = site().await;
    site.system.ensure_buildroot(&spec(&["liba"])).await.unwrap();
    let lock = Call::new("editTag2").arg("module-app").keyword("locked", true);
    system(&site.hub, "kojiadmin", "adminpw").hub().write(&lock).await.unwrap();
    let error = site.system.ensure_buildroot(&spec(&["liba"])).await.unwrap_err();
    assert_eq!(error.to_string(), "somebody has locked the tag module-app");
}

#[tokio::test]
async fn a_package_that_may_not_be_in_a_tag_is_named() {
    let site = site().await;
    site.system.ensure_buildroot(&spec(&["liba"])).await.unwrap();
    site.hub.plant_build("libb", "1.0", &format!("1{DIST}"), &["x86_64"]);
    let error = site.system.ensure_tagged(&[request("libb")]).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with(&format!(
            "Koji refuses to put the build libb-1.0-1{DIST} into the tag module-app: "
        )) && said.contains("libb"),
        "{said}"
    );
    is_readable(&error);
}

#[tokio::test]
async fn a_package_that_is_kept_out_of_a_tag_is_named() {
    let site = site().await;
    let blocking = BuildrootSpec { blocked: vec![id("liba")], ..spec(&["liba"]) };
    site.system.ensure_buildroot(&blocking).await.unwrap();
    site.hub.plant_build("liba", "1.0", &format!("1{DIST}"), &["x86_64"]);
    let into_build_tag = TagRequest { tag: id("module-app-build"), ..request("liba") };
    let error = site.system.ensure_tagged(&[into_build_tag]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Koji refuses to put the build liba-1.0-1{DIST} into the tag module-app-build: \
             Package liba is blocked in module-app-build"
        )
    );
    let let_in = BuildrootSpec { unblocked: vec![id("liba")], ..blocking };
    site.system.ensure_buildroot(&let_in).await.unwrap();
    let into_build_tag = TagRequest { tag: id("module-app-build"), ..request("liba") };
    site.system.ensure_tagged(&[into_build_tag]).await.unwrap();
}

#[tokio::test]
async fn a_failed_task_tells_the_error_and_not_the_class() {
    let site = site().await;
    site.system.ensure_buildroot(&spec(&["liba"])).await.unwrap();
    let said = async |fault: Fault| {
        let task = site.system.submit(&job(&id("liba"))).await.unwrap();
        site.hub.fail_with(task, fault).unwrap();
        let questions = BuildQuestions { failures: [task].into(), ..BuildQuestions::default() };
        let failures = site.system.observe(&questions).await.unwrap().failures.unwrap();
        (failures[&task].reason.clone(), failures[&task].is_package_fault, task)
    };
    let scm = Fault::new(FaultCode::GenericError, "Invalid scmurl: git+https://src.example.com/rpms/liba");
    let (reason, is_package_fault, task) = said(scm).await;
    assert_eq!(
        reason,
        format!("the task failed: Invalid scmurl: git+https://src.example.com/rpms/liba (task {task})")
    );
    assert!(is_package_fault);
    let bug = Fault::new(
        FaultCode::Exception,
        "Traceback (most recent call last):\n  File \"x\"\nKeyError: 'arch'",
    );
    let (reason, is_package_fault, task) = said(bug).await;
    assert_eq!(reason, format!("the task failed: KeyError: 'arch' (task {task})"));
    assert!(!is_package_fault);
}
