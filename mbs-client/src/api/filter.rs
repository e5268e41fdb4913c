//! What is looked for among module builds, and in which order they come.

use jiff::Timestamp;
use mbs_core::ident::{BuildId, Nsvc, TaskId};
use mbs_core::model::State;

use crate::client::{Method, Request};

/// Which module builds are wanted: all that have every given value. `None` and empty: any. Texts match whole and with case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// The module's name.
    pub name: Option<String>,
    /// Its stream.
    pub stream: Option<String>,
    /// Its version, as text.
    pub version: Option<String>,
    /// Its context.
    pub context: Option<String>,
    /// One to four parts of `name:stream:version:context`; counts instead of the four above.
    pub nsvc: Option<String>,
    /// Any of these states.
    pub states: Vec<State>,
    /// Who submitted it.
    pub owner: Option<String>,
    /// The tag for what is built.
    pub koji_tag: Option<String>,
    /// The tag for the import.
    pub cg_build_koji_tag: Option<String>,
    /// Where its document came from.
    pub scmurl: Option<String>,
    /// The last reason that was given.
    pub state_reason: Option<String>,
    /// Which components are built again.
    pub rebuild_strategy: Option<String>,
    /// 40 hexadecimal digits.
    pub build_context: Option<String>,
    /// 40 hexadecimal digits, without base modules.
    pub build_context_no_bms: Option<String>,
    /// 40 hexadecimal digits.
    pub runtime_context: Option<String>,
    /// Uploaded sources, as the JSON text that is stored.
    pub srpms: Option<String>,
    /// The stored document.
    pub modulemd: Option<String>,
    /// The batch that is being built.
    pub batch: Option<u32>,
    /// The task of the last repository.
    pub new_repo_task_id: Option<TaskId>,
    /// The build that components may be taken from.
    pub reused_module_id: Option<BuildId>,
    /// What orders base modules.
    pub stream_version: Option<f64>,
    /// Base modules of the same major version that are not newer.
    pub stream_version_lte: Option<f64>,
    /// Whether it is thrown away when it is done.
    pub scratch: Option<bool>,
    /// Any of these virtual streams; base modules only.
    pub virtual_streams: Vec<String>,
    /// Submitted then or earlier.
    pub submitted_before: Option<Timestamp>,
    /// Submitted then or later.
    pub submitted_after: Option<Timestamp>,
    /// Changed last then or earlier.
    pub modified_before: Option<Timestamp>,
    /// Changed last then or later.
    pub modified_after: Option<Timestamp>,
    /// Ended then or earlier.
    pub completed_before: Option<Timestamp>,
    /// Ended then or later.
    pub completed_after: Option<Timestamp>,
    /// What it is built on.
    pub base: Bases,
    /// The file name of an RPM that it contains.
    pub rpm: Option<String>,
    /// Which come first.
    pub order: Order,
}

/// Which base module a build is built on; all that is given has to hold of the same one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bases {
    /// Exactly this one.
    pub exactly: Option<Nsvc>,
    /// Its name.
    pub name: Option<String>,
    /// Its stream.
    pub stream: Option<String>,
    /// Its version, as text.
    pub version: Option<String>,
    /// Its context.
    pub context: Option<String>,
    /// What orders base modules.
    pub stream_version: Option<f64>,
    /// The same, or less.
    pub stream_version_lte: Option<f64>,
    /// The same, or more.
    pub stream_version_gte: Option<f64>,
}

/// Which builds come first. Columns are named as the objects' members are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest, by number.
    #[default]
    Newest,
    /// By these columns, one after another, ascending.
    By(Vec<String>),
    /// By these columns, one after another, descending.
    DescendingBy(Vec<String>),
}

