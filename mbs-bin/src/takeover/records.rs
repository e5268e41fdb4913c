//! From the rows of an original service to records of ours: pure. Ids, times and histories stay.

use std::collections::BTreeMap;

use mbs_core::context::Contexts;
use mbs_core::ident::{
    Arch, Batch, BuildId, CommitId, ComponentId, Name, Nsvc, Nvr, Package, Stream, TagName, TaskId, Version,
    Weight,
};
use mbs_core::model::{
    Attempt, AttemptEnd, BuildState, ComponentBuild, ComponentSource, Failure, Lifecycle, MACROS_PACKAGE,
    ModuleBuild, NewBuild, Past, RebuildStrategy, State, Transition, Verdict,
};
use mbs_core::modulemd::{ModuleStream, Xmd};
use mbs_core::store::{ComponentTransition, Restored};
use mbs_core::submission::match_srpms;

use super::dump::{BuildRow, ComponentRow, Dump};

/// A row that cannot become a record. The dump has to be mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table} {id}: {what}")]
pub struct Unusable {
    /// The table.
    table: &'static str,
    /// The row's id.
    id: i64,
    /// What is wrong.
    what: String,
}

/// Makes records of all module builds, by id.
///
/// # Errors
/// Names the first row that cannot become one.
pub fn records(dump: &Dump) -> Result<Vec<Restored>, Unusable> {
    let tables = Tables::of(dump);
    dump.module_builds.iter().map(|row| tables.restored(row)).collect()
}

/// Rows, found by what they belong to.
struct Tables<'d> {
    dump: &'d Dump,
    components: BTreeMap<i64, Vec<&'d ComponentRow>>,
    component_builds: BTreeMap<i64, i64>,
    arches: BTreeMap<i64, &'d str>,
    dist_indexes: BTreeMap<(&'d str, &'d str, &'d str, bool), i64>,
}

impl<'d> Tables<'d> {
    fn of(dump: &'d Dump) -> Self {
        let mut components: BTreeMap<i64, Vec<&ComponentRow>> = BTreeMap::new();
        for row in &dump.component_builds {
            components.entry(row.module_id).or_default().push(row);
        }
        for rows in components.values_mut() {
            rows.sort_by_key(|row| (row.batch.unwrap_or_default(), row.id));
        }
        let mut dist_indexes = BTreeMap::new();
        for row in &dump.module_builds {
            let smallest = dist_indexes.entry(family(row)).or_insert(row.id);
            *smallest = row.id.min(*smallest);
        }
        Self {
            dump,
            components,
            component_builds: dump.component_builds.iter().map(|row| (row.id, row.module_id)).collect(),
            arches: dump.module_arches.iter().map(|row| (row.id, row.name.as_str())).collect(),
            dist_indexes,
        }
    }

    fn restored(&self, row: &BuildRow) -> Result<Restored, Unusable> {
        let unusable = |what: String| Unusable { table: "module_builds", id: row.id, what };
        let mut build = self.build(row).map_err(unusable)?;
        let mut component_traces = BTreeMap::new();
        for component in self.components.get(&row.id).into_iter().flatten() {
            let unusable = |what: String| Unusable { table: "component_builds", id: component.id, what };
            build.components.push(self.component(component).map_err(unusable)?.into());
            let trace = self.component_trace(component.id)?;
            component_traces.insert(ComponentId(component.id), trace);
        }
        let bases = self.dump.module_builds_to_module_buildrequires.iter();
        let bases =
            bases.filter(|base| base.module_id == row.id).map(|base| BuildId(base.module_buildrequire_id));
        Ok(Restored {
            trace: self.trace(row)?,
            component_traces,
            log: self.log(row.id),
            bases: bases.collect(),
            build,
        })
    }

