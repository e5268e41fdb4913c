//! One look at the hub: all that is asked in one request, and a second one only for what hangs on the first.
//!
//! Which calls belong to which question, and what their answers mean, is decided here without a hub: a look says what to ask
//! ([`Look::ask`]), takes the answers ([`Look::take`]), and may have more to ask. Parts that were asked are answered.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::build_system::{BuildAnswers, BuildQuestions, BuildSystemError, TaggedBuild};
use mbs_core::ident::{Nvr, TagName};

use super::calls::{Answers, Calls, Ticket};
use super::refusal;
use crate::api::{build, repo, rpm, tag};

mod failures;
mod rpms;
mod search;
mod tasks;
mod weights;

pub(super) use rpms::{External, Repositories, places};

/// What a look has to know beside the questions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer<'a> {
    /// Koji's id of our user; `None` before it was needed.
    pub(super) user: Option<i64>,
    /// Where people look at tasks, without a slash at the end.
    pub(super) web: Option<&'a str>,
    /// How many architectures components are built for where nothing else says so.
    pub(super) arches: usize,
    /// Whether the hub keeps requests for repositories.
    pub(super) has_requests: bool,
}

/// A look under way.
#[derive(Debug)]
pub(super) struct Look<'q> {
    questions: &'q BuildQuestions,
    viewer: Viewer<'q>,
    round: u32,
    asked: First,
    search: search::Adoption,
    weights: weights::Weights,
    rpms: rpms::TagRpms,
    answers: BuildAnswers,
}

/// Where the answers of the first round are.
#[derive(Debug, Default)]
struct First {
    tasks: tasks::Asked,
    tags: BTreeMap<TagName, OneTag>,
    repo: Option<(Ticket, Ticket)>,
    repo_tries: Option<Ticket>,
    search: Option<search::Asked>,
    failures: failures::Asked,
    rpms_of_builds: Vec<(Nvr, Ticket)>,
    tag_arches: Vec<(TagName, Ticket)>,
}

/// A tag, and what is in it: a fault if there is no such tag.
#[derive(Debug, Clone, Copy)]
struct OneTag {
    tag: Ticket,
    builds: Ticket,
}

/// Says whether questions can be answered only by who knows our user.
pub(super) fn needs_user(questions: &BuildQuestions) -> bool {
    questions.search.is_some() || !questions.weights.is_empty()
}

impl<'q> Look<'q> {
    pub(super) fn new(questions: &'q BuildQuestions, viewer: Viewer<'q>) -> Self {
        Self {
            questions,
            viewer,
            round: 0,
            asked: First::default(),
            search: search::Adoption::default(),
            weights: weights::Weights::default(),
            rpms: rpms::TagRpms::default(),
            answers: BuildAnswers::default(),
        }
    }

    /// Returns what to ask next; nothing: the look is over.
    pub(super) fn ask(&mut self) -> Calls {
        let mut calls = Calls::default();
        if self.round == 0 {
            self.ask_first(&mut calls);
        } else {
            self.search.ask(&mut calls);
        }
        self.weights.ask(&mut calls, self.questions, self.viewer.user);
        calls
    }

    fn ask_first(&mut self, calls: &mut Calls) {
        let questions = self.questions;
        self.asked.tasks = tasks::Asked::ask(&questions.tasks, calls);
        let searched = questions.search.iter().flat_map(|search| &search.tags);
        let tags: BTreeSet<&TagName> = questions.tags.iter().chain(searched).collect();
        for name in tags {
            let asked = OneTag { tag: calls.add(tag::tag(name)), builds: calls.add(build::in_tag(name)) };
            self.asked.tags.insert(name.clone(), asked);
        }
        self.asked.repo =
            questions.repo_of.as_ref().map(|name| (calls.add(tag::tag(name)), calls.add(repo::newest(name))));
        let kept = questions.repo_asked.as_ref().filter(|_| self.viewer.has_requests);
        self.asked.repo_tries = kept.map(|asked| calls.add(repo::requests(&asked.tag, asked.shows)));
        self.asked.search =
            questions.search.as_ref().map(|search| search::Asked::ask(search, self.viewer.user, calls));
        self.asked.failures = failures::Asked::ask(&questions.failures, calls);
        self.asked.rpms_of_builds =
            questions.rpms_of_builds.iter().map(|nvr| (nvr.clone(), calls.add(rpm::of_build(nvr)))).collect();
        self.asked.tag_arches =
            questions.tag_arches.iter().map(|name| (name.clone(), calls.add(tag::tag(name)))).collect();
        self.rpms = rpms::TagRpms::ask(questions, calls);
    }

    /// Takes the answers to what was asked last.
    pub(super) fn take(&mut self, answers: &Answers) -> Result<(), BuildSystemError> {
        if self.round == 0 {
            self.take_first(answers)?;
        } else {
            self.search.take(answers)?;
        }
        self.round += 1;
        self.weights.take(answers, self.viewer.arches)
    }