pub(super) type Pair = (&'static str, Option<String>);

/// Spells a number as the service does: `80200.0`.
pub(super) fn number(value: Option<f64>) -> Option<String> {
    value.map(|value| format!("{value:?}"))
}

pub(super) fn spelled<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

pub(super) fn given(pairs: impl IntoIterator<Item = Pair>) -> impl Iterator<Item = (&'static str, String)> {
    pairs.into_iter().filter_map(|(key, value)| Some((key, value?)))
}

pub(super) fn each<T: ToString>(
    key: &'static str,
    values: &[T],
) -> impl Iterator<Item = (&'static str, String)> {
    values.iter().map(move |value| (key, value.to_string()))
}

impl Filter {
    /// Returns the request of a list, without what says how it comes.
    pub fn request(&self) -> Request {
        let query = given(self.texts())
            .chain(each("state", &self.states))
            .chain(each("virtual_stream", &self.virtual_streams))
            .chain(given(self.numbers()))
            .chain(given(self.times()))
            .chain(given(self.base.pairs()))
            .chain(self.order.pairs());
        Request { query: query.collect(), ..Request::new(Method::Get, ["module-builds", ""]) }
    }

    fn texts(&self) -> [Pair; 17] {
        [
            ("name", self.name.clone()),
            ("stream", self.stream.clone()),
            ("version", self.version.clone()),
            ("context", self.context.clone()),
            ("nsvc", self.nsvc.clone()),
            ("owner", self.owner.clone()),
            ("koji_tag", self.koji_tag.clone()),
            ("cg_build_koji_tag", self.cg_build_koji_tag.clone()),
            ("scmurl", self.scmurl.clone()),
            ("state_reason", self.state_reason.clone()),
            ("rebuild_strategy", self.rebuild_strategy.clone()),
            ("build_context", self.build_context.clone()),
            ("build_context_no_bms", self.build_context_no_bms.clone()),
            ("runtime_context", self.runtime_context.clone()),
            ("srpms", self.srpms.clone()),
            ("modulemd", self.modulemd.clone()),
            ("rpm", self.rpm.clone()),
        ]
    }

    fn numbers(&self) -> [Pair; 6] {
        [
            ("batch", spelled(self.batch)),
            ("new_repo_task_id", spelled(self.new_repo_task_id)),
            ("reused_module_id", spelled(self.reused_module_id)),
            ("stream_version", number(self.stream_version)),
            ("stream_version_lte", number(self.stream_version_lte)),
            ("scratch", spelled(self.scratch)),
        ]
    }

    fn times(&self) -> [Pair; 6] {
        [
            ("submitted_before", spelled(self.submitted_before)),
            ("submitted_after", spelled(self.submitted_after)),
            ("modified_before", spelled(self.modified_before)),
            ("modified_after", spelled(self.modified_after)),
            ("completed_before", spelled(self.completed_before)),
            ("completed_after", spelled(self.completed_after)),
        ]
    }
}

impl Bases {
    fn pairs(&self) -> [Pair; 8] {
        [
            ("base_module_br", spelled(self.exactly.as_ref())),
            ("base_module_br_name", self.name.clone()),
            ("base_module_br_stream", self.stream.clone()),
            ("base_module_br_version", self.version.clone()),
            ("base_module_br_context", self.context.clone()),
            ("base_module_br_stream_version", number(self.stream_version)),
            ("base_module_br_stream_version_lte", number(self.stream_version_lte)),
            ("base_module_br_stream_version_gte", number(self.stream_version_gte)),
        ]
    }
}

impl Order {
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> {
        let (key, columns) = match self {
            Self::Newest => ("", &[][..]),
            Self::By(columns) => ("order_by", &columns[..]),
            Self::DescendingBy(columns) => ("order_desc_by", &columns[..]),
        };
        each(key, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_not_asked() {
        assert_eq!(Filter::default().request().to_string(), "GET module-builds/");
    }

    #[test]
    fn values_are_spelled_as_the_service_reads_them() {
        let filter = Filter {
            name: Some("platform".into()),
            states: vec![State::Ready, State::Garbage],
            virtual_streams: vec!["el8".into(), "el8next".into()],
            stream_version_lte: Some(80200.0),
            scratch: Some(false),
            submitted_after: Some("2023-03-01T04:00:00Z".parse().unwrap()),
            base: Bases { exactly: Some("platform:f39:3:00000000".parse().unwrap()), ..Bases::default() },
            order: Order::DescendingBy(vec!["stream_version".into(), "version".into()]),
            ..Filter::default()
        };
        assert_eq!(
            filter.request().to_string(),
            "GET module-builds/?name=platform&state=ready&state=garbage&virtual_stream=el8&virtual_stream=el8next\
             &stream_version_lte=80200.0&scratch=false&submitted_after=2023-03-01T04:00:00Z\
             &base_module_br=platform:f39:3:00000000&order_desc_by=stream_version&order_desc_by=version"
        );
    }
}
