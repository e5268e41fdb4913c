//! The module builds of some years, each made of its number alone: names that come and go, streams and base modules of their
//! time, versions that rise, most of it ended long ago.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use mbs_core::context::Contexts;
use mbs_core::ident::{Batch, BuildId, CommitId, ComponentId, Nsvc, Nvr, Package, TaskId, Weight};
use mbs_core::model::{
    Attempt, AttemptEnd, BuildState, ComponentBuild, ComponentSource, Failure, MACROS_PACKAGE, ModuleBuild,
    NewBuild, RebuildStrategy, State, Transition, Verdict, WhyRebuild,
};
use mbs_core::modulemd::{ModuleStream, Xmd};

use crate::dice::Dice;

/// Components of each build, the macros among them.
pub(crate) const COMPONENTS: usize = 20;

const NAMES: usize = 2_000;
const OWNERS: usize = 50;
const COMMON_PACKAGES: usize = 200;
const PACKAGES: usize = 4_800;
const START: i64 = 1_514_764_800;
const YEARS: f64 = 8.0;
const BASE: &str = "platform";

/// How many builds each submission of ten builds makes; their ids follow each other.
const SUBMISSIONS: [usize; 6] = [1, 1, 2, 1, 3, 2];

/// All builds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleet {
    pub(crate) size: usize,
}

/// A build, and the changes of state that led there.
#[derive(Debug)]
pub(crate) struct Filed {
    pub(crate) build: ModuleBuild,
    pub(crate) transitions: Vec<Transition>,
}

/// Where a build stands among those of its submission.
#[derive(Debug, Clone, Copy)]
struct Submission {
    number: usize,
    first: usize,
    member: usize,
    /// How much of all the years was over, from 0 to 1.
    era: f64,
    at: Timestamp,
}

impl Fleet {
    /// Returns the number of the first build that has not ended.
    pub(crate) fn first_under_way(&self) -> usize {
        self.size - (self.size / 300).max(20)
    }

    /// Returns the numbers of builds of a base module.
    pub(crate) fn base_builds(&self) -> Vec<usize> {
        let is_base = |number: &usize| self.submission(*number).is_base();
        (0..self.size).filter(is_base).collect()
    }

    /// Makes a build of its number, which counts from 0.
    pub(crate) fn build(&self, number: usize) -> Filed {
        let submission = self.submission(number);
        let new = self.submitted(number, submission);
        let (id, first) = (build_id(number), build_id(submission.first));
        let mut build = ModuleBuild::begin(new, id, first, submission.at);
        let mut dice = Dice::of("build", number);
        let end = self.end(number, &build, &mut dice);
        live(&mut build, end, &mut dice);
        let decorated = build.state() != State::Init;
        if decorated {
            name_tags(&mut build, submission);
        }
        if decorated && !submission.is_base() {
            build.components = components(number, &build, &mut dice).into_iter().map(Into::into).collect();
            let batches = build.components.iter().filter(|c| c.state.is_some()).map(|c| c.batch);
            build.batch = batches.max().unwrap_or(Batch(0));
            let task = TaskId(20_000_000 + id.0 * 40);
            build.repo_task = dice.percent(85).then_some(task);
        }
        let transitions = build.life.take_unsaved();
        Filed { build, transitions }
    }

    fn submission(&self, number: usize) -> Submission {
        let (ten, mut member) = (number / 10, number % 10);
        let mut place = 0;
        while member >= SUBMISSIONS[place] {
            member -= SUBMISSIONS[place];
            place += 1;
        }
        let first = number - member;
        let era = first as f64 / self.size as f64;
        let secs = (era * YEARS * 365.25 * 86_400.0) as i64;
        let at = Timestamp::from_second(START + secs).expect("it is a moment of this century");
        Submission { number: ten * SUBMISSIONS.len() + place, first, member, era, at }
    }

