//! What records have in the columns that lists are filtered and sorted by, and what else a store finds builds by.
//!
//! The record is the truth; these are read off it whenever it is written. Stores with tables keep them beside the record.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::listing::{Column, ComponentColumn, Value};
use crate::context::sha1_hex;
use crate::ident::{BuildId, Name, Nsvc, TagName, TaskId, Version};
use crate::model::{ComponentBuild, ComponentSource, ModuleBuild, State, Verdict};
use crate::modulemd::{ModuleStream, Xmd};
use crate::policy::Policy;
use crate::stream_version::{Padding, stream_version};

/// What a store takes from the policy.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Length of a lease.
    pub lease: Duration,
    /// Least time between two looks at one build.
    pub min_gap: Duration,
    /// What a held slot costs in line.
    pub tau: Duration,
    /// How often the limit adapts.
    pub adapt_every: Duration,
    /// Names of base modules.
    pub base_modules: Vec<Name>,
}

impl Rules {
    /// Takes what a store needs.
    pub fn of(policy: &Policy) -> Self {
        Self {
            lease: policy.lease,
            min_gap: policy.min_gap,
            tau: policy.tau,
            adapt_every: policy.adapt_every,
            base_modules: policy.base_module_names.clone(),
        }
    }

    /// Returns the number of a base module's stream; `None` for other modules, and for a stream without digits.
    pub fn stream_version(&self, nsvc: &Nsvc) -> Option<f64> {
        let number = || stream_version(nsvc.stream.as_str(), Padding::Right, 0.0);
        let has_digits = nsvc.stream.as_str().bytes().any(|byte| byte.is_ascii_digit());
        (has_digits && self.base_modules.contains(&nsvc.name)).then(number)
    }
}

/// Returns a version as text that sorts as the number does: twenty digits.
pub fn sortable(version: Version) -> String {
    format!("{:020}", version.0)
}

/// Returns the twenty digits of a version that is written as text; `None` if it is not written as versions are.
pub fn sortable_text(text: &str) -> Option<String> {
    let version: Version = text.parse().ok()?;
    (version.to_string() == text).then(|| sortable(version))
}

/// What a module build has in its columns; the document is kept apart.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "`Column` describes them")]
pub struct BuildColumns {
    pub id: BuildId,
    pub name: String,
    pub stream: String,
    /// Twenty digits.
    pub version: String,
    pub context: String,
    pub build_context: Option<String>,
    pub build_context_no_bases: Option<String>,
    pub runtime_context: Option<String>,
    pub state: State,
    pub state_reason: Option<String>,
    pub koji_tag: Option<String>,
    pub cg_tag: Option<String>,
    pub scmurl: Option<String>,
    pub scratch: bool,
    pub srpms: String,
    pub owner: String,
    pub submitted_at: Timestamp,
    pub modified_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub repo_task: Option<TaskId>,
    pub strategy: &'static str,
    pub reuse_from: Option<BuildId>,
    pub batch: u32,
    pub stream_version: Option<f64>,
}

impl BuildColumns {
    /// Reads the columns off a record.
    pub fn of(build: &ModuleBuild, rules: &Rules) -> Self {
        let (nsvc, contexts) = (build.nsvc(), &build.new.contexts);
        let known = |hash: &String| Some(hash.clone()).filter(|hash| !hash.is_empty());
        Self {
            id: build.id,
            name: nsvc.name.to_string(),
            stream: nsvc.stream.to_string(),
            version: sortable(nsvc.version),
            context: nsvc.context.to_string(),
            build_context: known(&contexts.build),
            build_context_no_bases: known(&contexts.build_without_base),
            runtime_context: known(&contexts.runtime),
            state: build.state(),
            state_reason: build.life.reason().map(str::to_owned),
            koji_tag: build.koji_tag.as_ref().map(TagName::to_string),
            cg_tag: build.cg_tag.as_ref().map(TagName::to_string),
            scmurl: build.new.scmurl.clone(),
            scratch: build.new.scratch,
            srpms: json_list(build.srpms()),
            owner: build.new.owner.clone(),
            submitted_at: build.submitted_at,
            modified_at: build.life.changed_at(),
            completed_at: build.life.completed_at(),
            repo_task: build.repo_task,
            strategy: build.new.strategy.name(),
            reuse_from: build.new.reuse_from,
            batch: build.batch.0,
            stream_version: rules.stream_version(nsvc),
        }
    }

