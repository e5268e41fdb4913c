//! What a call names, and what a fault says of it.

use mbs_koji::fake_hub::RowKind;
use mbs_koji::xmlrpc::{Call, Fault, Struct, Value};

use crate::golden_hub::kinds::{self, Kind};
use crate::golden_hub::script::Step;
use crate::golden_hub::world::World;

impl World {
    /// Makes sure that what a call names is there, unless the answer says that it is not.
    pub(super) fn learn_arguments(&mut self, step: &Step, exchange: usize) {
        if matches!(step.answer, Ok(Value::Nil))
            && matches!(
                step.method(),
                "getTag" | "getBuild" | "getBuildTarget" | "getRPM" | "repoInfo" | "getUser"
            )
        {
            return;
        }
        let method = step.method().to_owned();
        let named =
            step.call.arguments().iter().enumerate().map(|(at, value)| (kinds::of_place(&method, at), value));
        let keywords = step.call.keywords().into_iter().flat_map(Struct::iter);
        let keywords = keywords.map(|(name, value)| (kinds::of_keyword(&method, name), value));
        let arguments: Vec<(Option<Kind>, Value)> =
            named.chain(keywords).map(|(kind, value)| (kind, value.clone())).collect();
        for (kind, value) in arguments {
            let shown = match &value {
                Value::String(text) => text.to_string(),
                Value::Int(number) => number.to_string(),
                _ => continue,
            };
            let is_missing = matches!(&step.answer, Err(fault) if fault.text.contains(&shown) && !fault.text.contains("already"));
            let is_empty = matches!(&step.answer, Ok(Value::Struct(members)) if members.is_empty());
            match kind {
                Some(Kind::Tag) if !is_missing || tells_of_tag(step) => self.learn_tag_of(&value),
                Some(Kind::Build) if !is_missing && !self.tasks.is_empty() && method == "cancelBuild" => {}
                Some(Kind::Build) if !is_missing || tells_of_build(step) => {
                    self.learn_build_of(&value, exchange);
                }
                Some(Kind::Task) if !is_missing && !is_empty => self.learn_task_named(&value),
                Some(Kind::Group) if step.answer.is_ok() => self.learn_group(step, &value),
                Some(Kind::Target) if step.answer.is_ok() && method != "getBuildTarget" => {
                    self.learn_target(&value, exchange);
                }
                _ => {}
            }
        }
        if matches!((step.method(), &step.answer), ("tagBuild", Ok(_))) {
            self.learn_taggable(step);
        }
        match (step.method(), &step.answer) {
            ("untagBuild", Ok(_)) => self.learn_tagging(step),
            ("tagBuild", Ok(Value::Int(task))) if self.was_tagged(*task) => self.learn_tagging(step),
            ("setInheritanceData", Ok(_)) => self.learn_parents(step),
            _ => {}
        }
        if matches!((step.method(), &step.answer), ("build", Ok(_)))
            && let Some(target) = step.argument(1, "target").cloned()
        {
            self.learn_target(&target, exchange);
        }
    }

    fn learn_parents(&mut self, step: &Step) {
        let rows = step.argument(1, "data").and_then(Value::as_array).unwrap_or_default();
        for parent in rows.iter().filter_map(|row| row.member("parent_id").cloned()).collect::<Vec<_>>() {
            self.learn_tag_of(&parent);
        }
    }

    /// Says whether a tagging task found that there was nothing to do.
    fn was_tagged(&self, task: i64) -> bool {
        let result = self.script.results.get(&task);
        result.is_some_and(|result| result.as_ref().is_err_and(|fault| fault.text.contains("already tagged")))
    }

    /// Makes sure that a build is in a tag, unless a recorded call put it there.
    fn learn_tagging(&mut self, step: &Step) {
        let (Some(tag), Some(build)) = (step.argument(0, "tag"), step.argument(1, "build")) else { return };
        let id = |kind, value| self.script.id(kind, value).unwrap_or_default();
        let (tag_id, build_id) = (id(Kind::Tag, tag), id(Kind::Build, build));
        let name = |kind, value: &Value, id| {
            value.as_str().or_else(|| self.script.name_of(kind, id)).unwrap_or_default().to_owned()
        };
        let (tag, nvr) = (name(Kind::Tag, tag, tag_id), name(Kind::Build, build, build_id));
        if self.learn(format!("tagged {tag_id} {build_id}")) {
            self.hub.plant_tagged(&tag, &nvr);
        }
    }

    /// Locks a tag or gives it the permission that a fault names.
    fn learn_lock(&self, step: &Step, fault: &str) {
        let Some(tag) = step.argument(0, "tag") else { return };
        let shown = self.ask(
            &Call::new("getTag")
                .arg(self.book.translated(&step.call).arguments().first().unwrap_or(tag).clone()),
        );
        let Some(mut row) = shown.as_struct().cloned() else { return };
        match fault.strip_prefix("tag requires ").and_then(|rest| rest.strip_suffix(" permission")) {
            Some(permission) => {
                let all = self.ask(&Call::new("getAllPerms"));
                let known = all
                    .as_array()
                    .unwrap_or_default()
                    .iter()
                    .find(|row| row.member("name") == Some(&permission.into()));
                row.insert("perm", permission.into());
                row.insert(
                    "perm_id",
                    known.and_then(|row| row.member("id")).cloned().unwrap_or(Value::Int(990)),
                );
            }
            None => _ = row.insert("locked", true.into()),
        }
        self.hub.plant_row(RowKind::Tag, &row);
    }

    pub(super) fn learn_tag_of(&mut self, tag: &Value) {
        match (self.script.id(Kind::Tag, tag), tag) {
            (Some(id), _) if !self.knows(&format!("gone tag {id}")) => self.learn_tag(id),
            (None, Value::String(name)) if self.learn(format!("Tag {name}")) => {
                _ = self.hub.plant_tag(name, &[]);
            }
            _ => {}
        }
    }

