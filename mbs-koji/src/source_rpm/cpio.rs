//! The payload of a source RPM: a newc archive of files with bare names, and gzip around it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{File, SourceRpmError};

/// What tells a newc archive, in front of each member.
const MAGIC: &str = "070701";

/// The member that ends an archive.
const TRAILER: &str = "TRAILER!!!";

/// A plain file that everybody may read.
pub(super) const MODE: u16 = 0o100_644;

/// Packs files, all of one time.
pub(super) fn archive(files: &[File], time: u32) -> Result<Vec<u8>, SourceRpmError> {
    let mut archive = Vec::new();
    for (inode, file) in (1..).zip(files) {
        let member = Member { inode, mode: MODE.into(), links: 1, time, size: file.size()?, name: file.name };
        member.write(&mut archive)?;
        archive.extend_from_slice(file.content);
        pad(&mut archive);
    }
    Member { inode: 0, mode: 0, links: 1, time: 0, size: 0, name: TRAILER }.write(&mut archive)?;
    Ok(archive)
}

/// Compresses an archive; gzip's own header names neither time nor file.
pub(super) fn compressed(archive: &[u8]) -> Result<Vec<u8>, SourceRpmError> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(archive)?;
    Ok(gzip.finish()?)
}

struct Member {
    inode: u32,
    mode: u32,
    links: u32,
    time: u32,
    size: u32,
    name: &'static str,
}

impl Member {
    /// Writes the header of a member, its name, and what fills it up.
    fn write(&self, archive: &mut Vec<u8>) -> Result<(), SourceRpmError> {
        let name_size = super::size(self.name.as_bytes())? + 1;
        let (owner, group, device, checksum) = (0, 0, 0, 0);
        write!(archive, "{MAGIC}")?;
        let fields = [self.inode, self.mode, owner, group, self.links, self.time, self.size]
            .into_iter()
            .chain([device; 4])
            .chain([name_size, checksum]);
        for field in fields {
            write!(archive, "{field:08x}")?;
        }
        write!(archive, "{}\0", self.name)?;
        pad(archive);
        Ok(())
    }
}

/// Fills up to a multiple of four bytes.
fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}
