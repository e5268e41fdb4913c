//! Source control over git, held to the contract of its trait.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::contract::{SourceControlGround, source_control};
use mbs_core::ident::{CommitId, Name, Stream};
use mbs_core::source_control::SourceControl;

use super::super::GitSourceControl;
use super::defaults;
use super::scene::{Scene, git_is_here, sources};

struct Ground {
    scene: Scene,
    sources: GitSourceControl,
}

impl Ground {
    /// Works on a branch, a new one if there is none of that name. A tag may have its name, so the full one is used.
    fn check_out(&self, branch: &str) {
        let full = format!("refs/heads/{branch}");
        if self.scene.git(&["for-each-ref", &full]).is_empty() {
            self.scene.git(&["checkout", "-q", "--orphan", branch]);
        } else {
            self.scene.git(&["symbolic-ref", "HEAD", &full]);
            self.scene.git(&["reset", "-q", "--hard"]);
        }
    }
}

#[async_trait]
impl SourceControlGround for Ground {
    fn source_control(&self) -> &dyn SourceControl {
        &self.sources
    }

    fn repository(&self) -> String {
        self.scene.url()
    }

    fn missing_repository(&self) -> String {
        self.scene.url_of("missing")
    }

    async fn commit(&self, branch: &str, files: &[(&str, &str)]) -> (CommitId, Timestamp) {
        self.check_out(branch);
        files.iter().for_each(|(path, text)| self.scene.write(path, text));
        let commit = self.scene.commit();
        let at = self.scene.git(&["show", "-s", "--format=%ct", commit.as_str()]);
        (commit, Timestamp::from_second(at.parse().unwrap()).unwrap())
    }

    async fn branch(&self, from: &str, new: &str) {
        self.scene.git(&["branch", new, &format!("refs/heads/{from}")]);
    }

    async fn tag(&self, tag: &str, commit: &CommitId) {
        self.scene.git(&["tag", tag, commit.as_str()]);
    }

    async fn set_default_streams(&self, branch: &str, streams: &BTreeMap<Name, Stream>) {
        let files = streams
            .iter()
            .map(|(name, stream)| (format!("{name}.yaml"), defaults(name.as_str(), &format!("'{stream}'"))));
        let files: Vec<(String, String)> = files.collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
        self.commit(branch, &files).await;
    }
}

#[tokio::test]
async fn the_contract_of_source_control_is_kept() {
    if !git_is_here() {
        return;
    }
    let kept = source_control(async || Ground { scene: Scene::new(), sources: sources() }).await.unwrap();
    assert!(kept.left_out.is_empty(), "{kept}");
}
