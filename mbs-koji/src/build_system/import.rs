//! Finished modules into Koji, as builds of their own, and final documents of those that are not imported.
//!
//! Everything may be done again after a crash anywhere: what is imported already is left alone, files go into a new folder each
//! time, and a hub that says "already exists" has what it needs. What an import consists of is decided in
//! [`content_generator`](crate::content_generator).

use std::collections::BTreeMap;

use mbs_core::artifacts::{BuiltRpm, Part, final_document};
use mbs_core::build_system::{BuildSystemError, FinishedModule, TagRequest};
use mbs_core::ident::{Arch, Nvr, Package, TagName};
use mbs_core::model::ModuleBuild;
use mbs_core::modulemd::{ModuleStream, Xmd};
use mbs_core::source_control::{Place, SourceError};
use mbs_core::submission::ScmUrl;

use super::calls::{Calls, Ticket};
use super::{KojiBuildSystem, refusal, submission};
use crate::api::build::{self, BuildState};
use crate::api::rpm::{self, Header, Rpm};
use crate::api::{cg, tag};
use crate::content_generator::{
    GENERATOR, Import, ImportTag, Sources, TaggedRpm, choose_import_tag, import, part_nvr, tags_to_look_for,
};
use crate::hub::HubError;

/// How the hub stands before an import.
struct Standing {
    /// The parts that are still to be imported.
    missing: Vec<Part>,
    /// Where imported builds go.
    tag: ImportTag,
    /// Whether Koji knows the owner.
    is_owner_known: bool,
}

impl KojiBuildSystem {
    /// Imports what is not imported yet, and puts all of it into its tag.
    pub(super) async fn import(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        let build = &*module.build;
        let standing = self.standing(build).await?;
        if !standing.missing.is_empty() {
            let (_, rpms) = self.tagged_rpms(build).await?;
            let source_document = self.source_document(build).await?;
            let sources = Sources {
                module,
                rpms: &rpms,
                source_document: source_document.as_deref().map(str::as_bytes),
                is_owner_known: standing.is_owner_known,
                settings: &self.settings.import,
            };
            for part in &standing.missing {
                let import = import(&sources, *part)
                    .map_err(|error| BuildSystemError::Rejected { reason: error.to_string() })?;
                self.send(build, &import).await?;
            }
        }
        match &standing.tag {
            ImportTag::Into(tag) => self.tag_imports(build, tag).await,
            ImportTag::Nowhere => Ok(()),
            lacking @ ImportTag::Lacking(_) => {
                tracing::warn!(module.id = build.id.0, module.nsvc = %build.nsvc(), "{lacking}");
                Ok(())
            }
        }
    }

