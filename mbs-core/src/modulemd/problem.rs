//! What is wrong with a document, where, and what would help.
//!
//! A problem is an error if the document cannot be taken, a warning if something in it has no effect or keeps it from being
//! built. Problems are words for the person who wrote the document; nothing in the service decides on their text.

use std::fmt;

/// Whether a document with the problem is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is taken; what the problem points at has no effect, another one than it seems, or cannot be built.
    Warning,
}

/// A place in a text, counted as editors do: both numbers start at 1; a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// Something wrong with a document. Sorts by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where the value begins that is wrong, or the map in which something is missing.
    pub place: Place,
    /// Index of the document in its text, 0-based.
    pub document: usize,
    /// Whether the document is refused because of it.
    pub severity: Severity,
    /// The key that is wrong, from the root (`data.components.rpms.bash.buildorder`); empty for the text as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would help, where that is known.
    pub hint: Option<String>,
    /// The name of the file, where there is one.
    pub file: Option<String>,
}

impl Problem {
    /// Says whether the document is refused because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Writes `file:line:column: path: what is wrong (what would help)`, leaving out what is not known. A warning is called one,
/// but in the alternate form (`{:#}`): that is for places that say so themselves.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        write!(f, "{}:{}: ", self.place.line, self.place.column)?;
        if self.severity == Severity::Warning && !f.alternate() {
            f.write_str("warning: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Why a text was refused: at least one error, with the warnings beside it, sorted by place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

/// Writes the errors, one a line.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut errors = self.0.iter().filter(|problem| problem.is_error());
        if let Some(first) = errors.next() {
            write!(f, "{first}")?;
        }
        errors.try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> Problem {
        Problem {
            place: Place { line: 3, column: 7 },
            document: 0,
            severity: Severity::Error,
            path: "data.version".into(),
            message: "-5 is negative".into(),
            hint: Some("write a whole number".into()),
            file: Some("foo.yaml".into()),
        }
    }

    #[test]
    fn display_names_file_place_path_and_hint() {
        let text = "foo.yaml:3:7: data.version: -5 is negative (write a whole number)";
        assert_eq!(problem().to_string(), text);
    }

    #[test]
    fn display_leaves_out_what_is_not_known() {
        let bare = Problem { file: None, hint: None, path: String::new(), ..problem() };
        assert_eq!(bare.to_string(), "3:7: -5 is negative");
        let warning = Problem { severity: Severity::Warning, ..bare };
        assert_eq!(warning.to_string(), "3:7: warning: -5 is negative");
        assert_eq!(format!("{warning:#}"), "3:7: -5 is negative");
    }

    #[test]
    fn problems_show_errors_only() {
        let warning = Problem { severity: Severity::Warning, ..problem() };
        let shown = Problems(vec![problem(), warning, problem()]).to_string();
        assert_eq!(shown.lines().count(), 2);
    }
}
