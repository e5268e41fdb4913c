//! The work of one build task, step by step: repository, source RPM, architectures, tag.

use std::sync::Arc;

use super::source::{self, Identity, option};
use super::{Recipe, Scripts, Stage, arches, live};
use crate::fake_hub::checksum;
use crate::fake_hub::python::is_true;
use crate::fake_hub::state::{
    Id, NewBuild, NewTask, Rpm, State, Target, Task, build_state, refuse, repo_state, task_state,
};
use crate::xmlrpc::{Fault, FaultCode, Struct, Value};

/// What a build task is about.
pub(super) struct Work {
    task: Task,
    source: String,
    target: Target,
    identity: Identity,
    recipe: Recipe,
    arches: Vec<String>,
}

impl Work {
    /// Looks at what a build task asks for.
    pub(super) fn of(state: &State, scripts: &Scripts, id: Id) -> Result<Self, Fault> {
        let task = live(state, id)?.clone();
        let text = |at: usize| task.request.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (source, name) = (text(0), text(1));
        let target = state.target(&name).ok_or_else(|| refuse(format!("unknown build target: {name}")))?;
        let (identity, recipe) = source::identity(state, scripts, &source, target.build_tag)?;
        let arches = arches::of_tag(state, target.build_tag);
        if arches.is_empty() {
            let (name, id) = (state.tag_name(target.build_tag), target.build_tag);
            return Err(Fault::new(FaultCode::BuildError, format!("No arches for tag {name} [{id}]")));
        }
        Ok(Self { task, source, target, identity, recipe, arches })
    }

    fn is(&self, name: &str) -> bool {
        is_true(option(&self.task, name))
    }

    /// Brings the task to a stage; what it has passed stays.
    pub(super) fn advance(&self, state: &mut State, stage: Stage) -> Result<(), Fault> {
        if stage >= Stage::Waiting {
            self.wait_for_repo(state);
        }
        if stage >= Stage::Source {
            let repo = self.repo(state).and_then(|repo| state.repo_row(repo, true)).unwrap_or_default();
            self.end_children(state, "waitrepo", &repo.into());
            self.begin_source(state);
        }
        if stage >= Stage::Arches {
            self.end_children(state, self.source_method(), &self.source_result());
            self.begin_build(state)?;
        }
        Ok(())
    }

    /// Ends the task well.
    pub(super) fn finish(&self, state: &mut State) -> Result<(), Fault> {
        self.advance(state, Stage::Arches)?;
        for child in self.children(state, "buildArch") {
            let arch = state.tasks.get(&child).and_then(|child| child.label.clone()).unwrap_or_default();
            state.open_task(child);
            state.end_task(child, Ok(self.arch_result(child, &arch)));
        }
        if let Some(build) = self.build(state) {
            self.import(state, build);
            state.end_build(build, build_state::COMPLETE);
            self.tag(state, build)?;
        }
        state.end_task(self.task.id, Ok(Value::Nil));
        Ok(())
    }

    fn children(&self, state: &State, method: &str) -> Vec<Id> {
        let children = state.children_of(self.task.id).iter();
        let tasks = children.filter_map(|child| state.tasks.get(child));
        tasks.filter(|task| &*task.method == method).map(|task| task.id).collect()
    }

    fn add_child(&self, state: &mut State, child: NewTask) {
        let is_there = self.children(state, child.method).iter().any(|known| {
            state.tasks.get(known).is_some_and(|known| known.label.as_deref() == child.label.as_deref())
        });
        if is_there {
            return;
        }
        let child = state.make_task(NewTask { parent: Some(self.task.id), ..child });
        state.open_task(child);
        state.change_task(self.task.id, |task| task.waiting = Some(true));
    }

    fn end_children(&self, state: &mut State, method: &str, result: &Value) {
        for child in self.children(state, method) {
            if state.tasks.get(&child).is_some_and(|child| task_state::is_live(child.state)) {
                state.end_task(child, Ok(result.clone()));
            }
        }
    }

    fn repo(&self, state: &State) -> Option<Id> {
        state.newest_repo(self.target.build_tag, repo_state::READY, |_| true)
    }

    fn wait_for_repo(&self, state: &mut State) {
        let last_change = state.last_tag_change(self.target.build_tag);
        let tag = self.target.build_tag;
        let fits = state.newest_repo(tag, repo_state::READY, |repo| Some(repo.event) >= last_change);
        if fits.is_some() && !self.is("wait_repo") {
            return;
        }
        let name = state.tag_name(self.target.build_tag);
        let event: Value = state.last_tag_change(self.target.build_tag).into();
        let request = vec![Value::from(&*name), Value::Nil, Value::Array(Vec::new()), event];
        self.add_child(state, NewTask { method: "waitrepo", request, ..NewTask::default() });
    }

