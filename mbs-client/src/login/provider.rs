//! An OpenID Connect provider: where people are sent, and where codes and older tokens become tokens.

use std::time::Duration;

use mbs_http::{Failure, Secret, Trouble, Trust};
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use tokio::time::timeout;

use super::LoginError;
use crate::client::told;

/// No answer of a provider is longer.
const ANSWER_BYTES: u64 = 256 << 10;
/// No answer of a provider takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A provider, as one of its clients knows it.
pub(super) struct Provider {
    /// Its address, as it was given; what it serves stands right behind.
    pub(super) address: String,
    root: Url,
    client_id: String,
    client_secret: Secret,
    http: reqwest::Client,
}

/// What a provider gives.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: Box<str>,
    pub(super) refresh_token: Option<Box<str>>,
    pub(super) token_type: Option<String>,
    pub(super) expires_in: Option<i64>,
}

impl Provider {
    /// # Errors
    /// `Unable`: the address or a certificate cannot be used.
    pub(super) fn new(
        address: &str,
        trust: &Trust,
        client_id: &str,
        client_secret: &Secret,
    ) -> Result<Self, LoginError> {
        let refused = |why: &str| LoginError::unable(format!("the address of the identity provider {why}"));
        let root = Url::parse(address).map_err(|_| refused("is none: it begins with https://"))?;
        if !matches!(root.scheme(), "http" | "https") || !root.has_host() || root.query().is_some() {
            return Err(refused("is none of http or https"));
        }
        if !address.ends_with('/') {
            return Err(refused("has to end in a slash"));
        }
        let client = mbs_http::client(&root).user_agent("mbs-client").connect_timeout(TIMEOUT);
        let http = mbs_http::trusting(client, trust).and_then(mbs_http::built);
        let http = http.map_err(|error| LoginError::unable(error.to_string()))?;
        let (client_id, client_secret) = (client_id.to_owned(), client_secret.clone());
        Ok(Self { address: address.to_owned(), root, client_id, client_secret, http })
    }

    /// Returns where a person agrees that this program may act for them.
    pub(super) fn authorization(&self, scopes: &[String], redirect: &str, state: &str) -> Url {
        let mut url = self.place("Authorization");
        url.query_pairs_mut()
            .append_pair("scope", &scopes.join(" "))
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("response_mode", "query")
            .append_pair("state", state);
        url
    }

    /// Exchanges the code that a person brought.
    ///
    /// # Errors
    /// As for [`refresh`](Self::refresh).
    pub(super) async fn exchange(&self, code: &Secret, redirect: &str) -> Result<Tokens, LoginError> {
        let own = [("grant_type", "authorization_code"), ("redirect_uri", redirect), ("code", code.reveal())];
        self.ask(&own).await
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// `Denied`: the provider gives none for it. `Unavailable`: it does not answer.
    pub(super) async fn refresh(&self, token: &Secret) -> Result<Tokens, LoginError> {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", token.reveal())]).await
    }

    fn place(&self, name: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(&format!("{}{name}", self.root.path()));
        url
    }

    async fn ask(&self, fields: &[(&str, &str)]) -> Result<Tokens, LoginError> {
        let own = [("client_id", self.client_id.as_str()), ("client_secret", self.client_secret.reveal())];
        let form =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(own).extend_pairs(fields).finish();
        let mut sent = reqwest::Request::new(reqwest::Method::POST, self.place("Token"));
        sent.headers_mut().insert(CONTENT_TYPE, FORM);
        sent.headers_mut().insert(ACCEPT, JSON);
        *sent.body_mut() = Some(form.into());
        let answered = timeout(TIMEOUT, self.exchanged(sent)).await;
        let answered =
            answered.unwrap_or_else(|_| Err(Failure::new(Trouble::Late, "it did not answer in time")));
        let (status, body) = answered.map_err(|failure| self.unavailable(&failure.reason))?;
        self.tokens(status, &body)
    }

    async fn exchanged(&self, sent: reqwest::Request) -> Result<(u16, Vec<u8>), Failure> {
        let mut response = self.http.execute(sent).await.map_err(|error| Failure::of_sending(&error))?;
        let body = mbs_http::whole(&mut response, ANSWER_BYTES).await?;
        Ok((response.status().as_u16(), body))
    }

    /// Reads an answer. What it holds is never quoted: that may be a token.
    fn tokens(&self, status: u16, body: &[u8]) -> Result<Tokens, LoginError> {
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
            error_description: Option<String>,
        }
        let is_token = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        match status {
            200..=299 => {
                let tokens = serde_json::from_slice(body).ok();
                if let Some(tokens) = tokens.filter(|tokens: &Tokens| is_token(&tokens.access_token)) {
                    return Ok(tokens);
                }
            }
            429 | 500.. => return Err(self.unavailable(&format!("HTTP {status}"))),
            _ => {}
        }
        let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
        let why = refusal.map(|said| said.error_description.unwrap_or(said.error));
        let why = why.unwrap_or_else(|| format!("HTTP {status} and no token"));
        Err(LoginError::denied(format!("the identity provider gives no token: {}", told(&why))))
    }

    fn unavailable(&self, why: &str) -> LoginError {
        LoginError::Unavailable {
            reason: format!("the identity provider {} cannot be reached: {why}", self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(address: &str) -> Result<Provider, LoginError> {
        Provider::new(address, &Trust::System, "mbs-authorizer", &Secret::new("notsecret"))
    }

    #[test]
    fn people_are_sent_where_the_provider_is_with_all_that_it_asks() {
        let provider = provider("http://localhost/openidc/").unwrap();
        let scopes = ["openid".to_owned(), "https://x/y".to_owned()];
        let url = provider.authorization(&scopes, "http://localhost:13747/", "s");
        assert_eq!(
            url.as_str(),
            "http://localhost/openidc/Authorization?scope=openid+https%3A%2F%2Fx%2Fy&response_type=code\
             &client_id=mbs-authorizer&redirect_uri=http%3A%2F%2Flocalhost%3A13747%2F&response_mode=query&state=s"
        );
        assert_eq!(provider.place("Token").as_str(), "http://localhost/openidc/Token");
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why() {
        for (given, why) in [
            ("id", "begins with https://"),
            ("ftp://id/", "http or https"),
            ("https://id/openidc", "end in a slash"),
        ] {
            let told = provider(given).err().unwrap().to_string();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn an_answer_without_a_token_is_told_without_what_it_holds() {
        let provider = provider("http://localhost/").unwrap();
        let told = |status, body: &str| provider.tokens(status, body.as_bytes()).err().unwrap();
        let refused = told(400, r#"{"error": "invalid_grant", "error_description": "gone"}"#);
        assert_eq!(refused.to_string(), "the identity provider gives no token: gone");
        let odd = told(200, r#"{"access_token": 5, "x": "geheim"}"#);
        assert_eq!(odd.to_string(), "the identity provider gives no token: HTTP 200 and no token");
        assert!(told(503, "busy").is_transient());
    }
}