    fn build(&self, row: &BuildRow) -> Result<ModuleBuild, String> {
        let document = ModuleStream::from_stored(&row.modulemd)
            .map_err(|problems| format!("its document cannot be read: {problems}"))?;
        let scratch = row.scratch.unwrap_or_default();
        let srpms: Vec<String> = match row.srpms.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => {
                serde_json::from_str(text).map_err(|_| "its srpms are no JSON list of texts".to_owned())?
            }
            None => Vec::new(),
        };
        let commit = document.xmd.at(&["mbs", "commit"]).and_then(Xmd::spelling);
        let new = NewBuild {
            nsvc: nsvc(row)?,
            owner: row.owner.clone(),
            priority: 0,
            scratch,
            scmurl: row.scmurl.clone(),
            commit: commit.and_then(|commit| CommitId::new(commit).ok()),
            strategy: strategy(&row.rebuild_strategy)?,
            reuse_from: row.reused_module_id.map(BuildId),
            origin: None,
            contexts: Contexts {
                build: row.build_context.clone().unwrap_or_default(),
                build_without_base: row.build_context_no_bms.clone().unwrap_or_default(),
                runtime: row.runtime_context.clone().unwrap_or_default(),
            },
            srpms: matched(&document, &srpms)?,
            given_srpms: srpms.clone(),
            base_modules: self.bases(row.id)?,
            document: document.into(),
        };
        let index = self.dist_indexes.get(&family(row)).copied().unwrap_or(row.id);
        let mut build = ModuleBuild::begin(new, BuildId(row.id), BuildId(index), row.time_submitted);
        build.life = self.life(row)?;
        build.koji_tag = tag(row.koji_tag.as_deref())?;
        build.cg_tag = tag(row.cg_build_koji_tag.as_deref())?;
        build.arches = self.arches(row.id)?;
        build.batch = Batch(row.batch.unwrap_or_default());
        build.repo_task = row.new_repo_task_id.map(TaskId);
        // What has come so far in another service was imported there, or never will be.
        build.is_imported = matches!(build.state(), State::Done | State::Ready | State::Garbage);
        Ok(build)
    }

    fn life(&self, row: &BuildRow) -> Result<Lifecycle, String> {
        let state = state(row.state)?;
        let trace = self.dump.module_builds_trace.iter().filter(|step| step.module_id == row.id);
        let before = trace.filter(|step| step.state != State::Failed.number()).max_by_key(|step| step.id);
        Ok(Lifecycle::restored(Past {
            state,
            reason: row.state_reason.clone(),
            failure: (state == State::Failed).then_some(Failure::Unspec),
            settled: true,
            failed_in: before
                .and_then(|step| self::state(step.state).ok())
                .filter(|_| state == State::Failed),
            changed_at: row.time_modified,
            completed_at: row.time_completed,
        }))
    }

    fn component(&self, row: &ComponentRow) -> Result<ComponentBuild, String> {
        let package = Package::new(&row.package).map_err(|error| error.to_string())?;
        let nvr = row.nvr.as_deref().map(str::parse::<Nvr>).transpose().map_err(|error| error.to_string())?;
        let mut component = ComponentBuild::new(package, source(row)?, Batch(row.batch.unwrap_or(1)));
        component.id = Some(ComponentId(row.id));
        component.weight = row.weight.map_or(Weight::UNKNOWN, Weight::new);
        (component.buildonly, component.build_time_only) = (row.buildonly, row.build_time_only);
        (component.tagged, component.tagged_in_final) = (row.tagged, row.tagged_in_final);
        component.state = row.state.map(component_state).transpose()?;
        component.reason.clone_from(&row.state_reason);
        component.task = row.task_id.map(TaskId);
        component.verdict = self.verdict(row, nvr.as_ref());
        if component.verdict.is_none() {
            component.attempts.extend(self.attempt(row, component.state, nvr.as_ref()));
        }
        component.nvr = nvr;
        Ok(component)
    }

    /// A component is reused if it says which one it is taken from.
    fn verdict(&self, row: &ComponentRow, nvr: Option<&Nvr>) -> Option<Verdict> {
        let from = row.reused_component_id?;
        let build = BuildId(*self.component_builds.get(&from)?);
        let (nvr, task) = (nvr?.clone(), row.task_id.map(TaskId));
        Some(Verdict::Reuse { from: Some(ComponentId(from)), build, nvr, task })
    }

    /// The one try of a component that had a task.
    fn attempt(&self, row: &ComponentRow, state: Option<BuildState>, nvr: Option<&Nvr>) -> Option<Attempt> {
        let task = TaskId(row.task_id?);
        let end = match state? {
            BuildState::Building => None,
            BuildState::Complete => Some(AttemptEnd::Complete(nvr?.clone())),
            BuildState::Failed | BuildState::Deleted => Some(AttemptEnd::Failed {
                reason: row.state_reason.clone().unwrap_or_default(),
                failure: Failure::Unspec,
            }),
            BuildState::Canceled => Some(AttemptEnd::Aborted(row.state_reason.clone().unwrap_or_default())),
        };
        let steps = self.dump.component_builds_trace.iter().filter(|step| step.component_id == row.id);
        let intended_at =
            steps.filter(|step| step.task_id == row.task_id).map(|step| step.state_time).min()?;
        Some(Attempt { number: 1, intended_at, not_after: intended_at, task: Some(task), end })
    }

    fn trace(&self, row: &BuildRow) -> Result<Vec<Transition>, Unusable> {
        let mut steps: Vec<_> =
            self.dump.module_builds_trace.iter().filter(|step| step.module_id == row.id).collect();
        steps.sort_by_key(|step| (step.state_time, step.id));
        let mut from = None;
        let mut trace = Vec::with_capacity(steps.len());
        for step in steps {
            let unusable = |what| Unusable { table: "module_builds_trace", id: step.id, what };
            let to = state(step.state).map_err(unusable)?;
            trace.push(Transition { from, to, at: step.state_time, reason: step.state_reason.clone() });
            from = Some(to);
        }
        Ok(trace)
    }

    fn component_trace(&self, component: i64) -> Result<Vec<ComponentTransition>, Unusable> {
        let mut steps: Vec<_> =
            self.dump.component_builds_trace.iter().filter(|step| step.component_id == component).collect();
        steps.sort_by_key(|step| (step.state_time, step.id));
        let transition = |step: &&super::dump::ComponentTraceRow| {
            let unusable = |what| Unusable { table: "component_builds_trace", id: step.id, what };
            Ok(ComponentTransition {
                at: step.state_time,
                state: step.state.map(component_state).transpose().map_err(unusable)?,
                reason: step.state_reason.clone(),
                task: step.task_id.map(TaskId),
            })
        };
        steps.iter().map(transition).collect()
    }

    fn log(&self, build: i64) -> Vec<(Option<ComponentId>, jiff::Timestamp, String)> {
        let is_of = |line: &&super::dump::LogRow| {
            let owner =
                line.component_build_id.and_then(|component| self.component_builds.get(&component).copied());
            line.module_build_id.or(owner) == Some(build)
        };
        let mut lines: Vec<_> = self.dump.log_messages.iter().filter(is_of).collect();
        lines.sort_by_key(|line| line.id);
        let line = |line: &super::dump::LogRow| {
            (line.component_build_id.map(ComponentId), line.time_created, line.message.clone())
        };
        lines.into_iter().map(line).collect()
    }

    fn arches(&self, build: i64) -> Result<Vec<Arch>, String> {
        let related =
            self.dump.module_builds_to_arches.iter().filter(|relation| relation.module_build_id == build);
        let names = related.filter_map(|relation| self.arches.get(&relation.module_arch_id));
        let mut arches: Vec<Arch> = names
            .map(|name| Arch::new(*name).map_err(|error| error.to_string()))
            .collect::<Result<_, _>>()?;
        arches.sort();
        Ok(arches)
    }

    fn bases(&self, build: i64) -> Result<Vec<Nsvc>, String> {
        let related =
            self.dump.module_builds_to_module_buildrequires.iter().filter(|base| base.module_id == build);
        let base = |id: i64| {
            let row = self.dump.module_builds.iter().find(|row| row.id == id);
            nsvc(row.ok_or_else(|| format!("the base module build {id} is missing"))?)
        };
        related.map(|relation| base(relation.module_buildrequire_id)).collect()
    }
}

