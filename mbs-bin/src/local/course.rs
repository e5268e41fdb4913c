//! What becomes of a request, given the builds that the results directory holds already: go on, resume, or begin anew.
//!
//! One build at a time is worked on in a directory. Unfinished ones that are not meant are cancelled: what is complete in
//! them is reused when they are asked for again.

use mbs_core::ident::NameStream;
use mbs_core::model::{ModuleBuild, State};

use super::origin::Origin;
use crate::exit::Stop;

/// What the user asked about earlier builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Go on with an unfinished build of the same document and options, else begin a new one.
    Usual,
    /// Go on with the last build of the module, even if it failed; never begin a new one.
    Resume,
    /// Begin a new one in any case, and take nothing from earlier ones.
    Fresh,
}

/// A build of the directory, and what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// The record.
    pub build: ModuleBuild,
    /// The document and options; `None` if that is not known.
    pub origin: Option<String>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Unfinished builds to cancel first.
    pub cancelled: Vec<ModuleBuild>,
    /// What is worked on.
    pub next: Next,
}

/// Which builds are worked on.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// These, which are unfinished.
    GoOn(Vec<ModuleBuild>),
    /// These, which failed and are submitted again.
    Resume(Vec<ModuleBuild>),
    /// New ones.
    Begin,
}

impl Earlier {
    fn is_unfinished(&self) -> bool {
        match self.build.state() {
            State::Init | State::Wait | State::Build => true,
            State::Done => !self.build.new.scratch,
            State::Failed | State::Ready | State::Garbage => false,
        }
    }

    fn is_from(&self, origin: &Origin) -> bool {
        self.origin.as_deref() == Some(origin.as_str())
    }
}

/// Decides the course for a module. `earlier` holds every build of the directory.
///
/// # Errors
/// `Usage`: there is nothing to resume, or what could be resumed was made from something else.
pub fn course(earlier: &[Earlier], module: &NameStream, origin: &Origin, mode: Mode) -> Result<Course, Stop> {
    let (meant, others): (Vec<&Earlier>, Vec<&Earlier>) = earlier
        .iter()
        .filter(|one| one.is_unfinished())
        .partition(|one| one.is_from(origin) && mode != Mode::Fresh);
    let next = match mode {
        _ if !meant.is_empty() => Next::GoOn(meant.into_iter().map(|one| one.build.clone()).collect()),
        Mode::Resume => Next::Resume(resumable(earlier, module, origin)?),
        Mode::Usual | Mode::Fresh => Next::Begin,
    };
    let cancelled = others.into_iter().map(|one| one.build.clone());
    Ok(Course { cancelled: cancelled.filter(|build| build.state().can_be_cancelled()).collect(), next })
}

/// Returns the builds of the module's last submission that failed; at least one.
fn resumable(earlier: &[Earlier], module: &NameStream, origin: &Origin) -> Result<Vec<ModuleBuild>, Stop> {
    let of_module = || earlier.iter().filter(|one| one.build.nsvc().name_stream() == *module);
    let Some(last) = of_module().max_by_key(|one| one.build.id) else {
        return Err(Stop::Usage(format!("there is nothing to resume: {module} was not built here yet")));
    };
    let nsvc = last.build.nsvc();
    let siblings = of_module().filter(|one| one.build.nsvc().version == nsvc.version);
    let failed: Vec<&Earlier> = siblings.filter(|one| one.build.state() == State::Failed).collect();
    if failed.is_empty() {
        let state = last.build.state();
        return Err(Stop::Usage(format!("there is nothing to resume: the last build, {nsvc}, is {state}")));
    }
    if !failed.iter().all(|one| one.is_from(origin)) {
        let what = format!(
            "{nsvc} cannot be resumed: document or options changed since; \
             without --resume a new build takes from it what still fits"
        );
        return Err(Stop::Usage(what));
    }
    Ok(failed.into_iter().map(|one| one.build.clone()).collect())
}

#[cfg(test)]
mod tests {
    use mbs_core::ident::BuildId;

