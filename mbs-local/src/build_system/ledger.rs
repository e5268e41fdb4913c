//! What the build system knows, in memory and on disk: every change is written before it is known.
//!
//! Holds the rules of tags and tasks; starts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mbs_core::build_system::{BuildSystemError, BuildrootSpec, Effect, TagRequest, TaskState};
use mbs_core::ident::{Nvr, Package, TagEvent, TagName, TaskId};
use tokio::sync::watch;

use super::record::{self, RpmRecord, TagRecord, Tagged, TargetRecord, TaskEnd, TaskRecord};
use super::refusal;
use crate::error::{AtPath as _, LocalError};
use crate::files::{ensure_directory, remove_directory, sync_directory};
use crate::leftovers::remove_leftovers;
use crate::repo;
use crate::supervise::wait_until_over;

/// How long processes of an earlier program may take to die; the kernel kills them with it, so this is only patience.
const DYING: Duration = Duration::from_secs(30);

/// A repository to make: below which directory, of which event, of which RPMs.
pub(super) type RepoWanted = (PathBuf, TagEvent, Vec<PathBuf>);

/// All that is known.
#[derive(Debug)]
pub(super) struct Ledger {
    directory: PathBuf,
    pub(super) tags: BTreeMap<TagName, TagRecord>,
    pub(super) targets: BTreeMap<TagName, TargetRecord>,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    /// The task that made each build.
    pub(super) builds: BTreeMap<Nvr, TaskId>,
    last_event: i64,
}

/// A task and what became of it.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) record: TaskRecord,
    /// `None` while it runs.
    pub(super) end: Option<TaskEnd>,
    /// Tells it to stop; closed once it has ended.
    pub(super) stop: Arc<watch::Sender<bool>>,
}

impl Task {
    pub(super) fn state(&self) -> Option<TaskState> {
        match &self.end {
            None => Some(TaskState::Open),
            Some(TaskEnd::Closed { .. }) => Some(TaskState::Closed),
            Some(TaskEnd::Failed { .. }) => Some(TaskState::Failed),
            Some(TaskEnd::Canceled) => Some(TaskState::Canceled),
            Some(TaskEnd::Lost) => None,
        }
    }

    /// The RPMs of a build that went well; empty otherwise.
    pub(super) fn rpms(&self) -> &[RpmRecord] {
        match &self.end {
            Some(TaskEnd::Closed { rpms, .. }) => rpms,
            _ => &[],
        }
    }
}

impl Ledger {
    /// Reads the directory. Tasks without a result become lost, once their last process is seen gone.
    pub(super) async fn open(directory: &Path) -> Result<Self, LocalError> {
        for name in ["tags", "targets", "tasks", "repos"] {
            ensure_directory(&directory.join(name))?;
        }
        for name in ["tags", "targets"] {
            remove_leftovers(&directory.join(name))?;
        }
        let mut ledger = Self {
            directory: directory.to_path_buf(),
            tags: record::read_named(&directory.join("tags"))?.into_iter().collect(),
            targets: record::read_named(&directory.join("targets"))?.into_iter().collect(),
            tasks: BTreeMap::new(),
            builds: BTreeMap::new(),
            last_event: 0,
        };
        for id in task_ids(&directory.join("tasks"))? {
            ledger.open_task(id).await?;
        }
        ledger.last_event = ledger.newest_event()?;
        Ok(ledger)
    }

    async fn open_task(&mut self, id: TaskId) -> Result<(), LocalError> {
        let directory = self.task_directory(id);
        remove_leftovers(&directory)?;
        let Some(task) = record::read::<TaskRecord>(&directory.join("task.json"))? else {
            // It was not taken yet when the program ended.
            return remove_directory(&directory);
        };
        let end = match record::read(&directory.join("result.json"))? {
            Some(end) => end,
            None => lose(&directory).await?,
        };
        self.add(id, Task { record: task, end: Some(end), stop: Arc::new(watch::Sender::new(false)) });
        Ok(())
    }

    fn add(&mut self, id: TaskId, task: Task) {
        if let Some(TaskEnd::Closed { nvr, .. }) = &task.end {
            self.builds.entry(nvr.clone()).or_insert(id);
        }
        self.tasks.insert(id, task);
    }

