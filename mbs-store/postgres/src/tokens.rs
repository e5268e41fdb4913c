//! Tokens with which programs ask in the name of people.

use async_trait::async_trait;
use mbs_core::store::checks::rejected;
use mbs_core::store::{NewToken, StoreError, Token, TokenDigest, TokenId, Tokens};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::builds::database_time;
use crate::error::Failure;

#[async_trait]
impl Tokens for PostgresStore {
    async fn add_token(&self, new: NewToken) -> Result<Token, StoreError> {
        self.retried(|| self.keep_token(&new)).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.retried(|| async {
            let rows =
                sqlx::query_scalar!(r#"SELECT record AS "record: Json<Token>" FROM tokens ORDER BY id"#);
            Ok(rows.fetch_all(&self.pool).await?.into_iter().map(|row| row.0).collect())
        })
        .await
    }

    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
        self.retried(|| self.take_token(digest)).await
    }

    async fn revoke_token(&self, id: TokenId, by: &str) -> Result<Option<Token>, StoreError> {
        self.retried(|| self.end_token(id, by)).await
    }
}

impl PostgresStore {
    async fn keep_token(&self, new: &NewToken) -> Result<Token, Failure> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        let next = sqlx::query_scalar!(r#"SELECT nextval(pg_get_serial_sequence('tokens', 'id')) AS "id!""#);
        let id = next.fetch_one(&mut *connection).await?;
        let token = Token::new(TokenId(id), new.clone(), database_time(connection).await?);
        let insert = sqlx::query!(
            "INSERT INTO tokens (id, digest, record) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
            id,
            new.digest.as_str(),
            Json(&token) as _,
        );
        if insert.execute(&mut *connection).await?.rows_affected() == 0 {
            return Err(rejected("this token is kept already").into());
        }
        transaction.commit().await?;
        Ok(token)
    }

    async fn take_token(&self, digest: &TokenDigest) -> Result<Option<Token>, Failure> {
        let mut transaction = self.pool.begin().await?;
        let kept = sqlx::query_scalar!(
            r#"SELECT record AS "record: Json<Token>" FROM tokens WHERE digest = $1 FOR UPDATE"#,
            digest.as_str(),
        );
        let Some(Json(token)) = kept.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let Some(used) = token.used(database_time(&mut transaction).await?) else { return Ok(None) };
        update(&mut transaction, &used).await?;
        transaction.commit().await?;
        Ok(Some(used))
    }

    async fn end_token(&self, id: TokenId, by: &str) -> Result<Option<Token>, Failure> {
        let mut transaction = self.pool.begin().await?;
        let kept = sqlx::query_scalar!(
            r#"SELECT record AS "record: Json<Token>" FROM tokens WHERE id = $1 FOR UPDATE"#,
            id.0,
        );
        let Some(Json(token)) = kept.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let revoked = token.revoked_by(by, database_time(&mut transaction).await?);
        update(&mut transaction, &revoked).await?;
        transaction.commit().await?;
        Ok(Some(revoked))
    }
}

async fn update(connection: &mut PgConnection, token: &Token) -> Result<(), Failure> {
    let update = sqlx::query!("UPDATE tokens SET record = $2 WHERE id = $1", token.id.0, Json(token) as _);
    update.execute(connection).await?;
    Ok(())
}
