//! Where the server is, and how connections to it are made and checked.

use mbs_http::TrustError;
use reqwest::{Client, Url};

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
    let client = mbs_http::client(root).user_agent("mbs").connect_timeout(server.connect_timeout);
    if server.trust == Trust::Anyone {
        tracing::warn!(pdc.server = %root, "certificates are not checked: whoever answers is taken for PDC");
    }
    mbs_http::trusting(client, &server.trust).and_then(mbs_http::built).map_err(refused)
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