    fn take_first(&mut self, answers: &Answers) -> Result<(), BuildSystemError> {
        let (questions, asked) = (self.questions, &self.asked);
        if !questions.tasks.is_empty() {
            self.answers.tasks = Some(asked.tasks.read(answers)?);
        }
        let mut tags = BTreeMap::new();
        for (name, tickets) in &asked.tags {
            tags.insert(name.clone(), builds_in(name, *tickets, answers)?);
        }
        if let Some(search) = &asked.search {
            let question = questions.search.as_ref().expect("it was asked");
            self.search = search.read(question, &tags, answers)?;
        }
        if !questions.tags.is_empty() {
            tags.retain(|name, _| questions.tags.contains(name));
            self.answers.tags = Some(tags);
        }
        self.answers.repo = match asked.repo {
            Some((tag, repo)) if known(tag, answers)?.is_some() => {
                Some(answers.read(repo, "to show the newest repository of a tag", repo::read)?)
            }
            Some(_) => Some(None),
            None => None,
        };
        // A hub that refuses this still makes repositories.
        let tries = asked.repo_tries.and_then(|ticket| answers.of(ticket).as_ref().ok());
        self.answers.repo_tries =
            tries.map(repo::read_requests).transpose().map_err(|odd| refusal::of_odd(&odd))?.flatten();
        if !questions.failures.is_empty() {
            self.answers.failures = Some(asked.failures.read(answers, self.viewer.web)?);
        }
        if !questions.rpms_of_builds.is_empty() {
            self.answers.rpms_of_builds = Some(rpms::of_builds(&asked.rpms_of_builds, answers)?);
        }
        if !questions.tag_arches.is_empty() {
            let mut arches = BTreeMap::new();
            for (name, ticket) in &asked.tag_arches {
                let known = known(*ticket, answers)?.map(|tag| tag.arches);
                arches.insert(name.clone(), known.filter(|arches| !arches.is_empty()));
            }
            self.answers.tag_arches = Some(arches);
        }
        self.rpms.take(answers)
    }

    /// Returns the external repositories whose RPMs count, once all has been asked.
    pub(super) fn external(&self) -> &External {
        self.rpms.external()
    }

    /// Returns the answers; `repositories` holds the RPMs of the external repositories.
    pub(super) fn finish(mut self, repositories: &Repositories) -> BuildAnswers {
        let questions = self.questions;
        if questions.search.is_some() {
            self.answers.search = Some(self.search.found());
        }
        if !questions.weights.is_empty() {
            self.answers.weights = Some(self.weights.known());
        }
        if !questions.tag_rpms.is_empty() {
            self.answers.tag_rpms = Some(self.rpms.finish(&questions.arches, repositories));
        }
        self.answers
    }
}

/// Reads a tag; `None` if it is unknown.
fn known(ticket: Ticket, answers: &Answers) -> Result<Option<tag::Tag>, BuildSystemError> {
    answers.read(ticket, "to show a tag", tag::read)
}

/// Reads the builds of a tag; `None` if it is unknown.
fn builds_in(
    name: &TagName,
    asked: OneTag,
    answers: &Answers,
) -> Result<Option<Vec<TaggedBuild>>, BuildSystemError> {
    if known(asked.tag, answers)?.is_none() {
        return Ok(None);
    }
    let doing = format_args!("to show what is in the tag {name}");
    let tagged = answers.read(asked.builds, doing, build::read_tagged)?;
    let seen = tagged.into_iter().map(|tagged| TaggedBuild {
        package: tagged.package,
        nvr: tagged.build.nvr,
        task: tagged.build.task,
        event: tagged.event,
    });
    Ok(Some(seen.collect()))
}

#[cfg(test)]
mod tests {
    use mbs_core::build_system::AskedRepo;
    use mbs_core::ident::TagEvent;

    use super::*;
    use crate::xmlrpc::{Fault, FaultCode};

    #[test]
    fn a_hub_that_does_not_show_its_requests_spoils_no_look() {
        let asked = AskedRepo { tag: TagName::new("app-build").unwrap(), shows: TagEvent(7) };
        let questions = BuildQuestions { repo_asked: Some(asked), ..BuildQuestions::default() };
        let mut look = Look::new(&questions, Viewer { user: None, web: None, arches: 1, has_requests: true });
        let calls = look.ask();
        let asked: Vec<&str> = calls.as_slice().iter().map(|call| call.method()).collect();
        assert_eq!(asked, ["repo.queryQueue"]);
        let refused = Fault::new(FaultCode::GenericError, "Invalid method: repo.queryQueue");
        look.take(&Answers::to(&calls, vec![Err(refused)]).unwrap()).unwrap();
        assert_eq!(look.finish(&Repositories::new()), BuildAnswers::default());
    }
}
