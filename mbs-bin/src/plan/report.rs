//! What a plan looks like, to people and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use mbs_client::api::{PlannedBuild, PlannedBuildrequire, PlannedComponent, Plans};
use mbs_core::ident::Nsvc;
use mbs_core::model::NewBuild;
use mbs_core::outlook::{self, Fate, Outlook};
use mbs_core::submission::DecidedBuild;

/// All builds of a document.
#[derive(Debug)]
pub(crate) struct Report {
    plans: Plans,
    /// Where modules were found; empty where there is only one place.
    places: BTreeMap<Nsvc, String>,
}

impl Report {
    pub(super) fn new(warnings: Vec<String>, places: BTreeMap<Nsvc, String>) -> Self {
        Self { plans: Plans { builds: Vec::new(), warnings }, places }
    }

    pub(super) fn push(&mut self, decided: &DecidedBuild, exists: bool, new: &NewBuild, outlook: &Outlook) {
        let pairs = new.document.dependencies.iter().map(|pair| {
            let streams = |(name, streams): (&String, &std::collections::BTreeSet<String>)| {
                (name.clone(), streams.iter().cloned().collect())
            };
            pair.requires.iter().map(streams).collect()
        });
        let buildrequires = decided.chosen.iter().map(|one| PlannedBuildrequire {
            nsvc: one.nsvc.to_string(),
            why: one.why.to_string(),
            found_in: self.places.get(&one.nsvc).cloned(),
        });
        self.plans.builds.push(PlannedBuild {
            nsvc: decided.nsvc.to_string(),
            exists,
            requires: pairs.collect(),
            buildrequires: buildrequires.collect(),
            reuse_from: outlook.source.as_ref().map(ToString::to_string),
            ordering: outlook.ordering,
            components: outlook.components.iter().map(component).collect(),
            included: outlook.included.clone(),
            cost: outlook.cost.cost(),
            longest: outlook.longest.cost(),
        });
    }

    /// Returns one JSON object and a line's end.
    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string(&self.plans).expect("texts and numbers can be written as JSON");
        format!("{text}\n")
    }
}

/// Shows what a service has planned.
impl From<Plans> for Report {
    fn from(plans: Plans) -> Self {
        Self { plans, places: BTreeMap::new() }
    }
}

fn component(one: &outlook::PlannedComponent) -> PlannedComponent {
    PlannedComponent {
        package: one.package.to_string(),
        batch: one.batch.0,
        after: one.after.iter().map(ToString::to_string).collect(),
        git_ref: one.git_ref.clone(),
        is_built: one.fate.is_built(),
        fate: Fate::to_string(&one.fate),
        cost: one.cost.cost(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let builds = &self.plans.builds;
        match builds.len() {
            1 => writeln!(f, "One build:")?,
            many => writeln!(f, "{many} builds:")?,
        }
        builds.iter().try_for_each(|build| write!(f, "\n{}", Shown(build)))
    }
}

/// A build, as people read it.
struct Shown<'b>(&'b PlannedBuild);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = self.0;
        let existing = if build.exists { ", which is there already" } else { "" };
        writeln!(f, "{}{existing}", build.nsvc)?;
        writeln!(f, "  built with")?;
        let widest = build.buildrequires.iter().map(|one| one.nsvc.len()).max().unwrap_or_default();
        for PlannedBuildrequire { nsvc, why, found_in } in &build.buildrequires {
            let place = found_in.iter().map(|place| format!(", found in {place}")).collect::<String>();
            writeln!(f, "    {nsvc:<widest$}  {why}{place}")?;
        }
        self.write_requires(f)?;
        self.write_components(f)?;
        for included in &build.included {
            writeln!(
                f,
                "  includes the module {included}, whose components no batch and no cost here counts"
            )?;
        }
        if let Some(source) = &build.reuse_from {
            writeln!(f, "  reuses from {source}")?;
        }
        let built = build.components.iter().filter(|one| one.is_built).count();
        writeln!(
            f,
            "  builds {built} of {} components, cost {}, the longest row of them {}",
            build.components.len(),
            build.cost,
            build.longest
        )
    }
}

impl Shown<'_> {
    fn write_requires(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |pair: &BTreeMap<String, Vec<String>>| {
            let modules = pair.iter().map(|(name, streams)| match streams.as_slice() {
                [] => name.clone(),
                streams => format!("{name}:{}", streams.join(",")),
            });
            modules.collect::<Vec<_>>().join(" ")
        };
        for pair in self.0.requires.iter().filter(|pair| !pair.is_empty()) {
            writeln!(f, "  runs with {}", shown(pair))?;
        }
        Ok(())
    }

    fn write_components(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.0.components.iter().map(|one| one.package.len()).max().unwrap_or_default();
        let mut last = None;
        for one in &self.0.components {
            if last != Some(one.batch) {
                writeln!(f, "  batch {}", one.batch)?;
                last = Some(one.batch);
            }
            let after = if one.after.is_empty() {
                String::new()
            } else {
                format!(", after {}", one.after.join(", "))
            };
            writeln!(f, "    {:<widest$}  {}{after}, {}", one.package, one.git_ref, one.fate)?;
        }
        Ok(())
    }
}