    pub(super) fn learn_build_of(&mut self, build: &Value, exchange: usize) {
        let id = self.script.id(Kind::Build, build);
        let row = id.and_then(|id| self.script.rows.get(&(Kind::Build, id)).cloned());
        match (id, row, build) {
            (Some(id), _, _) if self.knows(&format!("Build {id}")) => {}
            (Some(id), Some(row), _) => {
                let is_own = row
                    .member("task_id")
                    .and_then(Value::as_int)
                    .is_some_and(|task| self.tasks.contains_key(&task));
                let mut row = row;
                row.remove("tag_id");
                self.learn_build(id, &row, is_own);
            }
            (_, _, Value::String(nvr)) if self.learn(format!("nvr {nvr}")) && exchange < usize::MAX => {
                let mut parts = nvr.rsplitn(3, '-');
                if let (Some(release), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next())
                {
                    self.hub.plant_build(name, version, release, &[]);
                }
            }
            _ => {}
        }
    }

    pub(super) fn learn_task_named(&mut self, task: &Value) {
        if let Some(id) = task.as_int()
            && !self.tasks.contains_key(&id)
            && !self.book.is_paired(Kind::Task, id)
            && !self.knows(&format!("Task {id}"))
        {
            self.learn_task_of(id, None);
        }
    }

    pub(super) fn learn_group(&mut self, step: &Step, group: &Value) {
        let (Some(name), Some(tag)) = (group.as_str(), step.argument(0, "taginfo").cloned()) else { return };
        let Some(tag) = self.script.id(Kind::Tag, &tag) else { return };
        let id = self.script.id(Kind::Group, group).unwrap_or(if name == "build" { 1 } else { 2 });
        if self.learn(format!("Group {tag} {id}")) && !self.knows(&format!("own group {tag} {name}")) {
            let row =
                Struct::from([("tag_id", Value::from(tag)), ("group_id", id.into()), ("name", name.into())]);
            self.plant(RowKind::Group, &row);
        }
    }

    pub(super) fn learn_target(&mut self, target: &Value, _exchange: usize) {
        if let Some(id) = self.script.id(Kind::Target, target)
            && let Some(row) = self.script.rows.get(&(Kind::Target, id)).cloned()
        {
            return self.learn_row("getBuildTarget", &row);
        }
        let Some(name) = target.as_str() else { return };
        if self.learn(format!("target {name}")) && !self.knows(&format!("own target {:?}", Some(target))) {
            let build_tag = format!("{name}-build");
            self.learn_tag_of(&build_tag.as_str().into());
            self.learn_tag_of(&name.into());
            self.hub.plant_target(name, &build_tag, name);
        }
    }

    pub(super) fn learn_taggable(&mut self, step: &Step) {
        let (Some(tag), Some(build)) = (step.argument(0, "tag").cloned(), step.argument(1, "build").cloned())
        else {
            return;
        };
        let (tag, id) = (self.script.id(Kind::Tag, &tag), self.script.id(Kind::Build, &build));
        let row = id.and_then(|id| self.script.rows.get(&(Kind::Build, id)).cloned()).unwrap_or_default();
        match (tag, row.member("package_id").and_then(Value::as_int)) {
            (Some(tag), Some(package)) => self.learn_listed(tag, Some(package), &row),
            (Some(tag), None) => {
                let name =
                    build.as_str().and_then(|nvr| nvr.rsplitn(3, '-').nth(2)).unwrap_or_default().to_owned();
                self.learn_listing(&tag.into(), Some(&name.into()));
            }
            _ => {}
        }
    }

    pub(super) fn learn_fault(&mut self, step: &Step, fault: &Fault) {
        let text = &fault.text;
        if let Some(rest) = text.strip_prefix("Build already exists: ")
            && let Some((nvr, _)) = rest.split_once(" (id=")
        {
            self.learn_build_of(&nvr.into(), 0);
        }
        if text == "tag is locked" || text.starts_with("tag requires ") {
            self.learn_lock(step, text);
        }
        let is_listing =
            text.contains("is not in tag listing") || text.contains("no data (blocked or otherwise)");
        if let (true, Some(Value::String(name))) = (is_listing, step.argument(1, "pkginfo")) {
            // It is known to the hub, though not listed.
            self.hub.plant_build(name, "0", "0", &[]);
        }
        if let (true, Some(Value::String(name))) = (text.contains("already exists"), step.argument(0, "name"))
        {
            match step.method() {
                "createTag" => self.learn_tag_of(&(&**name).into()),
                "createBuildTarget" => self.learn_target(&(&**name).into(), 0),
                _ => {}
            }
        }
        if let (true, Some(tag), Some(package)) =
            (text.contains("NOT blocked"), step.argument(0, "taginfo"), step.argument(1, "pkginfo"))
        {
            let (tag, package) = (tag.clone(), package.clone());
            self.learn_listing(&tag, Some(&package));
        }
    }
}

/// Says whether a fault that quotes a tag is about something in it.
fn tells_of_tag(step: &Step) -> bool {
    let text = step.answer.as_ref().err().map_or("", |fault| &fault.text);
    [
        "not in list for",
        "is blocked in",
        "NOT blocked",
        "not in tag",
        "is not in tag listing",
        "no data",
        "already",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Says whether a fault that quotes a build knows it.
fn tells_of_build(step: &Step) -> bool {
    let text = step.answer.as_ref().err().map_or("", |fault| &fault.text);
    ["not in tag", "already tagged", "not complete"].iter().any(|words| text.contains(words))
}
