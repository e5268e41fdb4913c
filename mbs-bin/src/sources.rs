//! Where modules are looked up: files, our own store, a PDC, another service, one after another. It makes the chain; whose word counts is the
//! chain's to decide.
//!
//! | place | is given by | asked |
//! | --- | --- | --- |
//! | `files` | paths | read whole, first |
//! | `db` | the URL of a store | for what files lack |
//! | `pdc` | a server's name or address | for what both lack |
//! | `mbs` | the address of another service | for what all lack |
//!
//! One key, `resolver`, says which of them count and in which order; without it all that are given do, in this order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use mbs_client::client::Client;
use mbs_client::login::Login;
use mbs_client::resolver::MbsResolver;
use mbs_core::ident::{NameStream, Nsvc};
use mbs_core::policy::Policy;
use mbs_core::resolver::{Against, Chain, KnownModule, ModuleResolver, ResolverError, StoreResolver};
use mbs_core::store::Store;
use mbs_local::SystemClock;
use mbs_local::module_files::{ModuleFiles, ModuleFilesError};
use mbs_pdc::api::{Entries, Face};
use mbs_pdc::client::Pdc;
use mbs_pdc::resolver::PdcResolver;
use mbs_pdc::server::ServerFiles;
use tracing::warn;

use crate::config::{self, PdcFace, Place};
use crate::exit::Stop;
use crate::manager::pdc::token;

/// Where modules are.
#[derive(Debug, Args)]
pub struct SourcesArguments {
    /// A modules.yaml, another file of documents or a folder of them: the modules that there are (repeatable; of a build that
    /// is there twice the first counts)
    #[arg(short = 'm', long = "modules", value_name = "PATH", required_unless_present_any = ["database", "pdc", "mbs", "server"])]
    pub modules: Vec<PathBuf>,
    /// A store whose modules count as well: postgresql://USER@HOST/DATABASE, or sqlite:PATH
    #[arg(long, env = "MBS_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// A PDC whose modules count as well: its name in PDC's configuration files, or the root of its API
    #[arg(long, env = "MBS_PDC", value_name = "SERVER")]
    pub pdc: Option<String>,
    /// Which endpoint of PDC is asked: unreleasedvariants, or modules
    #[arg(long, env = "MBS_PDC_FACE", value_name = "FACE", default_value = "variants")]
    pub pdc_face: PdcFace,
    /// A module build service whose modules count as well: its address
    #[arg(long, env = "MBS_URL", value_name = "URL")]
    pub mbs: Option<String>,
    /// Which of these places are asked, and in which order: of files,db,pdc,mbs [default: all that are given]
    #[arg(long, env = "MBS_RESOLVER", value_name = "PLACES", value_delimiter = ',')]
    pub resolver: Vec<Place>,
}

/// The places, opened.
#[derive(Debug)]
pub(crate) struct Sources {
    /// All of them as one.
    pub(crate) chain: Chain,
    /// What is being built, if there is a store.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// What could not be read of files, for people.
    pub(crate) problems: Vec<String>,
    /// The modules of files.
    files: Vec<KnownModule>,
    /// Our own builds, if there is a store.
    ours: Option<StoreResolver>,
    is_one: bool,
}

impl Sources {
    /// Opens the places.
    ///
    /// # Errors
    /// `Usage`: a place is named and not given, a file is missing or is no good one. `Machine`: a store cannot be opened.
    pub(crate) async fn open(arguments: &SourcesArguments, policy: &Policy) -> Result<Self, Stop> {
        let places = arguments.places()?;
        let (mut sources, mut store, mut ours) = (Vec::new(), None, None);
        let (mut files, mut problems) = (Vec::new(), Vec::new());
        for place in &places {
            let resolver: Arc<dyn ModuleResolver> = match place {
                Place::Files => {
                    let read = read_files(&arguments.modules, policy)?;
                    files = read.all().cloned().collect();
                    problems = read.problems().to_vec();
                    Arc::new(read)
                }
                Place::Db => {
                    let url = arguments.database.as_deref().unwrap_or_default();
                    let opened = mbs_store::open_existing(url, policy).await?.store;
                    store = Some(opened.clone());
                    Arc::new(ours.insert(StoreResolver::new(opened)).clone())
                }
                Place::Pdc => {
                    Arc::new(pdc(arguments.pdc.as_deref().unwrap_or_default(), arguments.pdc_face)?)
                }
                Place::Mbs => Arc::new(mbs(arguments.mbs.as_deref().unwrap_or_default())?),
                Place::Koji => return Err(not_here(*place)),
            };
            sources.push((place.title().to_owned(), resolver));
        }
        let is_one = sources.len() == 1;
        let chain = Chain::new(sources).remembering();
        Ok(Self { chain, store, problems, files, ours, is_one })
    }

