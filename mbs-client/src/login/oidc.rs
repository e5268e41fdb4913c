//! Tokens of an OpenID Connect provider, and when which is used.
//!
//! A token of the shared file is used whatever its age: the service says when it is none any more. Then it is exchanged, once
//! for all who wait; and one that the provider does not exchange is forgotten. Without any a person is sent to the provider,
//! where somebody is there to be sent.

use std::fmt::{self, Debug};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mbs_http::{Secret, Trust};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::LoginError;
use super::cache::{Cache, Kept};
use super::listener::Listener;
use super::provider::{Provider, Tokens};

/// Which provider vouches for us, as whom, and where tokens are kept.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// The provider's address, which ends in a slash.
    pub provider: String,
    /// Whom we take for the provider.
    pub trust: Trust,
    /// What the provider calls this program.
    pub client_id: String,
    /// The program's secret there; of programs on people's machines it is none.
    pub client_secret: Secret,
    /// What a token has to be good for.
    pub scopes: Vec<String>,
    /// The file that keeps tokens, shared with other programs.
    pub cache: PathBuf,
    /// The port on the loopback interface that the browser comes back to.
    pub port: u16,
    /// How long a person may take in the browser.
    pub patience: Duration,
}

/// Somebody who can be sent to a page.
pub trait Person: Debug + Send + Sync + 'static {
    /// Shows the address where the person agrees that this program may act for them.
    fn visit(&self, address: &str);
}

/// Tokens of a provider. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    settings: OidcSettings,
    provider: Provider,
    cache: Cache,
    person: Option<Arc<dyn Person>>,
    /// One asks the provider at a time; others then have what it got.
    turn: Mutex<()>,
}

impl Oidc {
    /// Makes it known which tokens are used; nothing is read or asked yet. `None`: nobody can be sent to a browser.
    ///
    /// # Errors
    /// `Unable`: the settings cannot be used.
    pub fn new(settings: OidcSettings, person: Option<Arc<dyn Person>>) -> Result<Self, LoginError> {
        let OidcSettings { provider, trust, client_id, client_secret, .. } = &settings;
        let provider = Provider::new(provider, trust, client_id, client_secret)?;
        let cache = Cache::new(settings.cache.clone());
        Ok(Self(Arc::new(Inner { settings, provider, cache, person, turn: Mutex::new(()) })))
    }

    /// Returns a token: one that is kept, else one that a person has the provider give.
    ///
    /// # Errors
    /// `Denied`: there is none, and nobody who could be sent. Others as for [`log_in`](Self::log_in).
    pub async fn token(&self) -> Result<Secret, LoginError> {
        let _turn = self.0.turn.lock().await;
        match self.kept()? {
            Some(kept) => Ok(kept.access),
            None => self.sent_to_provider().await,
        }
    }

    /// Returns the token that takes the place of one that the service refused.
    ///
    /// # Errors
    /// `Denied`: the provider gives none; the refused one is forgotten. `Unavailable`: the provider cannot be asked.
    pub async fn refreshed(&self, refused: &Secret) -> Result<Secret, LoginError> {
        let _turn = self.0.turn.lock().await;
        let gone =
            || LoginError::denied("the token was refused, and there is nothing to have another one for");
        let kept = self.kept()?.ok_or_else(gone)?;
        // Another program, or another request of ours, was faster.
        if kept.access != *refused {
            return Ok(kept.access);
        }
        let exchanged = match &kept.refresh {
            Some(refresh) => self.0.provider.refresh(refresh).await,
            None => Err(gone()),
        };
        match exchanged {
            Ok(tokens) => self.keep(&kept.id, Map::new(), &tokens),
            Err(error @ LoginError::Denied { .. }) => {
                self.0.cache.remove(&kept)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Has a person agree anew, whatever is kept.
    ///
    /// # Errors
    /// `Denied`: the person, or the provider, says no, or nothing in time. `Unable`: the browser cannot come back, or the
    /// token cannot be kept. `Unavailable`: the provider cannot be asked.
    pub async fn log_in(&self) -> Result<(), LoginError> {
        let _turn = self.0.turn.lock().await;
        self.sent_to_provider().await.map(drop)
    }

    /// Forgets the token that is kept, and says whether there was one. The provider is not told.
    ///
    /// # Errors
    /// `Unable`: the file cannot be written.
    pub async fn log_out(&self) -> Result<bool, LoginError> {
        let _turn = self.0.turn.lock().await;
        let mut was_there = false;
        while let Some(kept) = self.kept()? {
            self.0.cache.remove(&kept)?;
            was_there = true;
        }
        Ok(was_there)
    }

    fn kept(&self) -> Result<Option<Kept>, LoginError> {
        self.0.cache.find(&self.0.provider.address, &self.0.settings.scopes)
    }

    async fn sent_to_provider(&self) -> Result<Secret, LoginError> {
        let Some(person) = &self.0.person else {
            return Err(LoginError::denied(
                "there is no token, and nobody can be sent to a browser to get one",
            ));
        };
        let OidcSettings { scopes, port, patience, .. } = &self.0.settings;
        let listener = Listener::open(*port).await?;
        let (state, redirect) = (random()?, listener.address());
        person.visit(self.0.provider.authorization(scopes, &redirect, &state).as_str());
        let late = |_| LoginError::denied("nobody came back from the browser in time");
        let code = timeout(*patience, listener.code(&state)).await.map_err(late)??;
        let tokens = self.0.provider.exchange(&code, &redirect).await?;
        let id = match self.kept()? {
            Some(kept) => kept.id,
            None => random()?,
        };
        let of = [("idp".to_owned(), json!(self.0.provider.address)), ("scopes".to_owned(), json!(scopes))];
        self.keep(&id, Map::from_iter(of), &tokens)
    }

    /// Keeps what the provider gave, and returns what is shown to the service.
    fn keep(&self, id: &str, of: Map<String, Value>, tokens: &Tokens) -> Result<Secret, LoginError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let lifetime = u64::try_from(tokens.expires_in.unwrap_or(0)).unwrap_or(0);
        let mut entry = of;
        entry.insert("access_token".to_owned(), json!(tokens.access_token));
        entry.insert("token_type".to_owned(), json!(tokens.token_type.as_deref().unwrap_or("Bearer")));
        entry.insert("expires_at".to_owned(), json!(now.saturating_add(lifetime)));
        if let Some(refresh) = &tokens.refresh_token {
            entry.insert("refresh_token".to_owned(), json!(refresh));
        }
        self.0.cache.put(id, entry)?;
        Ok(Secret::new(tokens.access_token.clone()))
    }
}

impl Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Oidc").field(&self.0.settings).finish()
    }
}

/// Returns what nobody can guess: 128 bits of the system's randomness, in hexadecimal digits.
fn random() -> Result<String, LoginError> {
    let mut bytes = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| LoginError::unable(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
