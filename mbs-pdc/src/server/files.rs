//! PDC's own configuration files, as its command line and library read them.
//!
//! All `*.json` of the system's folder are merged, and a user's file overrides single keys of a server. Source: PDC's client
//! library 1.8.0, `pdc_client/config.py`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use mbs_http::Secret;
use serde_json::{Map, Value};

use super::{Login, Server, Trust};

/// Where the system's files are.
const SYSTEM_FOLDER: &str = "/etc/pdc.d";
/// Where a user's file is, below the home.
const USER_FILE: &str = ".config/pdc/client_config.json";
/// Longer files are no configuration.
const LONGEST_BYTES: u64 = 1 << 20;

/// Where servers are described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFiles {
    /// A folder of JSON files; one that is missing describes nothing.
    pub folder: PathBuf,
    /// A user's file; one that is missing changes nothing.
    pub user: Option<PathBuf>,
}

/// Why a server is not known. A person has to change the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No file describes it.
    #[error("no PDC server `{name}` is described in {}; known ones: {}", .folder.display(), listed(.known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The folder that was read.
        folder: PathBuf,
        /// Those that are described, sorted.
        known: Vec<String>,
    },
    /// Two of the system's files describe it.
    #[error("PDC server `{name}` is described in {} and in {}", .first.display(), .second.display())]
    Twice {
        /// The server.
        name: String,
        /// The file that comes first by name.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file, or what it says of a server, makes no sense.
    #[error("{}: {what}", .path.display())]
    Senseless {
        /// The file.
        path: PathBuf,
        /// What is wrong, by key.
        what: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What a file says of each server.
type Servers = BTreeMap<String, Map<String, Value>>;

/// What the files say of a server, and the last of them that says anything.
struct Described {
    path: PathBuf,
    keys: Map<String, Value>,
}

impl ServerFiles {
    /// Returns the usual places; without a home there is no user's file.
    pub fn usual(home: Option<&Path>) -> Self {
        Self { folder: SYSTEM_FOLDER.into(), user: home.map(|home| home.join(USER_FILE)) }
    }

    /// Returns a server by its name, or by the root of its API, which needs no file.
    ///
    /// # Errors
    /// It is not described, or not as it should be.
    pub fn find(&self, name_or_root: &str) -> Result<Server, ServerError> {
        if name_or_root.contains("://") {
            return Ok(Server::new(name_or_root, Login::Anonymous));
        }
        let mut described = self.described()?;
        let Some(Described { path, keys }) = described.remove(name_or_root) else {
            let known = described.into_keys().collect();
            return Err(ServerError::Unknown {
                name: name_or_root.to_owned(),
                folder: self.folder.clone(),
                known,
            });
        };
        server(name_or_root, &keys).map_err(|what| ServerError::Senseless { path, what })
    }

    fn described(&self) -> Result<BTreeMap<String, Described>, ServerError> {
        let mut all: BTreeMap<String, Described> = BTreeMap::new();
        for path in system_files(&self.folder)? {
            for (name, keys) in read(&path)?.unwrap_or_default() {
                if let Some(first) = all.get(&name) {
                    return Err(ServerError::Twice { name, first: first.path.clone(), second: path });
                }
                all.insert(name, Described { path: path.clone(), keys });
            }
        }
        let own = self.user.as_deref().map(read).transpose()?.flatten();
        for ((name, keys), path) in own.unwrap_or_default().into_iter().zip(std::iter::repeat(&self.user)) {
            let path = path.clone().expect("what was read has a path");
            let described =
                all.entry(name).or_insert_with(|| Described { path: path.clone(), keys: Map::new() });
            described.keys.extend(keys);
            described.path = path;
        }
        Ok(all)
    }
}

fn system_files(folder: &Path) -> Result<Vec<PathBuf>, ServerError> {
    let failed = |source| ServerError::Unreadable { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    Ok(paths)
}

/// Reads what a file says of each server; `None`: there is no such file.
fn read(path: &Path) -> Result<Option<Servers>, ServerError> {
    let failed = |source| ServerError::Unreadable { path: path.to_owned(), source };
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    let mut text = String::new();
    file.take(LONGEST_BYTES).read_to_string(&mut text).map_err(failed)?;
    // The parser's words quote nothing: a token may stand anywhere.
    let senseless = |error: serde_json::Error| ServerError::Senseless {
        path: path.to_owned(),
        what: format!("line {} column {}: no JSON object of servers", error.line(), error.column()),
    };
    serde_json::from_str(&text).map(Some).map_err(senseless)
}

/// Reads what the keys of a server say.
fn server(name: &str, keys: &Map<String, Value>) -> Result<Server, String> {
    let root = text(name, keys, "host")?.ok_or_else(|| format!("server `{name}` has no key `host`"))?;
    let token = text(name, keys, "token")?.map(|token| Login::Token(Secret::new(token)));
    let is_develop = truth(name, keys, "develop")?.unwrap_or(false);
    let login = if is_develop { Login::Anonymous } else { token.unwrap_or(Login::Ticket) };
    Ok(Server { name: name.to_owned(), trust: trust(name, keys)?, ..Server::new(root, login) })
}

fn trust(name: &str, keys: &Map<String, Value>) -> Result<Trust, String> {
    let old = truth(name, keys, "insecure")?;
    match keys.get("ssl-verify") {
        Some(Value::Bool(true)) => Ok(Trust::System),
        Some(Value::Bool(false)) => Ok(Trust::Anyone),
        Some(Value::String(path)) => Ok(Trust::File(path.into())),
        Some(_) => Err(format!("server `{name}`: `ssl-verify` is true, false or a path")),
        None => Ok(if old == Some(true) { Trust::Anyone } else { Trust::System }),
    }
}

fn text(name: &str, keys: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match keys.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("server `{name}`: `{key}` is no text")),
    }
}

fn truth(name: &str, keys: &Map<String, Value>, key: &str) -> Result<Option<bool>, String> {
    match keys.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(_) => Err(format!("server `{name}`: `{key}` is true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files {
        _folder: tempfile::TempDir,
        files: ServerFiles,
    }

    fn files(system: &[(&str, &str)], user: Option<&str>) -> Files {
        let folder = tempfile::tempdir().unwrap();
        let system_folder = folder.path().join("pdc.d");
        fs::create_dir(&system_folder).unwrap();
        for (name, content) in system {
            fs::write(system_folder.join(name), content).unwrap();
        }
        let own = folder.path().join("own.json");
        if let Some(user) = user {
            fs::write(&own, user).unwrap();
        }
        Files { files: ServerFiles { folder: system_folder, user: Some(own) }, _folder: folder }
    }

    #[test]
    fn a_root_needs_no_file_and_is_read_without_credentials() {
        let server = files(&[], None).files.find("https://pdc.example.org/rest_api/v1").unwrap();
        assert_eq!((server.login, server.trust), (Login::Anonymous, Trust::System));
    }

    #[test]
    fn the_systems_files_are_merged_and_a_users_keys_win() {
        let system = [
            ("a.json", r#"{"prod": {"host": "https://pdc/", "ssl-verify": "/ca.pem", "plugins": []}}"#),
            ("b.json", r#"{"stage": {"host": "http://stage/", "insecure": true}}"#),
            ("c.txt", "no JSON"),
        ];
        let own = r#"{"prod": {"token": "aaaa"}, "here": {"host": "http://localhost/", "develop": true, "token": "b"}}"#;
        let Files { files, _folder } = files(&system, Some(own));
        let prod = files.find("prod").unwrap();
        assert_eq!((prod.root.as_str(), prod.trust), ("https://pdc/", Trust::File("/ca.pem".into())));
        assert_eq!(prod.login, Login::Token(Secret::new("aaaa")));
        let stage = files.find("stage").unwrap();
        assert_eq!((stage.trust, stage.login), (Trust::Anyone, Login::Ticket));
        assert_eq!(files.find("here").unwrap().login, Login::Anonymous);
        let unknown = files.find("else").unwrap_err().to_string();
        assert!(unknown.starts_with("no PDC server `else` is described in "), "{unknown}");
        assert!(unknown.ends_with("; known ones: here, prod, stage"), "{unknown}");
    }

    #[test]
    fn where_both_forms_are_the_newer_one_counts() {
        let both = r#"{"x": {"host": "h", "insecure": true, "ssl-verify": true}}"#;
        assert_eq!(files(&[("a.json", both)], None).files.find("x").unwrap().trust, Trust::System);
    }

    #[test]
    fn what_makes_no_sense_is_named_and_no_token_is_shown() {
        for (content, wanted) in [
            (r#"{"x": {"token": "geheim"}}"#, "server `x` has no key `host`"),
            (r#"{"x": {"host": "h", "token": 7}}"#, "`token` is no text"),
            (r#"{"x": {"host": "h", "ssl-verify": 1}}"#, "`ssl-verify` is true, false or a path"),
            (r#"{"x": {"host": "h", "token": "geheim"}"#, "line 1 column 38: no JSON object of servers"),
        ] {
            let told = files(&[("a.json", content)], None).files.find("x").unwrap_err().to_string();
            assert!(told.contains(wanted) && told.contains("a.json") && !told.contains("geheim"), "{told}");
        }
    }

    #[test]
    fn a_server_in_two_of_the_systems_files_is_an_error() {
        let one = r#"{"x": {"host": "h"}}"#;
        let told = files(&[("b.json", one), ("a.json", one)], None).files.find("x").unwrap_err().to_string();
        assert!(told.contains("a.json and in") && told.contains("b.json"), "{told}");
    }
}
