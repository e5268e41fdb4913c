//! The finished module: its repository with `modules.yaml`, its logs, in the results directory.
//!
//! Which RPMs belong to it is decided in the core; filtered ones are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mbs_core::artifacts::{self, BuiltRpm, Part};
use mbs_core::build_system::FinishedModule;
use mbs_core::ident::{Nevra, Nsvc, Nvr};
use mbs_core::model::ModuleBuild;
use mbs_core::modulemd::ModuleStream;

use super::shared::Shared;
use crate::error::{AtPath as _, LocalError};
use crate::files::{ensure_directory, link_or_copy, write_atomically};
use crate::headers::RpmHeader;

/// The file that says which build a results directory belongs to.
const OWNER: &str = "nsvc";

/// Where the results of a module go: a directory without its context, unless that belongs to another context.
pub(super) fn results_directory(results: &Path, nsvc: &Nsvc) -> PathBuf {
    let plain = results.join(format!("module-{}-{}-{}", nsvc.name, nsvc.stream, nsvc.version));
    match fs::read_to_string(plain.join(OWNER)) {
        Ok(owner) if owner.trim() != nsvc.to_string() => {
            let name = format!("module-{}-{}-{}-{}", nsvc.name, nsvc.stream, nsvc.version, nsvc.context);
            results.join(name)
        }
        _ => plain,
    }
}

/// Writes the results of a module; doing it again writes the same.
pub(super) async fn publish(shared: &Shared, module: &FinishedModule) -> Result<(), LocalError> {
    let build = &module.build;
    let (document, rpms) = final_document(shared, build)?;
    let directory = results_directory(&shared.settings.results, build.nsvc());
    ensure_directory(&directory)?;
    write_atomically(&directory.join(OWNER), format!("{}\n", build.nsvc()).as_bytes())?;
    let repository = directory.join("results");
    shared.repositories.publish(&repository, &rpms, &document.to_yaml()).await?;
    keep_logs(shared, build, &repository)?;
    let mut log = module.log.join("\n");
    log.push('\n');
    write_atomically(&directory.join("build.log"), log.as_bytes())
}

/// The module's document for this architecture, and the files of its RPMs, sorted by name.
pub(super) fn final_document(
    shared: &Shared,
    build: &ModuleBuild,
) -> Result<(ModuleStream, Vec<PathBuf>), LocalError> {
    let (built, files) = rpms_of_module(shared, build)?;
    let document = artifacts::final_document(build.document(), &shared.arch, &built, Part::Module);
    let selected = artifacts::select(build.document(), &shared.arch, &built, Part::Module);
    let mut paths: Vec<PathBuf> = selected.iter().filter_map(|rpm| files.get(&rpm.nevra).cloned()).collect();
    paths.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    Ok((document, paths))
}

type Built = (Vec<BuiltRpm>, BTreeMap<Nevra, PathBuf>);

/// All RPMs of the destination tag.
fn rpms_of_module(shared: &Shared, build: &ModuleBuild) -> Result<Built, LocalError> {
    let groups: Vec<(Nvr, Vec<PathBuf>)> = {
        let ledger = shared.ledger();
        let tag = build.koji_tag.as_ref().and_then(|tag| ledger.tags.get(tag));
        let tag = tag.ok_or_else(|| LocalError::Unusable(format!("{} has no tag", build.nsvc())))?;
        ledger.latest(tag).map(|tagged| (tagged.nvr.clone(), ledger.files_of(&tagged.nvr))).collect()
    };
    let (mut built, mut files) = (Vec::new(), BTreeMap::new());
    for (nvr, paths) in groups {
        let headers = paths.iter().map(|path| RpmHeader::read(path)).collect::<Result<Vec<_>, _>>()?;
        let source = headers.iter().find(|header| header.is_source()).cloned();
        let arches = |list: fn(&RpmHeader) -> &Vec<String>| -> BTreeSet<String> {
            source.iter().flat_map(list).cloned().collect()
        };
        for (path, header) in paths.into_iter().zip(headers) {
            files.insert(header.nevra.clone(), path);
            built.push(BuiltRpm {
                nevra: header.nevra,
                source: nvr.clone(),
                license: header.licence,
                exclude_arch: arches(|source| &source.exclude_arch),
                exclusive_arch: arches(|source| &source.exclusive_arch),
            });
        }
    }
    Ok((built, files))
}

/// Puts each component's logs beside its RPMs, empty ones left out.
fn keep_logs(shared: &Shared, build: &ModuleBuild, repository: &Path) -> Result<(), LocalError> {
    for component in &build.components {
        let Some(task) = component.task else { continue };
        let directory = shared.ledger().task_directory(task);
        for log in ["state.log", "root.log", "build.log", "mock.log"] {
            let path = directory.join(log);
            if fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
                let name = format!("{}-{log}", component.package);
                link_or_copy(&path, &repository.join(name))?;
            }
        }
    }
    fs::File::open(repository).and_then(|directory| directory.sync_all()).at(repository)
}
