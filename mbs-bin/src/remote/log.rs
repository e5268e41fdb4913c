//! `mbs-build log`: what the service noted of a module build, oldest first, and as it comes.

use std::time::Duration;

use mbs_client::api::{Form, Message, MessagesOf};
use mbs_core::ident::BuildId;

use super::show::{line, print, print_json};
use super::site::{Site, build_id, stop};
use crate::cli::{LogArguments, Reader};
use crate::exit::{Exit, Stop};

/// As many lines are shown of the past.
const MOST: usize = 10_000;
/// Lines on a page.
const PER_PAGE: u64 = 100;

pub(super) async fn run(site: &Site, arguments: &LogArguments) -> Result<Exit, Stop> {
    let id = build_id(&arguments.id)?;
    tokio::select! {
        biased;
        ended = shown(site, id, arguments) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}

async fn shown(site: &Site, id: BuildId, arguments: &LogArguments) -> Result<Exit, Stop> {
    let mut last = None;
    loop {
        // Asked before the lines, so that none is missed of a build that ends meanwhile.
        let has_ended = match arguments.follow {
            true => site.client.module_build(id, Form::Short).await.map_err(stop)?.has_ended(),
            false => true,
        };
        for message in newer(site, id, last).await? {
            last = last.max(Some(message.id));
            tell(&message, arguments.reader())?;
        }
        if has_ended {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(Duration::from_secs(arguments.every)).await;
    }
}

/// Returns the lines behind one, oldest first.
async fn newer(site: &Site, id: BuildId, last: Option<i64>) -> Result<Vec<Message>, Stop> {
    let mut pages = site.client.messages(MessagesOf::Module(id)).per_page(PER_PAGE);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await.map_err(stop)? {
        let on_page = page.items.len();
        let new = page.items.into_iter().filter(|message| Some(message.id) > last);
        let before = all.len();
        all.extend(new);
        if all.len() - before < on_page || all.len() >= MOST {
            break;
        }
    }
    all.sort_by_key(|message| message.id);
    // While pages were read, lines may have moved on to the next one.
    all.dedup_by_key(|message| message.id);
    Ok(all)
}

fn tell(message: &Message, reader: Reader) -> Result<(), Stop> {
    match reader {
        Reader::Person => {
            let time = message.time_created.map(|time| format!("{time}  ")).unwrap_or_default();
            print(&format!("{time}{}\n", line(&message.message)))
        }
        Reader::Program => print_json(message),
    }
}
