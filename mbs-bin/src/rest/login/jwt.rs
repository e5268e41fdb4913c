//! Signed tokens of an identity provider that are checked here, with its keys: it is not asked about each.
//!
//! Issuer, audience, end and algorithm must be those that are configured. A key that nobody knows has the keys read anew, but not
//! more often than once a minute, whoever asks. Nobody whose key is known waits for that, and nobody who hangs up ends it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex as Turn;
use tokio::task::JoinHandle;

use super::super::problem::Problem;
use super::oidc::{EXPIRED, answer, client};
use crate::config::{Algorithm, Jwks, KeysAt};

/// How long keys count before they are read anew: a key that the provider withdrew counts no longer than that.
const FRESH: Duration = Duration::from_secs(3600);

/// How long keys are not read anew, however many tokens name others.
const GAP: Duration = Duration::from_secs(60);

/// How long keys count that cannot be read anew.
const STALE: Duration = Duration::from_secs(86_400);

/// Longer files are no set of keys.
const LONGEST_FILE: u64 = 1 << 20;

/// The keys of a provider, and what its tokens must say.
#[derive(Debug)]
pub(super) struct Keys(Arc<Source>);

#[derive(Debug)]
struct Source {
    jwks: Jwks,
    /// `None`: they are in a file.
    at: Option<(Client, Url)>,
    known: Mutex<Known>,
    /// Whoever reads them has it meanwhile.
    turn: Arc<Turn<()>>,
}

/// The keys as they were read last.
#[derive(Debug, Default)]
struct Known {
    keys: Vec<Jwk>,
    /// When they were read; `None`: never.
    read_at: Option<Instant>,
    /// When somebody last tried to.
    tried_at: Option<Instant>,
}

/// What a token says of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    scope: Option<Value>,
    #[serde(default)]
    scp: Option<Value>,
    #[serde(default)]
    groups: Option<Vec<String>>,
}

impl Claims {
    /// Returns the owner's name; `None`: it says none.
    pub(super) fn name(&self) -> Option<&str> {
        let name = self.preferred_username.as_deref().or(self.username.as_deref());
        name.filter(|name| !name.is_empty())
    }

    /// Returns the scopes, blanks between them.
    pub(super) fn scopes(&self) -> String {
        let texts = |scopes: &Value| match scopes {
            Value::String(text) => text.clone(),
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
        };
        self.scope.as_ref().or(self.scp.as_ref()).map(texts).unwrap_or_default()
    }

    /// Returns the owner's groups; `None`: it does not say.
    pub(super) fn groups(&self) -> Option<&[String]> {
        self.groups.as_deref()
    }
}

impl Keys {
    /// Makes the check; nothing is read yet.
    ///
    /// # Errors
    /// The address is none, or TLS cannot be set up.
    pub(super) fn new(jwks: Jwks) -> Result<Self, String> {
        let at = match &jwks.keys {
            KeysAt::Uri(uri) => Some(client(uri)?),
            KeysAt::File(_) => None,
        };
        Ok(Self(Arc::new(Source { jwks, at, known: Mutex::default(), turn: Arc::default() })))
    }

    /// Returns what a token says, if it is one of the provider's, for us, and counts.
    pub(super) async fn claims(&self, token: &str) -> Result<Claims, Problem> {
        let refused = || Problem::unauthorized(EXPIRED);
        let header = decode_header(token).map_err(|_| refused())?;
        let is_allowed = |algorithm: &Algorithm| algorithm_of(*algorithm) == header.alg;
        let jwks = &self.0.jwks;
        if !jwks.algorithms.iter().any(is_allowed) {
            return Err(refused());
        }
        let key = self.key(header.kid.as_deref()).await?.ok_or_else(refused)?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| refused())?;
        let mut rules = Validation::new(header.alg);
        rules.set_issuer(&[&jwks.issuer]);
        rules.set_audience(&[&jwks.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        rules.validate_nbf = true;
        let decoded = decode::<Claims>(token, &key, &rules);
        decoded.map(|token| token.claims).map_err(|error| {
            tracing::debug!(%error, "a token of the provider is refused");
            refused()
        })
    }

    /// Returns the key that a token names, or the only one there is if it names none.
    async fn key(&self, kid: Option<&str>) -> Result<Option<Jwk>, Problem> {
        let source = &self.0;
        let reading = source.read_if_due(kid);
        if let Some(key) = source.known().counting(kid) {
            return Ok(Some(key.clone()));
        }
        match reading {
            Some(reading) => drop(reading.await),
            None => drop(source.turn.lock().await),
        }
        let known = source.known();
        if known.are_stale() {
            return Err(Problem::unavailable("The keys of the identity provider cannot be read."));
        }
        Ok(known.find(kid).cloned())
    }
}

impl Source {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read the keys anew, unless that need not be, or somebody is at it.
    fn read_if_due(self: &Arc<Self>, kid: Option<&str>) -> Option<JoinHandle<()>> {
        let mut known = self.known();
        if !known.is_due(Instant::now(), kid) {
            return None;
        }
        let turn = Arc::clone(&self.turn).try_lock_owned().ok()?;
        known.tried_at = Some(Instant::now());
        let source = Arc::clone(self);
        Some(tokio::spawn(async move {
            let read = source.read().await;
            let mut known = source.known();
            match read {
                Ok(keys) => (known.keys, known.read_at) = (keys, Some(Instant::now())),
                Err(reason) => tracing::error!(reason, "the keys of the identity provider cannot be read"),
            }
            drop((known, turn));
        }))
    }

