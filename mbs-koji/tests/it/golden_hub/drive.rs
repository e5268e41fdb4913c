//! What the recorded hub did by itself between calls: its builders, its scheduler. It is done when an answer shows it.

use std::collections::BTreeSet;

use mbs_core::ident::TaskId;
use mbs_koji::fake_hub::{Recipe, Stage};
use mbs_koji::xmlrpc::{Call, Fault, FaultCode, Struct, Value};

use super::kinds::{self, Kind};
use super::script::Step;
use super::world::World;

pub(super) const OPEN: i64 = 1;
const CLOSED: i64 = 2;
const CANCELED: i64 = 3;
const FAILED: i64 = 5;

pub(super) fn number(row: &Struct, name: &str) -> Option<i64> {
    row.member(name).and_then(Value::as_int)
}

impl World {
    /// Lets builders do what the answer to a step shows done.
    pub(super) fn drive(&mut self, step: &Step, exchange: usize) {
        let rows: Vec<Struct> = step.rows().into_iter().cloned().collect();
        self.end_tagging(step, exchange);
        for row in &rows {
            match kinds::shape(row) {
                Some(Kind::Task) => self.bring_task(row, &rows, exchange),
                Some(Kind::Build) => self.bring_build(row, exchange),
                Some(Kind::Repo) => self.bring_repo(row, exchange),
                Some(Kind::Request) => self.serve(row),
                _ => {}
            }
        }
        if let ("cancelBuild", Ok(Value::Bool(true)), Some(Value::Int(build))) =
            (step.method(), &step.answer, step.argument(0, "buildID"))
        {
            self.find_build(*build, exchange);
        }
        if let ("getTaskResult", Some(Value::Int(task)), true) =
            (step.method(), step.argument(0, "taskId"), step.answer.is_ok())
        {
            self.finish(*task, exchange);
        }
    }

    fn is_own(&self, task: i64) -> bool {
        self.tasks.contains_key(&task)
    }

    fn our_task(&self, task: i64) -> TaskId {
        TaskId(self.book.ours(Kind::Task, task))
    }

    fn bring_task(&mut self, row: &Struct, rows: &[Struct], exchange: usize) {
        let (Some(id), Some(state)) = (number(row, "id"), number(row, "state")) else { return };
        if let Some(parent) = number(row, "parent").filter(|parent| self.is_own(*parent)) {
            return self.bring_parent(parent, rows, exchange);
        }
        if !self.is_own(id) {
            return;
        }
        match state {
            OPEN => self.open(id, row.member("waiting") == Some(&true.into()), exchange),
            CLOSED => self.finish(id, exchange),
            CANCELED => self.hub.cancel_by_stranger(self.our_task(id)),
            FAILED => self.fail(id, exchange),
            _ => {}
        }
    }

    /// Brings a task to where its children are.
    fn bring_parent(&mut self, parent: i64, rows: &[Struct], exchange: usize) {
        let children: Vec<&Struct> =
            rows.iter().filter(|row| number(row, "parent") == Some(parent)).collect();
        let is = |row: &Struct, method: &str| row.member("method") == Some(&method.into());
        let has = |method: &str| children.iter().any(|row| is(row, method));
        let mut arches = children.iter().filter(|row| is(row, "buildArch"));
        if has("buildArch") && arches.all(|row| number(row, "state") == Some(CLOSED)) {
            return self.finish(parent, exchange);
        }
        if children.iter().any(|row| number(row, "state") == Some(FAILED)) {
            return self.fail(parent, exchange);
        }
        let stage = match (has("buildArch"), has("buildSRPMFromSCM") || has("rebuildSRPM")) {
            (true, _) => Stage::Arches,
            (false, true) => Stage::Source,
            (false, false) => Stage::Waiting,
        };
        self.advance(parent, stage, exchange);
    }

    fn bring_build(&mut self, row: &Struct, exchange: usize) {
        let (Some(task), Some(state)) = (number(row, "task_id"), number(row, "state")) else { return };
        if !self.is_own(task) {
            return;
        }
        match state {
            0 => self.advance(task, Stage::Arches, exchange),
            1 => self.finish(task, exchange),
            3 => self.fail(task, exchange),
            _ => {}
        }
    }

