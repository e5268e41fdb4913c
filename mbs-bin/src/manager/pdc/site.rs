//! Where commands work: a PDC, who is asked, where results go, and how trouble with PDC ends a command.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use mbs_core::build_system::Effect;
use mbs_local::clock::SystemClock;
use mbs_pdc::api::{Change, Entries, Entry, Face, Filter};
use mbs_pdc::client::{Pdc, PdcError, Request};
use mbs_pdc::server::{Login, Server, ServerFiles};
use serde_json::Value;

use super::arguments::{CommonArguments, Writing};
use super::token;
use crate::exit::{Exit, Stop};
use crate::logging::without_controls;
use crate::manager::ask::Person;
use crate::validate::tolerate;

const WHICH: &str =
    "which PDC? Say --server NAME or --server https://HOST/rest_api/v1, or set MBS_PDC to one of these";

/// A PDC, and what a command has beside it.
pub(super) struct Site<'s> {
    pub(super) pdc: Pdc,
    /// The endpoint that was asked for.
    pub(super) face: Option<Face>,
    /// What goes into the audit trail.
    pub(super) comment: String,
    pub(super) writing: Writing,
    pub(super) person: Person<'s>,
    pub(super) out: &'s mut dyn Write,
}

/// Returns the PDC that is meant, and who we are there: reads need no credentials, and bad ones would spoil them.
///
/// # Errors
/// `Usage`: no PDC is named. `Machine`: it is not configured as it should be, or the token cannot be had.
pub(super) fn server(
    common: &CommonArguments,
    writing: Writing,
    home: Option<&Path>,
) -> Result<Server, Stop> {
    let asked = common.server.as_deref().filter(|asked| !asked.is_empty());
    let asked = asked.ok_or_else(|| Stop::Usage(WHICH.to_owned()))?;
    let found = ServerFiles::usual(home).find(asked).map_err(|error| Stop::Machine(error.to_string()))?;
    let mut server = Server { name: without_secrets(asked).to_owned(), ..found };
    match (writing, &common.token_file) {
        (Writing::Never | Writing::Shown, _) => return Ok(server.anonymous()),
        (Writing::Done, Some(path)) => server.login = Login::Token(token::read(path)?),
        (Writing::Done, None) => {}
    }
    Ok(server)
}

/// Returns an address without a user and password, which do not belong there but may be there.
fn without_secrets(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}

/// Makes a client of a server.
///
/// # Errors
/// `Machine`: its settings cannot be used.
pub(super) fn client(server: &Server) -> Result<Pdc, Stop> {
    Pdc::new(server, Arc::new(SystemClock::new())).map_err(|error| Stop::Machine(error.to_string()))
}

/// Returns what is left in the audit trail: what was asked for, else the command and who gave it.
pub(super) fn comment(asked: Option<&str>, command: &str, user: Option<&str>) -> String {
    let is_fit = |user: &&str| !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_graphic());
    match (asked, user.filter(is_fit)) {
        (Some(asked), _) => asked.to_owned(),
        (None, Some(user)) => format!("mbs-manager pdc {command}, by {user}"),
        (None, None) => format!("mbs-manager pdc {command}"),
    }
}

