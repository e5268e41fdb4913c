//! One bounded pass over YAML text into a tree that knows its places.
//!
//! Scalars stay text with the spelling of the document. The tree decides what is YAML, as libyaml does, and how large it
//! may be; it knows nothing of modules. Aliases are refused: they serve no document and are the way to bombs.

use granit_parser::{Event, Parser, ScalarStyle, Span, options};

use super::libyaml::{self, Libyaml, Role};
use super::problem::Place;

/// How much of a text is read. What is beyond is refused, never cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest text, in bytes.
    pub bytes: usize,
    /// Most scalars, sequences and maps in all documents together.
    pub nodes: usize,
    /// Deepest nesting of sequences and maps.
    pub depth: usize,
    /// Most documents in a text.
    pub documents: usize,
    /// Most errors kept, and most warnings; what is beyond is counted only.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, nodes: 2_000_000, depth: 100, documents: 20_000, problems: 200 }
    }
}

impl Limits {
    /// The limits of what somebody submits, and of what a submitted document includes. What is written of it is many
    /// times as large in the worst case: indentation and escapes.
    pub fn of_submission() -> Self {
        Self { bytes: 1 << 20, nodes: 50_000, depth: 30, documents: 10, ..Self::default() }
    }

    /// The limits of a document in a record, which may hold the components of many documents and what was found out.
    pub fn of_record() -> Self {
        Self { bytes: 64 << 20, documents: 1, ..Self::default() }
    }
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a value is. Keys of maps are nodes, too: YAML allows any; they come in the order written, doubles included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(String, Style),
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Returns the entries of a map whose keys are text, nothing for other nodes.
    pub(super) fn text_entries(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> {
        let entries = match &self.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Scalar(..) | Kind::Seq(_) => &[],
        };
        entries.iter().filter_map(|(key, value)| match &key.kind {
            Kind::Scalar(key, _) => Some((key.as_str(), value)),
            Kind::Seq(_) | Kind::Map(_) => None,
        })
    }

    /// Returns all values under a key of a map, which may come several times.
    pub(super) fn entries_under(&self, wanted: &str) -> impl DoubleEndedIterator<Item = &Node> {
        self.text_entries().filter(move |(key, _)| *key == wanted).map(|(_, value)| value)
    }
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
}

/// Why the rest of a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

/// Reads the documents of a text, up to the first place that cannot be read.
pub(super) fn parse(text: &str, limits: &Limits) -> (Vec<Node>, Option<Unreadable>) {
    if text.len() > limits.bytes {
        let message = format!("{} bytes are more than the {} allowed", text.len(), limits.bytes);
        return (Vec::new(), Some(unreadable(Place { line: 1, column: 1 }, message, None)));
    }
    if let Some(index) = libyaml::first_unreadable(text) {
        let message =
            format!("the character {:?} is not allowed", text[index..].chars().next().unwrap_or_default());
        return (Vec::new(), Some(unreadable(place_of(text, index), message, None)));
    }
    let text = &*text.replace('\u{85}', "\n");
    let mut builder = Builder::new(text, limits);
    let options = options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: limits.depth + 1,
        block_nesting_limit: limits.depth + 1,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let taken = match next {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                let place = place(*error.marker());
                Err(unreadable(place, format!("this is no YAML: {}", error.info()), None))
            }
        };
        if let Err(end) = taken {
            return (builder.roots, Some(end));
        }
    }
    (builder.roots, None)
}

fn unreadable(place: Place, message: String, hint: Option<&'static str>) -> Unreadable {
    Unreadable { place, message, hint }
}

/// Counts lines and characters up to a byte of a text.
fn place_of(text: &str, index: usize) -> Place {
    let before = &text[..index];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Place { line, column }
}

fn place(mark: granit_parser::Marker) -> Place {
    Place { line: mark.line(), column: mark.col() + 1 }
}

/// A collection whose end has not been seen.
struct Open {
    place: Place,
    items: Items,
}

enum Items {
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>, Option<Node>),
}

