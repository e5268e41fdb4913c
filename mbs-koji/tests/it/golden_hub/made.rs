//! What a recorded call made: none of it is ever planted; tagging tasks end by and by.

use mbs_koji::fake_hub::RowKind;
use mbs_koji::xmlrpc::{Call, Struct, Value};

use super::drive::{OPEN, number};
use super::kinds::Kind;
use super::script::Step;
use super::world::World;

impl World {
    /// Notes what a step made.
    pub(super) fn note_made(&mut self, step: &Step) {
        let Ok(answer) = &step.answer else { return };
        let text = |place: usize| step.call.arguments().get(place).cloned().unwrap_or(Value::Nil);
        let tag = self.script.id(Kind::Tag, &text(0)).unwrap_or_default();
        match (step.method(), answer) {
            ("createTag", Value::Int(id)) => _ = self.learn(format!("Tag {id}")),
            ("deleteTag", _) => _ = self.learn(format!("gone tag {tag}")),
            ("build" | "newRepo" | "tagBuild" | "resubmitTask", Value::Int(task)) => {
                self.learn(format!("Task {task}"));
                let call =
                    if step.method() == "resubmitTask" { Call::new("build") } else { step.call.clone() };
                self.tasks.insert(*task, call);
                if step.method() == "tagBuild" {
                    self.tagging.push((*task, tag, text(1)));
                    let build = self.script.id(Kind::Build, &text(1)).unwrap_or_default();
                    self.learn(format!("tagged {tag} {build}"));
                    self.learn(format!("tagging {:?} {build}", Some(tag)));
                }
            }
            ("CGImport" | "CGInitBuild", row) => {
                let id = row.member("build_id").and_then(Value::as_int).unwrap_or_default();
                self.learn(format!("Build {id}"));
                self.learn(format!("imported {id}"));
            }
            ("setInheritanceData", _) => {
                for parent in text(1)
                    .as_array()
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|row| row.member("parent_id")?.as_int())
                {
                    self.learn(format!("{:?} {tag} {parent}", RowKind::Link));
                }
            }
            ("createBuildTarget", _) => _ = self.learn(format!("own target {:?}", Some(text(0)))),
            ("editBuildTarget", _) => _ = self.learn(format!("own target {:?}", Some(text(1)))),
            ("packageListAdd" | "packageListBlock" | "packageListUnblock", _) => {
                let package = self.script.id(Kind::Package, &text(1)).unwrap_or_default();
                self.learn(format!("{:?} {tag} {package}", RowKind::Package));
            }
            ("groupListAdd", _) => {
                let group = self.script.id(Kind::Group, &text(1)).unwrap_or_default();
                self.learn(format!("{:?} {tag} {group}", RowKind::Group));
                self.learn(format!("own group {tag} {}", text(1).as_str().unwrap_or_default()));
            }
            ("addExternalRepoToTag", _) => {
                let repo = self.script.id(Kind::External, &text(1)).unwrap_or_default();
                self.learn(format!("{:?} {tag} {repo}", RowKind::External));
            }
            ("grantCGAccess", _) => {
                self.learn(format!("own generator {}", text(1).as_str().unwrap_or_default()));
            }
            _ => {}
        }
    }

    /// Ends tagging tasks in the order that later rows show, unless the step shows them waiting.
    pub(super) fn end_tagging(&mut self, step: &Step, exchange: usize) {
        let waits = |task: i64| {
            step.rows().iter().any(|row| {
                number(row, "id") == Some(task) && matches!(number(row, "state"), Some(0 | OPEN | 4))
            })
        };
        let is_more = step.method() == "tagBuild";
        let mut due = Vec::new();
        let tagging = std::mem::take(&mut self.tagging);
        for (task, tag, build) in tagging {
            if is_more || waits(task) {
                self.tagging.push((task, tag, build));
            } else {
                due.push((self.event_of(tag, &build, exchange), task));
            }
        }
        due.sort_unstable();
        for (_, task) in due {
            self.finish(task, exchange);
        }
    }

    fn event_of(&self, tag: i64, build: &Value, exchange: usize) -> i64 {
        let mut later = self.script.rows_from(exchange);
        let is_it = |row: &&Struct| {
            number(row, "tag_id") == Some(tag)
                && [row.member("nvr"), row.member("build_id")].contains(&Some(build))
        };
        later.find(is_it).and_then(|row| number(row, "create_event")).unwrap_or(i64::MAX)
    }
}
