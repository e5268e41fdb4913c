//! The build system of this machine, held to the contract of its trait. Each promise begins with two builds that are made
//! once and copied.

use std::process::Command;

use mbs_core::contract::{BuildSystemGround, Unable, build_system};
use mbs_core::ident::Package;

use super::*;

struct Ground {
    room: Room,
}

impl Ground {
    /// A job of a package whose release ends in the dist tag although no macros are installed.
    fn job_with(&self, package: &Package, more: &str) -> ComponentJob {
        let job = self.room.job(package.as_str(), more);
        let spec = self.room.directory.path().join(format!("git/{package}/{package}.spec"));
        let text = fs::read_to_string(&spec).unwrap();
        fs::write(&spec, format!("%define dist {DIST}\n{text}")).unwrap();
        job
    }
}

#[async_trait]
impl BuildSystemGround for Ground {
    fn build_system(&self) -> &dyn BuildSystem {
        &self.room.system
    }

    fn buildroot(&self) -> BuildrootSpec {
        BuildrootSpec { packages: ["liba", "libb", "libc"].map(id).to_vec(), ..spec(&[]) }
    }

    fn job(&self, package: &Package) -> ComponentJob {
        self.job_with(package, "")
    }

    async fn built(&self, package: &Package) -> Option<TaskId> {
        let place = ["liba", "libb"].iter().position(|made| *made == package.as_str())?;
        Some(TaskId(place as i64 + 1))
    }

    async fn end(&self, task: TaskId) {
        self.room.ended(task).await;
    }

    async fn end_repo(&self, _: &TagName, _: Option<TaskId>) {}

    async fn fail(&self, package: &Package) -> Result<TaskId, Unable> {
        let task = self.room.system.submit(&self.job_with(package, "%build\nexit 1\n")).await.unwrap();
        self.room.ended(task).await;
        Ok(task)
    }
}

/// Has both packages built, and returns the directory that knows them.
async fn with_builds() -> Option<tempfile::TempDir> {
    let ground = Ground { room: Room::new().await? };
    ground.room.buildroot(&[]).await;
    for package in ["liba", "libb"] {
        let task = ground.room.system.submit(&ground.job(&id(package))).await.unwrap();
        assert_eq!(ground.room.ended(task).await, TaskState::Closed, "{}", ground.room.failure(task).await);
    }
    Some(ground.room.directory)
}

#[tokio::test]
async fn the_contract_of_build_systems_is_kept() {
    let Some(made) = with_builds().await else { return };
    let kept = build_system(async || {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        fs::create_dir(&state).unwrap();
        let copy = Command::new("cp").arg("-a").arg(made.path().join("state/tasks")).arg(&state).status();
        assert!(copy.unwrap().success());
        let system = open(directory.path(), BTreeMap::new()).await.unwrap();
        Ground { room: Room { directory, system } }
    });
    let kept = kept.await.unwrap();
    let left_out: Vec<&str> = kept.left_out.iter().map(|(_, unable)| unable.0).collect();
    let cannot = ["remove a tag", "delete a build", "cancel a task as a stranger", "make a task forgotten"];
    assert_eq!(left_out, cannot, "{kept}");
}