    fn bring_repo(&mut self, row: &Struct, exchange: usize) {
        let Some(task) = number(row, "task_id").filter(|task| self.is_own(*task)) else { return };
        match number(row, "state") {
            Some(0) => self.advance(task, Stage::Waiting, exchange),
            _ => self.finish(task, exchange),
        }
    }

    /// Lets the scheduler serve a repository request.
    fn serve(&mut self, row: &Struct) {
        let Some(task) = number(row, "task_id") else { return };
        if !self.is_own(task) {
            self.hub.serve_requests();
            let newest = self.hub.live_tasks().into_iter().map(|task| task.id.0).max();
            if let Some(ours) = newest {
                self.book.pair(Kind::Task, task, ours);
                self.tasks.insert(task, Call::new("newRepo"));
            }
        }
        if number(row, "repo_id").is_some() {
            self.finish(task, usize::MAX);
        }
    }

    fn open(&mut self, task: i64, is_waiting: bool, exchange: usize) {
        let stage = match (is_waiting, self.waits_for_repo(task, exchange)) {
            (false, _) => Stage::Open,
            (true, true) => Stage::Waiting,
            (true, false) => Stage::Source,
        };
        self.advance(task, stage, exchange);
    }

    /// Says whether children that are shown later hold one that waits for a repository.
    fn waits_for_repo(&self, task: i64, exchange: usize) -> bool {
        let mut later = self.script.rows_from(exchange.min(self.script.exchanges.len()));
        later.any(|row| {
            number(row, "parent") == Some(task) && row.member("method") == Some(&"waitrepo".into())
        })
    }

    fn shows_children(&self, task: i64, exchange: usize) -> bool {
        let mut later = self.script.rows_from(exchange.min(self.script.exchanges.len()));
        later.any(|row| number(row, "parent") == Some(task))
    }

    fn advance(&mut self, task: i64, stage: Stage, exchange: usize) {
        self.prepare(task, exchange);
        // It may have gone further already.
        drop(self.hub.advance(self.our_task(task), stage));
    }

    pub(super) fn finish(&mut self, task: i64, exchange: usize) {
        if !self.is_own(task) || !self.learn(format!("finished {task}")) {
            return;
        }
        self.prepare(task, exchange);
        let ours = self.our_task(task);
        if self.tasks.get(&task).is_some_and(|call| call.method() == "newRepo") {
            // The recorded one began after it was made.
            drop(self.hub.advance(ours, Stage::Waiting));
        }
        // A recorded call may have ended it. Anything else shows in the answers.
        if let Err(error) = self.hub.finish(ours)
            && !error.to_string().contains("has ended")
        {
            self.fail(task, exchange);
        }
    }

    fn fail(&mut self, task: i64, exchange: usize) {
        let later: Vec<&Struct> = self.script.rows_from(0).collect();
        let has_build = later
            .iter()
            .any(|row| kinds::shape(row) == Some(Kind::Build) && number(row, "task_id") == Some(task));
        let has_source = later
            .iter()
            .any(|row| number(row, "parent") == Some(task) && row.member("label") == Some(&"srpm".into()));
        match (has_build, has_source) {
            (true, _) => self.advance(task, Stage::Arches, exchange),
            (false, true) => self.advance(task, Stage::Source, exchange),
            (false, false) => {}
        }
        let fault = self.script.results.get(&task).and_then(|result| result.clone().err());
        let usual = || Fault::new(FaultCode::BuildError, "it failed");
        // It may have been failed by an earlier row.
        drop(self.hub.fail_with(self.our_task(task), fault.unwrap_or_else(usual)));
    }

