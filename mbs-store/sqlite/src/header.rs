//! What can be said of a file before SQLite is let at it.
//!
//! SQLite takes a file of a few bytes, whatever they are, for an empty database, and notices that a part is missing only when it
//! comes to that part: it would have written by then.

use std::io::{self, Read as _};
use std::{fs, path::Path};

/// The size of the smallest database.
const SMALLEST: u64 = 512;

/// What a file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    Empty,
    Database,
    /// A database of which the end is missing.
    Cut,
    Other,
}

/// Looks at the header of a file.
pub(crate) fn beginning(path: &Path) -> io::Result<Beginning> {
    let mut header = Vec::new();
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.take(SMALLEST).read_to_end(&mut header)?;
    let is_whole = header.len() as u64 == SMALLEST;
    Ok(match header.starts_with(b"SQLite format 3\0") && is_whole {
        _ if header.is_empty() => Beginning::Empty,
        true if length < said_length(&header) => Beginning::Cut,
        true => Beginning::Database,
        false => Beginning::Other,
    })
}

/// Returns how long a database says it is; 0 if it does not. Source: <https://www.sqlite.org/fileformat.html>, section 1.3.
fn said_length(header: &[u8]) -> u64 {
    let number = |at: usize| match header.get(at..at + 4) {
        Some(&[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
        _ => 0,
    };
    let page = match number(16) >> 16 {
        1 => 65_536,
        size => u64::from(size),
    };
    let (changed, counted) = (number(24), number(92));
    if changed == counted { page * u64::from(number(28)) } else { 0 }
}