    fn submitted(&self, number: usize, submission: Submission) -> NewBuild {
        let mut dice = Dice::of("submission", submission.number);
        let name = submission.name(&mut dice);
        let bases = submission.bases(&mut dice);
        let stream = submission.stream(&mut dice);
        let version = submission.at.strftime("%Y%m%d%H%M%S").to_string();
        let owner = submission.owner(&mut dice);
        let scratch = !submission.is_base() && dice.percent(8);
        let contexts = contexts(&name, &bases);
        let context = match (submission.is_base(), scratch) {
            (true, _) => "00000000".to_owned(),
            (false, true) => format!("{}_1", contexts.short()),
            (false, false) => contexts.short().to_string(),
        };
        let nsvc: Nsvc = parsed(&format!("{name}:{stream}:{version}:{context}"));
        let from = format!("https://src.example.org/modules/{name}.git?#{}", dice.digits(40));
        let srpms = (scratch && dice.percent(20)).then(|| {
            let path = format!("/srv/uploads/{}/fixed.src.rpm", dice.digits(12));
            (parsed("pkg0001"), path)
        });
        let strategy = match dice.below(100) {
            0..85 => RebuildStrategy::ChangedAndAfter,
            85..95 => RebuildStrategy::All,
            _ => RebuildStrategy::OnlyChanged,
        };
        NewBuild {
            document: Arc::new(document(&nsvc, submission, &bases)),
            nsvc,
            owner,
            priority: 0,
            scratch,
            commit: None,
            scmurl: dice.percent(97).then_some(from),
            strategy,
            reuse_from: dice.percent(1).then(|| build_id(number.saturating_sub(1 + dice.skewed(number)))),
            origin: None,
            contexts: if submission.is_base() { Contexts::default() } else { contexts },
            srpms: srpms.into_iter().collect(),
            given_srpms: Vec::new(),
            base_modules: bases,
        }
    }

    /// Throws the state that a build is in.
    fn end(&self, number: usize, build: &ModuleBuild, dice: &mut Dice) -> State {
        let under_way = number >= self.first_under_way();
        match (dice.below(100), under_way, build.nsvc().name.as_str() == BASE, build.new.scratch) {
            (.., true, _) => State::Ready,
            (0..5, true, ..) => State::Init,
            (5..20, true, ..) => State::Wait,
            (20..90, true, ..) => State::Build,
            (_, true, ..) => State::Done,
            (0..33, ..) => State::Failed,
            (.., true) => State::Done,
            (33..38, ..) => State::Garbage,
            _ => State::Ready,
        }
    }
}

impl Submission {
    fn is_base(&self) -> bool {
        self.number % 1_000 == 5 && SUBMISSIONS[self.number % SUBMISSIONS.len()] > 1
    }

    /// Some names were given up early, others came late.
    fn name(&self, dice: &mut Dice) -> String {
        if self.is_base() {
            return BASE.to_owned();
        }
        let number = match dice.skewed(NAMES) {
            number if number % 5 == 0 && self.era > 0.3 => number + 2,
            number if number % 5 == 1 && self.era < 0.5 => number + 1,
            number => number,
        };
        format!("module{number:04}")
    }

    fn stream(&self, dice: &mut Dice) -> String {
        let step = (self.era * 16.0) as usize;
        match (self.is_base(), dice.below(100)) {
            (true, 0..50) => format!("f{}.{}", 26 + step, self.member),
            (true, _) => format!("el8.{}.{}", step, self.member),
            (_, 0..15) => "rolling".to_owned(),
            (_, 15..30) => format!("f{}", 26 + step),
            _ => format!("{}.{}", 1 + step / 3, dice.skewed(30)),
        }
    }

    /// Streams of the platform come and go with the years; the builds of one submission are for one each.
    fn bases(&self, dice: &mut Dice) -> Vec<Nsvc> {
        if self.is_base() {
            return Vec::new();
        }
        let step = (self.era * 16.0) as usize;
        let stream = if dice.percent(30) {
            format!("el8.{}.{}", step, self.member)
        } else {
            format!("f{}", 26 + step.saturating_sub(dice.skewed(3)) + self.member)
        };
        let base = |stream: &str, version: usize| parsed(&format!("{BASE}:{stream}:{version}:00000000"));
        let mut bases = vec![base(&stream, 1 + dice.skewed(6))];
        if dice.percent(3) {
            bases.push(parsed("eln-base:rolling:1:c0ffee00"));
        }
        bases
    }

    fn owner(&self, dice: &mut Dice) -> String {
        let number = match dice.skewed(OWNERS) {
            number if number % 4 == 0 && self.era > 0.4 => number + 1,
            number => number,
        };
        format!("packager{number:02}")
    }
}

/// Returns the id of a build's number.
pub(crate) fn build_id(number: usize) -> BuildId {
    BuildId(number as i64 + 1)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("what the fleet makes up is well-formed")
}

