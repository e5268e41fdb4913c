//! What a plan looks like, to people and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use mbs_core::ident::Nsvc;
use mbs_core::model::{NewBuild, Ordering};
use mbs_core::outlook::{Fate, Outlook, PlannedComponent};
use mbs_core::submission::DecidedBuild;
use serde::Serialize;

/// All builds of a document.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    builds: Vec<BuildReport>,
    warnings: Vec<String>,
    /// Where modules were found; empty where there is only one place.
    #[serde(skip)]
    places: BTreeMap<Nsvc, String>,
}

/// One build.
#[derive(Debug, Serialize)]
struct BuildReport {
    /// Name, stream, version and context.
    nsvc: String,
    /// Whether it is there already.
    exists: bool,
    /// The runtime requires of all dependency pairs.
    requires: Vec<BTreeMap<String, Vec<String>>>,
    buildrequires: Vec<Buildrequire>,
    /// The build that components are taken from.
    reuse_from: Option<String>,
    /// `batches` or `graph`.
    ordering: Ordering,
    components: Vec<ComponentReport>,
    /// Included modules, whose components are not looked at.
    included: Vec<String>,
    cost: f64,
    longest: f64,
}

#[derive(Debug, Serialize)]
struct Buildrequire {
    nsvc: String,
    why: String,
    /// Where it was found; nothing where there is only one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_in: Option<String>,
}

#[derive(Debug, Serialize)]
struct ComponentReport {
    package: String,
    batch: u32,
    after: Vec<String>,
    #[serde(rename = "ref")]
    git_ref: String,
    /// Whether it is built, as far as can be told.
    is_built: bool,
    /// Whether it is, and why, in words.
    fate: String,
    cost: f64,
}

impl Report {
    pub(super) fn new(warnings: Vec<String>, places: BTreeMap<Nsvc, String>) -> Self {
        Self { builds: Vec::new(), warnings, places }
    }

    pub(super) fn push(&mut self, decided: &DecidedBuild, exists: bool, new: &NewBuild, outlook: &Outlook) {
        let pairs = new.document.dependencies.iter().map(|pair| {
            let streams = |(name, streams): (&String, &std::collections::BTreeSet<String>)| {
                (name.clone(), streams.iter().cloned().collect())
            };
            pair.requires.iter().map(streams).collect()
        });
        let buildrequires = decided.chosen.iter().map(|one| Buildrequire {
            nsvc: one.nsvc.to_string(),
            why: one.why.to_string(),
            found_in: self.places.get(&one.nsvc).cloned(),
        });
        self.builds.push(BuildReport {
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
    pub(super) fn to_json(&self) -> String {
        let text = serde_json::to_string(self).expect("texts and numbers can be written as JSON");
        format!("{text}\n")
    }
}

fn component(one: &PlannedComponent) -> ComponentReport {
    ComponentReport {
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
        match self.builds.len() {
            1 => writeln!(f, "One build:")?,
            many => writeln!(f, "{many} builds:")?,
        }
        self.builds.iter().try_for_each(|build| write!(f, "\n{build}"))
    }
}

impl fmt::Display for BuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let existing = if self.exists { ", which is there already" } else { "" };
        writeln!(f, "{}{existing}", self.nsvc)?;
        writeln!(f, "  built with")?;
        let widest = self.buildrequires.iter().map(|one| one.nsvc.len()).max().unwrap_or_default();
        for Buildrequire { nsvc, why, found_in } in &self.buildrequires {
            let place = found_in.iter().map(|place| format!(", found in {place}")).collect::<String>();
            writeln!(f, "    {nsvc:<widest$}  {why}{place}")?;
        }
        self.write_requires(f)?;
        self.write_components(f)?;
        for included in &self.included {
            writeln!(
                f,
                "  includes the module {included}, whose components no batch and no cost here counts"
            )?;
        }
        if let Some(source) = &self.reuse_from {
            writeln!(f, "  reuses from {source}")?;
        }
        let built = self.components.iter().filter(|one| one.is_built).count();
        writeln!(
            f,
            "  builds {built} of {} components, cost {}, the longest row of them {}",
            self.components.len(),
            self.cost,
            self.longest
        )
    }
}

impl BuildReport {
    fn write_requires(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |pair: &BTreeMap<String, Vec<String>>| {
            let modules = pair.iter().map(|(name, streams)| match streams.as_slice() {
                [] => name.clone(),
                streams => format!("{name}:{}", streams.join(",")),
            });
            modules.collect::<Vec<_>>().join(" ")
        };
        for pair in self.requires.iter().filter(|pair| !pair.is_empty()) {
            writeln!(f, "  runs with {}", shown(pair))?;
        }
        Ok(())
    }

    fn write_components(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.components.iter().map(|one| one.package.len()).max().unwrap_or_default();
        let mut last = None;
        for one in &self.components {
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
