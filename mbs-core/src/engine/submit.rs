//! Carries a submission through: asks what [`crate::submission`] needs to know, and records what it decided. It decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{join4, try_join_all};

use super::expand::{ExpandError, answer};
use crate::ident::{NameStream, Nsvc, Revision};
use crate::model::{ModuleBuild, State};
use crate::policy::Policy;
use crate::resolver::{ModuleResolver, ResolverError};
use crate::source_control::{Fetched, Place, SourceControl, SourceError};
use crate::store::{Create, Created, IdempotencyKey, Store, StoreError};
use crate::submission::{
    Asked, Decided, Decision, Disposition, Named, Needs, Refused, Rules, Submission, Told,
};

/// So many rounds of questions are asked; most submissions need fewer than ten.
const MOST_ROUNDS: usize = 120;

/// So often a submission is decided again because another was faster.
const MOST_TRIES: usize = 10;

/// Takes submissions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Keeps the records.
    pub store: Arc<dyn Store>,
    /// Knows modules.
    pub resolver: Arc<dyn ModuleResolver>,
    /// Reads documents.
    pub source_control: Arc<dyn SourceControl>,
    /// What may be submitted.
    pub rules: Arc<Rules>,
    /// The rules of builds.
    pub policy: Arc<Policy>,
}

/// What a submission got.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// Its builds, by version and context: new ones, those that go on, and those that were there already.
    pub builds: Vec<ModuleBuild>,
    /// What the submitter should know, a line each; empty for a submission that came before.
    pub warnings: Vec<String>,
}

/// Why nothing was submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The submission is refused; its text is the answer.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The document could not be fetched, for a reason that passes.
    #[error(transparent)]
    Source(SourceError),
    /// Modules could not be looked up.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// Builds could not be looked up or recorded. After `Unavailable` it may have been recorded: submit again with the same key.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubmitError {
    /// Says whether the same submission may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        match self {
            SubmitError::Refused(_) => false,
            SubmitError::Source(error) => error.is_transient(),
            SubmitError::Resolver(error) => error.is_transient(),
            SubmitError::Store(error) => error.is_transient(),
        }
    }
}

impl From<ExpandError> for SubmitError {
    fn from(error: ExpandError) -> Self {
        match error {
            ExpandError::Unresolved(why) => SubmitError::Refused(why.into()),
            ExpandError::Resolver(error) => SubmitError::Resolver(error),
            ExpandError::Store(error) => SubmitError::Store(error),
        }
    }
}

