//! `mbs-build cancel`: ends a module build, and says nothing if that is done.

use super::show::print_json;
use super::site::{Site, build_id, stop_of_change};
use crate::cli::{BuildArguments, Reader, ServiceArguments};
use crate::exit::{Exit, Stop};

pub(super) async fn run(
    site: &Site,
    service: &ServiceArguments,
    arguments: &BuildArguments,
) -> Result<Exit, Stop> {
    let id = build_id(&arguments.id)?;
    let client = site.logged_in(service).await?;
    tracing::info!("Cancelling module build {id}");
    let build = client.cancel(id).await.map_err(stop_of_change)?;
    tracing::info!("{}", serde_json::to_string(&build).unwrap_or_default());
    if arguments.reader() == Reader::Program {
        print_json(&build)?;
    }
    Ok(Exit::Done)
}
