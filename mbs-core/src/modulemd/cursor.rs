//! A place in a document's tree that knows its path, and how values of each shape are read from there.
//!
//! Shapes follow libmodulemd: a scalar is text whatever it looks like, `null` and `~` included; a list of names may be
//! one bare name; booleans are exactly `true` or `false`; a map's key may come twice, the last one counts.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::findings::{Findings, Remark, UnknownKeys};
use super::problem::{Place, Severity};
use super::tree::{Kind, Node, Style};
use crate::ident::InvalidIdent;

/// A value and the way to it from the root.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    node: &'a Node,
    up: Option<&'a Cursor<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Cursor<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self { node, up: None, step: Step::Root }
    }

    fn down(&'a self, node: &'a Node, step: Step<'a>) -> Cursor<'a> {
        Cursor { node, up: Some(self), step }
    }

    pub(super) fn node(&self) -> &'a Node {
        self.node
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.node.kind, Kind::Map(_))
    }

    /// Returns keys joined by dots, places in lists as `[0]`.
    pub(super) fn path(&self) -> String {
        let mut path = self.up.map_or(String::new(), Cursor::path);
        match self.step {
            Step::Root => {}
            Step::Key(key) => push_key(&mut path, key),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
        path
    }

    pub(super) fn note(&self, out: &mut Findings, remark: Remark) {
        out.note(self.node.place, || self.path(), remark);
    }

    pub(super) fn error(&self, out: &mut Findings, message: impl Into<String>) {
        self.note(out, Remark::error(message));
    }

    /// Notes which of the keys are missing, if this is a map.
    pub(super) fn require(&self, keys: &[&str], out: &mut Findings) {
        for key in keys.iter().filter(|key| self.is_map() && self.first(key).is_none()) {
            self.error(out, format!("the key '{key}' is missing"));
        }
    }

    fn unlike(&self, out: &mut Findings, wanted: &str) {
        let found = match &self.node.kind {
            Kind::Scalar(text, Style::Plain) if text.is_empty() => "nothing",
            Kind::Scalar(..) => "text",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a map",
        };
        self.error(out, format!("must be {wanted}, not {found}"));
    }

    /// Returns the text of a scalar.
    pub(super) fn text(&self, out: &mut Findings) -> Option<&'a str> {
        match &self.node.kind {
            Kind::Scalar(text, _) => Some(text),
            Kind::Seq(_) | Kind::Map(_) => {
                self.unlike(out, "text");
                None
            }
        }
    }

    pub(super) fn owned_text(&self, out: &mut Findings) -> Option<String> {
        self.text(out).map(str::to_owned)
    }

    /// Reads a text that may be left blank for others to fill in.
    pub(super) fn filled_text(&self, out: &mut Findings) -> Option<String> {
        self.owned_text(out).filter(|text| !text.is_empty())
    }

    /// Reads a text that may be left blank for others to fill in, and warns if it is no valid name.
    pub(super) fn filled_name<I: FromStr<Err = InvalidIdent>>(&self, out: &mut Findings) -> Option<String> {
        let text = self.filled_text(out)?;
        self.want_name::<I>(&text, out);
        Some(text)
    }

    /// Warns of a text, here or in the key of this value, that is no valid name of its kind: libmodulemd takes any.
    pub(super) fn want_name<I: FromStr<Err = InvalidIdent>>(&self, text: &str, out: &mut Findings) {
        if let Err(invalid) = text.parse::<I>() {
            self.note(out, Remark::warning(format!("{invalid}; what is called so cannot be built")));
        }
    }

    pub(super) fn boolean(&self, out: &mut Findings) -> Option<bool> {
        match self.text(out)? {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let remark = Remark::error(format!("must be true or false, not {}", shown(other)));
                self.note(out, remark.hint("only these two spellings are known, in lower case"));
                None
            }
        }
    }

    pub(super) fn signed(&self, out: &mut Findings) -> Option<i64> {
        let number = integer(self.text(out)?);
        self.whole(number, out, "between -(2^63) and 2^63-1")
    }

    pub(super) fn unsigned(&self, out: &mut Findings) -> Option<u64> {
        let text = self.text(out)?;
        let number = if text.contains('-') { None } else { integer(text) };
        self.whole(number, out, "between 0 and 2^64-1")
    }

    fn whole<N>(&self, number: Option<N>, out: &mut Findings, range: &str) -> Option<N> {
        if number.is_none() {
            let found = self.text(out).map_or_else(String::new, shown);
            self.error(out, format!("must be a whole number {range}, not {found}"));
        }
        number
    }

    /// Returns the names of a list; a scalar is a list of one.
    pub(super) fn names(&self, out: &mut Findings) -> Option<BTreeSet<String>> {
        match &self.node.kind {
            Kind::Scalar(text, style) => {
                if *style == Style::Plain && matches!(text.as_str(), "" | "~" | "null") {
                    let remark = Remark::warning(format!("read as a list of one name, {}", shown(text)));
                    self.note(out, remark.hint("write [] for an empty list"));
                }
                Some(BTreeSet::from([text.clone()]))
            }
            Kind::Seq(_) => {
                let mut names = BTreeSet::new();
                let before = out.errors();
                self.items(out, |item, out| names.extend(item.owned_text(out)));
                (out.errors() == before).then_some(names)
            }
            Kind::Map(_) => {
                self.unlike(out, "a list of names");
                None
            }
        }
    }

    /// Visits each item of a list.
    pub(super) fn items(&self, out: &mut Findings, mut visit: impl FnMut(&Cursor<'_>, &mut Findings)) {
        let Kind::Seq(items) = &self.node.kind else { return self.unlike(out, "a list") };
        for (index, item) in items.iter().enumerate() {
            visit(&self.down(item, Step::Index(index)), out);
        }
    }

    /// Visits each entry of a map, in the order written; says where a key is no text or comes twice.
    pub(super) fn entries(
        &self,
        out: &mut Findings,
        mut visit: impl FnMut(&str, &Cursor<'_>, &mut Findings),
    ) {
        self.entries_with_place(out, |_, key, at, out| visit(key, at, out));
    }

    fn entries_with_place(
        &self,
        out: &mut Findings,
        mut visit: impl FnMut(Place, &str, &Cursor<'_>, &mut Findings),
    ) {
        let Kind::Map(entries) = &self.node.kind else { return self.unlike(out, "a map") };
        let mut seen = BTreeMap::new();
        for (key, value) in entries {
            let Kind::Scalar(name, _) = &key.kind else {
                self.down(key, Step::Key("?")).unlike(out, "a key, which is text");
                continue;
            };
            let at = self.down(value, Step::Key(name));
            if let Some(Place { line, .. }) = seen.insert(name.as_str(), key.place) {
                // Of several documents in one, the first is looked for and the rest passed over.
                let is_first = matches!(self.step, Step::Root) && name == "data";
                let counts = if is_first { "that" } else { "this" };
                let message = format!("the key was given on line {line} before; {counts} one counts");
                out.note(key.place, || at.path(), Remark::warning(message));
            }
            visit(key.place, name, &at, out);
        }
    }

    /// Visits the entries whose keys are known; says of each other one that it is not.
    pub(super) fn fields(
        &self,
        known: &[&str],
        out: &mut Findings,
        mut visit: impl FnMut(&str, &Cursor<'_>, &mut Findings),
    ) {
        self.entries_with_place(out, |place, key, at, out| {
            if known.contains(&key) {
                return visit(key, at, out);
            }
            let is_refused = match out.unknown_keys() {
                UnknownKeys::Warn => false,
                UnknownKeys::WarnOfText => !matches!(at.node.kind, Kind::Scalar(..)),
                UnknownKeys::Refuse => true,
            };
            let severity = if is_refused { Severity::Error } else { Severity::Warning };
            if !out.has_room(severity) {
                return out.count(severity);
            }
            let remark = match severity {
                Severity::Error => Remark::error(format!("unknown key {}", shown(key))),
                Severity::Warning => Remark::warning(format!("unknown key {}; it has no effect", shown(key))),
            };
            let remark = match nearest(key, known) {
                Some(near) => remark.hint(format!("did you mean '{near}'?")),
                None => remark,
            };
            out.note(place, || at.path(), remark);
        });
    }

    /// Returns where the last of some keys stands in a map; `None` if none of them is there.
    pub(super) fn last_of(&self, keys: &[&str]) -> Option<Place> {
        let Kind::Map(entries) = &self.node.kind else { return None };
        let is_one = |key: &Node| matches!(&key.kind, Kind::Scalar(name, _) if keys.contains(&name.as_str()));
        entries.iter().rev().find(|(key, _)| is_one(key)).map(|(key, _)| key.place)
    }

    /// Returns the value under a key of a map, the first if there are several; `None` for other nodes.
    pub(super) fn first(&'a self, wanted: &'a str) -> Option<Cursor<'a>> {
        let value = self.node.entries_under(wanted).next()?;
        Some(self.down(value, Step::Key(wanted)))
    }

    /// Returns the value under a key of a map, the last if there are several: mostly the one that counts.
    pub(super) fn last(&'a self, wanted: &'a str) -> Option<Cursor<'a>> {
        let value = self.node.entries_under(wanted).next_back()?;
        Some(self.down(value, Step::Key(wanted)))
    }
}

/// Adds a key to a path. Keys that are no plain words are quoted, so that they cannot pass for something else.
pub(super) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+.?".contains(c);
    let key: String = key.chars().take(200).collect();
    if !key.is_empty() && key.chars().all(is_plain) {
        path.push_str(&key);
    } else {
        path.push_str(&format!("{key:?}"));
    }
}

