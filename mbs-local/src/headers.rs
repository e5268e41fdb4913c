//! What an RPM's header says, read without unpacking it.
//!
//! Decides only what a missing tag means: no epoch is 0, no list is empty. Never trusts the file's name.

use std::path::Path;

use mbs_core::ident::{Arch, Nevra, Nvr};
use rpm::{DependencyFlags, IndexTag, PackageMetadata};

use crate::error::LocalError;

/// The parts of a header that modules need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpmHeader {
    /// Name, epoch, version, release and architecture; that of a source RPM is `src`.
    pub nevra: Nevra,
    /// File name of the source RPM it was built from; `None` if it is a source RPM itself.
    pub source_rpm: Option<String>,
    /// The licence as the spec file has it.
    pub licence: String,
    /// Architectures it must not be in a repository of.
    pub exclude_arch: Vec<String>,
    /// The only architectures it may be in a repository of; empty: any.
    pub exclusive_arch: Vec<String>,
    /// `name:stream:version:context` of the module it was built in.
    pub modularity_label: Option<String>,
    /// Capabilities it provides, `name` or `name = version`, as RPM orders them.
    pub provides: Vec<String>,
    /// Capabilities it requires, `name` or `name >= version`.
    pub requires: Vec<String>,
    /// What it does not go together with.
    pub conflicts: Vec<Conflict>,
}

/// How much is repeated of why a file is no RPM, in characters.
const LONGEST_REASON: usize = 80;

/// One thing that a package does not go together with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The other package's name.
    pub name: String,
    /// The exact `epoch:version-release` that is meant; `None` if it is any or a range.
    pub exactly: Option<String>,
}

impl RpmHeader {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// `Unusable` if it is no RPM or its name cannot be used, else trouble with the file.
    pub fn read(path: &Path) -> Result<Self, LocalError> {
        // The parser follows some offsets unchecked, and panics where they point outside the file.
        let read = std::panic::catch_unwind(|| Self::read_trustingly(path));
        read.unwrap_or_else(|_| Err(unusable(path, &"its header is malformed")))
    }

    fn read_trustingly(path: &Path) -> Result<Self, LocalError> {
        let metadata = PackageMetadata::open(path).map_err(|error| unreadable(path, error))?;
        Self::of(&metadata).map_err(|why| unusable(path, &why))
    }