    use super::super::testing::module_build;
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::from_text(text)
    }

    fn earlier(id: i64, nsvc: &str, state: State, from: &str) -> Earlier {
        let mut build = module_build(nsvc);
        build.id = BuildId(id);
        let now = "2024-01-02T03:04:05Z".parse().unwrap();
        let way: &[State] = match state {
            State::Init => &[],
            State::Wait => &[State::Wait],
            State::Build => &[State::Wait, State::Build],
            State::Done => &[State::Wait, State::Build, State::Done],
            State::Ready => &[State::Wait, State::Build, State::Done, State::Ready],
            State::Failed => &[State::Failed],
            State::Garbage => &[State::Failed, State::Garbage],
        };
        for state in way {
            build.enter(*state, None, now).unwrap();
        }
        Earlier { build, origin: Some(from.into()) }
    }

    fn decided(earlier: &[Earlier], mode: Mode) -> Result<Course, Stop> {
        course(earlier, &"app:1".parse().unwrap(), &origin("mine"), mode)
    }

    fn ids(builds: &[ModuleBuild]) -> Vec<i64> {
        builds.iter().map(|build| build.id.0).collect()
    }

    #[test]
    fn an_unfinished_build_of_the_same_request_goes_on() {
        for state in [State::Init, State::Wait, State::Build, State::Done] {
            for mode in [Mode::Usual, Mode::Resume] {
                let course = decided(&[earlier(3, "app:1:2:c", state, "mine")], mode).unwrap();
                assert!(matches!(&course.next, Next::GoOn(builds) if ids(builds) == [3]), "{state}");
                assert!(course.cancelled.is_empty());
            }
        }
    }

    #[test]
    fn after_a_finished_build_a_new_one_begins() {
        for state in [State::Failed, State::Ready, State::Garbage] {
            let course = decided(&[earlier(3, "app:1:2:c", state, "mine")], Mode::Usual).unwrap();
            assert_eq!(course, Course { cancelled: vec![], next: Next::Begin });
        }
    }

    #[test]
    fn unfinished_builds_that_are_not_meant_are_cancelled() {
        let builds =
            [earlier(3, "app:1:2:c", State::Build, "other"), earlier(4, "lib:1:2:c", State::Init, "lib")];
        let course = decided(&builds, Mode::Usual).unwrap();
        assert_eq!((ids(&course.cancelled), course.next), (vec![3, 4], Next::Begin));
    }

    #[test]
    fn fresh_cancels_even_what_is_meant() {
        let builds = [earlier(3, "app:1:2:c", State::Build, "mine")];
        let course = decided(&builds, Mode::Fresh).unwrap();
        assert_eq!((ids(&course.cancelled), course.next), (vec![3], Next::Begin));
    }

    #[test]
    fn a_build_that_cannot_be_cancelled_any_more_is_left_alone() {
        let course = decided(&[earlier(3, "app:1:2:c", State::Done, "other")], Mode::Usual).unwrap();
        assert_eq!(course, Course { cancelled: vec![], next: Next::Begin });
    }

    #[test]
    fn resume_takes_up_the_failed_contexts_of_the_last_version() {
        let builds = [
            earlier(3, "app:1:2:a", State::Failed, "mine"),
            earlier(4, "app:1:3:a", State::Failed, "mine"),
            earlier(5, "app:1:3:b", State::Ready, "mine"),
            earlier(6, "lib:1:9:a", State::Failed, "lib"),
        ];
        let course = decided(&builds, Mode::Resume).unwrap();
        assert!(matches!(&course.next, Next::Resume(builds) if ids(builds) == [4]), "{course:?}");
    }

    #[test]
    fn resume_without_anything_to_resume_says_why() {
        let none = decided(&[], Mode::Resume).unwrap_err().to_string();
        assert_eq!(none, "there is nothing to resume: app:1 was not built here yet");
        let ready = decided(&[earlier(3, "app:1:2:c", State::Ready, "mine")], Mode::Resume).unwrap_err();
        assert_eq!(ready.to_string(), "there is nothing to resume: the last build, app:1:2:c, is ready");
    }

    #[test]
    fn resume_of_another_document_is_refused() {
        let refused = decided(&[earlier(3, "app:1:2:c", State::Failed, "old")], Mode::Resume).unwrap_err();
        assert!(matches!(&refused, Stop::Usage(what) if what.contains("changed since")), "{refused}");
    }
}
