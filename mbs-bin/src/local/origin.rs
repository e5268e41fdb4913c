//! What a build was made from: the document and the options that bear on what is built. Two runs that agree in it mean the
//! same build.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, absolute};

use mbs_core::ident::Package;
use mbs_core::modulemd::ModuleStream;
use mbs_local::LocalError;
use mbs_local::headers::RpmHeader;
use serde::Serialize;
use sha1::{Digest as _, Sha1};

use super::document::Documents;
use crate::cli::LocalArguments;
use crate::exit::Stop;

/// The document and options of a run, as a text that is equal exactly if they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

#[derive(Serialize)]
struct Parts<'a> {
    document: &'a str,
    modules: Vec<(Option<&'a str>, Option<&'a str>)>,
    platform: String,
    skiptests: bool,
    set_streams: Vec<String>,
    buildrequires: Vec<String>,
    requires: Vec<String>,
    add_local_builds: Vec<String>,
    srpms: &'a BTreeMap<Package, GivenSrpm>,
}

impl Origin {
    /// Takes together what was given. The order of repeated options does not matter.
    pub fn of(
        documents: &Documents,
        arguments: &LocalArguments,
        platform: &dyn ToString,
        srpms: &BTreeMap<Package, GivenSrpm>,
    ) -> Self {
        let parts = Parts {
            document: &documents.text,
            modules: documents.streams.iter().map(|d| (d.name.as_deref(), d.stream.as_deref())).collect(),
            platform: platform.to_string(),
            skiptests: arguments.skiptests,
            set_streams: sorted(&arguments.set_streams),
            buildrequires: sorted(&arguments.buildrequires),
            requires: sorted(&arguments.requires),
            add_local_builds: sorted(&arguments.add_local_builds),
            srpms,
        };
        Self(serde_json::to_string(&parts).expect("texts in lists and maps can be written as JSON"))
    }

    #[cfg(test)]
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns it as the store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn sorted(values: &[impl ToString]) -> Vec<String> {
    let mut texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

/// A source RPM that the user gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenSrpm {
    /// Its absolute path.
    pub path: String,
    /// SHA-1 of the whole file, as hexadecimal text: what its header says of it is not in every RPM.
    pub digest: String,
    /// The component's version as its header says it.
    pub nevra: String,
}

/// Reads the headers of source RPMs: package → file.
///
/// # Errors
/// `Usage`: a file is missing or no source RPM, two are of the same package, or one fits no component of any document.
pub fn given_srpms(
    files: &[std::path::PathBuf],
    documents: &[ModuleStream],
) -> Result<BTreeMap<Package, GivenSrpm>, Stop> {
    let mut srpms = BTreeMap::new();
    for file in files {
        let (package, srpm) = given_srpm(file)?;
        if !documents.iter().any(|document| has_component(document, &package)) {
            return Err(Stop::Usage(format!("{}: the module has no component {package}", file.display())));
        }
        if let Some(other) = srpms.insert(package.clone(), srpm) {
            let path = file.display();
            return Err(Stop::Usage(format!("{path} and {} are both source RPMs of {package}", other.path)));
        }
    }
    Ok(srpms)
}

fn given_srpm(file: &Path) -> Result<(Package, GivenSrpm), Stop> {
    let path = absolute(file).map_err(|error| Stop::unreadable(file, &error))?;
    let digest = digest(&path).map_err(|error| Stop::unreadable(file, &error))?;
    let no_srpm = |why: &str| Stop::Usage(format!("{} is no source RPM{why}", file.display()));
    let header = RpmHeader::read(&path).map_err(|error| match error {
        LocalError::Unusable(why) => {
            tracing::debug!(%why, "a source RPM cannot be read");
            no_srpm("")
        }
        other => other.into(),
    })?;
    if !header.is_source() {
        return Err(no_srpm(""));
    }
    let path = path.to_str().ok_or_else(|| no_srpm(" with a path that is text"))?.to_owned();
    let package = Package::new(header.nevra.name.as_str())?;
    Ok((package, GivenSrpm { path, digest, nevra: header.nevra.to_string() }))
}

fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut chunk) = (File::open(path)?, Sha1::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => digest.update(&chunk[..read]),
        }
    }
}

fn has_component(document: &ModuleStream, package: &Package) -> bool {
    let name_of = |(key, component): (&String, &mbs_core::modulemd::RpmComponent)| {
        component.name.as_deref().unwrap_or(key) == package.as_str()
    };
    document.rpms.iter().any(name_of)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Arguments, Command};

    fn origin(text: &str, options: &[&str]) -> Origin {
        let parsed = Arguments::try_parse_from([&["mbs-build", "local"], options].concat()).unwrap();
        let Some(Command::Local(arguments)) = parsed.command else { panic!("another command") };
        let documents = Documents { text: text.into(), streams: vec![ModuleStream::default()] };
        Origin::of(&documents, &arguments, &"platform:f40", &BTreeMap::new())
    }

    #[test]
    fn document_and_options_make_the_origin() {
        assert_eq!(origin("a", &[]), origin("a", &[]));
        assert_ne!(origin("a", &[]), origin("b", &[]));
        assert_ne!(origin("a", &[]), origin("a", &["--skiptests"]));
        assert_ne!(origin("a", &["-s", "x:1"]), origin("a", &["-s", "x:2"]));
    }

    #[test]
    fn what_does_not_bear_on_the_result_does_not_matter() {
        let options = ["--jobs", "3", "--json", "--results", "r", "--fresh"];
        assert_eq!(origin("a", &options), origin("a", &[]));
        assert_eq!(origin("a", &["-l", "x", "-l", "y"]), origin("a", &["-l", "y", "-l", "x"]));
    }

    #[test]
    fn digest_is_of_the_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.src.rpm");
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(digest(&file).unwrap(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let long = vec![b'a'; 1_000_000];
        std::fs::write(&file, long).unwrap();
        assert_eq!(digest(&file).unwrap(), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    }

    #[test]
    fn what_is_no_source_rpm_is_wrong_usage() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.src.rpm");
        let stop = given_srpms(std::slice::from_ref(&file), &[]).unwrap_err();
        assert!(matches!(&stop, Stop::Usage(what) if what.ends_with("does not exist")), "{stop}");
        std::fs::write(&file, "text").unwrap();
        let stop = given_srpms(std::slice::from_ref(&file), &[]).unwrap_err();
        assert_eq!(stop, Stop::Usage(format!("{} is no source RPM", file.display())));
    }
}
