//! Where the server is, and how connections to it are made and checked.

use std::path::Path;

use mbs_http::TrustError;
use reqwest::{Certificate, Client, Url};

use super::PdcError;
use crate::server::{Login, Server, Trust};

/// Returns the root of the API.
///
/// # Errors
/// It is no address of HTTP, or holds what belongs elsewhere.
pub(super) fn root(server: &Server) -> Result<Url, PdcError> {
    let refused = |why| PdcError::unusable(format!("PDC server `{}`: its root {why}", server.name));
    let url = Url::parse(&server.root).map_err(|_| refused("is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("is no address of http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a user's name or password: PDC takes tokens"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("has something behind its path"));
    }
    if server.login != Login::Anonymous && url.scheme() == "http" && !mbs_http::is_here(&url) {
        tracing::warn!(pdc.server = %url, "the token goes to PDC without encryption");
    }
    Ok(url)
}

/// Makes what connects.
///
/// # Errors
/// Certificates cannot be used.
pub(super) fn http(server: &Server, root: &Url) -> Result<Client, PdcError> {
    let refused = |error: TrustError| PdcError::unusable(format!("PDC server `{}`: {error}", server.name));
    let mut client = mbs_http::client(root).user_agent("mbs").connect_timeout(server.connect_timeout);
    match &server.trust {
        Trust::System => {}
        Trust::File(path) => client = client.tls_certs_only(certificates(path).map_err(refused)?),
        Trust::Anyone => {
            tracing::warn!(pdc.server = %root, "certificates are not checked: whoever answers is taken for PDC");
            client = client.tls_danger_accept_invalid_certs(true);
        }
    }
    mbs_http::built(client).map_err(refused)
}

/// Reads the certificates of a file, or of all files of a folder that hold some.
fn certificates(path: &Path) -> Result<Vec<Certificate>, TrustError> {
    if !path.is_dir() {
        return mbs_http::certificates(path);
    }
    let failed = |source| TrustError::Unreadable { path: path.to_owned(), source };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        // Such folders hold other things too.
        all.extend(mbs_http::certificates(&entry.map_err(failed)?.path()).unwrap_or_default());
    }
    if all.is_empty() {
        return Err(TrustError::Content { path: path.to_owned(), wanted: "file of certificates" });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_cannot_be_used_says_why() {
        for (given, wanted) in [
            ("pdc", "is no address"),
            ("ftp://pdc/", "is no address of http or https"),
            ("https://me:geheim@pdc/", "PDC takes tokens"),
            ("https://pdc/?page=1", "has something behind its path"),
        ] {
            let server = Server { name: "prod".into(), ..Server::new(given, Login::Anonymous) };
            let told = root(&server).unwrap_err().to_string();
            assert!(told.starts_with("PDC server `prod`: its root ") && told.contains(wanted), "{told}");
            assert!(!told.contains("geheim"), "{told}");
        }
    }
}
