//! Module builds with all that is known of them.

use mbs_core::ident::BuildId;
use mbs_core::model::Transition;
use mbs_core::store::{BaseBuild, BuildDetails, ListedBuild};
use serde::Serialize;

use super::{BuildStandard, Step, time};

/// What is shown where everything is asked for, and of what was just submitted or cancelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct BuildExtended {
    #[serde(flatten)]
    standard: BuildStandard,
    arches: Vec<String>,
    base_module_buildrequires: Vec<Base>,
    build_context: Option<String>,
    build_context_no_bms: Option<String>,
    modulemd: String,
    reused_module_id: Option<i64>,
    runtime_context: Option<String>,
    state_trace: Vec<Step>,
    state_url: String,
    stream_version: Option<f64>,
    virtual_streams: Vec<String>,
}

/// A base module build that a build is built against.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Base {
    context: String,
    id: i64,
    name: String,
    state: u8,
    state_name: &'static str,
    stream: String,
    stream_version: Option<f64>,
    version: String,
}

impl BuildExtended {
    /// Puts a build together; `state_url` is its path as clients see it.
    pub(crate) fn of(listed: ListedBuild, details: BuildDetails, state_url: String) -> Self {
        let known = |hash: String| Some(hash).filter(|hash| !hash.is_empty());
        Self {
            standard: BuildStandard::of(listed),
            arches: details.arches.iter().map(ToString::to_string).collect(),
            base_module_buildrequires: details.bases.iter().map(Base::of).collect(),
            build_context: known(details.contexts.build),
            build_context_no_bms: known(details.contexts.build_without_base),
            modulemd: details.document,
            reused_module_id: details.reuse_from.map(|BuildId(id)| id),
            runtime_context: known(details.contexts.runtime),
            state_trace: details.trace.into_iter().map(Step::of).collect(),
            state_url,
            stream_version: details.stream_version,
            virtual_streams: details.virtual_streams,
        }
    }
}

impl Base {
    fn of(base: &BaseBuild) -> Self {
        Self {
            context: base.nsvc.context.to_string(),
            id: base.id.0,
            name: base.nsvc.name.to_string(),
            state: base.state.number(),
            state_name: base.state.name(),
            stream: base.nsvc.stream.to_string(),
            stream_version: base.stream_version,
            version: base.nsvc.version.to_string(),
        }
    }
}

impl Step {
    fn of(transition: Transition) -> Self {
        Self {
            reason: transition.reason,
            state: Some(transition.to.number()),
            state_name: Some(transition.to.name()),
            time: time(transition.at),
        }
    }
}
