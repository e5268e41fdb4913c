//! Reads the data of defaults, obsoletes and translations documents.

use super::cursor::{Cursor, shown};
use super::findings::{Findings, Remark, UnknownKeys};
use super::others::{DefaultProfiles, Defaults, Intent, ObsoletedBy, Obsoletes, Translation, Translations};

/// Reads the data of a `modulemd-defaults` document.
pub(super) fn defaults(at: &Cursor<'_>, out: &mut Findings) -> Defaults {
    let mut defaults = Defaults::default();
    let mut module = None;
    at.fields(&["module", "modified", "stream", "profiles", "intents"], out, |key, at, out| match key {
        "module" => once(&mut module, at, out),
        "modified" => defaults.modified = at.unsigned(out),
        "stream" => once(&mut defaults.stream, at, out),
        "profiles" => default_profiles(at, out, &mut defaults.profiles),
        _ => at.entries(out, |name, at, out| {
            if defaults.intents.insert(name.to_owned(), intent(at, out)).is_some() {
                at.error(out, "the intent was given before in this document");
            }
        }),
    });
    if module.is_none() && at.is_map() {
        at.note(out, Remark::warning("the key 'module' is missing; the document has no effect"));
    }
    defaults.module = module.unwrap_or_default();
    defaults
}

fn intent(at: &Cursor<'_>, out: &mut Findings) -> Intent {
    let mut intent = Intent::default();
    at.fields(&["stream", "profiles"], out, |key, at, out| match key {
        "stream" => once(&mut intent.stream, at, out),
        _ => default_profiles(at, out, &mut intent.profiles),
    });
    intent
}

fn default_profiles(at: &Cursor<'_>, out: &mut Findings, into: &mut DefaultProfiles) {
    at.entries(out, |stream, at, out| {
        let names = at.names(out).unwrap_or_default();
        if into.insert(stream.to_owned(), names).is_some() {
            at.error(out, "the stream was given before in this document");
        }
    });
}

/// Reads a text that may be given only once.
fn once(slot: &mut Option<String>, at: &Cursor<'_>, out: &mut Findings) {
    if slot.is_some() {
        at.error(out, "the key was given before in this document");
    }
    *slot = at.owned_text(out);
}

const OBSOLETES_KEYS: [&str; 8] =
    ["modified", "reset", "module", "stream", "context", "eol_date", "message", "obsoleted_by"];

/// Reads the data of a `modulemd-obsoletes` document.
pub(super) fn obsoletes(at: &Cursor<'_>, out: &mut Findings) -> Obsoletes {
    let mut obsoletes = Obsoletes::default();
    let (mut module, mut stream, mut message) = (None, None, None);
    at.fields(&OBSOLETES_KEYS, out, |key, at, out| match key {
        "modified" => obsoletes.modified = minute(at, out).unwrap_or_default(),
        "reset" => obsoletes.reset = at.boolean(out).unwrap_or_default(),
        "module" => once(&mut module, at, out),
        "stream" => once(&mut stream, at, out),
        "context" => once(&mut obsoletes.context, at, out),
        "eol_date" => obsoletes.eol_date = minute(at, out),
        "message" => once(&mut message, at, out),
        _ => obsoletes.obsoleted_by = obsoleted_by(at, out),
    });
    at.require(&["modified"], out);
    obsoletes.module = filled("module", module, at, out);
    obsoletes.stream = filled("stream", stream, at, out);
    obsoletes.message = filled("message", message, at, out);
    if obsoletes.reset && (obsoletes.eol_date.is_some() || obsoletes.obsoleted_by.is_some()) {
        let remark = Remark::error("'reset' cannot stand beside 'eol_date' or 'obsoleted_by'");
        at.note(out, remark.hint("write one document to reset and a newer one with the rest"));
    }
    obsoletes
}

/// Returns a text that must be there and not be blank.
fn filled(key: &str, text: Option<String>, at: &Cursor<'_>, out: &mut Findings) -> String {
    match text {
        Some(text) if !text.is_empty() => text,
        Some(_) => {
            at.error(out, format!("the key '{key}' must not be blank"));
            String::new()
        }
        None => {
            at.require(&[key], out);
            String::new()
        }
    }
}

