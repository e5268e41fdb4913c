//! What becomes of a submission, and what people may do to a build: pure, from the fetched document to the record.
//!
//! The order of a submission, one room each:
//!
//! | step | room |
//! | --- | --- |
//! | name, stream and version from repository or request | [`from_git`], [`from_text`] |
//! | one document per static context | [`static_contexts`] |
//! | what a document may not say | [`check_document`] |
//! | the user's streams, the branch's stream, notes | [`apply_overrides`], [`Notes::write_to`] |
//! | base streams that others provide | `virtual_streams` |
//! | the modules it is built with | [`crate::expansion`] |
//! | its identity, and what exists already | [`assemble`], [`Disposition`] |
//! | going on with a failed build, cancelling one | [`resume`], [`cancel`] |
//! | a module that was built elsewhere | [`Importable`] |
//!
//! Nothing here asks anybody anything: documents, known modules, existing builds and the time are arguments. Stream versions
//! and hashes are computed in [`crate::context`] and handed in.

mod asked;
mod assemble;
mod check;
mod contexts;
mod decide;
mod disposition;
mod identity;
mod import;
mod overrides;
mod patterns;
mod people;
mod refused;
mod rules;
mod scmurl;
mod srpms;
#[cfg(test)]
pub(crate) mod testing;
mod virtual_streams;

pub use asked::{Asked, GivenBuild, GivenDocument, Named};
pub use assemble::{Computed, Request, assemble};
pub use check::check_document;
pub use contexts::static_contexts;
pub use decide::{Decided, DecidedBuild, Decision, KnownBuilds, Needs, Submission, Told};
pub use disposition::Disposition;
pub(crate) use disposition::dispositions;
pub use identity::{GitOrigin, TextOrigin, from_git, from_text, version_of};
pub use import::Importable;
pub(crate) use overrides::apply_branch_stream;
pub use overrides::{Notes, Overrides, apply_overrides};
pub use patterns::Patterns;
pub use people::{cancel, resume};
pub use refused::{Refused, RefusedAs, Section};
pub use rules::Rules;
pub use scmurl::ScmUrl;
pub use srpms::{MatchedSrpms, match_srpms};
pub(crate) use virtual_streams::replace_virtual_streams;
