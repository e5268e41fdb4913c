//! The identity provider: where tokens are checked, and which of them count.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mbs_http::Secret;
use serde::{Deserialize, Serialize};

use super::problem::{ConfigError, Problem};
use super::{forms, read_file};

/// The identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// A JSON file with addresses and client, as the provider gives it out; what is said here counts before it.
    #[serde(rename = "oidc_client_secrets", with = "forms::path_if_any")]
    pub client_secrets: Option<PathBuf>,
    /// Where a token is checked; empty: not configured.
    #[serde(rename = "oidc_token_introspection_uri")]
    pub introspection_uri: String,
    /// Where the groups of its owner are asked for; empty: not configured.
    #[serde(rename = "oidc_userinfo_uri")]
    pub userinfo_uri: String,
    /// Who we are to the provider; empty: not configured.
    #[serde(rename = "oidc_client_id")]
    pub client_id: String,
    /// How we prove it.
    #[serde(rename = "oidc_client_secret", with = "forms::secret")]
    pub client_secret: Secret,
    /// The scope that a token needs beside `openid` and that of groups; empty: not configured.
    #[serde(rename = "oidc_required_scope")]
    pub required_scope: String,
    /// The provider's keys, if tokens are checked here and the provider is not asked.
    #[serde(skip)]
    pub jwks: Option<Jwks>,
}

/// Keys with which tokens are checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwks {
    /// Where the keys are.
    pub keys: KeysAt,
    /// Who must have issued a token.
    pub issuer: String,
    /// For whom it must have been issued.
    pub audience: String,
    /// With which algorithms it may be signed; not empty.
    pub algorithms: Vec<Algorithm>,
}

/// Where keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysAt {
    /// At an address.
    Uri(String),
    /// In a file.
    File(PathBuf),
}

/// An algorithm with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "they are the names of RFC 7518")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

/// The keys of the configuration that [`Jwks`] is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct JwksKeys {
    /// An address, or the path of a file; empty: none.
    oidc_jwks: String,
    oidc_issuer: String,
    oidc_audience: String,
    oidc_algorithms: Vec<Algorithm>,
}

impl JwksKeys {
    /// Puts the keys together; `None`: tokens are not checked here.
    ///
    /// # Errors
    /// Names the key that is missing.
    pub(super) fn jwks(&self) -> Result<Option<Jwks>, &'static str> {
        if self.oidc_jwks.is_empty() {
            return Ok(None);
        }
        let is_missing = [
            ("oidc_issuer", self.oidc_issuer.is_empty()),
            ("oidc_audience", self.oidc_audience.is_empty()),
            ("oidc_algorithms", self.oidc_algorithms.is_empty()),
        ];
        if let Some((key, _)) = is_missing.iter().find(|(_, is_missing)| *is_missing) {
            return Err(key);
        }
        let keys = match self.oidc_jwks.contains("://") {
            true => KeysAt::Uri(self.oidc_jwks.clone()),
            false => KeysAt::File(self.oidc_jwks.as_str().into()),
        };
        Ok(Some(Jwks {
            keys,
            issuer: self.oidc_issuer.clone(),
            audience: self.oidc_audience.clone(),
            algorithms: self.oidc_algorithms.clone(),
        }))
    }
}

impl Default for JwksKeys {
    fn default() -> Self {
        Self {
            oidc_jwks: String::new(),
            oidc_issuer: String::new(),
            oidc_audience: String::new(),
            oidc_algorithms: vec![Algorithm::RS256, Algorithm::ES256],
        }
    }
}

impl From<&Option<Jwks>> for JwksKeys {
    fn from(jwks: &Option<Jwks>) -> Self {
        let Some(jwks) = jwks else { return Self::default() };
        let keys = match &jwks.keys {
            KeysAt::Uri(uri) => uri.clone(),
            KeysAt::File(path) => path.display().to_string(),
        };
        Self {
            oidc_jwks: keys,
            oidc_issuer: jwks.issuer.clone(),
            oidc_audience: jwks.audience.clone(),
            oidc_algorithms: jwks.algorithms.clone(),
        }
    }
}

