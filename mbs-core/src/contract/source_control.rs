//! The suite of [`SourceControl`].

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::promise::{Promise, Verdict, promises, run, there};
use super::{Broken, Kept};
use crate::ident::{CommitId, Name, Stream};
use crate::source_control::{Fetched, Place, RefQuestion, SourceControl, SourceError};

/// Source control, and somebody who commits to a repository.
#[async_trait]
pub trait SourceControlGround: Send + Sync + 'static {
    /// The source control under test, the same each time.
    fn source_control(&self) -> &dyn SourceControl;

    /// The address of a repository of its own. It needs no commit yet.
    fn repository(&self) -> String;

    /// A good address of a repository that does not exist.
    fn missing_repository(&self) -> String;

    /// Commits files on top of a branch, which comes into being with its first commit; other files stay as they are. Returns
    /// the commit and its time.
    async fn commit(&self, branch: &str, files: &[(&str, &str)]) -> (CommitId, Timestamp);

    /// Begins a branch at the newest commit of another.
    async fn branch(&self, from: &str, new: &str);

    /// Names a commit by a tag.
    async fn tag(&self, tag: &str, commit: &CommitId);

    /// Has a branch that exists name these default streams, and no others.
    async fn set_default_streams(&self, branch: &str, streams: &BTreeMap<Name, Stream>);
}

/// Tries every promise of [`SourceControl`], each on what `make` gives.
///
/// # Errors
/// `Broken` names the promises that were broken.
pub async fn source_control<G: SourceControlGround, F: Future<Output = G>>(
    make: impl Fn() -> F,
) -> Result<Kept, Broken> {
    run("SourceControl", PROMISES, make, |ground: &G| ground as &dyn SourceControlGround).await
}

const PROMISES: &[Promise<dyn SourceControlGround>] = promises![Bench:
    keeping::a_file_is_what_it_was_at_the_commit,
    keeping::answers_stand_in_the_order_of_the_places,
    keeping::a_commit_that_is_not_on_the_branch_is_refused,
    keeping::what_is_missing_is_not_found,
    keeping::a_ref_is_a_branch_then_a_tag_then_a_hash,
    keeping::every_ref_is_answered_for_itself,
    keeping::a_ref_that_looks_like_an_option_is_refused,
    keeping::default_streams_belong_to_a_branch,
];

struct Bench<'a> {
    ground: &'a dyn SourceControlGround,
    sources: &'a dyn SourceControl,
}

impl<'a> Bench<'a> {
    fn on(ground: &'a dyn SourceControlGround) -> Self {
        Self { ground, sources: ground.source_control() }
    }

    async fn commit(&self, files: &[(&str, &str)]) -> CommitId {
        self.ground.commit("main", files).await.0
    }

    fn place(&self, revision: &str, path: &str) -> Place {
        let (repository, revision) = (self.ground.repository(), revision.to_owned());
        Place { repository, revision, branch: None, path: path.to_owned() }
    }

    async fn fetch(&self, place: Place) -> Verdict<Result<Fetched, SourceError>> {
        there("answer", self.sources.documents(&[place]).await?.pop())
    }

    async fn resolve(&self, git_ref: &str) -> Verdict<Result<CommitId, SourceError>> {
        self.resolve_in(self.ground.repository(), git_ref).await
    }

    async fn resolve_in(&self, repository: String, git_ref: &str) -> Verdict<Result<CommitId, SourceError>> {
        let question = RefQuestion { repository, git_ref: git_ref.to_owned() };
        let mut answers = self.sources.resolve_refs(&BTreeSet::from([question.clone()])).await?;
        there("answer", answers.remove(&question))
    }
}

mod keeping {
    use std::collections::{BTreeMap, BTreeSet};

    use super::Bench;
    use crate::contract::promise::{Verdict, equal, refused};
    use crate::contract::samples::{commit, id};
    use crate::source_control::{Fetched, Place, RefQuestion, SourceError};

    fn is_missing(error: &SourceError) -> bool {
        matches!(error, SourceError::NotFound { .. }) && !error.is_transient()
    }

    /// `documents`: one file per place, with the commit it is from. [`Fetched`].
    pub(super) async fn a_file_is_what_it_was_at_the_commit(bench: &Bench<'_>) -> Verdict {
        let (old, old_time) = bench.ground.commit("main", &[("app.yaml", "öne\n"), ("README", "r")]).await;
        let (new, new_time) = bench.ground.commit("main", &[("app.yaml", "two\r\n")]).await;
        let file = |commit, committed_at, text: &str| Fetched { commit, committed_at, text: text.into() };
        let at_old = bench.fetch(bench.place(old.as_str(), "app.yaml")).await??;
        equal("the old file", at_old, file(old, old_time, "öne\n"))?;
        let at_new = file(new.clone(), new_time, "two\r\n");
        for revision in ["main", new.as_str()] {
            equal("the new file", &bench.fetch(bench.place(revision, "app.yaml")).await??, &at_new)?;
        }
        equal("a file that stayed", bench.fetch(bench.place("main", "README")).await??.text, "r")
    }

