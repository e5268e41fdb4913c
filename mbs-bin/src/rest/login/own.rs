//! People who ask with a token that this service gave out. It counts whatever way people log in otherwise.
//!
//! The store says whose it is and whether it counts, each time: one that was revoked counts no longer.

use std::collections::BTreeSet;

use mbs_core::store::{Scope, Store, Token, TokenId};

use super::super::problem::Problem;
use super::super::request::Seen;
use super::Wish;
use crate::api_token;

/// What somebody may do with a token of ours: no more than they may without, and only that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) id: TokenId,
    pub(crate) scopes: BTreeSet<Scope>,
}

/// Returns the token of ours that a request brings; `None`: it brings none.
pub(super) fn presented(seen: &Seen) -> Option<&str> {
    let text = seen.headers.get("authorization")?.to_str().ok()?.trim();
    let token = text.strip_prefix("Bearer ")?.trim();
    api_token::is_ours(token).then_some(token)
}

/// Returns what is known of a token that counts, and notes its use.
pub(super) async fn known(store: &dyn Store, token: &str) -> Result<Token, Problem> {
    let known = store.use_token(&api_token::digest(token)).await?;
    known.ok_or_else(|| Problem::unauthorized("The token is not known, has expired or was revoked."))
}

impl Pass {
    pub(super) fn of(token: &Token) -> Self {
        Self { id: token.id, scopes: token.scopes.clone() }
    }

    pub(super) fn allow(&self, wish: Wish) -> Result<(), Problem> {
        let needed = match wish {
            Wish::Submit => Scope::Submit,
            Wish::Cancel => Scope::Cancel,
            Wish::Import => Scope::Import,
        };
        if self.scopes.contains(&needed) {
            return Ok(());
        }
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.name()).collect();
        let scopes = scopes.join(", ");
        Err(Problem::forbidden(format!("The token lacks the scope {needed}: it has {scopes}")))
    }
}