impl Site<'_> {
    /// Returns the entries, over the endpoint that was asked for, else over the newest that there is.
    pub(super) async fn entries(&self) -> Result<Entries, Stop> {
        match self.face {
            Some(face) => Ok(Entries::new(self.pdc.clone(), face)),
            None => Entries::newest(self.pdc.clone()).await.map_err(|error| self.stop(&error)),
        }
    }

    /// Returns all entries of a stream, active or not.
    ///
    /// # Errors
    /// As PDC answers.
    pub(super) async fn stream(
        &self,
        entries: &Entries,
        (name, stream): (&str, &str),
    ) -> Result<Vec<Entry>, Stop> {
        let filter =
            Filter { name: Some(name.to_owned()), stream: Some(stream.to_owned()), ..Filter::default() };
        let mut all = entries.find(&filter).await.map_err(|error| self.stop(&error))?;
        // Filters take no notice of case.
        all.retain(|entry| entry.name == name && entry.stream == stream);
        Ok(all)
    }

    /// Prints a result, in which what comes from elsewhere cannot draw on the terminal.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Stop> {
        self.print_raw(&without_controls(text))
    }

    /// Prints what is JSON already.
    pub(super) fn print_raw(&mut self, text: &str) -> Result<(), Stop> {
        tolerate(self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()))
    }

    /// Sends a request that changes something, if whoever has to agrees; `None`: it was only to be shown.
    ///
    /// # Errors
    /// As for [`Person::agree`], and as PDC answers.
    pub(super) async fn write(&mut self, request: Request, question: &str) -> Result<Option<Value>, Stop> {
        let request = request.comment(&self.comment);
        if self.writing != Writing::Done {
            let root = without_secrets(&self.pdc.server().root).to_owned();
            self.print(&format!("\nNothing was sent. This would be, below {root}:\n\n{request}\n"))?;
            return Ok(None);
        }
        self.person.agree(question)?;
        let answer = self.pdc.write(&request).await.map_err(|error| self.stop(&error))?;
        let nothing = || self.unclear("it shows nothing of what was written");
        answer.map(Some).ok_or_else(nothing)
    }

    /// Changes entries in one request, all of them or none, and returns them as they are then; `None`: it was only to be shown.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub(super) async fn change(
        &mut self,
        face: Face,
        uids: &[&str],
        change: &Change,
        question: &str,
    ) -> Result<Option<Vec<Entry>>, Stop> {
        let request = match uids {
            [uid] => change.request(face, uid),
            uids => {
                let changes = uids.iter().map(|uid| ((*uid).to_owned(), change.clone()));
                Change::request_of_many(face, &changes.collect())
            }
        };
        let Some(mut answer) = self.write(request, question).await? else { return Ok(None) };
        let shown = match uids {
            [_] => vec![answer],
            uids => uids.iter().map(|uid| answer.get_mut(uid).map(Value::take).unwrap_or_default()).collect(),
        };
        shown.into_iter().map(|entry| self.understood(face, entry)).collect::<Result<_, _>>().map(Some)
    }

    /// Reads an entry that PDC shows after it has written it.
    pub(super) fn understood(&self, face: Face, shown: Value) -> Result<Entry, Stop> {
        Entry::read(face, shown).map_err(|error| self.unclear(&format!("an entry of a module: {error}")))
    }

    fn unclear(&self, what: &str) -> Stop {
        self.stop(&PdcError::Protocol { what: what.to_owned(), effect: Effect::Unknown })
    }

    /// Says how trouble with PDC ends a command.
    pub(super) fn stop(&self, error: &PdcError) -> Stop {
        let server = &self.pdc.server().name;
        let mut told = match error {
            PdcError::Configuration { .. } => error.to_string(),
            _ => format!("{server}: {error}"),
        };
        if let PdcError::Denied { status: 401, .. } = error {
            told.push_str(
                "\nWrites need a good token: name a --token-file, or a server whose configuration has one.",
            );
        }
        if error.effect() == Effect::Unknown {
            told.push_str(
                "\nIt may have been done all the same. Give the same command again when PDC answers: it looks first, and does \
                 only what is not done.",
            );
        }
        match ended(error) {
            Exit::Failed => Stop::Failed(told),
            _ => Stop::Machine(told),
        }
    }
}

fn ended(error: &PdcError) -> Exit {
    match error {
        PdcError::NotFound { .. }
        | PdcError::Exists { .. }
        | PdcError::Denied { .. }
        | PdcError::Rejected { .. } => Exit::Failed,
        PdcError::Unavailable { .. } | PdcError::Protocol { .. } | PdcError::Configuration { .. } => {
            Exit::Machine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(server: &str) -> CommonArguments {
        CommonArguments { server: Some(server.to_owned()), ..CommonArguments::default() }
    }

    #[test]
    fn what_only_reads_proves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".config/pdc");
        std::fs::create_dir_all(&folder).unwrap();
        let described = r#"{"here": {"host": "http://localhost/", "token": "geheim"}}"#;
        std::fs::write(folder.join("client_config.json"), described).unwrap();
        let login = |writing| server(&asked("here"), writing, Some(home.path())).unwrap().login;
        assert_eq!([login(Writing::Never), login(Writing::Shown)], [Login::Anonymous, Login::Anonymous]);
        assert_eq!(login(Writing::Done), Login::Token(mbs_http::Secret::new("geheim")));
    }

    #[test]
    fn without_a_server_it_is_asked_for_and_an_unknown_one_is_named() {
        let none = server(&CommonArguments::default(), Writing::Never, None).unwrap_err();
        assert_eq!(none, Stop::Usage(WHICH.to_owned()));
        let unknown = server(&asked("no-such-server"), Writing::Never, None).unwrap_err();
        assert!(matches!(&unknown, Stop::Machine(told) if told.contains("no-such-server")), "{unknown}");
    }

    #[test]
    fn a_password_in_an_address_is_never_told() {
        let server = server(&asked("https://me:geheim@pdc/"), Writing::Never, None).unwrap();
        let told = client(&server).unwrap_err().to_string();
        assert!(told.contains("PDC takes tokens") && !told.contains("geheim"), "{told}");
    }

    #[test]
    fn the_audit_trail_names_who_did_it() {
        assert_eq!(comment(None, "retag", Some("anna")), "mbs-manager pdc retag, by anna");
        assert_eq!(comment(None, "retag", Some("zo\u{eb}")), "mbs-manager pdc retag");
        assert_eq!(comment(Some("ticket 42"), "retag", Some("anna")), "ticket 42");
    }
}
