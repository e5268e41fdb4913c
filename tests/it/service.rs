//! Does the service, deployed as it will be, bring every module to its end, whatever goes wrong meanwhile?

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use mbs_core::ident::BuildId;
use mbs_core::model::State;
use mbs_core::store::{Sink, Store};
use mbs_koji::hub::Hub;
use mbs_koji::profile::{Login, Profile};
use mbs_koji::xmlrpc::{Call, Struct, Value as Wire};
use mbs_local::SystemClock;
use mbs_tests::service::{BRANCH, MODULES, PREFIX, Service, Witness, request, scmurl};
use mbs_tests::within::eventually;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// So many packages has a module that succeeds, its macros included.
const PACKAGES: usize = 5;

/// Modules by number: one that its owner cancels, one that an administrator does, and one that cannot be built.
const BY_OWNER: usize = 0;
const BY_ADMIN: usize = 1;
const BROKEN: usize = MODULES - 1;

/// So many modules fail.
const FAILING: usize = 3;

mod upgrade;

struct Stage {
    runtime: Runtime,
    service: Service,
    witness: Witness,
    /// Ids by the numbers of modules.
    ids: BTreeMap<usize, i64>,
}

impl Stage {
    fn new() -> Result<Self> {
        let runtime = Runtime::new()?;
        let service = runtime.block_on(Service::start(env!("CARGO_BIN_EXE_service-hub"), 2, 2))?;
        let witness = runtime.block_on(Witness::begin(service.broker.url()))?;
        Ok(Self { runtime, service, witness, ids: BTreeMap::new() })
    }

    fn store(&self) -> &dyn Store {
        &*self.service.opened.store
    }

    /// Submits a module: every other one by the command, as anna, the rest by plain HTTP, as bert.
    fn submit(&mut self, number: usize) -> Result<()> {
        let url = scmurl(&self.service, number)?;
        let id = if number.is_multiple_of(2) {
            let ran = self.service.mbs_build("anna", number, &["submit", &url, BRANCH])?;
            let id = ran.out.trim().strip_prefix("Submitted module build ");
            id.and_then(|id| id.parse().ok()).with_context(|| format!("{ran:?}"))?
        } else {
            let body = json!({"scmurl": url, "branch": BRANCH});
            let (status, answer) =
                request(&self.service, ("bert", number), ("POST", "2/module-builds/"), &body)?;
            ensure!(status == 201, "{answer}");
            answer[0]["id"].as_i64().with_context(|| answer.to_string())?
        };
        self.ids.insert(number, id);
        Ok(())
    }

    fn cancel(&self, person: &str, number: usize) -> Result<(u16, Value)> {
        let path = format!("1/module-builds/{}", self.ids[&number]);
        request(&self.service, (person, number), ("PATCH", &path), &json!({"state": "failed"}))
    }

    fn built(&self, number: usize) -> Result<Value> {
        let path = format!("1/module-builds/{}", self.ids[&number]);
        Ok(request(&self.service, ("bert", number), ("GET", &path), &Value::Null)?.1)
    }

    fn explained(&self, number: usize) -> Result<String> {
        let path = format!("2/module-builds/{}/explain", self.ids[&number]);
        Ok(request(&self.service, ("bert", number), ("GET", &path), &Value::Null)?.1.to_string())
    }

    fn limit(&self, limit: &str) -> Result<()> {
        let ran = self.service.mbs_manager(&["limit", limit])?;
        ensure!(ran.status == Some(0), "{ran:?}");
        Ok(())
    }

    /// Returns how many builds are in a state.
    fn count(&self, state: State) -> Result<u64> {
        Ok(self.runtime.block_on(self.store().figures())?.by_state[&state])
    }

    fn goes_on_until(&mut self, what: &str, look: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        eventually(what, || {
            self.service.check()?;
            let failed = self.count(State::Failed)?;
            ensure!(failed <= FAILING as u64, "{failed} modules have failed");
            Ok(look(self)?.then_some(()))
        })
    }
}

/// What people do: they submit everything, and two builds are cancelled.
fn act(stage: &mut Stage) -> Result<()> {
    (2..MODULES).chain([BY_OWNER, BY_ADMIN]).try_for_each(|number| stage.submit(number))?;
    let id = stage.ids[&BY_OWNER].to_string();
    let (refused, message) = stage.cancel("bert", BY_OWNER)?;
    ensure!(refused == 403, "{message}");
    let ran = stage.service.mbs_build("anna", 1, &["cancel", &id])?;
    ensure!(ran.status == Some(0), "{ran:?}");
    let (done, message) = stage.cancel("chief", BY_ADMIN)?;
    ensure!(done == 200, "{message}");
    Ok(())
}

/// What goes wrong meanwhile.
fn trouble(stage: &mut Stage) -> Result<()> {
    stage.service.kill_backend(0)?;
    stage.limit("6")?;
    stage.goes_on_until("a module that is ready", |stage| Ok(stage.count(State::Ready)? > 1))?;
    stage.service.start_backend(0)?;
    stage.service.set_hub_down(true)?;
    stage.goes_on_until("a build that waits for the hub", |stage| {
        Ok((2..BROKEN).any(|number| stage.explained(number).is_ok_and(|why| why.contains("trying again at"))))
    })?;
    stage.service.set_hub_down(false)?;
    stage.limit("40")?;
    stage.service.broker.stop()?;
    stage.goes_on_until("an event that waits for the broker", |stage| {
        let pending = stage.runtime.block_on(stage.store().figures())?.pending;
        Ok(pending.get(&Sink("bus".into())).is_some_and(|waiting| *waiting > 0))
    })?;
    stage.service.kill_backend(1)?;
    stage.service.broker.resume()?;
    stage.service.start_backend(1)
}

