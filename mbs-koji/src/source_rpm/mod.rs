//! The source RPM of module-build-macros, made in memory: no rpmbuild, no file, no clock, no host name.
//!
//! The same package gives the same bytes. What is in it is for [`mbs_core::macros`] to say; here it is wrapped. Koji reads of a
//! source RPM that is submitted: `SOURCEPACKAGE` (without it the build fails), name, version, release and epoch, `BUILDARCHS`
//! and the lists of architectures (`noarch` needs no build per architecture), and, if the hub keeps it as it is, `BUILDTIME`
//! and `SIGMD5`, which must be there.
//!
//! ```
//! use mbs_core::macros::MacrosPackage;
//! let spec = "Name: module-build-macros\nVersion: 0.1\nSummary: Macros\nLicense: MIT\n".into();
//! let package = MacrosPackage { spec, macros: "%dist .module+1+c0ffee42\n".into() };
//! let rpm = mbs_koji::source_rpm::source_rpm(&package, ".module+1+c0ffee42")?;
//! assert_eq!(rpm.file_name, "module-build-macros-0.1-1.module+1+c0ffee42.src.rpm");
//! # Ok::<(), mbs_koji::source_rpm::SourceRpmError>(())
//! ```

mod cpio;
mod header;
mod spec;

#[cfg(test)]
mod tests;

use mbs_core::macros::{MACROS_FILE, MacrosPackage, SPEC_FILE};

use spec::Described;

/// Longest `%dist`; more than any dist tag of the core has.
const LONGEST_DIST: usize = 200;

/// A source RPM.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceRpm {
    /// `name-version-release.src.rpm`, without a folder.
    pub file_name: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for SourceRpm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.file_name, self.bytes.len())
    }
}

/// Why there is no source RPM.
#[derive(Debug, thiserror::Error)]
pub enum SourceRpmError {
    /// The spec file lacks something; a fault of ours.
    #[error("the spec file of module-build-macros has no usable {what}")]
    Incomplete {
        /// What it should say.
        what: &'static str,
    },
    /// `%dist` cannot be part of a release.
    #[error("{dist:?} can be no part of a release")]
    InvalidDist {
        /// The text as given, cut at 200 characters.
        dist: String,
    },
    /// The package is larger than the format allows.
    #[error("module-build-macros is too large for a source RPM")]
    TooLarge,
    /// It could not be written.
    #[error("the source RPM of module-build-macros cannot be written")]
    Unwritable(#[source] rpm::Error),
}

impl From<std::io::Error> for SourceRpmError {
    fn from(error: std::io::Error) -> Self {
        Self::Unwritable(error.into())
    }
}

/// Makes the source RPM of module-build-macros. `dist` is the value of `%dist`, with its dot.
///
/// # Errors
/// `InvalidDist` if it can be no part of a release; `Incomplete` if the spec says no name, version, summary or licence;
/// `TooLarge` beyond 4 GB.
pub fn source_rpm(package: &MacrosPackage, dist: &str) -> Result<SourceRpm, SourceRpmError> {
    let described = Described::read(&package.spec, release(dist)?)?;
    let files = [
        File { name: MACROS_FILE, content: package.macros.as_bytes(), is_spec: false },
        File { name: SPEC_FILE, content: package.spec.as_bytes(), is_spec: true },
    ];
    let archive = cpio::archive(&files, described.time)?;
    let payload = cpio::compressed(&archive)?;
    let header = header::header(&described, &files, &archive, &payload)?;
    let metadata = header::signed_off(&described, header, &archive, &payload)?;

    let mut bytes = Vec::new();
    metadata.write(&mut bytes).map_err(SourceRpmError::Unwritable)?;
    bytes[LEAD_TYPE] = LEAD_SOURCE;
    bytes.extend_from_slice(&payload);
    Ok(SourceRpm { file_name: format!("{}.src.rpm", described.nvr()), bytes })
}

/// Where in the file it says whether it is a source RPM. The library writes only others.
const LEAD_TYPE: usize = 7;

/// What it says of one.
const LEAD_SOURCE: u8 = 1;

/// A file of the package.
struct File<'a> {
    name: &'static str,
    content: &'a [u8],
    is_spec: bool,
}

impl File<'_> {
    /// Returns the size in bytes.
    fn size(&self) -> Result<u32, SourceRpmError> {
        size(self.content)
    }
}

fn size(bytes: &[u8]) -> Result<u32, SourceRpmError> {
    u32::try_from(bytes.len()).map_err(|_| SourceRpmError::TooLarge)
}

fn release(dist: &str) -> Result<String, SourceRpmError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '~' | '^');
    if dist.len() <= LONGEST_DIST && dist.chars().all(is_allowed) {
        return Ok(format!("1{dist}"));
    }
    Err(SourceRpmError::InvalidDist { dist: dist.chars().take(200).collect() })
}
