//! A backend's line to the build system.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::network::{Begun, Network};
use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, Effect,
    FinishedModule, TagRequest,
};
use crate::clock::Clock;
use crate::ident::{Package, TagEvent, TagName, TaskId};
use crate::memory::Call;
use crate::sim::cast;
use crate::sim::fault::{FaultKind, RepoFault};
use crate::sim::inspector::Inspector;

/// Carries a backend's calls over the network, and tells the inspector what was sent and what arrived.
#[derive(Debug, Clone)]
pub(in crate::sim) struct HubWire {
    pub(in crate::sim) network: Arc<Network>,
    pub(in crate::sim) system: Arc<dyn BuildSystem>,
    pub(in crate::sim) inspector: Arc<Inspector>,
}

#[async_trait]
impl BuildSystem for HubWire {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        let (system, questions) = (Arc::clone(&self.system), questions.clone());
        let way = self.network.way(Call::Observe);
        self.network.carry(way, async move { system.observe(&questions).await }).await
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        let (system, spec) = (Arc::clone(&self.system), spec.clone());
        let way = self.network.way(Call::EnsureBuildroot);
        self.network.carry(way, async move { system.ensure_buildroot(&spec).await }).await
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        self.inspector.sends(job);
        let way = self.network.way(Call::Submit);
        let (wire, job, lease) = (self.clone(), job.clone(), self.inspector.lease_on(job.build));
        let arriving = async move {
            if wire.inspector.lease_on(job.build) != lease {
                wire.network.count(FaultKind::EffectAfterLease);
            }
            wire.arrive(&job).await
        };
        self.network.carry(way, arriving).await
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.inspector.tags(requests);
        let (wire, requests) = (self.clone(), requests.to_vec());
        let way = self.network.way(Call::EnsureTagged);
        self.network.carry(way, async move { wire.tag(requests).await }).await
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        let (system, requests) = (Arc::clone(&self.system), requests.to_vec());
        let way = self.network.way(Call::EnsureUntagged);
        self.network.carry(way, async move { system.ensure_untagged(&requests).await }).await
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        let (wire, tag) = (self.clone(), tag.clone());
        let way = self.network.way(Call::RequestRepo);
        self.network.carry(way, async move { wire.make_repo(&tag).await }).await
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        let (system, tasks) = (Arc::clone(&self.system), tasks.to_vec());
        let way = self.network.way(Call::Cancel);
        self.network.carry(way, async move { system.cancel(&tasks).await }).await
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        let (system, module) = (Arc::clone(&self.system), module.clone());
        let way = self.network.way(Call::ImportModule);
        self.network.carry(way, async move { system.import_module(&module).await }).await
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        let (system, target) = (Arc::clone(&self.system), target.clone());
        let way = self.network.way(Call::RemoveTarget);
        self.network.carry(way, async move { system.remove_target(&target).await }).await
    }
}

impl HubWire {
    async fn arrive(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        let now = cast::start().checked_add(self.network.clock.reading()).unwrap_or(job.not_after);
        self.inspector.arrives(job, now);
        let package = Some(&job.package);
        let before = self.inspector.live_tasks(package, &job.target);
        let submitted = self.system.submit(job).await;
        for task in self.began(&submitted, &before, package, &job.target) {
            let (package, place) = (package.cloned(), job.target.clone());
            self.network.note_begun(Begun { task, package, place, repo_fault: None });
            self.inspector.begun(job, task);
        }
        submitted
    }

    /// Returns what a call has begun, which a build system of its own mind may have done without saying so.
    fn began(
        &self,
        answer: &Result<TaskId, BuildSystemError>,
        before: &BTreeSet<TaskId>,
        package: Option<&Package>,
        place: &TagName,
    ) -> Vec<TaskId> {
        match answer {
            Ok(task) => vec![*task],
            Err(error) if error.effect() == Effect::None => Vec::new(),
            Err(_) => self.inspector.live_tasks(package, place).difference(before).copied().collect(),
        }
    }

    /// Tags at once what can be tagged at all; the build system does it a little later.
    async fn tag(&self, requests: Vec<TagRequest>) -> Result<(), BuildSystemError> {
        let most = self.network.timing.tagging;
        let delay = self.network.chance.between(
            Duration::ZERO,
            most,
            ("tagging", &requests[..].len(), self.network.calls()),
        );
        if delay < most / 4 {
            return self.system.ensure_tagged(&requests).await;
        }
        let wire = self.clone();
        self.network.send(async move {
            wire.network.sleep(delay).await;
            // Nobody hears of what goes wrong; it is seen missing.
            drop(wire.system.ensure_tagged(&requests).await);
        });
        Ok(())
    }

    async fn make_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        let repo_fault = self.network.next_repo_fault();
        if repo_fault == Some(RepoFault::Never) {
            self.network.count(FaultKind::RepoNever);
            return Ok(None);
        }
        let before = self.inspector.live_tasks(None, tag);
        let requested = self.system.request_repo(tag).await;
        let answer = match &requested {
            Ok(Some(task)) => Ok(*task),
            Ok(None) => Err(unsaid()),
            Err(error) => Err(error.clone()),
        };
        for task in self.began(&answer, &before, None, tag) {
            self.network.note_begun(Begun { task, package: None, place: tag.clone(), repo_fault });
        }
        requested
    }
}

/// What an answer without a task amounts to: there may be one.
fn unsaid() -> BuildSystemError {
    let reason = "it does not say which task".to_owned();
    BuildSystemError::Unavailable { reason, retry_after: None, effect: Effect::Unknown }
}