    fn parts(&self) -> &'static [Part] {
        if self.settings.imports_devel_twin { &[Part::Module, Part::DevelTwin] } else { &[Part::Module] }
    }

    async fn standing(&self, build: &ModuleBuild) -> Result<Standing, BuildSystemError> {
        let mut calls = Calls::default();
        let mut ask = |part: &Part| {
            let nvr = part_nvr(build.nsvc(), *part);
            (*part, calls.add(build::build(&nvr)), nvr)
        };
        let parts: Vec<_> = self.parts().iter().map(&mut ask).collect();
        let wanted = tags_to_look_for(build.cg_tag.as_ref(), &self.settings.import_tag);
        let tags: Vec<_> = wanted.into_iter().map(|name| (name, calls.add(tag::tag(name)))).collect();
        let owner = calls.add(tag::user(&build.new.owner));
        let answers = self.read(&calls, &format!("what there is of {}", build.nsvc())).await?;
        let mut missing = Vec::new();
        for (part, ticket, nvr) in parts {
            let known = answers.read(ticket, format_args!("to show the build {nvr}"), build::read)?;
            if known.is_none_or(|build| build.state != BuildState::Complete) {
                missing.push(part);
            }
        }
        let mut existing = Vec::new();
        for (name, ticket) in tags {
            if answers.read(ticket, format_args!("to show the tag {name}"), tag::read)?.is_some() {
                existing.push(name);
            }
        }
        let exists = |name: &TagName| existing.contains(&name);
        Ok(Standing {
            missing,
            tag: choose_import_tag(build.cg_tag.as_ref(), &self.settings.import_tag, exists),
            is_owner_known: answers.read(
                owner,
                format_args!("to show the user {}", build.new.owner),
                |user| Ok(!user.is_nil()),
            )?,
        })
    }

    /// Returns the architectures of the destination tag, and its latest RPMs with what their headers say.
    async fn tagged_rpms(
        &self,
        build: &ModuleBuild,
    ) -> Result<(Vec<Arch>, Vec<TaggedRpm>), BuildSystemError> {
        let Some(name) = &build.koji_tag else { return Ok((Vec::new(), Vec::new())) };
        let doing = format!("to show the RPMs of the tag {name}");
        let mut calls = Calls::default();
        let (known, listed) = (calls.add(tag::tag(name)), calls.add(rpm::of_tag(name)));
        let answers = self.read(&calls, &doing).await?;
        let Some(tag) = answers.read(known, &doing, tag::read)? else {
            return Err(BuildSystemError::NotFound { what: format!("the tag {name}") });
        };
        let (rpms, builds) = answers.read(listed, &doing, rpm::read_tagged)?;
        let mut calls = Calls::default();
        let asked: Vec<(Rpm, Ticket)> = rpms
            .into_iter()
            .map(|rpm| {
                let ticket = calls.add(rpm::headers(rpm.id));
                (rpm, ticket)
            })
            .collect();
        if asked.is_empty() {
            return Ok((tag.arches, Vec::new()));
        }
        let answers = self.read(&calls, &doing).await?;
        let mut rpms = Vec::with_capacity(asked.len());
        for (rpm, ticket) in asked {
            let doing = format_args!("to show the header of {}", rpm.nevra);
            let header = answers.read(ticket, doing, rpm::read_headers)?;
            rpms.push((rpm, header));
        }
        Ok((tag.arches, described(&rpms, &builds)))
    }

    /// Returns the document as it stands in git at the recorded commit; `None` for a build without one, or where git has it no
    /// more.
    async fn source_document(&self, build: &ModuleBuild) -> Result<Option<String>, BuildSystemError> {
        let commit = build.document().xmd.at(&["mbs", "commit"]).and_then(Xmd::spelling);
        let commit = commit.filter(|commit| !commit.is_empty());
        let address = build.new.scmurl.as_deref().and_then(|text| text.parse::<ScmUrl>().ok());
        let (Some(commit), Some(address)) = (commit, address) else { return Ok(None) };
        let place = Place {
            path: format!("{}.yaml", address.name()),
            repository: address.repository,
            revision: commit.to_owned(),
            branch: None,
        };
        let fetched = self.sources.documents(std::slice::from_ref(&place)).await;
        match fetched.map(|mut answers| answers.pop()) {
            Ok(Some(Ok(document))) => Ok(Some(document.text)),
            Ok(Some(Err(error))) | Err(error) => without_document(build, &error),
            Ok(None) => Ok(None),
        }
    }

    async fn send(&self, build: &ModuleBuild, import: &Import) -> Result<(), BuildSystemError> {
        let nvr = &import.nvr;
        let directory = submission::new_folder("mbs", build.submitted_at, build.id);
        for file in &import.files {
            let uploaded = self.hub.upload(&directory, &file.name, &file.content).await;
            let doing = || format!("to take the file {} of {nvr}", file.name);
            uploaded.map_err(|error| refusal::of_request(error, doing()))?;
        }
        match self.hub.write(&cg::import(import.metadata.clone(), &directory)).await {
            Ok(_) => Ok(()),
            Err(HubError::Fault(fault)) if fault.text.contains(cg::EXISTS) => Ok(()),
            // Access is a matter of the generator, not of the session.
            Err(HubError::Fault(fault)) => {
                Err(refusal::of_fault(&fault, format_args!("to import {nvr} as {GENERATOR}")))
            }
            Err(error) => Err(refusal::of_request(error, format_args!("to import {nvr} as {GENERATOR}"))),
        }
    }

    /// Tags only what is in no such tag yet; a package that the tag does not list is listed first.
    async fn tag_imports(&self, build: &ModuleBuild, name: &TagName) -> Result<(), BuildSystemError> {
        let nvrs: Vec<Nvr> = self.parts().iter().map(|part| part_nvr(build.nsvc(), *part)).collect();
        let mut requests = Vec::new();
        for nvr in nvrs {
            let package = Package::new(nvr.name());
            let package =
                package.map_err(|error| BuildSystemError::Rejected { reason: error.to_string() })?;
            requests.push(TagRequest { tag: name.clone(), package, nvr });
        }
        let mut calls = Calls::default();
        let asked: Vec<_> = requests
            .iter()
            .map(|request| (&request.package, calls.add(tag::lists_package(name, &request.package))))
            .collect();
        let answers = self.read(&calls, &format!("what may be in the tag {name}")).await?;
        let mut calls = Calls::default();
        let mut added = Vec::new();
        for (package, ticket) in asked {
            let doing = format!("to add the package {package} to the list of the tag {name}");
            if !answers.read(ticket, &doing, tag::read_lists_package)? {
                let owner = self.user().await?.name;
                added.push((calls.add(tag::add_package(name, package, &owner)), doing));
            }
        }
        if !calls.is_empty() {
            let answers = self.write(&calls, &format!("to add packages to the tag {name}")).await?;
            for (ticket, doing) in added {
                answers.read(ticket, doing, |_| Ok(()))?;
            }
        }
        self.put_into_tags(&requests).await
    }

    /// Returns the finished document of each architecture of the destination tag.
    pub(super) async fn documents(
        &self,
        build: &ModuleBuild,
    ) -> Result<BTreeMap<Arch, ModuleStream>, BuildSystemError> {
        let (arches, rpms) = self.tagged_rpms(build).await?;
        let rpms: Vec<BuiltRpm> = rpms.into_iter().map(|rpm| rpm.built).collect();
        let document =
            |arch: &Arch| (arch.clone(), final_document(build.document(), arch, &rpms, Part::Module));
        Ok(arches.iter().map(document).collect())
    }
}

