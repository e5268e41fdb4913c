//! Rows that a read shows.

use mbs_koji::fake_hub::{RowKind, TagPlan};
use mbs_koji::xmlrpc::{Struct, Value, decode_call, decode_response};

use super::stored;
use crate::golden_hub::kinds::{self, Kind};
use crate::golden_hub::script::Step;
use crate::golden_hub::world::World;

impl World {
    /// Learns that a tag inherits another one from rows of that one in an answer about it.
    pub(super) fn learn_links(&mut self, step: &Step) {
        let place = ["tag", "tag_info", "tagID"].iter().find_map(|name| step.argument(0, name));
        let is_about_tag = kinds::of_place(step.method(), 0) == Some(Kind::Tag);
        let Some(asked) = place.filter(|_| is_about_tag) else { return };
        let Some(tag) = self.script.id(Kind::Tag, asked) else {
            return self.learn_links_by_name(step, asked);
        };
        let parents: Vec<i64> =
            step.rows().iter().filter_map(|row| row.member("tag_id").and_then(Value::as_int)).collect();
        for parent in parents.into_iter().filter(|parent| *parent != tag) {
            let is_new = self.learn(format!("{:?} {tag} {parent}", RowKind::Link));
            if is_new {
                self.learn_tag(tag);
                self.learn_tag(parent);
                let priority =
                    self.known.iter().filter(|fact| fact.starts_with(&format!("Link {tag} "))).count();
                let priority = i64::try_from(priority).expect("a few") * 10;
                let row = Struct::from([("child_id", tag), ("parent_id", parent), ("priority", priority)]);
                self.plant(RowKind::Link, &row);
            }
        }
    }

    /// The same for a tag whose id the recording does not tell.
    pub(super) fn learn_links_by_name(&mut self, step: &Step, asked: &Value) {
        let Some(name) = asked.as_str() else { return };
        let rows = step.rows();
        let parents = rows.iter().filter_map(|row| row.member("tag_name").and_then(Value::as_str));
        let mut inherits: Vec<String> = parents.filter(|parent| *parent != name).map(str::to_owned).collect();
        inherits.dedup();
        for parent in &inherits {
            self.learn_tag_of(&parent.as_str().into());
        }
        if !inherits.is_empty() && self.learn(format!("Tag {name}")) {
            self.hub.plant_tag_as(name, &TagPlan { inherits, ..TagPlan::default() });
        }
    }

    pub(super) fn learn_row(&mut self, method: &str, row: &Struct) {
        let Some((kind, id)) = kinds::plantable(method, row) else { return };
        let number = |name: &str| row.member(name).and_then(Value::as_int);
        let is_own_task = |name: &str| number(name).is_some_and(|task| self.tasks.contains_key(&task));
        let (tag, word) = (number("tag_id").or(number("child_id")).unwrap_or_default(), format!("{kind:?}"));
        match kind {
            RowKind::Task if is_own_task("id") || is_own_task("parent") => {}
            RowKind::Task => self.learn_task(row),
            RowKind::Build => self.learn_build(id, row, is_own_task("task_id")),
            RowKind::Repo if is_own_task("task_id") => _ = self.learn(format!("Repo {id}")),
            RowKind::Repo => self.learn_repo(id, row),
            RowKind::Archive
                if number("build_id").is_some_and(|build| self.knows(&format!("imported {build}"))) => {}
            RowKind::Rpm
                if number("build_id").is_some_and(|build| self.knows(&format!("own build {build}"))) => {}
            RowKind::Tag => self.learn_tag(id),
            RowKind::Target if self.knows(&format!("own target {:?}", row.member("name"))) => {}
            RowKind::Package | RowKind::Group | RowKind::Link | RowKind::External => {
                if self.learn(format!("{word} {tag} {id}")) {
                    self.plant(kind, row);
                }
            }
            _ => {
                if self.learn(format!("{word} {id}")) {
                    self.plant(kind, row);
                }
            }
        }
    }

    /// Makes sure that a tag is there, with the first settings the recording shows.
    pub(in crate::golden_hub) fn learn_tag(&mut self, id: i64) {
        if !self.learn(format!("Tag {id}")) {
            return;
        }
        if let Some(row) = self.script.rows.get(&(Kind::Tag, id)).cloned() {
            return self.plant(RowKind::Tag, &row);
        }
        let name = self.script.name_of(Kind::Tag, id).map_or_else(|| format!("tag-{id}"), str::to_owned);
        self.plant(
            RowKind::Tag,
            &Struct::from([
                ("id", Value::from(id)),
                ("name", name.into()),
                ("locked", false.into()),
                ("arches", "".into()),
            ]),
        );
    }

