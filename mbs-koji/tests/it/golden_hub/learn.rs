//! What has to be so for a recorded answer: rows that a read shows and that no recorded call made, and what calls that worked
//! name.

use mbs_koji::fake_hub::{RowKind, TagPlan};
use mbs_koji::xmlrpc::{Fault, Struct, Value, decode_call, decode_response};

use super::book::ROOM;
use super::kinds::{self, Kind};
use super::script::Step;
use super::world::World;

/// Calls whose rows are new, not read.
const MAKERS: [&str; 4] = ["CGImport", "CGInitBuild", "createExternalRepo", "login"];

impl World {
    /// Learns what a step needs before it is sent.
    pub(super) fn learn_before(&mut self, step: &Step, exchange: usize) {
        if let Ok(answer) = &step.answer {
            if !MAKERS.contains(&step.method()) {
                self.learn_links(step);
                for row in step.rows() {
                    self.learn_row(step.method(), row);
                }
            }
            self.learn_answer(step, answer);
        }
        self.learn_arguments(step, exchange);
        if let Err(fault) = &step.answer {
            self.learn_fault(step, fault);
        }
        if step.method() == "CGImport" {
            self.learn_uploads(step);
        }
    }

    /// Learns that a tag inherits another one from rows of that one in an answer about it.
    fn learn_links(&mut self, step: &Step) {
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
    fn learn_links_by_name(&mut self, step: &Step, asked: &Value) {
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

    fn learn_row(&mut self, method: &str, row: &Struct) {
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
    pub(super) fn learn_tag(&mut self, id: i64) {
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

    fn learn_build(&mut self, id: i64, row: &Struct, is_own: bool) {
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

    fn learn_listed(&mut self, tag: i64, package: Option<i64>, build: &Struct) {
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
    fn listed_row(&self, tag: i64, package: i64) -> Option<Struct> {
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

    fn learn_repo(&mut self, id: i64, row: &Struct) {
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

    fn learn_task(&mut self, row: &Struct) {
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
    fn learn_task_of(&mut self, id: i64, more: Option<(&str, Value)>) {
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

    fn learn_answer(&mut self, step: &Step, answer: &Value) {
        let first = step.argument(0, "").cloned();
        match (step.method(), answer, first) {
            ("getLastEvent", _, _) => self.learn_last_event(answer),
            ("getRPMHeaders", Value::Struct(headers), _) if !headers.is_empty() => {
                let id = step.argument(0, "rpmID").cloned().unwrap_or(Value::Nil);
                self.plant_rpm(id, "headers", answer.clone());
            }
            ("getRPMDeps", Value::Array(_), Some(id)) => self.plant_rpm(id, "dependencies", answer.clone()),
            ("getPackageID", Value::Int(id), Some(name)) if !self.book.is_paired(Kind::Package, *id) => {
                let row = Struct::from([("id", Value::from(*id)), ("name", name)]);
                self.hub.plant_row(RowKind::PackageName, &row);
            }
            ("getBuildLogs", Value::Array(logs), Some(build)) => self.learn_logs(logs, &build),
            ("getPackage", Value::Struct(row), _) if !self.is_own_package(row) => {
                self.hub.plant_row(RowKind::PackageName, row)
            }
            ("getTaskRequest", request, Some(Value::Int(task))) if !self.tasks.contains_key(&task) => {
                self.learn_task_of(task, Some(("request", request.clone())));
            }
            ("getAverageBuildDuration", Value::Double(weight), Some(Value::String(name))) => {
                self.learn_weight(&name, *weight)
            }
            ("getNextRelease", Value::String(release), Some(info)) => {
                self.learn_release_before(release, &info)
            }
            ("listCGs", Value::Struct(generators), _) => {
                for (name, row) in
                    generators.iter().filter(|(name, _)| !self.knows(&format!("own generator {name}")))
                {
                    let users = row.member("users").and_then(Value::as_array).unwrap_or_default();
                    let users: Vec<&str> = users.iter().filter_map(Value::as_str).collect();
                    self.hub.plant_generator(name, &users);
                }
            }
            ("CGImport" | "CGInitBuild", _, _) => self.learn_generator(step),
            ("checkTagPackage", Value::Bool(true), Some(tag)) => {
                self.learn_listing(&tag, step.argument(1, "pkg"))
            }
            _ => {}
        }
    }

    fn learn_logs(&self, logs: &[Value], build: &Value) {
        let Some(id) = self.script.id(Kind::Build, build).filter(|id| !self.knows(&format!("imported {id}")))
        else {
            return;
        };
        let text =
            |row: &Value, name: &str| row.member(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let logs: Value =
            logs.iter().map(|row| format!("{}/{}", text(row, "dir"), text(row, "name"))).collect();
        self.plant(RowKind::Build, &Struct::from([("build_id", Value::from(id)), ("logs", logs)]));
    }

    fn is_own_package(&self, row: &Struct) -> bool {
        let id = row.member("id").and_then(Value::as_int);
        id.is_some_and(|id| self.book.is_paired(Kind::Package, id))
    }

    /// Makes sure that the files of an import are there whose upload was left out.
    fn learn_uploads(&mut self, step: &Step) {
        let (Some(metadata), Some(directory)) = (step.argument(0, "metadata"), step.argument(1, "directory"))
        else {
            return;
        };
        let is_missing = step.answer.as_ref().is_err_and(|fault| fault.text.contains("FileNotFoundError"));
        let outputs = metadata.member("output").and_then(Value::as_array).unwrap_or_default();
        for output in outputs.iter().filter(|_| !is_missing) {
            let name = output.member("filename").and_then(Value::as_str).unwrap_or_default();
            let path = format!("{}/{name}", directory.as_str().unwrap_or_default());
            let same = self.uploads.iter().find(|(other, _)| other.ends_with(&format!("/{name}")));
            if let (false, Some((_, bytes))) = (self.uploads.contains_key(&path), same) {
                self.hub.plant_upload(&path, bytes);
            }
        }
    }

    fn learn_last_event(&self, answer: &Value) {
        let (last, Some(id)) = (self.hub.last_event(), answer.member("id").and_then(Value::as_int)) else {
            return;
        };
        // What our hub has done since the last one that was seen is this one.
        let is_ours = last % ROOM != 0 && last != 1 && !self.book.is_taken(Kind::Event, last);
        if !is_ours && !self.book.is_paired(Kind::Event, id) {
            let ts = answer.member("ts").cloned().unwrap_or(Value::Nil);
            self.hub.plant_row(RowKind::Event, &Struct::from([("id", Value::from(id * ROOM)), ("ts", ts)]));
        }
    }

    fn plant_rpm(&self, id: Value, name: &str, value: Value) {
        let Some(id) = id.as_int() else { return };
        let row = Struct::from([("id", Value::from(self.book.ours(Kind::Rpm, id))), (name, value)]);
        self.hub.plant_row(RowKind::Rpm, &row);
    }

    fn learn_weight(&self, name: &str, weight: f64) {
        let package = mbs_core::ident::Package::new(name).expect("a package's name");
        self.hub.set_weight(&package, mbs_core::ident::Weight::new(weight));
    }

    fn learn_release_before(&mut self, release: &str, info: &Value) {
        let (number, rest) = release.split_once('.').map_or((release, ""), |(number, rest)| (number, rest));
        let Some(number) = number.parse::<i64>().ok().filter(|number| *number > 1) else { return };
        let text = |name: &str| info.member(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let dot = if rest.is_empty() { "" } else { "." };
        let former = format!("{}{dot}{rest}", number - 1);
        self.hub.plant_build(&text("name"), &text("version"), &former, &[]);
    }

    fn learn_generator(&self, step: &Step) {
        let metadata = step.argument(0, "cg");
        let named = metadata.and_then(|value| match value {
            Value::String(name) => Some(name.to_string()),
            metadata => {
                let root = metadata.member("buildroots")?.as_array()?.first()?;
                Some(root.member("content_generator")?.member("name")?.as_str()?.to_owned())
            }
        });
        if let Some(name) = named.filter(|name| !self.knows(&format!("own generator {name}"))) {
            self.hub.plant_generator(&name, &["mbs"]);
        }
    }

    fn learn_listing(&mut self, tag: &Value, package: Option<&Value>) {
        let (Some(tag), Some(package)) = (self.script.id(Kind::Tag, tag), package) else { return };
        let name = package.as_str().unwrap_or_default().to_owned();
        let id = self.script.id(Kind::Package, package);
        if self.learn(format!("listed {tag} {name}"))
            && id.is_none_or(|id| !self.knows(&format!("Package {tag} {id}")))
        {
            let name_of_tag = self.script.name_of(Kind::Tag, tag).unwrap_or_default().to_owned();
            self.hub.plant_packages(&name_of_tag, &[&name]);
        }
    }

    /// Makes sure that what a call names is there, unless the answer says that it is not.
    fn learn_arguments(&mut self, step: &Step, exchange: usize) {
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
                    self.learn_build_of(&value, exchange)
                }
                Some(Kind::Task) if !is_missing && !is_empty => self.learn_task_named(&value),
                Some(Kind::Group) if step.answer.is_ok() => self.learn_group(step, &value),
                Some(Kind::Target) if step.answer.is_ok() && method != "getBuildTarget" => {
                    self.learn_target(&value, exchange)
                }
                _ => {}
            }
        }
        if matches!((step.method(), &step.answer), ("tagBuild", Ok(_))) {
            self.learn_taggable(step);
        }
        if matches!((step.method(), &step.answer), ("build", Ok(_)))
            && let Some(target) = step.argument(1, "target").cloned()
        {
            self.learn_target(&target, exchange);
        }
    }

    fn learn_tag_of(&mut self, tag: &Value) {
        match (self.script.id(Kind::Tag, tag), tag) {
            (Some(id), _) if !self.knows(&format!("gone tag {id}")) => self.learn_tag(id),
            (None, Value::String(name)) if self.learn(format!("Tag {name}")) => {
                _ = self.hub.plant_tag(name, &[])
            }
            _ => {}
        }
    }

    fn learn_build_of(&mut self, build: &Value, exchange: usize) {
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

    fn learn_task_named(&mut self, task: &Value) {
        if let Some(id) = task.as_int()
            && !self.tasks.contains_key(&id)
            && !self.book.is_paired(Kind::Task, id)
            && !self.knows(&format!("Task {id}"))
        {
            self.learn_task_of(id, None);
        }
    }

    fn learn_group(&mut self, step: &Step, group: &Value) {
        let (Some(name), Some(tag)) = (group.as_str(), step.argument(0, "taginfo").cloned()) else { return };
        let Some(tag) = self.script.id(Kind::Tag, &tag) else { return };
        let id = self.script.id(Kind::Group, group).unwrap_or(if name == "build" { 1 } else { 2 });
        if self.learn(format!("Group {tag} {id}")) && !self.knows(&format!("own group {tag} {name}")) {
            let row =
                Struct::from([("tag_id", Value::from(tag)), ("group_id", id.into()), ("name", name.into())]);
            self.plant(RowKind::Group, &row);
        }
    }

    fn learn_target(&mut self, target: &Value, _exchange: usize) {
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

    fn learn_taggable(&mut self, step: &Step) {
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

    fn learn_fault(&mut self, step: &Step, fault: &Fault) {
        let text = &fault.text;
        if let Some(rest) = text.strip_prefix("Build already exists: ")
            && let Some((nvr, _)) = rest.split_once(" (id=")
        {
            self.learn_build_of(&nvr.into(), 0);
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

/// Returns a result as rows of tasks have it.
fn stored(result: &Result<Value, Fault>) -> Value {
    match result {
        Ok(value) => Value::Array(vec![value.clone()]),
        Err(fault) => {
            let members =
                [("faultCode", Value::from(fault.code.number())), ("faultString", (&fault.text).into())];
            Struct::from(members).into()
        }
    }
}
