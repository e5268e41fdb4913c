//! A finished module as Koji imports it: as a build of its own, with metadata and files.
//!
//! Pure: the record, the RPMs of its tag and the document as written go in, what `CGImport` is to be told comes out. The same
//! input gives the same metadata: no time but the record's stands in it, and the versions of programs are configured. Which RPMs
//! and licences belong into which document is for [`mbs_core::artifacts`] to say. Source: behaviour, section 13.
//!
//! | file | architecture | content |
//! | --- | --- | --- |
//! | `modulemd.<arch>.txt` | that one | the final document, and the RPMs it names |
//! | `modulemd.txt` | `noarch` | the stored document, and all RPMs of the tag |
//! | `modulemd.src.txt` | `src` | the document as in git, and all RPMs; only of a build with a commit |
//! | `build.log` | `noarch` | the module's log, if there is any |

use mbs_core::artifacts::{BuiltRpm, Part};
use mbs_core::build_system::FinishedModule;
use mbs_core::ident::{Arch, Epoch, Nsvc, Nvr};

use crate::xmlrpc::Value;

mod documents;
mod import_tag;
mod metadata;

#[cfg(test)]
mod tests;

pub use import_tag::{ImportTag, choose_import_tag, tags_to_look_for};

/// The name that hubs grant access to.
pub const GENERATOR: &str = "module-build-service";

/// What a deployment says of itself in metadata. All of it is configured, so that neither another host nor another revision
/// of our software changes what is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name and version of the content generator; the name is usually [`GENERATOR`].
    pub generator: Program,
    /// The host's operating system, in words.
    pub host_os: String,
    /// The host's architecture.
    pub host_arch: Arch,
    /// Programs that shaped the result.
    pub tools: Vec<Program>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// An RPM of the destination tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedRpm {
    /// What decides where it belongs.
    pub built: BuiltRpm,
    /// The epoch as the hub has it; it tells none from 0.
    pub epoch: Epoch,
    /// `SIGMD5` of the file, which the hub calls `payloadhash`.
    pub sigmd5: String,
}

/// What an import is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The record with its stored document, and the log.
    pub module: &'a FinishedModule,
    /// All RPMs of the destination tag, source RPMs too, in any order.
    pub rpms: &'a [TaggedRpm],
    /// The document as it stands in git at the recorded commit; `None` for a build without commit.
    pub source_document: Option<&'a [u8]>,
    /// Whether the hub knows a user of the owner's name; it refuses others.
    pub is_owner_known: bool,
    /// What the deployment says of itself.
    pub settings: &'a Settings,
}

/// One import.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// What the hub will know it as.
    pub nvr: Nvr,
    /// The first argument of `CGImport`.
    pub metadata: Value,
    /// The files to upload before, in the order of the metadata.
    pub files: Vec<File>,
}

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// All of it.
    pub content: Vec<u8>,
}

/// Why a module cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotImportable {
    /// Scratch builds are never imported.
    #[error("{nsvc} is a scratch build, which is never imported")]
    Scratch {
        /// The build.
        nsvc: Nsvc,
    },
    /// The record is not that of a finished build.
    #[error("{nsvc} cannot be imported: it has no {lacks}")]
    Unfinished {
        /// The build.
        nsvc: Nsvc,
        /// What it should have.
        lacks: &'static str,
    },
}

/// Returns what the import of a part of a module consists of.
///
/// # Errors
/// The record is none of a finished build; that will not change by itself.
pub fn import(sources: &Sources, part: Part) -> Result<Import, NotImportable> {
    let build = &*sources.module.build;
    let nsvc = build.nsvc();
    if build.new.scratch {
        return Err(NotImportable::Scratch { nsvc: nsvc.clone() });
    }
    let unfinished = |lacks| NotImportable::Unfinished { nsvc: nsvc.clone(), lacks };
    let facts = metadata::Facts {
        build,
        nvr: part_nvr(nsvc, part),
        tag: build.koji_tag.as_ref().ok_or_else(|| unfinished("destination tag"))?,
        completed_at: build.life.completed_at().ok_or_else(|| unfinished("time of completion"))?,
        is_owner_known: sources.is_owner_known,
    };
    let outputs = documents::outputs(sources, part);
    let metadata = metadata::metadata(&facts, sources.settings, &outputs);
    let files = outputs.into_iter().map(|output| output.file).collect();
    Ok(Import { nvr: facts.nvr, metadata, files })
}

/// Returns the NVR of a part.
pub fn part_nvr(nsvc: &Nsvc, part: Part) -> Nvr {
    let nvr = nsvc.nvr();
    match part {
        Part::Module => nvr,
        Part::DevelTwin => Nvr::of(&format!("{}-devel", nvr.name()), nvr.version(), nvr.release()),
    }
}
