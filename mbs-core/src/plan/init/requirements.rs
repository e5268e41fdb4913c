//! What a stored document says of the modules it is built with: `xmd.mbs.buildrequires`.

use crate::ident::{Context, Name, Nsvc, Stream, TagName, Version};
use crate::modulemd::{ModuleStream, Xmd};
use crate::plan::Impossible;
use crate::policy::Policy;

/// One module of the resolved buildroot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) struct Requirement {
    pub(in crate::plan) nsvc: Nsvc,
    /// The tag with its RPMs; `None`: metadata only.
    pub(in crate::plan) tag: Option<TagName>,
}

/// Reads all of them, sorted by name.
pub(in crate::plan) fn requirements(document: &ModuleStream) -> Result<Vec<Requirement>, Impossible> {
    let stored = document.xmd.at(&["mbs", "buildrequires"]).map(Xmd::entries).unwrap_or_default();
    let all: Result<Vec<_>, _> = stored.iter().map(|(name, entry)| requirement(name, entry)).collect();
    let mut all = all?;
    all.sort_by(|a, b| a.nsvc.name.cmp(&b.nsvc.name));
    Ok(all)
}

fn requirement(name: &str, entry: &Xmd) -> Result<Requirement, Impossible> {
    let unreadable = |error: crate::ident::InvalidIdent| Impossible {
        what: format!("xmd.mbs.buildrequires.{name}: {error}"),
    };
    let field = |key: &str| entry.value(key).and_then(Xmd::spelling).unwrap_or_default();
    let nsvc = Nsvc {
        name: Name::new(name).map_err(unreadable)?,
        stream: Stream::new(field("stream")).map_err(unreadable)?,
        version: field("version").parse::<Version>().map_err(unreadable)?,
        context: Context::new(field("context")).map_err(unreadable)?,
    };
    let tag = match field("koji_tag") {
        "" => None,
        text => Some(TagName::new(text).map_err(unreadable)?),
    };
    Ok(Requirement { nsvc, tag })
}

/// Returns those that stand for the distribution, in the order of the configuration.
pub(in crate::plan) fn bases<'r>(all: &'r [Requirement], policy: &Policy) -> Vec<&'r Requirement> {
    let of = |name: &Name| all.iter().find(|requirement| requirement.nsvc.name == *name);
    policy.base_module_names.iter().filter_map(of).collect()
}