impl Desk {
    /// Records the builds of a submission, all or none. A submission that came before with the same key gets the same builds.
    ///
    /// # Errors
    /// `Refused`: the submitter has to change something. `Store(KeyReused)`: the key came with another submission. Others: try
    /// again if transient.
    pub async fn submit(&self, asked: &Asked, key: Option<IdempotencyKey>) -> Result<Submitted, SubmitError> {
        if let Some(key) = &key
            && let Some(created) = self.store.created_with(key).await?
        {
            return Ok(submitted(created, Vec::new()));
        }
        let mut submission = Submission::new(asked, &self.rules, &self.policy, self.store.now().await?)?;
        let mut tries = 0;
        loop {
            let decided = self.decided(&mut submission).await?;
            let create = create(&decided, asked, key.clone());
            match self.store.create(create).await {
                Ok(created) => return Ok(submitted(created, decided.warnings)),
                Err(StoreError::Taken(_) | StoreError::Stale(_)) if tries < MOST_TRIES => {
                    tries += 1;
                    submission.forget_builds();
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Says what would become of a submission, and records nothing.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn preview(&self, asked: &Asked) -> Result<Decided, SubmitError> {
        let mut submission = Submission::new(asked, &self.rules, &self.policy, self.store.now().await?)?;
        self.decided(&mut submission).await
    }

    async fn decided(&self, submission: &mut Submission<'_>) -> Result<Decided, SubmitError> {
        for _ in 0..MOST_ROUNDS {
            match submission.step()? {
                Decision::Done(decided) => return Ok(*decided),
                Decision::Need(needs) => {
                    let told = self.tell(&needs).await?;
                    submission.learn(*needs, told);
                }
            }
        }
        Err(Refused::from(crate::expansion::Unresolved::GivenUp).into())
    }

    /// Answers a round of questions, all at once.
    async fn tell(&self, needs: &Needs) -> Result<Told, SubmitError> {
        let modules = answer(&needs.modules, &*self.resolver, Some(&*self.store));
        let store = async { Ok::<_, StoreError>((self.reuse_from(needs).await?, self.builds(needs).await?)) };
        let (document, end_of_life, modules, store) = join4(
            self.document(needs.document.as_ref()),
            self.end_of_life(needs.end_of_life.as_ref()),
            modules,
            store,
        )
        .await;
        let (reuse_from, builds) = store?;
        Ok(Told {
            document: document?,
            end_of_life: end_of_life?,
            modules: modules?,
            reuse_from,
            builds,
            scratch: self.scratch(needs).await?,
        })
    }

    async fn document(
        &self,
        place: Option<&Place>,
    ) -> Result<Option<Result<Fetched, SourceError>>, SubmitError> {
        let Some(place) = place else { return Ok(None) };
        let fetched = self.source_control.documents(std::slice::from_ref(place)).await;
        let fetched = fetched.and_then(|mut all| all.pop().unwrap_or_else(|| Err(not_answered(place))));
        match fetched {
            Err(error) if error.is_transient() => Err(SubmitError::Source(error)),
            outcome => Ok(Some(outcome)),
        }
    }

    async fn end_of_life(
        &self,
        module: Option<&NameStream>,
    ) -> Result<Option<Result<bool, String>>, ResolverError> {
        let Some(module) = module else { return Ok(None) };
        match self.resolver.is_end_of_life(module).await {
            Ok(is_past) => Ok(Some(Ok(is_past))),
            Err(error @ (ResolverError::NotFound { .. } | ResolverError::Unsupported { .. })) => {
                Ok(Some(Err(error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    async fn reuse_from(
        &self,
        needs: &Needs,
    ) -> Result<Option<Option<(crate::ident::BuildId, State)>>, StoreError> {
        let id = match &needs.reuse_from {
            None => return Ok(None),
            Some(Named::Id(id)) => Some(*id),
            Some(Named::Nsvc(nsvc)) => self.store.find(std::slice::from_ref(nsvc)).await?.remove(nsvc),
        };
        let Some(id) = id else { return Ok(Some(None)) };
        match self.store.load(id).await {
            Ok(loaded) => Ok(Some(Some((id, loaded.build.state())))),
            Err(StoreError::NotFound(_)) => Ok(Some(None)),
            Err(error) => Err(error),
        }
    }

    async fn builds(&self, needs: &Needs) -> Result<Option<Vec<(ModuleBuild, Revision)>>, StoreError> {
        if needs.builds.is_empty() {
            return Ok(None);
        }
        let asked: Vec<Nsvc> = needs.builds.iter().cloned().collect();
        let found = self.store.find(&asked).await?;
        let loaded = try_join_all(found.into_values().map(|id| self.store.load(id))).await?;
        Ok(Some(loaded.into_iter().map(|loaded| (loaded.build, loaded.revision)).collect()))
    }

    async fn scratch(&self, needs: &Needs) -> Result<BTreeMap<Nsvc, u32>, StoreError> {
        let count =
            async |nsvc: &Nsvc| Ok::<_, StoreError>((nsvc.clone(), self.store.scratch_count(nsvc).await?));
        let counted = try_join_all(needs.scratch.iter().map(count)).await?;
        Ok(counted.into_iter().collect())
    }
}

fn not_answered(place: &Place) -> SourceError {
    let reason = "it did not answer".to_owned();
    SourceError::Unavailable { repository: place.repository.clone(), reason }
}

fn create(decided: &Decided, asked: &Asked, key: Option<IdempotencyKey>) -> Create {
    let existing = |build: &crate::submission::DecidedBuild| match build.disposition {
        Disposition::Exists(id, _) => Some(id),
        Disposition::New | Disposition::Resume(_) => None,
    };
    Create {
        new: decided.new.clone(),
        resumed: decided.resumed.clone(),
        existing: decided.builds.iter().filter_map(existing).collect(),
        notes: decided.warnings.clone(),
        by: asked.owner.clone(),
        key,
    }
}

fn submitted(created: Created, warnings: Vec<String>) -> Submitted {
    let mut builds = created.builds;
    builds.sort_by(|a, b| a.nsvc().cmp(b.nsvc()));
    Submitted { builds, warnings }
}
