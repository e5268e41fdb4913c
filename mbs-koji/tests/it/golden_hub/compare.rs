//! Is our answer the recorded one? Everything has to be equal but ids, which have to stay paired, times, which have to be of
//! one kind, and what [`LOOSE`] names.

use mbs_koji::xmlrpc::{Struct, Value, decode_call, decode_response};

use super::book::Book;
use super::kinds::{self, Kind};

/// What is compared by its kind only, in which answers, and why. `*`: in all; `own`: in rows about builds that our builder made.
pub(super) const LOOSE: &[(&str, &str, &str)] = &[
    ("*", "traceback", "the lines of another program"),
    ("*", "mtime", "a time"),
    ("*", "weight", "builders change it by what the package cost before"),
    ("*", "begin_event", "whether a recorded call changed its tag at all, which its answer does not tell"),
    ("own", "payloadhash", "what a builder packed"),
    ("own", "size", "what a builder packed"),
    ("own", "buildtime", "a time"),
    ("getAverageBuildDuration", "", "how long the recorded builder took"),
    ("system.methodHelp", "", "prose of the hub's source; the first line has to be equal"),
    ("showSession", "", "times in it; all but numbers and keys has to be equal"),
    ("getTaskResult", "", "what a builder found, unless it is nil, a repository or a fault"),
    ("_listapi", "", "the fake has fewer methods; those of both have to have the same parameters"),
    ("system.listMethods", "", "the fake has fewer methods"),
    ("listTaskOutput", "", "what a builder wrote"),
    ("downloadTaskOutput", "", "what a builder wrote"),
    ("getTaskChildren", "request", "names of files that a builder made, and the repository it waited for"),
    ("getTaskDescendents", "request", "the same"),
];

fn is_loose(method: &str, member: &str) -> bool {
    LOOSE.iter().any(|(place, name, _)| *name == member && (*place == "*" || *place == method))
}

/// A comparison under way.
pub(super) struct Comparison<'c> {
    pub(super) book: &'c mut Book,
    pub(super) method: String,
}

type Verdict = Result<(), String>;