fn contexts(name: &str, bases: &[Nsvc]) -> Contexts {
    let stream = bases.first().map_or("", |base| base.stream.as_str());
    let digits = |of: &str| Dice::of(of, 0).digits(40);
    Contexts {
        build: digits(&format!("{stream} {name}")),
        build_without_base: digits(name),
        runtime: digits(&format!("{}{stream}", name.get(..7).unwrap_or(name))),
    }
}

fn document(nsvc: &Nsvc, submission: Submission, bases: &[Nsvc]) -> ModuleStream {
    let map = |entries: Vec<(&str, Xmd)>| {
        Xmd::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let text = |text: &str| Xmd::Text(text.to_owned());
    let required = |base: &Nsvc| {
        let entries = vec![
            ("stream", text(base.stream.as_str())),
            ("version", text(&base.version.to_string())),
            ("context", text(base.context.as_str())),
            ("koji_tag", text(&format!("module-{}-build", base.stream))),
        ];
        (base.name.to_string(), map(entries))
    };
    let mut mbs = vec![("buildrequires", Xmd::Map(bases.iter().map(required).collect()))];
    if submission.is_base() {
        let major: String = nsvc.stream.as_str().split('.').next().unwrap_or_default().to_owned();
        let family = major.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        mbs.push(("virtual_streams", Xmd::Seq(vec![text(&family), text(&major)])));
    }
    ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        version: Some(nsvc.version.0),
        context: Some(nsvc.context.to_string()),
        summary: "A module".into(),
        description: "A module that does a few things well.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd: map(vec![("mbs", map(mbs))]),
        ..ModuleStream::default()
    }
}

/// Takes a new build to the state in which it is.
fn live(build: &mut ModuleBuild, end: State, dice: &mut Dice) {
    let after = |secs: usize| build.submitted_at + SignedDuration::from_secs(secs as i64);
    let built = after(900 + dice.skewed(20_000));
    let way: &[(State, Timestamp)] = match end {
        State::Init => &[],
        State::Wait => &[(State::Wait, after(40))],
        State::Build => &[(State::Wait, after(40)), (State::Build, after(90))],
        State::Done => &[(State::Wait, after(40)), (State::Build, after(90)), (State::Done, built)],
        State::Failed if dice.percent(10) => &[(State::Failed, after(20))],
        State::Failed => &[(State::Wait, after(40)), (State::Build, after(90)), (State::Failed, built)],
        State::Ready => &[
            (State::Wait, after(40)),
            (State::Build, after(90)),
            (State::Done, built),
            (State::Ready, built + SignedDuration::from_secs(9)),
        ],
        State::Garbage => &[
            (State::Wait, after(40)),
            (State::Build, after(90)),
            (State::Failed, built),
            (State::Garbage, built + SignedDuration::from_hours(24 * 180)),
        ],
    };
    for (state, at) in way {
        let entered = match state {
            State::Failed => build.life.fail(reason(dice), Failure::User, *at),
            state => build.enter(*state, None, *at),
        };
        entered.expect("the way follows the arrows");
    }
    if end == State::Failed {
        build.life.settle();
        build.is_target_removed = true;
    }
}

fn reason(dice: &mut Dice) -> String {
    match dice.below(10) {
        0 => format!("Canceled by packager{:02}.", dice.skewed(OWNERS)),
        1 => "Cannot submit the buildroot: the hub did not answer.".to_owned(),
        _ => format!("Component(s) pkg{:04} failed to build.", dice.skewed(PACKAGES)),
    }
}

fn name_tags(build: &mut ModuleBuild, submission: Submission) {
    let nsvc = build.nsvc();
    let tag = format!("module-{}-{}-{}-{}", nsvc.name, nsvc.stream, nsvc.version, nsvc.context);
    let release = 26 + (submission.era * 16.0) as usize;
    build.koji_tag = Some(parsed(&tag));
    build.cg_tag = Some(parsed(&format!("f{release}-modular-updates-candidate")));
    build.arches = ["aarch64", "x86_64"].map(parsed).to_vec();
}

