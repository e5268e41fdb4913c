//! What libyaml refuses although the parser in use takes it, so that both take the same texts.
//!
//! libyaml reads YAML 1.1: tabs do not indent, keys of flow maps stay on one line, directives are few.

use std::ops::Range;

use granit_parser::{Event, ScalarStyle, Span, StructureStyle};

/// Looks at the text between and in the events of a document.
pub(super) struct Libyaml<'t> {
    text: &'t str,
    /// End of the last event, as a byte of the text.
    end: usize,
    has_started: bool,
    /// For each open collection whether it is in flow style.
    open: Vec<bool>,
}

/// What a scalar is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    Value,
}

/// Why libyaml refuses a text.
pub(super) type Refused = &'static str;

const TAB: Refused = "a tab cannot indent; use blanks";

impl<'t> Libyaml<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, end: 0, has_started: false, open: Vec::new() }
    }

    fn in_flow(&self) -> bool {
        self.open.last().is_some_and(|is_flow| *is_flow)
    }

    /// Checks the next event and what stands before it; `role` matters for scalars alone.
    pub(super) fn check(&mut self, event: &Event<'_>, span: &Span, role: Role) -> Result<(), Refused> {
        let Some(range) = span.byte_range() else { return Ok(()) };
        let gap = self.text.get(self.end..range.start).unwrap_or_default();
        match event {
            Event::DocumentStart(_, version) => {
                self.check_beginning(gap)?;
                self.has_started = true;
                let version = version.map_or((1, 1), |version| (version.major, version.minor));
                check_directives(gap, (u64::from(version.0), u64::from(version.1)))?;
            }
            Event::Scalar(_, style, _, _) => {
                self.check_gap(gap)?;
                self.check_scalar(*style, role, gap, range.clone())?;
            }
            Event::SequenceStart(style, _, _) | Event::MappingStart(style, _, _) => {
                self.check_gap(gap)?;
                self.open.push(*style == StructureStyle::Flow);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                return self.pass(range);
            }
            Event::DocumentEnd => return self.pass(range),
            Event::StreamEnd => {
                let rest = self.text.get(self.end..).unwrap_or_default();
                self.check_beginning(rest)?;
                return self.check_gap(rest);
            }
            _ => {}
        }
        self.end = self.end.max(range.end);
        Ok(())
    }

    /// Goes past an end that stands in the text; the ends of block style are nowhere.
    fn pass(&mut self, range: Range<usize>) -> Result<(), Refused> {
        if !range.is_empty() {
            self.end = self.end.max(range.end);
        }
        Ok(())
    }

    fn check_beginning(&self, gap: &str) -> Result<(), Refused> {
        let ends = !self.has_started && gap.lines().any(|line| line.starts_with("..."));
        if ends { Err("there is no document that '...' could end") } else { Ok(()) }
    }

    fn check_gap(&self, gap: &str) -> Result<(), Refused> {
        if !self.in_flow() && indents_with_tab(gap) { Err(TAB) } else { Ok(()) }
    }

    fn check_scalar(
        &self,
        style: ScalarStyle,
        role: Role,
        gap: &str,
        range: Range<usize>,
    ) -> Result<(), Refused> {
        let source = self.text.get(range.clone()).unwrap_or_default();
        let after = self.text.get(range.end..).unwrap_or_default();
        let follows_question_mark = gap.trim_end().ends_with('?');
        let is_bare_key = role == Role::Key && !follows_question_mark;
        let refused = match style {
            ScalarStyle::Plain if source.is_empty() && is_bare_key && is_value_sign(after) => {
                Some("a key must stand before ':'")
            }
            ScalarStyle::Plain if self.in_flow() => unfit_in_brackets(source, after),
            ScalarStyle::DoubleQuoted if names_surrogate(source) => {
                Some("half a surrogate pair is no character")
            }
            ScalarStyle::Literal | ScalarStyle::Folded if begins_with_tab(gap, source) => Some(TAB),
            _ => None,
        };
        if let Some(refused) = refused {
            return Err(refused);
        }
        let is_on_lines =
            goes_on_below(after) || source.contains('\n') && after.trim_start().starts_with(':');
        if is_bare_key && self.in_flow() && is_on_lines {
            return Err("a key in brackets must stand on one line with its ':'");
        }
        Ok(())
    }
}

/// Says what is wrong with plain text in brackets.
fn unfit_in_brackets(source: &str, after: &str) -> Option<Refused> {
    if source.starts_with([':', '?']) {
        return Some("text in brackets must not begin with ':' or '?'; quote it");
    }
    let behind_colon = after.strip_prefix(':')?;
    behind_colon.starts_with([',', '?', '[', ']', '{', '}']).then_some("a blank must follow ':'")
}

