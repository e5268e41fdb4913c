//! A token from a file. What the file holds is never told, whatever is wrong with it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use mbs_http::Secret;

use crate::exit::Stop;

/// No file with a token is longer.
const LONGEST_BYTES: u64 = 4096;
/// A token has so many hexadecimal digits.
const DIGITS: u64 = 40;
/// The rights of a file that others than its owner have.
const OTHERS: u32 = 0o077;

/// Reads a token.
///
/// # Errors
/// `Machine`: the file cannot be read, others may read it, or it holds something else.
pub(crate) fn read(path: &Path) -> Result<Secret, Stop> {
    let refused = |why: &str| Stop::Machine(format!("the token file {} {why}", path.display()));
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => refused("does not exist"),
        _ => refused(&format!("cannot be read: {error}")),
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.mode() & OTHERS != 0 {
        return Err(refused(&format!(
            "is open to others than its owner, who may know the token: get a new one, and say chmod 600 {}",
            path.display()
        )));
    }
    let mut text = String::new();
    let read = file.take(LONGEST_BYTES + 1).read_to_string(&mut text);
    match read.map_err(|error| error.kind()) {
        Ok(_) => {}
        Err(io::ErrorKind::InvalidData) => return Err(refused("holds no token")),
        Err(kind) => return Err(unreadable(kind.into())),
    }
    let token = text.trim();
    match token.len() as u64 {
        0 => Err(refused("is empty")),
        DIGITS if token.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(Secret::new(token)),
        // Something else, a password say, is not sent anywhere.
        _ => Err(refused("holds no token: that is forty hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn read_of(content: &[u8], mode: u32) -> Result<Secret, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        read(&path).map_err(|stop| {
            assert!(matches!(stop, Stop::Machine(_)));
            stop.to_string()
        })
    }

    #[test]
    fn white_space_around_a_token_does_not_count() {
        let token = "0123456789abcdef0123456789abcdef01234567";
        for (content, mode) in [(format!("{token}\n"), 0o600), (token.to_owned(), 0o400)] {
            assert_eq!(read_of(content.as_bytes(), mode), Ok(Secret::new(token)));
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        for mode in [0o640, 0o604, 0o644] {
            let told = read_of(b"geheim", mode).unwrap_err();
            assert!(told.contains("open to others") && told.contains("chmod 600"), "{told}");
            assert!(!told.contains("geheim"), "{told}");
        }
    }

    #[test]
    fn what_is_no_token_is_not_told() {
        for (content, why) in [
            (&b" \n"[..], "is empty"),
            (b"two geheim", "forty hexadecimal digits"),
            (b"geheim", "forty hexadecimal digits"),
            (b"geheim\xff", "holds no token"),
            (&[b'a'; 5000], "forty hexadecimal digits"),
        ] {
            let told = read_of(content, 0o600).unwrap_err();
            assert!(told.contains(why) && !told.contains("geheim"), "{told}");
        }
        let told = read(Path::new("/no/such/token")).unwrap_err().to_string();
        assert_eq!(told, "the token file /no/such/token does not exist");
    }
}
