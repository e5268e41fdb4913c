//! What was asked of PDC for one expansion: each question once, however many want its answer, and however they overlap.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mbs_core::ident::{Name, Nsvc, Stream};
use mbs_core::resolver::KnownModule;
use tokio::sync::OnceCell;

use super::module;
use crate::api::{Entries, Entry, Filter};
use crate::client::{PdcError, told};

/// Which entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) name: Name,
    /// `None`: all streams.
    pub(super) stream: Option<Stream>,
    /// `None`: active and inactive ones.
    pub(super) active: Option<bool>,
}

impl Question {
    /// Returns the questions whose answer holds that of this one, itself last.
    fn broader(&self) -> Vec<Self> {
        let all = Self { stream: None, active: None, ..self.clone() };
        let of_name = Self { stream: None, ..self.clone() };
        let of_stream = Self { active: None, ..self.clone() };
        let mut questions = vec![all, of_name, of_stream, self.clone()];
        questions.dedup();
        questions
    }

    fn filter(&self) -> Filter {
        Filter {
            name: Some(self.name.to_string()),
            stream: self.stream.as_ref().map(ToString::to_string),
            active: self.active,
            ..Filter::default()
        }
    }

    /// Filters match whatever the case; modules have one.
    fn wants(&self, build: &Build) -> bool {
        build.nsvc.name == self.name
            && self.stream.as_ref().is_none_or(|stream| build.nsvc.stream == *stream)
            && self.active.is_none_or(|active| build.entry.active == active)
    }
}

/// An entry whose identity makes sense. Its document is read when somebody wants it.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) nsvc: Nsvc,
    entry: Entry,
    known: OnceLock<Option<KnownModule>>,
}

impl Build {
    /// Takes an entry; one whose identity makes no sense is told and left out.
    pub(super) fn of(entry: Entry) -> Option<Self> {
        match module::identity(&entry) {
            Ok(nsvc) => Some(Self { nsvc, entry, known: OnceLock::new() }),
            Err(broken) => {
                leave_out(&entry, &broken);
                None
            }
        }
    }

    /// Returns the module; an entry that is broken is told once, and left out.
    pub(super) fn known(&self) -> Option<&KnownModule> {
        let read = || module::known(&self.entry).map_err(|broken| leave_out(&self.entry, &broken)).ok();
        self.known.get_or_init(read).as_ref()
    }
}

fn leave_out(entry: &Entry, broken: &module::Broken) {
    let uid = told(&entry.uid);
    tracing::warn!(pdc.uid = uid, "PDC's entry {uid:?} is left out: {broken}");
}

type Answer = Arc<OnceCell<Arc<Vec<Arc<Build>>>>>;

/// The questions that were asked, with their answers. What could not be answered is asked again.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    asked: Mutex<BTreeMap<Question, Answer>>,
}

impl Shelf {
    /// Returns the builds that a question is about, in PDC's order.
    ///
    /// # Errors
    /// PDC does not answer.
    pub(super) async fn builds(
        &self,
        entries: &Entries,
        question: &Question,
    ) -> Result<Vec<Arc<Build>>, PdcError> {
        let (asked, answer) = self.answer(question);
        let found = answer.get_or_try_init(|| ask(entries, &asked)).await?;
        Ok(found.iter().filter(|build| question.wants(build)).cloned().collect())
    }

    /// Returns the builds that a question is about if somebody asked already; `None`: nobody knows yet.
    pub(super) fn known(&self, question: &Question) -> Option<Vec<Arc<Build>>> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = |broader: &Question| asked.get(broader).and_then(|answer| answer.get()).cloned();
        let found = question.broader().iter().find_map(answered)?;
        Some(found.iter().filter(|build| question.wants(build)).cloned().collect())
    }

    /// Returns where the answer is, or will be, and the question that it answers: a broader one that was asked will do.
    fn answer(&self, question: &Question) -> (Question, Answer) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        for broader in question.broader() {
            if let Some(answer) = asked.get(&broader) {
                return (broader, answer.clone());
            }
        }
        let answer = asked.entry(question.clone()).or_default().clone();
        (question.clone(), answer)
    }
}

async fn ask(entries: &Entries, question: &Question) -> Result<Arc<Vec<Arc<Build>>>, PdcError> {
    let found = entries.find(&question.filter()).await?;
    Ok(Arc::new(found.into_iter().filter_map(Build::of).map(Arc::new).collect()))
}