    async fn read(&self) -> Result<Vec<Jwk>, String> {
        let set: Value = match (&self.at, &self.jwks.keys) {
            (Some((client, url)), _) => answer(client.get(url.clone())).await?,
            (None, KeysAt::File(path)) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || of_file(&path)).await;
                read.map_err(|error| error.to_string())??
            }
            (None, KeysAt::Uri(uri)) => return Err(format!("{uri} is no address")),
        };
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err("it is no set of keys (JWKS)".to_owned());
        };
        // Keys of kinds that are not known here sign nothing that counts here.
        Ok(keys.iter().filter_map(|key| Jwk::deserialize(key).ok()).collect())
    }
}

impl Known {
    fn is_due(&self, now: Instant, kid: Option<&str>) -> bool {
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        let is_old = since(self.read_at).is_none_or(|age| age > FRESH);
        let may_try = since(self.tried_at).is_none_or(|gap| gap > GAP);
        may_try && (is_old || self.find(kid).is_none())
    }

    fn are_stale(&self) -> bool {
        self.read_at.is_none_or(|at| at.elapsed() > STALE)
    }

    /// Returns the key that is asked for, if the keys count.
    fn counting(&self, kid: Option<&str>) -> Option<&Jwk> {
        if self.are_stale() { None } else { self.find(kid) }
    }

