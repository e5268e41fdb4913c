//! Drives the builds of a run to their end: the engine beside a display, and what a person's Ctrl-C does.
//!
//! The engine decides when to look; this waits for news of it, and for signals.

use std::collections::BTreeMap;
use std::sync::Arc;

use mbs_core::bus::Hint;
use mbs_core::engine::Engine;
use mbs_core::ident::BuildId;
use mbs_core::model::{ModuleBuild, State};
use mbs_core::store::Store;
use mbs_local::LocalBuildSystem;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::cancel::cancel;
use super::display::Display;
use super::machine::Machine;
use super::news::{History, Told};
use super::record::Record;
use super::submit::{Submitted, ids};
use crate::exit::Stop;

/// A run under way.
pub struct Run {
    record: Record,
    machine: Machine,
    display: Display,
    user: String,
    builds: Vec<BuildId>,
    told: BTreeMap<BuildId, Told>,
    /// The engine, and who passes hints to it.
    helpers: JoinSet<()>,
    woken: Arc<Notify>,
}

impl Run {
    /// Starts the engine on what was submitted.
    ///
    /// # Errors
    /// `Machine`: the record cannot be read.
    pub async fn start(
        engine: Engine,
        record: Record,
        machine: Machine,
        display: Display,
        submitted: &Submitted,
    ) -> Result<Self, Stop> {
        let (mut told, store) = (BTreeMap::new(), record.store.clone());
        for build in submitted.builds.iter().filter(|_| submitted.is_taken_up) {
            told.insert(build.id, Told::up_to(build, &history(&*store, build.id).await?));
        }
        // What waits for a time, waits for one that an earlier run chose.
        store.wake(&[Hint::Everything]).await?;
        let woken = Arc::new(Notify::new());
        let mut helpers = JoinSet::new();
        let wake = woken.clone();
        let woke = move || wake.notify_one();
        helpers.spawn(pass_hints(machine.build_system.clone(), store.clone(), woke));
        helpers.spawn(drive(engine, woken.clone()));
        let user = super::submit::user();
        let builds = ids(&submitted.builds);
        Ok(Self { record, machine, display, user, builds, told, helpers, woken })
    }

    /// Shows progress until every build has ended, and returns them.
    ///
    /// The first Ctrl-C cancels what is unfinished, the second ends the run at once.
    ///
    /// # Errors
    /// `Machine`: the record cannot be kept, or the engine stopped. `Failed`: a second Ctrl-C came.
    pub async fn to_end(&mut self) -> Result<Vec<ModuleBuild>, Stop> {
        let ended = self.watch().await;
        self.helpers.shutdown().await;
        self.record.close().await;
        self.display.end();
        ended
    }

    async fn watch(&mut self) -> Result<Vec<ModuleBuild>, Stop> {
        let (mut news, mut failure) = (self.record.news(), self.record.failure());
        let mut signals = Signals::listen()?;
        let mut is_cancelled = false;
        loop {
            news.mark_unchanged();
            let builds = self.show().await?;
            if builds.iter().all(is_over) {
                return Ok(builds);
            }
            tokio::select! {
                told = news_of(&mut news) => told?,
                stopped = end_of_writing(&mut failure) => return Err(stopped),
                stopped = end_of_one(&mut self.helpers) => return Err(stopped),
                () = signals.next() => {
                    if is_cancelled {
                        return Err(Stop::Failed("stopped before everything had ended".to_owned()));
                    }
                    is_cancelled = true;
                    self.cancel().await?;
                }
            }
        }
    }

    /// Tells what is new, and returns the builds as they are.
    async fn show(&mut self) -> Result<Vec<ModuleBuild>, Stop> {
        let now = self.record.store.now().await?;
        let mut builds = Vec::new();
        for id in &self.builds {
            let build = self.record.store.load(*id).await?.build;
            let history = history(&*self.record.store, *id).await?;
            let news = self.told.entry(*id).or_default().news(&build, &history, now);
            self.display.tell(&build, &news, &self.machine);
            builds.push(build);
        }
        self.display.draw(&builds, &self.machine);
        Ok(builds)
    }

    async fn cancel(&self) -> Result<(), Stop> {
        self.display.say("cancelling; once more to stop at once");
        for id in &self.builds {
            cancel(&*self.record.store, *id, &self.user).await?;
        }
        self.woken.notify_one();
        Ok(())
    }
}

async fn history(store: &dyn Store, id: BuildId) -> Result<History, Stop> {
    let notes = store.log(id).await?.into_iter().map(|line| line.text).collect();
    Ok(History { trace: store.trace(id).await?, notes })
}

/// Says whether a build has ended, with nothing of it under way any more.
fn is_over(build: &ModuleBuild) -> bool {
    match build.state() {
        State::Init | State::Wait | State::Build => false,
        State::Done => build.new.scratch,
        State::Failed => build.life.is_settled(),
        State::Ready | State::Garbage => true,
    }
}

/// Waits for the next news of the record.
async fn news_of(news: &mut watch::Receiver<u64>) -> Result<(), Stop> {
    news.changed().await.map_err(|_| Stop::Machine("the record of builds was closed".to_owned()))
}

/// Waits until the record cannot be written.
async fn end_of_writing(failure: &mut watch::Receiver<Option<Arc<str>>>) -> Stop {
    match failure.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(error)) => Stop::Machine(format!(
            "the record of builds cannot be kept: {error}\nThe same command goes on from here."
        )),
        Ok(None) | Err(_) => Stop::Machine("the record of builds was closed".to_owned()),
    }
}

/// Waits for the end of the engine, or of who passes hints to it: neither ends but by a defect.
async fn end_of_one(helpers: &mut JoinSet<()>) -> Stop {
    let why = match helpers.join_next().await {
        Some(Err(error)) => format!(": {error}"),
        Some(Ok(())) | None => String::new(),
    };
    Stop::Machine(format!("the engine stopped{why}\nThe same command goes on from here."))
}

async fn drive(engine: Engine, woken: Arc<Notify>) {
    let woken = || {
        let woken = Arc::clone(&woken);
        async move { woken.notified().await }
    };
    engine.run(woken, std::future::pending()).await;
}

/// Makes builds due that the build system has news of.
pub(crate) async fn pass_hints(build_system: Arc<LocalBuildSystem>, store: Arc<dyn Store>, woke: impl Fn()) {
    let mut hints = build_system.hints();
    loop {
        let hint = match hints.recv().await {
            Ok(hint) => hint,
            Err(RecvError::Lagged(_)) => Hint::Everything,
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = store.wake(&[hint]).await {
            tracing::debug!(%error, "a hint was lost; the next look will come all the same");
        }
        woke();
    }
}

/// What people end a program with.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Stop> {
        let to = |kind| {
            signal(kind).map_err(|error| Stop::Machine(format!("signals cannot be received: {error}")))
        };
        Ok(Self {
            interrupt: to(SignalKind::interrupt())?,
            terminate: to(SignalKind::terminate())?,
            hang_up: to(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[tokio::test]
    async fn an_engine_that_panics_ends_the_run_as_trouble_of_the_machine() {
        let mut helpers = JoinSet::new();
        helpers.spawn(std::future::pending());
        helpers.spawn(async { panic!("a defect") });
        let stop = end_of_one(&mut helpers).await;
        assert_eq!(stop.exit(), Exit::Machine);
        let text = stop.to_string();
        assert!(text.starts_with("the engine stopped: ") && text.contains("a defect"), "{text}");
    }
}
