//! I5, I6, I7, I8 and I11: states, leases, and how builds end.

use jiff::Timestamp;

use super::{Books, Inspector, Invariant};
use crate::model::{Attempt, AttemptEnd, ComponentBuild, Failure, ModuleBuild, State, Transition};
use crate::policy::Policy;
use crate::store::Lease;

/// Along these arrows states change. Source: design, section 3.
const ARROWS: [(State, State); 12] = [
    (State::Init, State::Wait),
    (State::Wait, State::Build),
    (State::Build, State::Done),
    (State::Done, State::Ready),
    (State::Init, State::Failed),
    (State::Wait, State::Failed),
    (State::Build, State::Failed),
    (State::Done, State::Failed),
    (State::Failed, State::Init),
    (State::Failed, State::Wait),
    (State::Failed, State::Garbage),
    (State::Ready, State::Garbage),
];

impl Books {
    /// I8: only who holds the youngest lease, which lives by the store's clock, saves.
    pub(super) fn check_lease(&mut self, lease: &Lease, now: Timestamp) {
        let holds =
            self.leases.get(&lease.build).is_some_and(|(token, until)| *token == lease.token && *until > now);
        if !holds {
            let what = format!("{} saved it without its lease", lease.worker.0);
            self.report(Invariant::I8, Some(lease.build), what);
        }
    }

    /// I7: each change of state goes along an arrow, and none is without a row in the trace.
    pub(super) fn check_arrows(
        &mut self,
        before: &ModuleBuild,
        after: &ModuleBuild,
        transitions: &[Transition],
    ) {
        let mut state = before.state();
        for change in transitions {
            if change.from != Some(state) || !ARROWS.contains(&(state, change.to)) {
                let what = format!("it went from {state} to {}", change.to);
                self.report(Invariant::I7, Some(after.id), what);
            }
            state = change.to;
        }
        if state != after.state() {
            let what = format!("it is {} and its trace ends in {state}", after.state());
            self.report(Invariant::I7, Some(after.id), what);
        }
    }
}

impl Inspector {
    /// Checks what the ends of a build promise.
    pub(super) fn check_end(&self, books: &mut Books, before: &ModuleBuild, after: &ModuleBuild) {
        let (was, is) = (before.state(), after.state());
        let mut found = None;
        if was != is && matches!(is, State::Done | State::Ready) && was == State::Build {
            found = self.lacks(books, after).map(|what| (Invariant::I5, what));
        }
        if is == State::Ready && after.new.scratch {
            found = Some((Invariant::I5, "a scratch build became ready".to_owned()));
        }
        if is == State::Ready && was != State::Ready && !books.builds[&after.id].trace_leads_through_done(was)
        {
            found = Some((Invariant::I5, format!("it became ready from {was}")));
        }
        let is_cancelled = after.life.reason().is_some_and(|reason| reason.starts_with("Canceled by"));
        if was != State::Failed && is == State::Failed && !is_cancelled {
            found = found
                .or(unjust_failure(before, after, &self.policy, books).map(|what| (Invariant::I11, what)));
        }
        if let Some((invariant, what)) = found {
            books.report(invariant, Some(after.id), what);
        }
    }

    /// I5: says what of a finished build is not where it belongs.
    fn lacks(&self, books: &Books, build: &ModuleBuild) -> Option<String> {
        let tag = build.koji_tag.as_ref()?;
        if let Some(component) = build.components.iter().find(|component| !component.is_complete()) {
            return Some(format!("it is done, and {} is not complete", component.package));
        }
        if books.is_meddled(tag) {
            return None;
        }
        let tagged = self.grounds.builds_in(tag);
        let is_there = |component: &ComponentBuild| {
            component.build_time_only
                || component.nvr.as_ref().is_some_and(|nvr| tagged.iter().any(|build| build.nvr == *nvr))
        };
        let lacking = build.components.iter().find(|component| !is_there(component))?;
        Some(format!("it is done, and {} is not in {tag}", lacking.package))
    }
}

impl super::Watched {
    /// A save may hold several changes; from `build` they lead through `done`.
    fn trace_leads_through_done(&self, was: State) -> bool {
        matches!(was, State::Build | State::Done)
    }
}

/// Says whether the last try is said to have failed by the package's fault, and its task did not.
fn is_wronged(component: &ComponentBuild, books: &Books) -> bool {
    let is_wrong = |attempt: &Attempt| {
        let is_blamed = matches!(attempt.end, Some(AttemptEnd::Failed { failure: Failure::User, .. }));
        // A submission that was refused has no task.
        is_blamed && attempt.task.is_some_and(|task| !books.package_faults.contains(&task))
    };
    component.attempts.last().is_some_and(is_wrong)
}

/// I11: says why a failure is not one, or not of the kind it says; `None` if it is just.
fn unjust_failure(
    before: &ModuleBuild,
    after: &ModuleBuild,
    policy: &Policy,
    books: &Books,
) -> Option<String> {
    let begun = before.life.changed_at();
    let failed_by = |wanted: Failure| {
        move |c: &ComponentBuild| {
            let last = c.attempts.last().and_then(|attempt| attempt.end.as_ref());
            matches!(last, Some(AttemptEnd::Failed { failure, .. }) if *failure == wanted)
        }
    };
    let is_given_up = |c: &ComponentBuild| {
        c.tries_since(begun, |end| matches!(end, AttemptEnd::Aborted(_))) > policy.retries_aborted
            || c.tries_since(begun, |end| *end == AttemptEnd::Vanished) > policy.retries_vanished
    };
    let has = |what: &dyn Fn(&ComponentBuild) -> bool| after.components.iter().any(|c| what(c));
    if let Some(wronged) = after.components.iter().find(|c| is_wronged(c, books)) {
        return Some(format!("{} is called broken, and its task did not fail by its fault", wronged.package));
    }
    let is_late = after.components.iter().any(|c| books.late.contains(&(after.id, c.package.clone())));
    let is_out_of_patience = after.trouble.as_ref().is_some_and(|trouble| {
        after.life.changed_at().duration_since(trouble.since).unsigned_abs() >= policy.patience
    });
    match after.life.failure() {
        Some(Failure::User) if has(&failed_by(Failure::User)) => None,
        Some(Failure::User) => Some("it failed as the packager's fault, and no package failed".into()),
        _ if has(&failed_by(Failure::User)) => {
            Some("a package does not build, and that is not called the packager's fault".into())
        }
        _ if has(&is_given_up) || is_out_of_patience || is_late => None,
        _ => {
            let reason = after.life.reason().unwrap_or("no reason");
            Some(format!("it failed though every fault was within its budget: {reason}"))
        }
    }
}