    fn find(&self, kid: Option<&str>) -> Option<&Jwk> {
        match (kid, &self.keys[..]) {
            (Some(kid), keys) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

fn of_file(path: &Path) -> Result<Value, String> {
    let told = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let file = File::open(path).map_err(|error| told(&error))?;
    let mut text = Vec::new();
    file.take(LONGEST_FILE + 1).read_to_end(&mut text).map_err(|error| told(&error))?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(told(&"it is too long for a set of keys"));
    }
    serde_json::from_slice(&text).map_err(|error| told(&error))
}

fn algorithm_of(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    use jsonwebtoken::Algorithm as Theirs;

    match algorithm {
        Algorithm::RS256 => Theirs::RS256,
        Algorithm::RS384 => Theirs::RS384,
        Algorithm::RS512 => Theirs::RS512,
        Algorithm::PS256 => Theirs::PS256,
        Algorithm::PS384 => Theirs::PS384,
        Algorithm::PS512 => Theirs::PS512,
        Algorithm::ES256 => Theirs::ES256,
        Algorithm::ES384 => Theirs::ES384,
        Algorithm::EdDSA => Theirs::EdDSA,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;
    use std::time::{SystemTime, UNIX_EPOCH};

    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;
    use tempfile::NamedTempFile;

    use super::*;

    /// A key that guards nothing: its seed, behind what says that it is one.
    const KEY: &str =
        "302e020100300506032b65700422042029f05884a318906ef63750d7fd1058a15d89fd77857546715b658eb7f8f5ba15";

    /// What belongs to it in public.
    const PUBLIC: &str = "fEiIUsmgTFIadANpooA_HvPhWxHKGh3ZIKNa9XTDK7Y";

    fn key() -> EncodingKey {
        let pairs = KEY.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        EncodingKey::from_ed_der(&bytes)
    }

    pub(in super::super) fn jwk(kid: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": PUBLIC})
    }

    pub(in super::super) fn set(keys: &[Value]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        write!(file, "{}", json!({"keys": keys})).unwrap();
        file
    }

    /// What is configured of a provider with these keys.
    pub(in super::super) fn provider(file: &NamedTempFile) -> Jwks {
        Jwks {
            keys: KeysAt::File(file.path().into()),
            issuer: "https://id.example".into(),
            audience: "mbs".into(),
            algorithms: vec![Algorithm::EdDSA],
        }
    }

    fn keys(file: &NamedTempFile) -> Keys {
        Keys::new(provider(file)).unwrap()
    }

    fn now() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    pub(in super::super) fn claims() -> Value {
        json!({"iss": "https://id.example", "aud": ["mbs"], "exp": now() + 600, "preferred_username": "anna",
            "scope": "openid submit", "groups": ["packager"]})
    }

    pub(in super::super) fn signed(claims: &Value, kid: Option<&str>) -> String {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(jsonwebtoken::Algorithm::EdDSA) };
        encode(&header, claims, &key()).unwrap()
    }

    async fn told(keys: &Keys, token: &str) -> Result<Claims, String> {
        keys.claims(token).await.map_err(|problem| problem.message)
    }

    #[tokio::test]
    async fn a_token_of_the_provider_says_whose_it_is() {
        let file = set(&[json!({"kty": "odd", "kid": "k0"}), jwk("k1")]);
        let claims = told(&keys(&file), &signed(&claims(), Some("k1"))).await.unwrap();
        assert_eq!((claims.name(), claims.scopes().as_str()), (Some("anna"), "openid submit"));
        assert_eq!(claims.groups(), Some(&["packager".to_owned()][..]));
    }

    #[tokio::test]
    async fn the_name_that_is_preferred_counts_before_the_other() {
        let file = set(&[jwk("k1")]);
        let mut both = claims();
        both["username"] = "other".into();
        let name = async |claims: &Value| {
            told(&keys(&file), &signed(claims, Some("k1"))).await.unwrap().name().map(str::to_owned)
        };
        assert_eq!(name(&both).await.as_deref(), Some("anna"));
        both.as_object_mut().unwrap().remove("preferred_username");
        assert_eq!(name(&both).await.as_deref(), Some("other"));
    }

    #[tokio::test]
    async fn who_has_a_known_key_does_not_wait_for_whoever_reads_the_keys() {
        let file = set(&[jwk("k1")]);
        let keys = keys(&file);
        assert!(told(&keys, &signed(&claims(), Some("k1"))).await.is_ok());
        let _turn = keys.0.turn.lock().await;
        assert!(told(&keys, &signed(&claims(), Some("k1"))).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_not_as_configured_is_refused() {
        let file = set(&[jwk("k1")]);
        let keys = keys(&file);
        for (key, value) in [
            ("iss", json!("https://other.example")),
            ("aud", json!("other")),
            ("exp", json!(now() - 600)),
            ("nbf", json!(now() + 600)),
            ("exp", Value::Null),
            ("aud", Value::Null),
            ("iss", Value::Null),
        ] {
            let mut wrong = claims();
            match value {
                Value::Null => _ = wrong.as_object_mut().unwrap().remove(key),
                _ => wrong[key] = value.clone(),
            }
            assert_eq!(
                told(&keys, &signed(&wrong, Some("k1"))).await,
                Err(EXPIRED.to_owned()),
                "{key} {value}"
            );
        }
    }

    #[tokio::test]
    async fn what_the_provider_did_not_sign_is_refused() {
        let file = set(&[jwk("k1")]);
        let keys = keys(&file);
        let good = signed(&claims(), Some("k1"));
        let (rest, _) = good.rsplit_once('.').unwrap();
        let by_public = EncodingKey::from_secret(PUBLIC.as_bytes());
        let other_algorithm = Header { kid: Some("k1".into()), ..Header::default() };
        let confused = encode(&other_algorithm, &claims(), &by_public).unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
        for token in [&format!("{rest}.AAAA"), &confused, &unsigned, "", "x", &signed(&claims(), Some("k2"))]
        {
            assert_eq!(told(&keys, token).await, Err(EXPIRED.to_owned()), "{token}");
        }
        assert!(told(&keys, &good).await.is_ok());
    }

    #[tokio::test]
    async fn a_token_that_names_no_key_is_checked_with_the_only_one() {
        let (one, two) = (set(&[jwk("k1")]), set(&[jwk("k1"), jwk("k2")]));
        assert!(told(&keys(&one), &signed(&claims(), None)).await.is_ok());
        assert!(told(&keys(&two), &signed(&claims(), None)).await.is_err());
    }

    #[tokio::test]
    async fn without_keys_nobody_is_let_in_and_that_is_no_fault_of_the_token() {
        let file = set(&[jwk("k1")]);
        let keys = keys(&file);
        drop(file);
        let refused = keys.claims(&signed(&claims(), Some("k1"))).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), 503);
    }

    #[test]
    fn keys_are_read_anew_when_old_or_unknown_but_not_more_often_than_once_a_minute() {
        let later = |secs| Instant::now() + Duration::from_secs(secs);
        let now = Instant::now();
        let known = Known {
            keys: vec![Jwk::deserialize(jwk("k1")).unwrap()],
            read_at: Some(now),
            tried_at: Some(now),
        };
        assert!(!known.is_due(later(30), Some("k2")) && known.is_due(later(90), Some("k2")));
        assert!(!known.is_due(later(90), Some("k1")) && known.is_due(later(3700), Some("k1")));
        assert!(Known::default().is_due(now, Some("k1")));
    }
}
