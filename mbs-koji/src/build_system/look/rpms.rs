//! RPMs of builds, and of tags with what they inherit and reach in external repositories.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::build_system::{BuildQuestions, BuildSystemError};
use mbs_core::ident::{Arch, Nevra, Nvr, TagName};

use super::known;
use crate::api::rpm;
use crate::api::tag::{self, ExternalRepo};
use crate::build_system::calls::{Answers, Calls, Ticket};
use crate::build_system::refusal;
use crate::xmlrpc::FaultCode;

/// Per tag its external repositories.
pub(crate) type External = BTreeMap<TagName, Vec<ExternalRepo>>;

/// What external repositories hold, by their address without `$arch`.
pub(crate) type Repositories = BTreeMap<String, Vec<Nevra>>;

/// Reads the RPMs of builds; a build that is unknown has none.
pub(super) fn of_builds(
    asked: &[(Nvr, Ticket)],
    answers: &Answers,
) -> Result<BTreeMap<Nvr, Vec<Nevra>>, BuildSystemError> {
    let mut of_builds = BTreeMap::new();
    for (nvr, ticket) in asked {
        let rpms = match answers.of(*ticket) {
            Err(fault) if fault.code == FaultCode::GenericError => continue,
            Err(fault) => {
                return Err(refusal::of_fault(fault, format_args!("to show the RPMs of {nvr}")));
            }
            Ok(value) => rpm::read_list(value).map_err(|odd| refusal::of_odd(&odd))?,
        };
        if !rpms.is_empty() {
            of_builds.insert(nvr.clone(), rpms.into_iter().map(|rpm| rpm.nevra).collect());
        }
    }
    Ok(of_builds)
}

/// RPMs of tags, as far as the hub knows them.
#[derive(Debug, Default)]
pub(super) struct TagRpms {
    asked: Vec<(TagName, OneTag)>,
    rpms: BTreeMap<TagName, Vec<Nevra>>,
    external: External,
}

#[derive(Debug, Clone, Copy)]
struct OneTag {
    tag: Ticket,
    rpms: Ticket,
    external: Ticket,
}

impl TagRpms {
    pub(super) fn ask(questions: &BuildQuestions, calls: &mut Calls) -> Self {
        let always = ["noarch", "src"].map(|arch| arch.parse().expect("these are architectures"));
        let arches: BTreeSet<&Arch> = questions.arches.iter().chain(&always).collect();
        let mut ask = |name: &TagName| {
            let tickets = OneTag {
                tag: calls.add(tag::tag(name)),
                rpms: calls.add(rpm::reached_by_tag(name, arches.iter().copied())),
                external: calls.add(tag::external_repos(name)),
            };
            (name.clone(), tickets)
        };
        Self { asked: questions.tag_rpms.iter().map(&mut ask).collect(), ..Self::default() }
    }

    pub(super) fn take(&mut self, answers: &Answers) -> Result<(), BuildSystemError> {
        for (name, asked) in &self.asked {
            if known(asked.tag, answers)?.is_none() {
                continue;
            }
            let doing = format_args!("to show the RPMs of the tag {name}");
            let (rpms, _) = answers.read(asked.rpms, doing, rpm::read_tagged)?;
            self.rpms.insert(name.clone(), rpms.into_iter().map(|rpm| rpm.nevra).collect());
            let doing = format_args!("to show the external repositories of the tag {name}");
            let external = answers.read(asked.external, doing, tag::read_external_repos)?;
            self.external.insert(name.clone(), external);
        }
        Ok(())
    }

    pub(super) fn external(&self) -> &External {
        &self.external
    }

    /// Adds what external repositories hold for the architectures that count.
    pub(super) fn finish(
        &mut self,
        arches: &BTreeSet<Arch>,
        repositories: &Repositories,
    ) -> BTreeMap<TagName, Vec<Nevra>> {
        let mut of_tags = std::mem::take(&mut self.rpms);
        let counts =
            |rpm: &&Nevra| arches.contains(&rpm.arch) || matches!(rpm.arch.as_str(), "noarch" | "src");
        for (name, external) in &self.external {
            let rpms = of_tags.entry(name.clone()).or_default();
            let places: BTreeSet<String> = external.iter().flat_map(|repo| places(repo, arches)).collect();
            let held = places.iter().filter_map(|place| repositories.get(place)).flatten();
            rpms.extend(held.filter(counts).cloned());
        }
        of_tags
    }
}

/// Returns where a repository is for each of the architectures that it has.
pub(crate) fn places(repo: &ExternalRepo, arches: &BTreeSet<Arch>) -> BTreeSet<String> {
    let has = |arch: &&Arch| repo.arches.as_ref().is_none_or(|has| has.contains(*arch));
    arches.iter().filter(has).map(|arch| repo.address.replace("$arch", arch.as_str())).collect()
}