    fn newest_event(&self) -> Result<i64, LocalError> {
        let mut newest = 0;
        for (name, tag) in &self.tags {
            let repo = repo::newest(&self.repo_directory(name))?.map_or(0, |repo| repo.event);
            newest = newest.max(tag.changed).max(repo);
        }
        Ok(newest)
    }

    pub(super) fn task_directory(&self, id: TaskId) -> PathBuf {
        self.directory.join("tasks").join(id.to_string())
    }

    pub(super) fn repo_directory(&self, tag: &TagName) -> PathBuf {
        self.directory.join("repos").join(tag.as_str())
    }

    /// Writes a new task; the receiver is what tells it to stop.
    pub(super) fn begin(
        &mut self,
        record: TaskRecord,
    ) -> Result<(TaskId, watch::Receiver<bool>), BuildSystemError> {
        self.check_new_task(&record)?;
        let id = TaskId(self.tasks.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        let written = self.write_task(id, &record);
        written.map_err(|error| refusal(&error, Effect::None))?;
        let (stop, told) = watch::channel(false);
        self.add(id, Task { record, end: None, stop: Arc::new(stop) });
        Ok((id, told))
    }

    fn check_new_task(&self, new: &TaskRecord) -> Result<(), BuildSystemError> {
        let target = self.targets.get(&new.target).ok_or_else(|| missing("the target", &new.target))?;
        if target.build_tag != new.build_tag {
            let what =
                format!("the target {} builds from {}, not {}", new.target, target.build_tag, new.build_tag);
            return Err(BuildSystemError::Conflict { what });
        }
        let is_twin = |task: &Task| {
            task.end.is_none() && task.record.package == new.package && task.record.target == new.target
        };
        match self.tasks.iter().find(|(_, task)| is_twin(task)) {
            Some((id, _)) => {
                Err(BuildSystemError::Conflict { what: format!("task {id} builds {} already", new.package) })
            }
            None => Ok(()),
        }
    }

    fn write_task(&self, id: TaskId, record: &TaskRecord) -> Result<(), LocalError> {
        let directory = self.task_directory(id);
        ensure_directory(&directory)?;
        record::write(&directory.join("task.json"), record)?;
        sync_directory(&self.directory.join("tasks"))
    }

    /// Notes how a task ended. A build that cannot be written did not succeed, for a later program would not know it.
    pub(super) fn end(&mut self, id: TaskId, end: TaskEnd) {
        let end = self.unless_taken(id, end);
        let written = record::write(&self.task_directory(id).join("result.json"), &end);
        let end = match (written, end) {
            (Err(error), TaskEnd::Closed { .. }) => {
                TaskEnd::Failed { reason: error.to_string(), is_package_fault: false }
            }
            (_, end) => end,
        };
        if let TaskEnd::Closed { nvr, .. } = &end {
            self.builds.entry(nvr.clone()).or_insert(id);
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.end = Some(end);
        }
    }

    /// Fails a build whose name another target's build has already: one name means the same files everywhere.
    ///
    /// The same target may build it again: a program that was killed may not know that the first task ended well.
    fn unless_taken(&self, id: TaskId, end: TaskEnd) -> TaskEnd {
        let TaskEnd::Closed { nvr, .. } = &end else { return end };
        let target_of = |id: &TaskId| self.tasks.get(id).map(|task| &task.record.target);
        let Some(other) = self.builds.get(nvr) else { return end };
        match target_of(other) {
            Some(target) if Some(target) != target_of(&id) => {
                let reason = format!(
                    "task {other} built {nvr} for {target} already; the Release must end in %{{?dist}}, or change"
                );
                TaskEnd::Failed { reason, is_package_fault: true }
            }
            _ => end,
        }
    }

    /// Repositories do not depend on groups, so one that shows the tag's builds shows the buildroot.
    pub(super) fn ensure_buildroot(&mut self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        let target = TargetRecord { tag: spec.tag.clone(), build_tag: spec.build_tag.clone() };
        match self.targets.get(&spec.target) {
            Some(other) if *other != target => {
                let what = format!(
                    "the target {} exists with the tags {} and {}",
                    spec.target, other.build_tag, other.tag
                );
                return Err(BuildSystemError::Conflict { what });
            }
            _ => {}
        }
        let keep = |error| refusal(&error, Effect::Unknown);
        let destination = TagRecord { arches: spec.arches.clone(), ..self.tag_or_new(&spec.tag) };
        self.write_tag(&spec.tag, with_packages(destination, &spec.packages)).map_err(keep)?;
        let build = TagRecord {
            arches: spec.arches.clone(),
            build_group: spec.build_group.clone(),
            inherits: spec.inherits.clone(),
            ..self.tag_or_new(&spec.build_tag)
        };
        self.write_tag(&spec.build_tag, with_packages(build, &spec.packages)).map_err(keep)?;
        let path = self.directory.join("targets").join(format!("{}.json", spec.target));
        record::write(&path, &target).map_err(keep)?;
        self.targets.insert(spec.target.clone(), target);
        Ok(TagEvent(self.tag_or_new(&spec.build_tag).changed))
    }

    fn tag_or_new(&self, name: &TagName) -> TagRecord {
        self.tags.get(name).cloned().unwrap_or_default()
    }

    fn write_tag(&mut self, name: &TagName, tag: TagRecord) -> Result<(), LocalError> {
        if self.tags.get(name) != Some(&tag) {
            record::write(&self.directory.join("tags").join(format!("{name}.json")), &tag)?;
            self.last_event = self.last_event.max(tag.changed);
            self.tags.insert(name.clone(), tag);
        }
        Ok(())
    }

    /// Puts builds into tags; all that do not exist are named.
    pub(super) fn tag_all(&mut self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        let (known, gone): (Vec<_>, Vec<_>) =
            requests.iter().partition(|request| self.builds.contains_key(&request.nvr));
        known.into_iter().try_for_each(|request| self.tag(request))?;
        let builds: BTreeSet<Nvr> = gone.into_iter().map(|request| request.nvr.clone()).collect();
        if builds.is_empty() {
            Ok(())
        } else {
            Err(BuildSystemError::BuildsGone { builds: builds.into_iter().collect() })
        }
    }

    /// Puts a build into a tag; one that is there stays as it is.
    fn tag(&mut self, request: &TagRequest) -> Result<(), BuildSystemError> {
        let mut tag = self.tags.get(&request.tag).cloned().ok_or_else(|| missing("the tag", &request.tag))?;
        let task = *self.builds.get(&request.nvr).ok_or_else(|| missing("the build", &request.nvr))?;
        if request.nvr.name() != request.package.as_str() {
            let reason = format!("{} is no build of {}", request.nvr, request.package);
            return Err(BuildSystemError::Rejected { reason });
        }
        if tag.builds.iter().any(|tagged| tagged.nvr == request.nvr) {
            return Ok(());
        }
        if !tag.packages.contains(&request.package) {
            let reason = format!("{} is no package of the tag {}", request.package, request.tag);
            return Err(BuildSystemError::Rejected { reason });
        }
        let event = self.last_event + 1;
        let (package, nvr) = (request.package.clone(), request.nvr.clone());
        tag.builds.push(Tagged { package, nvr, task, event });
        tag.changed = event;
        self.write_tag(&request.tag, tag).map_err(|error| refusal(&error, Effect::Unknown))
    }

    /// Takes a build out of a tag; one that is not there is fine.
    pub(super) fn untag(&mut self, request: &TagRequest) -> Result<(), BuildSystemError> {
        let Some(mut tag) = self.tags.get(&request.tag).cloned() else { return Ok(()) };
        let before = tag.builds.len();
        tag.builds.retain(|tagged| tagged.nvr != request.nvr);
        if tag.builds.len() == before {
            return Ok(());
        }
        tag.changed = self.last_event + 1;
        self.write_tag(&request.tag, tag).map_err(|error| refusal(&error, Effect::Unknown))
    }

    pub(super) fn remove_target(&mut self, target: &TagName) -> Result<(), BuildSystemError> {
        let path = self.directory.join("targets").join(format!("{target}.json"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(refusal(&LocalError::of_file(&path, error), Effect::Unknown))
            }
            _ => {
                self.targets.remove(target);
                Ok(())
            }
        }
    }

    /// What the next repository of a tag shows; `None` if the newest shows it already.
    pub(super) fn repo_wanted(&self, name: &TagName) -> Result<Option<RepoWanted>, BuildSystemError> {
        let tag = self.tags.get(name).ok_or_else(|| missing("the tag", name))?;
        let place = self.repo_directory(name);
        let newest = repo::newest(&place).map_err(|error| refusal(&error, Effect::None))?;
        if newest.is_some_and(|newest| newest.event >= tag.changed) {
            return Ok(None);
        }
        let rpms = self.latest(tag).flat_map(|tagged| self.files_of(&tagged.nvr)).collect();
        Ok(Some((place, TagEvent(self.last_event), rpms)))
    }

    /// The newest build of each package, in the order of tagging.
    pub(super) fn latest<'a>(&self, tag: &'a TagRecord) -> impl Iterator<Item = &'a Tagged> + use<'a> {
        let newest: BTreeMap<&Package, i64> =
            tag.builds.iter().map(|tagged| (&tagged.package, tagged.event)).collect();
        tag.builds.iter().filter(move |tagged| newest.get(&tagged.package) == Some(&tagged.event))
    }