/// Quotes a text for a message, cut at 80 characters.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Reads what C's `strtoll` takes whole: blanks in front, a sign, decimal digits.
fn integer<N: FromStr>(text: &str) -> Option<N> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    digits.parse().ok()
}

/// How long the beginning of a key is at least that stands for the whole.
const SHORTENED: usize = 3;

/// Returns the known key that a typing mistake most likely meant: the only one that begins so, else the one that takes the
/// fewest changes.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    if key.len() > 40 {
        return None;
    }
    let mut longer = known.iter().filter(|name| key.len() >= SHORTENED && name.starts_with(key));
    if let (Some(whole), None) = (longer.next(), longer.next()) {
        return Some(whole);
    }
    let (steps, near) = known.iter().map(|name| (distance(key, name), *name)).min()?;
    (steps <= 2 && steps < near.len()).then_some(near)
}

/// Counts the letters to put in, take out or change between two short names.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let change = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulemd::tree::{Limits, parse};

    fn with<T>(text: &str, read: impl FnOnce(&Cursor<'_>, &mut Findings) -> T) -> (T, Vec<String>) {
        let (roots, _) = parse(text, &Limits::default());
        let mut out = Findings::new(None, &Limits::default());
        let value = read(&Cursor::root(&roots[0]), &mut out);
        (value, out.into_problems().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn integers_are_what_the_c_library_takes_whole() {
        for (text, wanted) in
            [("5", Some(5)), (" +5", Some(5)), ("-0", Some(0)), ("010", Some(10)), ("5 ", None)]
        {
            assert_eq!(integer::<i64>(text), wanted, "{text}");
        }
        for text in ["", "0x10", "1_000", "5.0", "+ 5", "--5", "9223372036854775808"] {
            assert_eq!(integer::<i64>(text), None, "{text}");
        }
    }

    #[test]
    fn unsigned_numbers_take_no_sign_even_on_zero() {
        assert_eq!(with("'18446744073709551615'", |at, out| at.unsigned(out)).0, Some(u64::MAX));
        assert_eq!(with("-0", |at, out| at.unsigned(out)).0, None);
    }

    #[test]
    fn unknown_keys_get_a_hint_with_the_nearest_known_one() {
        let ((), problems) =
            with("buildoder: 1\nzzz: 2\n", |at, out| at.fields(&["buildorder"], out, |_, _, _| ()));
        assert!(problems[0].ends_with("(did you mean 'buildorder'?)"), "{problems:?}");
        assert!(problems[1].ends_with("it has no effect"), "{problems:?}");
    }

    #[test]
    fn the_beginning_of_a_key_means_that_key_and_not_a_similar_one() {
        let known = ["ref", "repository", "rationale", "requires_ref", "requires_tag"];
        assert_eq!(nearest("repo", &known), Some("repository"));
        assert_eq!(nearest("re", &known), Some("ref"));
        assert_eq!(nearest("requires", &known), None);
    }

    #[test]
    fn a_doubled_key_counts_last_and_is_pointed_out() {
        let mut last = None;
        let ((), problems) =
            with("a: 1\na: 2\n", |at, out| at.fields(&["a"], out, |_, at, out| last = at.owned_text(out)));
        assert_eq!(last.as_deref(), Some("2"));
        assert_eq!(problems, ["2:1: warning: a: the key was given on line 1 before; this one counts"]);
    }

    #[test]
    fn paths_name_keys_and_places_in_lists() {
        let ((), problems) = with("a: [{b: [x, {}]}]", |at, out| {
            let a = at.first("a").unwrap();
            a.items(out, |item, out| {
                item.first("b").unwrap().names(out);
            });
        });
        assert_eq!(problems, ["1:13: a[0].b[1]: must be text, not a map"]);
    }

    #[test]
    fn keys_that_are_no_plain_words_are_quoted_in_paths() {
        let text = "\"x\\e[2J\": {}\n\"a\\nother.yaml:1:1: fine\": {}\ngcc-c++: {}\n'': {}\n";
        let ((), problems) = with(text, |at, out| {
            at.entries(out, |_, at, out| {
                at.text(out);
            });
        });
        let paths: Vec<_> = problems.iter().map(|p| p.split(": ").nth(1).unwrap()).collect();
        assert_eq!(paths[0], "\"x\\u{1b}[2J\"");
        assert!(problems[1].starts_with("2:28: \"a\\nother.yaml:1:1: fine\": must be text"), "{problems:?}");
        assert_eq!((paths[2], paths[3]), ("gcc-c++", "\"\""));
    }

    #[test]
    fn one_bare_name_is_a_list_of_it() {
        let (names, problems) = with("x86_64", |at, out| at.names(out));
        assert_eq!(names, Some(BTreeSet::from(["x86_64".to_owned()])));
        assert!(problems.is_empty());
        let (names, problems) = with("~", |at, out| at.names(out));
        assert_eq!(names, Some(BTreeSet::from(["~".to_owned()])));
        assert_eq!(problems.len(), 1);
    }
}
