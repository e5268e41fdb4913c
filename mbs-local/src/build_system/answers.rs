//! What the build system says when it is observed.
//!
//! Reads the ledger only; nothing is asked of programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, Found, FoundBuild, RepoSeen, Search, TaskFailure, TaskSeen,
};
use mbs_core::ident::{Arch, Nevra, Nvr, Package, RepoId, TagEvent, TagName, TaskId};

use super::LocalSettings;
use super::ledger::{Ledger, Task};
use super::record::TaskEnd;
use crate::error::LocalError;
use crate::headers::RpmHeader;
use crate::repo;

/// Answers every part that was asked. Weights are not known here.
pub(super) fn answer(
    ledger: &Ledger,
    settings: &LocalSettings,
    questions: &BuildQuestions,
) -> Result<BuildAnswers, LocalError> {
    let view = View { ledger, settings };
    Ok(BuildAnswers {
        tasks: per(&questions.tasks, |task| Some(view.task(*task))),
        tags: per(&questions.tags, |tag| {
            Some(ledger.tags.get(tag).map(|tag| tag.builds.iter().map(|tagged| tagged.seen()).collect()))
        }),
        repo: questions.repo_of.as_ref().map(|tag| view.repo(tag)).transpose()?,
        repo_tries: None,
        search: questions.search.as_ref().map(|search| view.search(search)),
        failures: per(&questions.failures, |task| view.failure(*task)),
        rpms_of_builds: per(&questions.rpms_of_builds, |nvr| view.rpms_of_build(nvr)),
        tag_arches: per(&questions.tag_arches, |tag| Some(view.arches(tag))),
        tag_rpms: view.rpms_of_tags(&questions.tag_rpms, &questions.arches)?,
        weights: per(&questions.weights, |_| None),
    })
}

struct View<'a> {
    ledger: &'a Ledger,
    settings: &'a LocalSettings,
}

