//! Tokens with which programs ask in the name of people.

use std::time::Duration;

use super::bench::Bench;
use crate::contract::promise::{Verdict, equal, holds, refused, there};
use crate::store::{NewToken, Revoked, Scope, StoreError, Token, TokenDigest, TokenId};

/// How long tokens of these promises count.
const LIFE: Duration = Duration::from_secs(100);

fn new_token(digit: u8) -> NewToken {
    NewToken {
        digest: TokenDigest::new([digit; 32]),
        user: "anna".into(),
        scopes: [Scope::Submit, Scope::Cancel].into(),
        groups: ["packager".to_owned()].into(),
        expires_at: None,
        by: "root".into(),
    }
}

/// `add_token`, `use_token`: what was said of it, and how often it was used.
pub(super) async fn a_token_is_found_by_its_digest_and_each_use_is_noted(bench: &Bench<'_>) -> Verdict {
    let now = bench.store.now().await?;
    let made = bench.store.add_token(new_token(1)).await?;
    equal("the new token", &made, &Token::new(made.id, new_token(1), made.made_at))?;
    holds(made.made_at >= now, "a token is made at the time of the store")?;
    bench.store.add_token(new_token(2)).await?;
    for uses in 1..=2 {
        bench.ground.pass(Duration::from_secs(1)).await;
        let used = there("token", bench.store.use_token(&TokenDigest::new([1; 32])).await?)?;
        equal("what is noted of uses", (used.id, used.uses), (made.id, uses))?;
        holds(used.used_at > Some(made.made_at), "the time of the last use is noted")?;
        equal("the token", Token { used_at: None, uses: 0, ..used }, made.clone())?;
    }
    let unknown = bench.store.use_token(&TokenDigest::new([9; 32])).await?;
    equal("the token of a digest that nobody has", unknown, None)
}

/// `use_token`: by the store's clock.
pub(super) async fn an_expired_token_counts_no_longer(bench: &Bench<'_>) -> Verdict {
    let expires_at = bench.store.now().await?.checked_add(LIFE).ok();
    let made = bench.store.add_token(NewToken { expires_at, ..new_token(1) }).await?;
    equal("its end", made.expires_at, expires_at)?;
    let digest = TokenDigest::new([1; 32]);
    bench.ground.pass(LIFE.saturating_sub(Duration::from_secs(10))).await;
    holds(bench.store.use_token(&digest).await?.is_some(), "a token counts before it expires")?;
    bench.ground.pass(Duration::from_secs(10)).await;
    equal("an expired token", bench.store.use_token(&digest).await?, None)?;
    let uses = bench.store.tokens().await?.iter().map(|token| token.uses).collect::<Vec<_>>();
    equal("uses of an expired token", uses, vec![1])
}

/// `revoke_token`: for good, and who did so first is known.
pub(super) async fn a_revoked_token_counts_no_longer(bench: &Bench<'_>) -> Verdict {
    let made = bench.store.add_token(new_token(1)).await?;
    let other = bench.store.add_token(new_token(2)).await?;
    let revoked = there("token", bench.store.revoke_token(made.id, "bert").await?)?;
    let at = there("revocation", revoked.revoked.clone())?.at;
    equal("who revoked it", &revoked.revoked, &Some(Revoked { at, by: "bert".into() }))?;
    let again = bench.store.revoke_token(made.id, "carl").await?;
    equal("a token that is revoked again", again, Some(revoked))?;
    equal("a revoked token", bench.store.use_token(&TokenDigest::new([1; 32])).await?, None)?;
    let used = there("token", bench.store.use_token(&TokenDigest::new([2; 32])).await?)?;
    equal("the other token", used.id, other.id)?;
    let unknown = bench.store.revoke_token(TokenId(other.id.0 + 1), "bert").await?;
    equal("the revocation of a token that nobody has", unknown, None)
}

/// `tokens`, `add_token`: by id, each digest once.
pub(super) async fn tokens_are_listed_by_id_and_each_is_kept_once(bench: &Bench<'_>) -> Verdict {
    equal("the tokens of a new store", bench.store.tokens().await?, vec![])?;
    let mut made = Vec::new();
    for digit in [3, 1, 2] {
        made.push(bench.store.add_token(new_token(digit)).await?);
    }
    holds(made.is_sorted_by(|one, other| one.id < other.id), "ids of tokens grow")?;
    let twice = bench.store.add_token(new_token(1)).await;
    refused("rejected: it is kept already", twice, |error| matches!(error, StoreError::Rejected { .. }))?;
    equal("the tokens", bench.store.tokens().await?, made)
}