    /// Tells the builder what comes out of a build, as far as the recording shows it, and makes the repository it used.
    fn prepare(&mut self, task: i64, exchange: usize) {
        let Some(call) = self.tasks.get(&task).filter(|call| call.method() == "build").cloned() else {
            return;
        };
        if !self.learn(format!("prepared {task}")) {
            return;
        }
        let source = call.arguments().first().and_then(Value::as_str).unwrap_or_default();
        let package = package_of(source);
        self.hub.set_recipe(&package, self.recipe(task, &package));
        let target = self
            .ask(&Call::new("getBuildTarget").arg(call.arguments().get(1).cloned().unwrap_or(Value::Nil)));
        let Some(tag) = target.member("build_tag_name").and_then(Value::as_str) else { return };
        self.learn_arches(tag, task);
        if self.shows_children(task, exchange) && !self.waits_for_repo(task, exchange) {
            self.hub.plant_repo(tag);
        }
    }

    /// Gives a build tag of which nothing is told the architectures that builds in it show.
    fn learn_arches(&self, tag: &str, task: i64) {
        let config = self.ask(&Call::new("getBuildConfig").arg(tag));
        if config.member("arches").and_then(Value::as_str).is_some_and(|arches| !arches.is_empty()) {
            return;
        }
        let children = self.script.rows_from(0).filter(|row| number(row, "parent") == Some(task));
        let arches = children.filter(|row| row.member("method") == Some(&"buildArch".into()));
        let labels = arches.filter_map(|row| row.member("label").and_then(Value::as_str));
        let labels: BTreeSet<&str> = labels.filter(|label| *label != "noarch").collect();
        let shown: Vec<&str> = labels.into_iter().collect();
        self.hub.plant_tag(tag, if shown.is_empty() { &["x86_64"] } else { &shown });
    }

    fn recipe(&self, task: i64, package: &str) -> Recipe {
        let mut recipe = Recipe::of(package);
        let rows: Vec<&Struct> = self.script.rows_from(0).collect();
        let text = |row: &Struct, name: &str| {
            row.member(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let build = rows
            .iter()
            .find(|row| kinds::shape(row) == Some(Kind::Build) && number(row, "task_id") == Some(task));
        if let Some(build) = build {
            recipe.version = text(build, "version");
            recipe.release = text(build, "release");
        }
        let build = build.and_then(|build| number(build, "build_id").or(number(build, "id")));
        let rpms = rows
            .iter()
            .filter(|row| kinds::shape(row) == Some(Kind::Rpm) && number(row, "build_id") == build);
        let names = |of_noarch: bool| -> Vec<String> {
            let mut seen = BTreeSet::new();
            let fits = rpms.clone().filter(|row| {
                let arch = text(row, "arch");
                arch != "src" && (arch == "noarch") == of_noarch
            });
            fits.map(|row| text(row, "name")).filter(|name| seen.insert(name.clone())).collect()
        };
        let is_shown = rpms.clone().next().is_some() && build.is_some();
        let has_noarch_task =
            rows.iter().any(|row| number(row, "parent") == Some(task) && text(row, "label") == "noarch");
        if is_shown {
            (recipe.rpms, recipe.noarch_rpms) = (names(false), names(true));
        } else if has_noarch_task {
            recipe = Recipe { rpms: Vec::new(), noarch_rpms: vec![package.to_owned()], ..recipe };
        }
        recipe
    }

    /// Finds which build of ours a recorded one is that no row shows: the one of the newest live task.
    fn find_build(&mut self, build: i64, exchange: usize) {
        if self.knows(&format!("Build {build}")) {
            return;
        }
        let builds = self.tasks.iter().filter(|(_, call)| call.method() == "build");
        let Some(task) = builds.map(|(task, _)| *task).max() else { return };
        self.advance(task, Stage::Arches, exchange);
        let rows = self.ask(&Call::new("listBuilds").keyword("taskID", self.our_task(task).0));
        let ours = rows.as_array().and_then(<[Value]>::first).and_then(|row| row.member("build_id"));
        if let Some(Value::Int(ours)) = ours {
            self.book.pair(Kind::Build, build, *ours);
            self.learn(format!("Build {build}"));
        }
    }
}

fn package_of(source: &str) -> String {
    let place = source.split(['?', '#']).next().unwrap_or(source);
    let last = place.rsplit('/').next().unwrap_or(place);
    match last.strip_suffix(".src.rpm") {
        Some(nvr) => nvr.rsplitn(3, '-').nth(2).unwrap_or(nvr).to_owned(),
        None => last.to_owned(),
    }
}
