//! The package module-build-macros: the macros every component is built with, and the RPMs that must stay out.
//!
//! It is written here as text; adapters make a source RPM of it. What a packager wrote (macros) goes into the separate
//! source file as it is, never into the spec; names in the spec are escaped so that RPM expands nothing in them.
//! Source: behaviour, section 6.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::ident::{Nevra, Nsvc, Nvr, ParsedNvr};
use crate::model::MACROS_PACKAGE;
use crate::modulemd::{ModuleStream, Xmd};
use crate::naming::is_release_char;
use crate::policy::Policy;

/// The file name of the spec.
pub const SPEC_FILE: &str = "module-build-macros.spec";

/// The file name of the only source, and of the only file installed, in `/etc/rpm`.
pub const MACROS_FILE: &str = "macros.zz-modules";

const VERSION: &str = "0.1";

/// The source of module-build-macros: what an adapter makes a source RPM of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacrosPackage {
    /// The spec file `module-build-macros.spec`.
    pub spec: String,
    /// The file `macros.zz-modules`, the package's only source.
    pub macros: String,
}

/// What the package is made of.
#[derive(Debug, Clone, Copy)]
pub struct MacrosInput<'a> {
    /// The module build.
    pub nsvc: &'a Nsvc,
    /// The dist tag, without a dot in front.
    pub dist_tag: &'a str,
    /// The stored document: its macros, and what `xmd.mbs` says of buildrequires and collisions.
    pub document: &'a ModuleStream,
    /// The RPMs of the builds that are reused, each by its own name; they must stay installable. They are of use only if
    /// the module buildrequires itself.
    pub reused: &'a BTreeSet<Nvr>,
    /// The rules that say what is a base module.
    pub policy: &'a Policy,
    /// The date of the changelog entry.
    pub today: Date,
}

impl MacrosPackage {
    /// Writes the package of a module build.
    pub fn write(input: &MacrosInput) -> Self {
        Self { spec: spec(input), macros: macros(input) }
    }

    /// Returns the NVR that the package has once built.
    pub fn nvr(dist_tag: &str) -> Nvr {
        Nvr::of(MACROS_PACKAGE, VERSION, &format!("1.{dist_tag}"))
    }
}

fn spec(input: &MacrosInput) -> String {
    let defines: String =
        definitions(input).iter().map(|(name, value)| format!("%define {name} {value}\n")).collect();
    let conflicts: String = conflict_groups(input).iter().map(ConflictGroup::lines).collect();
    let date = input.today.strftime("%a %b %d %Y");
    let nsvc = escaped(&input.nsvc.to_string());
    format!(
        "{defines}
Name: {MACROS_PACKAGE}
Version: {VERSION}
Release: 1%{{dist}}
Summary: RPM macros of one module build
License: MIT
BuildArch: noarch
Source0: {MACROS_FILE}
{conflicts}
%description
Macros that mark packages as part of a module. It is only of use while that
module is being built.

%prep

%build

%install
mkdir -p %{{buildroot}}/etc/rpm
install -p -m 0644 %{{SOURCE0}} %{{buildroot}}/etc/rpm/{MACROS_FILE}

%files
%attr(0644, root, root) /etc/rpm/{MACROS_FILE}

%changelog
* {date} Module Build Service - {VERSION}-1%{{dist}}
- Macros for building {nsvc}
"
    )
}

