//! RPMs of builds, and of tags with what they inherit and reach in external repositories.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::build_system::{BuildQuestions, BuildSystemError};
use mbs_core::ident::{Arch, Nevra, Nvr, TagName};

use super::known;
use crate::api::{rpm, tag};
use crate::build_system::calls::{Answers, Calls, Ticket};
use crate::build_system::refusal;
use crate::xmlrpc::FaultCode;

/// Per tag the addresses of its external repositories, `$arch` still in them.
pub(crate) type External = BTreeMap<TagName, Vec<String>>;

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
        for (name, addresses) in &self.external {
            let rpms = of_tags.entry(name.clone()).or_default();
            for address in addresses {
                for place in places(address, arches) {
                    rpms.extend(repositories.get(&place).into_iter().flatten().cloned());
                }
            }
        }
        of_tags
    }
}

/// Returns the addresses that an address with `$arch` in it stands for.
pub(crate) fn places(address: &str, arches: &BTreeSet<Arch>) -> BTreeSet<String> {
    if !address.contains("$arch") {
        return [address.to_owned()].into();
    }
    arches.iter().map(|arch| address.replace("$arch", arch.as_str())).collect()
}