fn obsoleted_by(at: &Cursor<'_>, out: &mut Findings) -> Option<ObsoletedBy> {
    let (mut module, mut stream) = (None, None);
    let others = out.treat_unknown_keys(UnknownKeys::WarnOfText);
    at.fields(&["module", "stream"], out, |key, at, out| match key {
        "module" => once(&mut module, at, out),
        _ => once(&mut stream, at, out),
    });
    out.treat_unknown_keys(others);
    match (module, stream) {
        (Some(module), Some(stream)) => Some(ObsoletedBy { module, stream }),
        (None, None) => None,
        _ => {
            at.error(out, "must name both 'module' and 'stream'");
            None
        }
    }
}

/// Reads a UTC time of `YYYY-MM-DDTHH:MMZ`.
fn minute(at: &Cursor<'_>, out: &mut Findings) -> Option<String> {
    let text = at.text(out)?;
    let minute = parse_minute(text);
    if minute.is_none() {
        let remark = Remark::error(format!("{} is no UTC time", shown(text)));
        at.note(out, remark.hint("write it as YYYY-MM-DDTHH:MMZ"));
    }
    minute
}

/// Reads as C's `strptime` does: blanks before a number, fewer digits, and the 31st in any month are fine.
fn parse_minute(text: &str) -> Option<String> {
    let mut rest = text;
    let mut number = |digits: usize, range: std::ops::RangeInclusive<u16>, after: char| {
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
        let end = trimmed.bytes().take(digits).take_while(u8::is_ascii_digit).count();
        let number: u16 = trimmed[..end].parse().ok()?;
        rest = trimmed[end..].strip_prefix(after)?;
        range.contains(&number).then_some(number)
    };
    let year = number(4, 1000..=9999, '-')?;
    let month = number(2, 1..=12, '-')?;
    let day = number(2, 1..=31, 'T')?;
    let hour = number(2, 0..=23, ':')?;
    let minute = number(2, 0..=59, 'Z')?;
    rest.is_empty().then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}Z"))
}

/// Reads the data of a `modulemd-translations` document.
pub(super) fn translations(at: &Cursor<'_>, out: &mut Findings) -> Translations {
    let mut read = Translations::default();
    let (mut module, mut stream) = (None, None);
    at.fields(&["module", "stream", "modified", "translations"], out, |key, at, out| match key {
        "module" => once(&mut module, at, out),
        "stream" => once(&mut stream, at, out),
        "modified" => read.modified = at.unsigned(out).unwrap_or(1),
        _ => {
            read.translations.clear();
            at.entries(out, |locale, at, out| {
                read.translations.insert(locale.to_owned(), translation(at, out));
            });
        }
    });
    read.module = filled("module", module, at, out);
    read.stream = filled("stream", stream, at, out);
    at.require(&["modified"], out);
    if at.first("modified").is_some() && read.modified == 0 {
        at.error(out, "the key 'modified' must not be zero");
    }
    read
}

fn translation(at: &Cursor<'_>, out: &mut Findings) -> Translation {
    let mut read = Translation::default();
    at.fields(&["summary", "description", "profiles"], out, |key, at, out| match key {
        "summary" => read.summary = at.owned_text(out),
        "description" => read.description = at.owned_text(out),
        _ => at.entries(out, |profile, at, out| {
            if let Some(text) = at.owned_text(out) {
                read.profiles.insert(profile.to_owned(), text);
            }
        }),
    });
    for key in ["summary", "description"] {
        if at.is_map() && at.first(key).is_none() {
            at.note(out, Remark::warning(format!("the key '{key}' is missing")));
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_c_library_reads_them() {
        for (text, minute) in [
            ("2018-05-23T14:25Z", Some("2018-05-23T14:25Z")),
            ("2018-5-3T4:5Z", Some("2018-05-03T04:05Z")),
            (" 2018-02-30T14:25Z", Some("2018-02-30T14:25Z")),
            ("2018-05-23 14:25Z", None),
            ("2018-05-23T14:25", None),
            ("2018-05-23T14:25:30Z", None),
            ("2018-05-23T24:00Z", None),
            ("2018-13-23T14:25Z", None),
            ("2018-05-23T14:25Zx", None),
            ("", None),
        ] {
            assert_eq!(parse_minute(text).as_deref(), minute, "{text}");
        }
    }
}
