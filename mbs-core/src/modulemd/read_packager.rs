//! Reads the data of `modulemd-packager` documents, version 3. Unknown keys are errors in them.

use std::collections::{BTreeMap, BTreeSet};

use super::check_stream::Places;
use super::cursor::{Cursor, shown};
use super::findings::{Findings, Remark};
use super::packager::{Configuration, PackagerV3};
use super::{check_stream, read_components, read_parts};
use crate::ident::{Name, Stream};

/// Longest context of a configuration.
const CONTEXT_LENGTH: usize = 10;

/// Most configurations of a document; each becomes a build.
const MOST_CONFIGURATIONS: usize = 100;

const KEYS: [&str; 13] = [
    "name",
    "stream",
    "summary",
    "description",
    "license",
    "xmd",
    "configurations",
    "references",
    "profiles",
    "api",
    "filter",
    "demodularized",
    "components",
];

/// The parts before which libmodulemd notices that a list of RPM names was no map.
const PARTS: [&str; 6] = ["license", "xmd", "configurations", "references", "profiles", "components"];

/// Reads and checks the value of `data`.
pub(super) fn packager(at: &Cursor<'_>, out: &mut Findings) -> PackagerV3 {
    let mut packager = PackagerV3::default();
    let last_part = at.last_of(&PARTS);
    at.fields(&KEYS, out, |key, at, out| match key {
        "name" => packager.name = at.filled_name::<Name>(out),
        "stream" => packager.stream = at.filled_name::<Stream>(out),
        "summary" => packager.summary = at.owned_text(out).unwrap_or_default(),
        "description" => packager.description = at.owned_text(out).unwrap_or_default(),
        "license" => packager.module_licenses = at.names(out).unwrap_or_default(),
        "xmd" => packager.xmd = read_parts::free_form(at, out),
        "configurations" => configurations(at, out, &mut packager.configurations),
        "references" => read_parts::references(at, out, &mut packager.references),
        "profiles" => read_parts::profiles(at, out, &mut packager.profiles),
        "api" => packager.api = read_parts::rpm_names(at, last_part, out),
        "filter" => packager.filter = read_parts::rpm_names(at, last_part, out),
        "demodularized" => packager.demodularized = read_parts::rpm_names(at, last_part, out),
        _ => read_components::components(at, out, &mut packager.rpms, &mut packager.modules),
    });
    at.require(&["summary", "description", "configurations"], out);
    let places = Places::of(at);
    check_stream::order(&packager.rpms, &places, out);
    let allowed = packager.configurations.iter().filter_map(|one| Some(&one.buildopts.as_ref()?.arches));
    for allowed in allowed.collect::<BTreeSet<_>>() {
        check_stream::arches(&packager.rpms, allowed, &places, out);
    }
    packager
}

fn configurations(at: &Cursor<'_>, out: &mut Findings, into: &mut Vec<Configuration>) {
    let mut contexts: BTreeSet<String> = into.iter().map(|one| one.context.clone()).collect();
    let mut are_too_many = false;
    at.items(out, |at, out| {
        if into.len() >= MOST_CONFIGURATIONS {
            if !are_too_many {
                at.error(out, format!("there are more than {MOST_CONFIGURATIONS} configurations"));
            }
            are_too_many = true;
            return;
        }
        let one = configuration(at, out);
        if !contexts.insert(one.context.clone()) {
            at.error(out, format!("the context {} is taken by another configuration", shown(&one.context)));
        }
        into.push(one);
    });
    if into.is_empty() {
        at.error(out, "must hold at least one configuration");
    }
}

fn configuration(at: &Cursor<'_>, out: &mut Findings) -> Configuration {
    let mut one = Configuration::default();
    let known = ["context", "platform", "buildrequires", "requires", "buildopts"];
    at.fields(&known, out, |key, at, out| match key {
        "context" => one.context = context(at, out),
        "platform" => {
            one.platform = at.owned_text(out).unwrap_or_default();
            at.want_name::<Stream>(&one.platform, out);
        }
        "buildrequires" => one.buildrequires = single_streams(at, out),
        "requires" => one.requires = single_streams(at, out),
        _ => one.buildopts = Some(read_parts::buildopts(at, out)),
    });
    at.require(&["context", "platform"], out);
    one
}

fn context(at: &Cursor<'_>, out: &mut Findings) -> String {
    let Some(text) = at.text(out) else { return String::new() };
    let is_valid =
        (1..=CONTEXT_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_valid {
        let remark = Remark::error(format!("{} is no context", shown(text)));
        at.note(out, remark.hint("use 1 to 10 of the characters a-z, A-Z and 0-9"));
    }
    text.to_owned()
}

fn single_streams(at: &Cursor<'_>, out: &mut Findings) -> BTreeMap<String, String> {
    let mut modules = BTreeMap::new();
    at.entries(out, |module, at, out| {
        let mut streams = at.names(out).unwrap_or_default().into_iter();
        match (streams.next(), streams.next()) {
            (Some(stream), None) => {
                at.want_name::<Name>(module, out);
                at.want_name::<Stream>(&stream, out);
                if modules.insert(module.to_owned(), stream).is_some() {
                    at.error(out, "the module was named before in this map");
                }
            }
            _ => {
                let remark = Remark::error("must name exactly one stream");
                at.note(out, remark.hint("add a configuration for each further stream"));
            }
        }
    });
    modules
}
