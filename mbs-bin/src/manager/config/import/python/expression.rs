//! From tokens to a value.

use std::path::{Component, Path, PathBuf};

use super::Python;
use super::scan::Token;

/// Values nest this deep; deeper is nothing that somebody wrote.
const DEPTH: usize = 32;

/// Returns what a name stands for; dots between its parts.
pub(super) type Lookup<'l> = &'l dyn Fn(&str) -> Result<Python, String>;

/// Reads a value.
///
/// # Errors
/// Says what is not read.
pub(super) fn value(tokens: &[Token], names: Lookup<'_>) -> Result<Python, String> {
    let mut reader = Reader { tokens, names, depth: DEPTH };
    let first = reader.sum()?;
    let value = if reader.takes(',') { reader.list(first, None)? } else { first };
    match reader.tokens.first() {
        None => Ok(value),
        Some(token) => Err(odd(token)),
    }
}

fn odd(token: &Token) -> String {
    match token {
        Token::Odd(why) => (*why).to_owned(),
        Token::Name(name) => format!("`{name}` is not read here"),
        Token::Sign(sign) => format!("`{sign}` is not read here"),
        Token::Text(_) | Token::Number(_) => "two values follow each other".to_owned(),
    }
}

struct Reader<'r> {
    tokens: &'r [Token],
    names: Lookup<'r>,
    depth: usize,
}

impl<'r> Reader<'r> {
    fn next(&mut self) -> Result<&'r Token, String> {
        let (first, rest) = self.tokens.split_first().ok_or("the value ends early")?;
        self.tokens = rest;
        Ok(first)
    }

    fn takes(&mut self, sign: char) -> bool {
        let takes = self.tokens.first() == Some(&Token::Sign(sign));
        self.tokens = &self.tokens[usize::from(takes)..];
        takes
    }

    fn needs(&mut self, sign: char) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(self.next().map_or_else(|early| early, odd)) }
    }

    fn sum(&mut self) -> Result<Python, String> {
        let mut sum = self.product()?;
        while self.takes('+') {
            sum = added(sum, self.product()?)?;
        }
        Ok(sum)
    }

    fn product(&mut self) -> Result<Python, String> {
        let mut product = self.signed()?;
        while self.takes('*') {
            product = multiplied(&product, &self.signed()?)?;
        }
        Ok(product)
    }

    fn signed(&mut self) -> Result<Python, String> {
        if !self.takes('-') {
            return self.one();
        }
        match self.one()? {
            Python::Whole(number) => Ok(Python::Whole(-number)),
            Python::Fraction(number) => Ok(Python::Fraction(-number)),
            _ => Err("`-` before what is no number".to_owned()),
        }
    }

    fn one(&mut self) -> Result<Python, String> {
        match self.next()? {
            Token::Number(number) => Ok(number.clone()),
            Token::Text(text) => Ok(self.text(text)),
            Token::Name(name) => self.named(name),
            Token::Sign('(') => self.within(Self::in_parentheses),
            Token::Sign('[') => self.within(|reader| reader.values(']')),
            Token::Sign('{') => self.within(Self::in_braces),
            token => Err(odd(token)),
        }
    }

    fn within(&mut self, read: impl FnOnce(&mut Self) -> Result<Python, String>) -> Result<Python, String> {
        self.depth = self.depth.checked_sub(1).ok_or("brackets stand in brackets too often")?;
        let read = read(self);
        self.depth += 1;
        read
    }

    /// Texts that follow each other are one.
    fn text(&mut self, first: &str) -> Python {
        let mut text = first.to_owned();
        while let Some((Token::Text(more), rest)) = self.tokens.split_first() {
            text.push_str(more);
            self.tokens = rest;
        }
        Python::Text(text)
    }

    fn in_parentheses(&mut self) -> Result<Python, String> {
        if self.takes(')') {
            return Ok(Python::List(Vec::new()));
        }
        let first = self.sum()?;
        if self.takes(')') {
            return Ok(first);
        }
        self.needs(',')?;
        self.list(first, Some(')'))
    }

    /// Reads values up to a bracket.
    fn values(&mut self, end: char) -> Result<Python, String> {
        if self.takes(end) {
            return Ok(Python::List(Vec::new()));
        }
        let first = self.sum()?;
        if self.takes(end) {
            return Ok(Python::List(vec![first]));
        }
        self.needs(',')?;
        self.list(first, Some(end))
    }

    /// Reads what follows the first value and its comma, up to a bracket or the end.
    fn list(&mut self, first: Python, end: Option<char>) -> Result<Python, String> {
        let mut values = vec![first];
        loop {
            let is_end = end.map_or(self.tokens.is_empty(), |end| self.takes(end));
            if is_end {
                return Ok(Python::List(values));
            }
            values.push(self.sum()?);
            match end {
                Some(end) if self.takes(end) => return Ok(Python::List(values)),
                None if self.tokens.is_empty() => return Ok(Python::List(values)),
                _ => self.needs(',')?,
            }
        }
    }

    fn in_braces(&mut self) -> Result<Python, String> {
        let mut entries = Vec::new();
        while !self.takes('}') {
            let key = self.sum()?;
            if entries.is_empty() && !self.takes(':') {
                return self.rest_of_set(key);
            }
            if !entries.is_empty() {
                self.needs(':')?;
            }
            let value = self.sum()?;
            // Of two values of one key the later one counts, in the place of the first.
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
            if !self.takes(',') {
                self.needs('}')?;
                break;
            }
        }
        Ok(Python::Dict(entries))
    }

    fn rest_of_set(&mut self, first: Python) -> Result<Python, String> {
        if self.takes('}') {
            return Ok(Python::List(vec![first]));
        }
        self.needs(',')?;
        self.list(first, Some('}'))
    }

    fn named(&mut self, first: &str) -> Result<Python, String> {
        let mut name = first.to_owned();
        while self.takes('.') {
            match self.next()? {
                Token::Name(part) => name = format!("{name}.{part}"),
                token => return Err(odd(token)),
            }
        }
        if self.takes('(') {
            let Python::List(arguments) = self.within(|reader| reader.values(')'))? else {
                return Err("a call that is not read".to_owned());
            };
            return called(&name, arguments);
        }
        match name.as_str() {
            "True" => Ok(Python::Truth(true)),
            "False" => Ok(Python::Truth(false)),
            "None" => Ok(Python::None),
            name => (self.names)(name),
        }
    }
}

