//! The identity provider: whether it knows us, and has keys.

use std::path::Path;
use std::sync::Arc;

use mbs_http::{beginning, said, whole};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;

use super::{Probe, Trouble, WITHIN};
use crate::config::{AuthMethod, Config, KeysAt, Oidc};

/// Answers that are longer are none.
const ANSWER_BYTES: u64 = 1 << 20;
/// As much is read of an answer that is trouble.
const WORDS_BYTES: usize = 4 << 10;
/// A token that nobody has.
const NO_TOKEN: &str = "none";

/// Returns what is looked at of the provider, if people log in with tokens.
pub(super) fn probes(config: &Arc<Config>) -> Vec<Probe> {
    let access = &config.access;
    if access.no_auth || access.auth_method != AuthMethod::Oidc {
        return Vec::new();
    }
    let oidc = match access.oidc.clone().with_client_secrets() {
        Ok(oidc) => oidc,
        Err(error) => {
            let trouble = Trouble::Wrong(error.to_string());
            return vec![Probe::new("`oidc_client_secrets` in [access]", async { Err(trouble) })];
        }
    };
    let keys = oidc.jwks.as_ref().map(|jwks| keys(jwks.keys.clone()));
    let asked = oidc.is_complete().then(|| [introspection(oidc.clone()), userinfo(oidc.userinfo_uri)]);
    keys.into_iter().chain(asked.into_iter().flatten()).collect()
}

/// Asks about a token that nobody has, as the client that is configured.
fn introspection(oidc: Oidc) -> Probe {
    Probe::new(format!("the identity provider {}", oidc.introspection_uri), async move {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", NO_TOKEN)
            .append_pair("token_type_hint", "Bearer")
            .append_pair("client_id", &oidc.client_id)
            .append_pair("client_secret", oidc.client_secret.reveal())
            .finish();
        let (client, url) = client(&oidc.introspection_uri)?;
        let asked = client.post(url).header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let mut answer = sent(asked).await?;
        match answer.status().as_u16() {
            200 => {
                let answer: Option<Value> = serde_json::from_slice(&read(&mut answer).await?).ok();
                let is_one = answer.is_some_and(|answer| answer.get("active").is_some_and(Value::is_boolean));
                let why = "it does not say whether tokens are active: is the address right?";
                if is_one {
                    Ok(format!("it knows {}", oidc.client_id))
                } else {
                    Err(Trouble::Wrong(why.to_owned()))
                }
            }
            400..=499 => Err(Trouble::Wrong(format!(
                "it does not take us as {}: {}",
                oidc.client_id,
                words(&mut answer).await
            ))),
            _ => Err(Trouble::Away(words(&mut answer).await)),
        }
    })
}

/// Asks for nobody's groups: any answer will do.
fn userinfo(uri: String) -> Probe {
    Probe::new(format!("the groups of people, {uri}"), async move { answers(&uri).await })
}

fn keys(at: KeysAt) -> Probe {
    match at {
        KeysAt::Uri(uri) => Probe::new(format!("the provider's keys, {uri}"), async move {
            let (client, url) = client(&uri)?;
            let mut answer = sent(client.get(url)).await?;
            if !answer.status().is_success() {
                return Err(Trouble::Away(words(&mut answer).await));
            }
            counted(&read(&mut answer).await?)
        }),
        KeysAt::File(path) => Probe::new(format!("the provider's keys, {}", path.display()), async move {
            counted(&read_file(&path)?)
        }),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Trouble> {
    std::fs::read(path).map_err(|error| Trouble::Wrong(format!("the file cannot be read: {error}")))
}

/// Counts the keys of a set.
fn counted(set: &[u8]) -> Result<String, Trouble> {
    let set: Option<Value> = serde_json::from_slice(set).ok();
    match set.as_ref().and_then(|set| set.get("keys")).and_then(Value::as_array) {
        Some(keys) if !keys.is_empty() => Ok(format!("there are {}", keys.len())),
        Some(_) | None => Err(Trouble::Wrong("it is no set of keys (JWKS)".to_owned())),
    }
}

/// Says whether whoever is at an address answers at all.
pub(super) async fn answers(address: &str) -> Result<String, Trouble> {
    let (client, url) = client(address)?;
    let mut answer = sent(client.get(url)).await?;
    if answer.status().is_server_error() {
        Err(Trouble::Away(words(&mut answer).await))
    } else {
        Ok(String::new())
    }
}

fn client(address: &str) -> Result<(Client, Url), Trouble> {
    let url = Url::parse(address).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let url = url.ok_or_else(|| Trouble::Wrong("it is no address of http or https".to_owned()))?;
    let client = mbs_http::client(&url).connect_timeout(WITHIN).timeout(WITHIN);
    let client = mbs_http::built(client).map_err(|error| Trouble::Away(error.to_string()))?;
    Ok((client, url))
}

async fn sent(request: RequestBuilder) -> Result<Response, Trouble> {
    request.send().await.map_err(|error| Trouble::Away(mbs_http::Failure::of_sending(&error).to_string()))
}

async fn read(answer: &mut Response) -> Result<Vec<u8>, Trouble> {
    whole(answer, ANSWER_BYTES).await.map_err(|failure| Trouble::Away(failure.to_string()))
}

async fn words(answer: &mut Response) -> String {
    let status = answer.status().as_u16();
    said(status, &beginning(answer, WORDS_BYTES).await)
}