    /// Returns what is in a column; `None` for null, and for the document, which is kept apart.
    pub fn value(&self, column: Column) -> Option<Value> {
        let text = |text: &String| Some(Value::Text(text.clone()));
        let maybe = |text: &Option<String>| text.clone().map(Value::Text);
        match column {
            Column::Id => Some(Value::Number(self.id.0)),
            Column::Name => text(&self.name),
            Column::Stream => text(&self.stream),
            Column::Version => text(&self.version),
            Column::Context => text(&self.context),
            Column::BuildContext => maybe(&self.build_context),
            Column::BuildContextNoBases => maybe(&self.build_context_no_bases),
            Column::RuntimeContext => maybe(&self.runtime_context),
            Column::State => Some(Value::Number(self.state.number().into())),
            Column::StateReason => maybe(&self.state_reason),
            Column::Document => None,
            Column::KojiTag => maybe(&self.koji_tag),
            Column::CgTag => maybe(&self.cg_tag),
            Column::ScmUrl => maybe(&self.scmurl),
            Column::Scratch => Some(Value::Flag(self.scratch)),
            Column::Srpms => text(&self.srpms),
            Column::Owner => text(&self.owner),
            Column::TimeSubmitted => Some(Value::Time(self.submitted_at)),
            Column::TimeModified => Some(Value::Time(self.modified_at)),
            Column::TimeCompleted => self.completed_at.map(Value::Time),
            Column::RepoTask => self.repo_task.map(|task| Value::Number(task.0)),
            Column::Strategy => Some(Value::Text(self.strategy.to_owned())),
            Column::ReuseFrom => self.reuse_from.map(|build| Value::Number(build.0)),
            Column::Batch => Some(Value::Number(self.batch.into())),
            Column::StreamVersion => self.stream_version.map(Value::Decimal),
        }
    }
}

/// What a component build has in its columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "`ComponentColumn` describes them")]
pub struct ComponentColumns {
    pub package: String,
    pub scmurl: Option<String>,
    pub task: Option<TaskId>,
    pub commit: Option<String>,
    pub state: Option<u8>,
    pub state_reason: Option<String>,
    pub nvr: Option<String>,
    pub tagged: bool,
    pub tagged_in_final: bool,
    pub build_time_only: bool,
    pub buildonly: bool,
    pub batch: u32,
    pub reused_from: Option<i64>,
    pub weight: f64,
}

impl ComponentColumns {
    /// Reads the columns off a record.
    pub fn of(component: &ComponentBuild) -> Self {
        let scmurl = match &component.source {
            ComponentSource::Git { url, commit } => Some(format!("{url}?#{commit}")),
            ComponentSource::Srpm(path) => Some(path.clone()),
            ComponentSource::Macros => None,
        };
        let reused_from = match &component.verdict {
            Some(Verdict::Reuse { from, .. }) => from.map(|id| id.0),
            Some(Verdict::Rebuild(_)) | None => None,
        };
        Self {
            package: component.package.to_string(),
            scmurl,
            task: component.task,
            commit: component.source.commit().map(ToString::to_string),
            state: component.state.map(|state| state.number()),
            state_reason: component.reason.clone(),
            nvr: component.nvr.as_ref().map(ToString::to_string),
            tagged: component.tagged,
            tagged_in_final: component.tagged_in_final,
            build_time_only: component.build_time_only,
            buildonly: component.buildonly,
            batch: component.batch.0,
            reused_from,
            weight: component.weight.cost(),
        }
    }

    /// Returns what is in a column; `None` for null, and for the ids, which the record does not know itself.
    pub fn value(&self, column: ComponentColumn) -> Option<Value> {
        let maybe = |text: &Option<String>| text.clone().map(Value::Text);
        match column {
            ComponentColumn::Id | ComponentColumn::ModuleBuild => None,
            ComponentColumn::Package => Some(Value::Text(self.package.clone())),
            ComponentColumn::ScmUrl => maybe(&self.scmurl),
            ComponentColumn::Format => Some(Value::Text("rpms".to_owned())),
            ComponentColumn::Task => self.task.map(|task| Value::Number(task.0)),
            ComponentColumn::Ref => maybe(&self.commit),
            ComponentColumn::State => self.state.map(|state| Value::Number(state.into())),
            ComponentColumn::StateReason => maybe(&self.state_reason),
            ComponentColumn::Nvr => maybe(&self.nvr),
            ComponentColumn::Tagged => Some(Value::Flag(self.tagged)),
            ComponentColumn::TaggedInFinal => Some(Value::Flag(self.tagged_in_final)),
            ComponentColumn::BuildTimeOnly => Some(Value::Flag(self.build_time_only)),
            ComponentColumn::Buildonly => Some(Value::Flag(self.buildonly)),
            ComponentColumn::Batch => Some(Value::Number(self.batch.into())),
            ComponentColumn::ReusedFrom => self.reused_from.map(Value::Number),
            ComponentColumn::Weight => Some(Value::Decimal(self.weight)),
        }
    }
}

