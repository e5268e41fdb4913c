//! `token`: tokens with which programs ask the REST interface in the name of people. A token is shown once, when it is made.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use mbs_core::store::{NewToken, Scope, Token, TokenId};
use serde::Serialize;

use super::keeper::Keeper;
use super::sweep::KeptFor;
use crate::api_token;
use crate::exit::Stop;
use crate::table::Table;

/// What is done with tokens.
#[derive(Debug, Args)]
pub struct TokenArguments {
    /// What to do
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; it cannot be shown again
    Create(CreateArguments),
    /// Show all tokens, without what they are secret by
    List(ListArguments),
    /// End tokens at once and for good
    Revoke(RevokeArguments),
}

/// Which token is made.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// In whose name it asks: what is submitted with it belongs to them
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub user: String,
    /// What it is good for: submit, cancel, import, admin (repeatable) [default: submit, cancel]
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<Scope>,
    /// A group that its owner counts as a member of when asking with it (repeatable)
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// How long it counts
    #[arg(long, value_name = "DAYS|never", default_value = "90")]
    pub expires: KeptFor,
}

/// How tokens are shown.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Print each as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

/// Which tokens are ended.
#[derive(Debug, Args)]
pub struct RevokeArguments {
    /// The number of a token, as `list` shows it
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<i64>,
}

/// A token as `--json` shows it.
#[derive(Debug, Serialize)]
struct Shown<'t> {
    /// Whether it counts now.
    counts: bool,
    #[serde(flatten)]
    token: &'t Token,
}

/// Makes, shows or ends tokens.
pub(super) async fn run(keeper: &mut Keeper<'_>, command: &TokenCommand) -> Result<(), Stop> {
    match command {
        TokenCommand::Create(asked) => create(keeper, asked).await,
        TokenCommand::List(asked) => list(keeper, asked).await,
        TokenCommand::Revoke(asked) => revoke(keeper, asked).await,
    }
}

async fn create(keeper: &mut Keeper<'_>, asked: &CreateArguments) -> Result<(), Stop> {
    let expires_at = match asked.expires {
        KeptFor::Days(days) => {
            let life = Duration::from_secs(86_400) * days;
            let end = keeper.store.now().await?.checked_add(life);
            Some(end.map_err(|_| Stop::Usage(format!("{days} days are too many; say never")))?)
        }
        KeptFor::Always => None,
    };
    let scopes: BTreeSet<Scope> = match asked.scopes.is_empty() {
        true => [Scope::Submit, Scope::Cancel].into(),
        false => asked.scopes.iter().copied().collect(),
    };
    let secret = api_token::make()
        .map_err(|error| Stop::Machine(format!("the system gives no random numbers: {error}")))?;
    let new = NewToken {
        digest: api_token::digest(secret.reveal()),
        user: asked.user.clone(),
        scopes,
        groups: asked.groups.iter().cloned().collect(),
        expires_at,
        by: keeper.by.clone(),
    };
    let token = keeper.store.add_token(new).await?;
    keeper.print(&format!("{}\n", secret.reveal()))?;
    let told =
        format!("token {} of {}, good for {}, {}", token.id, token.user, scopes_of(&token), until(&token));
    // Beside the token, which alone goes where the output goes. That nobody reads it is no error.
    drop(writeln!(anstream::stderr(), "{told}; it is not shown again"));
    Ok(())
}

async fn list(keeper: &mut Keeper<'_>, asked: &ListArguments) -> Result<(), Stop> {
    let (tokens, now) = (keeper.store.tokens().await?, keeper.store.now().await?);
    if asked.json {
        return tokens
            .iter()
            .try_for_each(|token| keeper.print_json(&Shown { counts: token.counts_at(now), token }));
    }
    keeper.print(&table(&tokens, now))
}

async fn revoke(keeper: &mut Keeper<'_>, asked: &RevokeArguments) -> Result<(), Stop> {
    for id in asked.ids.iter().copied().map(TokenId) {
        let revoked = keeper.store.revoke_token(id, &keeper.by).await?;
        let token = revoked.ok_or_else(|| Stop::Usage(format!("there is no token {id}")))?;
        keeper.print(&format!("token {id} of {} is revoked\n", token.user))?;
    }
    Ok(())
}

