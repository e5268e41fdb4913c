//! Documents that are to be entered: read, checked for what lookups will need, and made entries. PDC is not asked for this.

use std::fmt::Display;
use std::path::Path;

use mbs_core::ident::{Name, Nsvc, Stream, TagName, Version};
use mbs_core::modulemd::{
    Document, Limits, Located, ModuleStream, Place, Problem, Problems, Severity, Xmd, read_bytes,
};
use mbs_core::policy::Policy;
use mbs_pdc::api::{Face, NO_CONTEXT, NewEntry};
use mbs_pdc::updater::dependencies;

use crate::exit::Stop;
use crate::validate;

/// The profiles that a build environment is made of.
const PROFILES: [&str; 2] = ["buildroot", "srpm-buildroot"];

/// A document of a module that can be found, by what it says of itself.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The file's name, for messages.
    pub(super) file: String,
    text: String,
    /// Name, stream, version and context; [`NO_CONTEXT`] if it has none.
    pub(super) nsvc: Nsvc,
    stream: ModuleStream,
}

/// How documents become entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    /// The tag instead of the documents'.
    pub(super) koji_tag: Option<TagName>,
    /// The key instead of the usual one.
    pub(super) uid: Option<String>,
    /// Whether they may be required at once.
    pub(super) is_active: bool,
}

/// Reads a document, and returns it with what somebody should know of it.
///
/// # Errors
/// `Usage`: there is no such file, or it holds no document that can be found later, with line and column.
pub(super) fn read(path: &Path) -> Result<(Given, Vec<String>), Stop> {
    let limits = Limits::default();
    let bytes = validate::read(path, &limits)?;
    let file = path.display().to_string();
    let read = read_bytes(&bytes, Some(&file), &limits);
    if !read.is_fine() {
        return Err(Problems(read.problems).into());
    }
    let mut warnings: Vec<String> = read.problems.iter().map(|problem| format!("{problem:#}")).collect();
    let (place, stream) = only_stream(read.documents, &file)?;
    let nsvc = identity(&stream, place, &file)?;
    let text = String::from_utf8(bytes).expect("documents are read from UTF-8 only");
    let lacking = lacking(&stream, &Policy::default().base_module_names);
    warnings.extend(lacking.into_iter().map(|what| format!("{file}: {what}")));
    Ok((Given { file, text, nsvc, stream }, warnings))
}

fn only_stream(documents: Vec<Located>, file: &str) -> Result<(Place, ModuleStream), Stop> {
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next()) {
        (None, _) => Err(refused(file, Place { line: 1, column: 1 }, "", "there is no document")),
        (Some(_), Some(second)) => {
            Err(refused(file, second.place, "", "an entry has one document, this is a second one"))
        }
        (Some(Located { place, document: Document::Stream(stream), .. }), None) => Ok((place, *stream)),
        (Some(other), None) => {
            Err(refused(file, other.place, "", "the document must be of type modulemd, version 1 or 2"))
        }
    }
}

fn refused(file: &str, place: Place, path: &str, message: &str) -> Stop {
    let problem = Problem {
        place,
        document: 0,
        severity: Severity::Error,
        path: path.to_owned(),
        message: message.to_owned(),
        hint: None,
        file: Some(file.to_owned()),
    };
    Stop::Usage(problem.to_string())
}

/// Returns what the module will be found by.
fn identity(stream: &ModuleStream, place: Place, file: &str) -> Result<Nsvc, Stop> {
    let unfit = |path: &str, error: &dyn Display| refused(file, place, path, &error.to_string());
    let needed = |key: &str, text: &Option<String>| {
        let text = text.clone().filter(|text| !text.is_empty());
        text.ok_or_else(|| unfit(&format!("data.{key}"), &"it is missing, and the entry is found by it"))
    };
    let version = stream.version.filter(|version| *version > 0);
    let version = version.ok_or_else(|| {
        unfit("data.version", &"it is missing or 0; the newest is chosen by it: give a number above 0")
    })?;
    let context = stream.context.as_deref().filter(|context| !context.is_empty()).unwrap_or(NO_CONTEXT);
    Ok(Nsvc {
        name: Name::new(needed("name", &stream.name)?).map_err(|error| unfit("data.name", &error))?,
        stream: Stream::new(needed("stream", &stream.stream)?)
            .map_err(|error| unfit("data.stream", &error))?,
        version: Version(version),
        context: context.parse().map_err(|error| unfit("data.context", &error))?,
    })
}

