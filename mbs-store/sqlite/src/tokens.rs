//! Tokens with which programs ask in the name of people.

use async_trait::async_trait;
use mbs_core::store::checks::rejected;
use mbs_core::store::{NewToken, StoreError, Token, TokenDigest, TokenId, Tokens};

use crate::SqliteStore;
use crate::error::Outcome;
use crate::record::parse;
use crate::text::json;
use crate::write::Write;

#[async_trait]
impl Tokens for SqliteStore {
    async fn add_token(&self, new: NewToken) -> Result<Token, StoreError> {
        self.told(self.keep_token(new).await)
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.told(self.all_tokens().await)
    }

    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
        self.told(self.take_token(digest).await)
    }

    async fn revoke_token(&self, id: TokenId, by: &str) -> Result<Option<Token>, StoreError> {
        self.told(self.end_token(id, by).await)
    }
}

impl SqliteStore {
    async fn keep_token(&self, new: NewToken) -> Outcome<Token> {
        let mut write = self.write().await?;
        let digest = new.digest.as_str().to_owned();
        let known = sqlx::query_scalar!("SELECT count(*) FROM tokens WHERE digest = ?1", digest);
        if known.fetch_one(write.connection()).await? > 0 {
            return Err(rejected("this token is kept already").into());
        }
        let last = sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "last!: i64" FROM main.tokens"#);
        let id = last.fetch_one(write.connection()).await? + 1;
        let token = Token::new(TokenId(id), new, write.now);
        let record = json(&token)?;
        let insert =
            sqlx::query!("INSERT INTO tokens (id, digest, record) VALUES (?1, ?2, ?3)", id, digest, record,);
        insert.execute(write.connection()).await?;
        write.commit().await?;
        Ok(token)
    }

    async fn all_tokens(&self) -> Outcome<Vec<Token>> {
        let rows = sqlx::query_scalar!("SELECT record FROM main.tokens ORDER BY id");
        let rows = rows.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(|row| read(row)).collect::<Result<_, _>>()?)
    }

    async fn take_token(&self, digest: &TokenDigest) -> Outcome<Option<Token>> {
        let digest = digest.as_str();
        let known = sqlx::query_scalar!("SELECT record FROM tokens WHERE digest = ?1", digest);
        // Who only guesses does not keep others from writing.
        if known.fetch_optional(&self.readers).await?.is_none() {
            return Ok(None);
        }
        let mut write = self.write().await?;
        let kept = sqlx::query_scalar!("SELECT record FROM tokens WHERE digest = ?1", digest);
        let Some(row) = kept.fetch_optional(write.connection()).await? else { return Ok(None) };
        let Some(used) = read(&row)?.used(write.now) else { return Ok(None) };
        write.update_token(&used).await?;
        write.commit().await?;
        Ok(Some(used))
    }

    async fn end_token(&self, id: TokenId, by: &str) -> Outcome<Option<Token>> {
        let mut write = self.write().await?;
        let kept = sqlx::query_scalar!("SELECT record FROM tokens WHERE id = ?1", id.0);
        let Some(row) = kept.fetch_optional(write.connection()).await? else { return Ok(None) };
        let revoked = read(&row)?.revoked_by(by, write.now);
        write.update_token(&revoked).await?;
        write.commit().await?;
        Ok(Some(revoked))
    }
}

impl Write<'_> {
    async fn update_token(&mut self, token: &Token) -> Outcome<()> {
        let record = json(token)?;
        let update = sqlx::query!("UPDATE tokens SET record = ?2 WHERE id = ?1", token.id.0, record);
        update.execute(self.connection()).await?;
        Ok(())
    }
}

fn read(row: &str) -> Result<Token, StoreError> {
    parse(row, || "a stored token".to_owned())
}
