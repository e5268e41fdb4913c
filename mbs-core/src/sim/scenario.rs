//! A scenario: everything that is decided before a world begins to turn. Plain data, so that it prints, shrinks and replays.

use std::time::Duration;

use super::fault::Fault;
use crate::model::RebuildStrategy;

/// A world to be: who builds what, on how many backends, and what goes wrong meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Decides all that is not written here: how long tasks and calls take, and who is quicker.
    pub seed: u64,
    /// The modules, each submitted once at its time.
    pub modules: Vec<ModuleScript>,
    /// The backends; at least one.
    pub backends: Vec<BackendScript>,
    /// The limit that operators configured; `None`: no limit.
    pub limit: Option<u32>,
    /// What happens, in no particular order.
    pub happenings: Vec<(Duration, Happening)>,
    /// What becomes of messages.
    pub messages: Messages,
    /// How long things take.
    pub timing: Timing,
    /// When the world ends.
    pub until: Until,
}

/// When a world ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When every build has ended.
    Ended,
    /// When every failed build is retired, too, and the targets are removed.
    SweptUp,
}

/// One module to build.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleScript {
    /// When it is submitted.
    pub submitted_at: Duration,
    /// The module it is a later version of, by place among the scenario's modules; `None`: a module of its own. Only earlier
    /// places count.
    pub again: Option<usize>,
    /// Its components; empty is a module of metadata only.
    pub components: Vec<ComponentScript>,
    /// How the components are ordered.
    pub order: Order,
    /// Whether it is a try only.
    pub scratch: bool,
    /// What is built again.
    pub strategy: RebuildStrategy,
    /// Its place among others.
    pub priority: i32,
    /// Whether every plan for it ends in a contradiction once it is in `build`.
    pub poisoned: bool,
}

/// One component.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentScript {
    /// Its build order group.
    pub group: u8,
    /// Places of the components it is built after; only earlier places count. Used for graphs.
    pub after: Vec<usize>,
    /// So many of its first builds fail by its own fault.
    pub fails: u8,
    /// Whether its RPMs serve the build only.
    pub buildonly: bool,
    /// How long its build is expected to take, of which the build system tells the weight; `None`: nobody knows.
    pub expected: Option<Duration>,
    /// Which of its commits is built: another one than before is a change.
    pub commit: u8,
}

/// How components are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By `buildorder`: batches are barriers.
    Batches,
    /// By `buildafter`: a graph.
    Graph,
}

/// One backend process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackendScript {
    /// What its clock reads when the world begins.
    pub ahead: Duration,
    /// How much its clock gains in a million seconds; negative: loses.
    pub drift_ppm: i32,
    /// Most looks under way at once.
    pub looks_at_once: usize,
}

/// Something that happens at its time.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// Something goes wrong.
    Goes(Fault),
    /// Somebody does something.
    Does(Deed),
}

/// What people do. Modules are given by place; one that does not exist, or was not submitted yet, leaves nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The submitter sends the same submission once more, with the same key.
    SubmitAgain(usize),
    /// Somebody uses the key for another submission.
    ReuseKey(usize),
    /// The owner cancels.
    Cancel(usize),
    /// The owner submits a failed build again.
    Resume(usize),
    /// An operator changes the limit.
    Limit(Option<u32>),
    /// An operator pauses submissions for a while.
    Pause(Duration),
    /// An operator lets the service run dry for a while.
    Drain(Duration),
}

/// What becomes of messages, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Messages {
    /// Never arrive.
    pub lost: u8,
    /// Arrive twice.
    pub doubled: u8,
    /// Arrive up to two minutes late, behind younger ones.
    pub late: u8,
}

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// The shortest build of a package; the others are heavy-tailed.
    pub build: Duration,
    /// The longest build.
    pub longest_build: Duration,
    /// The shortest repository; the longest takes three times as long.
    pub repo: Duration,
    /// The longest time until a build that was asked to be tagged is.
    pub tagging: Duration,
    /// The longest way of a call, and as long again the way back.
    pub call: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            build: Duration::from_secs(60),
            longest_build: Duration::from_secs(1_800),
            repo: Duration::from_secs(40),
            tagging: Duration::from_secs(8),
            call: Duration::from_millis(400),
        }
    }
}

impl Default for BackendScript {
    fn default() -> Self {
        Self { ahead: Duration::ZERO, drift_ppm: 0, looks_at_once: 8 }
    }
}

impl Scenario {
    /// Makes a world in which nothing goes wrong.
    pub fn calm(seed: u64, modules: Vec<ModuleScript>, limit: Option<u32>) -> Self {
        Self {
            seed,
            modules,
            backends: vec![BackendScript::default()],
            limit,
            happenings: Vec::new(),
            messages: Messages::default(),
            timing: Timing::default(),
            until: Until::Ended,
        }
    }

    /// Returns when the last thing happens that may do harm; afterwards the world is calm.
    pub fn calm_from(&self) -> Duration {
        let last = self.happenings.iter().map(|(at, what)| *at + what.lasts());
        let submitted = self.modules.iter().map(|module| module.submitted_at);
        last.chain(submitted).max().unwrap_or_default()
    }
}

impl ModuleScript {
    /// Makes a module of components in the order given.
    pub fn of(components: Vec<ComponentScript>, order: Order) -> Self {
        Self {
            submitted_at: Duration::ZERO,
            again: None,
            components,
            order,
            scratch: false,
            strategy: RebuildStrategy::All,
            priority: 0,
            poisoned: false,
        }
    }
}

impl ComponentScript {
    /// Makes a component that builds well.
    pub fn in_group(group: u8) -> Self {
        Self { group, after: Vec::new(), fails: 0, buildonly: false, expected: None, commit: 0 }
    }

    /// Makes a component of a graph that builds well.
    pub fn after(after: Vec<usize>) -> Self {
        Self { after, ..Self::in_group(0) }
    }
}

impl Happening {
    fn lasts(&self) -> Duration {
        match self {
            Happening::Goes(fault) => fault.lasts(),
            Happening::Does(Deed::Pause(time) | Deed::Drain(time)) => *time,
            Happening::Does(
                Deed::SubmitAgain(_) | Deed::ReuseKey(_) | Deed::Cancel(_) | Deed::Resume(_) | Deed::Limit(_),
            ) => Duration::ZERO,
        }
    }
}