    /// `documents`: answers stand in the order of the places; the inner errors concern one place each.
    pub(super) async fn answers_stand_in_the_order_of_the_places(bench: &Bench<'_>) -> Verdict {
        bench.commit(&[("a", "1"), ("b/c", "2")]).await;
        let elsewhere = Place { repository: bench.ground.missing_repository(), ..bench.place("main", "a") };
        let places = [
            bench.place("main", "b/c"),
            elsewhere,
            bench.place("main", "a"),
            bench.place("main", "nothing"),
            bench.place("main", "b/c"),
        ];
        let answers = bench.sources.documents(&places).await?;
        let texts: Vec<_> =
            answers.iter().map(|answer| answer.as_ref().ok().map(|f| f.text.as_str())).collect();
        equal("the files", texts, [Some("2"), None, Some("1"), None, Some("2")])?;
        equal("the answers to no question", bench.sources.documents(&[]).await?, [])
    }

    /// [`Place::branch`]: the commit must be on this branch.
    pub(super) async fn a_commit_that_is_not_on_the_branch_is_refused(bench: &Bench<'_>) -> Verdict {
        let base = bench.commit(&[("f", "1")]).await;
        bench.ground.branch("main", "f29").await;
        let later = bench.commit(&[("f", "2")]).await;
        let on = |revision: &str, branch: &str| Place {
            branch: Some(branch.to_owned()),
            ..bench.place(revision, "f")
        };
        equal("on the branch", bench.fetch(on(base.as_str(), "f29")).await??.text, "1")?;
        equal("on the other", bench.fetch(on(later.as_str(), "main")).await??.text, "2")?;
        let refusal = SourceError::NotOnBranch { commit: later.to_string(), branch: "f29".into() };
        refused("a later commit", bench.fetch(on(later.as_str(), "f29")).await?, |error| *error == refusal)
    }

    /// [`SourceError::NotFound`]: the repository, ref or file does not exist.
    pub(super) async fn what_is_missing_is_not_found(bench: &Bench<'_>) -> Verdict {
        bench.commit(&[("f", "1")]).await;
        refused("a file", bench.fetch(bench.place("main", "nothing")).await?, is_missing)?;
        refused("a branch", bench.fetch(bench.place("f30", "f")).await?, is_missing)?;
        refused("a commit", bench.fetch(bench.place(commit('b').as_str(), "f")).await?, is_missing)?;
        refused("a ref", bench.resolve("f30").await?, is_missing)?;
        let nowhere = bench.ground.missing_repository();
        refused("a repository", bench.resolve_in(nowhere, "main").await?, is_missing)
    }

    /// `resolve_refs`: a branch of that name wins, then a tag, a short or full hash.
    pub(super) async fn a_ref_is_a_branch_then_a_tag_then_a_hash(bench: &Bench<'_>) -> Verdict {
        let first = bench.commit(&[("f", "1")]).await;
        let second = bench.commit(&[("f", "2")]).await;
        bench.ground.tag("v1", &first).await;
        bench.ground.tag("main", &first).await;
        for (git_ref, wanted) in
            [("main", &second), ("v1", &first), (first.as_str(), &first), (&second.as_str()[..12], &second)]
        {
            equal(git_ref, &bench.resolve(git_ref).await??, wanted)?;
        }
        Ok(())
    }

    /// `resolve_refs`: every question is answered; the inner errors concern one question each.
    pub(super) async fn every_ref_is_answered_for_itself(bench: &Bench<'_>) -> Verdict {
        let head = bench.commit(&[("f", "1")]).await;
        let question =
            |repository: String, git_ref: &str| RefQuestion { repository, git_ref: git_ref.into() };
        let here = bench.ground.repository();
        let good = question(here.clone(), "main");
        let missing = [question(here, "f30"), question(bench.ground.missing_repository(), "main")];
        let asked: BTreeSet<_> = missing.iter().chain([&good]).cloned().collect();
        let answers = bench.sources.resolve_refs(&asked).await?;
        equal("what is answered", answers.keys().cloned().collect::<BTreeSet<_>>(), asked)?;
        equal("the good one", answers[&good].clone()?, head)?;
        missing.iter().try_for_each(|one| refused("a missing one", answers[one].clone(), is_missing))
    }

    /// Design, section 9: option injection is closed.
    pub(super) async fn a_ref_that_looks_like_an_option_is_refused(bench: &Bench<'_>) -> Verdict {
        bench.commit(&[("f", "1")]).await;
        for git_ref in ["--upload-pack=x", "-x", ""] {
            refused(git_ref, bench.resolve(git_ref).await?, |error| !error.is_transient())?;
        }
        Ok(())
    }

    /// `default_streams`: module → stream; `None` if the branch does not exist.
    pub(super) async fn default_streams_belong_to_a_branch(bench: &Bench<'_>) -> Verdict {
        bench.commit(&[("README", "r")]).await;
        bench.ground.branch("main", "f29").await;
        let streams = BTreeMap::from([(id("perl"), id("5.30")), (id("nodejs"), id("12"))]);
        bench.ground.set_default_streams("f29", &streams).await;
        let repository = bench.ground.repository();
        let of = async |branch: &str| bench.sources.default_streams(&repository, branch).await;
        equal("of the branch", of("f29").await?, Some(streams))?;
        equal("of a branch without any", of("main").await?, Some(BTreeMap::new()))?;
        equal("of a missing branch", of("f30").await?, None)
    }
}
