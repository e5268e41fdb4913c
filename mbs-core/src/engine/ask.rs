//! Asks the traits what is missing, all of them at once, one call each where the trait allows.

use std::collections::BTreeMap;

use futures_util::future::{join, join3};

use super::look::Look;
use super::{Pace, call, until};
use crate::build_system::BuildSystemError;
use crate::ident::NameStream;
use crate::plan::{
    AskingTrouble, DefaultsPlace, ModuleQuestions, Observation, ObservationQuery, SourceQuestions,
};
use crate::resolver::{ResolverError, Retired};
use crate::source_control::SourceError;
use crate::store::StoreError;

/// Asks and adds the answers; what could not be asked, or was not answered in time, becomes a trouble.
pub(super) async fn ask(look: &mut Look<'_>, query: ObservationQuery, seen: &mut Observation) {
    let (engine, asked_at) = (look.engine, look.now_at_least());
    let build = async {
        if query.build.is_empty() {
            Ok(None)
        } else {
            engine.build_system.observe(&query.build).await.map(Some)
        }
    };
    let reuse = async {
        match &query.reuse {
            Some(question) => engine.store.reuse_candidates(question).await.map(Some),
            None => Ok(None),
        }
    };
    let others = join3(sources(look, &query.sources), modules(look, &query.modules), reuse);
    let limit = engine.clock.reading() + engine.policy.call_within;
    let others = until(&*engine.clock, limit, others);
    let ((build, signal), others) = join(call(engine, Pace::Quick, build), others).await;
    look.signal = look.signal.max(signal);
    take(seen, build, |seen, answers| {
        seen.note_asked(&query.build, asked_at);
        seen.build.absorb(answers.unwrap_or_default());
    });
    let Some((sources, modules, reuse)) = others else {
        let what = "questions about the build were not answered in time".to_owned();
        seen.troubles.push(AskingTrouble { what, is_final: false, retry_after: None });
        return;
    };
    take(seen, sources, |seen, answers| {
        seen.documents.extend(answers.documents);
        seen.refs.extend(answers.refs);
        seen.default_streams.extend(answers.default_streams);
    });
    take(seen, modules, |seen, answers| {
        seen.modules.extend(answers.modules);
        seen.compatible_bases.extend(answers.compatible_bases);
        seen.latest.extend(answers.latest);
        seen.tagged = answers.tagged.or(seen.tagged.take());
    });
    take(seen, reuse, |seen, builds| seen.reuse = builds.or(seen.reuse.take()));
}

fn take<T, E: Into<AskingTrouble>>(
    seen: &mut Observation,
    answer: Result<T, E>,
    add: impl FnOnce(&mut Observation, T),
) {
    match answer {
        Ok(answer) => add(seen, answer),
        Err(error) => seen.troubles.push(error.into()),
    }
}

impl From<BuildSystemError> for AskingTrouble {
    fn from(error: BuildSystemError) -> Self {
        // A hub that refuses to answer questions is mended by its people; no module fails over it at once.
        Self { what: error.to_string(), is_final: false, retry_after: error.retry_after() }
    }
}

impl From<SourceError> for AskingTrouble {
    fn from(error: SourceError) -> Self {
        Self { what: error.to_string(), is_final: !error.is_transient(), retry_after: None }
    }
}

impl From<ResolverError> for AskingTrouble {
    fn from(error: ResolverError) -> Self {
        Self { what: error.to_string(), is_final: !error.is_transient(), retry_after: None }
    }
}

impl From<StoreError> for AskingTrouble {
    fn from(error: StoreError) -> Self {
        Self { what: error.to_string(), is_final: !error.is_transient(), retry_after: None }
    }
}

async fn sources(look: &Look<'_>, questions: &SourceQuestions) -> Result<Observation, SourceError> {
    let mut seen = Observation::default();
    if questions.is_empty() {
        return Ok(seen);
    }
    let source_control = &look.engine.source_control;
    let places: Vec<_> = questions.documents.iter().cloned().collect();
    let (documents, refs) = join(
        async { if places.is_empty() { Ok(Vec::new()) } else { source_control.documents(&places).await } },
        async {
            if questions.refs.is_empty() {
                Ok(BTreeMap::new())
            } else {
                source_control.resolve_refs(&questions.refs).await
            }
        },
    )
    .await;
    seen.documents = places.into_iter().zip(documents?).collect();
    seen.refs = refs?;
    for DefaultsPlace { repository, branch } in questions.default_streams.iter().cloned() {
        let streams = source_control.default_streams(&repository, &branch).await?;
        seen.default_streams.insert(DefaultsPlace { repository, branch }, streams);
    }
    Ok(seen)
}

async fn modules(look: &Look<'_>, questions: &ModuleQuestions) -> Result<Observation, ResolverError> {
    let mut seen = Observation::default();
    if questions.is_empty() {
        return Ok(seen);
    }
    let resolver = &look.engine.resolver;
    if !questions.builds.is_empty() {
        let wanted: Vec<_> = questions.builds.iter().cloned().collect();
        let mut known = resolver.builds(&wanted).await?;
        seen.modules = wanted.into_iter().map(|nsvc| (nsvc.clone(), known.remove(&nsvc))).collect();
    }
    if !questions.compatible_bases.is_empty() {
        let wanted: Vec<_> = questions.compatible_bases.iter().cloned().collect();
        let mut bases = resolver.compatible_bases(&wanted, Retired::Included).await?;
        seen.compatible_bases =
            wanted.into_iter().map(|base| (base.clone(), bases.remove(&base).unwrap_or_default())).collect();
    }
    if let Some(tag) = &questions.tagged {
        seen.tagged = match resolver.in_tag(tag).await {
            Ok(builds) => Some(Some(builds.into_iter().map(|module| module.nsvc).collect())),
            Err(ResolverError::Unsupported { .. }) => Some(None),
            Err(error) => return Err(error),
        };
    }
    if !questions.latest.is_empty() {
        let wanted: Vec<NameStream> = questions.latest.iter().cloned().collect();
        let mut latest = resolver.latest(&wanted, &questions.against()).await?;
        seen.latest = wanted
            .into_iter()
            .map(|module| (module.clone(), latest.remove(&module).unwrap_or_default()))
            .collect();
    }
    Ok(seen)
}
