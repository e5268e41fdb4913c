//! I2, I3 and I4: what is submitted, and what gets into tags.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Books, Inspector, Invariant, Watched};
use crate::build_system::{ComponentJob, TagRequest};
use crate::ident::{Package, TagEvent, TagName, TaskId};
use crate::model::{AttemptEnd, ComponentBuild, MACROS_PACKAGE, ModuleBuild, Ordering};
use crate::shared::Shared;

/// What strangers did to a tag may be unknown to a look that had begun before.
const UNNOTICED: Duration = Duration::from_secs(700);

/// A second task that a late call made is cancelled within this time, once nothing is wrong any more.
const STRAY: Duration = Duration::from_secs(1_800);

impl Inspector {
    /// A backend sends a submission.
    pub(in crate::sim) fn sends(&self, job: &ComponentJob) {
        self.story.tell(Some(job.build), "", || format!("{} is sent to {}", job.package, job.target));
        if !self.checks_steps() {
            return;
        }
        let mut books = self.books();
        let Some(watched) = books.builds.get(&job.build) else { return };
        let found = [
            self.begins_too_early(&books, watched, job).map(|what| (Invariant::I3, what)),
            self.is_built_twice(&books, job).map(|what| (Invariant::I2, what)),
        ];
        for (invariant, what) in found.into_iter().flatten() {
            books.report(invariant, Some(job.build), what);
        }
    }

    /// A submission arrives, perhaps later than anybody could expect.
    pub(in crate::sim) fn arrives(&self, job: &ComponentJob, at: jiff::Timestamp) {
        let last = job.not_after.checked_add(self.policy.margin).unwrap_or(jiff::Timestamp::MAX);
        if at > last {
            self.books().late.insert((job.build, job.package.clone()));
            self.story.tell(Some(job.build), "network", || {
                format!("the submission of {} arrives beyond its margin", job.package)
            });
        }
    }

    /// A submission took effect.
    pub(in crate::sim) fn begun(&self, job: &ComponentJob, task: TaskId) {
        self.story.tell(Some(job.build), "hub", || format!("task {task} builds {}", job.package));
    }

    /// Returns the live tasks of a package in a target, or those of repositories of a tag.
    pub(in crate::sim) fn live_tasks(&self, package: Option<&Package>, place: &TagName) -> BTreeSet<TaskId> {
        let live = self.grounds.live_tasks().into_iter();
        live.filter(|task| task.package.as_ref() == package && task.place == *place)
            .map(|task| task.id)
            .collect()
    }

    /// I3: everything that a component comes after is complete, tagged and in the repository.
    fn begins_too_early(&self, books: &Books, watched: &Watched, job: &ComponentJob) -> Option<String> {
        let build = &watched.record;
        let build_tag = build.build_tag()?;
        if books.is_meddled(&build_tag) || build.koji_tag.as_ref().is_some_and(|tag| books.is_meddled(tag)) {
            return None;
        }
        let component = build.component(job.package.as_str())?;
        let tagged = self.grounds.builds_in(&build_tag);
        let shown = self.grounds.newest_repo(&build_tag).map(|repo| repo.event);
        let event = |component: &ComponentBuild| -> Option<TagEvent> {
            let nvr = component.nvr.as_ref()?;
            tagged.iter().find(|build| build.nvr == *nvr).map(|build| build.event)
        };
        let earlier = predecessors(build, component);
        let lacking = earlier.into_iter().find(|earlier| {
            !earlier.is_complete()
                || event(earlier).is_none_or(|event| shown.is_none_or(|shown| event > shown))
        })?;
        Some(format!("{} is submitted while {} is not in the repository", job.package, lacking.package))
    }

    /// I2: what lives or is built already is not submitted.
    fn is_built_twice(&self, books: &Books, job: &ComponentJob) -> Option<String> {
        if books.late.contains(&(job.build, job.package.clone())) {
            return None;
        }
        if let Some(twin) = self.live_tasks(Some(&job.package), &job.target).first() {
            return Some(format!("{} is submitted though task {twin} builds it", job.package));
        }
        let discarded =
            books.builds.get(&job.build)?.record.component(job.package.as_str())?.discarded.clone();
        let is_ours =
            |nvr: &crate::ident::Nvr| nvr.release().ends_with(&job.dist) && Some(nvr) != discarded.as_ref();
        let built = self.grounds.builds_of(&job.package).into_iter().find(is_ours)?;
        Some(format!("{} is submitted though {built} exists", job.package))
    }