    pub(super) fn learn_build(&mut self, id: i64, row: &Struct, is_own: bool) {
        if is_own {
            self.learn(format!("own build {id}"));
            self.learn(format!("Build {id}"));
        }
        let tag = row.member("tag_id").and_then(Value::as_int);
        let is_new = self.learn(format!("Build {id}"));
        let mut row = row.clone();
        for (name, value) in self.script.rows.get(&(Kind::Build, id)).into_iter().flat_map(Struct::iter) {
            if row.member(name).is_none() {
                row.insert(name, value.clone());
            }
        }
        if let Some(tag) = tag {
            self.learn_tag(tag);
            self.learn_listed(tag, row.member("package_id").and_then(Value::as_int), &row);
            if !self.learn(format!("tagged {tag} {id}")) {
                row.remove("tag_id");
            }
        }
        let is_tagging = row.member("tag_id").is_some();
        if is_new || (is_tagging && !self.knows(&format!("tagging {tag:?} {id}"))) {
            self.plant(RowKind::Build, &row);
        }
    }

    pub(super) fn learn_listed(&mut self, tag: i64, package: Option<i64>, build: &Struct) {
        let Some(package) = package else { return };
        if !self.learn(format!("Package {tag} {package}")) {
            return;
        }
        let is_meant = |row: &&Struct| {
            row.member("package_id") == Some(&package.into())
                && row.member("tag_id") == Some(&tag.into())
                && row.member("extra_arches").is_some()
        };
        let shown =
            self.script.rows_from(0).find(is_meant).cloned().or_else(|| self.listed_row(tag, package));
        let row = shown.unwrap_or_else(|| {
            let member = |name: &str| build.member(name).cloned().unwrap_or(Value::Nil);
            Struct::from([
                ("tag_id", Value::from(tag)),
                ("package_id", package.into()),
                ("package_name", member("package_name")),
                ("owner_id", member("owner_id")),
            ])
        });
        self.plant(RowKind::Package, &row);
    }

    /// Returns the entry of a package list that `listTags` of the package shows.
    pub(super) fn listed_row(&self, tag: i64, package: i64) -> Option<Struct> {
        let steps = self.script.exchanges.iter().flatten().filter(|step| step.method() == "listTags");
        let of_package = steps.filter(|step| {
            let named = step.argument(1, "package").and_then(|name| self.script.id(Kind::Package, name));
            named == Some(package)
        });
        let mut rows = of_package.flat_map(Step::rows);
        let mut row = rows
            .find(|row| row.member("id") == Some(&tag.into()) && row.member("owner_id").is_some())?
            .clone();
        row.insert("tag_id", tag.into());
        row.insert("package_id", package.into());
        let name = self.script.name_of(Kind::Package, package);
        row.insert("package_name", name.into());
        Some(row)
    }

    pub(super) fn learn_repo(&mut self, id: i64, row: &Struct) {
        if !self.learn(format!("Repo {id}")) {
            return;
        }
        self.plant(RowKind::Repo, row);
        let (task, state) = (row.member("task_id"), row.member("task_state"));
        if let (Some(task @ Value::Int(number)), Some(state)) = (task, state)
            && self.learn(format!("Task {number}"))
        {
            let task = Struct::from([
                ("id", task.clone()),
                ("method", "newRepo".into()),
                ("state", state.clone()),
                ("channel_id", 2.into()),
            ]);
            self.plant(RowKind::Task, &task);
        }
    }

    pub(super) fn learn_task(&mut self, row: &Struct) {
        let Some(id) = row.member("id").and_then(Value::as_int) else { return };
        let is_fuller = row.member("request").is_some() && self.learn(format!("request {id}"));
        if !self.learn(format!("Task {id}")) && !is_fuller {
            return;
        }
        let mut row = row.clone();
        if let Some(Value::String(xml)) = row.member("request") {
            let call = decode_call(xml.as_bytes()).expect("a stored request can be read");
            row.insert("request", call.params().into());
        }
        if let Some(Value::String(xml)) = row.member("result") {
            let result = decode_response(xml.as_bytes()).expect("a stored result can be read");
            row.insert("result", stored(&result));
        }
        if let Some(result) = self.script.results.get(&id) {
            row.insert("result", stored(result));
        }
        self.plant(RowKind::Task, &row);
    }

    /// Makes sure that a task is there of which only calls tell.
    pub(super) fn learn_task_of(&mut self, id: i64, more: Option<(&str, Value)>) {
        let known = self.script.rows.get(&(Kind::Task, id)).cloned();
        let mut row = known.unwrap_or_else(|| {
            let owner = Value::from(self.caller);
            Struct::from([
                ("id", Value::from(id)),
                ("method", "build".into()),
                ("state", 2.into()),
                ("channel_id", 1.into()),
                ("owner", owner),
            ])
        });
        if let Some((name, value)) = more {
            row.insert(name, value);
        }
        self.learn_task(&row);
    }
}