fn family(row: &BuildRow) -> (&str, &str, &str, bool) {
    (&row.name, &row.stream, &row.version, row.scratch.unwrap_or_default())
}

fn nsvc(row: &BuildRow) -> Result<Nsvc, String> {
    Ok(Nsvc {
        name: Name::new(&row.name).map_err(|error| error.to_string())?,
        stream: Stream::new(&row.stream).map_err(|error| error.to_string())?,
        version: row.version.parse::<Version>().map_err(|error| error.to_string())?,
        context: row.context.parse().map_err(|error: mbs_core::ident::InvalidIdent| error.to_string())?,
    })
}

fn tag(name: Option<&str>) -> Result<Option<TagName>, String> {
    let name = name.filter(|name| !name.is_empty());
    name.map(|name| TagName::new(name).map_err(|error| error.to_string())).transpose()
}

fn strategy(name: &str) -> Result<RebuildStrategy, String> {
    let all = [RebuildStrategy::All, RebuildStrategy::ChangedAndAfter, RebuildStrategy::OnlyChanged];
    all.into_iter().find(|one| one.name() == name).ok_or_else(|| format!("{name:?} is no rebuild strategy"))
}

fn state(number: u8) -> Result<State, String> {
    State::ALL.into_iter().find(|one| one.number() == number).ok_or_else(|| format!("{number} is no state"))
}

fn component_state(number: u8) -> Result<BuildState, String> {
    BuildState::ALL
        .into_iter()
        .find(|one| one.number() == number)
        .ok_or_else(|| format!("{number} is no state"))
}

/// Finds the packages of source RPMs; one that fits no component goes by its file's name.
fn matched(document: &ModuleStream, srpms: &[String]) -> Result<BTreeMap<Package, String>, String> {
    let mut by_package = match_srpms(document, srpms).by_package;
    for srpm in
        srpms.iter().filter(|srpm| !by_package.values().any(|known| known == *srpm)).collect::<Vec<_>>()
    {
        let file = srpm.rsplit('/').next().unwrap_or(srpm);
        let package = Package::new(file).map_err(|error| error.to_string())?;
        by_package.insert(package, srpm.clone());
    }
    Ok(by_package)
}

fn source(row: &ComponentRow) -> Result<ComponentSource, String> {
    if row.package == MACROS_PACKAGE {
        return Ok(ComponentSource::Macros);
    }
    match (&row.scmurl, &row.commit) {
        (Some(url), Some(commit)) => {
            let commit = CommitId::new(commit).map_err(|error| error.to_string())?;
            let url = url.split_once("?#").map_or(url.as_str(), |(url, _)| url).to_owned();
            Ok(ComponentSource::Git { url, commit })
        }
        (Some(path), None) => Ok(ComponentSource::Srpm(path.clone())),
        (None, _) => Err("it has no scmurl".to_owned()),
    }
}

#[cfg(test)]
mod tests;
