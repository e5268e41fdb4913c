//! Taking in a module that was built elsewhere: what its document must say. Pure. Source: rest-api, section 8.

use super::Refused;
use crate::ident::{CommitId, Context, Name, Nsvc, Stream, TagName, Version};
use crate::modulemd::{ModuleStream, Xmd};
use crate::policy::Policy;

/// The context of a module whose document names none.
const NO_CONTEXT: &str = "00000000";

/// A module that can be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importable {
    /// Its identity.
    pub nsvc: Nsvc,
    /// Its document, completed.
    pub document: ModuleStream,
    /// The tag with its RPMs; `None`: metadata only.
    pub koji_tag: Option<TagName>,
}

impl Importable {
    /// Checks the document of a module, and adds what every later submission needs of it; `commit` is where it was read.
    ///
    /// # Errors
    /// `NotImportable`, `Ident`: its author has to change it.
    pub fn of(mut document: ModuleStream, commit: &CommitId, policy: &Policy) -> Result<Self, Refused> {
        let nsvc = identity(&document)?;
        check_base(&document, &nsvc, policy)?;
        check_virtual_streams(&document)?;
        check_dependencies(&document)?;
        let tag = document.xmd.at(&["mbs", "koji_tag"]).and_then(Xmd::spelling).filter(|tag| !tag.is_empty());
        let koji_tag = tag.map(TagName::new).transpose()?;
        complete(&mut document, &nsvc, commit);
        Ok(Self { nsvc, document, koji_tag })
    }
}

fn identity(document: &ModuleStream) -> Result<Nsvc, Refused> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (Some(name), Some(stream)) = (given(&document.name), given(&document.stream)) else {
        return Err(Refused::NotImportable(
            "Both the name and stream must be set for the modulemd being imported.",
        ));
    };
    Ok(Nsvc {
        name: Name::new(name)?,
        stream: Stream::new(stream)?,
        version: Version(document.version.unwrap_or_default()),
        context: Context::new(given(&document.context).unwrap_or_else(|| NO_CONTEXT.to_owned()))?,
    })
}

