//! Gathers problems while documents are read, bounded in number.

use super::problem::{Place, Problem, Severity};
use super::tree::Limits;

/// What unknown keys are. libmodulemd passes over them in all documents but packager's of version 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnknownKeys {
    Warn,
    /// Warn if the value is text, refuse lists and maps.
    WarnOfText,
    Refuse,
}

/// The problems of one text so far.
#[derive(Debug)]
pub(super) struct Findings {
    file: Option<String>,
    document: usize,
    unknown_keys: UnknownKeys,
    most: usize,
    errors: usize,
    warnings: usize,
    problems: Vec<Problem>,
}

/// What is said about a place, without the place.
pub(super) struct Remark {
    severity: Severity,
    message: String,
    hint: Option<String>,
}

impl Remark {
    pub(super) fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), hint: None }
    }

    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Findings {
    pub(super) fn new(file: Option<&str>, limits: &Limits) -> Self {
        Self {
            file: file.map(str::to_owned),
            document: 0,
            unknown_keys: UnknownKeys::Warn,
            most: limits.problems,
            errors: 0,
            warnings: 0,
            problems: Vec::new(),
        }
    }

    /// Says to which document what follows belongs.
    pub(super) fn enter_document(&mut self, document: usize) {
        self.document = document;
        self.unknown_keys = UnknownKeys::Warn;
    }

    /// Says what unknown keys are in the rest of the document; returns what they were.
    pub(super) fn treat_unknown_keys(&mut self, unknown_keys: UnknownKeys) -> UnknownKeys {
        std::mem::replace(&mut self.unknown_keys, unknown_keys)
    }

    pub(super) fn unknown_keys(&self) -> UnknownKeys {
        self.unknown_keys
    }

    /// Returns how many errors were found, of those not kept at least some.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Says whether one more of these would be kept; if not, looking for more errors is of no use.
    pub(super) fn has_room(&self, severity: Severity) -> bool {
        let count = match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
        };
        count < self.most
    }

    /// Counts one that is not kept.
    pub(super) fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
    }

    pub(super) fn note(&mut self, place: Place, path: impl FnOnce() -> String, remark: Remark) {
        let is_kept = self.has_room(remark.severity);
        self.count(remark.severity);
        if !is_kept {
            return;
        }
        self.problems.push(Problem {
            place,
            document: self.document,
            severity: remark.severity,
            path: path(),
            message: remark.message,
            hint: remark.hint,
            file: self.file.clone(),
        });
    }

    /// Returns what was kept, sorted by place.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_beyond_the_limit_are_counted_but_not_kept() {
        let mut out = Findings::new(None, &Limits { problems: 2, ..Limits::default() });
        for line in 1..=5 {
            out.note(Place { line, column: 1 }, String::new, Remark::error("bad"));
        }
        out.note(Place { line: 1, column: 1 }, String::new, Remark::warning("odd"));
        assert_eq!(out.errors(), 5);
        assert_eq!(out.into_problems().len(), 3);
    }
}
