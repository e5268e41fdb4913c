//! The core's types of a build system as JSON. They have none of their own; these follow them field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use mbs_core::build_system::{
    AskedRepo, BuildAnswers, BuildQuestions, BuildSystemError, ComponentJob, Effect, FinishedModule, Found,
    FoundBuild, RepoSeen, Search, TagRequest, TaggedBuild, TaskFailure, TaskSeen, TaskState,
};
use mbs_core::bus::Hint;
use mbs_core::ident::{Arch, BuildId, Nevra, Nvr, Package, RepoId, TagEvent, TagName, TaskId, Weight};
use mbs_core::macros::MacrosPackage;
use mbs_core::model::{ComponentSource, ModuleBuild};
use serde::{Deserialize, Serialize};

/// Declares how a struct of the core is written, and a type around it for where it stands inside another.
macro_rules! written {
    ($as:literal $real:ident, $with:literal $def:ident, $around:ident { $($(#[$how:meta])? $field:ident: $type:ty,)* }) => {
        #[derive(Serialize, Deserialize)]
        #[serde(remote = $as)]
        struct $def { $($(#[$how])? $field: $type,)* }

        #[derive(Debug, Serialize, Deserialize)]
        pub(super) struct $around(#[serde(with = $with)] pub(super) $real);
    };
}

written!("BuildQuestions" BuildQuestions, "QuestionsDef" QuestionsDef, BareQuestions {
    tasks: BTreeSet<TaskId>,
    tags: BTreeSet<TagName>,
    repo_of: Option<TagName>,
    // The hub gives each repository's task at once.
    #[serde(skip)] repo_asked: Option<AskedRepo>,
    #[serde(skip)] search: Option<Search>,
    failures: BTreeSet<TaskId>,
    rpms_of_builds: BTreeSet<Nvr>,
    tag_arches: BTreeSet<TagName>,
    tag_rpms: BTreeSet<TagName>,
    arches: BTreeSet<Arch>,
    weights: BTreeSet<Package>,
});
written!("Search" Search, "SearchDef" SearchDef, Sought {
    packages: BTreeMap<Package, TagName>,
    module_target: TagName,
    tags: Vec<TagName>,
    dist_suffix: String,
});
written!("BuildAnswers" BuildAnswers, "AnswersDef" AnswersDef, BareAnswers {
    #[serde(skip)] tasks: Option<BTreeMap<TaskId, Option<TaskSeen>>>,
    #[serde(skip)] tags: Option<BTreeMap<TagName, Option<Vec<TaggedBuild>>>>,
    #[serde(skip)] repo: Option<Option<RepoSeen>>,
    repo_tries: Option<BTreeSet<TaskId>>,
    #[serde(skip)] search: Option<Found>,
    #[serde(skip)] failures: Option<BTreeMap<TaskId, TaskFailure>>,
    rpms_of_builds: Option<BTreeMap<Nvr, Vec<Nevra>>>,
    tag_arches: Option<BTreeMap<TagName, Option<Vec<Arch>>>>,
    tag_rpms: Option<BTreeMap<TagName, Vec<Nevra>>>,
    weights: Option<BTreeMap<Package, Weight>>,
});
written!("TaskSeen" TaskSeen, "TaskSeenDef" TaskSeenDef, Task { state: TaskState, builds: Vec<Nvr>, });
written!("TaggedBuild" TaggedBuild, "TaggedBuildDef" TaggedBuildDef, Tagged {
    package: Package,
    nvr: Nvr,
    task: Option<TaskId>,
    event: TagEvent,
});
written!("RepoSeen" RepoSeen, "RepoSeenDef" RepoSeenDef, Repo { id: RepoId, event: TagEvent, });
written!("FoundBuild" FoundBuild, "FoundBuildDef" FoundBuildDef, Left {
    package: Package,
    nvr: Nvr,
    task: Option<TaskId>,
    tag: Option<TagName>,
});
written!("TaskFailure" TaskFailure, "TaskFailureDef" TaskFailureDef, Failed { reason: String, is_package_fault: bool, });
written!("ComponentJob" ComponentJob, "JobDef" JobDef, BareJob {
    build: BuildId,
    package: Package,
    source: ComponentSource,
    target: TagName,
    module_target: TagName,
    build_tag: Option<TagName>,
    dist: String,
    #[serde(skip)] macros: Option<MacrosPackage>,
    arch_override: Vec<Arch>,
    not_after: Timestamp,
});
written!("MacrosPackage" MacrosPackage, "MacrosDef" MacrosDef, Macros { spec: String, macros: String, });
written!("TagRequest" TagRequest, "TagRequestDef" TagRequestDef, Tagging { tag: TagName, package: Package, nvr: Nvr, });
written!("FinishedModule" FinishedModule, "ModuleDef" ModuleDef, Finished { build: Box<ModuleBuild>, log: Vec<String>, });

#[derive(Serialize, Deserialize)]
#[serde(remote = "BuildSystemError")]
enum ErrorDef {
    NotFound {
        what: String,
    },
    BuildsGone {
        builds: Vec<Nvr>,
    },
    Conflict {
        what: String,
    },
    Denied {
        what: String,
    },
    Rejected {
        reason: String,
    },
    Unavailable {
        reason: String,
        retry_after: Option<Duration>,
        effect: Effect,
    },
    /// The hub can do everything that is asked of it.
    Unsupported {
        #[serde(skip)]
        what: &'static str,
    },
    Protocol {
        what: String,
        effect: Effect,
    },
}

/// Why the hub refuses.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal(#[serde(with = "ErrorDef")] pub(super) BuildSystemError);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Hint")]
enum HintDef {
    Build(BuildId),
    Tag(TagName),
    Task(TaskId),
    Everything,
}

/// A hint.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct News(#[serde(with = "HintDef")] pub(super) Hint);

/// What the hub is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Questions {
    others: BareQuestions,
    search: Option<Sought>,
}

/// What the hub answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answers {
    tasks: Option<BTreeMap<TaskId, Option<Task>>>,
    tags: Option<BTreeMap<TagName, Option<Vec<Tagged>>>>,
    /// One place, for JSON knows nothing within nothing.
    repo: Option<[Option<Repo>; 1]>,
    search: Option<Findings>,
    failures: Option<BTreeMap<TaskId, Failed>>,
    others: BareAnswers,
}

#[derive(Debug, Serialize, Deserialize)]
struct Findings {
    live: Vec<(Package, TaskId)>,
    builds: Vec<Left>,
    is_final: bool,
}

/// What the hub is to build.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    others: BareJob,
    macros: Option<Macros>,
}

impl From<&BuildQuestions> for Questions {
    fn from(asked: &BuildQuestions) -> Self {
        Self { others: BareQuestions(asked.clone()), search: asked.search.clone().map(Sought) }
    }
}

impl From<Questions> for BuildQuestions {
    fn from(Questions { others, search }: Questions) -> Self {
        Self { search: search.map(|search| search.0), ..others.0 }
    }
}

impl From<&ComponentJob> for Job {
    fn from(job: &ComponentJob) -> Self {
        Self { others: BareJob(job.clone()), macros: job.macros.clone().map(Macros) }
    }
}

impl From<Job> for ComponentJob {
    fn from(Job { others, macros }: Job) -> Self {
        Self { macros: macros.map(|macros| macros.0), ..others.0 }
    }
}

impl From<BuildAnswers> for Answers {
    fn from(mut answers: BuildAnswers) -> Self {
        let tagged = |builds: Vec<TaggedBuild>| builds.into_iter().map(Tagged).collect();
        Self {
            tasks: each(answers.tasks.take(), |seen| seen.map(Task)),
            tags: each(answers.tags.take(), |builds| builds.map(tagged)),
            repo: answers.repo.take().map(|newest| [newest.map(Repo)]),
            search: answers.search.take().map(|Found { live, builds, is_final }| Findings {
                live,
                builds: builds.into_iter().map(Left).collect(),
                is_final,
            }),
            failures: each(answers.failures.take(), Failed),
            others: BareAnswers(answers),
        }
    }
}

impl From<Answers> for BuildAnswers {
    fn from(Answers { tasks, tags, repo, search, failures, others }: Answers) -> Self {
        let tagged = |builds: Vec<Tagged>| builds.into_iter().map(|tagged| tagged.0).collect();
        Self {
            tasks: each(tasks, |seen| seen.map(|seen| seen.0)),
            tags: each(tags, |builds| builds.map(tagged)),
            repo: repo.map(|[newest]| newest.map(|repo| repo.0)),
            search: search.map(|Findings { live, builds, is_final }| Found {
                live,
                builds: builds.into_iter().map(|left| left.0).collect(),
                is_final,
            }),
            failures: each(failures, |failed| failed.0),
            ..others.0
        }
    }
}

fn each<K: Ord, V, W>(map: Option<BTreeMap<K, V>>, turn: impl Fn(V) -> W) -> Option<BTreeMap<K, W>> {
    map.map(|map| map.into_iter().map(|(key, value)| (key, turn(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_and_nothing_there_stay_apart() {
        let (tag, task): (TagName, _) = ("module-a".parse().unwrap(), TaskId(7));
        let answers = BuildAnswers {
            tasks: Some([(task, None)].into()),
            tags: Some([(tag, None)].into()),
            repo: Some(None),
            failures: Some(BTreeMap::new()),
            ..BuildAnswers::default()
        };
        for answers in [answers, BuildAnswers::default()] {
            let text = serde_json::to_string(&Answers::from(answers.clone())).unwrap();
            assert_eq!(
                BuildAnswers::from(serde_json::from_str::<Answers>(&text).unwrap()),
                answers,
                "{text}"
            );
        }
    }
}