fn added(left: Python, right: Python) -> Result<Python, String> {
    match (left, right) {
        (Python::Text(left), Python::Text(right)) => Ok(Python::Text(left + &right)),
        (Python::List(left), Python::List(right)) => Ok(Python::List([left, right].concat())),
        (Python::Whole(left), Python::Whole(right)) => {
            left.checked_add(right).map(Python::Whole).ok_or_else(|| "the sum is too large".to_owned())
        }
        _ => Err("`+` between these is not read".to_owned()),
    }
}

fn multiplied(left: &Python, right: &Python) -> Result<Python, String> {
    match (left, right) {
        (Python::Whole(left), Python::Whole(right)) => {
            left.checked_mul(*right).map(Python::Whole).ok_or_else(|| "the product is too large".to_owned())
        }
        _ => Err("`*` between these is not read".to_owned()),
    }
}

/// Does what the few functions do that configuration uses.
fn called(name: &str, mut arguments: Vec<Python>) -> Result<Python, String> {
    let texts: Option<Vec<&str>> = arguments.iter().map(Python::as_text).collect();
    let function = name.strip_prefix("os.").unwrap_or(name).strip_prefix("path.");
    match (function, texts.as_deref()) {
        (Some("join"), Some(parts @ [_, ..])) => Ok(Python::path(&parts.iter().collect::<PathBuf>())),
        (Some("dirname"), Some([path])) => {
            Ok(Python::path(Path::new(path).parent().unwrap_or(Path::new(path))))
        }
        (Some("abspath"), Some([path])) if Path::new(path).is_absolute() => {
            Ok(Python::path(&normal(Path::new(path))))
        }
        (Some("expanduser"), Some([path])) => Ok(Python::Text((*path).to_owned())),
        (None, _) if ["set", "frozenset", "list", "tuple"].contains(&name) => match arguments.pop() {
            None => Ok(Python::List(Vec::new())),
            Some(list @ Python::List(_)) if arguments.is_empty() => Ok(list),
            Some(_) => Err(format!("`{name}(…)` of this is not read")),
        },
        _ => Err(format!("`{name}(…)` is not carried out")),
    }
}

/// Takes `.` and `..` out of a path, without looking at links, as Python does.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

impl Python {
    fn path(path: &Path) -> Self {
        Self::Text(path.display().to_string())
    }

    pub(in crate::manager::config) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}
