//! Reads the parts that several document types share: profiles, references, build options, dependencies.

use std::collections::{BTreeMap, BTreeSet};

use super::cursor::Cursor;
use super::findings::{Findings, Remark, UnknownKeys};
use super::problem::Place;
use super::stream::{BuildOpts, Dependencies, Profile, References};
use super::tree::{Kind, Node, Style};
use super::xmd::Xmd;
use crate::ident::{Name, Stream};

/// Reads profiles into those there already.
pub(super) fn profiles(at: &Cursor<'_>, out: &mut Findings, into: &mut BTreeMap<String, Profile>) {
    at.entries(out, |name, at, out| {
        into.insert(name.to_owned(), profile(at, out));
    });
}

fn profile(at: &Cursor<'_>, out: &mut Findings) -> Profile {
    let mut profile = Profile::default();
    at.fields(&["description", "rpms", "default"], out, |key, at, out| match key {
        "description" => profile.description = at.owned_text(out),
        "rpms" => profile.rpms = at.names(out).unwrap_or_default(),
        _ => profile.is_default = at.boolean(out).unwrap_or_default(),
    });
    profile
}

pub(super) fn references(at: &Cursor<'_>, out: &mut Findings, into: &mut References) {
    at.fields(&["community", "documentation", "tracker"], out, |key, at, out| match key {
        "community" => into.community = at.owned_text(out),
        "documentation" => into.documentation = at.owned_text(out),
        _ => into.tracker = at.owned_text(out),
    });
}

/// Reads `api`, `filter` or `demodularized`: a map with a list `rpms`.
///
/// libmodulemd is careless here: text instead of the map is refused only if one of the larger parts of the document
/// follows, and a list with anything but names in it counts as empty. `last_part` is where the last such part stands.
pub(super) fn rpm_names(at: &Cursor<'_>, last_part: Option<Place>, out: &mut Findings) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match &at.node().kind {
        Kind::Scalar(..) => {
            let wrong = "must be a map with a list 'rpms'";
            let is_last = last_part.is_none_or(|part| part < at.node().place);
            at.note(
                out,
                match is_last {
                    true => Remark::warning(format!("{wrong}; read as empty")),
                    false => Remark::error(wrong).hint("leave the key out if there is nothing to list"),
                },
            );
        }
        Kind::Seq(_) => {
            at.note(out, Remark::error("must be a map, not a list").hint("put the list under 'rpms'"));
        }
        Kind::Map(_) => at.fields(&["rpms"], out, |_, at, out| names = lenient_names(at, out)),
    }
    names
}

/// Reads a list of names; what libmodulemd lets pass in its place is empty.
fn lenient_names(at: &Cursor<'_>, out: &mut Findings) -> BTreeSet<String> {
    let is_strict = out.unknown_keys() == UnknownKeys::Refuse;
    let passes = match &at.node().kind {
        Kind::Scalar(..) => false,
        Kind::Seq(items) => items_pass(items, is_strict),
        Kind::Map(_) => map_passes(at.node(), is_strict),
    };
    if !passes {
        return at.names(out).unwrap_or_default();
    }
    at.note(out, Remark::warning("must be a list of names; read as empty"));
    BTreeSet::new()
}

/// Reads the licences of the packages. A map counts as empty, as in libmodulemd.
pub(super) fn content_licenses(at: &Cursor<'_>, out: &mut Findings) -> BTreeSet<String> {
    if !map_passes(at.node(), false) {
        return at.names(out).unwrap_or_default();
    }
    at.note(out, Remark::warning("must be a list of names; read as empty"));
    BTreeSet::new()
}

fn is_scalar(node: &Node) -> bool {
    matches!(node.kind, Kind::Scalar(..))
}

/// Says whether libmodulemd lets a map pass where a list belongs: it takes its keys for unknown keys of `data`.
fn map_passes(node: &Node, is_strict: bool) -> bool {
    let Kind::Map(entries) = &node.kind else { return false };
    entries.is_empty() || !is_strict && entries.iter().all(|(key, _)| is_scalar(key))
}