impl Oidc {
    /// Returns it with what the file of client secrets says, where nothing is said here. Only frontends need it, and only they have to
    /// be allowed to read the file.
    ///
    /// # Errors
    /// The file cannot be read, or is not one of client secrets.
    pub fn with_client_secrets(self) -> Result<Self, ConfigError> {
        let Some(path) = &self.client_secrets else { return Ok(self) };
        let told = client_secrets(&read_file(path)?).map_err(|what| {
            let key = Some("oidc_client_secrets".to_owned());
            ConfigError::Problems(vec![Problem { place: path.display().to_string(), key, what }])
        })?;
        Ok(self.or(told))
    }

    fn or(self, told: ClientSecrets) -> Self {
        let or = |text: String, told| if text.is_empty() { told } else { text };
        let secret = if self.client_secret.reveal().is_empty() {
            Secret::new(told.client_secret)
        } else {
            self.client_secret
        };
        Self {
            introspection_uri: or(self.introspection_uri, told.token_introspection_uri),
            userinfo_uri: or(self.userinfo_uri, told.userinfo_uri),
            client_id: or(self.client_id, told.client_id),
            client_secret: secret,
            ..self
        }
    }

    /// Says whether enough is configured to ask the provider about tokens. What the file says counts only once it
    /// [has been read](Self::with_client_secrets).
    pub fn is_complete(&self) -> bool {
        let texts = [&self.introspection_uri, &self.userinfo_uri, &self.client_id];
        texts.iter().all(|text| !text.is_empty())
    }
}

/// What a file of client secrets says of a client, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ClientSecrets {
    token_introspection_uri: String,
    userinfo_uri: String,
    client_id: String,
    client_secret: String,
}

/// Reads a file of client secrets: an object with one member, which is called after the kind of client (`web`).
///
/// # Errors
/// Says what is wrong, and quotes nothing.
fn client_secrets(text: &str) -> Result<ClientSecrets, String> {
    let mut clients: BTreeMap<String, ClientSecrets> = serde_json::from_str(text).map_err(|error| {
        format!(
            "line {} column {}: no JSON object of clients, each an object of texts",
            error.line(),
            error.column()
        )
    })?;
    let client = clients.remove("web").or_else(|| clients.pop_first().map(|(_, client)| client));
    client.ok_or_else(|| "there is no client in it".to_owned())
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            client_secrets: None,
            introspection_uri: String::new(),
            userinfo_uri: String::new(),
            client_id: String::new(),
            client_secret: Secret::new(""),
            required_scope: String::new(),
            jwks: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, said: Oidc) -> Result<Oidc, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let oidc = Oidc { client_secrets: Some(file.path().into()), ..said };
        let told = oidc.with_client_secrets().map_err(|error| error.to_string())?;
        Ok(Oidc { client_secrets: None, ..told })
    }

    #[test]
    fn what_the_file_says_counts_where_nothing_is_said_here() {
        let text = r#"{"web": {"client_id": "c", "client_secret": "s", "userinfo_uri": "https://i/u",
            "token_introspection_uri": "https://i/t", "redirect_uris": [], "issuer": "https://i"}}"#;
        let said = Oidc { client_id: "mine".into(), ..Oidc::default() };
        assert!(!said.is_complete());
        let told = with(text, said).unwrap();
        let wanted = Oidc {
            introspection_uri: "https://i/t".into(),
            userinfo_uri: "https://i/u".into(),
            client_id: "mine".into(),
            client_secret: Secret::new("s"),
            ..Oidc::default()
        };
        assert_eq!(told, wanted);
        assert!(told.is_complete());
        let said = Oidc { client_secret: Secret::new("mine"), ..Oidc::default() };
        assert_eq!(with(text, said).unwrap().client_secret, Secret::new("mine"));
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_not_quoted() {
        for text in ["geheim", r#"{"web": {"client_secret": ["geheim"]}}"#, "{}"] {
            let told = with(text, Oidc::default()).unwrap_err();
            assert!(
                !told.contains("geheim") && (told.contains("JSON") || told.contains("no client")),
                "{told}"
            );
        }
        let missing = Oidc { client_secrets: Some("/nowhere/x.json".into()), ..Oidc::default() };
        let told = missing.with_client_secrets().unwrap_err().to_string();
        assert!(told.starts_with("/nowhere/x.json cannot be read"), "{told}");
    }
}