    /// A backend asks for builds to be tagged. I4: the macros never go into the destination, nor what is not filtered yet.
    pub(in crate::sim) fn tags(&self, requests: &[TagRequest]) {
        if !self.checks_steps() {
            return;
        }
        let Some(owner) = requests.first().and_then(|request| self.owner_of(&request.tag)) else { return };
        self.story.tell(Some(owner), "", || {
            let names: Vec<_> = requests.iter().map(|r| format!("{} into {}", r.nvr, r.tag)).collect();
            format!("asks to tag {}", names.join(", "))
        });
        let mut books = self.books();
        let Some(watched) = books.builds.get(&owner) else { return };
        let broken = requests.iter().find_map(|request| tags_wrongly(&watched.record, request));
        if let Some(what) = broken {
            books.report(Invariant::I4, Some(owner), what);
        }
    }

    /// I2, I4 and I6: how things really stand, whenever they changed.
    pub(in crate::sim) fn check_grounds(&self) {
        if !self.checks_steps() {
            return;
        }
        let generation = self.grounds.generation();
        let mut books = self.books();
        if books.seen_generation == generation && !books.is_stale {
            return;
        }
        (books.seen_generation, books.is_stale) = (generation, false);
        let mut live: BTreeMap<(Package, TagName), Vec<TaskId>> = BTreeMap::new();
        for task in self.grounds.live_tasks() {
            if let Some(package) = task.package {
                live.entry((package, task.place)).or_default().push(task.id);
            }
        }
        let mut found = Vec::new();
        for watched in books.builds.values() {
            let target = watched.record.koji_tag.as_ref();
            let mine = live.iter().filter(|((_, place), _)| Some(place) == target);
            for ((package, _), tasks) in mine {
                found.extend(books.misplaced(watched, package, tasks));
            }
            found.extend(self.strangers_in_destination(watched));
        }
        for (invariant, build, what) in found {
            books.report(invariant, Some(build), what);
        }
    }

    /// I4: says what is in the destination tag and serves the build only.
    fn strangers_in_destination(
        &self,
        watched: &Watched,
    ) -> Option<(Invariant, crate::ident::BuildId, String)> {
        let tag = watched.record.koji_tag.as_ref()?;
        let is_stranger = |package: &Package| {
            let component = watched.record.component(package.as_str());
            package.as_str() == MACROS_PACKAGE || component.is_some_and(|component| component.build_time_only)
        };
        let stranger = self.grounds.builds_in(tag).into_iter().find(|build| is_stranger(&build.package))?;
        Some((Invariant::I4, watched.record.id, format!("{} is in the destination tag {tag}", stranger.nvr)))
    }
}

impl Books {
    /// Says what is wrong with the live tasks of one component.
    fn misplaced(
        &self,
        watched: &Watched,
        package: &Package,
        tasks: &[TaskId],
    ) -> Option<(Invariant, crate::ident::BuildId, String)> {
        let id = watched.record.id;
        let is_excused =
            self.late.contains(&(id, package.clone())) && self.now.saturating_sub(self.last_harm) < STRAY;
        if is_excused {
            return None;
        }
        let list = || tasks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        if tasks.len() > 1 {
            return Some((Invariant::I2, id, format!("{package} is built by tasks {}", list())));
        }
        let life = &watched.record.life;
        if life.state() == crate::model::State::Failed && life.is_settled() {
            let what = format!("it is settled, and task {} still builds {package}", list());
            return Some((Invariant::I6, id, what));
        }
        // One that nobody recorded yet is that of an attempt in doubt.
        let counts = |component: &ComponentBuild| {
            component
                .live_attempt()
                .is_some_and(|attempt| attempt.task.is_none_or(|task| tasks.contains(&task)))
        };
        if !watched.record.component(package.as_str()).is_some_and(counts) {
            let what = format!("task {} builds {package}, and no slot is held for it", list());
            return Some((Invariant::I2, id, what));
        }
        None
    }

    pub(super) fn is_meddled(&self, tag: &TagName) -> bool {
        self.meddled.get(tag).is_some_and(|at| self.now.saturating_sub(*at) < UNNOTICED)
    }
}

/// Returns what a component comes after.
fn predecessors<'b>(build: &'b ModuleBuild, component: &'b ComponentBuild) -> Vec<&'b ComponentBuild> {
    let is_before = |other: &&Shared<ComponentBuild>| match build.ordering {
        Ordering::Graph if other.batch.0 > 1 => component.after.contains(&other.package),
        Ordering::Graph | Ordering::Batches => other.batch < component.batch,
    };
    build.components.iter().filter(is_before).map(|c| &**c).collect()
}

fn tags_wrongly(build: &ModuleBuild, request: &TagRequest) -> Option<String> {
    let component = build.component(request.package.as_str())?;
    let is_final = build.koji_tag.as_ref() == Some(&request.tag);
    if (component.is_macros() || component.build_time_only) && is_final {
        return Some(format!("{} is to be tagged into the destination {}", request.nvr, request.tag));
    }
    let is_own = component.attempts.last().is_some_and(|a| matches!(a.end, Some(AttemptEnd::Complete(_))));
    if component.buildonly && is_own && !component.is_filtered {
        return Some(format!("{} is build-only and tagged before its RPMs are filtered", request.nvr));
    }
    None
}