/// The stream of a base module becomes part of releases, unless something is to stand there instead.
fn check_base(document: &ModuleStream, nsvc: &Nsvc, policy: &Policy) -> Result<(), Refused> {
    if !policy.is_base(&nsvc.name) {
        return Ok(());
    }
    match document.xmd.at(&["mbs", "disttag_marking"]).and_then(Xmd::spelling).filter(|text| !text.is_empty())
    {
        Some(marking) if marking.contains('-') => {
            Err(Refused::NotImportable("The disttag_marking cannot contain a dash"))
        }
        None if nsvc.stream.as_str().contains('-') => {
            Err(Refused::NotImportable("The stream cannot contain a dash unless disttag_marking is set"))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_virtual_streams(document: &ModuleStream) -> Result<(), Refused> {
    let is_list = match document.xmd.at(&["mbs", "virtual_streams"]) {
        Some(Xmd::Seq(streams)) => streams.iter().all(|stream| matches!(stream, Xmd::Text(_))),
        Some(Xmd::Text(text)) => text.is_empty() || text == "null",
        Some(Xmd::Map(_) | Xmd::Bool(_)) => false,
        None => true,
    };
    if is_list {
        Ok(())
    } else {
        Err(Refused::NotImportable("The virtual streams must be a list of strings"))
    }
}

fn check_dependencies(document: &ModuleStream) -> Result<(), Refused> {
    if document.dependencies.len() > 1 {
        return Err(Refused::NotImportable(
            "The imported module's dependencies list should contain just one element",
        ));
    }
    let is_known = |module: &String| document.xmd.at(&["mbs", "buildrequires", module]).is_some();
    if document.dependencies.iter().flat_map(|pair| pair.buildrequires.keys()).all(is_known) {
        return Ok(());
    }
    Err(Refused::NotImportable(
        "The imported module buildrequires other modules, but the metadata in the xmd[\"mbs\"][\"buildrequires\"] \
         dictionary is missing entries",
    ))
}

/// Fills in identity and `xmd.mbs`: modules without a commit could not be buildrequired.
fn complete(document: &mut ModuleStream, nsvc: &Nsvc, commit: &CommitId) {
    document.version = Some(nsvc.version.0);
    document.context = Some(nsvc.context.to_string());
    let mut mbs = document.xmd.value("mbs").cloned().unwrap_or_else(|| Xmd::Map(Vec::new()));
    let lacks = |mbs: &Xmd, key: &str| mbs.value(key).is_none();
    if lacks(&mbs, "mse") {
        mbs.set("mse", Xmd::Bool(true));
    }
    if !matches!(mbs.value("buildrequires"), Some(Xmd::Map(_))) {
        mbs.set("buildrequires", Xmd::Map(Vec::new()));
    }
    if mbs.value("commit").and_then(Xmd::spelling).is_none_or(str::is_empty) {
        mbs.set("commit", Xmd::Text(commit.to_string()));
    }
    document.xmd.set("mbs", mbs);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::samples::id;
    use crate::modulemd::{Limits, read_submission};

    fn importable(name: &str, more: &str) -> Result<Importable, String> {
        let text = format!(
            "document: modulemd\nversion: 2\ndata:\n  summary: s\n  description: d\n  license: {{module: [MIT]}}\n{name}{more}"
        );
        let (read, _) = read_submission(&text, None, &Limits::of_submission()).unwrap();
        let document = read.into_streams().remove(0);
        let commit = CommitId::new("0123456789012345678901234567890123456789").unwrap();
        Importable::of(document, &commit, &Policy::default()).map_err(|refused| refused.to_string())
    }

    fn platform(more: &str) -> Result<Importable, String> {
        importable("  name: platform\n  stream: f40\n", more)
    }

    #[test]
    fn a_bare_base_module_is_completed() {
        let taken = platform("").unwrap();
        assert_eq!(taken.nsvc, id("platform:f40:0:00000000"));
        let mbs = |key| taken.document.xmd.at(&["mbs", key]);
        assert!(mbs("mse").is_some_and(Xmd::is_true));
        assert_eq!(mbs("buildrequires"), Some(&Xmd::Map(Vec::new())));
        assert_eq!(mbs("commit").and_then(Xmd::spelling), Some("0123456789012345678901234567890123456789"));
        assert_eq!(taken.koji_tag, None);
    }

    #[test]
    fn what_the_document_says_stays() {
        let taken = platform(
            "  version: 3\n  context: abc\n  xmd: {mbs: {koji_tag: f40-build, commit: virtual, mse: FALSE}}\n",
        );
        let taken = taken.unwrap();
        assert_eq!((taken.nsvc, taken.koji_tag), (id("platform:f40:3:abc"), Some(id("f40-build"))));
        assert_eq!(taken.document.xmd.at(&["mbs", "commit"]).and_then(Xmd::spelling), Some("virtual"));
        assert_eq!(taken.document.xmd.at(&["mbs", "mse"]), Some(&Xmd::Bool(false)));
    }

    #[test]
    fn what_would_break_later_submissions_is_refused() {
        let told = |name: &str, more: &str| importable(name, more).unwrap_err();
        let dashed = "  name: platform\n  stream: f-40\n";
        assert!(told("  name: a\n", "").starts_with("Both the name and stream"));
        assert!(told(dashed, "").starts_with("The stream cannot contain a dash"));
        assert!(importable(dashed, "  xmd: {mbs: {disttag_marking: f40}}\n").is_ok());
        assert!(told(dashed, "  xmd: {mbs: {disttag_marking: f-40}}\n").starts_with("The disttag_marking"));
        for streams in ["el8", "{a: b}", "[[a]]", "[{a: b}]"] {
            let more = format!("  xmd: {{mbs: {{virtual_streams: {streams}}}}}\n");
            assert_eq!(
                platform(&more).unwrap_err(),
                "The virtual streams must be a list of strings",
                "{streams}"
            );
        }
        assert!(platform("  xmd: {mbs: {virtual_streams: [el8, 9]}}\n").is_ok());
        let one = "  dependencies: [{buildrequires: {gtk: ['1']}}]\n";
        assert!(platform(one).unwrap_err().contains("is missing entries"));
        assert!(
            platform(&format!("{one}  xmd: {{mbs: {{buildrequires: {{gtk: {{stream: '1'}}}}}}}}\n")).is_ok()
        );
        let two = "  dependencies: [{requires: {gtk: ['1']}}, {requires: {gtk: ['2']}}]\n";
        assert!(platform(two).unwrap_err().contains("just one element"));
    }
}
