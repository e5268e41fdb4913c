//! `mbs-build explain`: why a module build is not further.

use super::show::{line, print, print_json};
use super::site::{Site, build_id, stop};
use crate::cli::{BuildArguments, Reader};
use crate::exit::{Exit, Stop};

/// What is said of a build at which nobody has looked.
const UNSEEN: &str = "nobody has looked at it yet";

pub(super) async fn run(site: &Site, arguments: &BuildArguments) -> Result<Exit, Stop> {
    let id = build_id(&arguments.id)?;
    let explained = site.client.explain(id).await.map_err(stop)?;
    match arguments.reader() {
        Reader::Person => {
            let why = explained.text.clone().or_else(|| Some(explained.why()?.to_string()));
            print(&format!("{}\n", line(why.as_deref().unwrap_or(UNSEEN))))?;
        }
        Reader::Program => print_json(&explained)?,
    }
    Ok(Exit::Done)
}