impl Comparison<'_> {
    /// Compares two answers of a call.
    pub(super) fn answers(&mut self, recorded: &Value, ours: &Value) -> Verdict {
        if let (Some(kind), Value::Int(recorded), Value::Int(ours)) =
            (kinds::of_answer(&self.method), recorded, ours)
        {
            return self.ids(kind, "", (*recorded, *ours));
        }
        match (self.method.as_str(), recorded, ours) {
            ("getTaskResult", Value::Array(repo), Value::Array(own)) => {
                if let ([Value::Int(a), Value::Int(b)], [Value::Int(c), Value::Int(d)]) =
                    (&repo[..], &own[..])
                {
                    self.ids(Kind::Repo, "[0]", (*a, *c))?;
                    return self.ids(Kind::Event, "[1]", (*b, *d));
                }
                self.values("", recorded, ours)
            }
            ("system.methodHelp", Value::String(recorded), Value::String(ours)) => {
                equal("", recorded.lines().next(), ours.lines().next())
            }
            ("showSession", Value::String(recorded), Value::String(ours)) => {
                equal("", &without_numbers(recorded), &without_numbers(ours))
            }
            ("_listapi", Value::Array(theirs), Value::Array(own)) => same_parameters(theirs, own),
            ("getTaskDescendents", Value::Struct(recorded), Value::Struct(ours)) => {
                self.trees(recorded, ours)
            }
            (method, ..) if is_loose(method, "") && same_kind(recorded, ours) => Ok(()),
            _ => self.values("", recorded, ours),
        }
    }

    fn ids(&mut self, kind: Kind, place: &str, (recorded, ours): (i64, i64)) -> Verdict {
        match self.book.pair(kind, recorded, ours) {
            true => Ok(()),
            false => {
                let known = self.book.ours(kind, recorded);
                Err(format!("{place}: {kind:?} {recorded} is {known}, not {ours}"))
            }
        }
    }

    /// Trees are keyed by ids: the rows of each level pair them.
    fn trees(&mut self, recorded: &Struct, ours: &Struct) -> Verdict {
        equal("length", recorded.len(), ours.len())?;
        let mut keys: Vec<(i64, &Value)> =
            recorded.iter().filter_map(|(key, rows)| Some((key.parse().ok()?, rows))).collect();
        keys.sort_by_key(|(key, _)| *key);
        for (key, rows) in keys {
            let own = self.book.ours(Kind::Task, key).to_string();
            let own = ours.member(&own).ok_or_else(|| format!("[{key}] is missing"))?;
            self.values(&format!("[{key}]"), &by_task(rows), &by_task(own))?;
        }
        Ok(())
    }

    /// Compares two values.
    pub(super) fn values(&mut self, place: &str, recorded: &Value, ours: &Value) -> Verdict {
        match (recorded, ours) {
            (Value::Array(theirs), Value::Array(own)) => {
                equal(&format!("{place} length"), theirs.len(), own.len())?;
                let is_unordered = self.method == "getTaskChildren";
                let (theirs, own) = match is_unordered {
                    true => (by_task(recorded), by_task(ours)),
                    false => (recorded.clone(), ours.clone()),
                };
                let pairs = theirs.as_array().into_iter().flatten().zip(own.as_array().into_iter().flatten());
                pairs.enumerate().try_for_each(|(at, (a, b))| self.values(&format!("{place}[{at}]"), a, b))
            }
            (Value::Struct(theirs), Value::Struct(own)) => self.structs(place, theirs, own),
            (Value::String(theirs), Value::String(own)) => self.texts(place, theirs, own),
            (Value::Double(theirs), Value::Double(own)) => equal(place, theirs, own),
            _ => equal(place, recorded, ours),
        }
    }

    fn structs(&mut self, place: &str, theirs: &Struct, own: &Struct) -> Verdict {
        let names = |row: &Struct| row.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        let kept =
            |names: Vec<String>| names.into_iter().filter(|name| name != "traceback").collect::<Vec<_>>();
        equal(&format!("{place} members"), kept(names(theirs)), kept(names(own)))?;
        let is_own = ["build_id", "id"].iter().any(|name| {
            let id = theirs.member(name).and_then(Value::as_int);
            kinds::of_member(name, theirs) == Some(Kind::Build)
                && id.is_some_and(|id| self.book.is_paired(Kind::Build, id))
        });
        for (name, value) in theirs.iter() {
            let Some(other) = own.member(name) else { continue };
            let here = format!("{place}.{name}");
            let is_free = is_time(name) || is_loose(&self.method, name) || (is_own && is_loose("own", name));
            match (kinds::of_member(name, theirs), value, other) {
                (Some(_), Value::Int(0), Value::Int(0)) => {}
                (Some(Kind::Event), a, b) if is_free => check(&here, same_kind(a, b), (a, b))?,
                (Some(Kind::Buildroot), a, b) if is_own => check(&here, same_kind(a, b), (a, b))?,
                (Some(kind), Value::Int(a), Value::Int(b)) => self.ids(kind, &here, (*a, *b))?,
                (None, Value::String(a), Value::String(b)) if matches!(name, "session-key" | "token") => {
                    check(&here, self.book.pair_texts(a, b), (value, other))?;
                }
                (_, a, b) if is_free => check(&here, same_kind(a, b), (a, b))?,
                (_, a, b) => self.values(&here, a, b)?,
            }
        }
        Ok(())
    }

    /// Compares two texts: XML by what it says, others by their letters, with numbers that may be paired ids.
    pub(super) fn texts(&mut self, place: &str, theirs: &str, own: &str) -> Verdict {
        if theirs == own {
            return Ok(());
        }
        if theirs.starts_with("<?xml") {
            let call = |text: &str| decode_call(text.as_bytes()).ok();
            let response = |text: &str| decode_response(text.as_bytes()).ok();
            return match (call(theirs), call(own)) {
                (Some(theirs), own) => equal(place, Some(theirs), own),
                _ => equal(place, response(theirs), response(own)),
            };
        }
        let (a, b) = (parts(theirs), parts(own));
        let is_same = a.len() == b.len()
            && a.iter().zip(&b).all(|(a, b)| a == b || self.book.may_be(a, b) || self.book.our_text(a) == *b);
        check(place, is_same, (&theirs.into(), &own.into()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "values made on the spot are compared, too")]
fn equal<T: PartialEq + std::fmt::Debug>(place: &str, recorded: T, ours: T) -> Verdict {
    if recorded == ours { Ok(()) } else { Err(format!("{place}: recorded {recorded:?}, ours {ours:?}")) }
}

fn check(place: &str, is_fine: bool, (recorded, ours): (&Value, &Value)) -> Verdict {
    if is_fine { Ok(()) } else { Err(format!("{place}: recorded {recorded:?}, ours {ours:?}")) }
}

fn same_kind(recorded: &Value, ours: &Value) -> bool {
    std::mem::discriminant(recorded) == std::mem::discriminant(ours)
}

fn is_time(name: &str) -> bool {
    name.ends_with("_time") || name.ends_with("_ts") || name == "ts"
}

/// Returns a text in runs of digits and of other letters.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts
}

fn without_numbers(text: &str) -> String {
    let mut shown = String::new();
    for piece in text.split("'key': '") {
        let piece =
            if shown.is_empty() { piece } else { piece.split_once('\'').map_or(piece, |(_, rest)| rest) };
        shown.push_str(
            &parts(piece)
                .into_iter()
                .filter(|part| !part.starts_with(|c: char| c.is_ascii_digit()))
                .collect::<String>(),
        );
    }
    // A time without a fraction has one number less.
    shown.replace(", ", ",").replace(",,", ",").replace(",,", ",")
}

fn same_parameters(theirs: &[Value], own: &[Value]) -> Verdict {
    for method in own {
        let same = theirs.iter().find(|other| other.member("name") == method.member("name"));
        if let Some(other) = same {
            equal(&format!("{:?}", method.member("name")), other.member("args"), method.member("args"))?;
        }
    }
    Ok(())
}

/// Sorts rows that the hub answers in no order of its own.
fn by_task(rows: &Value) -> Value {
    let mut rows = rows.as_array().unwrap_or_default().to_vec();
    let text =
        |row: &Value, name: &str| row.member(name).map(|value| format!("{value:?}")).unwrap_or_default();
    rows.sort_by_cached_key(|row| {
        ["method", "label", "arch", "name", "version", "release", "filename"].map(|name| text(row, name))
    });
    rows.into()
}