struct Builder<'t> {
    text: &'t str,
    libyaml: Libyaml<'t>,
    limits: &'t Limits,
    nodes: usize,
    open: Vec<Open>,
    roots: Vec<Node>,
    started: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, limits: &'t Limits) -> Self {
        let libyaml = Libyaml::new(text);
        Self { text, libyaml, limits, nodes: 0, open: Vec::new(), roots: Vec::new(), started: 0 }
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Unreadable> {
        let place = place(span.start);
        if let Err(message) = self.libyaml.check(&event, span, self.role()) {
            return Err(unreadable(place, message.to_owned(), None));
        }
        match event {
            Event::DocumentStart(explicit, _) => self.start_document(explicit, place),
            Event::Scalar(text, style, _, _) => {
                self.count(place)?;
                let kind = match style {
                    ScalarStyle::Plain if text == "~" && span.slice(self.text) != Some("~") => {
                        Kind::Scalar(String::new(), Style::Plain)
                    }
                    ScalarStyle::Plain => Kind::Scalar(text.into_owned(), Style::Plain),
                    _ => Kind::Scalar(text.into_owned(), Style::Quoted),
                };
                self.add(Node { place, kind });
                Ok(())
            }
            Event::SequenceStart(..) => self.begin(place, Items::Seq(Vec::new())),
            Event::MappingStart(..) => self.begin(place, Items::Map(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => {
                self.end();
                Ok(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => Err(unreadable(
                place,
                "aliases are not allowed".into(),
                Some("repeat the value instead, or quote a text that begins with '*'"),
            )),
            _ => Ok(()),
        }
    }

    fn role(&self) -> Role {
        match self.open.last().map(|open| &open.items) {
            Some(Items::Map(_, None)) => Role::Key,
            _ => Role::Value,
        }
    }

    fn start_document(&mut self, explicit: bool, place: Place) -> Result<(), Unreadable> {
        self.started += 1;
        if self.started > self.limits.documents {
            let message = format!("more than {} documents", self.limits.documents);
            return Err(unreadable(place, message, None));
        }
        if !explicit && self.started > 1 {
            let message = "a document must begin with '---' here".into();
            return Err(unreadable(place, message, Some("text after '...' needs a line '---' first")));
        }
        Ok(())
    }

    fn count(&mut self, place: Place) -> Result<(), Unreadable> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let message = format!("more than {} values", self.limits.nodes);
            return Err(unreadable(place, message, None));
        }
        Ok(())
    }

    fn begin(&mut self, place: Place, items: Items) -> Result<(), Unreadable> {
        self.count(place)?;
        if self.open.len() >= self.limits.depth {
            let message = format!("nested more than {} deep", self.limits.depth);
            return Err(unreadable(place, message, None));
        }
        self.open.push(Open { place, items });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { place, items }) = self.open.pop() else { return };
        let kind = match items {
            Items::Seq(items) => Kind::Seq(items),
            Items::Map(entries, _) => Kind::Map(entries),
        };
        self.add(Node { place, kind });
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.roots.push(node),
            Some(Items::Seq(items)) => items.push(node),
            Some(Items::Map(entries, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Node>, Unreadable> {
        let (roots, end) = parse(text, &Limits::default());
        end.map_or(Ok(roots), Err)
    }

    fn plain(text: &str) -> Kind {
        Kind::Scalar(text.into(), Style::Plain)
    }

    #[test]
    fn numbers_and_booleans_keep_their_spelling() {
        let Kind::Seq(items) = &read("[1.10, 010, 1e3, on, ~, '1']").unwrap()[0].kind else { panic!() };
        let kinds: Vec<_> = items.iter().map(|node| node.kind.clone()).collect();
        let mut wanted: Vec<_> = ["1.10", "010", "1e3", "on", "~"].map(plain).into();
        wanted.push(Kind::Scalar("1".into(), Style::Quoted));
        assert_eq!(kinds, wanted);
    }

    #[test]
    fn a_value_left_out_is_empty_text() {
        for text in ["a:\n", "a: &x\n", "a: !!str\n", "{a: }", "{a}", "? a\n"] {
            let Kind::Map(entries) = &read(text).unwrap()[0].kind else { panic!("{text:?}") };
            assert_eq!(entries[0].1.kind, plain(""), "{text:?}");
        }
        assert_eq!(read("~").unwrap()[0].kind, plain("~"));
    }

    #[test]
    fn places_are_counted_from_one() {
        let Kind::Map(entries) = &read("a: 1\nbé: {c: 2}\n").unwrap()[0].kind else { panic!() };
        assert_eq!(entries[1].0.place, Place { line: 2, column: 1 });
        assert_eq!(entries[1].1.place, Place { line: 2, column: 5 });
    }

    #[test]
    fn text_after_the_document_end_is_refused() {
        assert_eq!(read("a: 1\n...\nb: 2\n").unwrap_err().place.line, 3);
        assert_eq!(read("a: 1\n...\n---\nb: 2\n").unwrap().len(), 2);
    }

    #[test]
    fn aliases_are_refused_defined_or_not() {
        for text in ["a: &x 1\nb: *x\n", "b: *x\n"] {
            assert_eq!(read(text).unwrap_err().message, "aliases are not allowed");
        }
    }

    #[test]
    fn each_budget_refuses_what_is_one_too_much() {
        let limits = Limits { bytes: 40, nodes: 6, depth: 2, documents: 2, problems: 1 };
        let end = |text: &str| parse(text, &limits).1.map(|end| end.message);
        assert_eq!(end("[[a], b, c]"), None);
        assert!(end(&"#".repeat(41)).unwrap().contains("bytes"));
        assert!(end("[a, b, c, d, e, f]").unwrap().contains("more than 6 values"));
        assert!(end("[[[a]]]").unwrap().contains("nested more than 2"));
        assert!(end("--- a\n--- b\n--- c\n").unwrap().contains("more than 2 documents"));
    }

    #[test]
    fn documents_before_the_unreadable_place_are_kept() {
        let (roots, end) = parse("--- a\n--- [b\n", &Limits::default());
        assert_eq!(roots.len(), 1);
        assert!(end.unwrap().message.starts_with("this is no YAML"));
    }
}
