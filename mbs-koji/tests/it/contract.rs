//! Does the build system keep its promises over HTTP, on hubs with and without repositories on demand?

use async_trait::async_trait;
use mbs_core::build_system::{BuildSystem, BuildrootSpec, ComponentJob, TaskFailure};
use mbs_core::contract::{self, BuildSystemGround, Unable};
use mbs_core::ident::{Nvr, Package, TagName, TaskId};

use crate::site::{Site, job, spec};

#[async_trait]
impl BuildSystemGround for Site {
    fn build_system(&self) -> &dyn BuildSystem {
        &self.system
    }

    fn buildroot(&self) -> BuildrootSpec {
        spec(&["liba", "libb", "libc"])
    }

    fn job(&self, package: &Package) -> ComponentJob {
        job(package)
    }

    async fn end(&self, task: TaskId) {
        self.hub.finish(task).unwrap();
    }

    async fn end_repo(&self, tag: &TagName, task: Option<TaskId>) {
        self.hub.serve_requests();
        let live = self.hub.live_tasks();
        let made = live.into_iter().find(|live| live.package.is_none() && live.place == *tag);
        self.hub.finish(task.unwrap_or_else(|| made.unwrap().id)).unwrap();
    }

    async fn fail(&self, package: &Package) -> Result<TaskId, Unable> {
        let task = self.system.submit(&job(package)).await.unwrap();
        let failure = TaskFailure { reason: "mock exited with status 1".into(), is_package_fault: true };
        self.hub.fail(task, failure).unwrap();
        Ok(task)
    }

    async fn cancel_by_stranger(&self, task: TaskId) -> Result<(), Unable> {
        self.hub.cancel_by_stranger(task);
        Ok(())
    }

    async fn forget(&self, task: TaskId) -> Result<(), Unable> {
        self.hub.forget_task(task);
        Ok(())
    }

    async fn remove_tag(&self, tag: &TagName) -> Result<(), Unable> {
        self.hub.remove_tag(tag);
        Ok(())
    }

    async fn delete_build(&self, nvr: &Nvr) -> Result<(), Unable> {
        self.hub.delete_build(nvr);
        Ok(())
    }
}

async fn kept_on(version: &str) {
    let kept = contract::build_system(async || {
        let site = Site::new(version).await;
        site.hub.plant_generator("module-build-service", &["mbs"]);
        site
    })
    .await
    .unwrap();
    assert!(kept.left_out.is_empty(), "{kept}");
}

#[tokio::test]
async fn every_promise_is_kept_on_a_hub_with_repositories_on_demand() {
    kept_on("1.35.3").await;
}

#[tokio::test]
async fn every_promise_is_kept_on_an_older_hub() {
    kept_on("1.34.0").await;
}