/// Says whether libmodulemd lets a list pass that holds other things than names; the first such thing decides.
fn items_pass(items: &[Node], is_strict: bool) -> bool {
    let Some(first) = items.iter().position(|item| !is_scalar(item)) else { return false };
    let rest = &items[first + 1..];
    match &items[first].kind {
        Kind::Seq(inner) => match inner.iter().find(|item| !is_scalar(item)) {
            Some(other) => map_passes(other, is_strict),
            None => rest.is_empty() || !is_strict && rest.iter().all(is_scalar),
        },
        Kind::Scalar(..) | Kind::Map(_) => map_passes(&items[first], is_strict),
    }
}

pub(super) fn buildopts(at: &Cursor<'_>, out: &mut Findings) -> BuildOpts {
    let mut opts = BuildOpts::default();
    at.fields(&["rpms", "arches"], out, |key, at, out| match key {
        "rpms" => at.fields(&["macros", "whitelist"], out, |key, at, out| match key {
            "macros" => opts.macros = at.owned_text(out),
            _ => opts.whitelist = at.names(out).unwrap_or_default(),
        }),
        _ => opts.arches = at.names(out).unwrap_or_default(),
    });
    opts
}

/// Reads one dependency pair of a version 2 document.
pub(super) fn dependency_pair(at: &Cursor<'_>, out: &mut Findings) -> Dependencies {
    let mut pair = Dependencies::default();
    at.fields(&["buildrequires", "requires"], out, |key, at, out| match key {
        "buildrequires" => pair.buildrequires = streams(at, out),
        _ => pair.requires = streams(at, out),
    });
    pair
}

fn streams(at: &Cursor<'_>, out: &mut Findings) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::new();
    at.entries(out, |module, at, out| {
        let names = at.names(out).unwrap_or_default();
        at.want_name::<Name>(module, out);
        for stream in &names {
            at.want_name::<Stream>(stream.strip_prefix('-').unwrap_or(stream), out);
        }
        let excluded = names.iter().filter(|stream| stream.starts_with('-')).count();
        if excluded > 0 && excluded < names.len() {
            let remark = Remark::error("mixes streams to take with streams to leave out");
            at.note(out, remark.hint("put '-' in front of each stream, or of none"));
        }
        if modules.insert(module.to_owned(), names).is_some() {
            at.error(out, "the module was named before in this map");
        }
    });
    modules
}

/// Reads the dependencies of a version 1 document: one stream for each module.
pub(super) fn single_streams(at: &Cursor<'_>, out: &mut Findings) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::new();
    at.entries(out, |module, at, out| {
        if let Some(stream) = at.owned_text(out) {
            at.want_name::<Name>(module, out);
            at.want_name::<Stream>(stream.strip_prefix('-').unwrap_or(&stream), out);
            modules.insert(module.to_owned(), BTreeSet::from([stream]));
        }
    });
    modules
}

/// Reads the free-form block: a map, or one text.
pub(super) fn free_form(at: &Cursor<'_>, out: &mut Findings) -> Xmd {
    if let Kind::Seq(_) = at.node().kind {
        at.error(out, "must be a map, not a list");
        return Xmd::default();
    }
    any(at, out)
}

fn any(at: &Cursor<'_>, out: &mut Findings) -> Xmd {
    match &at.node().kind {
        Kind::Scalar(text, Style::Plain | Style::Quoted) => Xmd::from_scalar(text),
        Kind::Seq(_) => {
            let mut items = Vec::new();
            at.items(out, |at, out| items.push(any(at, out)));
            Xmd::Seq(items)
        }
        Kind::Map(_) => {
            let mut values: BTreeMap<String, (usize, Xmd)> = BTreeMap::new();
            at.entries(out, |key, at, out| {
                let place = values.get(key).map_or(values.len(), |(place, _)| *place);
                values.insert(key.to_owned(), (place, any(at, out)));
            });
            let mut entries: Vec<_> = values.into_iter().collect();
            entries.sort_by_key(|(_, (place, _))| *place);
            Xmd::Map(entries.into_iter().map(|(key, (_, value))| (key, value)).collect())
        }
    }
}
