//! What a service was asked for one expansion: each question once, however many want its answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mbs_core::ident::{Name, NameStream, Nsvc, TagName, Version};
use mbs_core::model::State;
use tokio::sync::OnceCell;

use super::module::Build;
use crate::api::{Bases, Filter, Form, Order};
use crate::client::{Client, ClientError};

/// Builds with documents on a page, where the first few are wanted.
const FEW: u64 = 10;
/// Builds with documents on a page, where all are wanted.
const MANY: u64 = 100;
/// Builds without documents on a page. Services may give fewer.
const SHORT: u64 = 1000;

/// Which builds are asked for. Ready ones, unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    /// Those of the highest version of a stream, and some more.
    Newest(NameStream),
    /// All of a stream.
    All(NameStream),
    /// Of a stream those built on a base module build: the highest version, and some more.
    On(NameStream, Nsvc),
    /// All of a name, retired ones too.
    OfName(Name),
    /// All of a name, without their documents.
    Streams(Name),
    /// Those of a version, retired ones too.
    Version(NameStream, Version),
    /// Those with a tag.
    Tag(TagName),
}

/// Builds in the order of the service.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) builds: Vec<Arc<Build>>,
    /// Whether these are all that the question is about.
    pub(super) is_all: bool,
}

impl Question {
    fn filter(&self) -> Filter {
        let of = |stream: &NameStream, states| Filter {
            name: Some(stream.name.to_string()),
            stream: Some(stream.stream.to_string()),
            states,
            order: Order::DescendingBy(vec!["version".to_owned()]),
            ..Filter::default()
        };
        let of_name =
            |name: &Name, states| Filter { name: Some(name.to_string()), states, ..Filter::default() };
        let both = || vec![State::Ready, State::Garbage];
        match self {
            Self::Newest(stream) | Self::All(stream) => of(stream, vec![State::Ready]),
            Self::On(stream, base) => Filter {
                base: Bases { exactly: Some(base.clone()), ..Bases::default() },
                ..of(stream, vec![State::Ready])
            },
            Self::OfName(name) => of_name(name, both()),
            Self::Streams(name) => of_name(name, vec![State::Ready]),
            Self::Version(stream, version) => {
                Filter { nsvc: Some(format!("{stream}:{version}")), states: both(), ..Filter::default() }
            }
            Self::Tag(tag) => {
                Filter { koji_tag: Some(tag.to_string()), states: vec![State::Ready], ..Filter::default() }
            }
        }
    }

    fn form(&self) -> Form {
        if let Self::Streams(_) = self { Form::Short } else { Form::Extended }
    }

    fn per_page(&self) -> u64 {
        match self {
            Self::Newest(_) | Self::On(..) => FEW,
            Self::Streams(_) => SHORT,
            Self::All(_) | Self::OfName(_) | Self::Version(..) | Self::Tag(_) => MANY,
        }
    }

    /// Says whether what has come is enough: the highest version whole.
    fn is_answered_by(&self, builds: &[Arc<Build>]) -> bool {
        let wants_few = matches!(self, Self::Newest(_) | Self::On(..));
        let versions = (builds.first(), builds.last());
        wants_few && matches!(versions, (Some(first), Some(last)) if last.nsvc.version < first.nsvc.version)
    }

    /// Says whether a build is one that the question is about: services that do not know a filter pass it over.
    fn wants(&self, build: &Build) -> bool {
        let is_of =
            |stream: &NameStream| build.nsvc.name == stream.name && build.nsvc.stream == stream.stream;
        match self {
            Self::Newest(stream) | Self::All(stream) => is_of(stream) && build.is_ready,
            Self::On(stream, base) => {
                is_of(stream)
                    && build.is_ready
                    && build.known().is_some_and(|known| known.was_built_against(base))
            }
            Self::OfName(name) => build.nsvc.name == *name,
            Self::Streams(name) => build.nsvc.name == *name && build.is_ready,
            Self::Version(stream, version) => is_of(stream) && build.nsvc.version == *version,
            Self::Tag(tag) => {
                build.is_ready && build.known().is_some_and(|known| known.tag.as_ref() == Some(tag))
            }
        }
    }

    async fn ask(&self, client: &Client) -> Result<Arc<Answer>, ClientError> {
        let mut pages = client.module_builds(&self.filter(), self.form()).per_page(self.per_page());
        let mut answer = Answer::default();
        while let Some(page) = pages.next().await? {
            let builds = page.items.into_iter().filter_map(Build::of).map(Arc::new);
            answer.builds.extend(builds.filter(|build| self.wants(build)));
            answer.is_all = page.meta.next.is_none();
            if self.is_answered_by(&answer.builds) {
                break;
            }
        }
        Ok(Arc::new(answer))
    }
}

/// The questions that were asked, with their answers. What could not be answered is asked again.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    asked: Mutex<BTreeMap<Question, Arc<OnceCell<Arc<Answer>>>>>,
}

impl Shelf {
    /// Returns the answer to a question.
    ///
    /// # Errors
    /// The service does not answer.
    pub(super) async fn answer(
        &self,
        client: &Client,
        question: Question,
    ) -> Result<Arc<Answer>, ClientError> {
        let cell = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.entry(question.clone()).or_default().clone()
        };
        cell.get_or_try_init(|| question.ask(client)).await.cloned()
    }

    /// Returns the answer to a question if somebody asked already; `None`: nobody knows yet.
    pub(super) fn known(&self, question: &Question) -> Option<Arc<Answer>> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(question).and_then(|cell| cell.get()).cloned()
    }

    /// Returns a build that an answer held, with its document; `None`: it has not been among them.
    pub(super) fn build(&self, nsvc: &Nsvc) -> Option<Arc<Build>> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let with_documents = asked.iter().filter(|(question, _)| question.form() == Form::Extended);
        let answers = with_documents.filter_map(|(_, cell)| cell.get());
        answers.flat_map(|answer| &answer.builds).find(|build| build.nsvc == *nsvc).cloned()
    }
}
