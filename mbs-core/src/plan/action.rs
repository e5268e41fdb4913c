//! What a plan wants done: few and coarse, each an *ensure*.

use crate::build_system::{BuildrootSpec, ComponentJob, TagRequest};
use crate::ident::{TagName, TaskId};
use crate::model::Digest;

use super::ActionKey;

/// An effect. Doing it twice is doing it once, save submitting, which the record says was meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make tags, target, groups and inheritance so.
    EnsureBuildroot(Box<BuildrootSpec>, Digest),
    /// Ask for a new repository of the build tag.
    RequestRepo(TagName),
    /// Put builds into tags.
    Tag(Vec<TagRequest>),
    /// Start a component.
    Submit {
        /// What to build.
        job: Box<ComponentJob>,
        /// The attempt's number.
        attempt: u32,
    },
    /// Cancel tasks.
    Cancel(Vec<TaskId>),
    /// Take the finished module in.
    Import,
    /// Take builds out of tags.
    Untag(Vec<TagRequest>),
    /// Remove the target.
    RemoveTarget(TagName),
}

impl Action {
    /// Returns the key of the intention.
    pub fn key(&self) -> ActionKey {
        match self {
            Action::EnsureBuildroot(_, digest) => ActionKey::Buildroot(digest.clone()),
            Action::RequestRepo(_) => ActionKey::Repo,
            Action::Tag(_) => ActionKey::Tag,
            Action::Submit { job, attempt } => {
                ActionKey::Submit { package: job.package.clone(), attempt: *attempt }
            }
            Action::Cancel(_) => ActionKey::Cancel,
            Action::Import => ActionKey::Import,
            Action::Untag(_) => ActionKey::Untag,
            Action::RemoveTarget(_) => ActionKey::RemoveTarget,
        }
    }
}
