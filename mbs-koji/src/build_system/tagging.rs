//! Builds into tags and out of them.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::build_system::{BuildSystemError, TagRequest};
use mbs_core::ident::{Nvr, TagName};

use super::calls::{Answers, Calls, Ticket};
use super::refusal;
use crate::api::build::{self, BuildState};
use crate::api::tag;
use crate::xmlrpc::FaultCode;

/// The question which builds exist, and which are where they should be.
#[derive(Debug)]
pub(super) struct Question<'r> {
    requests: &'r [TagRequest],
    tags: BTreeMap<&'r TagName, (Ticket, Ticket)>,
    builds: BTreeMap<&'r Nvr, Ticket>,
}

/// What came of the question.
#[derive(Debug, Default)]
pub(super) struct Standing<'r> {
    /// Builds that exist and are not where they should be.
    pub(super) missing: Vec<&'r TagRequest>,
    /// Builds that do not exist.
    pub(super) gone: BTreeSet<Nvr>,
}

impl<'r> Question<'r> {
    pub(super) fn ask(requests: &'r [TagRequest], calls: &mut Calls) -> Self {
        let mut question = Self { requests, tags: BTreeMap::new(), builds: BTreeMap::new() };
        for TagRequest { tag, nvr, .. } in requests {
            question
                .tags
                .entry(tag)
                .or_insert_with(|| (calls.add(tag::tag(tag)), calls.add(build::in_tag(tag))));
            question.builds.entry(nvr).or_insert_with(|| calls.add(build::build(nvr)));
        }
        question
    }

    /// # Errors
    /// `NotFound` names a tag that does not exist.
    pub(super) fn read(&self, answers: &Answers) -> Result<Standing<'r>, BuildSystemError> {
        let mut there: BTreeSet<(&TagName, Nvr)> = BTreeSet::new();
        for (name, (tag, builds)) in &self.tags {
            let doing = format_args!("to show what is in the tag {name}");
            if answers.read(*tag, doing, tag::read)?.is_none() {
                return Err(BuildSystemError::NotFound { what: format!("the tag {name}") });
            }
            let tagged = answers.read(*builds, doing, build::read_tagged)?;
            there.extend(tagged.into_iter().map(|tagged| (*name, tagged.build.nvr)));
        }
        let mut standing = Standing::default();
        for (nvr, ticket) in &self.builds {
            let build = answers.read(*ticket, format_args!("to show the build {nvr}"), build::read)?;
            if build.is_none_or(|build| build.state != BuildState::Complete) {
                standing.gone.insert((*nvr).clone());
            }
        }
        let is_missing = |request: &&TagRequest| {
            !standing.gone.contains(&request.nvr) && !there.contains(&(&request.tag, request.nvr.clone()))
        };
        standing.missing = self.requests.iter().filter(is_missing).collect();
        Ok(standing)
    }
}

/// Adds the calls that put builds into tags.
pub(super) fn tag_all<'r>(missing: &[&'r TagRequest], calls: &mut Calls) -> Vec<(&'r TagRequest, Ticket)> {
    missing.iter().map(|request| (*request, calls.add(build::tag(&request.tag, &request.nvr)))).collect()
}

/// Says what became of putting builds into tags; the first refusal counts.
pub(super) fn check_tagged(
    asked: &[(&TagRequest, Ticket)],
    answers: &Answers,
) -> Result<(), BuildSystemError> {
    for (TagRequest { tag, nvr, .. }, ticket) in asked {
        if let Err(fault) = answers.of(*ticket) {
            return Err(refusal::of_fault(fault, format_args!("to put the build {nvr} into the tag {tag}")));
        }
    }
    Ok(())
}

/// The order to take builds out of tags, with what tells a refusal from what needs nothing done.
#[derive(Debug)]
pub(super) struct Untagging<'r> {
    tags: BTreeMap<&'r TagName, Ticket>,
    builds: BTreeMap<&'r Nvr, Ticket>,
    each: Vec<(&'r TagRequest, Ticket)>,
}

impl<'r> Untagging<'r> {
    pub(super) fn ask(requests: &'r [TagRequest], calls: &mut Calls) -> Self {
        let mut asked = Self { tags: BTreeMap::new(), builds: BTreeMap::new(), each: Vec::new() };
        for request in requests {
            asked.tags.entry(&request.tag).or_insert_with(|| calls.add(tag::tag(&request.tag)));
            asked.builds.entry(&request.nvr).or_insert_with(|| calls.add(build::build(&request.nvr)));
            asked.each.push((request, calls.add(build::untag(&request.tag, &request.nvr))));
        }
        asked
    }

    /// Tags and builds that do not exist, and builds that were not there, are fine.
    pub(super) fn check(&self, answers: &Answers) -> Result<(), BuildSystemError> {
        for (TagRequest { tag, nvr, .. }, ticket) in &self.each {
            let Err(fault) = answers.of(*ticket) else { continue };
            let is_nil = |ticket: Ticket| matches!(answers.of(ticket), Ok(value) if value.is_nil());
            let is_unknown = is_nil(self.tags[tag]) || is_nil(self.builds[nvr]);
            if !is_unknown && fault.code != FaultCode::TagError {
                let doing = format_args!("to take the build {nvr} out of the tag {tag}");
                return Err(refusal::of_fault(fault, doing));
            }
        }
        Ok(())
    }
}
