//! What a decision asks, is told, and comes to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::{Disposition, Named};
use crate::expansion::{Answers, Chosen, Questions};
use crate::ident::{BuildId, NameStream, Nsvc, Revision};
use crate::model::{ModuleBuild, NewBuild, State};
use crate::source_control::{Fetched, Place, SourceError};

/// What must be known next; each part is one question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Needs {
    /// For source control: the document.
    pub document: Option<Place>,
    /// For the resolver: whether this is past its end of life.
    pub end_of_life: Option<NameStream>,
    /// For the resolver: modules.
    pub modules: Questions,
    /// For the store: the build to reuse from.
    pub reuse_from: Option<Named>,
    /// For the store: the builds of these identities, whole.
    pub builds: BTreeSet<Nsvc>,
    /// For the store: how many scratch builds there are whose contexts begin like these.
    pub scratch: BTreeSet<Nsvc>,
}

/// What was answered; what was not asked is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// The document.
    pub document: Option<Result<Fetched, SourceError>>,
    /// Whether the stream is past its end of life; `Err`: nobody knows it, and who was asked, in words.
    pub end_of_life: Option<Result<bool, String>>,
    /// Modules.
    pub modules: Answers,
    /// The build to reuse from and its state; `Some(None)`: there is none.
    pub reuse_from: Option<Option<(BuildId, State)>>,
    /// Builds; `None`: not asked.
    pub builds: Option<KnownBuilds>,
    /// Numbers of scratch builds.
    pub scratch: BTreeMap<Nsvc, u32>,
}

/// Builds that exist; those asked for and missing do not.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownBuilds {
    /// The builds, with the revisions they were loaded at.
    pub builds: Vec<(ModuleBuild, Revision)>,
    /// The store's time, not before they were loaded.
    pub at: Timestamp,
}

/// The next step.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// This must be answered, and the answers given to [`learn`](super::Submission::learn).
    Need(Box<Needs>),
    /// What becomes of the submission.
    Done(Box<Decided>),
}

/// What becomes of a submission.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    /// Every build, by version and context.
    pub builds: Vec<DecidedBuild>,
    /// Builds to record.
    pub new: Vec<NewBuild>,
    /// Failed builds that go on: the record as it should be, and the revision it was loaded at.
    pub resumed: Vec<(ModuleBuild, Revision)>,
    /// What the submitter should know, a line each.
    pub warnings: Vec<String>,
}

/// What becomes of one build of a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct DecidedBuild {
    /// Its identity.
    pub nsvc: Nsvc,
    /// Whether it is new, goes on, or is there already.
    pub disposition: Disposition,
    /// The modules it is built with, and why each of them.
    pub chosen: Vec<Chosen>,
}