fn is_value_sign(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// Says whether what follows begins below, and is the ':' of a key.
fn goes_on_below(after: &str) -> bool {
    let rest = after.trim_start_matches([' ', '\t']);
    rest.starts_with(['\n', '\r']) && rest.trim_start().starts_with(':')
}

/// Looks for a tab where indentation is expected: at a line's start, or behind `-` or `?`.
fn indents_with_tab(gap: &str) -> bool {
    if !gap.contains('\t') {
        return false;
    }
    let mut is_indent = false;
    let mut is_comment = false;
    for c in gap.chars() {
        match c {
            '\n' | '\r' => (is_indent, is_comment) = (true, false),
            _ if is_comment => {}
            '\t' if is_indent => return true,
            ' ' | '\t' => {}
            '#' => is_comment = true,
            other => is_indent = matches!(other, '-' | '?'),
        }
    }
    false
}

/// Says whether a block scalar is indented with a tab; the gap before it holds its header.
fn begins_with_tab(gap: &str, source: &str) -> bool {
    let header = gap.rsplit(['|', '>']).next().unwrap_or_default().lines().next().unwrap_or_default();
    let has_indent = header.bytes().take(2).any(|byte| byte.is_ascii_digit());
    source.starts_with('\t') && !has_indent
}

/// Says whether an escape stands for half a surrogate pair.
fn names_surrogate(source: &str) -> bool {
    let mut rest = source;
    while let Some((_, escaped)) = rest.split_once('\\') {
        let digits = match escaped.as_bytes().first() {
            Some(b'u') => escaped.get(1..3),
            Some(b'U') => escaped.get(5..7),
            _ => None,
        };
        let is_half =
            digits.is_some_and(|two| ('8'..='f').any(|d| two.eq_ignore_ascii_case(&format!("d{d}"))));
        if is_half {
            return true;
        }
        rest = escaped.char_indices().nth(1).map_or("", |(next, _)| &escaped[next..]);
    }
    false
}

fn check_directives(gap: &str, version: (u64, u64)) -> Result<(), Refused> {
    let mut names =
        gap.lines().filter_map(|line| line.strip_prefix('%')).map(|line| line.split([' ', '\t']).next());
    if names.any(|name| !matches!(name, Some("YAML" | "TAG"))) {
        return Err("unknown directive; known are %YAML and %TAG");
    }
    if !matches!(version, (1, 1 | 2)) {
        return Err("unknown version of YAML; known are 1.1 and 1.2");
    }
    Ok(())
}

/// Returns the first character that libyaml does not read, as a byte of the text.
pub(super) fn first_unreadable(text: &str) -> Option<usize> {
    let is_readable = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.char_indices().find(|(_, c)| !is_readable(*c)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use crate::modulemd::tree::{Limits, parse};

    fn is_refused(text: &str) -> bool {
        parse(text, &Limits::default()).1.is_some()
    }

    #[test]
    fn tabs_do_not_indent() {
        for text in
            ["-\tb\n", "a: b\n\t\nc: d\n", "a:\n  b: c\n\t", "a: b\n \t # x\nc: d\n", "a: |\n \tb\n  c\n"]
        {
            assert!(is_refused(text), "{text:?}");
        }
        for text in
            ["a:\tb\n", "a: b\t# c\n", "a: [b,\tc]\n", "a: |\n  \tb\n".replace("  \t", "  b\t").as_str()]
        {
            assert!(!is_refused(text), "{text:?}");
        }
    }

    #[test]
    fn keys_in_brackets_stay_on_one_line() {
        for text in ["{a\n : b}", "{\"a\n b\": c}", "{a b\n c: d}", "[b:]", "[?b]", "[:a]", "{: b}", ": b"] {
            assert!(is_refused(text), "{text:?}");
        }
        for text in
            ["{a: b}", "{a:\n b}", "{a\n, b}", "[a: b]", "{? a\n : b}", "[b:c]", "{\"a\":b}", "[a\n b]"]
        {
            assert!(!is_refused(text), "{text:?}");
        }
    }

    #[test]
    fn directives_are_those_of_old() {
        for text in ["%YAML 1.3\n--- a\n", "%FOO bar\n--- a\n"] {
            assert!(is_refused(text), "{text:?}");
        }
        for text in ["%YAML 1.1\n--- a\n", "%YAML 1.2\n--- a\n", "%TAG ! foo:\n--- a\n", "# %FOO\n--- a\n"] {
            assert!(!is_refused(text), "{text:?}");
        }
    }

    #[test]
    fn documents_end_only_after_they_began() {
        assert!(is_refused("...\n---\na: b\n"));
        assert!(is_refused("...\n"));
        assert!(!is_refused("a: b\n...\n...\n---\nc: d\n"));
        assert!(!is_refused(""));
    }

    #[test]
    fn characters_are_printable_ones() {
        for text in ["a\u{1}b", "\u{7f}", "\u{fffe}", "a\0b", "\"\\ud83d\\ude00\""] {
            assert!(is_refused(text), "{text:?}");
        }
        for text in ["\u{e9}\u{65e5}\u{1f600}", "\"\\u00e9\\\\ud83d\"", "\u{feff}a"] {
            assert!(!is_refused(text), "{text:?}");
        }
    }
}
