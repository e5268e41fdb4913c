//! Package repositories over HTTP: which RPMs one holds.
//!
//! Read are `repodata/repomd.xml` and the primary metadata that it names, plain or packed with gzip or zstd; both are bounded,
//! and no more is kept than a name for each RPM. Addresses come from the hub's administrators. Nothing is decided here.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use mbs_core::ident::Nevra;

mod index;
mod primary;
#[cfg(test)]
mod tests;

/// Longest index that is read.
const LONGEST_INDEX_BYTES: usize = 4 << 20;
/// Longest packed metadata that are read; those of a whole distribution have 30 MB.
const LONGEST_PACKED_BYTES: usize = 256 << 20;
/// Longest unpacked metadata that are read; those of a whole distribution have 300 MB.
const LONGEST_BYTES: u64 = 2 << 30;

/// Why it is not known what a repository holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepodataError {
    /// It cannot be had. Ask again later.
    #[error("the repository {address} cannot be read: {reason}")]
    Unavailable {
        /// Where it is.
        address: String,
        /// What happened.
        reason: String,
    },
    /// What stands there is no repository, or one of a kind that we cannot read. Its administrator has to look.
    #[error("the repository {address} is not understood: {what}")]
    Odd {
        /// Where it is.
        address: String,
        /// What is odd.
        what: String,
    },
}

/// Reads repositories. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Repodata {
    http: reqwest::Client,
}

impl Repodata {
    /// Makes a reader. `within` is the time for one file.
    ///
    /// # Errors
    /// The certificates of this machine cannot be used.
    pub fn new(within: Duration) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder().timeout(within).connect_timeout(Duration::from_secs(30));
        Ok(Self { http: builder.redirect(reqwest::redirect::Policy::limited(5)).build()? })
    }

    /// Returns the RPMs of a repository, in its order. Source RPMs are among them if it has them.
    ///
    /// # Errors
    /// Nothing is known of it.
    pub async fn rpms(&self, address: &str) -> Result<Vec<Nevra>, RepodataError> {
        let address = address.trim_end_matches('/');
        let odd = |what: String| RepodataError::Odd { address: address.to_owned(), what };
        let index = self.fetch(address, "repodata/repomd.xml", LONGEST_INDEX_BYTES).await?;
        let place = index::primary_of(&index).map_err(odd)?;
        let packed = self.fetch(address, &place, LONGEST_PACKED_BYTES).await?;
        let read = move || primary::read(unpacked(&packed)?);
        let rpms = tokio::task::spawn_blocking(read).await;
        rpms.unwrap_or_else(|_| Err("reading it was stopped".to_owned())).map_err(odd)
    }

    async fn fetch(&self, address: &str, place: &str, limit: usize) -> Result<Vec<u8>, RepodataError> {
        let fail = |reason: String| RepodataError::Unavailable { address: address.to_owned(), reason };
        let failure = |error: reqwest::Error| fail(error.without_url().to_string());
        let asked = self.http.get(format!("{address}/{place}")).send().await;
        let mut response = asked.and_then(reqwest::Response::error_for_status).map_err(failure)?;
        let whole = mbs_http::whole(&mut response, limit as u64).await;
        whole.map_err(|failure| fail(format!("{place}: {failure}")))
    }
}

/// Returns a reader of what is packed in some bytes, by their first few.
fn unpacked(packed: &[u8]) -> Result<impl BufRead + '_, String> {
    let reader: Box<dyn Read> = match packed {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(
            ruzstd::decoding::StreamingDecoder::new(packed)
                .map_err(|error| format!("its zstd data are broken: {error}"))?,
        ),
        [b'<', ..] => Box::new(packed),
        _ => return Err("it is packed neither with gzip nor with zstd".to_owned()),
    };
    Ok(BufReader::with_capacity(64 << 10, reader.take(LONGEST_BYTES)))
}
