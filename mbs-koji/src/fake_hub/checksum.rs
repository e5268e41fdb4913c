//! Checksums that uploads are verified by.

use std::fmt::Write as _;

use sha2::Digest as _;

use super::state::{Answer, refuse};

/// Returns a checksum of a kind in small hexadecimal digits.
///
/// # Errors
/// The hub does not know the kind.
pub(crate) fn digest(kind: &str, bytes: &[u8]) -> Answer<String> {
    match kind {
        "adler32" => Ok(format!("{:08x}", adler32(bytes))),
        "md5" => Ok(hex(&md5::Md5::digest(bytes))),
        "sha1" => Ok(hex(&sha1::Sha1::digest(bytes))),
        "sha256" => Ok(hex(&sha2::Sha256::digest(bytes))),
        _ => Err(refuse(format!("Unsupported verify type: {kind}"))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes what is written to it");
        text
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    // So many bytes can be added before the sums might overflow.
    const STEP: usize = 5_552;
    let (mut low, mut high) = (1u32, 0u32);
    for chunk in bytes.chunks(STEP) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        (low, high) = (low % MODULUS, high % MODULUS);
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_others() {
        assert_eq!(digest("adler32", b"").as_deref(), Ok("00000001"));
        assert_eq!(digest("adler32", b"Wikipedia").as_deref(), Ok("11e60398"));
        assert_eq!(digest("adler32", &[0xff; 100_000]).map(|sum| sum.len()), Ok(8));
        assert_eq!(digest("md5", b"abc").as_deref(), Ok("900150983cd24fb0d6963f7d28e17f72"));
        assert!(digest("crc", b"").is_err());
    }
}