/// The macros, three of the packages that many modules have, and those of the module itself.
fn components(number: usize, build: &ModuleBuild, dice: &mut Dice) -> Vec<ComponentBuild> {
    let mut of_module = Dice::of(build.nsvc().name.as_str(), 1);
    let (common, own) = (of_module.below(COMMON_PACKAGES), of_module.below(PACKAGES));
    let complete = match build.state() {
        State::Build => dice.below(COMPONENTS - 3),
        State::Failed | State::Garbage => dice.below(COMPONENTS - 1),
        State::Wait => 0,
        State::Init | State::Done | State::Ready => COMPONENTS,
    };
    let component = |place: usize| {
        let package = match place {
            0 => MACROS_PACKAGE.to_owned(),
            1..4 => format!("lib{:03}", (common + place * 67) % COMMON_PACKAGES),
            _ => format!("pkg{:04}", (own + place * 37) % PACKAGES),
        };
        let mut component = unstarted(&package, place, dice);
        component.id = Some(ComponentId((number * COMPONENTS + place) as i64 + 1));
        match build.state() {
            _ if place < complete => finish(&mut component, (number, place), build, dice),
            State::Build if place < complete + 3 => start(&mut component, (number, place), build),
            State::Failed | State::Garbage if place == complete => {
                start(&mut component, (number, place), build);
                fail(&mut component);
            }
            _ => {}
        }
        component
    };
    (0..COMPONENTS).map(component).collect()
}

fn unstarted(package: &str, place: usize, dice: &mut Dice) -> ComponentBuild {
    let mut of_package = Dice::of(package, dice.skewed(12));
    let weight = Weight::new((of_package.skewed(400) as f64 + 50.0) / 100.0);
    let source = match place {
        0 => ComponentSource::Macros,
        _ => ComponentSource::Git {
            url: format!("https://src.example.org/rpms/{package}"),
            commit: CommitId::new(of_package.digits(40)).expect("40 digits are a commit"),
        },
    };
    let batch = Batch(if place == 0 { 1 } else { 2 + (place as u32 - 1) / 5 });
    let mut component = ComponentBuild::new(parsed::<Package>(package), source, batch);
    component.arches = ["aarch64", "x86_64"].map(parsed).to_vec();
    component.buildonly = place > 0 && dice.percent(4);
    component.build_time_only = place == 0;
    component.verdict = Some(Verdict::Rebuild(WhyRebuild::Strategy));
    component.weight = weight;
    component
}

fn start(component: &mut ComponentBuild, (number, place): (usize, usize), build: &ModuleBuild) {
    let task = Some(TaskId(30_000_000 + (number * COMPONENTS + place) as i64));
    let begun = build.submitted_at + SignedDuration::from_secs(120 + place as i64);
    component.attempts = vec![Attempt {
        number: 1,
        intended_at: begun,
        not_after: begun + SignedDuration::from_secs(30),
        task,
        end: None,
    }];
    (component.state, component.task) = (Some(BuildState::Building), task);
    component.reason = Some("Building it".into());
}

fn finish(
    component: &mut ComponentBuild,
    (number, place): (usize, usize),
    build: &ModuleBuild,
    dice: &mut Dice,
) {
    let version = format!("1.{}", dice.skewed(40));
    let mut nvr = |of: usize| {
        let release = format!("{}.module_f33+{}+{}", 1 + dice.below(9), of, build.nsvc().context);
        Nvr::of(component.package.as_str(), &version, &release)
    };
    let (own, back) = (nvr(number), 10 * (1 + number % 7));
    if build.new.strategy != RebuildStrategy::All && place > 0 && number % 3 == 0 && number > back {
        let (from, nvr) = (number - back, nvr(number - back));
        let task = Some(TaskId(30_000_000 + (from * COMPONENTS + place) as i64));
        let id = Some(ComponentId((from * COMPONENTS + place) as i64 + 1));
        component.verdict = Some(Verdict::Reuse { from: id, build: build_id(from), nvr: nvr.clone(), task });
        component.reason = Some("Reused component from previous module build".into());
        (component.task, component.nvr) = (task, Some(nvr));
    } else {
        start(component, (number, place), build);
        let attempt = component.live_attempt_mut().expect("it was begun");
        attempt.end = Some(AttemptEnd::Complete(own.clone()));
        (component.reason, component.nvr) = (None, Some(own));
    }
    component.state = Some(BuildState::Complete);
    component.tagged = true;
    component.tagged_in_final = !component.build_time_only;
}

fn fail(component: &mut ComponentBuild) {
    let reason = "BuildError: error building package (arch x86_64), mock exited with status 1".to_owned();
    let attempt = component.live_attempt_mut().expect("it was begun");
    attempt.end = Some(AttemptEnd::Failed { reason: reason.clone(), failure: Failure::User });
    component.state = Some(BuildState::Failed);
    component.reason = Some(reason);
}
