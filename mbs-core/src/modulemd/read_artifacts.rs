//! Reads what a finished module contains: NEVRAs, and the map from digests to them.

use std::collections::BTreeMap;

use super::cursor::{Cursor, shown};
use super::findings::{Findings, Remark};
use super::read_stream::Form;
use super::stream::{ModuleStream, RpmMapEntry};
use super::tree::Kind;

/// Reads `artifacts` into a stream.
pub(super) fn artifacts(at: &Cursor<'_>, form: Form, out: &mut Findings, stream: &mut ModuleStream) {
    let known: &[&str] = match form {
        Form::One => &["rpms"],
        Form::Two => &["rpms", "rpm-map"],
    };
    if form == Form::One {
        at.require(&["rpms"], out);
    }
    at.fields(known, out, |key, at, out| match key {
        "rpms" => {
            stream.artifacts = at.names(out).unwrap_or_default();
            check_nevras(at, out);
        }
        _ => at.entries(out, |digest, at, out| {
            let entries = stream.rpm_map.entry(digest.to_owned()).or_default();
            rpm_map(at, out, entries);
        }),
    });
}

fn check_nevras(at: &Cursor<'_>, out: &mut Findings) {
    let check = |at: &Cursor<'_>, out: &mut Findings| {
        if let Kind::Scalar(text, _) = &at.node().kind
            && !is_nevra(text)
        {
            let remark = Remark::error(format!("{} is no NEVRA", shown(text)));
            at.note(out, remark.hint("write name-epoch:version-release.arch; the epoch must be there"));
        }
    };
    match at.node().kind {
        Kind::Seq(_) => at.items(out, check),
        Kind::Scalar(..) | Kind::Map(_) => check(at, out),
    }
}

/// Says whether a text has all parts of a NEVRA. They may be empty but for the epoch, which begins with a digit.
///
/// Source: libmodulemd, `modulemd_validate_nevra`.
fn is_nevra(text: &str) -> bool {
    let parts = || {
        let (nevr, _arch) = text.rsplit_once('.')?;
        let (nev, _release) = nevr.rsplit_once('-')?;
        let (ne, version) = nev.rsplit_once(':')?;
        let (_name, epoch) = ne.rsplit_once('-')?;
        Some(epoch.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('-'))
    };
    parts().unwrap_or(false)
}

fn rpm_map(at: &Cursor<'_>, out: &mut Findings, into: &mut BTreeMap<String, RpmMapEntry>) {
    at.entries(out, |checksum, at, out| {
        into.insert(checksum.to_owned(), entry(at, out));
    });
}

const ENTRY_KEYS: [&str; 6] = ["name", "epoch", "version", "release", "arch", "nevra"];

fn entry(at: &Cursor<'_>, out: &mut Findings) -> RpmMapEntry {
    let mut entry = RpmMapEntry::default();
    at.fields(&ENTRY_KEYS, out, |key, at, out| match key {
        "name" => entry.name = at.owned_text(out).unwrap_or_default(),
        "epoch" => entry.epoch = epoch(at, out),
        "version" => entry.version = at.owned_text(out).unwrap_or_default(),
        "release" => entry.release = at.owned_text(out).unwrap_or_default(),
        "arch" => entry.arch = at.owned_text(out).unwrap_or_default(),
        _ => entry.nevra = at.owned_text(out).unwrap_or_default(),
    });
    at.require(&ENTRY_KEYS, out);
    let is_whole = ENTRY_KEYS.iter().all(|key| at.first(key).is_some());
    let RpmMapEntry { name, epoch, version, release, arch, nevra } = &entry;
    let made = format!("{name}-{epoch}:{version}-{release}.{arch}");
    if is_whole && made != *nevra {
        at.error(out, format!("'nevra' is {}, but the parts make {}", shown(nevra), shown(&made)));
    }
    entry
}

fn epoch(at: &Cursor<'_>, out: &mut Findings) -> u32 {
    let Some(number) = at.unsigned(out) else { return 0 };
    u32::try_from(number).unwrap_or_else(|_| {
        at.error(out, format!("the epoch {number} is more than 32 bits hold"));
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nevra_needs_an_epoch() {
        for text in ["bar-0:1.23-1.x86_64", "x-y-0:1-1.b.a", "x-0:-.", "-0:1-1.a", "x-1 :1-1.a"] {
            assert!(is_nevra(text), "{text}");
        }
        for text in
            ["", "x", "x-1-1.a", "x-a:1-1.a", "x-:1-1.a", "x-0:1-1", "x-+1:1-1.a", "0:1-1.a", "x-0:1-1-1.a"]
        {
            assert!(!is_nevra(text), "{text}");
        }
    }
}
