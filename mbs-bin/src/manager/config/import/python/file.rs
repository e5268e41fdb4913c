//! Classes, what they assign, and what they have from their bases.

use std::collections::BTreeSet;

use super::scan::{self, Line, Token};
use super::{Names, Python, expression};

/// A file.
#[derive(Debug, Default)]
pub(in crate::manager::config) struct PythonFile {
    /// Its classes, in order.
    pub(in crate::manager::config) classes: Vec<Class>,
    /// What stands outside of them and is not read.
    pub(in crate::manager::config) unread: Vec<Unread>,
    names: Names,
}

/// A class.
#[derive(Debug, Default)]
pub(in crate::manager::config) struct Class {
    /// Its name.
    pub(in crate::manager::config) name: String,
    bases: Vec<String>,
    assigned: Vec<Assigned>,
    unread: Vec<Unread>,
}

/// A value that was assigned.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::manager::config) struct Assigned {
    /// To what.
    pub(in crate::manager::config) name: String,
    /// In which line it begins.
    pub(in crate::manager::config) line: usize,
    /// How it was written.
    pub(in crate::manager::config) text: String,
    /// The value, or why it is not read.
    pub(in crate::manager::config) value: Result<Python, String>,
}

/// A statement that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manager::config) struct Unread {
    /// In which line it begins.
    pub(in crate::manager::config) line: usize,
    /// How it was written.
    pub(in crate::manager::config) text: String,
}

/// A statement, and the lines that belong to it.
struct Statement<'s> {
    line: &'s Line,
    body: &'s [Line],
}

/// Cuts lines into statements.
fn statements(lines: &[Line]) -> Vec<Statement<'_>> {
    let mut statements = Vec::new();
    let mut rest = lines;
    while let Some((line, after)) = rest.split_first() {
        let end = after.iter().position(|next| next.indent <= line.indent).unwrap_or(after.len());
        statements.push(Statement { line, body: &after[..end] });
        rest = &after[end..];
    }
    statements
}

impl Statement<'_> {
    /// Returns the name that is assigned to, and the tokens of the value.
    fn assignment(&self) -> Option<(&str, &[Token])> {
        match self.line.tokens.as_slice() {
            [Token::Name(name), Token::Sign('='), value @ ..] if value.first() != Some(&Token::Sign('=')) => {
                Some((name, value))
            }
            _ => None,
        }
    }

    /// Returns name and bases of a class.
    fn class(&self) -> Option<(&str, Vec<String>)> {
        let [Token::Name(word), Token::Name(name), rest @ .., Token::Sign(':')] = self.line.tokens.as_slice()
        else {
            return None;
        };
        let bases = rest.iter().filter_map(|token| match token {
            Token::Name(base) => Some(base.clone()),
            _ => None,
        });
        (word == "class").then(|| (name.as_str(), bases.collect()))
    }

    /// Says whether it means nothing here: imports and remarks.
    fn is_idle(&self) -> bool {
        match self.line.tokens.as_slice() {
            [Token::Name(word), ..] if ["import", "from", "pass"].contains(&word.as_str()) => {
                self.body.is_empty()
            }
            tokens => tokens.iter().all(|token| matches!(token, Token::Text(_))),
        }
    }

    fn unread(&self) -> Unread {
        let lines = std::iter::once(self.line).chain(self.body);
        let text = lines.map(|line| {
            let indent = line.indent.saturating_sub(self.line.indent);
            format!("{:indent$}{}", "", line.text)
        });
        Unread { line: self.line.number, text: text.collect::<Vec<_>>().join("\n") }
    }
}

impl PythonFile {
    /// Reads a file; `path` is what it calls `__file__`.
    pub(in crate::manager::config) fn read(path: &str, text: &str) -> Self {
        let mut file = Self::default();
        file.names.insert("__file__".to_owned(), Ok(Python::Text(path.to_owned())));
        for statement in statements(&scan::lines(text)) {
            if let Some((name, bases)) = statement.class() {
                let class = file.class(name, bases, statement.body);
                file.classes.push(class);
            } else if let Some((name, tokens)) = statement.assignment() {
                let value = expression::value(tokens, &|name| file.lookup(name, &Names::new()));
                file.names.insert(name.to_owned(), value);
            } else if !statement.is_idle() {
                file.unread.push(statement.unread());
            }
        }
        file
    }

    fn class(&self, name: &str, bases: Vec<String>, body: &[Line]) -> Class {
        let mut class = Class { name: name.to_owned(), bases, ..Class::default() };
        let mut names = Names::new();
        for statement in statements(body) {
            if let Some((name, tokens)) = statement.assignment() {
                let value = expression::value(tokens, &|name| self.lookup(name, &names));
                names.insert(name.to_owned(), value.clone());
                let (line, text) = (statement.line.number, statement.line.text.clone());
                class.assigned.push(Assigned { name: name.to_owned(), line, text, value });
            } else if !statement.is_idle() {
                class.unread.push(statement.unread());
            }
        }
        class
    }

    /// Returns what a name stands for: in the class, outside, or in another class.
    fn lookup(&self, name: &str, names: &Names) -> Result<Python, String> {
        let known = names.get(name).or_else(|| self.names.get(name)).cloned();
        let known = known.or_else(|| {
            let (class, name) = name.split_once('.')?;
            self.values_of(class)
                .into_iter()
                .find(|assigned| assigned.name == name)
                .map(|assigned| assigned.value)
        });
        known.unwrap_or_else(|| Err(format!("what `{name}` is, is not known here")))
    }

    /// Returns what a class and its bases assign, each name once: a class counts before its bases, and of several bases the first.
    /// In the order of the file.
    pub(in crate::manager::config) fn values_of(&self, class: &str) -> Vec<Assigned> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for class in self.lineage(class) {
            // Of two assignments the later one counts.
            let own = class.assigned.iter().rev();
            found.extend(own.filter(|assigned| seen.insert(assigned.name.as_str())).cloned());
        }
        found.sort_by_key(|assigned| assigned.line);
        found
    }

    /// Returns what is not read of a class and its bases, and outside of all classes.
    pub(in crate::manager::config) fn unread_of(&self, class: &str) -> Vec<Unread> {
        let of_classes = self.lineage(class).into_iter().flat_map(|class| &class.unread);
        let mut unread: Vec<Unread> = self.unread.iter().chain(of_classes).cloned().collect();
        unread.sort_by_key(|unread| unread.line);
        unread
    }

    /// Returns bases of a class that are not in the file.
    pub(in crate::manager::config) fn unknown_bases_of(&self, class: &str) -> BTreeSet<&str> {
        let bases = self.lineage(class).into_iter().flat_map(|class| &class.bases).map(String::as_str);
        bases
            .filter(|base| *base != "object" && !self.classes.iter().any(|class| class.name == **base))
            .collect()
    }

    /// Returns a class and its bases, each before its own.
    fn lineage(&self, name: &str) -> Vec<&Class> {
        let mut lineage: Vec<&Class> = Vec::new();
        let mut open = vec![(name, self.classes.len())];
        while let Some((name, before)) = open.pop() {
            // A base stands before the classes that have it.
            let Some(at) = self.classes[..before].iter().rposition(|class| class.name == name) else {
                continue;
            };
            let class = &self.classes[at];
            if !lineage.iter().any(|known| std::ptr::eq(*known, class)) {
                lineage.push(class);
                open.extend(class.bases.iter().rev().map(|base| (base.as_str(), at)));
            }
        }
        lineage
    }
}