    fn of(metadata: &PackageMetadata) -> Result<Self, String> {
        let header = &metadata.header;
        let text = |tag| header.get_entry_data_as_string(tag).ok().map(str::to_owned);
        let texts = |tag| {
            let list = header.get_entry_data_as_string_array(tag).unwrap_or_default();
            list.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        Ok(Self {
            nevra: nevra(metadata)?,
            source_rpm: text(IndexTag::RPMTAG_SOURCERPM),
            licence: metadata.get_license().unwrap_or_default().to_owned(),
            exclude_arch: texts(IndexTag::RPMTAG_EXCLUDEARCH),
            exclusive_arch: texts(IndexTag::RPMTAG_EXCLUSIVEARCH),
            modularity_label: text(IndexTag::RPMTAG_MODULARITYLABEL),
            provides: capabilities(metadata.get_provides()),
            requires: capabilities(metadata.get_requires()),
            conflicts: metadata.get_conflicts().unwrap_or_default().into_iter().map(conflict).collect(),
        })
    }

    /// Whether it is a source RPM.
    pub fn is_source(&self) -> bool {
        self.nevra.arch.as_str() == "src"
    }

    /// Returns name, version and release of the build it belongs to: its own for a source RPM.
    pub fn build_nvr(&self) -> Option<Nvr> {
        let Some(source_rpm) = &self.source_rpm else {
            let Nevra { name, version, release, .. } = &self.nevra;
            return Some(Nvr::of(name, version, release));
        };
        let stem = source_rpm.strip_suffix(".src.rpm").or_else(|| source_rpm.strip_suffix(".nosrc.rpm"))?;
        stem.parse().ok()
    }

    /// Whether it is debug information, which nothing is built against.
    pub fn is_debug(&self) -> bool {
        self.nevra.name.ends_with("-debuginfo") || self.nevra.name.ends_with("-debugsource")
    }
}

impl Conflict {
    /// Whether this very package is meant, and not just some version of its name.
    pub fn names_exactly(&self, nevra: &Nevra) -> bool {
        let evr = format!("{}:{}-{}", nevra.epoch, nevra.version, nevra.release);
        self.name == nevra.name && self.exactly.as_ref() == Some(&evr)
    }
}

fn nevra(metadata: &PackageMetadata) -> Result<Nevra, String> {
    let arch = match metadata.is_source_package() {
        true => "src",
        false => metadata.get_arch().map_err(|error| error.to_string())?,
    };
    let required =
        |part: Result<&str, rpm::Error>| part.map(str::to_owned).map_err(|error| error.to_string());
    Ok(Nevra {
        name: required(metadata.get_name())?,
        epoch: metadata.get_epoch().unwrap_or(0).into(),
        version: required(metadata.get_version())?,
        release: required(metadata.get_release())?,
        arch: Arch::new(arch).map_err(|error| error.to_string())?,
    })
}

fn capabilities(list: Result<Vec<rpm::Dependency>, rpm::Error>) -> Vec<String> {
    list.unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn conflict(dependency: rpm::Dependency) -> Conflict {
    let comparison = DependencyFlags::LESS | DependencyFlags::GREATER | DependencyFlags::EQUAL;
    let is_exact = dependency.flags.intersection(comparison) == DependencyFlags::EQUAL;
    Conflict { name: dependency.name, exactly: is_exact.then_some(dependency.version) }
}

fn unreadable(path: &Path, error: rpm::Error) -> LocalError {
    match error {
        rpm::Error::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            LocalError::of_file(path, error)
        }
        // What the parser says may quote the file.
        other => unusable(path, &other.to_string().chars().take(LONGEST_REASON).collect::<String>()),
    }
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> LocalError {
    LocalError::Unusable(format!("{} is no usable RPM: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(directory: &Path, builder: &mut rpm::PackageBuilder) -> RpmHeader {
        let path = directory.join("x.rpm");
        builder.build().unwrap().write_file(&path).unwrap();
        RpmHeader::read(&path).unwrap()
    }

    #[test]
    fn header_tells_identity_and_relations() {
        let directory = tempfile::tempdir().unwrap();
        let mut builder = rpm::PackageBuilder::new("liba", "1.10", "MIT", "x86_64", "A library");
        builder.release("1.module").epoch(2).requires(rpm::Dependency::any("libb.so.1()(64bit)"));
        builder.conflicts(rpm::Dependency::eq("foo", "0:1-1")).conflicts(rpm::Dependency::less("bar", "3"));
        let header = written(directory.path(), &mut builder);
        assert_eq!(header.nevra.to_string(), "liba-2:1.10-1.module.x86_64");
        assert_eq!(header.licence, "MIT");
        assert!(header.requires.iter().any(|capability| capability == "libb.so.1()(64bit)"));
        assert!(
            header.provides.iter().any(|capability| capability.starts_with("liba = ")),
            "{:?}",
            header.provides
        );
        assert!(header.conflicts[1].names_exactly(&"foo-1-1.noarch".parse().unwrap()));
        assert!(!header.conflicts[1].names_exactly(&"foo-1-2.noarch".parse().unwrap()));
        assert_eq!(header.conflicts[0], Conflict { name: "bar".into(), exactly: None });
    }

    #[test]
    fn file_that_is_no_rpm_is_the_users_to_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.rpm");
        std::fs::write(&path, vec![b'x'; 4096]).unwrap();
        assert!(matches!(RpmHeader::read(&path), Err(LocalError::Unusable(_))));
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(RpmHeader::read(&path), Err(LocalError::Unusable(_))));
    }

    #[test]
    fn header_that_points_outside_the_file_is_refused_without_a_panic() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("liba.rpm");
        let mut builder = rpm::PackageBuilder::new("liba", "1", "MIT", "noarch", "A library");
        builder.build().unwrap().write_file(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        // The first entry of the signature header begins after lead (96 bytes) and preamble (16); its offset is the third field.
        let offset = 96 + 16 + 8;
        bytes[offset..offset + 4].copy_from_slice(&i32::MAX.to_be_bytes());
        std::fs::write(&path, bytes).unwrap();
        let error = RpmHeader::read(&path).unwrap_err();
        assert!(
            matches!(error, LocalError::Unusable(_)) && error.to_string().contains("liba.rpm"),
            "{error}"
        );
    }

    #[test]
    fn file_that_is_not_there_is_told_by_its_path() {
        let error = RpmHeader::read(Path::new("/nonexistent/x.rpm")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.rpm"), "{error}");
    }
}
