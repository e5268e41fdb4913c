//! The two headers of a source RPM.

use md5::{Digest as _, Md5};
use rpm::{Header, HeaderEntry, IndexData, IndexSignatureTag, IndexTag, Lead, PackageMetadata};

use super::spec::Described;
use super::{File, SourceRpmError, cpio, size};
use crate::digests::sha256;

/// The number RPM has for SHA-256.
const SHA256: u32 = 8;

/// The flag of a spec file among the files.
const IS_SPEC: u32 = 1 << 5;

/// `rpmlib(…) <= version`: needed to unpack it.
const NEEDED_TO_UNPACK: u32 = 1 << 24 | 1 << 3 | 1 << 1;

/// Returns the header: what `rpm -qp` shows.
pub(super) fn header(
    described: &Described,
    files: &[File],
    archive: &[u8],
    payload: &[u8],
) -> Result<Header<IndexTag>, SourceRpmError> {
    let mut entries = package_entries(described);
    entries.extend(file_entries(files, described.time)?);
    entries.extend(payload_entries(archive, payload));
    let entries = entries.into_iter().map(|(tag, data)| HeaderEntry::new(tag as u32, data));
    Ok(Header::from_entries(entries, IndexTag::RPMTAG_HEADERIMMUTABLE))
}

/// Joins a header with the one in front of it: sums of what follows, no signature.
pub(super) fn signed_off(
    described: &Described,
    header: Header<IndexTag>,
    archive: &[u8],
    payload: &[u8],
) -> Result<PackageMetadata, SourceRpmError> {
    let lead = Lead::new(&described.nvr());
    let mut metadata = PackageMetadata { lead, signature: Header::new_empty(), header };
    let bytes = metadata.header_bytes().map_err(SourceRpmError::Unwritable)?;
    let md5 = Md5::new().chain_update(&bytes).chain_update(payload).finalize().to_vec();
    let total = u32::try_from(bytes.len() + payload.len()).map_err(|_| SourceRpmError::TooLarge)?;
    let entries = [
        (IndexSignatureTag::RPMSIGTAG_SHA256, IndexData::StringTag(sha256(&bytes))),
        (IndexSignatureTag::RPMSIGTAG_SIZE, IndexData::Int32(vec![total])),
        (IndexSignatureTag::RPMSIGTAG_MD5, IndexData::Bin(md5)),
        (IndexSignatureTag::RPMSIGTAG_PAYLOADSIZE, IndexData::Int32(vec![size(archive)?])),
    ];
    let entries = entries.into_iter().map(|(tag, data)| HeaderEntry::new(tag as u32, data));
    metadata.signature = Header::from_entries(entries, IndexSignatureTag::HEADER_SIGNATURES);
    Ok(metadata)
}

type Entry = (IndexTag, IndexData);

/// What the package is.
fn package_entries(described: &Described) -> Vec<Entry> {
    use IndexTag::*;
    let text = |text: &str| IndexData::StringTag(text.into());
    let localised = |text: &str| IndexData::I18NString(vec![text.into()]);
    let number = |number| IndexData::Int32(vec![number]);
    vec![
        (RPMTAG_HEADERI18NTABLE, texts(["C"])),
        (RPMTAG_NAME, text(described.name)),
        (RPMTAG_VERSION, text(described.version)),
        (RPMTAG_RELEASE, text(&described.release)),
        (RPMTAG_SUMMARY, localised(described.summary)),
        (RPMTAG_DESCRIPTION, localised(described.summary)),
        (RPMTAG_BUILDTIME, number(described.time)),
        (RPMTAG_LICENSE, text(described.license)),
        (RPMTAG_GROUP, localised("Unspecified")),
        (RPMTAG_OS, text("linux")),
        (RPMTAG_ARCH, text("noarch")),
        (RPMTAG_BUILDARCHS, texts(["noarch"])),
        (RPMTAG_SOURCEPACKAGE, number(1)),
        (RPMTAG_ENCODING, text("utf-8")),
        (RPMTAG_REQUIRENAME, texts(["rpmlib(CompressedFileNames)", "rpmlib(FileDigests)"])),
        (RPMTAG_REQUIREVERSION, texts(["3.0.4-1", "4.6.0-1"])),
        (RPMTAG_REQUIREFLAGS, IndexData::Int32(vec![NEEDED_TO_UNPACK; 2])),
    ]
}

/// The files; in source RPMs their names are bare, and all are root's.
fn file_entries(files: &[File], time: u32) -> Result<Vec<Entry>, SourceRpmError> {
    use IndexTag::*;
    let numbers = |of: fn(&File) -> u32| IndexData::Int32(files.iter().map(of).collect());
    let each = |text: &str| texts(files.iter().map(|_| text));
    let sizes: Vec<u32> = files.iter().map(File::size).collect::<Result<_, _>>()?;
    let total = sizes.iter().try_fold(0u32, |sum, size| sum.checked_add(*size));
    Ok(vec![
        (RPMTAG_SIZE, IndexData::Int32(vec![total.ok_or(SourceRpmError::TooLarge)?])),
        (RPMTAG_SOURCE, texts(files.iter().filter(|file| !file.is_spec).map(|file| file.name))),
        (RPMTAG_BASENAMES, texts(files.iter().map(|file| file.name))),
        (RPMTAG_DIRNAMES, texts([""])),
        (RPMTAG_DIRINDEXES, numbers(|_| 0)),
        (RPMTAG_FILESIZES, IndexData::Int32(sizes)),
        (RPMTAG_FILEMODES, IndexData::Int16(vec![cpio::MODE; files.len()])),
        (RPMTAG_FILERDEVS, IndexData::Int16(vec![0; files.len()])),
        (RPMTAG_FILEDEVICES, numbers(|_| 1)),
        (RPMTAG_FILEINODES, IndexData::Int32((1..).take(files.len()).collect())),
        (RPMTAG_FILEMTIMES, IndexData::Int32(vec![time; files.len()])),
        (RPMTAG_FILEDIGESTALGO, IndexData::Int32(vec![SHA256])),
        (RPMTAG_FILEDIGESTS, IndexData::StringArray(files.iter().map(|file| sha256(file.content)).collect())),
        (RPMTAG_FILELINKTOS, each("")),
        (RPMTAG_FILELANGS, each("")),
        (RPMTAG_FILEFLAGS, numbers(|file| if file.is_spec { IS_SPEC } else { 0 })),
        (RPMTAG_FILEVERIFYFLAGS, numbers(|_| u32::MAX)),
        (RPMTAG_FILEUSERNAME, each("root")),
        (RPMTAG_FILEGROUPNAME, each("root")),
    ])
}

/// How the files are packed.
fn payload_entries(archive: &[u8], payload: &[u8]) -> Vec<Entry> {
    use IndexTag::*;
    vec![
        (RPMTAG_PAYLOADFORMAT, IndexData::StringTag("cpio".into())),
        (RPMTAG_PAYLOADCOMPRESSOR, IndexData::StringTag("gzip".into())),
        (RPMTAG_PAYLOADFLAGS, IndexData::StringTag("9".into())),
        (RPMTAG_PAYLOADSHA256, IndexData::StringArray(vec![sha256(payload)])),
        (RPMTAG_PAYLOADSHA256ALGO, IndexData::Int32(vec![SHA256])),
        (RPMTAG_PAYLOADSHA256ALT, IndexData::StringArray(vec![sha256(archive)])),
    ]
}

fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> IndexData {
    IndexData::StringArray(texts.into_iter().map(str::to_owned).collect())
}