impl View<'_> {
    /// `None` for a lost task: nothing will come of it.
    fn task(&self, id: TaskId) -> Option<TaskSeen> {
        let task = self.ledger.tasks.get(&id)?;
        let builds = match &task.end {
            Some(TaskEnd::Closed { nvr, .. }) => vec![nvr.clone()],
            _ => Vec::new(),
        };
        Some(TaskSeen { state: task.state()?, builds })
    }

    fn repo(&self, tag: &TagName) -> Result<Option<RepoSeen>, LocalError> {
        let newest = repo::newest(&self.ledger.repo_directory(tag))?;
        Ok(newest.map(|repo| RepoSeen { id: RepoId(repo.event), event: TagEvent(repo.event) }))
    }

    /// Always final: calls are carried out under the ledger's lock, and nobody else has the directory.
    fn search(&self, search: &Search) -> Found {
        let is_live = |task: &Task| {
            task.end.is_none() && search.packages.get(&task.record.package) == Some(&task.record.target)
        };
        let live = self.ledger.tasks.iter().filter(|(_, task)| is_live(task));
        Found {
            live: live.map(|(id, task)| (task.record.package.clone(), *id)).collect(),
            builds: search.packages.keys().filter_map(|package| self.find_build(search, package)).collect(),
            is_final: true,
        }
    }

    /// The newest build of a package in the first of the tags that has one, else the newest with our dist tag.
    fn find_build(&self, search: &Search, package: &Package) -> Option<FoundBuild> {
        for tag in &search.tags {
            let builds = self.ledger.tags.get(tag).map(|tag| &tag.builds[..]).unwrap_or_default();
            if let Some(build) = builds.iter().rev().find(|build| build.package == *package) {
                let (nvr, task) = (build.nvr.clone(), Some(build.task));
                return Some(FoundBuild { package: package.clone(), nvr, task, tag: Some(tag.clone()) });
            }
        }
        let ours = self.ledger.builds.iter().filter(|(nvr, id)| {
            let built = self.ledger.tasks.get(id).map(|task| &task.record);
            let is_target = built.is_some_and(|task| {
                search.packages.get(package) == Some(&task.target) && task.package == *package
            });
            is_target && nvr.release().ends_with(&search.dist_suffix)
        });
        let (nvr, task) = ours.max_by_key(|(_, id)| **id)?;
        Some(FoundBuild { package: package.clone(), nvr: nvr.clone(), task: Some(*task), tag: None })
    }

    fn failure(&self, id: TaskId) -> Option<TaskFailure> {
        match &self.ledger.tasks.get(&id)?.end {
            Some(TaskEnd::Failed { reason, is_package_fault }) => {
                Some(TaskFailure { reason: reason.clone(), is_package_fault: *is_package_fault })
            }
            _ => None,
        }
    }

    fn rpms_of_build(&self, nvr: &Nvr) -> Option<Vec<Nevra>> {
        let task = self.ledger.tasks.get(self.ledger.builds.get(nvr)?)?;
        Some(task.rpms().iter().map(|rpm| rpm.nevra.clone()).collect())
    }

    fn arches(&self, tag: &TagName) -> Option<Vec<Arch>> {
        self.ledger.tags.get(tag).map(|tag| tag.arches.clone()).filter(|arches| !arches.is_empty())
    }

    fn rpms_of_tags(
        &self,
        asked: &BTreeSet<TagName>,
        arches: &BTreeSet<Arch>,
    ) -> Result<Option<BTreeMap<TagName, Vec<Nevra>>>, LocalError> {
        let counts =
            |rpm: &Nevra| arches.contains(&rpm.arch) || matches!(rpm.arch.as_str(), "noarch" | "src");
        let mut answers = BTreeMap::new();
        for tag in asked {
            let Some(mut rpms) = self.rpms_of_tag(tag)? else { continue };
            rpms.retain(counts);
            answers.insert(tag.clone(), rpms);
        }
        Ok((!asked.is_empty()).then_some(answers))
    }

    /// Inherited ones included; of a package that is in several tags, those of the first.
    fn rpms_of_tag(&self, asked: &TagName) -> Result<Option<Vec<Nevra>>, LocalError> {
        if !self.ledger.tags.contains_key(asked) && !self.settings.known.contains_key(asked) {
            return Ok(None);
        }
        let mut packages: BTreeSet<String> = BTreeSet::new();
        let mut rpms = Vec::new();
        for name in self.ledger.with_inherited(asked) {
            let mut here: Vec<OfPackage> = Vec::new();
            if let Some(tag) = self.ledger.tags.get(&name) {
                let builds = self.ledger.latest(tag);
                here.extend(builds.map(|build| (build.package.to_string(), self.rpms_of_build(&build.nvr))));
            } else if let Some(directory) = self.settings.known.get(&name) {
                here.extend(rpms_by_package(directory)?);
            }
            here.retain(|(package, _)| !packages.contains(package));
            for (package, of_build) in here {
                packages.insert(package);
                rpms.extend(of_build.unwrap_or_default());
            }
        }
        Ok(Some(rpms))
    }
}

/// A source package and the RPMs of its build; `None`: the build is not known.
type OfPackage = (String, Option<Vec<Nevra>>);

fn rpms_by_package(directory: &Path) -> Result<Vec<OfPackage>, LocalError> {
    let mut found: BTreeMap<String, Vec<Nevra>> = BTreeMap::new();
    for path in repo::rpms_of_directory(directory)? {
        let header = RpmHeader::read(&path)?;
        let package =
            header.build_nvr().map_or_else(|| header.nevra.name.clone(), |nvr| nvr.name().to_owned());
        found.entry(package).or_default().push(header.nevra);
    }
    Ok(found.into_iter().map(|(package, rpms)| (package, Some(rpms))).collect())
}

/// Answers a part per thing asked; `None` if nothing was asked.
fn per<K: Ord + Clone, V>(asked: &BTreeSet<K>, answer: impl Fn(&K) -> Option<V>) -> Option<BTreeMap<K, V>> {
    let answers = asked.iter().filter_map(|key| Some((key.clone(), answer(key)?)));
    (!asked.is_empty()).then(|| answers.collect())
}
