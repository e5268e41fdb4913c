//! Requests that change something: submissions, cancellations, imports. Who may is asked first; what comes of it decides the
//! core.

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use mbs_core::ident::BuildId;
use mbs_core::store::{Amend, IdempotencyKey, Import, StoreError};
use mbs_core::submission::{Asked, Importable, Refused, ScmUrl, cancel};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Frontend;
use super::answer::{Answer, json};
use super::body::Members;
use super::body::submission::{self, Owner};
use super::login::{Person, Wish};
use super::objects::{BuildExtended, BuildStandard};
use super::problem::Problem;
use super::request::Seen;
use crate::importing;

/// The longest idempotency key.
const LONGEST_KEY: usize = 200;

/// How often a cancellation is tried while others change the build.
const MOST_TRIES: usize = 10;

/// What the answer about an imported module holds.
#[derive(Debug, Serialize)]
struct ImportedBody {
    messages: Vec<String>,
    module: BuildStandard,
}

impl Frontend {
    pub(super) async fn submit(&self, seen: &Seen, body: Body) -> Result<Answer, Problem> {
        let members = self.members(seen, body).await?;
        let asked = self.asked(seen, &members).await?;
        let key = idempotency_key(seen, &members, &asked.owner)?;
        let submitted = self.desk.submit(&asked, key).await?;
        let mut builds = self.recorded(&submitted.builds, seen).await?;
        Ok(match seen.version {
            1 => json(StatusCode::CREATED, &first(&mut builds)),
            _ => json(StatusCode::CREATED, &builds),
        })
    }

    /// Returns what somebody asks for who may submit.
    pub(super) async fn asked(&self, seen: &Seen, members: &Members) -> Result<Asked, Problem> {
        let person = self.gate.person(seen).await?;
        let rules = &self.desk.rules;
        let asked = submission::asked(members, rules)?;
        self.gate.allow(&person, Wish::Submit)?;
        let asked = submission::finish(asked, members, rules, self.owner(&person))?;
        let owner = submission::owner(members, self.owner(&person))?.unwrap_or(&person.name).to_owned();
        Ok(Asked { owner, ..asked })
    }

    /// Says whether a request may name its owner: where nobody logs in, and nobody did by a token of ours.
    fn owner(&self, person: &Person) -> Owner {
        if self.gate.access.no_auth && person.pass.is_none() { Owner::Named } else { Owner::LoggedIn }
    }

    pub(super) async fn cancel(&self, seen: &Seen, id: Option<i64>, body: Body) -> Result<Answer, Problem> {
        let person = self.gate.person(seen).await?;
        let members = self.members(seen, body).await?;
        let named = submission::owner(&members, self.owner(&person))?;
        self.gate.allow(&person, Wish::Cancel)?;
        let person = Person { name: named.unwrap_or(&person.name).to_owned(), ..person };
        let id = id.map(BuildId).ok_or_else(|| Problem::missing("No such module found."))?;
        let cancelled = self.cancelled(id, &person, &members).await?;
        let mut builds = self.recorded(&[cancelled], seen).await?;
        Ok(json(StatusCode::OK, &first(&mut builds)))
    }

