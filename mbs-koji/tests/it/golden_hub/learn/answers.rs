//! What answers tell that are no rows.

use mbs_koji::fake_hub::RowKind;
use mbs_koji::xmlrpc::{Struct, Value};

use crate::golden_hub::book::ROOM;
use crate::golden_hub::kinds::Kind;
use crate::golden_hub::script::Step;
use crate::golden_hub::world::World;

impl World {
    pub(super) fn learn_answer(&mut self, step: &Step, answer: &Value) {
        let first = step.argument(0, "").cloned();
        match (step.method(), answer, first) {
            ("getLastEvent", _, _) => self.learn_last_event(answer),
            ("getEvent", Value::Struct(row), _) => self.learn_event(row),
            ("getRPMHeaders", Value::Struct(headers), _) if !headers.is_empty() => {
                let id = step.argument(0, "rpmID").cloned().unwrap_or(Value::Nil);
                self.plant_rpm(&id, "headers", answer.clone());
            }
            ("getRPMDeps", Value::Array(_), Some(id)) => self.plant_rpm(&id, "dependencies", answer.clone()),
            ("getPackageID", Value::Int(id), Some(name)) if !self.book.is_paired(Kind::Package, *id) => {
                let row = Struct::from([("id", Value::from(*id)), ("name", name)]);
                self.hub.plant_row(RowKind::PackageName, &row);
            }
            ("getBuildLogs", Value::Array(logs), Some(build)) => self.learn_logs(logs, &build),
            ("getPackage", Value::Struct(row), _) if !self.is_own_package(row) => {
                self.hub.plant_row(RowKind::PackageName, row);
            }
            ("getTaskRequest", request, Some(Value::Int(task))) if !self.tasks.contains_key(&task) => {
                self.learn_task_of(task, Some(("request", request.clone())));
            }
            ("getAverageBuildDuration", Value::Double(weight), Some(Value::String(name))) => {
                self.learn_weight(&name, *weight);
            }
            ("getNextRelease", Value::String(release), Some(info)) => {
                self.learn_release_before(release, &info);
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
                self.learn_listing(&tag, step.argument(1, "pkg"));
            }
            _ => {}
        }
    }

    pub(super) fn learn_logs(&self, logs: &[Value], build: &Value) {
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

    pub(super) fn is_own_package(&self, row: &Struct) -> bool {
        let id = row.member("id").and_then(Value::as_int);
        id.is_some_and(|id| self.book.is_paired(Kind::Package, id))
    }

    /// Makes sure that the files of an import are there whose upload was left out.
    pub(super) fn learn_uploads(&mut self, step: &Step) {
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

    fn learn_event(&self, row: &Struct) {
        let Some(id) = row.member("id").and_then(Value::as_int) else { return };
        if !self.book.is_paired(Kind::Event, id) {
            self.plant(RowKind::Event, row);
        }
    }

    pub(super) fn learn_last_event(&self, answer: &Value) {
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

    pub(super) fn plant_rpm(&self, id: &Value, name: &str, value: Value) {
        let Some(id) = id.as_int() else { return };
        let row = Struct::from([("id", Value::from(self.book.ours(Kind::Rpm, id))), (name, value)]);
        self.hub.plant_row(RowKind::Rpm, &row);
    }

    pub(super) fn learn_weight(&self, name: &str, weight: f64) {
        let package = mbs_core::ident::Package::new(name).expect("a package's name");
        self.hub.set_weight(&package, mbs_core::ident::Weight::new(weight));
    }

    pub(super) fn learn_release_before(&mut self, release: &str, info: &Value) {
        let (number, rest) = release.split_once('.').map_or((release, ""), |(number, rest)| (number, rest));
        let Some(number) = number.parse::<i64>().ok().filter(|number| *number > 1) else { return };
        let text = |name: &str| info.member(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let dot = if rest.is_empty() { "" } else { "." };
        let former = format!("{}{dot}{rest}", number - 1);
        self.hub.plant_build(&text("name"), &text("version"), &former, &[]);
    }

    pub(super) fn learn_generator(&self, step: &Step) {
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

    pub(super) fn learn_listing(&mut self, tag: &Value, package: Option<&Value>) {
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
}
