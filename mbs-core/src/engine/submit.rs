//! Carries a submission through: asks what [`crate::submission`] needs to know, and records what it decided. It decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{join4, try_join_all};

use super::expand::{ExpandError, answer};
use crate::expansion::Unresolved;
use crate::ident::{NameStream, Nsvc};
use crate::model::{ModuleBuild, State};
use crate::policy::Policy;
use crate::resolver::{ModuleResolver, ResolverError};
use crate::source_control::{Fetched, Place, SourceControl, SourceError};
use crate::store::{Create, Created, IdempotencyKey, Note, Store, StoreError};
use crate::submission::{
    Asked, Decided, Decision, Disposition, KnownBuilds, Named, Needs, Refused, Rules, Submission, Told,
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
        if let Some(created) = self.made_with(key.as_ref()).await? {
            return Ok(submitted(created, Vec::new()));
        }
        let mut submission = Submission::new(asked, &self.rules, &self.policy, self.store.now().await?)?;
        let desk = self.for_one_submission();
        let mut tries = 0;
        loop {
            let decided = match desk.decided(&mut submission).await {
                Ok(decided) => decided,
                // What is there already may be what another request with the same key has just made.
                Err(SubmitError::Refused(refused)) => match self.made_with(key.as_ref()).await? {
                    Some(created) => return Ok(submitted(created, Vec::new())),
                    None => return Err(refused.into()),
                },
                Err(error) => return Err(error),
            };
            let create = create(&decided, asked, key.clone());
            match self.store.create(create).await {
                Ok(created) => return Ok(submitted(created, decided.warnings)),
                Err(StoreError::Taken(nsvc)) if tries < MOST_TRIES => {
                    tries += 1;
                    submission.forget_builds(Some(nsvc));
                }
                Err(StoreError::Stale(_)) if tries < MOST_TRIES => {
                    tries += 1;
                    submission.forget_builds(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn for_one_submission(&self) -> Self {
        let resolver = self.resolver.for_one_expansion().unwrap_or_else(|| self.resolver.clone());
        Self { resolver, ..self.clone() }
    }

    async fn made_with(&self, key: Option<&IdempotencyKey>) -> Result<Option<Created>, StoreError> {
        match key {
            Some(key) => self.store.created_with(key).await,
            None => Ok(None),
        }
    }

    /// Says what would become of a submission, and records nothing.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn preview(&self, asked: &Asked) -> Result<Decided, SubmitError> {
        let mut submission = Submission::new(asked, &self.rules, &self.policy, self.store.now().await?)?;
        self.for_one_submission().decided(&mut submission).await
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
        Err(Refused::from(Unresolved::TooDeep { levels: MOST_ROUNDS }).into())
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
            Err(ResolverError::NotFound { .. }) => Ok(Some(Err("the source of modules".to_owned()))),
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

    async fn builds(&self, needs: &Needs) -> Result<Option<KnownBuilds>, StoreError> {
        if needs.builds.is_empty() {
            return Ok(None);
        }
        let asked: Vec<Nsvc> = needs.builds.iter().cloned().collect();
        let found = self.store.find(&asked).await?;
        let loaded = try_join_all(found.into_values().map(|id| self.store.load(id))).await?;
        let builds = loaded.into_iter().map(|loaded| (loaded.build, loaded.revision)).collect();
        Ok(Some(KnownBuilds { builds, at: self.store.now().await? }))
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
        notes: decided.warnings.iter().cloned().map(Note::from).collect(),
        by: asked.owner.clone(),
        key,
    }
}

fn submitted(created: Created, warnings: Vec<String>) -> Submitted {
    let mut builds = created.builds;
    builds.sort_by(|a, b| a.nsvc().cmp(b.nsvc()));
    Submitted { builds, warnings }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::ident::{Name, Stream, TagName};
    use crate::memory::samples::now_or_panic;
    use crate::memory::{ManualClock, MemoryResolver, MemorySourceControl, MemoryStore};
    use crate::modulemd::ModuleStream;
    use crate::resolver::{Against, KnownModule, Retired};
    use crate::submission::{GivenDocument, Rules};

    const DOCUMENT: &str = "document: modulemd
version: 2
data:
  name: app
  stream: '1'
  version: 5
  summary: An example
  description: An example.
  license: {module: [MIT]}
  dependencies: [{buildrequires: {platform: [f28]}, requires: {}}]
";

    fn asked() -> Asked {
        let document = GivenDocument { text: DOCUMENT.into(), file_name: None };
        Asked { owner: "anna".into(), document: Some(document), ..Asked::default() }
    }

    fn desk(resolver: Arc<dyn ModuleResolver>) -> Desk {
        let policy = Arc::new(Policy::default());
        let start = jiff::Timestamp::UNIX_EPOCH;
        Desk {
            store: Arc::new(MemoryStore::new(Arc::new(ManualClock::new()), start, &policy)),
            resolver,
            source_control: Arc::new(MemorySourceControl::new()),
            rules: Arc::new(Rules { yaml_submit_allowed: true, ..Rules::default() }),
            policy,
        }
    }

    fn platform() -> MemoryResolver {
        let document = Arc::new(ModuleStream::default());
        let nsvc = "platform:f28:1:c".parse().unwrap();
        MemoryResolver::new([KnownModule { nsvc, tag: None, document, is_ready: true }]).unwrap()
    }

    fn key() -> IdempotencyKey {
        IdempotencyKey { key: "k".into(), content: "one".into() }
    }

    /// Lets somebody else submit the same at the first question about a module.
    #[derive(Debug)]
    struct Slow(MemoryResolver, Mutex<Option<(Desk, Option<IdempotencyKey>)>>);

    #[async_trait]
    impl ModuleResolver for Slow {
        async fn latest(
            &self,
            modules: &[NameStream],
            against: &Against,
        ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
            let other = self.1.lock().unwrap().take();
            if let Some((desk, key)) = other {
                desk.submit(&asked(), key).await.unwrap();
            }
            self.0.latest(modules, against).await
        }

        async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
            self.0.streams(names).await
        }

        async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
            self.0.builds(nsvcs).await
        }

        async fn compatible_bases(
            &self,
            bases: &[Nsvc],
            retired: Retired,
        ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
            self.0.compatible_bases(bases, retired).await
        }

        async fn providers(
            &self,
            virtual_streams: &[NameStream],
        ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
            self.0.providers(virtual_streams).await
        }

        async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
            self.0.in_tag(tag).await
        }

        async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
            self.0.is_end_of_life(module).await
        }
    }

    /// Submits while somebody else submits the same with a key.
    fn overtaken(
        theirs: Option<IdempotencyKey>,
        ours: Option<IdempotencyKey>,
    ) -> Result<Submitted, SubmitError> {
        let quick = desk(Arc::new(platform()));
        let slow = Slow(platform(), Mutex::new(Some((quick.clone(), theirs))));
        let desk = Desk { resolver: Arc::new(slow), ..quick };
        now_or_panic(desk.submit(&asked(), ours))
    }

    #[test]
    fn the_same_request_that_was_faster_gives_its_builds_and_no_conflict() {
        let submitted = overtaken(Some(key()), Some(key())).unwrap();
        assert_eq!(submitted.builds.len(), 1);
    }

    #[test]
    fn another_request_that_was_faster_is_a_conflict() {
        for ours in [None, Some(key())] {
            let refused = overtaken(None, ours).unwrap_err();
            assert!(matches!(refused, SubmitError::Refused(Refused::Exists(_))), "{refused:?}");
        }
    }

    #[test]
    fn an_identity_that_is_taken_between_decision_and_record_is_decided_again() {
        let (desk, asked) = (desk(Arc::new(platform())), asked());
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut submission = Submission::new(&asked, &desk.rules, &desk.policy, now).unwrap();
        let decided = now_or_panic(desk.decided(&mut submission)).unwrap();
        now_or_panic(desk.submit(&asked, None)).unwrap();
        let taken = now_or_panic(desk.store.create(create(&decided, &asked, None))).unwrap_err();
        assert!(matches!(taken, StoreError::Taken(_)), "{taken:?}");
        submission.forget_builds(None);
        let refused = now_or_panic(desk.decided(&mut submission)).unwrap_err();
        assert!(matches!(refused, SubmitError::Refused(Refused::Exists(_))), "{refused:?}");
    }
}
