//! A token from a file. What the file holds is never told, whatever is wrong with it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use mbs_http::Secret;

use super::LoginError;

/// No file with a token is longer.
const LONGEST_BYTES: u64 = 16 << 10;
/// The rights of a file that others than its owner have.
const OTHERS: u32 = 0o077;

/// Reads a bearer token. White space around it does not count.
///
/// # Errors
/// `Unable`: the file cannot be read, others than its owner may read it, or it holds something else.
pub fn token_file(path: &Path) -> Result<Secret, LoginError> {
    let refused = |why: &str| LoginError::unable(format!("the token file {} {why}", path.display()));
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => refused("does not exist"),
        io::ErrorKind::InvalidData => refused("holds no token"),
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
    file.take(LONGEST_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    let token = text.trim();
    if token.is_empty() {
        return Err(refused("is empty"));
    }
    if text.len() as u64 > LONGEST_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused("holds no token: that is one word"));
    }
    Ok(Secret::new(token))
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
        token_file(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn white_space_around_a_token_does_not_count() {
        for (content, mode) in [("a.b-c_d\n", 0o600), (" a.b-c_d", 0o400)] {
            assert_eq!(read_of(content.as_bytes(), mode), Ok(Secret::new("a.b-c_d")));
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
        let long = vec![b'a'; 20_000];
        for (content, why) in [
            (&b" \n"[..], "is empty"),
            (b"two geheim", "that is one word"),
            (b"geheim\xff", "holds no token"),
            (&long, "that is one word"),
        ] {
            let told = read_of(content, 0o600).unwrap_err();
            assert!(told.contains(why) && !told.contains("geheim"), "{told}");
        }
        let told = token_file(Path::new("/no/such/token")).unwrap_err().to_string();
        assert_eq!(told, "the token file /no/such/token does not exist");
    }
}
