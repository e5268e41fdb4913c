//! Tokens with which programs ask in the name of people.

use async_trait::async_trait;

use super::MemoryStore;
use crate::store::checks::rejected;
use crate::store::{NewToken, StoreError, Token, TokenDigest, TokenId, Tokens};

#[async_trait]
impl Tokens for MemoryStore {
    async fn add_token(&self, new: NewToken) -> Result<Token, StoreError> {
        self.transact(|tables, now| {
            if tables.tokens.iter().any(|(digest, _)| *digest == new.digest) {
                return Err(rejected("this token is kept already"));
            }
            let last = tables.tokens.last().map_or(0, |(_, token)| token.id.0);
            let (digest, token) = (new.digest.clone(), Token::new(TokenId(last + 1), new, now));
            tables.tokens.push((digest, token.clone()));
            tables.generation += 1;
            Ok(token)
        })
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.transact(|tables, _| Ok(tables.tokens.iter().map(|(_, token)| token.clone()).collect()))
    }

    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
        self.transact(|tables, now| {
            let kept = tables.tokens.iter_mut().find(|(of, _)| of == digest);
            let Some((_, token)) = kept else { return Ok(None) };
            let Some(used) = token.clone().used(now) else { return Ok(None) };
            token.clone_from(&used);
            tables.generation += 1;
            Ok(Some(used))
        })
    }

    async fn revoke_token(&self, id: TokenId, by: &str) -> Result<Option<Token>, StoreError> {
        self.transact(|tables, now| {
            let kept = tables.tokens.iter_mut().find(|(_, token)| token.id == id);
            let Some((_, token)) = kept else { return Ok(None) };
            *token = token.clone().revoked_by(by, now);
            let revoked = token.clone();
            tables.generation += 1;
            Ok(Some(revoked))
        })
    }
}
