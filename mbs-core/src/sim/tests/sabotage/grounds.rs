//! Build systems that are wrong on purpose.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, FinishedModule,
    RepoSeen, TagRequest, TaggedBuild, TaskFailure,
};
use crate::bus::Hint;
use crate::ident::{Nvr, Package, TagEvent, TagName, TaskId, Weight};
use crate::memory::{MemoryBuildSystem, TaskSummary};
use crate::model::MACROS_PACKAGE;
use crate::sim::{Grounds, cast};

/// What is wrong with a build system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// Its searches find nothing, and it is sure of that.
    FindsNothing,
    /// It makes two tasks of one submission.
    BeginsTwice,
    /// It says that a repository shows everything, from the one of this number on.
    ShowsEverythingFrom(i64),
    /// It forgets to put builds into destination tags, and says they are there.
    TagsHalf,
    /// It puts macros into destination tags, too.
    TagsMacrosEverywhere,
}

/// A build system in memory, with a defect.
#[derive(Debug)]
struct Bent {
    memory: MemoryBuildSystem,
    defect: Defect,
    /// What it forgot to tag.
    forgotten: Mutex<Vec<TagRequest>>,
}

/// Makes a build system with a defect.
pub(super) fn with(defect: Defect) -> Arc<dyn Grounds> {
    let memory = MemoryBuildSystem::new();
    memory.permit_twins();
    memory.add_tag(&cast::base_tag(), &["x86_64".parse().unwrap()]);
    Arc::new(Bent { memory, defect, forgotten: Mutex::default() })
}

impl Bent {
    fn bend(&self, answers: &mut BuildAnswers) {
        match self.defect {
            Defect::FindsNothing => {
                if let Some(found) = &mut answers.search {
                    (found.live, found.builds, found.is_final) = (Vec::new(), Vec::new(), true);
                }
            }
            Defect::ShowsEverythingFrom(first) => {
                if let Some(Some(RepoSeen { id, event })) = &mut answers.repo
                    && id.0 >= first
                {
                    *event = TagEvent(i64::MAX);
                }
            }
            Defect::TagsHalf => {
                let seen = |TagRequest { package, nvr, .. }: &TagRequest| {
                    let (package, nvr) = (package.clone(), nvr.clone());
                    TaggedBuild { package, nvr, task: None, event: TagEvent(1) }
                };
                for request in self.forgotten.lock().unwrap().iter() {
                    let tag = answers.tags.as_mut().and_then(|tags| tags.get_mut(&request.tag)?.as_mut());
                    tag.into_iter().for_each(|builds| builds.push(seen(request)));
                }
            }
            Defect::BeginsTwice | Defect::TagsMacrosEverywhere => {}
        }
    }
}

fn is_destination(tag: &TagName) -> bool {
    !tag.as_str().ends_with("-build")
}

#[async_trait]
impl BuildSystem for Bent {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        let mut answers = self.memory.observe(questions).await?;
        self.bend(&mut answers);
        Ok(answers)
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        self.memory.ensure_buildroot(spec).await
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        if self.defect == Defect::BeginsTwice {
            self.memory.submit(job).await?;
        }
        self.memory.submit(job).await
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        let mut requests = requests.to_vec();
        if self.defect == Defect::TagsHalf {
            let (forgotten, kept) = requests.into_iter().partition(|request| is_destination(&request.tag));
            self.forgotten.lock().unwrap().extend::<Vec<_>>(forgotten);
            requests = kept;
        }
        self.memory.ensure_tagged(&requests).await?;
        if self.defect == Defect::TagsMacrosEverywhere {
            for TagRequest { tag, package, nvr } in
                requests.iter().filter(|r| r.package.as_str() == MACROS_PACKAGE)
            {
                let destination = TagName::new(tag.as_str().trim_end_matches("-build")).unwrap();
                self.memory.put_in_tag(&destination, package, nvr)?;
            }
        }
        Ok(())
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.memory.ensure_untagged(requests).await
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        self.memory.request_repo(tag).await
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        self.memory.cancel(tasks).await
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.memory.import_module(module).await
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.memory.remove_target(target).await
    }
}

/// Forwards what a world does and sees to memory.
macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*) $(-> $answer:ty)?;)*) => {
        impl Grounds for Bent {
            $(fn $method(&self $(, $argument: $type)*) $(-> $answer)? {
                Grounds::$method(&self.memory $(, $argument)*)
            })*
        }
    };
}

forward! {
    set_weight(package: &Package, weight: Weight);
    finish(task: TaskId) -> Result<(), BuildSystemError>;
    fail(task: TaskId, failure: TaskFailure) -> Result<(), BuildSystemError>;
    cancel_by_stranger(task: TaskId);
    forget_task(task: TaskId);
    remove_tag(tag: &TagName);
    take_out(tag: &TagName, nvr: &Nvr);
    delete_build(nvr: &Nvr);
    live_tasks() -> Vec<TaskSummary>;
    builds_in(tag: &TagName) -> Vec<TaggedBuild>;
    newest_repo(tag: &TagName) -> Option<RepoSeen>;
    builds_of(package: &Package) -> Vec<Nvr>;
    tags() -> Vec<TagName>;
    take_hints() -> Vec<Hint>;
    generation() -> u64;
}
