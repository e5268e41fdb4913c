//! Writes block-style YAML that any reader takes for the same text.
//!
//! Every text that a reader could take for something else is quoted; keys that are plain words are not. Texts of
//! several lines are literal blocks where that keeps them whole.

/// Longest key, as written, in front of a colon on its line: readers give up after 1,024 characters.
const LONGEST_IMPLICIT_KEY: usize = 1_000;

/// A document in the making.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    /// Begins a document with its header; what follows is its `data`.
    pub(super) fn document(kind: &str, version: u64) -> Self {
        let text = format!("---\ndocument: {kind}\nversion: {version}\ndata:");
        Self { text, depth: 0 }
    }

    /// Ends the document and returns its text.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("\n...\n");
        self.text
    }

    fn line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }

    fn key(&mut self, key: &str) {
        self.line();
        if is_plain_word(key) {
            self.text.push_str(key);
        } else {
            let mut quoted = String::new();
            quote(key, &mut quoted);
            if quoted.len() > LONGEST_IMPLICIT_KEY {
                self.text.push_str("? ");
                self.text.push_str(&quoted);
                self.line();
            } else {
                self.text.push_str(&quoted);
            }
        }
        self.text.push(':');
    }

    /// Writes a map with what `fill` writes as its entries; one without entries is `{}`.
    pub(super) fn map(&mut self, fill: impl FnOnce(&mut Self)) {
        self.depth += 1;
        let before = self.text.len();
        fill(self);
        if self.text.len() == before {
            self.text.push_str(" {}");
        }
        self.depth -= 1;
    }

    /// Writes an entry whose value is a map.
    pub(super) fn map_under(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.map(fill);
    }

    /// Writes an entry whose value is a map, if there is anything in it.
    pub(super) fn some_map_under(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.key(key);
        self.depth += 1;
        let opened = self.text.len();
        fill(self);
        if self.text.len() == opened {
            self.text.truncate(before);
        }
        self.depth -= 1;
    }

    /// Writes an entry whose value is plain: a number, a boolean, a date.
    pub(super) fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        self.key(key);
        self.text.push_str(&format!(" {value}"));
    }

    /// Writes an entry whose value is text.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.value(value);
    }

    /// Writes a text where a value stands: behind a key.
    fn value(&mut self, value: &str) {
        self.text.push(' ');
        if is_literal_block(value) {
            self.block(value);
        } else {
            quote(value, &mut self.text);
        }
    }

    /// Writes an entry whose value is text, if there is one.
    pub(super) fn some_text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn block(&mut self, value: &str) {
        let body = value.trim_end_matches('\n');
        self.text.push_str(match value.len() - body.len() {
            0 => "|-",
            1 => "|",
            _ => "|+",
        });
        self.depth += 1;
        for line in value[..value.len().min(body.len() + 1)].lines() {
            self.block_line(line);
        }
        self.depth -= 1;
        let further = (value.len() - body.len()).saturating_sub(1);
        self.text.extend(std::iter::repeat_n('\n', further));
    }

    fn block_line(&mut self, line: &str) {
        if line.is_empty() {
            self.text.push('\n');
        } else {
            self.line();
            self.text.push_str(line);
        }
    }

    /// Writes an entry whose value is a list of texts, one a line.
    pub(super) fn list<'t>(&mut self, key: &str, items: impl IntoIterator<Item = &'t String>) {
        self.key(key);
        let before = self.text.len();
        for item in items {
            self.line();
            self.text.push_str("- ");
            quote(item, &mut self.text);
        }
        if self.text.len() == before {
            self.text.push_str(" []");
        }
    }

    /// Writes an entry whose value is a list of texts, if there are any.
    pub(super) fn some_list<'t, I>(&mut self, key: &str, items: I)
    where
        I: IntoIterator<Item = &'t String>,
        I::IntoIter: Clone,
    {
        let items = items.into_iter();
        if items.clone().next().is_some() {
            self.list(key, items);
        }
    }

    /// Writes an entry whose value is a list of short texts, on the same line.
    pub(super) fn short_list<'t>(&mut self, key: &str, items: impl IntoIterator<Item = &'t String>) {
        self.key(key);
        self.text.push_str(" [");
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            quote(item, &mut self.text);
        }
        self.text.push(']');
    }

    /// Writes an entry whose value is a list; `fill` writes each item under the dash that it gets.
    pub(super) fn sequence_under<T>(&mut self, key: &str, items: &[T], fill: impl FnMut(&mut Self, &T)) {
        self.key(key);
        self.sequence(items, fill);
    }

    /// Writes the items of a list, each under a dash of its own line; none are `[]`.
    pub(super) fn sequence<T>(&mut self, items: &[T], mut fill: impl FnMut(&mut Self, &T)) {
        if items.is_empty() {
            self.text.push_str(" []");
        }
        for item in items {
            self.line();
            self.text.push('-');
            let start = self.text.len();
            fill(self, item);
            self.pull_up(start);
        }
    }

    /// Writes a text of a free-form block where a value stands.
    ///
    /// `true` and `false` stay unquoted: libmodulemd takes them for text all the same, others for what they are meant.
    pub(super) fn free_text(&mut self, value: &str) {
        if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") {
            self.text.push(' ');
            self.text.push_str(value);
        } else {
            self.value(value);
        }
    }

    /// Puts the first line of what a dash holds beside the dash, where the indentation allows it.
    fn pull_up(&mut self, start: usize) {
        let indent = 1 + 2 * (self.depth + 1);
        let below = &self.text[start..];
        if below.starts_with('\n') && below.len() - below[1..].trim_start_matches(' ').len() == indent {
            self.text.replace_range(start..start + indent, " ");
        }
    }

    /// Writes a boolean where a value stands, in the capitals that libmodulemd knows in free-form blocks.
    pub(super) fn loud_boolean(&mut self, value: bool) {
        self.text.push_str(if value { " TRUE" } else { " FALSE" });
    }

    /// Writes the key of an entry; its value must follow.
    pub(super) fn open_key(&mut self, key: &str) {
        self.key(key);
    }

    /// Goes one level in for what `fill` writes.
    pub(super) fn deeper(&mut self, fill: impl FnOnce(&mut Self)) {
        self.depth += 1;
        fill(self);
        self.depth -= 1;
    }
}