    async fn cancelled(
        &self,
        id: BuildId,
        person: &Person,
        members: &Members,
    ) -> Result<mbs_core::model::ModuleBuild, Problem> {
        for _ in 0..MOST_TRIES {
            let loaded = self.store.load(id).await?;
            if loaded.build.new.owner != person.name && !self.gate.is_admin(person) {
                return Err(Problem::forbidden(
                    "You are not owner of this build and therefore cannot modify it.",
                ));
            }
            check_state(members)?;
            let now = cancel(&loaded.build, &person.name, self.store.now().await?)?;
            let what = "cancelled it".to_owned();
            let amend = Amend { now, revision: loaded.revision, by: person.signature(), what };
            match self.store.amend(amend).await {
                Ok(saved) => return Ok(saved.build),
                Err(StoreError::Stale(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale(id).into())
    }

    pub(super) async fn import(&self, seen: &Seen, body: Body) -> Result<Answer, Problem> {
        if self.gate.access.allowed_groups_to_import_module.is_empty() {
            return Err(Problem::forbidden("Import module API is disabled."));
        }
        let person = self.gate.person(seen).await?;
        self.gate.allow(&person, Wish::Import)?;
        let members = self.members(seen, body).await?;
        let place = self.import_from(&members)?;
        let source_control = &*self.desk.source_control;
        let fetched = importing::fetched(source_control, &place).await.map_err(Problem::unprocessable)?;
        let file = importing::file_of(&place);
        let (importable, mut messages) =
            importing::importable(&file, &fetched.text, &fetched.commit, &self.desk.policy)?;
        let Importable { nsvc, document, koji_tag } = importable;
        let import =
            Import { document: Arc::new(document), nsvc: nsvc.clone(), koji_tag, by: person.signature() };
        let imported = self.store.import(import).await?;
        if imported.was_there {
            messages.insert(0, format!("Updating existing module build {nsvc}."));
        }
        messages.push(format!("Module {nsvc} imported"));
        let listed = self.one(Some(imported.build.id.0)).await?;
        let module =
            listed.map_or_else(|| BuildStandard::of_record(&imported.build, Vec::new()), BuildStandard::of);
        Ok(json(StatusCode::CREATED, &ImportedBody { messages, module: module.without_tasks() }))
    }

    /// Checks where a module is to be read that is imported.
    fn import_from(&self, members: &Members) -> Result<ScmUrl, Problem> {
        let rules = &self.desk.rules;
        let switches = Members {
            file: None,
            all: members.all.iter().filter(|(name, _)| name != "modulemd").cloned().collect(),
        };
        submission::asked(&switches, rules)?;
        let text = |name: &str| members.text(name).map(|text| text.map(str::to_owned));
        let asked = Asked {
            scmurl: text("scmurl")?,
            // Imports name no branch, and none is looked at.
            branch: Some(String::new()),
            module_name: text("module_name")?,
            module_stream: text("module_stream")?,
            ..Asked::default()
        };
        asked.check_place(rules)?.ok_or_else(|| Refused::Missing("scmurl").into())
    }
}

/// Checks that a request wants what can be had: `failed`.
fn check_state(members: &Members) -> Result<(), Problem> {
    match members.value("state") {
        None => Err(Problem::bad("Invalid JSON submitted")),
        Some(Value::String(state)) if state == "failed" || state == "4" => Ok(()),
        Some(_) => Err(Problem::bad("An invalid state was submitted. Valid states values are: failed, 4")),
    }
}

/// Reads the key against doing it twice; it is the person's own.
fn idempotency_key(seen: &Seen, members: &Members, person: &str) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(key) = seen.headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
    let key = key.ok_or_else(|| {
        Problem::bad(format!("The Idempotency-Key must be a text of 1 to {LONGEST_KEY} ASCII characters"))
    })?;
    let content = super::json::written(&(&members.all, &members.file));
    let content = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(IdempotencyKey { key: format!("{person} {key}"), content }))
}

/// Takes the first of the builds that a submission got.
fn first(builds: &mut Vec<BuildExtended>) -> Option<BuildExtended> {
    (!builds.is_empty()).then(|| builds.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failed_can_be_had() {
        let told =
            |body: &str| check_state(&Members::of_json(body.as_bytes()).unwrap()).map_err(|no| no.message);
        assert_eq!((told(r#"{"state": "failed"}"#), told(r#"{"state": "4"}"#)), (Ok(()), Ok(())));
        assert_eq!(told("{}").unwrap_err(), "Invalid JSON submitted");
        for state in ["4", "\"ready\"", "null"] {
            let told = told(&format!("{{\"state\": {state}}}")).unwrap_err();
            assert_eq!(told, "An invalid state was submitted. Valid states values are: failed, 4");
        }
    }
}
