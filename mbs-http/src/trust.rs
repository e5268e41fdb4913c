//! How connections are made, and whom they trust. Files of certificates are read with a bound.

use std::path::{Path, PathBuf};

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Url};

/// Certificate files longer than this are none.
const CERTIFICATES_BYTES: u64 = 4 << 20;

/// Why no client can be made. An administrator has to look.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("{path} holds no {wanted} in PEM", path = .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// Certificate and key do not belong together, or the system's certificates cannot be read.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Whom we take for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Whoever this machine's certificates vouch for.
    System,
    /// Whoever the certificates of this file in PEM vouch for, or of the files of this folder.
    File(PathBuf),
    /// Whoever answers. For tests, and for people who say so each time.
    Anyone,
}

/// Prepares a client of one server: it follows no redirect, sends nothing twice, and uses no proxy to this machine.
pub fn client(server: &Url) -> ClientBuilder {
    let mut client = Client::builder()
        .http1_only()
        .gzip(true)
        .referer(false)
        .redirect(Policy::none())
        .retry(reqwest::retry::never());
    if is_here(server) {
        client = client.no_proxy();
    }
    if server.scheme() == "http" {
        // Redirects are not followed, so nothing is ever checked: the system's certificates, if it has any, stay unread.
        client = client.tls_certs_only([]);
    }
    client
}

/// Lets a client trust these.
///
/// # Errors
/// `Unreadable`, `Content`.
pub fn trusting(client: ClientBuilder, trust: &Trust) -> Result<ClientBuilder, TrustError> {
    Ok(match trust {
        Trust::System => client,
        Trust::File(path) => client.tls_certs_only(all_certificates(path)?),
        Trust::Anyone => client.tls_danger_accept_invalid_certs(true),
    })
}

/// Makes the client.
///
/// # Errors
/// `Tls`.
pub fn built(client: ClientBuilder) -> Result<Client, TrustError> {
    client.build().map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        TrustError::Tls(cause)
    })
}

/// Says whether an address is on this machine.
pub fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Reads a file of certificates in PEM; there is at least one.
///
/// # Errors
/// `Unreadable`, `Content`.
pub fn certificates(path: &Path) -> Result<Vec<Certificate>, TrustError> {
    const WANTED: &str = "certificates";
    match Certificate::from_pem_bundle(&pem_file(path, WANTED)?) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(TrustError::content(path, WANTED)),
    }
}

/// Reads the certificates of a file, or of all files of a folder that hold some.
fn all_certificates(path: &Path) -> Result<Vec<Certificate>, TrustError> {
    if !path.is_dir() {
        return certificates(path);
    }
    let failed = |source| TrustError::Unreadable { path: path.to_owned(), source };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        // Such folders hold other things too.
        all.extend(certificates(&entry.map_err(failed)?.path()).unwrap_or_default());
    }
    if all.is_empty() {
        return Err(TrustError::content(path, "file of certificates"));
    }
    Ok(all)
}

/// Reads a certificate of our own with its key, both in one file in PEM.
///
/// # Errors
/// `Unreadable`, `Content`.
pub fn identity(path: &Path) -> Result<Identity, TrustError> {
    const WANTED: &str = "certificate with its key";
    Identity::from_pem(&pem_file(path, WANTED)?).map_err(|_| TrustError::content(path, WANTED))
}

/// Reads a file that holds what is wanted, in PEM; nobody has looked whether it does.
///
/// # Errors
/// `Unreadable`; `Content` if it is too long for it.
pub fn pem_file(path: &Path, wanted: &'static str) -> Result<Vec<u8>, TrustError> {
    let failed = |source| TrustError::Unreadable { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > CERTIFICATES_BYTES {
        return Err(TrustError::content(path, wanted));
    }
    std::fs::read(path).map_err(failed)
}

impl TrustError {
    /// Tells that a file does not hold what is wanted.
    pub fn content(path: &Path, wanted: &'static str) -> Self {
        Self::Content { path: path.to_owned(), wanted }
    }
}