    /// Paths of the RPMs of a build, source RPM first; empty for one that is not known.
    pub(super) fn files_of(&self, nvr: &Nvr) -> Vec<PathBuf> {
        let Some(id) = self.builds.get(nvr) else { return Vec::new() };
        let results = self.task_directory(*id).join("results");
        let rpms = self.tasks.get(id).map(Task::rpms).unwrap_or_default();
        rpms.iter().map(|rpm| results.join(&rpm.file)).collect()
    }

    /// A tag and all that it inherits, each once, the most important first; unknown ones included.
    pub(super) fn with_inherited(&self, tag: &TagName) -> Vec<TagName> {
        let mut found: Vec<TagName> = Vec::new();
        let mut open = vec![tag.clone()];
        while let Some(next) = open.pop() {
            if !found.contains(&next) {
                let inherits = self.tags.get(&next).map(|tag| tag.inherits.clone()).unwrap_or_default();
                open.extend(inherits.into_iter().rev());
                found.push(next);
            }
        }
        found
    }

    pub(super) fn tags_of_rpm(&self, file_name: &str) -> Vec<TagName> {
        let holds = |task: &Task| task.rpms().iter().any(|rpm| rpm.file == file_name);
        let owner = self.builds.iter().find(|(_, id)| self.tasks.get(id).is_some_and(holds));
        let Some((nvr, _)) = owner else { return Vec::new() };
        let holding = self.tags.iter().filter(|(_, tag)| tag.builds.iter().any(|tagged| tagged.nvr == *nvr));
        holding.map(|(name, _)| name.clone()).collect()
    }
}

pub(super) fn missing(kind: &str, name: &dyn std::fmt::Display) -> BuildSystemError {
    BuildSystemError::NotFound { what: format!("{kind} {name}") }
}

fn with_packages(mut tag: TagRecord, packages: &[Package]) -> TagRecord {
    tag.packages.extend(packages.iter().cloned());
    tag
}

/// Makes sure that nothing of a task lives, and writes that it is lost.
async fn lose(directory: &Path) -> Result<TaskEnd, LocalError> {
    let over = tokio::time::timeout(DYING, wait_until_over(&directory.join("lock"))).await;
    over.map_err(|_| {
        let alive = std::io::Error::other("its processes are still alive; end them first");
        LocalError::of_file(directory, alive)
    })??;
    remove_directory(&directory.join("build"))?;
    remove_directory(&directory.join("results"))?;
    record::write(&directory.join("result.json"), &TaskEnd::Lost)?;
    Ok(TaskEnd::Lost)
}

fn task_ids(directory: &Path) -> Result<Vec<TaskId>, LocalError> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(directory).at(directory)? {
        let name = entry.at(directory)?.file_name();
        ids.extend(name.to_str().and_then(|name| name.parse().ok()).map(TaskId));
    }
    ids.sort();
    Ok(ids)
}