/// Returns what the document lacks that the entry can do without, and the consequences.
fn lacking(stream: &ModuleStream, base_modules: &[Name]) -> Vec<String> {
    let mbs = |key| stream.xmd.at(&["mbs", key]);
    let mut lacking = Vec::new();
    if mbs("commit").and_then(Xmd::spelling).is_none_or(str::is_empty) {
        lacking.push("xmd.mbs.commit is missing: the original service cannot pin the module".to_owned());
    }
    if !matches!(mbs("buildrequires"), Some(Xmd::Map(_))) {
        lacking.push(
            "xmd.mbs.buildrequires is missing: the original service cannot find what is below the module; write {} if \
             there is nothing"
                .to_owned(),
        );
    }
    if is_base(stream, base_modules) {
        let is_empty = |name: &&str| stream.profiles.get(*name).is_none_or(|profile| profile.rpms.is_empty());
        for profile in PROFILES.iter().filter(|name| is_empty(name)) {
            lacking.push(format!(
                "the profile {profile} is missing or empty: modules built on this one get no packages from it"
            ));
        }
    }
    lacking
}

/// Says whether build environments begin with this module: it is a base module, or needs no other to be built.
fn is_base(stream: &ModuleStream, base_modules: &[Name]) -> bool {
    let is_itself = |name: &String| Some(name) == stream.name.as_ref();
    let needs_none = stream.dependencies.iter().all(|pair| pair.buildrequires.keys().all(is_itself));
    needs_none || base_modules.iter().any(|base| stream.name.as_deref() == Some(base.as_str()))
}

impl Given {
    /// Says whether the document names a context.
    pub(super) fn has_context(&self) -> bool {
        self.stream.context.as_deref().is_some_and(|context| !context.is_empty())
    }

    /// Returns the entry that it is to be through an endpoint.
    ///
    /// # Errors
    /// `Usage`: nothing says which tag holds its builds.
    pub(super) fn entry(&self, terms: &Terms, face: Face) -> Result<NewEntry, Stop> {
        let context = (self.has_context() || face == Face::Modules).then(|| self.nsvc.context.to_string());
        Ok(NewEntry {
            uid: terms.uid.clone().unwrap_or_else(|| self.usual_uid()),
            name: self.nsvc.name.to_string(),
            stream: self.nsvc.stream.to_string(),
            version: self.nsvc.version.to_string(),
            context,
            koji_tag: self.koji_tag(terms)?,
            modulemd: self.text.clone(),
            active: terms.is_active.then_some(true),
            runtime_deps: Some(dependencies(&self.stream, |pair| &pair.requires)),
            build_deps: Some(dependencies(&self.stream, |pair| &pair.buildrequires)),
            rpms: None,
        })
    }

    /// Returns the key in the spelling of its time: that of `modules`, or where there is no context that of the first entries.
    fn usual_uid(&self) -> String {
        let Nsvc { name, stream, version, .. } = &self.nsvc;
        if self.has_context() { self.nsvc.to_string() } else { format!("{name}-{stream}-{version}") }
    }

    fn koji_tag(&self, terms: &Terms) -> Result<String, Stop> {
        let own =
            self.stream.xmd.at(&["mbs", "koji_tag"]).and_then(Xmd::spelling).filter(|tag| !tag.is_empty());
        match (&terms.koji_tag, own) {
            (Some(tag), _) => Ok(tag.to_string()),
            (None, Some(own)) => match TagName::new(own) {
                Ok(tag) => Ok(tag.to_string()),
                Err(error) => Err(Stop::Usage(format!("{}: xmd.mbs.koji_tag: {error}", self.file))),
            },
            (None, None) => Err(Stop::Usage(format!(
                "{}: which Koji tag holds the module's builds? Say --koji-tag TAG, or write it into the document as \
                 xmd.mbs.koji_tag",
                self.file
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
