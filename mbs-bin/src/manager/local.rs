//! `build_module_locally`: what dist-git clients run to build a module on this machine. It is `mbs-build local --fresh` under the
//! options, and with the two ends, that those clients know. Source: behaviour, section 14.

use std::path::PathBuf;

use clap::Args;
use mbs_core::ident::{NameStream, Stream};
use mbs_local::modules::WantedResult;

use crate::cli::LocalArguments;
use crate::config::Config;
use crate::exit::{Exit, Stop};
use crate::local;
use crate::logging::{Screen, Verbosity};

/// What is built on this machine.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// The module's document [default: the file named like the current folder, with .yaml]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The stream to build [default: the document's, else the current git branch]
    #[arg(long)]
    pub stream: Option<Stream>,
    /// Build this source RPM instead of the component of the same name (repeatable)
    #[arg(long = "srpm", value_name = "FILE")]
    pub srpms: Vec<PathBuf>,
    /// Leave out every %check
    #[arg(long)]
    pub skiptests: bool,
    /// Ask no module build service for modules
    #[arg(long)]
    pub offline: bool,
    /// Replace the streams of a buildrequired module (repeatable)
    #[arg(long = "buildrequires", value_name = "NAME:STREAM")]
    pub buildrequires: Vec<NameStream>,
    /// Replace the streams of a required module (repeatable)
    #[arg(long = "requires", value_name = "NAME:STREAM")]
    pub requires: Vec<NameStream>,
    /// Use an earlier local result of this module, the highest version that fits (repeatable)
    #[arg(short = 'l', long = "add-local-build", value_name = "NAME[:STREAM[:VERSION]]")]
    pub add_local_builds: Vec<WantedResult>,
    /// Which stream is meant where the document leaves several open (repeatable)
    #[arg(short = 's', long = "set-stream", value_name = "NAME:STREAM")]
    pub set_streams: Vec<NameStream>,
    /// Accepted and not used: what packages build with is installed on this machine
    #[arg(short = 'r', long = "platform-repo-file", value_name = "FILE")]
    pub platform_repo_files: Vec<PathBuf>,
    /// The base module that stands for this machine [default: as the machine says]
    #[arg(short = 'p', long = "platform-id", value_name = "NAME:STREAM")]
    pub platform: Option<NameStream>,
}

impl BuildArguments {
    /// Returns the same for `mbs-build local`: nothing of an earlier run counts but the results that are named.
    fn local(&self, config: &Config) -> LocalArguments {
        LocalArguments {
            document: None,
            file: self.file.clone(),
            stream: self.stream.clone(),
            srpms: self.srpms.clone(),
            skiptests: self.skiptests,
            buildrequires: self.buildrequires.clone(),
            requires: self.requires.clone(),
            add_local_builds: self.add_local_builds.clone(),
            resolver: Some(config.building.mbs_url.clone()).filter(|url| !self.offline && !url.is_empty()),
            set_streams: self.set_streams.clone(),
            platform: self.platform.clone(),
            jobs: None,
            mock: false,
            results: Some(config.local.mock_resultsdir.clone()),
            resume: false,
            fresh: true,
            json: false,
        }
    }
}

/// Builds a module.
///
/// # Errors
/// `Failed`, whatever keeps it from being built: those who ask know one bad end. What it was has been logged.
pub(super) fn run(
    asked: &BuildArguments,
    config: Result<Config, Stop>,
    verbosity: Verbosity,
    screen: &Screen,
) -> Result<(), Stop> {
    for file in &asked.platform_repo_files {
        let file = file.display();
        tracing::warn!("{file} is not used: packages are built with what is installed on this machine");
    }
    match config.and_then(|config| local::run(&asked.local(&config), verbosity, screen)) {
        Ok(Exit::Done) => return Ok(()),
        Ok(_) => {}
        Err(stop) => stop.log(),
    }
    Err(Stop::Failed("Local module build failed.".to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::manager::{Arguments, Command};

    fn parsed(words: &str) -> (Verbosity, BuildArguments) {
        let all = ["mbs-manager"].into_iter().chain(words.split(' '));
        let arguments = Arguments::try_parse_from(all).unwrap_or_else(|error| panic!("{error}"));
        let verbosity = arguments.verbosity();
        match arguments.command {
            Command::BuildModuleLocally(asked) => (verbosity, *asked),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_dist_git_clients_say_is_understood() {
        let (verbosity, asked) = parsed(
            "-q build_module_locally --add-local-build x:1:2 --skiptests --offline -r a.repo --file app.yaml --stream 1 -s y:2 \
             --srpm a.src.rpm",
        );
        let local = asked.local(&Config::built_in());
        assert_eq!(verbosity, Verbosity::Errors);
        assert_eq!((local.file, local.skiptests), (Some("app.yaml".into()), true));
        assert_eq!(local.srpms, [PathBuf::from("a.src.rpm")]);
        assert_eq!((local.add_local_builds.len(), local.set_streams.len()), (1, 1));
        assert!(local.fresh && !local.resume && local.resolver.is_none());
    }

    #[test]
    fn what_the_older_client_says_after_the_command_is_understood_too() {
        let (verbosity, asked) =
            parsed("build_module_locally --file app.yaml --stream 1 -d --skiptests -p platform:f40");
        assert_eq!(verbosity, Verbosity::Debug);
        let local = asked.local(&Config::built_in());
        assert_eq!(local.platform, "platform:f40".parse().ok());
        assert!(local.resolver.is_some(), "modules are looked up at the service that is configured");
    }
}
