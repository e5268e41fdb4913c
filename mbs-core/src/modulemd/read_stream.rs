//! Reads the data of stream documents: `modulemd` versions 1 and 2, and `modulemd-packager` version 2.
//!
//! Version 1 is upgraded while it is read: its one set of dependencies becomes the only pair, its end of life the
//! service level `rawhide`.

use std::collections::BTreeMap;

use super::cursor::{Cursor, shown};
use super::findings::{Findings, Remark};
use super::stream::{Dependencies, ModuleStream};
use super::{check_stream, read_artifacts, read_components, read_parts};
use crate::ident::{Name, Stream};

/// Which words a stream document may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `modulemd`, version 1.
    One,
    /// `modulemd`, version 2, and `modulemd-packager`, version 2.
    Two,
}

const COMMON: [&str; 18] = [
    "name",
    "stream",
    "version",
    "context",
    "arch",
    "summary",
    "description",
    "servicelevels",
    "license",
    "xmd",
    "dependencies",
    "references",
    "profiles",
    "api",
    "filter",
    "buildopts",
    "components",
    "artifacts",
];

impl Form {
    fn keys(self) -> Vec<&'static str> {
        let more: &[&str] = match self {
            Form::One => &["eol"],
            Form::Two => &["static_context", "demodularized"],
        };
        [&COMMON, more].concat()
    }
}

/// The parts before which libmodulemd notices that a list of RPM names was no map.
const PARTS: [&str; 12] = [
    "version",
    "static_context",
    "eol",
    "servicelevels",
    "license",
    "xmd",
    "dependencies",
    "references",
    "profiles",
    "buildopts",
    "components",
    "artifacts",
];

/// Reads and checks the value of `data`.
pub(super) fn stream(at: &Cursor<'_>, form: Form, out: &mut Findings) -> ModuleStream {
    let mut stream = ModuleStream::default();
    let last_part = at.last_of(&PARTS);
    at.fields(&form.keys(), out, |key, at, out| match key {
        "name" => stream.name = at.filled_name::<Name>(out),
        "stream" => stream.stream = at.filled_name::<Stream>(out),
        "version" => stream.version = at.unsigned(out),
        "static_context" => stream.static_context = at.boolean(out).unwrap_or_default(),
        "context" => stream.context = at.filled_text(out),
        "arch" => stream.arch = at.filled_text(out),
        "summary" => stream.summary = at.owned_text(out).unwrap_or_default(),
        "description" => stream.description = at.owned_text(out).unwrap_or_default(),
        "api" => stream.api = read_parts::rpm_names(at, last_part, out),
        "filter" => stream.filter = read_parts::rpm_names(at, last_part, out),
        "demodularized" => stream.demodularized = read_parts::rpm_names(at, last_part, out),
        _ => part(key, at, form, out, &mut stream),
    });
    at.require(&["summary", "description", "license"], out);
    check_stream::stream(&stream, form, at, out);
    stream
}

fn part(key: &str, at: &Cursor<'_>, form: Form, out: &mut Findings, stream: &mut ModuleStream) {
    match key {
        "eol" => {
            let eol = date(at, out);
            stream.servicelevels.insert("rawhide".into(), eol);
        }
        "servicelevels" => service_levels(at, out, &mut stream.servicelevels),
        "license" => licenses(at, out, stream),
        "xmd" => stream.xmd = read_parts::free_form(at, out),
        "dependencies" if form == Form::One => upgraded_dependencies(at, out, &mut stream.dependencies),
        "dependencies" => at.items(out, |at, out| {
            stream.dependencies.push(read_parts::dependency_pair(at, out));
        }),
        "references" => read_parts::references(at, out, &mut stream.references),
        "profiles" => read_parts::profiles(at, out, &mut stream.profiles),
        "buildopts" => stream.buildopts = read_parts::buildopts(at, out),
        "components" => read_components::components(at, out, &mut stream.rpms, &mut stream.modules),
        _ => read_artifacts::artifacts(at, form, out, stream),
    }
}

fn licenses(at: &Cursor<'_>, out: &mut Findings, stream: &mut ModuleStream) {
    at.fields(&["module", "content"], out, |key, at, out| match key {
        "module" => {
            stream.module_licenses = at.names(out).unwrap_or_default();
            if stream.module_licenses.is_empty() {
                at.error(out, "must name at least one licence");
            }
        }
        _ if stream.module_licenses.is_empty() => stream.content_licenses = at.names(out).unwrap_or_default(),
        _ => stream.content_licenses = read_parts::content_licenses(at, out),
    });
    if at.is_map() && at.first("module").is_none() {
        let remark = Remark::error("the key 'module' is missing");
        at.note(out, remark.hint("list the licences of the document itself, often MIT"));
    }
}

fn service_levels(at: &Cursor<'_>, out: &mut Findings, into: &mut BTreeMap<String, Option<String>>) {
    at.entries(out, |name, at, out| {
        let mut eol = None;
        at.fields(&["eol"], out, |_, at, out| eol = date(at, out));
        into.insert(name.to_owned(), eol);
    });
}

/// Reads a date of the calendar and writes it in full, `YYYY-MM-DD`.
fn date(at: &Cursor<'_>, out: &mut Findings) -> Option<String> {
    let text = at.text(out)?;
    let date = calendar_day(text);
    if date.is_none() {
        let remark = Remark::error(format!("{} is no date", shown(text)));
        at.note(out, remark.hint("write it as YYYY-MM-DD"));
    }
    date
}

/// Reads year, month and day, each as far as it has digits: libmodulemd passes over what follows them.
fn calendar_day(text: &str) -> Option<String> {
    let mut parts = text.splitn(4, '-').map(leading_number);
    let year = i16::try_from(parts.next()??).ok()?;
    let month = i8::try_from(parts.next()??).ok()?;
    let day = i8::try_from(parts.next()??).ok()?;
    if year < 1 {
        return None;
    }
    Some(jiff::civil::Date::new(year, month, day).ok()?.to_string())
}

fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn upgraded_dependencies(at: &Cursor<'_>, out: &mut Findings, pairs: &mut Vec<Dependencies>) {
    let mut pair = pairs.pop().unwrap_or_default();
    at.fields(&["buildrequires", "requires"], out, |key, at, out| match key {
        "buildrequires" => pair.buildrequires = read_parts::single_streams(at, out),
        _ => pair.requires = read_parts::single_streams(at, out),
    });
    if pair != Dependencies::default() {
        pairs.push(pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_of_the_calendar() {
        for (text, date) in [
            ("2077-10-23", Some("2077-10-23")),
            ("2077-2-3", Some("2077-02-03")),
            ("2077-10-23T00:00Z", Some("2077-10-23")),
            (" 2000- 02-29", Some("2000-02-29")),
            ("1900-02-29", None),
            ("2077-13-01", None),
            ("2077-10", None),
            ("0000-01-01", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(calendar_day(text).as_deref(), date, "{text}");
        }
    }
}
