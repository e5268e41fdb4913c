//! What the build system in memory says when it is observed.

use std::collections::{BTreeMap, BTreeSet};

use super::plant::{Plant, Task};
use super::rejected;
use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystemError, Found, FoundBuild, Search, TaskFailure, TaskSeen,
    TaskState,
};
use crate::ident::{Arch, Nevra, Nvr, Package, TagName, TaskId};

impl Plant {
    /// Answers every part that was asked.
    pub(super) fn answer(&self, questions: &BuildQuestions) -> BuildAnswers {
        BuildAnswers {
            tasks: per(&questions.tasks, |task| Some(self.tasks.get(task).map(seen))),
            tags: per(&questions.tags, |tag| Some(self.tags.get(tag).map(|tag| tag.builds.clone()))),
            repo: questions.repo_of.as_ref().map(|tag| self.tags.get(tag).and_then(|tag| tag.repo)),
            repo_tries: None,
            search: questions.search.as_ref().map(|search| self.search(search)),
            failures: per(&questions.failures, |task| self.failure(*task)),
            rpms_of_builds: per(&questions.rpms_of_builds, |nvr| Some(self.builds.get(nvr)?.rpms.clone())),
            tag_arches: per(&questions.tag_arches, |tag| Some(self.arches(tag))),
            tag_rpms: per(&questions.tag_rpms, |tag| self.rpms_of_tag(tag, &questions.arches)),
            weights: per(&questions.weights, |package| self.weights.get(package).copied()),
        }
    }

    fn search(&self, search: &Search) -> Found {
        let mut live = Vec::new();
        for (package, target) in &search.packages {
            let twins =
                self.live_in(target).filter(|(_, task)| task.builds(package, target, &search.dist_suffix));
            live.extend(twins.map(|(id, _)| (package.clone(), id)));
        }
        live.sort_by_key(|(_, id)| *id);
        let builds = search.packages.keys().filter_map(|package| self.find_build(search, package)).collect();
        Found { live, builds, is_final: self.search_is_final }
    }

    /// Finds the newest build of a package in the first of the tags that has one, else the newest with our dist tag.
    fn find_build(&self, search: &Search, package: &Package) -> Option<FoundBuild> {
        for tag in &search.tags {
            if let Some(build) = self.newest_in(tag, package) {
                let (nvr, tag) = (build.nvr.clone(), Some(tag.clone()));
                return Some(FoundBuild { package: package.clone(), nvr, task: build.task, tag });
            }
        }
        let is_ours = |nvr: &Nvr| nvr.release().ends_with(&search.dist_suffix);
        let ours = self.builds_of(package).filter(|(nvr, _)| is_ours(nvr));
        let (nvr, built) = ours.max_by_key(|(_, built)| built.made)?;
        Some(FoundBuild { package: package.clone(), nvr: nvr.clone(), task: built.task, tag: None })
    }

    fn failure(&self, id: TaskId) -> Option<TaskFailure> {
        let task = self.tasks.get(&id).filter(|task| task.state == TaskState::Failed)?;
        task.failure.clone()
    }

    fn arches(&self, tag: &TagName) -> Option<Vec<Arch>> {
        self.tags.get(tag).map(|tag| tag.view.arches.clone()).filter(|arches| !arches.is_empty())
    }

    /// Returns the RPMs of a tag for some architectures, of any architecture and source ones included.
    fn rpms_of_tag(&self, tag: &TagName, arches: &BTreeSet<Arch>) -> Option<Vec<Nevra>> {
        self.tags.get(tag)?;
        let built = self.latest_builds(tag).into_values().filter_map(|build| self.builds.get(&build.nvr));
        let external = self.external_rpms.get(tag).into_iter().flatten();
        let rpms = built.flat_map(|built| &built.rpms).chain(external);
        let counts =
            |rpm: &&Nevra| arches.contains(&rpm.arch) || matches!(rpm.arch.as_str(), "noarch" | "src");
        Some(rpms.filter(counts).cloned().collect())
    }

    pub(super) fn tags_of_rpm(&self, file_name: &str) -> Result<Vec<TagName>, BuildSystemError> {
        let is_named = |rpm: &Nevra| {
            file_name == format!("{}-{}-{}.{}.rpm", rpm.name, rpm.version, rpm.release, rpm.arch)
        };
        if !file_name.ends_with(".rpm") || file_name.contains('/') {
            return Err(rejected(format!("{file_name:?} is no file name of an RPM")));
        }
        let owner = self.builds.iter().find(|(_, built)| built.rpms.iter().any(is_named));
        let Some((nvr, _)) = owner else { return Ok(Vec::new()) };
        let holding = self.tags.iter().filter(|(_, tag)| tag.builds.iter().any(|build| build.nvr == *nvr));
        Ok(holding.map(|(name, _)| name.clone()).collect())
    }
}

fn seen(task: &Task) -> TaskSeen {
    TaskSeen { state: task.state, builds: task.built.iter().cloned().collect() }
}

/// Answers a part per thing asked; `None` if nothing was asked.
fn per<K: Ord + Clone, V>(asked: &BTreeSet<K>, answer: impl Fn(&K) -> Option<V>) -> Option<BTreeMap<K, V>> {
    let answers = asked.iter().filter_map(|key| Some((key.clone(), answer(key)?)));
    (!asked.is_empty()).then(|| answers.collect())
}
