//! The hub as a process: builders that work by themselves, and messages on a broker, of which some get lost.

use std::io::{self, BufRead as _, Write as _};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use mbs_core::sim::Chance;
use mbs_koji::content_generator::GENERATOR;
use mbs_koji::fake_hub::{Builder, FakeHub, Message, Setup, TagPlan};

/// How long a build takes, and a repository.
const WORK: Duration = Duration::from_millis(300);

/// Between two looks at what there is to tell.
const PAUSE: Duration = Duration::from_millis(50);

/// One in so many messages gets lost.
const LOST: u64 = 4;

/// The tag of what modules are built with, and where finished modules go.
pub const BUILD_TAG: &str = "f40-build";
const FINISHED: &str = "f40-modular-updates-candidate";

/// The package whose builds fail.
pub const BROKEN: &str = "broken";

/// Runs the process: its argument is the broker's URL. It prints its own, takes `down` and `up` from its standard input, and
/// ends with it.
///
/// # Errors
/// The argument is missing, or there is no port.
pub fn main() -> Result<()> {
    let broker = std::env::args().nth(1).context("the argument is the URL of a broker")?;
    let (tell, told) = channel();
    std::thread::spawn(move || {
        io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&broker, &told))
}

async fn run(broker: &str, told: &Receiver<String>) -> Result<()> {
    let hub = FakeHub::start(Setup::default()).await?;
    furnish(&hub);
    writeln!(io::stdout(), "hub {}", hub.url())?;
    let (mut line, mut told_of, chance) = (None, 0_u64, Chance::of(1));
    loop {
        match told.try_recv().as_deref() {
            Ok("down") => hub.faults().set_down(true),
            Ok("up") => hub.faults().set_down(false),
            Ok(_) | Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
        for message in hub.take_messages() {
            told_of += 1;
            let is_lost = chance.below(LOST, told_of) == 0;
            if !is_lost && publish(broker, &mut line, &message).await.is_err() {
                // It is lost, too, and the next goes over a line of its own.
                line = None;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn furnish(hub: &FakeHub) {
    let arches = || vec!["x86_64".to_owned()];
    hub.plant_tag_as("f40", &TagPlan { arches: arches(), ..TagPlan::default() });
    let build_tag = TagPlan { arches: arches(), inherits: vec!["f40".into()], ..TagPlan::default() };
    hub.plant_tag_as(BUILD_TAG, &build_tag);
    hub.plant_tag_as(FINISHED, &TagPlan::default());
    hub.plant_generator(GENERATOR, &["mbs"]);
    let failures = [(BROKEN.to_owned(), "it does not compile".to_owned())].into();
    hub.auto(Builder { build: WORK, repo: WORK, failures, ..Builder::default() });
}

async fn publish(broker: &str, line: &mut Option<(Connection, Channel)>, message: &Message) -> Result<()> {
    if line.is_none() {
        let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        *line = Some((connection, channel));
    }
    let Some((connection, channel)) = line.as_ref() else { return Ok(()) };
    ensure!(connection.status().connected(), "the broker went away");
    let body = serde_json::to_vec(&message.body)?;
    let (exchange, topic) = ("amq.topic".into(), message.topic.as_str().into());
    let options = BasicPublishOptions::default();
    channel.basic_publish(exchange, topic, options, &body, BasicProperties::default()).await?;
    Ok(())
}
