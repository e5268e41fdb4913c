//! Tokens that this service gives out: what they look like, and their digests.
//!
//! A token is `mbs_` and 256 random bits in hexadecimal digits. Nobody can guess one, so a plain SHA-256 hides it as well as
//! anything slower would: see ADR 20.

use std::fs::File;
use std::io::{self, Read as _};

use mbs_core::store::TokenDigest;
use mbs_http::Secret;
use sha2::{Digest as _, Sha256};

/// How tokens of ours begin, so that people, and programs that look for lost secrets, know them.
const PREFIX: &str = "mbs_";

/// Makes a token that nobody had before.
///
/// # Errors
/// The system gives no random numbers.
pub(crate) fn make() -> io::Result<Secret> {
    let mut random = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secret::new(format!("{PREFIX}{digits}")))
}

/// Says whether a text claims to be a token of ours.
pub(crate) fn is_ours(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Returns the digest under which a token is kept.
pub(crate) fn digest(token: &str) -> TokenDigest {
    TokenDigest::new(Sha256::digest(token).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ_and_are_known_as_ours() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), 4 + 64);
        assert!(is_ours(one.reveal()) && !is_ours("eyJhbGciOi"));
    }

    #[test]
    fn a_digest_is_the_sha_256_of_the_whole_token() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest("abc").as_str(), known);
    }
}
