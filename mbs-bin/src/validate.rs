//! `mbs-build validate`: says what is wrong with documents, and builds nothing.
//!
//! A problem is one line, `file:line:column: path: what is wrong (hint)`, or with `--json` one object a line with the
//! members `file`, `line`, `column`, `document` (its number in the file, from 0), `severity` (`error` or `warning`), `path`,
//! `message` and `hint` (text or null); of a file that cannot be read line and column are null. What is wrong with a document is decided by [`mbs_core::modulemd`].

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read as _, Write};
use std::path::Path;

use mbs_core::modulemd::{Limits, Problem, Severity, read_bytes, validate};
use mbs_core::policy::Policy;
use serde::Serialize;
use tracing::{error, info};

use crate::cli::{Reader, ValidateArguments};
use crate::exit::{Exit, Stop};
use crate::logging::without_controls;

/// The name under which problems of the standard input are shown.
const STANDARD_INPUT: &str = "<stdin>";

/// Checks every file, prints what is wrong with each to `out`, and says whether all are good.
///
/// A file that cannot be read is logged, with `--json` shown among the problems, and does not keep the others from being
/// checked.
///
/// # Errors
/// `out` cannot be written; that its reader is gone is no error.
pub fn run(arguments: &ValidateArguments, out: &mut impl Write) -> Result<Exit, Stop> {
    let mut out = BufWriter::new(out);
    let mut exit = Exit::Done;
    for file in &arguments.files {
        let of_file = match problems_of(file) {
            Ok(problems) => print_all(&problems, arguments.reader(), &mut out)?,
            Err(stop) => {
                error!("{stop}");
                if arguments.reader() == Reader::Program {
                    tolerate(writeln!(out, "{}", unread(file, &stop)?))?;
                }
                stop.exit()
            }
        };
        exit = exit.max(of_file);
    }
    flush(&mut out)?;
    Ok(exit)
}

fn problems_of(file: &Path) -> Result<Vec<Problem>, Stop> {
    let limits = Limits::default();
    let bytes = read(file, &limits)?;
    let name = shown_name(file);
    let problems = match std::str::from_utf8(&bytes) {
        Ok(text) => validate(text, &name, &limits, &Policy::default().base_module_names),
        Err(_) => read_bytes(&bytes, Some(&name), &limits).problems,
    };
    info!("{name}: {} problems", problems.len());
    Ok(problems)
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

fn shown_name(file: &Path) -> String {
    if is_standard_input(file) { STANDARD_INPUT.to_owned() } else { file.display().to_string() }
}

/// Reads a document, not more of it than is looked at.
///
/// # Errors
/// `Usage`: there is no such file, it is a folder, or it may not be read.
pub(crate) fn read(file: &Path, limits: &Limits) -> Result<Vec<u8>, Stop> {
    let most = u64::try_from(limits.bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let is_read = if is_standard_input(file) {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|opened| opened.take(most).read_to_end(&mut bytes))
    };
    match is_read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Stop::unreadable(Path::new(&shown_name(file)), &error)),
    }
}

fn print_all(problems: &[Problem], reader: Reader, out: &mut impl Write) -> Result<Exit, Stop> {
    for problem in problems {
        let line = match reader {
            Reader::Program => json(problem)?,
            Reader::Person => without_controls(&problem.to_string()).replace('\n', " "),
        };
        tolerate(writeln!(out, "{line}"))?;
    }
    Ok(if problems.iter().any(Problem::is_error) { Exit::Usage } else { Exit::Done })
}

fn flush(out: &mut impl Write) -> Result<(), Stop> {
    tolerate(out.flush())
}

/// That nobody reads on (`| head`) is no error.
pub(crate) fn tolerate(written: io::Result<()>) -> Result<(), Stop> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Stop::unwritable(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A problem as `--json` shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    document: usize,
    severity: &'static str,
    path: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

fn json(problem: &Problem) -> Result<String, Stop> {
    let shown = Shown {
        file: problem.file.as_deref(),
        line: Some(problem.place.line),
        column: Some(problem.place.column),
        document: problem.document,
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        path: &problem.path,
        message: &problem.message,
        hint: problem.hint.as_deref(),
    };
    to_line(&shown)
}

/// Returns why a file could not be read, as `--json` shows it.
fn unread(file: &Path, stop: &Stop) -> Result<String, Stop> {
    to_line(&Shown {
        file: Some(&shown_name(file)),
        line: None,
        column: None,
        document: 0,
        severity: "error",
        path: "",
        message: &stop.to_string(),
        hint: None,
    })
}

fn to_line(shown: &Shown<'_>) -> Result<String, Stop> {
    serde_json::to_string(shown).map_err(|error| Stop::unwritable(&error.into()))
}
