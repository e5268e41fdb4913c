//! From text to documents: headers, types and versions, and which problems make a document unfit.
//!
//! What libmodulemd takes is taken, what it refuses is refused; packager forms may leave name, stream, version and
//! context open, as a submission does. Unknown keys are pointed out and passed over.

use super::cursor::{Cursor, shown};
use super::findings::{Findings, Remark, UnknownKeys};
use super::others::{Defaults, Obsoletes, Translations};
use super::packager::PackagerV3;
use super::problem::{Place, Problem, Problems};
use super::read_stream::{self, Form};
use super::stream::ModuleStream;
use super::tree::{self, Limits, Node};
use super::{check_stream, read_others, read_packager};
use crate::ident::Name;

/// A document of any type.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// `modulemd`, version 1 (upgraded) or 2, or `modulemd-packager`, version 2.
    Stream(Box<ModuleStream>),
    /// `modulemd-packager`, version 3.
    Packager(Box<PackagerV3>),
    /// `modulemd-defaults`.
    Defaults(Defaults),
    /// `modulemd-obsoletes`.
    Obsoletes(Obsoletes),
    /// `modulemd-translations`.
    Translations(Translations),
}

/// A document and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// Index among the documents of the text, 0-based; those that were refused count.
    pub index: usize,
    /// Where its first value stands.
    pub place: Place,
    /// What it says.
    pub document: Document,
}

/// What a text says, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Read {
    /// The documents without errors, in the order written.
    pub documents: Vec<Located>,
    /// All errors and warnings, sorted by place.
    pub problems: Vec<Problem>,
}

impl Read {
    /// Says whether no document was refused.
    pub fn is_fine(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }
}

/// Reads every document of a text. An empty text has none, and no problem.
///
/// `file` is the name that problems carry. Text that is no YAML ends the reading there.
pub fn read_documents(text: &str, file: Option<&str>, limits: &Limits) -> Read {
    read_and_check(text, file, limits, |_, _, _| ())
}

/// Reads every document, and has those without errors looked at once more beside their text.
fn read_and_check(
    text: &str,
    file: Option<&str>,
    limits: &Limits,
    check: impl Fn(&Cursor<'_>, &Document, &mut Findings),
) -> Read {
    let mut out = Findings::new(file, limits);
    let (roots, end) = tree::parse(text, limits);
    let mut documents = Vec::new();
    for (index, root) in roots.iter().enumerate() {
        out.enter_document(index);
        let before = out.errors();
        let document = document(root, &mut out);
        if let Some(document) = document.filter(|_| out.errors() == before) {
            check(&Cursor::root(root), &document, &mut out);
            documents.push(Located { index, place: root.place, document });
        }
    }
    if let Some(end) = end {
        out.enter_document(roots.len());
        let remark = Remark::error(end.message);
        let remark = match end.hint {
            Some(hint) => remark.hint(hint),
            None => remark,
        };
        out.note(end.place, String::new, remark);
    }
    Read { documents, problems: out.into_problems() }
}

/// Reads documents from bytes, which must be UTF-8; otherwise like [`read_documents`].
pub fn read_bytes(bytes: &[u8], file: Option<&str>, limits: &Limits) -> Read {
    match std::str::from_utf8(bytes) {
        Ok(text) => read_documents(text, file, limits),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = valid.matches('\n').count() + 1;
            let column = valid.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            let mut out = Findings::new(file, limits);
            out.note(Place { line, column }, String::new, Remark::error("the text is not UTF-8"));
            Read { documents: Vec::new(), problems: out.into_problems() }
        }
    }
}

/// What a submitted text asks to build.
#[derive(Debug, Clone, PartialEq)]
pub enum Submission {
    /// One stream.
    Stream(Box<ModuleStream>),
    /// One stream for each configuration.
    Packager(Box<PackagerV3>),
}

impl Submission {
    /// Returns how many streams there are to expand.
    pub(crate) fn ways(&self) -> usize {
        match self {
            Submission::Stream(_) => 1,
            Submission::Packager(packager) => packager.configurations.len(),
        }
    }

    /// Returns the streams to expand: one, or one for each configuration, sorted by context.
    pub fn into_streams(self) -> Vec<ModuleStream> {
        match self {
            Submission::Stream(stream) => vec![*stream],
            Submission::Packager(packager) => packager.into_streams(),
        }
    }
}

