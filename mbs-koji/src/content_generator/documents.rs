//! The files of an import, and which RPMs each is about.

use std::collections::BTreeMap;

use mbs_core::artifacts::{BuiltRpm, Part, final_document, select};
use mbs_core::ident::Nevra;
use mbs_core::model::ModuleBuild;

use super::{File, Sources, TaggedRpm};

/// A file with what the metadata say of it.
pub(super) struct Output<'a> {
    pub(super) file: File,
    pub(super) arch: &'a str,
    pub(super) about: About<'a>,
}

/// What a file is about.
pub(super) enum About<'a> {
    /// The module, with these RPMs.
    Module(Vec<&'a TaggedRpm>),
    /// How it was built.
    Log,
}

/// Returns the files of a part: those per architecture first, in the order of the record.
pub(super) fn outputs<'a>(sources: &Sources<'a>, part: Part) -> Vec<Output<'a>> {
    let build = &*sources.module.build;
    let rpms = Rpms::of(sources.rpms);
    let per_arch = build.arches.iter().map(|arch| {
        let document = final_document(build.document(), arch, &rpms.built, part);
        let selected = select(build.document(), arch, &rpms.built, part);
        Output {
            file: file(format!("modulemd.{arch}.txt"), document.to_yaml()),
            arch: arch.as_str(),
            about: About::Module(rpms.tagged(&selected)),
        }
    });
    let about_all = || About::Module(rpms.by_name.values().copied().collect());
    let mut outputs: Vec<Output> = per_arch.collect();
    let stored = file("modulemd.txt".into(), stored_document(build, part));
    outputs.push(Output { file: stored, arch: "noarch", about: about_all() });
    if let Some(content) = sources.source_document {
        let source = file("modulemd.src.txt".into(), content);
        outputs.push(Output { file: source, arch: "src", about: about_all() });
    }
    if !sources.module.log.is_empty() {
        let log: String = sources.module.log.iter().flat_map(|line| [line, "\n"]).collect();
        outputs.push(Output { file: file("build.log".into(), log), arch: "noarch", about: About::Log });
    }
    outputs
}

/// Returns the stored document; the twin's has its name.
fn stored_document(build: &ModuleBuild, part: Part) -> String {
    match part {
        Part::Module => build.document().to_yaml(),
        Part::DevelTwin => {
            let mut twin = (**build.document()).clone();
            twin.name = Some(format!("{}-devel", build.nsvc().name));
            twin.to_yaml()
        }
    }
}

fn file(name: String, content: impl Into<Vec<u8>>) -> File {
    File { name, content: content.into() }
}

/// The RPMs of the tag, in order of their names whatever order the hub had.
struct Rpms<'a> {
    by_name: BTreeMap<&'a Nevra, &'a TaggedRpm>,
    built: Vec<BuiltRpm>,
}

impl<'a> Rpms<'a> {
    fn of(rpms: &'a [TaggedRpm]) -> Self {
        let by_name: BTreeMap<_, _> = rpms.iter().map(|rpm| (&rpm.built.nevra, rpm)).collect();
        let built = by_name.values().map(|rpm| rpm.built.clone()).collect();
        Self { by_name, built }
    }

    fn tagged(&self, selected: &[&BuiltRpm]) -> Vec<&'a TaggedRpm> {
        selected.iter().filter_map(|rpm| self.by_name.get(&rpm.nevra).copied()).collect()
    }
}
