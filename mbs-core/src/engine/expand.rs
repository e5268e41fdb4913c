//! Asks what [`crate::expansion`] needs to know, until it has decided. It decides nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join5, try_join_all};

use crate::expansion::{Answers, Expansion, Expansions, Questions, Step, Universe, Unresolved};
use crate::ident::{NameStream, Nsvc, TagName};
use crate::resolver::{Against, KnownModule, ModuleResolver, ResolverError};
use crate::store::{Catalogue, StoreError};

/// So many rounds of questions are asked: some for the document, then one for each level of what is required at run time.
const MOST_ROUNDS: usize = 100;

/// Why a document could not be expanded.
#[derive(Debug, thiserror::Error)]
pub enum ExpandError {
    /// Its dependencies do not work out: they, or the modules that there are, must change.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// Modules could not be looked up.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// Builds could not be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Expands a document: asks a resolver, and a store what is still being built (`None`: nothing is).
///
/// What was learnt stays in `universe`, for the next document of the same submission.
///
/// # Errors
/// `Unresolved`: people have to change something. Others: ask again if transient.
pub async fn expand(
    expansion: &Expansion<'_>,
    resolver: &dyn ModuleResolver,
    store: Option<&dyn Catalogue>,
    universe: &mut Universe,
) -> Result<Expansions, ExpandError> {
    for _ in 0..MOST_ROUNDS {
        match expansion.step(universe)? {
            Step::Done(expansions) => return Ok(expansions),
            Step::Need(questions) => {
                let answers = answer(&questions, resolver, store).await?;
                universe.learn(questions, answers);
            }
        }
    }
    Err(Unresolved::TooDeep { levels: MOST_ROUNDS }.into())
}

/// Asks a round of questions: each kind is one call, all at once.
///
/// # Errors
/// The first call that failed.
pub async fn answer(
    questions: &Questions,
    resolver: &dyn ModuleResolver,
    store: Option<&dyn Catalogue>,
) -> Result<Answers, ExpandError> {
    let streams = async {
        let names: Vec<_> = questions.streams.iter().cloned().collect();
        if names.is_empty() { Ok(BTreeMap::new()) } else { resolver.streams(&names).await }
    };
    let latest = try_join_all(questions.latest.iter().map(|asked| latest(resolver, asked)));
    let compatible = async {
        let bases: Vec<Nsvc> = questions.compatible.iter().cloned().collect();
        if bases.is_empty() {
            return Ok(BTreeMap::new());
        }
        resolver.compatible_bases(&bases, questions.retired()).await
    };
    let tagged = try_join_all(questions.tagged.iter().map(|tag| in_tag(resolver, tag)));
    let providers = async {
        let asked: Vec<NameStream> = questions.providers.iter().cloned().collect();
        if asked.is_empty() { Ok(BTreeMap::new()) } else { resolver.providers(&asked).await }
    };
    let (streams, latest, compatible, tagged, providers) =
        join5(streams, latest, compatible, tagged, providers).await;
    let siblings: Vec<Nsvc> = questions.siblings.iter().cloned().collect();
    let unfinished = match store {
        Some(store) if !siblings.is_empty() => store.unfinished(&siblings).await?,
        Some(_) | None => Vec::new(),
    };
    Ok(Answers {
        streams: streams?,
        latest: latest?.into_iter().collect(),
        compatible: compatible?,
        tagged: tagged?.into_iter().flatten().collect(),
        providers: providers?,
        unfinished,
    })
}

/// Returns the latest builds of modules, with what they were built against.
async fn latest(
    resolver: &dyn ModuleResolver,
    (against, modules): (&Against, &BTreeSet<NameStream>),
) -> Result<(Against, BTreeMap<NameStream, Vec<KnownModule>>), ResolverError> {
    let modules: Vec<NameStream> = modules.iter().cloned().collect();
    Ok((against.clone(), resolver.latest(&modules, against).await?))
}

/// Returns the builds in a tag; `None` where modules have no tags.
async fn in_tag(
    resolver: &dyn ModuleResolver,
    tag: &TagName,
) -> Result<Option<(TagName, Vec<KnownModule>)>, ResolverError> {
    match resolver.in_tag(tag).await {
        Ok(builds) => Ok(Some((tag.clone(), builds))),
        Err(ResolverError::Unsupported { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