/// Returns a digest of a document as text, to find it by.
pub fn document_digest(text: &str) -> String {
    sha1_hex(text)
}

/// Returns the virtual streams that a document provides, sorted; only those of base modules provide any.
pub fn virtual_streams(document: &ModuleStream) -> BTreeSet<String> {
    let streams = document.xmd.at(&["mbs", "virtual_streams"]).map(Xmd::texts).unwrap_or_default();
    streams.into_iter().map(str::to_owned).collect()
}

/// Says whether something outside may matter to a build: those that ended have timers only.
pub fn is_under_way(build: &ModuleBuild) -> bool {
    match build.state() {
        State::Init | State::Wait | State::Build => true,
        State::Done => !build.new.scratch,
        State::Failed => !build.life.is_settled(),
        State::Ready | State::Garbage => false,
    }
}

/// Returns the destination tags of the builds that may own a tag: it is one itself, or made of one.
pub fn destinations(tag: &TagName) -> impl Iterator<Item = TagName> {
    let made_of = tag.as_str().strip_suffix("-build").and_then(|destination| TagName::new(destination).ok());
    std::iter::once(tag.clone()).chain(made_of)
}

/// Writes a list of texts as JSON, as Python does: a blank after each comma, all but ASCII escaped.
fn json_list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let quoted: Vec<String> = texts.into_iter().map(|text| json_text(text)).collect();
    format!("[{}]", quoted.join(", "))
}

fn json_text(text: &str) -> String {
    let mut quoted = String::from('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit).ok() {
            Some(b'"') => quoted.push_str("\\\""),
            Some(b'\\') => quoted.push_str("\\\\"),
            Some(b'\n') => quoted.push_str("\\n"),
            Some(b'\t') => quoted.push_str("\\t"),
            Some(b'\r') => quoted.push_str("\\r"),
            Some(0x08) => quoted.push_str("\\b"),
            Some(0x0c) => quoted.push_str("\\f"),
            Some(byte @ 0x20..=0x7f) => quoted.push(byte.into()),
            _ => quoted.push_str(&format!("\\u{unit:04x}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::samples::id;

    #[test]
    fn lists_are_written_as_python_writes_them() {
        let list = |texts: &[&str]| json_list(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&[]), "[]");
        assert_eq!(list(&["a", "b\"\\"]), r#"["a", "b\"\\"]"#);
        assert_eq!(list(&["é\u{0}😀\u{8}"]), r#"["\u00e9\u0000\ud83d\ude00\b"]"#);
    }

    #[test]
    fn versions_sort_as_numbers_and_are_found_as_they_are_written() {
        assert!(sortable(Version(9)) < sortable(Version(10)));
        assert_eq!(sortable(Version(u64::MAX)), "18446744073709551615");
        assert_eq!(sortable_text("42"), Some("00000000000000000042".to_owned()));
        assert_eq!(["042", "", "x", "-1", "99999999999999999999"].map(sortable_text), [const { None }; 5]);
    }

    #[test]
    fn only_base_modules_with_digits_have_a_stream_version() {
        let rules = Rules { base_modules: vec![id("platform")], ..Rules::default() };
        let of = |nsvc: &str| rules.stream_version(&id(nsvc));
        assert_eq!(of("platform:el8.2.1:1:a"), Some(80201.0));
        assert_eq!((of("platform:rawhide:1:a"), of("app:1:1:a")), (None, None));
    }

    #[test]
    fn a_tag_may_be_a_destination_or_made_of_one() {
        let of = |tag: &str| destinations(&id(tag)).map(|tag| tag.to_string()).collect::<Vec<_>>();
        assert_eq!(of("module-a"), ["module-a"]);
        assert_eq!(of("module-a-build"), ["module-a-build", "module-a"]);
    }
}