fn assert_ended_as_they_should(stage: &Stage) -> Result<()> {
    for number in 0..MODULES {
        let build = stage.built(number)?;
        let (state, reason) = (&build["state_name"], build["state_reason"].as_str().unwrap_or_default());
        match number {
            BY_OWNER => ensure!(state == "failed" && reason == "Canceled by anna.", "{build}"),
            BY_ADMIN => ensure!(state == "failed" && reason == "Canceled by chief.", "{build}"),
            BROKEN => ensure!(state == "failed" && reason.contains("broken"), "{build}"),
            _ => ensure!(state == "ready", "{build}"),
        }
    }
    Ok(())
}

/// Each build's events, in the order of its changes; one that came again came right after itself, and as it was.
fn assert_told(stage: &Stage) -> Result<usize> {
    let mut told: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    let mut again = 0;
    for event in stage.witness.told() {
        ensure!(event.topic == format!("{PREFIX}.mbs.module.state.change"), "{}", event.topic);
        let events = told.entry(event.body["id"].as_i64().context("an event without id")?).or_default();
        if events.last() == Some(&event.body) {
            again += 1;
        } else {
            events.push(event.body);
        }
    }
    for (number, id) in &stage.ids {
        let trace = stage.runtime.block_on(stage.store().trace(BuildId(*id)))?;
        let changes: Vec<&str> = trace.iter().map(|change| change.to.name()).collect();
        let events = told.get(id).map(Vec::as_slice).unwrap_or_default();
        let states: Vec<&str> = events.iter().filter_map(|event| event["state_name"].as_str()).collect();
        ensure!(states == changes, "build {id}: {states:?} were told, {changes:?} happened");
        let mut shown = stage.built(*number)?;
        let last = events.last().context("a build without events")?.clone();
        let members = shown.as_object_mut().context("a build is an object")?;
        members.remove("tasks");
        // A record is touched after its last change of state, too.
        members.insert("time_modified".into(), last["time_modified"].clone());
        ensure!(shown == last || *number < 2, "{shown} is shown, {last} was told");
    }
    Ok(again)
}

/// Counts the hub's build tasks by state.
fn tasks(stage: &Stage) -> Result<BTreeMap<i64, usize>> {
    let profile = Profile::new("koji", stage.service.hub_url(), Login::Anonymous);
    let hub = Hub::new(&profile, Arc::new(SystemClock::new()))?;
    let all = Call::new("listTasks").keyword("opts", Struct::from([("method", "build")]));
    let answer = stage.runtime.block_on(hub.read(&all))?;
    let mut counts = BTreeMap::new();
    for task in answer.as_array().context("no list of tasks")? {
        *counts
            .entry(task.member("state").and_then(Wire::as_int).context("a task without state")?)
            .or_default() += 1;
    }
    Ok(counts)
}

/// Koji's numbers of the states of tasks that have ended.
const CLOSED: i64 = 2;
const CANCELED: i64 = 3;
const FAILED: i64 = 5;

fn assert_built_once(stage: &Stage) -> Result<BTreeMap<i64, usize>> {
    let tasks = tasks(stage)?;
    let of = |state| tasks.get(&state).copied().unwrap_or_default();
    // A second build of anything would have failed, for it was there.
    ensure!(of(FAILED) == 1, "the broken package is the only one to fail: {tasks:?}");
    ensure!(of(CLOSED) >= (MODULES - FAILING) * PACKAGES, "{tasks:?}");
    let ended = of(CLOSED) + of(CANCELED) + of(FAILED);
    ensure!(tasks.values().sum::<usize>() == ended, "something is still being built: {tasks:?}");
    Ok(tasks)
}

fn assert_shown(stage: &Stage) -> Result<()> {
    let shown = |arguments: &[&str]| stage.service.mbs_build("anna", 0, arguments);
    let ready = stage.ids[&2].to_string();
    let overview = shown(&["overview", "--finished", "--limit", "40"])?;
    ensure!(overview.status == Some(0) && overview.out.lines().count() > MODULES, "{overview:?}");
    for (command, says) in [("info", "module-build-macros-0.1-1"), ("watch", "is in the \"ready\" state")] {
        let ran = shown(&[command, &ready])?;
        ensure!(ran.status == Some(0) && ran.out.contains(says), "{ran:?}");
    }
    Ok(())
}

fn play(stage: &mut Stage) -> Result<String> {
    act(stage)?;
    trouble(stage)?;
    let (ready, failed) = ((MODULES - FAILING) as u64 + 1, FAILING as u64);
    stage.goes_on_until("the end of all modules", |stage| {
        Ok(stage.count(State::Ready)? == ready && stage.count(State::Failed)? == failed)
    })?;
    assert_ended_as_they_should(stage)?;
    stage.goes_on_until("all tasks to end", |stage| {
        Ok(tasks(stage)?.keys().all(|state| [CLOSED, CANCELED, FAILED].contains(state)))
    })?;
    let tasks = assert_built_once(stage)?;
    stage
        .goes_on_until("all events to be told", |stage| Ok(assert_told(stage).is_ok()))
        .or_else(|_| assert_told(stage).map(drop))?;
    let again = assert_told(stage)?;
    assert_shown(stage)?;
    stage.service.stop_backend(0)?;
    stage.service.stop_backend(1)?;
    Ok(format!("build tasks by state: {tasks:?}; {again} events came again"))
}

#[test]
fn thirty_modules_end_as_they_should_whatever_goes_wrong_meanwhile() {
    let mut stage = Stage::new().unwrap();
    let played = play(&mut stage);
    let told = played.map_err(|error| format!("{error:#}\n{}", stage.service.tails()));
    println!("{}", told.unwrap());
}
