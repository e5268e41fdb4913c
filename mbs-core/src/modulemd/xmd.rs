//! The free-form block of a document: a tree whose leaves are text.

/// A node of `xmd`: every scalar is text with its spelling kept, `null` and numbers included.
///
/// libmodulemd knows `TRUE` and `FALSE` as booleans, in capitals only; `true` is text to it, and stays so here, that
/// what is written back is what was read. Ask [`Xmd::boolean`], which takes any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Xmd {
    /// A scalar other than `TRUE` and `FALSE`.
    Text(String),
    /// `TRUE` or `FALSE`, and what the service itself sets.
    Bool(bool),
    /// A sequence.
    Seq(Vec<Xmd>),
    /// A map in the order written; keys are distinct.
    Map(Vec<(String, Xmd)>),
}

impl Default for Xmd {
    fn default() -> Self {
        Xmd::Map(Vec::new())
    }
}

impl Xmd {
    /// Makes a scalar of a document a node. Source: libmodulemd, `mmd_variant_from_scalar`.
    pub(super) fn from_scalar(text: &str) -> Xmd {
        match text {
            "TRUE" => Xmd::Bool(true),
            "FALSE" => Xmd::Bool(false),
            _ => Xmd::Text(text.to_owned()),
        }
    }

    /// Returns the value under a key of a map; `None` for other nodes.
    pub fn value(&self, key: &str) -> Option<&Xmd> {
        match self {
            Xmd::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            Xmd::Text(_) | Xmd::Bool(_) | Xmd::Seq(_) => None,
        }
    }

    /// Follows keys down through maps.
    pub fn at(&self, path: &[&str]) -> Option<&Xmd> {
        path.iter().try_fold(self, |node, key| node.value(key))
    }

    /// Returns the text of a text scalar.
    pub fn text(&self) -> Option<&str> {
        match self {
            Xmd::Text(text) => Some(text),
            Xmd::Bool(_) | Xmd::Seq(_) | Xmd::Map(_) => None,
        }
    }

    /// Returns a scalar as it was written, `TRUE` and `FALSE` included: what names, streams and the like are asked for.
    pub fn spelling(&self) -> Option<&str> {
        match self {
            Xmd::Text(text) => Some(text),
            Xmd::Bool(true) => Some("TRUE"),
            Xmd::Bool(false) => Some("FALSE"),
            Xmd::Seq(_) | Xmd::Map(_) => None,
        }
    }

    /// Returns the truth value of `true` or `false` in any case; `None` for all else.
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Xmd::Bool(value) => Some(*value),
            Xmd::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Xmd::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Xmd::Text(_) | Xmd::Seq(_) | Xmd::Map(_) => None,
        }
    }

    /// Says whether the node is `true`, in any case.
    pub fn is_true(&self) -> bool {
        self.boolean() == Some(true)
    }

    /// Returns the entries of a map, nothing for other nodes.
    pub fn entries(&self) -> &[(String, Xmd)] {
        match self {
            Xmd::Map(entries) => entries,
            Xmd::Text(_) | Xmd::Bool(_) | Xmd::Seq(_) => &[],
        }
    }

    /// Returns the texts of a sequence of scalars as they were written, nothing for other nodes.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Xmd::Seq(items) => items.iter().filter_map(Xmd::spelling).collect(),
            Xmd::Text(_) | Xmd::Bool(_) | Xmd::Map(_) => Vec::new(),
        }
    }

    /// Sets the value under a key, in place or at the end; a node that is no map becomes one.
    pub fn set(&mut self, key: &str, value: Xmd) {
        if !matches!(self, Xmd::Map(_)) {
            *self = Xmd::default();
        }
        let Xmd::Map(entries) = self else { return };
        match entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key.to_owned(), value)),
        }
    }

    /// Takes out of every sequence what is of another kind than its first entry, as libmodulemd does when it reads one, and returns
    /// the paths of what is lost.
    pub fn make_uniform(&mut self) -> Vec<String> {
        let mut lost = Vec::new();
        self.keep_uniform("data.xmd", &mut lost);
        lost
    }

    fn keep_uniform(&mut self, path: &str, lost: &mut Vec<String>) {
        match self {
            Xmd::Text(_) | Xmd::Bool(_) => {}
            Xmd::Map(entries) => {
                for (key, value) in entries {
                    value.keep_uniform(&format!("{path}.{}", key.escape_debug()), lost);
                }
            }
            Xmd::Seq(entries) => {
                let first = entries.first().map(Xmd::kind).unwrap_or_default();
                let mut place = 0;
                entries.retain(|entry| {
                    let is_like_first = entry.kind() == first;
                    if !is_like_first {
                        lost.push(format!("{path}[{place}]"));
                    }
                    place += 1;
                    is_like_first
                });
                for (place, entry) in entries.iter_mut().enumerate() {
                    entry.keep_uniform(&format!("{path}[{place}]"), lost);
                }
            }
        }
    }

    /// Names the kind of a value as libmodulemd tells kinds apart: a sequence is of the kind of its first entry.
    fn kind(&self) -> String {
        match self {
            Xmd::Text(_) => "s".to_owned(),
            Xmd::Bool(_) => "b".to_owned(),
            Xmd::Map(_) => "m".to_owned(),
            Xmd::Seq(entries) => format!("a{}", entries.first().map(Xmd::kind).unwrap_or_default()),
        }
    }

    /// Removes a key of a map and returns what was there.
    pub fn remove(&mut self, key: &str) -> Option<Xmd> {
        let Xmd::Map(entries) = self else { return None };
        let place = entries.iter().position(|(k, _)| k == key)?;
        Some(entries.remove(place).1)
    }
}

/// Makes a scalar; it is the same when written and read again.
impl From<&str> for Xmd {
    fn from(text: &str) -> Self {
        Xmd::from_scalar(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_one_kind_are_left_alone_and_others_lose_what_libmodulemd_does_not_read() {
        let map = |key: &str, value| Xmd::Map(vec![(key.to_owned(), value)]);
        let list = |entries: &[Xmd]| Xmd::Seq(entries.to_vec());
        let uniform = map("a", list(&["1".into(), "2".into()]));
        let mut kept = uniform.clone();
        assert_eq!((kept.make_uniform(), kept), (Vec::new(), uniform));
        let mut mixed = map(
            "a",
            list(&[list(&["1".into()]), "x".into(), list(&[map("b", "c".into())]), list(&["2".into()])]),
        );
        assert_eq!(mixed.make_uniform(), ["data.xmd.a[1]", "data.xmd.a[2]"]);
        assert_eq!(mixed, map("a", list(&[list(&["1".into()]), list(&["2".into()])])));
        let mut deep = list(&[map("a", list(&["1".into(), Xmd::Bool(true)]))]);
        assert_eq!(deep.make_uniform(), ["data.xmd[0].a[1]"]);
    }

    #[test]
    fn a_stream_that_looks_like_a_boolean_keeps_its_spelling() {
        for text in ["TRUE", "FALSE", "true", "1.10"] {
            assert_eq!(Xmd::from(text).spelling(), Some(text));
        }
        assert_eq!(Xmd::Seq(vec!["TRUE".into(), Xmd::default()]).texts(), ["TRUE"]);
    }
}