/// Says whether a key can stand unquoted: a word of letters, digits and dashes that no reader takes for anything else.
fn is_plain_word(key: &str) -> bool {
    let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let other = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    is_word && key.len() < 100 && !other.iter().any(|word| key.eq_ignore_ascii_case(word))
}

/// Says whether a text of several lines keeps every character in a literal block.
fn is_literal_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
        && text.lines().all(|line| line.trim_end_matches([' ', '\t']) == line || !line.trim().is_empty())
}

fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// Writes a text in double quotes.
fn quote(text: &str, into: &mut String) {
    into.push('"');
    for c in text.chars() {
        match c {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\t' => into.push_str("\\t"),
            '\r' => into.push_str("\\r"),
            c if is_printable(c) => into.push(c),
            c if u32::from(c) <= 0xff => into.push_str(&format!("\\x{:02X}", u32::from(c))),
            c if u32::from(c) <= 0xffff => into.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => into.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulemd::tree::{Kind, Limits, parse};

    fn written(fill: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::document("test", 1);
        writer.map(fill);
        writer.finish()
    }

    fn read_back(text: &str) -> String {
        let (roots, end) = parse(&written(|out| out.text("key", text)), &Limits::default());
        assert_eq!(end, None, "{text:?}");
        let Kind::Map(root) = &roots[0].kind else { panic!() };
        let Kind::Map(data) = &root[2].1.kind else { panic!("{:?}", root[2].1) };
        let Kind::Scalar(text, _) = &data[0].1.kind else { panic!() };
        text.clone()
    }

    #[test]
    fn texts_are_read_back_as_they_were() {
        for text in [
            "",
            " ",
            "\n",
            "a",
            "1.10",
            "on",
            "a\n",
            "a\nb",
            "a\nb\n\n\n",
            "a\n\n b\n",
            "\n\na",
            " a\nb",
            "a\n \nb",
            "a\n  \n",
            "a b  \nc",
            "\ta\nb",
            "a\n\tb",
            "a\r\nb",
            "é\u{85}\u{2028}\u{feff}\u{7f}\u{10ffff}",
            "- a\n# b\n",
            "a\n---\nb\n",
            "a\n...\n",
            "%a 1\n%b 2\n",
            "\u{0}",
            "'\"\\",
            "a: b\n",
        ] {
            assert_eq!(read_back(text), text);
        }
    }

    #[test]
    fn macros_become_a_literal_block() {
        let text = written(|out| out.text("macros", "%a 1\n%b 2\n"));
        assert_eq!(text, "---\ndocument: test\nversion: 1\ndata:\n  macros: |\n    %a 1\n    %b 2\n...\n");
    }

    #[test]
    fn keys_that_look_like_something_else_are_quoted() {
        let text = written(|out| {
            for key in ["1.10", "on", "No", "a.b", "f29", "<<", "=", "~", ""] {
                out.plain(key, 1);
            }
        });
        let keys: Vec<&str> =
            text.lines().skip(4).filter_map(|line| line.trim().strip_suffix(": 1")).collect();
        let quoted = ["\"1.10\"", "\"on\"", "\"No\"", "\"a.b\"", "f29", "\"<<\"", "\"=\"", "\"~\"", "\"\""];
        assert_eq!(keys, quoted);
    }

    #[test]
    fn keys_of_any_length_are_read_back() {
        for key in ["k".repeat(990), "k".repeat(1_100), "\u{85}".repeat(300)] {
            let text = written(|out| {
                out.text(&key, "value");
                out.map_under("deeper", |out| {
                    out.map_under(&key, |out| out.short_list(&key, [&key]));
                    out.sequence_under("items", &[1, 2], |out, item| out.map(|out| out.plain(&key, item)));
                });
            });
            let (roots, end) = parse(&text, &Limits::default());
            assert_eq!(end, None, "{text}");
            let data = roots[0].entries_under("data").next().unwrap();
            let deeper = data.entries_under("deeper").next().unwrap();
            let list = deeper.entries_under(&key).next().unwrap().entries_under(&key).next().unwrap();
            assert!(matches!(&list.kind, Kind::Seq(items) if items.len() == 1));
            let items = &deeper.entries_under("items").next().unwrap().kind;
            assert!(matches!(items, Kind::Seq(items) if items[1].entries_under(&key).count() == 1));
        }
    }

    #[test]
    fn empty_collections_stay_collections() {
        let text = written(|out| {
            out.map_under("a", |_| ());
            out.some_map_under("gone", |_| ());
            out.list("b", []);
            out.short_list("c", []);
        });
        assert!(text.contains("\n  a: {}\n  b: []\n  c: []\n"), "{text}");
    }
}
