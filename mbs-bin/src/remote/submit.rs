//! `mbs-build submit`: what is sent, and what is said of it then.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use mbs_client::api::{ModuleBuild, Source, Submission};
use mbs_client::client::Client;
use mbs_core::ident::NameStream;
use mbs_core::modulemd::Limits;

use super::checkout::{branch, git_url};
use super::plan::plan;
use super::show::{print, print_json};
use super::site::{Site, stop_of_change};
use super::srpm;
use super::watch::watch;
use crate::cli::{Reader, ServiceArguments, SubmitArguments};
use crate::exit::{Exit, Stop};
use crate::validate;

/// How often a build that was submitted is looked at.
const EVERY: Duration = Duration::from_secs(30);

pub(super) async fn run(
    site: &Site,
    service: &ServiceArguments,
    arguments: &SubmitArguments,
) -> Result<Exit, Stop> {
    let mut submission = submission(service, arguments)?;
    let client = site.logged_in(service).await?;
    if arguments.dry_run {
        return plan(&client, &submission, arguments.reader()).await;
    }
    submission.srpms = srpm::uploaded(&arguments.srpms, &arguments.koji_profile).await?;
    announce(site, &send(&client, &submission).await?, arguments.watch, arguments.reader()).await
}

/// Submits; there is at least one build then.
///
/// # Errors
/// `Refused`, `Odd`: as the service answers. `Failed`: who we are cannot be shown. `Machine`: the service cannot be reached.
pub(super) async fn send(client: &Client, submission: &Submission) -> Result<Vec<ModuleBuild>, Stop> {
    let builds = client.submit(submission).await.map_err(stop_of_change)?;
    for build in &builds {
        tracing::info!("{}", serde_json::to_string(build).unwrap_or_default());
    }
    Ok(builds)
}

/// Says which builds were made, or watches the first of them.
pub(super) async fn announce(
    site: &Site,
    builds: &[ModuleBuild],
    is_watched: bool,
    reader: Reader,
) -> Result<Exit, Stop> {
    if let (true, Some(first)) = (is_watched, builds.first()) {
        return watch(site, first.id, reader, EVERY).await;
    }
    builds.iter().try_for_each(|build| match reader {
        Reader::Person => print(&format!("Submitted module build {}\n", build.id)),
        Reader::Program => print_json(build),
    })?;
    Ok(Exit::Done)
}

/// Makes what is sent of the arguments, and of the current folder where they leave something open.
fn submission(service: &ServiceArguments, arguments: &SubmitArguments) -> Result<Submission, Stop> {
    let options = options(&arguments.options)?;
    let source = match &arguments.file {
        Some(file) => document(file, arguments.stream.clone())?,
        None => Source::Git {
            scmurl: arguments.scm_url.clone().map_or_else(|| git_url(&service.client), Ok)?,
            branch: arguments.branch.clone().map_or_else(branch, Ok)?,
        },
    };
    Ok(Submission {
        source,
        scratch: arguments.scratch,
        rebuild_strategy: arguments.rebuild_strategy.clone(),
        buildrequire_overrides: streams(&arguments.buildrequires),
        require_overrides: streams(&arguments.requires),
        reuse_components_from: arguments.reuse_from.clone(),
        options,
        ..Submission::default()
    })
}

fn options(given: &[String]) -> Result<Vec<(String, String)>, Stop> {
    let split =
        |option: &String| option.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    given.iter().map(|option| split(option).ok_or(Stop::BadOption)).collect()
}

/// Reads a document. The service checks it; its file's name is the module's if it has none.
pub(super) fn document(file: &Path, stream: Option<String>) -> Result<Source, Stop> {
    let bytes = validate::read(file, &Limits::of_submission())?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| Stop::Usage(format!("{}: the text is not UTF-8", file.display())))?;
    let name = file.file_stem().filter(|_| file != Path::new("-"));
    Ok(Source::Document { text, name: name.map(|name| name.to_string_lossy().into_owned()), stream })
}

pub(super) fn streams(modules: &[NameStream]) -> BTreeMap<String, Vec<String>> {
    let mut streams = BTreeMap::<_, Vec<String>>::new();
    for NameStream { name, stream } in modules {
        streams.entry(name.to_string()).or_default().push(stream.to_string());
    }
    streams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_has_a_key_and_all_behind_it_is_the_value() {
        let given = |options: &[&str]| options.iter().map(|&option| option.to_owned()).collect::<Vec<_>>();
        let split = options(&given(&["a=b=c", "d="])).unwrap();
        assert_eq!(split, [("a".to_owned(), "b=c".to_owned()), ("d".to_owned(), String::new())]);
        assert_eq!(options(&given(&["a=b", "c"])), Err(Stop::BadOption));
    }

    #[test]
    fn several_streams_of_one_module_add_up() {
        let given = ["platform:f38", "gtk:3", "platform:f39"].map(|module| module.parse().unwrap());
        let wanted = [
            ("gtk".to_owned(), vec!["3".to_owned()]),
            ("platform".to_owned(), vec!["f38".into(), "f39".into()]),
        ];
        assert_eq!(streams(&given), wanted.into());
    }
}
