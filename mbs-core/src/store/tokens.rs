//! Tokens with which programs ask in the name of people. A store knows their digests only: whoever reads it can ask nothing.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// Tokens with which programs ask in the name of people.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Tokens: Debug + Send + Sync + 'static {
    /// Keeps a new token under an id larger than all before.
    ///
    /// # Errors
    /// `Rejected`: a token of this digest is kept already.
    async fn add_token(&self, new: NewToken) -> Result<Token, StoreError>;

    /// Returns all tokens by id; those that count no longer are among them.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;

    /// Returns the token of a digest if it counts by the store's clock, and notes that it was used; `None`: there is none that
    /// counts.
    ///
    /// # Errors
    /// `Unavailable`: nobody knows whether it counts, so it does not.
    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError>;

    /// Ends a token for good and returns it; of one that was revoked before it stays known who did first. `None`: there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn revoke_token(&self, id: TokenId, by: &str) -> Result<Option<Token>, StoreError>;
}

/// The number of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(pub i64);

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The SHA-256 of a token, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenDigest(String);

impl TokenDigest {
    /// Makes a digest of its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Returns its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a token is good for. Its owner has to be allowed the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Submitting and resuming builds, and asking what would come of it.
    Submit,
    /// Cancelling builds of its owner.
    Cancel,
    /// Taking in modules that were built elsewhere.
    Import,
    /// Cancelling builds of others, too.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Submit, Self::Cancel, Self::Import, Self::Admin];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Cancel => "cancel",
            Self::Import => "import",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|scope| scope.name() == text);
        found.ok_or_else(|| format!("there is no scope {text:?}; there are {names}"))
    }
}

/// A token that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Its digest.
    pub digest: TokenDigest,
    /// In whose name it asks.
    pub user: String,
    /// What it is good for; nothing else.
    pub scopes: BTreeSet<Scope>,
    /// The groups that its owner counts as a member of when asking with it.
    pub groups: BTreeSet<String>,
    /// From when on it counts no longer; `None`: that does not come.
    pub expires_at: Option<Timestamp>,
    /// Who makes it.
    pub by: String,
}

/// A token that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its number.
    pub id: TokenId,
    /// In whose name it asks.
    pub user: String,
    /// What it is good for; nothing else.
    pub scopes: BTreeSet<Scope>,
    /// The groups that its owner counts as a member of when asking with it.
    pub groups: BTreeSet<String>,
    /// When it was made, by the store's clock.
    pub made_at: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// From when on it counts no longer; `None`: that does not come.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, and by whom; `None`: it was not.
    pub revoked: Option<Revoked>,
    /// When it was used last; `None`: never.
    pub used_at: Option<Timestamp>,
    /// How often it was used.
    pub uses: u64,
}

/// When a token was revoked, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Who did.
    pub by: String,
}

impl Token {
    /// Makes the record of a new token.
    pub fn new(id: TokenId, new: NewToken, now: Timestamp) -> Self {
        Self {
            id,
            user: new.user,
            scopes: new.scopes,
            groups: new.groups,
            made_at: now,
            made_by: new.by,
            expires_at: new.expires_at,
            revoked: None,
            used_at: None,
            uses: 0,
        }
    }

    /// Says whether it counts at a moment.
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Notes that it was used; `None`: it does not count, and nothing is noted.
    pub fn used(mut self, now: Timestamp) -> Option<Self> {
        if !self.counts_at(now) {
            return None;
        }
        (self.used_at, self.uses) = (Some(now), self.uses.saturating_add(1));
        Some(self)
    }

    /// Ends it; who did so first stays known.
    #[must_use]
    pub fn revoked_by(mut self, by: &str, now: Timestamp) -> Self {
        self.revoked.get_or_insert_with(|| Revoked { at: now, by: by.to_owned() });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::samples::at;

    fn token(expires_at: Option<Timestamp>) -> Token {
        let new = NewToken {
            digest: TokenDigest::new([0xab; 32]),
            user: "anna".into(),
            scopes: [Scope::Submit].into(),
            groups: BTreeSet::new(),
            expires_at,
            by: "root".into(),
        };
        Token::new(TokenId(1), new, at(0))
    }

    #[test]
    fn a_token_counts_until_it_expires_or_is_revoked() {
        let counts = |token: &Token, secs| token.counts_at(at(secs));
        let expiring = token(Some(at(10)));
        assert_eq!((counts(&expiring, 9), counts(&expiring, 10)), (true, false));
        assert!(counts(&token(None), 1_000_000));
        assert!(!counts(&token(None).revoked_by("root", at(1)), 0));
    }

    #[test]
    fn who_revoked_first_and_each_use_are_known() {
        let revoked = token(None).revoked_by("root", at(1)).revoked_by("bert", at(2));
        assert_eq!(revoked.revoked, Some(Revoked { at: at(1), by: "root".into() }));
        assert_eq!(revoked.used(at(3)), None);
        let used = token(None).used(at(1)).and_then(|token| token.used(at(2))).unwrap();
        assert_eq!((used.used_at, used.uses), (Some(at(2)), 2));
    }

    #[test]
    fn a_digest_is_64_digits_and_a_scope_has_a_name() {
        assert_eq!(TokenDigest::new([0xab; 32]).as_str(), "ab".repeat(32));
        assert!(Scope::ALL.into_iter().all(|scope| scope.name().parse() == Ok(scope)));
        assert!("root".parse::<Scope>().unwrap_err().ends_with("submit, cancel, import, admin"));
    }
}
