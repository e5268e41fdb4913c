//! From text to lines of tokens. A line goes on in brackets, in long texts and after a backslash.

use super::Python;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a word of the language.
    Name(String),
    /// A text.
    Text(String),
    /// A number.
    Number(Python),
    /// Punctuation.
    Sign(char),
    /// Something that is not read, and why.
    Odd(&'static str),
}

/// A line, which may take several of the file's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Where it begins, from 1.
    pub(super) number: usize,
    /// How far it is indented.
    pub(super) indent: usize,
    /// What it holds; at least one.
    pub(super) tokens: Vec<Token>,
    /// How it was written, without what is around it.
    pub(super) text: String,
}

/// Reads a text to its end.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut scanner = Scanner { rest: text, number: 1 };
    let mut lines = Vec::new();
    while !scanner.rest.is_empty() {
        lines.extend(scanner.line());
    }
    lines
}

struct Scanner<'t> {
    rest: &'t str,
    number: usize,
}

impl<'t> Scanner<'t> {
    /// Reads one line; `None`: there is nothing in it.
    fn line(&mut self) -> Option<Line> {
        let indent = self.indent();
        let (begin, number) = (self.rest, self.number);
        let (mut tokens, mut open) = (Vec::new(), 0_usize);
        while let Some(first) = self.rest.chars().next() {
            match first {
                '\n' if open == 0 => break,
                '#' => self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..],
                '\\' if self.rest[1..].trim_start_matches('\r').starts_with('\n') => self.skip_to_next_line(),
                c if c.is_whitespace() => self.step(),
                _ => {
                    let token = self.token();
                    match token {
                        Token::Sign('(' | '[' | '{') => open += 1,
                        Token::Sign(')' | ']' | '}') => open = open.saturating_sub(1),
                        _ => {}
                    }
                    tokens.push(token);
                }
            }
        }
        let text = begin[..begin.len() - self.rest.len()].trim_end().to_owned();
        self.step();
        if open > 0 {
            tokens.push(Token::Odd("a bracket is not closed"));
        }
        (!tokens.is_empty()).then_some(Line { number, indent, tokens, text })
    }

    fn indent(&mut self) -> usize {
        let mut indent = 0;
        while let Some(c @ (' ' | '\t' | '\u{c}' | '\u{feff}')) = self.rest.chars().next() {
            indent = match c {
                ' ' => indent + 1,
                '\t' => (indent / 8 + 1) * 8,
                _ => indent,
            };
            self.rest = &self.rest[c.len_utf8()..];
        }
        indent
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.number += usize::from(c == '\n');
        Some(c)
    }

    fn step(&mut self) {
        let _ = self.next();
    }

    fn skip_to_next_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn token(&mut self) -> Token {
        let first = self.rest.chars().next().unwrap_or_default();
        let second = self.rest[first.len_utf8()..].chars().next().unwrap_or_default();
        match first {
            '"' | '\'' => self.text(false),
            c if c.is_ascii_digit() || (c == '.' && second.is_ascii_digit()) => self.digits(),
            c if c.is_alphabetic() || c == '_' => self.word(),
            c => {
                self.step();
                Token::Sign(c)
            }
        }
    }

    /// Reads a word, or a text with letters before it.
    fn word(&mut self) -> Token {
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_');
        if !self.rest.starts_with(['"', '\'']) {
            return Token::Name(word.to_owned());
        }
        match word.to_ascii_lowercase().as_str() {
            "r" => self.text(true),
            "u" => self.text(false),
            kind => {
                self.text(kind.contains('r'));
                Token::Odd(match kind {
                    "f" | "fr" | "rf" => "a text with values in it",
                    "b" | "br" | "rb" => "bytes",
                    _ => "a word before a text",
                })
            }
        }
    }

    fn digits(&mut self) -> Token {
        let mut word = self.take_while(|c| c.is_alphanumeric() || c == '.' || c == '_').to_owned();
        let is_power = !word.starts_with("0x") && word.ends_with(['e', 'E']);
        if is_power && self.rest.starts_with(['+', '-']) {
            word.extend(self.next());
            word.push_str(self.take_while(|c| c.is_ascii_digit()));
        }
        number(&word.replace('_', "")).map_or(Token::Odd("a number that is not read"), Token::Number)
    }

    /// Reads a text, in quotes or in three.
    fn text(&mut self, is_raw: bool) -> Token {
        let quote = self.next().unwrap_or_default();
        let long: String = std::iter::repeat_n(quote, 2).collect();
        let is_long = self.rest.starts_with(&long);
        if is_long {
            self.rest = &self.rest[2..];
        }
        let (mut text, mut is_odd) = (String::new(), false);
        loop {
            if is_long && self.rest.starts_with(&format!("{quote}{long}")) {
                self.rest = &self.rest[3..];
                break;
            }
            if !is_long && self.rest.starts_with('\n') {
                return Token::Odd("a text is not closed");
            }
            match self.next() {
                None => return Token::Odd("a text is not closed"),
                Some(c) if c == quote && !is_long => break,
                Some('\\') if is_raw => text.extend(['\\'].into_iter().chain(self.next())),
                Some('\\') => match self.escape() {
                    Some(stands_for) => text.push_str(&stands_for),
                    None => is_odd = true,
                },
                Some(c) => text.push(c),
            }
        }
        if is_odd { Token::Odd("an escape that is not read") } else { Token::Text(text) }
    }

    /// Returns what stands for a backslash and what follows it; `None`: it is not read.
    fn escape(&mut self) -> Option<String> {
        let length = match self.next()? {
            '\n' => return Some(String::new()),
            'n' => return Some("\n".to_owned()),
            't' => return Some("\t".to_owned()),
            'r' => return Some("\r".to_owned()),
            c @ ('\\' | '\'' | '"') => return Some(c.to_string()),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '0'..='7' | 'a' | 'b' | 'f' | 'v' | 'N' => return None,
            c => return Some(format!("\\{c}")),
        };
        let digits = self.rest.get(..length)?;
        let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
        self.rest = &self.rest[length..];
        Some(c.to_string())
    }
}

fn number(word: &str) -> Option<Python> {
    let lower = word.to_ascii_lowercase();
    for (begin, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(begin) {
            return i64::from_str_radix(digits, radix).ok().map(Python::Whole);
        }
    }
    if lower.bytes().all(|byte| byte.is_ascii_digit()) {
        return lower.parse().ok().map(Python::Whole);
    }
    let is_plain = lower.bytes().all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte));
    lower.parse().ok().filter(|number: &f64| is_plain && number.is_finite()).map(Python::Fraction)
}
