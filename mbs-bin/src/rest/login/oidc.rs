//! People who have a token of an identity provider: it is asked about each.
//!
//! Nothing is remembered, so that a token that was revoked counts no longer.

use std::collections::BTreeSet;
use std::time::Duration;

use mbs_http::{Failure, Secret};
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::problem::Problem;
use super::super::request::Seen;
use crate::config::Oidc;

/// The scopes that every token needs.
const SCOPES: [&str; 2] = ["openid", "https://id.fedoraproject.org/scope/groups"];

pub(super) const EXPIRED: &str = "OIDC token invalid or expired.";

/// The longest answer of a provider that is read: people may be in thousands of groups.
const LONGEST_ANSWER: u64 = 1 << 20;

/// How long a provider may take.
const WITHIN: Duration = Duration::from_secs(15);

/// An identity provider.
#[derive(Debug)]
pub(crate) struct Provider {
    introspection: (Client, Url),
    userinfo: (Client, Url),
    client_id: String,
    client_secret: Secret,
}

/// What a provider says of a token.
#[derive(Debug, Deserialize)]
struct Introspected {
    #[serde(default)]
    active: bool,
    scope: Option<String>,
    username: Option<String>,
}

/// What a provider says of the owner of a token.
#[derive(Debug, Deserialize)]
struct UserInfo {
    groups: Option<Value>,
}

/// Returns the token that a request brings.
pub(super) fn bearer(seen: &Seen) -> Result<&str, Problem> {
    let header = seen.headers.get("authorization");
    let header = header.ok_or_else(|| Problem::unauthorized("No 'authorization' header found."))?;
    let text = header.to_str().map(str::trim).unwrap_or_default();
    let token = text.strip_prefix("Bearer ").map(str::trim).filter(|token| !token.is_empty());
    token.ok_or_else(|| Problem::unauthorized("Authorization headers must start with 'Bearer '"))
}

impl Provider {
    pub(super) fn new(oidc: &Oidc) -> Result<Self, String> {
        Ok(Self {
            introspection: client(&oidc.introspection_uri)?,
            userinfo: client(&oidc.userinfo_uri)?,
            client_id: oidc.client_id.clone(),
            client_secret: oidc.client_secret.clone(),
        })
    }

    /// Returns the owner of a token that has the scopes it needs.
    pub(super) async fn owner(&self, token: &str, required: &str) -> Result<String, Problem> {
        let (client, url) = &self.introspection;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "Bearer")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.reveal())
            .finish();
        let request =
            client.post(url.clone()).header("content-type", "application/x-www-form-urlencoded").body(form);
        let introspected: Introspected = answer(request).await.map_err(|error| {
            tracing::error!(%error, "the identity provider cannot be asked about a token");
            Problem::unavailable(format!("The identity provider cannot be asked: {error}"))
        })?;
        if !introspected.active {
            return Err(Problem::unauthorized(EXPIRED));
        }
        check_required(required)?;
        let (Some(scope), Some(name)) = (introspected.scope, introspected.username) else {
            return Err(Problem::unauthorized(EXPIRED));
        };
        check_scopes(&scope, required)?;
        if name.is_empty() { Err(Problem::unauthorized(EXPIRED)) } else { Ok(name) }
    }

    /// Returns the groups of the owner of a token.
    pub(super) async fn groups(&self, token: &str) -> Result<BTreeSet<String>, Problem> {
        let (client, url) = &self.userinfo;
        let info: UserInfo = answer(client.get(url.clone()).bearer_auth(token)).await.map_err(|error| {
            tracing::error!(%error, "the identity provider cannot be asked for groups");
            Problem::unauthorized("OpenIDC auth error: Cannot determine the user's groups")
        })?;
        let Some(Value::Array(groups)) = info.groups else {
            return Err(Problem::unauthorized("Could not find groups in UserInfo from OIDC"));
        };
        Ok(groups.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

fn check_required(required: &str) -> Result<(), Problem> {
    match required.is_empty() {
        true => Err(Problem::forbidden("OIDC_REQUIRED_SCOPE must be set in server config.")),
        false => Ok(()),
    }
}

/// Checks that a token has the scopes that it needs, and that it is configured which.
pub(super) fn check_scopes(given: &str, required: &str) -> Result<(), Problem> {
    check_required(required)?;
    let given: Vec<&str> = given.split(' ').collect();
    let missing = SCOPES.into_iter().chain([required]).find(|scope| !given.contains(scope));
    let Some(missing) = missing else { return Ok(()) };
    let given: Vec<String> = given.iter().map(|scope| format!("'{}'", scope.escape_debug())).collect();
    let given = given.join(", ");
    Err(Problem::unauthorized(format!("Required OIDC scope '{missing}' not present: [{given}]")))
}

pub(super) fn client(address: &str) -> Result<(Client, Url), String> {
    let url: Url = address.parse().map_err(|error| format!("{address} is no address: {error}"))?;
    let client = mbs_http::client(&url).connect_timeout(WITHIN).timeout(WITHIN);
    Ok((mbs_http::built(client).map_err(|error| error.to_string())?, url))
}

pub(super) async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, String> {
    let mut response = request.send().await.map_err(|error| Failure::of_sending(&error).reason)?;
    let status = response.status();
    let body = mbs_http::whole(&mut response, LONGEST_ANSWER).await.map_err(|failure| failure.reason)?;
    if !status.is_success() {
        return Err(mbs_http::said(status.as_u16(), &body));
    }
    serde_json::from_slice(&body).map_err(|_| mbs_http::said(status.as_u16(), &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_scope_that_lacks_is_named() {
        let told = |given: &str| check_scopes(given, "submit").map_err(|problem| problem.message);
        assert_eq!(told("openid submit https://id.fedoraproject.org/scope/groups"), Ok(()));
        let lacks = told("openid x").unwrap_err();
        assert_eq!(
            lacks,
            "Required OIDC scope 'https://id.fedoraproject.org/scope/groups' not present: ['openid', 'x']"
        );
    }
}