    fn source_method(&self) -> &'static str {
        if source::is_upload(&self.source) { "rebuildSRPM" } else { "buildSRPMFromSCM" }
    }

    fn begin_source(&self, state: &mut State) {
        let options = Struct::from([
            ("repo_id", Value::from(self.repo(state))),
            ("scratch", option(&self.task, "scratch").clone()),
        ]);
        let request = vec![Value::from(&self.source), self.target.build_tag.into(), options.into()];
        let (method, label) = (self.source_method(), Some("srpm".to_owned()));
        self.add_child(state, NewTask { method, request, label, ..NewTask::default() });
    }

    fn source_file(&self) -> String {
        let Identity { name, version, release, .. } = &self.identity;
        format!("{name}-{version}-{release}.src.rpm")
    }

    fn source_result(&self) -> Value {
        let path = format!("tasks/{0}/{0}/{1}", self.task.id, self.source_file());
        Struct::from([("srpm", Value::from(path)), ("logs", Value::Array(Vec::new()))]).into()
    }

    fn begin_build(&self, state: &mut State) -> Result<(), Fault> {
        if !self.is("scratch") && self.build(state).is_none() {
            self.assert_listed(state)?;
            state.begin_next();
            let shown = match source::is_upload(&self.source) {
                true => self.source_file(),
                false => self.source.clone(),
            };
            let original = Struct::from([("original_url", Value::from(&shown))]);
            let build = state.begin_build(NewBuild {
                name: self.identity.name.clone(),
                version: self.identity.version.clone(),
                release: self.identity.release.clone(),
                epoch: self.identity.epoch,
                task: Some(self.task.id),
                owner: self.task.owner,
                source: Some(shown),
                extra: Some(Struct::from([("source", original)]).into()),
            })?;
            state.change_build(build, |build| {
                build.types.insert("rpm".into(), Value::Nil);
            });
        }
        let path = format!("tasks/{0}/{0}/{1}", self.task.id, self.source_file());
        for (at, arch) in self.built_arches().into_iter().enumerate() {
            let options = Struct::from([("repo_id", Value::from(self.repo(state)))]);
            let keeps_source = at == 0;
            let request = vec![
                Value::from(&path),
                self.target.build_tag.into(),
                Value::from(&arch),
                keeps_source.into(),
                options.into(),
            ];
            let (label, weight) = (Some(arch.clone()), Some(1.5));
            let child = NewTask {
                method: "buildArch",
                request,
                label,
                arch: Some(arch),
                weight,
                ..NewTask::default()
            };
            self.add_child(state, child);
        }
        Ok(())
    }

    fn built_arches(&self) -> Vec<String> {
        if self.recipe.rpms.is_empty() { vec!["noarch".into()] } else { self.arches.clone() }
    }

    fn assert_listed(&self, state: &State) -> Result<(), Fault> {
        if self.is("skip_tag") {
            return Ok(());
        }
        let tag = self.target.destination;
        let package = state.packages.id(&self.identity.name);
        let entry = package.and_then(|package| state.package_entry(tag, package, None));
        let (name, tag) = (&self.identity.name, state.tag_name(tag));
        let text = match entry {
            None => format!("package {name} not in list for tag {tag}"),
            Some(entry) if entry.listed.is_blocked => format!("package {name} is blocked for tag {tag}"),
            Some(_) => return Ok(()),
        };
        Err(Fault::new(FaultCode::BuildError, text))
    }

    fn build(&self, state: &State) -> Option<Id> {
        let builds = state.builds_of_task(self.task.id).into_iter();
        builds.max().filter(|_| !self.is("scratch"))
    }

    fn arch_result(&self, child: Id, arch: &str) -> Value {
        let Identity { version, release, .. } = &self.identity;
        let path = |file: String| Value::from(format!("tasks/{child}/{child}/{file}"));
        let rpms = self.rpms_of(arch);
        let files = rpms.iter().map(|(name, arch)| path(format!("{name}-{version}-{release}.{arch}.rpm")));
        let sources: Value = [path(self.source_file())].into();
        Struct::from([
            ("rpms", files.collect()),
            ("srpms", sources),
            ("logs", [path("build.log".into())].into()),
            ("brootid", child.into()),
        ])
        .into()
    }

    fn rpms_of(&self, arch: &str) -> Vec<(String, String)> {
        let is_first = self.built_arches().first().is_some_and(|first| first == arch);
        let own =
            self.recipe.rpms.iter().filter(|_| arch != "noarch").map(|name| (name.clone(), arch.to_owned()));
        let shared = self.recipe.noarch_rpms.iter().filter(|_| is_first);
        shared.map(|name| (name.clone(), "noarch".to_owned())).chain(own).collect()
    }

    fn import(&self, state: &mut State, build: Id) {
        state.last_buildroot += 1;
        let mut rpms = vec![(self.identity.name.clone(), "src".to_owned())];
        rpms.extend(self.built_arches().iter().flat_map(|arch| self.rpms_of(arch)));
        for (name, arch) in rpms {
            let rpm = self.rpm(state, build, (name, arch));
            state.add_rpm(rpm);
        }
    }

    fn rpm(&self, state: &State, build: Id, (name, arch): (String, String)) -> Rpm {
        let Identity { version, release, epoch, .. } = &self.identity;
        let file = format!("{name}-{version}-{release}.{arch}.rpm");
        let payloadhash = checksum::digest("md5", file.as_bytes()).unwrap_or_default();
        let headers =
            self.recipe.headers.iter().map(|(name, value)| (Arc::from(name.as_str()), value.clone()));
        Rpm {
            build,
            name: name.into(),
            version: version.as_str().into(),
            release: release.as_str().into(),
            epoch: *epoch,
            arch: arch.into(),
            payloadhash: payloadhash.into(),
            size: 6_000 + i64::try_from(file.len()).unwrap_or_default(),
            buildtime: state.now.0 / 1_000_000,
            buildroot: Some(state.last_buildroot),
            headers: headers.collect(),
            dependencies: Value::Array(Vec::new()),
        }
    }

    fn tag(&self, state: &mut State, build: Id) -> Result<(), Fault> {
        if self.is("skip_tag") {
            return Ok(());
        }
        state.begin_next();
        let tag = self.target.destination;
        let request = vec![tag.into(), build.into(), false.into(), Value::Nil, true.into()];
        let label = Some("tag".to_owned());
        self.add_child(state, NewTask { method: "tagBuild", request, label, ..NewTask::default() });
        state.actor = self.task.owner;
        state.tag_build(tag, build)?;
        self.end_children(state, "tagBuild", &Value::Nil);
        Ok(())
    }
}