    /// Returns the earlier builds of these streams that something can be reused from: all that are in files, and the latest ones of
    /// our own. What is built elsewhere is never reused.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub(crate) async fn earlier(&self, of: &[NameStream]) -> Result<Vec<KnownModule>, ResolverError> {
        let mut earlier = self.files.clone();
        let Some(ours) = &self.ours else { return Ok(earlier) };
        let others = ours.latest(of, &Against::Anything).await?.into_values().flatten();
        earlier.extend(others.filter(|build| !self.files.iter().any(|known| known.nsvc == build.nsvc)));
        Ok(earlier)
    }

    /// Returns where each of these builds was found; nothing where there is only one place.
    ///
    /// # Errors
    /// A place cannot be asked.
    pub(crate) async fn places_of(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, String>, ResolverError> {
        if self.is_one { Ok(BTreeMap::new()) } else { self.chain.sources_of(nsvcs).await }
    }
}

impl SourcesArguments {
    /// Returns the places that count, in their order; each is given.
    fn places(&self) -> Result<Vec<Place>, Stop> {
        let given = [
            (Place::Files, !self.modules.is_empty(), "--modules"),
            (Place::Db, self.database.is_some(), "--database"),
            (Place::Pdc, self.pdc.is_some(), "--pdc"),
            (Place::Mbs, self.mbs.is_some(), "--mbs"),
        ];
        if self.resolver.is_empty() {
            return Ok(given.iter().filter(|(_, is_given, _)| *is_given).map(|(place, ..)| *place).collect());
        }
        let lacking = given.iter().find(|(place, is_given, _)| self.resolver.contains(place) && !is_given);
        if let Some((place, _, option)) = lacking {
            let place = place.title();
            return Err(Stop::Usage(format!(
                "modules are to be looked up in {place}, but which? Say {option}"
            )));
        }
        let mut places = self.resolver.clone();
        let mut seen = Vec::new();
        places.retain(|place| {
            !seen.contains(place) && {
                seen.push(*place);
                true
            }
        });
        Ok(places)
    }
}

/// Makes a resolver of a PDC: its name in PDC's configuration files, or the root of its API.
pub(crate) fn pdc(server: &str, face: PdcFace) -> Result<PdcResolver, Stop> {
    let home = std::env::home_dir();
    let server = ServerFiles::usual(home.as_deref()).find(server);
    // Everybody may read.
    let server = server.map_err(|error| Stop::Usage(error.to_string()))?.anonymous();
    let pdc = Pdc::new(&server, Arc::new(SystemClock::new()));
    let pdc = pdc.map_err(|error| Stop::Machine(error.to_string()))?;
    let face = match face {
        PdcFace::Variants => Face::Variants,
        PdcFace::Modules => Face::Modules,
    };
    Ok(PdcResolver::new(Entries::new(pdc, face)))
}

/// Makes a client of the PDC in which backends record builds; `None`: they do not.
pub(crate) fn recording_pdc(config: &config::Pdc) -> Result<Option<Pdc>, Stop> {
    if !config.pdc_records {
        return Ok(None);
    }
    let home = std::env::home_dir();
    let mut server = ServerFiles::usual(home.as_deref())
        .find(&config.pdc_url)
        .map_err(|error| Stop::Usage(error.to_string()))?;
    if let Some(file) = &config.pdc_token_file {
        server.login = mbs_pdc::server::Login::Token(token::read(file)?);
    }
    let pdc = Pdc::new(&server, Arc::new(SystemClock::new()));
    pdc.map(Some).map_err(|error| Stop::Machine(error.to_string()))
}

/// Makes the end of a command that is to look where only services do.
fn not_here(place: Place) -> Stop {
    Stop::Usage(format!("modules cannot be looked up in `{place}` here: say files, db, pdc or mbs"))
}

/// Makes a resolver of another service, by its address.
pub(crate) fn mbs(server: &str) -> Result<MbsResolver, Stop> {
    let client = Client::new(mbs_client::server::Server::new(server), Login::Anonymous);
    client.map(MbsResolver::new).map_err(|error| Stop::Usage(format!("{server}: {error}")))
}

/// Reads files, all of them together: what one path lacks another may have. What could not be read is logged.
pub(crate) fn read_files(paths: &[PathBuf], policy: &Policy) -> Result<ModuleFiles, Stop> {
    let files =
        ModuleFiles::read(paths, &policy.base_module_names).map_err(|error| unreadable(&error, paths))?;
    for problem in files.problems() {
        warn!("{problem}");
    }
    Ok(files)
}

fn unreadable(error: &ModuleFilesError, paths: &[PathBuf]) -> Stop {
    match error {
        ModuleFilesError::Missing { path } => Stop::Usage(format!("{} does not exist", path.display())),
        ModuleFilesError::Nothing { problems } => {
            let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            let problems = problems.join("\n");
            Stop::Usage(format!("there is no module in {}\n{problems}", paths.join(", ")))
        }
    }
}
