//! Reads the components of a stream: packages and included modules.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::cursor::Cursor;
use super::findings::{Findings, Remark};
use super::stream::{ModuleComponent, RpmComponent, given};
use crate::ident::{InvalidIdent, Name, Package};

const RPM_KEYS: [&str; 12] = [
    "rationale",
    "name",
    "repository",
    "cache",
    "ref",
    "buildafter",
    "buildonly",
    "buildroot",
    "srpm-buildroot",
    "buildorder",
    "arches",
    "multilib",
];

const MODULE_KEYS: [&str; 7] =
    ["rationale", "name", "repository", "ref", "buildafter", "buildonly", "buildorder"];

/// Reads `components` into those there already.
pub(super) fn components(
    at: &Cursor<'_>,
    out: &mut Findings,
    rpms: &mut BTreeMap<String, RpmComponent>,
    modules: &mut BTreeMap<String, ModuleComponent>,
) {
    at.fields(&["rpms", "modules"], out, |key, at, out| match key {
        "rpms" => at.entries(out, |key, at, out| {
            at.want_name::<Package>(key, out);
            rpms.insert(key.to_owned(), rpm(at, out));
        }),
        _ => at.entries(out, |key, at, out| {
            let read = module(at, out);
            if given(read.name.as_ref()).is_none() {
                at.want_name::<Name>(key, out);
            }
            modules.insert(key.to_owned(), read);
        }),
    });
}

fn rpm(at: &Cursor<'_>, out: &mut Findings) -> RpmComponent {
    let mut rpm = RpmComponent::default();
    at.fields(&RPM_KEYS, out, |key, at, out| match key {
        "rationale" => rpm.rationale = at.owned_text(out).unwrap_or_default(),
        "name" => rpm.name = name::<Package>(at, out),
        "repository" => rpm.repository = at.owned_text(out),
        "cache" => rpm.cache = at.owned_text(out),
        "ref" => rpm.git_ref = at.owned_text(out),
        "buildafter" => rpm.buildafter = at.names(out).unwrap_or_default(),
        "buildonly" => rpm.buildonly = at.boolean(out).unwrap_or_default(),
        "buildroot" => rpm.buildroot = at.boolean(out).unwrap_or_default(),
        "srpm-buildroot" => rpm.srpm_buildroot = at.boolean(out).unwrap_or_default(),
        "buildorder" => rpm.buildorder = at.signed(out).unwrap_or_default(),
        "arches" => rpm.arches = at.names(out).unwrap_or_default().into(),
        _ => rpm.multilib = at.names(out).unwrap_or_default(),
    });
    want_rationale(at, out);
    rpm
}

fn module(at: &Cursor<'_>, out: &mut Findings) -> ModuleComponent {
    let mut module = ModuleComponent::default();
    at.fields(&MODULE_KEYS, out, |key, at, out| match key {
        "rationale" => module.rationale = at.owned_text(out).unwrap_or_default(),
        "name" => module.name = name::<Name>(at, out),
        "repository" => module.repository = at.owned_text(out),
        "ref" => module.git_ref = at.owned_text(out),
        "buildafter" => module.buildafter = at.names(out).unwrap_or_default(),
        "buildonly" => module.buildonly = at.boolean(out).unwrap_or_default(),
        _ => module.buildorder = at.signed(out).unwrap_or_default(),
    });
    want_rationale(at, out);
    module
}

/// Reads a name beside the key; a blank one counts as none.
fn name<I: FromStr<Err = InvalidIdent>>(at: &Cursor<'_>, out: &mut Findings) -> Option<String> {
    let name = at.owned_text(out);
    if let Some(name) = given(name.as_ref()) {
        at.want_name::<I>(name, out);
    }
    name
}

/// The specification demands a rationale, but libmodulemd takes components without one.
fn want_rationale(at: &Cursor<'_>, out: &mut Findings) {
    if at.first("rationale").is_none() {
        let remark = Remark::warning("the key 'rationale' is missing");
        at.note(out, remark.hint("say why the component is part of the module"));
    }
}
