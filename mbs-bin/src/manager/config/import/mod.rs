//! A config.py of the original as one of our files. What has no equivalent is kept in remarks, and told.

mod convert;
mod python;

use std::io::{Read as _, Write};
use std::path::Path;

use super::ImportArguments;
use crate::config::{Draft, Fate};
use crate::exit::Stop;
use crate::validate::tolerate;
use convert::{Converted, convert};
use python::{Assigned, PythonFile};

/// The class that counts if none is named.
const USUAL: &str = "ProdConfiguration";
/// Longer files are no configuration.
const LONGEST_BYTES: u64 = 1 << 20;

/// What became of a file.
#[derive(Debug, Default)]
struct Imported {
    /// The file of ours.
    toml: String,
    /// What somebody should know, without values.
    told: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// `Usage`: the file cannot be read, or has no such class.
pub(super) fn run(arguments: &ImportArguments, out: &mut dyn Write) -> Result<(), Stop> {
    let path = std::path::absolute(&arguments.file).unwrap_or_else(|_| arguments.file.clone());
    let file = PythonFile::read(&path.display().to_string(), &read(&arguments.file)?);
    let section = section(&file, arguments.section.as_deref())
        .map_err(|what| Stop::Usage(format!("{}: {what}", arguments.file.display())))?;
    let imported = imported(&file, section);
    for line in &imported.told {
        tracing::warn!("{}, {line}", arguments.file.display());
    }
    tolerate(out.write_all(imported.toml.as_bytes()))
}

fn read(path: &Path) -> Result<String, Stop> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST_BYTES).read_to_end(&mut bytes))
        .map_err(|error| Stop::unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|_| Stop::Usage(format!("{} is no text in UTF-8", path.display())))
}

/// Returns the class that counts.
fn section<'f>(file: &'f PythonFile, named: Option<&str>) -> Result<&'f str, String> {
    let names: Vec<&str> = file.classes.iter().map(|class| class.name.as_str()).collect();
    let known = || format!("there are {}: say which with --section", names.join(", "));
    let wanted = match (named, names.as_slice()) {
        (_, []) => return Err("there is no class in it, so it is no configuration of the service".to_owned()),
        (Some(named), _) => named,
        (None, [only]) => only,
        (None, _) => USUAL,
    };
    let found = names.iter().find(|name| **name == wanted).copied();
    found.ok_or_else(|| format!("there is no class {wanted}; {}", known()))
}

fn imported(file: &PythonFile, section: &str) -> Imported {
    let mut taking = Taking { draft: Draft::new(), told: Vec::new(), kept: Vec::new() };
    for base in file.unknown_bases_of(section) {
        taking.told.push((0, format!("the class {base} is not in the file: what it says is missing")));
    }
    for unread in file.unread_of(section) {
        taking.keep(unread.line, "what stands there cannot be read", &unread.text);
    }
    for assigned in file.values_of(section) {
        taking.take(&assigned);
    }
    taking.finish()
}

/// A file on its way.
struct Taking {
    draft: Draft,
    /// By line.
    told: Vec<(usize, String)>,
    /// What stands in remarks, by line.
    kept: Vec<(usize, String)>,
}

impl Taking {
    fn take(&mut self, assigned: &Assigned) {
        let Assigned { name, line, text, value } = assigned;
        // Names of other things are in small letters.
        if name.chars().any(char::is_lowercase) {
            return;
        }
        let (key, fate) = (name.to_lowercase(), Fate::of(&name.to_lowercase()));
        match (fate, value) {
            (Fate::Old(why), _) => self.told.push((*line, format!("{name} is left out: {why}"))),
            (Fate::Unknown, _) => self.keep(*line, &format!("{name} is no option that is known here"), text),
            (Fate::Kept(_), Err(why)) => self.keep(*line, &format!("{name} cannot be read: {why}"), text),
            (Fate::Kept(ours), Ok(value)) => match convert(&key, value) {
                Converted::Nothing => {}
                Converted::Same(value) => self.say(ours, value, assigned),
                Converted::Changed(value, how) => {
                    self.told.push((*line, format!("{name} is `{ours}` now: {how}")));
                    self.say(ours, value, assigned);
                }
                Converted::Gone(why) => self.keep(*line, &format!("{name} is left out: {why}"), text),
            },
        }
    }

    fn say(&mut self, key: &'static str, value: toml_edit::Value, assigned: &Assigned) {
        if let Err(expected) = self.draft.say(key, value) {
            let what = format!("{} cannot be taken over: {expected}", assigned.name);
            self.keep(assigned.line, &what, &assigned.text);
        }
    }

    /// Tells what is not taken over, and keeps it in a remark.
    fn keep(&mut self, line: usize, what: &str, text: &str) {
        self.told.push((line, what.to_owned()));
        self.kept.push((line, text.to_owned()));
    }

    fn finish(mut self) -> Imported {
        let (mut toml, left_out) = self.draft.finish();
        self.told.extend(left_out.into_iter().map(|what| (usize::MAX, what)));
        self.told.sort_by_key(|(line, _)| *line);
        self.kept.sort_by_key(|(line, _)| *line);
        if !self.kept.is_empty() {
            toml.push_str("\n# Not taken over:\n");
        }
        for (line, text) in self.kept {
            toml.push_str(&format!("#\n# line {line}\n"));
            for line in text.lines() {
                let line: String = line.chars().filter(|c| !c.is_control()).collect();
                toml.push_str(&format!("#     {line}\n"));
            }
        }
        let told = self.told.into_iter().map(|(line, what)| match line {
            0 | usize::MAX => what,
            line => format!("line {line}: {what}"),
        });
        Imported { toml, told: told.collect() }
    }
}

#[cfg(test)]
mod tests;
