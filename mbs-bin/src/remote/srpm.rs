//! Sources of scratch builds: files are uploaded to Koji, as the dist-git clients do, before the service is told their paths.
//!
//! All files of a submission go into one new folder below `cli-build`, where Koji lets everybody who may build upload. The
//! service does not see them; Koji does, when it builds.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use mbs_koji::hub::Hub;
use mbs_koji::profile::Profile;
use mbs_local::clock::SystemClock;

use crate::exit::Stop;

/// Where Koji has uploads of people's programs.
const UPLOADS: &str = "cli-build";
/// No source RPM is longer.
const LONGEST_BYTES: u64 = 4 << 30;

/// Returns the paths of sources, in their order. Files are uploaded; what is the path of an upload already stays.
///
/// # Errors
/// `Usage`: there is no such file, or it is no source RPM by its name. `Machine`: Koji's configuration cannot be used, or Koji
/// does not take it.
pub(super) async fn uploaded(given: &[String], profile: &str) -> Result<Vec<String>, Stop> {
    let sources = given.iter().map(|given| source(given)).collect::<Result<Vec<_>, Stop>>()?;
    let folder = new_folder();
    let mut hub = None;
    let mut paths = Vec::new();
    for source in sources {
        paths.push(match source {
            Given::Uploaded(path) => path,
            Given::File { path, name } => {
                let hub = match &hub {
                    Some(hub) => hub,
                    None => hub.insert(open(profile)?),
                };
                upload(hub, &folder, &path, &name).await?
            }
        });
    }
    if let Some(hub) = hub {
        hub.log_out().await;
    }
    Ok(paths)
}

#[derive(Debug, PartialEq)]
enum Given {
    Uploaded(String),
    File { path: PathBuf, name: String },
}

fn source(given: &str) -> Result<Given, Stop> {
    let path = Path::new(given);
    if !path.exists() && given.starts_with(&format!("{UPLOADS}/")) {
        return Ok(Given::Uploaded(given.to_owned()));
    }
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".src.rpm"));
    match name {
        _ if !path.exists() => Err(Stop::Usage(format!("{given} does not exist"))),
        Some(name) => Ok(Given::File { path: path.to_owned(), name: name.to_owned() }),
        None => Err(Stop::Usage(format!("{given} is no source RPM: its name has to end in .src.rpm"))),
    }
}

fn open(profile: &str) -> Result<Hub, Stop> {
    let profile = Profile::find(profile, None)
        .map_err(|error| Stop::Machine(format!("no source can be uploaded: {error}")))?;
    let hub = Hub::new(&profile.without_retries(), Arc::new(SystemClock::new()));
    hub.map_err(|error| Stop::Machine(format!("no source can be uploaded: {error}")))
}

async fn upload(hub: &Hub, folder: &str, path: &Path, name: &str) -> Result<String, Stop> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST_BYTES + 1).read_to_end(&mut content));
    read.map_err(|error| Stop::unreadable(path, &error))?;
    if content.len() as u64 > LONGEST_BYTES {
        return Err(Stop::Usage(format!("{} is longer than any source RPM", path.display())));
    }
    tracing::info!("Uploading {name}, {} bytes", content.len());
    let uploaded = hub.upload(folder, name, &content).await;
    uploaded.map_err(|error| Stop::Machine(format!("{name} cannot be uploaded: {error}")))?;
    Ok(format!("{folder}/{name}"))
}

/// Names a new folder each time.
fn new_folder() -> String {
    let random = RandomState::new().hash_one(std::process::id());
    format!("{UPLOADS}/{}.{random:016x}", Timestamp::now().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_uploaded_and_the_path_of_an_upload_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bash-5-1.src.rpm");
        std::fs::write(&file, "x").unwrap();
        let name = "bash-5-1.src.rpm".to_owned();
        assert_eq!(source(file.to_str().unwrap()), Ok(Given::File { path: file.clone(), name }));
        let uploaded = "cli-build/1.a/bash.src.rpm";
        assert_eq!(source(uploaded), Ok(Given::Uploaded(uploaded.into())));
        let other = folder.path().join("bash.spec");
        std::fs::write(&other, "x").unwrap();
        let told = source(other.to_str().unwrap()).unwrap_err().to_string();
        assert!(told.ends_with("is no source RPM: its name has to end in .src.rpm"), "{told}");
        assert_eq!(source("bash.src.rpm"), Err(Stop::Usage("bash.src.rpm does not exist".into())));
    }

    #[test]
    fn each_submission_has_a_folder_of_its_own() {
        assert_ne!(new_folder(), new_folder());
        assert!(new_folder().starts_with("cli-build/"));
    }
}
