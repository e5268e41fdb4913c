//! What is taken in that was not built here: single modules, and the whole record of another service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::checks::rejected;
use super::summary::{Detail, buildrequires};
use super::{ComponentTransition, Rules, StoreError};
use crate::context::Contexts;
use crate::ident::{BuildId, ComponentId, Nsvc, TagName};
use crate::model::{Lifecycle, ModuleBuild, NewBuild, RebuildStrategy, State, Transition};
use crate::modulemd::ModuleStream;

/// Who owns what was built elsewhere.
pub const IMPORT_OWNER: &str = "mbs_import";

/// A module that was built elsewhere.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its document, as it is kept.
    pub document: Arc<ModuleStream>,
    /// Its identity.
    pub nsvc: Nsvc,
    /// The tag its RPMs are in; `None`: it has none, as metadata alone.
    pub koji_tag: Option<TagName>,
    /// Who imports it, for the audit.
    pub by: String,
}

/// A module that was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The record as stored.
    pub build: ModuleBuild,
    /// Whether a build of this identity was there, and was overwritten.
    pub was_there: bool,
}

/// A build as another service recorded it, with all that was kept beside it.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The record, with its id and those of its components. Its `base_modules` do not count: `bases` does.
    pub build: ModuleBuild,
    /// Its changes of state, oldest first; may be empty.
    pub trace: Vec<Transition>,
    /// Those of its components, oldest first; one that is missing has none.
    pub component_traces: BTreeMap<ComponentId, Vec<ComponentTransition>>,
    /// Its log, oldest first: the component that a line speaks of (`None`: the build), when, and what.
    pub log: Vec<(Option<ComponentId>, Timestamp, String)>,
    /// The base module builds that it buildrequires, as recorded at submission; the first counts most.
    pub bases: Vec<BuildId>,
}

/// What a store has of what records to restore mention.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Builds of the ids of records and bases.
    pub builds: BTreeMap<BuildId, Nsvc>,
    /// Identities of records that are taken.
    pub taken: BTreeSet<Nsvc>,
    /// Ids of components that are given.
    pub components: BTreeSet<ComponentId>,
}

impl Import {
    /// Makes the record; of a build that is overwritten it has the id and the smallest sibling id.
    pub fn record(&self, id: BuildId, dist_index: BuildId, rules: &Rules, now: Timestamp) -> ModuleBuild {
        let new = NewBuild {
            nsvc: self.nsvc.clone(),
            owner: IMPORT_OWNER.to_owned(),
            priority: 0,
            scratch: false,
            scmurl: None,
            commit: None,
            strategy: RebuildStrategy::All,
            reuse_from: None,
            origin: None,
            document: Arc::clone(&self.document),
            contexts: Contexts::default(),
            srpms: BTreeMap::new(),
            given_srpms: Vec::new(),
            base_modules: base_modules(&self.document, rules),
        };
        ModuleBuild {
            life: Lifecycle::imported(now),
            koji_tag: self.koji_tag.clone(),
            is_imported: true,
            is_target_removed: true,
            ..ModuleBuild::begin(new, id, dist_index, now)
        }
    }
}

/// Returns the base modules that a document says it was built with, in the order of the configuration.
fn base_modules(document: &ModuleStream, rules: &Rules) -> Vec<Nsvc> {
    let required = buildrequires(document);
    let text = |entry: &BTreeMap<String, Detail>, key: &str| match entry.get(key) {
        Some(Detail::Text(text)) => Some(text.clone()),
        Some(Detail::Null | Detail::List(_)) | None => None,
    };
    let nsvc = |name: &crate::ident::Name| {
        let entry = required.get(name.as_str())?;
        let [stream, version, context] = ["stream", "version", "context"].map(|key| text(entry, key));
        format!("{name}:{}:{}:{}", stream?, version?, context?).parse().ok()
    };
    rules.base_modules.iter().filter_map(nsvc).collect()
}

impl Restored {
    /// Returns the ids of builds that have to be looked up: of the records, and of what they were built with.
    pub fn mentioned(records: &[Self]) -> BTreeSet<BuildId> {
        records.iter().flat_map(|record| record.bases.iter().copied().chain([record.build.id])).collect()
    }

    /// Returns the ids of its components.
    pub fn component_ids(&self) -> impl Iterator<Item = ComponentId> {
        self.build.components.iter().filter_map(|component| component.id)
    }

    /// Returns the changes of its components.
    pub fn component_changes(&self) -> Vec<(ComponentId, ComponentTransition)> {
        let of = |(component, trace): (&ComponentId, &Vec<ComponentTransition>)| {
            trace.iter().map(|change| (*component, change.clone())).collect::<Vec<_>>()
        };
        self.component_traces.iter().flat_map(of).collect()
    }

    /// Returns the number of its last change: as many as its trace has; at least 1, for it came to be.
    pub fn last_seq(&self) -> u64 {
        self.trace.len().max(1) as u64
    }

    /// Says whether it is due at once: it is not finished, or something is left to do some day.
    pub fn needs_look(&self) -> bool {
        let build = &self.build;
        let has_target = build.koji_tag.is_some() && !build.is_target_removed;
        match build.state() {
            State::Init | State::Wait | State::Build | State::Failed => true,
            State::Done => !build.new.scratch || has_target,
            State::Ready | State::Garbage => has_target,
        }
    }

    /// Checks records against what is stored, and gives each the identities of its base modules.
    ///
    /// # Errors
    /// `Taken`: a build of this identity exists, or comes twice. `Rejected`: an id that exists or comes twice, or something that
    /// speaks of what is not there.
    pub fn check_all(mut records: Vec<Self>, present: &Present) -> Result<Vec<Self>, StoreError> {
        let mut known = present.builds.clone();
        let (mut taken, mut components) = (present.taken.clone(), present.components.clone());
        for record in &records {
            record.check_alone()?;
            let (id, nsvc) = (record.build.id, record.build.nsvc());
            if !taken.insert(nsvc.clone()) {
                return Err(StoreError::Taken(nsvc.clone()));
            }
            if known.insert(id, nsvc.clone()).is_some() {
                return Err(rejected(format!("there is a module build {id} already")));
            }
            if let Some(twice) = record.component_ids().find(|component| !components.insert(*component)) {
                return Err(rejected(format!("there is a component build {twice} already")));
            }
        }
        for record in &mut records {
            let of = |base: &BuildId| {
                let missing =
                    || rejected(format!("module build {} names {base}, which is missing", record.build.id));
                known.get(base).cloned().ok_or_else(missing)
            };
            record.build.new.base_modules = record.bases.iter().map(of).collect::<Result<_, _>>()?;
        }
        Ok(records)
    }

    fn check_alone(&self) -> Result<(), StoreError> {
        let build = &self.build;
        let refuse = |what: &str| Err(rejected(format!("module build {}: {what}", build.id)));
        let ids: BTreeSet<ComponentId> = self.component_ids().collect();
        let packages: BTreeSet<_> = build.components.iter().map(|component| &component.package).collect();
        if build.id.0 <= 0 || ids.iter().any(|id| id.0 <= 0) {
            return refuse("ids begin at 1");
        }
        if !build.life.unsaved().is_empty() {
            return refuse("its changes of state belong into the trace");
        }
        if ids.len() != build.components.len() || packages.len() != build.components.len() {
            return refuse("each component has an id and a package of its own");
        }
        let named = self.log.iter().filter_map(|(component, ..)| component.as_ref());
        if self.component_traces.keys().chain(named).any(|component| !ids.contains(component)) {
            return refuse("log and traces speak of a component that it does not have");
        }
        Ok(())
    }
}
