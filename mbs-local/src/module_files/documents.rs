//! From documents to builds that can be required, and the base modules that these mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use mbs_core::ident::{Context, InvalidIdent, Name, NameStream, Nsvc, Stream, TagName, Version};
use mbs_core::modulemd::{Document, Limits, ModuleStream, Place, Profile, Xmd, read_bytes};
use mbs_core::resolver::KnownModule;

use super::problems::Problems;

/// The context of what says none, and of base modules.
const NO_CONTEXT: &str = "00000000";

/// The builds that files hold, each with where it was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    builds: BTreeMap<Nsvc, (KnownModule, String)>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.builds.is_empty()
    }

    /// Takes in the stream documents of a file; what cannot be taken in is reported.
    pub(super) fn take(&mut self, bytes: &[u8], file: &Path, limits: &Limits, problems: &mut Problems) {
        let file = file.display().to_string();
        let read = read_bytes(bytes, Some(&file), limits);
        read.problems.iter().filter(|one| one.is_error()).for_each(|one| problems.add(one.to_string()));
        for located in read.documents {
            if let Document::Stream(document) = located.document {
                let Place { line, column } = located.place;
                self.add(*document, format!("{file}:{line}:{column}"), problems);
            }
        }
    }

    fn add(&mut self, document: ModuleStream, place: String, problems: &mut Problems) {
        let nsvc = match identity(&document) {
            Ok(nsvc) => nsvc,
            Err(what) => return problems.add(format!("{place}: {what}")),
        };
        let tag = tag(&document).unwrap_or_else(|error| {
            problems.add(format!("{place}: {error}"));
            None
        });
        let build = known(nsvc.clone(), tag, document);
        match self.builds.get(&nsvc) {
            Some((same, _)) if *same == build => {}
            Some((_, earlier)) => {
                problems.add(format!("{place}: {nsvc} is in {earlier} already, and differs; that counts"));
            }
            None => {
                self.builds.insert(nsvc, (build, place));
            }
        }
    }

    /// Returns the builds, by identity, with a base module for each stream that is required of one and that none of them
    /// provides.
    pub(super) fn into_builds(self, base_module_names: &[Name]) -> Vec<KnownModule> {
        let mut builds: Vec<KnownModule> = self.builds.into_values().map(|(build, _)| build).collect();
        let provided: BTreeSet<NameStream> = builds
            .iter()
            .filter(|build| base_module_names.contains(&build.nsvc.name))
            .flat_map(provided)
            .collect();
        let required: BTreeSet<NameStream> =
            builds.iter().flat_map(|build| required_bases(build, base_module_names)).collect();
        builds.extend(required.difference(&provided).map(base_module));
        builds.sort_by(|a, b| a.nsvc.cmp(&b.nsvc));
        builds
    }
}

/// Returns what a document says it is; a missing version is 0.
fn identity(document: &ModuleStream) -> Result<Nsvc, String> {
    let said = |part: &Option<String>, what| part.clone().ok_or(format!("the module has no {what}"));
    let invalid = |error: InvalidIdent| error.to_string();
    Ok(Nsvc {
        name: Name::new(said(&document.name, "name")?).map_err(invalid)?,
        stream: Stream::new(said(&document.stream, "stream")?).map_err(invalid)?,
        version: Version(document.version.unwrap_or(0)),
        context: Context::new(document.context.as_deref().unwrap_or(NO_CONTEXT)).map_err(invalid)?,
    })
}

fn tag(document: &ModuleStream) -> Result<Option<TagName>, InvalidIdent> {
    document.xmd.at(&["mbs", "koji_tag"]).and_then(Xmd::spelling).map(TagName::new).transpose()
}

/// Makes a build of a document, which then says what it is in full.
fn known(nsvc: Nsvc, tag: Option<TagName>, mut document: ModuleStream) -> KnownModule {
    document.version = Some(nsvc.version.0);
    document.context = Some(nsvc.context.to_string());
    KnownModule { nsvc, tag, document: Arc::new(document), is_ready: true }
}

/// Returns the stream and the virtual streams of a base module.
fn provided(base: &KnownModule) -> Vec<NameStream> {
    let virtual_streams = base.virtual_streams();
    let all = virtual_streams.into_iter().filter_map(|stream| Stream::new(stream).ok());
    let name = &base.nsvc.name;
    all.chain([base.nsvc.stream.clone()]).map(|stream| NameStream { name: name.clone(), stream }).collect()
}

/// Returns the streams of base modules that a build names as what it runs on.
fn required_bases(build: &KnownModule, base_module_names: &[Name]) -> BTreeSet<NameStream> {
    let mut required = BTreeSet::new();
    for pair in &build.document.dependencies {
        for name in base_module_names {
            let written = pair.requires.get(name.as_str()).into_iter().flatten();
            let positive = written.filter(|stream| !stream.starts_with('-'));
            let valid = positive.filter_map(|stream| Stream::new(stream.as_str()).ok());
            required.extend(valid.map(|stream| NameStream { name: name.clone(), stream }));
        }
    }
    required
}

/// Makes a base module that nobody described: it brings nothing but its name.
fn base_module(base: &NameStream) -> KnownModule {
    let is_markable = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    let marking: String = base.stream.as_str().chars().filter(is_markable).collect();
    let mut mbs = Xmd::default();
    mbs.set("mse", Xmd::Bool(true));
    mbs.set("buildrequires", Xmd::default());
    mbs.set("disttag_marking", Xmd::Text(marking));
    let mut xmd = Xmd::default();
    xmd.set("mbs", mbs);
    let empty = |name: &str| (name.to_owned(), Profile::default());
    let document = ModuleStream {
        name: Some(base.name.to_string()),
        stream: Some(base.stream.to_string()),
        summary: "A base module".to_owned(),
        description: "Modules require it; no document describes it.".to_owned(),
        module_licenses: ["MIT".to_owned()].into(),
        profiles: [empty("buildroot"), empty("srpm-buildroot")].into(),
        xmd,
        ..ModuleStream::default()
    };
    let context = Context::new(NO_CONTEXT).expect("the built-in context is valid");
    let nsvc = Nsvc { name: base.name.clone(), stream: base.stream.clone(), version: Version(1), context };
    known(nsvc, None, document)
}