fn macros(input: &MacrosInput) -> String {
    let mut text: String =
        definitions(input).iter().map(|(name, value)| format!("%{name} {value}\n")).collect();
    text.push_str("%_module_build 1\n");
    if let Some(own) = &input.document.buildopts.macros {
        text.push_str("\n# From the module's own document.\n");
        text.push_str(own);
        if !own.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

/// The macros that hold in the spec as well as in the file, with values that expand to the very text.
fn definitions(input: &MacrosInput) -> [(&'static str, String); 6] {
    let Nsvc { name, stream, version, context } = input.nsvc;
    [
        ("dist", macro_value(&format!(".{}", input.dist_tag))),
        ("modularitylabel", macro_value(&input.nsvc.to_string())),
        ("_module_name", macro_value(name.as_str())),
        ("_module_stream", macro_value(stream.as_str())),
        ("_module_version", version.to_string()),
        ("_module_context", macro_value(context.as_str())),
    ]
}

/// Writes a text so that a macro of this value expands to it.
fn macro_value(text: &str) -> String {
    // A brace in front would be taken for the bracket around the whole value.
    let lead = if text.starts_with('{') { "%{nil}" } else { "" };
    format!("{lead}{}", escaped(text))
}

/// Writes a text so that RPM expands nothing in it and it stays on its line.
fn escaped(text: &str) -> String {
    text.replace('%', "%%").replace(char::is_control, " ")
}

/// RPMs that must stay out for one reason.
struct ConflictGroup {
    /// Where they come from, in words.
    origin: String,
    /// The RPMs, sorted.
    rpms: BTreeSet<ConflictingRpm>,
}

impl ConflictGroup {
    fn lines(&self) -> String {
        let lines = self.rpms.iter().map(|rpm| {
            format!(
                "Conflicts: {} = {}:{}-{}\n",
                rpm.nvr.name(),
                rpm.epoch,
                rpm.nvr.version(),
                rpm.nvr.release()
            )
        });
        format!("\n# {}\n{}", escaped(&self.origin), lines.collect::<String>())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ConflictingRpm {
    nvr: Nvr,
    epoch: u64,
}

impl ConflictingRpm {
    /// Reads `name-epoch:version-release`. `None` if no RPM can have such a name, so that nothing could conflict with it.
    fn read(text: &str) -> Option<Self> {
        let ParsedNvr { nvr, epoch } = text.parse().ok()?;
        let is_valid = |part: &str| part.chars().all(is_release_char);
        let is_rpm = nvr.name().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && [&*nvr.name().replace('-', ""), nvr.version(), nvr.release()].into_iter().all(is_valid);
        is_rpm.then(|| Self { nvr, epoch: epoch.unwrap_or(0) })
    }

    /// Reads an NEVRA and drops the architecture; `None` for source RPMs, too.
    fn read_nevra(text: &str) -> Option<Self> {
        let rpm: Nevra = text.parse().ok()?;
        if rpm.is_source() { None } else { Self::read(&text_without_arch(&rpm)) }
    }
}

/// Writes `name-epoch:version-release`.
pub(crate) fn text_without_arch(rpm: &Nevra) -> String {
    format!("{}-{}:{}-{}", rpm.name, rpm.epoch, rpm.version, rpm.release)
}

/// Gathers what must stay out; an RPM stands in the first group that names it, empty groups are left out.
fn conflict_groups(input: &MacrosInput) -> Vec<ConflictGroup> {
    let mbs = input.document.xmd.value("mbs");
    let entries = mbs.and_then(|mbs| mbs.value("buildrequires")).map(Xmd::entries).unwrap_or_default();
    let bases =
        entries.iter().filter(|(name, _)| input.policy.base_module_names.iter().any(|b| b.as_str() == name));
    let mut groups: Vec<ConflictGroup> = entries.iter().map(|entry| filtered_by(entry, input)).collect();
    groups.extend(bases.map(brought_by_base));
    groups.push(ConflictGroup {
        origin: "From base modules; buildrequired modules have RPMs of these names.".into(),
        rpms: listed(mbs, "ursine_rpms").filter_map(ConflictingRpm::read_nevra).collect(),
    });
    drop_doubles(&mut groups);
    groups
}

/// What one buildrequired module filters. Of an earlier build of the module itself, what is reused must not conflict.
fn filtered_by((name, entry): &(String, Xmd), input: &MacrosInput) -> ConflictGroup {
    let mut rpms: BTreeSet<_> =
        listed(Some(entry), "filtered_rpms").filter_map(ConflictingRpm::read).collect();
    if name == input.nsvc.name.as_str() {
        rpms.retain(|rpm| !input.reused.contains(&rpm.nvr));
    }
    ConflictGroup { origin: format!("Filtered from {}.", entry_nsvc(name, entry)), rpms }
}

fn brought_by_base((name, entry): &(String, Xmd)) -> ConflictGroup {
    ConflictGroup {
        origin: format!("From other streams of buildrequired modules, behind {}.", entry_nsvc(name, entry)),
        rpms: listed(Some(entry), "ursine_rpms").filter_map(ConflictingRpm::read).collect(),
    }
}

fn drop_doubles(groups: &mut Vec<ConflictGroup>) {
    let mut seen = BTreeSet::new();
    for group in groups.iter_mut() {
        group.rpms.retain(|rpm| seen.insert(rpm.clone()));
    }
    groups.retain(|group| !group.rpms.is_empty());
}

fn listed<'a>(node: Option<&'a Xmd>, key: &str) -> impl Iterator<Item = &'a str> {
    node.and_then(|node| node.value(key)).map(Xmd::texts).unwrap_or_default().into_iter()
}

/// Names a buildrequire as far as its entry says.
fn entry_nsvc(name: &str, entry: &Xmd) -> String {
    let parts = ["stream", "version", "context"].map(|key| entry.value(key).and_then(Xmd::spelling));
    std::iter::once(name).chain(parts.into_iter().flatten()).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests;
