//! What becomes of each build of a submission, given what exists already. Source: behaviour, section 3, step 8.

use super::Refused;
use crate::ident::{BuildId, Nsvc};
use crate::model::{ModuleBuild, State};

/// What becomes of one build of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It is recorded.
    New,
    /// A failed build goes on.
    Resume(BuildId),
    /// It exists and has not failed: nothing to do.
    Exists(BuildId, State),
}

/// Decides for each build of a submission that is no try, in their order. `existing` holds the builds of these identities, in any order.
///
/// # Errors
/// `Exists`: there is nothing to do for any of them. `TakenByScratch`: a scratch build has one of the identities.
pub(crate) fn dispositions(wanted: &[Nsvc], existing: &[&ModuleBuild]) -> Result<Vec<Disposition>, Refused> {
    let decided =
        wanted.iter().map(|nsvc| disposition(nsvc, existing)).collect::<Result<Vec<_>, Refused>>()?;
    let exists = |disposition: &Disposition| matches!(disposition, Disposition::Exists(..));
    match decided.last() {
        Some(Disposition::Exists(_, state)) if decided.iter().all(exists) => Err(Refused::Exists(*state)),
        _ => Ok(decided),
    }
}

fn disposition(nsvc: &Nsvc, existing: &[&ModuleBuild]) -> Result<Disposition, Refused> {
    let Some(build) = existing.iter().find(|build| build.nsvc() == nsvc) else {
        return Ok(Disposition::New);
    };
    if build.new.scratch {
        return Err(Refused::TakenByScratch { nsvc: Box::new(nsvc.clone()), id: build.id });
    }
    Ok(match build.state() {
        State::Failed => Disposition::Resume(build.id),
        state @ (State::Init | State::Wait | State::Build | State::Done | State::Ready | State::Garbage) => {
            Disposition::Exists(build.id, state)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, build};
    use super::*;
    use crate::model::Failure;
    use crate::submission::RefusedAs;

    const ONE: &str = "app:1:7:one";
    const TWO: &str = "app:1:7:two";

    fn nsvc(text: &str) -> Nsvc {
        text.parse().unwrap()
    }

    fn failed(id: i64, nsvc: &str) -> ModuleBuild {
        let mut build = build(id, nsvc);
        build.life.fail("x".into(), Failure::User, at(1)).unwrap();
        build
    }

    #[test]
    fn what_does_not_exist_is_new_and_what_failed_goes_on() {
        let wanted = [nsvc(ONE), nsvc(TWO)];
        let decided = dispositions(&wanted, &[&failed(3, TWO)]);
        assert_eq!(decided, Ok(vec![Disposition::New, Disposition::Resume(BuildId(3))]));
    }

    #[test]
    fn what_exists_beside_something_to_do_is_left_alone() {
        let wanted = [nsvc(ONE), nsvc(TWO)];
        let decided = dispositions(&wanted, &[&build(3, ONE)]);
        assert_eq!(decided, Ok(vec![Disposition::Exists(BuildId(3), State::Init), Disposition::New]));
    }

    #[test]
    fn nothing_to_do_for_any_is_a_conflict_with_the_state_of_the_last() {
        let mut waiting = build(4, TWO);
        waiting.enter(State::Wait, None, at(1)).unwrap();
        let refused = dispositions(&[nsvc(ONE), nsvc(TWO)], &[&build(3, ONE), &waiting]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Module (state=1) already exists. Only a new build, resubmission of a failed build or build against new buildrequirements is allowed."
        );
        assert_eq!(refused.answered_as(), RefusedAs::Conflict);
    }

    #[test]
    fn a_retired_build_can_no_longer_be_resumed() {
        let mut retired = failed(3, ONE);
        retired.enter(State::Garbage, None, at(2)).unwrap();
        assert_eq!(dispositions(&[nsvc(ONE)], &[&retired]), Err(Refused::Exists(State::Garbage)));
    }

    #[test]
    fn an_identity_that_a_scratch_build_has_is_refused() {
        let mut scratch = failed(3, ONE);
        scratch.new.scratch = true;
        let refused = dispositions(&[nsvc(ONE)], &[&scratch]).unwrap_err();
        assert_eq!(refused.to_string(), "The context of app:1:7:one is in use by the scratch build 3");
    }

    #[test]
    fn a_submission_of_nothing_is_no_conflict() {
        assert_eq!(dispositions(&[], &[]), Ok(vec![]));
    }
}
