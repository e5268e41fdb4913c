//! Where the hub is, and how connections to it are made and checked.

use std::path::Path;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Url};

use super::error::HubError;
use crate::profile::{Login, Profile};

/// Certificate files longer than this are none.
const CERTIFICATES_BYTES: u64 = 4 << 20;

/// Returns the hub's address. Logins by certificate or ticket are for TLS only, so they make it `https`.
///
/// # Errors
/// It is none of HTTP, or holds a password.
pub(super) fn address(profile: &Profile) -> Result<Url, HubError> {
    let refused = |why| HubError::unusable(format!("profile `{}`: server {why}", profile.name));
    let mut url = Url::parse(&profile.server).map_err(|_| refused("is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("is no address of http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a user's name or password, which belong into the login"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("has something behind its path"));
    }
    if matches!(profile.login, Login::Certificate { .. } | Login::Kerberos { .. }) {
        url.set_scheme("https").map_err(|()| refused("cannot be reached by https"))?;
    }
    if matches!(profile.login, Login::Password { .. }) && url.scheme() == "http" && !is_here(&url) {
        tracing::warn!(koji.server = %url, "the password goes to the hub without encryption");
    }
    Ok(url)
}

/// Prepares a client with the profile's certificates.
///
/// # Errors
/// A certificate cannot be read.
pub(super) fn client(profile: &Profile, hub: &Url) -> Result<ClientBuilder, HubError> {
    let mut client = Client::builder()
        .user_agent("koji/1")
        .http1_only()
        .gzip(true)
        .referer(false)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(profile.connect_timeout);
    if is_here(hub) {
        client = client.no_proxy();
    }
    if hub.scheme() == "http" {
        // Redirects are not followed, so nothing is ever checked: the system's certificates, if it has any, stay unread.
        client = client.tls_certs_only([]);
    }
    if let Some(path) = &profile.serverca {
        let certificates =
            Certificate::from_pem_bundle(&read(path)?).map_err(|_| unusable(path, "certificates"))?;
        if certificates.is_empty() {
            return Err(unusable(path, "certificates"));
        }
        client = client.tls_certs_only(certificates);
    }
    if let Login::Certificate { cert } = &profile.login {
        let identity =
            Identity::from_pem(&read(cert)?).map_err(|_| unusable(cert, "certificate with its key"))?;
        client = client.identity(identity);
    }
    if profile.no_ssl_verify {
        tracing::warn!(koji.server = %hub, "no_ssl_verify: whoever answers is taken for the hub");
        client = client.tls_danger_accept_invalid_certs(true);
    }
    Ok(client)
}

/// Makes the client.
///
/// # Errors
/// Certificate and key do not belong together, or the system's certificates cannot be read.
pub(super) fn built(client: ClientBuilder) -> Result<Client, HubError> {
    client.build().map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        HubError::unusable(format!("TLS cannot be set up: {cause}"))
    })
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn read(path: &Path) -> Result<Vec<u8>, HubError> {
    let failed = |error| HubError::unusable(format!("{} cannot be read: {error}", path.display()));
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > CERTIFICATES_BYTES {
        return Err(unusable(path, "certificates"));
    }
    std::fs::read(path).map_err(failed)
}

fn unusable(path: &Path, wanted: &str) -> HubError {
    HubError::unusable(format!("{} holds no {wanted} in PEM", path.display()))
}
