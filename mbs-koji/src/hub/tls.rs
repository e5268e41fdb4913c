//! Where the hub is, and how connections to it are made and checked.

use mbs_http::TrustError;
use reqwest::{Client, ClientBuilder, Url};

use super::error::HubError;
use crate::profile::{Login, Profile};

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
    if matches!(profile.login, Login::Password { .. }) && url.scheme() == "http" && !mbs_http::is_here(&url) {
        tracing::warn!(koji.server = %url, "the password goes to the hub without encryption");
    }
    Ok(url)
}

/// Prepares a client with the profile's certificates.
///
/// # Errors
/// A certificate cannot be read.
pub(super) fn client(profile: &Profile, hub: &Url) -> Result<ClientBuilder, HubError> {
    let mut client = mbs_http::client(hub).user_agent("koji/1").connect_timeout(profile.connect_timeout);
    if let Some(path) = &profile.serverca {
        client = client.tls_certs_only(mbs_http::certificates(path).map_err(unusable)?);
    }
    if let Login::Certificate { cert } = &profile.login {
        client = client.identity(mbs_http::identity(cert).map_err(unusable)?);
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
    mbs_http::built(client).map_err(unusable)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn unusable(error: TrustError) -> HubError {
    HubError::unusable(error.to_string())
}