/// A repository that is gone does not keep a finished module from being imported.
fn without_document(build: &ModuleBuild, error: &SourceError) -> Result<Option<String>, BuildSystemError> {
    if error.is_transient() {
        let reason = format!("the module's document cannot be fetched: {error}");
        let effect = mbs_core::build_system::Effect::None;
        return Err(BuildSystemError::Unavailable { reason, retry_after: None, effect });
    }
    tracing::warn!(module.id = build.id.0, module.nsvc = %build.nsvc(), %error, "imported without its document from git");
    Ok(None)
}

/// Describes RPMs by their headers; where one may be is for its source RPM to say.
fn described(rpms: &[(Rpm, Header)], builds: &BTreeMap<i64, Nvr>) -> Vec<TaggedRpm> {
    let sources: BTreeMap<i64, &Header> = rpms
        .iter()
        .filter(|(rpm, _)| rpm.nevra.is_source())
        .map(|(rpm, header)| (rpm.build, header))
        .collect();
    let none = Header::default();
    let describe = |(rpm, header): &(Rpm, Header)| {
        let source = sources.get(&rpm.build).copied().unwrap_or(&none);
        let built = BuiltRpm {
            nevra: rpm.nevra.clone(),
            source: builds.get(&rpm.build)?.clone(),
            license: header.license.clone(),
            exclude_arch: source.exclude_arch.iter().cloned().collect(),
            exclusive_arch: source.exclusive_arch.iter().cloned().collect(),
        };
        let epoch = rpm.has_epoch.then_some(rpm.nevra.epoch);
        Some(TaggedRpm { built, epoch, sigmd5: rpm.sigmd5.clone() })
    };
    rpms.iter().filter_map(describe).collect()
}
