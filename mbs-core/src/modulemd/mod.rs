//! Documents that describe modules: reading, checking, upgrading and writing them.
//!
//! Every type and version of the public modulemd specification is read; what is written is always the newest version
//! that repositories hold. Text comes from anyone: it is read in one bounded pass, and what is wrong with it is said with
//! file, line, column, path and a hint. Names that look like numbers stay text, from reading to writing.
//!
//! | `document`, `version` | becomes |
//! | --- | --- |
//! | `modulemd` 1, 2; `modulemd-packager` 2 | [`ModuleStream`] |
//! | `modulemd-packager` 3 | [`PackagerV3`], and from it streams |
//! | `modulemd-defaults` 1 | [`Defaults`] |
//! | `modulemd-obsoletes` 1 | [`Obsoletes`] |
//! | `modulemd-translations` 1 | [`Translations`] |
//!
//! What libmodulemd takes is taken, what it refuses is refused. Differs: aliases are refused everywhere; an epoch has 32
//! bits; where libmodulemd meets no list of names under `api`, `filter` or `demodularized` it silently drops all that
//! follows in the document, here only that list is empty, with a warning; what makes it crash is refused.
//!
//! The room decides what a document says and whether it may say so. What to build is decided elsewhere, and so is whether a
//! name is fit for a tag or a path ([`crate::ident`]): here one that is not is only pointed out, with its place.

mod check_stream;
mod cursor;
mod emit;
mod emit_others;
mod findings;
mod libyaml;
mod others;
mod packager;
mod problem;
mod read;
mod read_artifacts;
mod read_components;
mod read_others;
mod read_packager;
mod read_parts;
mod read_stream;
mod stored;
mod stream;
mod tree;
mod xmd;
mod yaml;

pub use check_stream::is_static_context;
pub use others::{DefaultProfiles, Defaults, Intent, ObsoletedBy, Obsoletes, Translation, Translations};
pub use packager::{Configuration, PackagerV3};
pub use problem::{Place, Problem, Problems, Severity};
pub use read::{Document, Located, Read, Submission, read_bytes, read_documents, read_submission, validate};
pub use stored::NotStorable;
pub(crate) use stored::{MOST_TEXT, Proofs};
pub(crate) use stream::given;
pub use stream::{
    BuildOpts, Dependencies, ModuleComponent, ModuleStream, Profile, References, RpmComponent, RpmMapEntry,
};
pub use tree::Limits;
pub use xmd::Xmd;