/// Reads the one stream document, or packager's document, of a submission, with its warnings.
///
/// # Errors
/// The text is refused, is no stream document, or holds several documents. The person who wrote it has to change it.
pub fn read_submission(
    text: &str,
    file: Option<&str>,
    limits: &Limits,
) -> Result<(Submission, Vec<Problem>), Problems> {
    let read = read_documents(text, file, limits);
    if !read.is_fine() {
        return Err(Problems(read.problems));
    }
    let mut documents = read.documents.into_iter();
    let (place, wrong) = match (documents.next(), documents.next()) {
        (None, _) => (Place { line: 1, column: 1 }, "there is no document"),
        (Some(_), Some(second)) => (second.place, "a submission is one document, this is a second one"),
        (Some(one), None) => match one.document {
            Document::Stream(stream) => return Ok((Submission::Stream(stream), read.problems)),
            Document::Packager(packager) => return Ok((Submission::Packager(packager), read.problems)),
            Document::Defaults(_) | Document::Obsoletes(_) | Document::Translations(_) => {
                (one.place, "the document must be of type modulemd or modulemd-packager")
            }
        },
    };
    let mut out = Findings::new(file, limits);
    out.note(place, String::new, Remark::error(wrong));
    Err(Problems(out.into_problems()))
}

/// Returns everything that is wrong with the documents of a text, sorted by place: what `mbs-build validate` prints.
///
/// Streams that buildrequire none of the base modules get a warning; without base modules nobody does.
pub fn validate(text: &str, file: &str, limits: &Limits, base_modules: &[Name]) -> Vec<Problem> {
    let read = read_and_check(text, Some(file), limits, |root, document, out| {
        if let (Document::Stream(stream), Some(data)) = (document, root.first("data")) {
            check_stream::base_module(stream, base_modules, &data, out);
        }
    });
    if read.documents.is_empty() && read.problems.is_empty() {
        let mut out = Findings::new(Some(file), limits);
        out.note(Place { line: 1, column: 1 }, String::new, Remark::error("there is no document"));
        return out.into_problems();
    }
    read.problems
}

/// The types of documents, by the word in their header.
const TYPES: [&str; 6] = [
    "modulemd",
    "modulemd-stream",
    "modulemd-packager",
    "modulemd-defaults",
    "modulemd-obsoletes",
    "modulemd-translations",
];

fn document(root: &Node, out: &mut Findings) -> Option<Document> {
    let at = Cursor::root(root);
    let mut kind = None;
    let mut version = None;
    at.fields(&["document", "version", "data"], out, |key, at, out| {
        let slot_is_taken = match key {
            "document" => kind.replace(at.owned_text(out).unwrap_or_default()).is_some(),
            "version" => version.replace(at.unsigned(out).unwrap_or_default()).is_some(),
            _ => false,
        };
        if slot_is_taken {
            at.error(out, "the key was given before in this document");
        }
    });
    at.require(&["document", "version", "data"], out);
    let data = at.first("data")?;
    let (kind, version) = (kind?, version?);
    if out.unknown_keys() == UnknownKeys::Warn && kind == "modulemd-packager" && version == 3 {
        out.treat_unknown_keys(UnknownKeys::Refuse);
    }
    let read = match (kind.as_str(), version) {
        (_, 0) => None,
        ("modulemd" | "modulemd-stream", 1) => stream(&data, Form::One, out),
        ("modulemd" | "modulemd-stream" | "modulemd-packager", 2) => stream(&data, Form::Two, out),
        ("modulemd-packager", 3) => Some(Document::Packager(Box::new(read_packager::packager(&data, out)))),
        ("modulemd-defaults", 1) => Some(Document::Defaults(read_others::defaults(&data, out))),
        ("modulemd-obsoletes", 1) => Some(Document::Obsoletes(read_others::obsoletes(&data, out))),
        ("modulemd-translations", _) => Some(Document::Translations(read_others::translations(&data, out))),
        _ => None,
    };
    if read.is_none() {
        unknown_type(&at, &kind, version, out);
    }
    read
}

fn stream(data: &Cursor<'_>, form: Form, out: &mut Findings) -> Option<Document> {
    Some(Document::Stream(Box::new(read_stream::stream(data, form, out))))
}

fn unknown_type(root: &Cursor<'_>, kind: &str, version: u64, out: &mut Findings) {
    if !TYPES.contains(&kind) {
        if let Some(at) = root.first("document") {
            let remark = Remark::error(format!("unknown document type {}", shown(kind)));
            at.note(out, remark.hint(format!("known are {}", TYPES.join(", "))));
        }
    } else if let Some(at) = root.first("version") {
        let known = match kind {
            "modulemd" | "modulemd-stream" => "1 and 2",
            "modulemd-packager" => "2 and 3",
            _ => "1",
        };
        let remark = Remark::error(format!("version {version} of {kind} is not known"));
        at.note(out, remark.hint(format!("known is {known}")));
    }
}

#[cfg(test)]
mod tests;