fn table(tokens: &[Token], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "User", "Scopes", "Groups", "Made by", "Last used", "Uses", "Counts"]);
    for token in tokens {
        let groups: Vec<&str> = token.groups.iter().map(String::as_str).collect();
        let cells = [
            token.id.to_string(),
            token.user.clone(),
            scopes_of(token),
            groups.join(", "),
            token.made_by.clone(),
            token.used_at.map(time).unwrap_or_default(),
            token.uses.to_string(),
            standing(token, now),
        ];
        // A line each, whatever was written there.
        table.push(cells.map(|cell| Some(cell.replace(char::is_control, " "))));
    }
    table.to_string()
}

fn standing(token: &Token, now: Timestamp) -> String {
    match (&token.revoked, token.counts_at(now)) {
        (Some(revoked), _) => format!("revoked by {}, {}", revoked.by, time(revoked.at)),
        (None, true) => until(token),
        (None, false) => format!("expired {}", token.expires_at.map(time).unwrap_or_default()),
    }
}

fn until(token: &Token) -> String {
    token.expires_at.map_or_else(|| "without an end".to_owned(), |end| format!("until {}", time(end)))
}

fn scopes_of(token: &Token) -> String {
    token.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ")
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn name(text: &str) -> Result<String, &'static str> {
    let is_name = !text.is_empty() && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if is_name { Ok(text.to_owned()) } else { Err("it must be a login name") }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::manager::testing::Bench;

    #[test]
    fn a_token_is_printed_alone_once_and_only_its_digest_is_kept() {
        let bench = Bench::new();
        let printed = bench.done(&["token", "create", "--user", "anna", "--group", "packager"]);
        let secret = printed.trim_end();
        assert!(secret.starts_with("mbs_") && printed.lines().count() == 1, "{printed}");
        let token = bench
            .ask(async |store| store.use_token(&api_token::digest(secret)).await.unwrap())
            .expect("it counts");
        assert_eq!((token.user.as_str(), token.made_by), ("anna", bench.by()));
        assert_eq!(token.scopes, [Scope::Submit, Scope::Cancel].into());
        // The end is reckoned a moment before the token is kept.
        let life = token.expires_at.unwrap().duration_since(token.made_at).as_secs();
        assert!((90 * 86_400 - 60..=90 * 86_400).contains(&life), "{life}");
        let shown = bench.done(&["token", "list"]) + &bench.done(&["token", "list", "--json"]);
        assert!(!shown.contains(&secret[4..20]), "{shown}");
        let file = std::fs::read(bench.folder.path().join("mbs.db")).unwrap();
        let wal = std::fs::read(bench.folder.path().join("mbs.db-wal")).unwrap_or_default();
        let digits = &secret.as_bytes()[4..];
        assert!(![file, wal].iter().any(|bytes| bytes.windows(64).any(|window| window == digits)));
    }

    #[test]
    fn tokens_are_listed_with_what_became_of_them() {
        let bench = Bench::new();
        bench.done(&["token", "create", "--user", "anna", "--scope", "import", "--expires", "never"]);
        bench.done(&["token", "create", "--user", "bert", "--expires", "0"]);
        bench.done(&["token", "create", "--user", "carl"]);
        assert_eq!(bench.done(&["token", "revoke", "3"]), "token 3 of carl is revoked\n");
        let told = bench.done(&["token", "list"]);
        let counts: Vec<bool> = bench
            .done(&["token", "list", "--json"])
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["counts"].as_bool().unwrap())
            .collect();
        assert_eq!(counts, [true, false, false]);
        for words in ["without an end", "expired 2", "revoked by "] {
            assert!(told.contains(words), "{words} in {told}");
        }
    }

    #[test]
    fn what_is_no_token_cannot_be_revoked() {
        let stop = Bench::new().run(&["token", "revoke", "7"]).unwrap_err();
        assert_eq!(stop, Stop::Usage("there is no token 7".into()));
    }

    #[test]
    fn a_user_has_a_name_of_one_word() {
        assert!(["", "a b", "a\nb"].into_iter().all(|text| name(text).is_err()));
        assert_eq!(name("anna"), Ok("anna".into()));
    }
}
