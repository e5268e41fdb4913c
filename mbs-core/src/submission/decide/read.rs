//! The documents of a submission: where they are, what they say, and what user and branch say against them.

use super::super::check::check_dependencies;
use super::super::contexts::MOST_CONTEXTS;
use super::super::{
    GitOrigin, Notes, Refused, TextOrigin, apply_branch_stream, apply_overrides, check_document, from_git,
    from_text, static_contexts,
};
use super::{Needs, Submission};
use crate::ident::{Name, NameStream, Stream};
use crate::modulemd::{Limits, MOST_TEXT, ModuleStream, read_submission};
use crate::source_control::Place;

impl<'a> Submission<'a> {
    /// Asks for the document, and whether its stream lives.
    pub(super) fn place(&self) -> Needs {
        let Some(url) = &self.accepted.git else { return Needs::default() };
        let branch = self.branch();
        let place = Place {
            repository: url.repository.clone(),
            revision: url.revision.clone(),
            branch: Some(branch.to_owned()),
            path: format!("{}.yaml", url.name()),
        };
        let life =
            || Some(NameStream { name: Name::new(url.name()).ok()?, stream: Stream::new(branch).ok()? });
        let end_of_life = if self.rules.check_for_eol { life() } else { None };
        Needs { document: Some(place), end_of_life, ..Needs::default() }
    }

    fn branch(&self) -> &'a str {
        let named = self.asked.branch.as_deref().filter(|branch| !branch.is_empty());
        named.unwrap_or(&self.policy.default_branch)
    }

    /// Reads the document, and makes of it one per static context; `None` while it is not there.
    pub(super) fn read(&mut self) -> Result<Option<Vec<ModuleStream>>, Refused> {
        let mut documents = Vec::new();
        match (&self.accepted.git, &self.asked.document) {
            (Some(url), _) => {
                let Some(fetched) = &self.told.document else { return Ok(None) };
                let fetched = fetched.clone()?;
                let file = format!("{}.yaml", url.name());
                let origin = GitOrigin {
                    repository: url.name().to_owned(),
                    branch: self.asked.branch.clone(),
                    committed_at: fetched.committed_at,
                };
                let parsed = self.parse(&fetched.text, &file)?;
                self.check_alive()?;
                for document in parsed {
                    documents.push(from_git(document, &origin, self.rules, &self.policy.default_branch)?);
                }
            }
            (None, given) => {
                let given = given.clone().unwrap_or_default();
                if given.text.trim().is_empty() {
                    return Err(Refused::EmptyDocument);
                }
                let origin = TextOrigin {
                    module_name: self.asked.module_name.clone(),
                    module_stream: self.asked.module_stream.clone(),
                    file_name: given.file_name.clone(),
                    now: self.now,
                };
                for document in self.parse(&given.text, "")? {
                    documents.push(from_text(document, &origin, &self.policy.default_branch)?);
                }
            }
        }
        self.is_called_static = documents.iter().any(|document| document.static_context);
        let mut of_contexts = Vec::new();
        for document in documents {
            of_contexts.extend(static_contexts(document)?);
        }
        for document in &mut of_contexts {
            self.prepare(document)?;
        }
        Ok(Some(of_contexts))
    }

    fn check_alive(&self) -> Result<(), Refused> {
        let Some(url) = self.accepted.git.as_ref().filter(|_| self.rules.check_for_eol) else {
            return Ok(());
        };
        let module = format!("{}:{}", url.name(), self.branch());
        match &self.told.end_of_life {
            Some(Ok(false)) => Ok(()),
            Some(Ok(true)) => Err(Refused::EndOfLife(module)),
            Some(Err(place)) => Err(Refused::UnknownLife { module, place: place.clone() }),
            None => Err(Refused::UnknownLife { module, place: "any source of modules".to_owned() }),
        }
    }

    fn parse(&mut self, text: &str, file: &str) -> Result<Vec<ModuleStream>, Refused> {
        let named = (!file.is_empty()).then_some(file);
        let read = read_submission(text, named, &Limits::of_submission());
        let (submission, warnings) = read.map_err(|problems| Refused::InvalidDocument {
            file: if file.is_empty() { String::new() } else { format!("{file} ") },
            what: problems.to_string(),
        })?;
        self.warnings.extend(warnings.iter().map(|warning| format!("{warning:#}")));
        let (ways, most) = (submission.ways(), MOST_CONTEXTS.min(MOST_TEXT / text.len().max(1)).max(1));
        if ways > most {
            return Err(Refused::Contexts(format!(
                "The configurations of the document are {ways}, at most {most} are allowed of its size"
            )));
        }
        Ok(submission.into_streams())
    }

    /// Checks one document, and applies what the user and the branch say against it.
    fn prepare(&mut self, document: &mut ModuleStream) -> Result<(), Refused> {
        for warning in check_document(document, self.policy)? {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        for path in document.xmd.make_uniform() {
            let lost = format!(
                "{path} is left out: in a list of different kinds of values libmodulemd reads those alone that are like \
                 the first"
            );
            if !self.warnings.contains(&lost) {
                self.warnings.push(lost);
            }
        }
        apply_overrides(document, &self.asked.overrides)?;
        check_dependencies(document)?;
        let said = self
            .asked
            .branch
            .as_deref()
            .and_then(|branch| self.rules.br_stream_override_regexes.groups_in(branch));
        if let Some(stream) = said {
            let module = &self.rules.br_stream_override_module;
            apply_branch_stream(document, module, &stream, &self.asked.overrides);
        }
        let notes = Notes {
            branch: self.asked.branch.clone(),
            side_tag: self.asked.side_tag.clone(),
            component_refs: self.asked.component_refs.clone(),
        };
        notes.write_to(document);
        Ok(())
    }
}
