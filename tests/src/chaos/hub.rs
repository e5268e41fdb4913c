//! The hub: a build system in memory and a message bus, as a process of its own that outlives the backends.
//!
//! Its tasks end after 0.1 to 1 s. Calls take a moment before and after their effect, some take long, and some are never
//! answered. It is less strict than it could be: it begins a second task for a component and ends it, as Koji would, and
//! notes that.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use mbs_core::build_system::{BuildSystem as _, BuildSystemError, ComponentJob, TaskFailure};
use mbs_core::ident::TaskId;
use mbs_core::memory::MemoryBuildSystem;
use mbs_core::sim::Chance;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

use super::call::{Call, Reply, receive, send};
use super::ledger::Ledger;
use super::wire::{News, Refusal, Tagging};
use super::{cast, process};

/// How long a task takes.
const TASK: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// How long a call waits before it takes effect, and its answer after that.
const MOMENT: [Duration; 2] = [Duration::ZERO, Duration::from_millis(20)];

/// How much longer the waiting of few calls is; less than the margin after which no call arrives any more.
const LONG: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1_500)];

/// One call in so many that change something is not answered.
const UNANSWERED: u64 = 200;

/// So often it is seen whether there is news.
const NEWS: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Hub {
    system: MemoryBuildSystem,
    ledger: Mutex<Ledger>,
    chance: Chance,
}

/// How one call fares.
#[derive(Debug)]
struct Weather {
    before: Duration,
    after: Duration,
    is_answered: bool,
}

/// Runs the process: its arguments are its socket and its seed. It ends with its standard input.
///
/// # Errors
/// The arguments make no sense, or the socket cannot be made.
pub fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let socket = PathBuf::from(arguments.next().context("the first argument is a socket")?);
    let seed = arguments.next().context("the second argument is a seed")?.parse()?;
    process::end_with_input();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(&socket, seed))
}

async fn serve(socket: &Path, seed: u64) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    let system = MemoryBuildSystem::new();
    system.add_tag(&cast::base_tag(), &cast::arches());
    system.permit_twins();
    let hub = Arc::new(Hub { system, ledger: Mutex::default(), chance: Chance::of(seed) });
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(Arc::clone(&hub), BufReader::new(stream)));
    }
}

/// Answers the one call of a connection.
async fn converse(hub: Arc<Hub>, mut stream: BufReader<UnixStream>) {
    let reply = match receive(&mut stream).await {
        // Whoever is killed half-way has said nothing.
        Ok(None) | Err(_) => return,
        Ok(Some(Call::Report)) => Reply::Report(hub.ledger().report(hub.system.imports().len())),
        Ok(Some(Call::Hints)) => tokio::select! {
            // The connection ends with its process, and no news are for the dead.
            _ = stream.fill_buf() => return,
            news = hub.news() => Reply::Hints(news),
        },
        Ok(Some(call)) => {
            let weather = hub.weather(&call);
            sleep(weather.before).await;
            let Some(reply) = hub.perform(call).await else { return };
            sleep(weather.after).await;
            if !weather.is_answered {
                return;
            }
            reply
        }
    };
    // Whoever asked may be dead.
    drop(send(&mut stream, &reply).await);
}

impl Hub {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nothing panics while it holds the ledger")
    }

    fn weather(&self, call: &Call) -> Weather {
        let mut ledger = self.ledger();
        ledger.calls += 1;
        let (number, chance) = (ledger.calls, &self.chance);
        let is_answered =
            matches!(call, Call::Observe(_)) || chance.below(UNANSWERED, ("answer", number)) > 0;
        ledger.unanswered += u64::from(!is_answered);
        let [before, after] = ["before", "after"].map(|when| {
            let span = if chance.percent(1, ("long", when, number)) { LONG } else { MOMENT };
            chance.between(span[0], span[1], (when, number))
        });
        Weather { before, after, is_answered }
    }

    /// Waits for news. Whoever asks first gets it, and nobody else.
    async fn news(&self) -> Vec<News> {
        loop {
            let hints = self.system.take_hints();
            if !hints.is_empty() {
                return hints.into_iter().map(News).collect();
            }
            sleep(NEWS).await;
        }
    }

    /// Does what is asked; `None`: it came too late to be heard.
    async fn perform(self: &Arc<Self>, call: Call) -> Option<Reply> {
        let done = |()| Reply::Done;
        let system = &self.system;
        let reply = match call {
            Call::Observe(questions) => {
                let answers = system.observe(&questions.into()).await;
                answers.map(|answers| Reply::Observed(Box::new(answers.into())))
            }
            Call::EnsureBuildroot(spec) => system.ensure_buildroot(&spec).await.map(Reply::Buildroot),
            Call::Submit(job) => self.submit(&job.into()).await?.map(Reply::Submitted),
            Call::EnsureTagged(taggings) => system.ensure_tagged(&requests(taggings)).await.map(done),
            Call::EnsureUntagged(taggings) => system.ensure_untagged(&requests(taggings)).await.map(done),
            Call::RequestRepo(tag) => {
                let task = system.request_repo(&tag).await;
                task.map(|task| Reply::Repo(task.inspect(|task| self.begin(*task))))
            }
            Call::Cancel(tasks) => {
                tasks.iter().for_each(|task| drop(self.ledger().ended(*task)));
                system.cancel(&tasks).await.map(done)
            }
            Call::ImportModule(module) => system.import_module(&module.0).await.map(done),
            Call::RemoveTarget(target) => system.remove_target(&target).await.map(done),
            Call::Publish(events) => {
                self.ledger().published.extend(events);
                Ok(Reply::Done)
            }
            Call::Hints | Call::Report => return None,
        };
        Some(reply.unwrap_or_else(|error| Reply::Refused(Refusal(error))))
    }

    /// Begins to build a component; `None`: the call came after the margin, and the network that this stands for has lost it.
    async fn submit(self: &Arc<Self>, job: &ComponentJob) -> Option<Result<TaskId, BuildSystemError>> {
        if Timestamp::now() > job.not_after + cast::MARGIN {
            self.ledger().too_late += 1;
            return None;
        }
        let task = self.system.submit(job).await;
        if let Ok(task) = task {
            self.ledger().begun(task, (job.module_target.clone(), job.package.clone()));
            self.begin(task);
        }
        Some(task)
    }

    /// Lets a task end after a while.
    fn begin(self: &Arc<Self>, task: TaskId) {
        let (hub, takes) = (Arc::clone(self), self.chance.between(TASK[0], TASK[1], ("task", task.0)));
        tokio::spawn(async move {
            sleep(takes).await;
            hub.finish(task);
        });
    }

    fn finish(&self, task: TaskId) {
        match self.system.finish(task) {
            Ok(()) => self.ledger().built(task),
            Err(BuildSystemError::Conflict { what }) => {
                // The work was done all the same.
                self.ledger().built(task);
                let failure = TaskFailure { reason: what, is_package_fault: false };
                drop(self.system.fail(task, failure));
            }
            // It was cancelled.
            Err(_) => {}
        }
    }
}

fn requests(taggings: Vec<Tagging>) -> Vec<mbs_core::build_system::TagRequest> {
    taggings.into_iter().map(|tagging| tagging.0).collect()
}
