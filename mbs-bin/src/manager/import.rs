//! `import`: takes in modules that were built elsewhere, base modules for instance, as the REST interface does.
//!
//! All documents are read and checked before the first is taken in.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use mbs_core::ident::CommitId;
use mbs_core::modulemd::Limits;
use mbs_core::store::Import;
use mbs_core::submission::{Importable, ScmUrl};
use mbs_local::git::GitSourceControl;
use sha1::{Digest as _, Sha1};

use super::keeper::{Keeper, refused};
use crate::exit::Stop;
use crate::{importing, validate};

/// Which modules are taken in.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The module's document: a file, - for the standard input, or git's address as in submissions, https://HOST/PATH?#REF
    #[arg(value_name = "FILE|URL", required = true)]
    pub from: Vec<String>,
}

/// A document, and where it is from.
struct Read {
    file: String,
    text: String,
    commit: CommitId,
}

/// Takes modules in.
pub(super) async fn run(keeper: &mut Keeper<'_>, asked: &ImportArguments) -> Result<(), Stop> {
    let mut all = Vec::with_capacity(asked.from.len());
    for from in &asked.from {
        let Read { file, text, commit } = match from.contains("://") {
            true => fetched(keeper, from).await?,
            false => of_file(Path::new(from))?,
        };
        let (importable, warnings) = importing::importable(&file, &text, &commit, &keeper.config.policy)
            .map_err(|error| Stop::Usage(format!("{from}: {error}")))?;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        all.push(importable);
    }
    for importable in all {
        let Importable { nsvc, document, koji_tag } = importable;
        let by = keeper.by.clone();
        let import = Import { document: Arc::new(document), nsvc: nsvc.clone(), koji_tag, by };
        let imported = keeper.store.import(import).await.map_err(|error| refused(&error))?;
        let was_there = if imported.was_there { ", in place of what was there" } else { "" };
        keeper.print(&format!("{} {nsvc} is imported{was_there}\n", imported.build.id))?;
    }
    Ok(())
}

/// Reads a file. No commit has it, but later submissions name one for everything they are built with: its digest stands for it.
fn of_file(path: &Path) -> Result<Read, Stop> {
    let bytes = validate::read(path, &Limits::of_submission())?;
    let file = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|_| Stop::Usage(format!("{file}: the text is not UTF-8")))?;
    let digest: String = Sha1::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    let commit = CommitId::new(digest).expect("a SHA-1 is written as 40 hexadecimal digits");
    Ok(Read { file, text, commit })
}

async fn fetched(keeper: &Keeper<'_>, url: &str) -> Result<Read, Stop> {
    let url: ScmUrl = url.parse()?;
    let git = GitSourceControl::new(keeper.config.git.settings(&keeper.config.building));
    let fetched =
        importing::fetched(&git, &url).await.map_err(|told| Stop::Machine(format!("{url}: {told}")))?;
    Ok(Read { file: importing::file_of(&url), text: fetched.text, commit: fetched.commit })
}

#[cfg(test)]
mod tests {
    use mbs_core::ident::BuildId;
    use mbs_core::model::State;
    use mbs_core::modulemd::Xmd;

    use super::*;
    use crate::manager::testing::Bench;

    const PLATFORM: &str = "document: modulemd\nversion: 2\ndata:\n  name: platform\n  stream: f40\n  version: 3\n  \
        context: '00000000'\n  summary: s\n  description: d\n  license: {module: [MIT]}\n  xmd: {mbs: {koji_tag: module-f40}}\n";

    fn file(bench: &Bench, name: &str, text: &str) -> String {
        let path = bench.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    #[test]
    fn a_base_module_is_ready_once_its_document_is_taken_in() {
        let bench = Bench::new();
        let platform = file(&bench, "platform.yaml", PLATFORM);
        assert_eq!(bench.done(&["import", &platform]), "1 platform:f40:3:00000000 is imported\n");
        let build = bench.loaded(BuildId(1));
        assert_eq!((build.state(), build.new.owner.as_str()), (State::Ready, "mbs_import"));
        assert_eq!(build.koji_tag.as_ref().map(ToString::to_string), Some("module-f40".into()));
        let commit = build.document().xmd.at(&["mbs", "commit"]).and_then(Xmd::spelling).unwrap();
        assert_eq!(commit.len(), 40);
        let again = bench.done(&["import", &platform]);
        assert_eq!(again, "1 platform:f40:3:00000000 is imported, in place of what was there\n");
        let audit = bench.ask(async |store| store.audit(BuildId(1)).await.unwrap());
        assert!(audit.iter().all(|entry| entry.by == bench.by()) && audit.len() == 2, "{audit:?}");
    }

    #[test]
    fn one_bad_document_keeps_all_out() {
        let bench = Bench::new();
        let good = file(&bench, "platform.yaml", PLATFORM);
        let bad = file(&bench, "bad.yaml", &PLATFORM.replace("stream: f40", "stream: f40-x"));
        let stop = bench.run(&["import", &good, &bad]).unwrap_err();
        assert!(
            matches!(&stop, Stop::Usage(told) if told.starts_with(&bad) && told.contains("dash")),
            "{stop}"
        );
        assert!(!bench.ask(async |store| store.load(BuildId(1)).await.is_ok()));
        let stop = bench.run(&["import", "/nowhere.yaml"]).unwrap_err();
        assert_eq!(stop, Stop::Usage("/nowhere.yaml does not exist".into()));
    }

    #[test]
    fn an_address_names_a_revision() {
        let bench = Bench::new();
        let stop = bench.run(&["import", "https://src.example.org/modules/platform"]).unwrap_err();
        assert!(matches!(&stop, Stop::Usage(_)), "{stop:?}");
    }
}
