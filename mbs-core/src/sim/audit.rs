//! What can only be compared when a world has ended: what the store kept, and what became of filters.

use std::sync::Arc;

use super::grounds::Grounds;
use super::inspector::{Inspector, Invariant};
use crate::build_system::BuildQuestions;
use crate::ident::BuildId;
use crate::model::{ModuleBuild, State, Transition};
use crate::store::Store;

/// What was committed of a build.
struct Committed {
    record: ModuleBuild,
    trace: Vec<Transition>,
    /// What people did to it, in order.
    deeds: Vec<String>,
}

/// Compares what was committed with what the store kept (I7, I8), and the filters with the RPMs they are to hold (I4).
pub(super) async fn audit(store: Arc<dyn Store>, grounds: Arc<dyn Grounds>, inspector: Arc<Inspector>) {
    let builds: Vec<(BuildId, Committed)> = inspector.with_builds(|builds| {
        let committed = builds.iter().map(|(id, watched)| {
            let deeds = watched.deeds.iter().map(|(what, _)| what.clone()).collect();
            let (record, trace) = (watched.record.clone(), watched.trace.clone());
            (*id, Committed { record, trace, deeds })
        });
        committed.collect()
    });
    for (id, committed) in builds {
        let kept = store.trace(id).await;
        if kept.as_ref() != Ok(&committed.trace) {
            let what = format!("its trace is {kept:?}, and {:?} was committed", committed.trace);
            inspector.report(Invariant::I7, Some(id), what);
        }
        let entries = store.audit(id).await.unwrap_or_default();
        let kept: Vec<String> = entries.into_iter().map(|entry| entry.what).collect();
        if kept != committed.deeds {
            let what = format!("it is kept that people did {kept:?}, and they did {:?}", committed.deeds);
            inspector.report(Invariant::I8, Some(id), what);
        }
        if let Some(what) = unfiltered(&committed.record, &*grounds).await {
            inspector.report(Invariant::I4, Some(id), what);
        }
    }
}

/// Says which RPM of a finished module serves its build only and is not filtered.
async fn unfiltered(build: &ModuleBuild, grounds: &dyn Grounds) -> Option<String> {
    let is_finished = matches!(build.state(), State::Done | State::Ready);
    let buildonly = build.components.iter().filter(|component| is_finished && component.buildonly);
    let questions = BuildQuestions {
        rpms_of_builds: buildonly.filter_map(|component| component.nvr.clone()).collect(),
        ..BuildQuestions::default()
    };
    let rpms = grounds.observe(&questions).await.ok()?.rpms_of_builds?.into_values().flatten();
    let filter = &build.document().filter;
    let missing = rpms.filter(|rpm| !rpm.is_source()).find(|rpm| !filter.contains(&rpm.name))?;
    Some(format!("{} is build-only, and not in the filter", missing.name))
}
