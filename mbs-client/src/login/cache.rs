//! The file in which a person's programs share tokens: `{ID: {"idp", "access_token", "refresh_token", …}}`.
//!
//! Other programs read and write it, too, by no lock: each change here begins with a look at the file as it is, touches one
//! entry, and puts the whole in its place at once. Members that are not known here are kept.
//! Source: the client library that the dist-git clients use, `~/.openidc/oidc_mbs_build.json`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use mbs_http::Secret;
use serde_json::{Map, Value};

use super::LoginError;

/// No file with tokens is longer.
const LONGEST_BYTES: u64 = 1 << 20;

/// The file.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    path: PathBuf,
}

/// A token of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its key.
    pub(super) id: String,
    /// What is shown to the service.
    pub(super) access: Secret,
    /// What another one is had for.
    pub(super) refresh: Option<Secret>,
}

impl Cache {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns a token of a provider for at least these scopes, expired or not.
    ///
    /// # Errors
    /// `Unable`: there is a file that is none of tokens.
    pub(super) fn find(&self, provider: &str, scopes: &[String]) -> Result<Option<Kept>, LoginError> {
        Ok(self.read()?.into_iter().find_map(|(id, entry)| kept(id, &entry, provider, scopes)))
    }

    /// Puts an entry in the place of the one with this key; what the new one does not name is kept.
    ///
    /// # Errors
    /// `Unable`: the file is none of tokens, or cannot be written.
    pub(super) fn put(&self, id: &str, entry: Map<String, Value>) -> Result<(), LoginError> {
        let mut all = self.read()?;
        match all.get_mut(id).and_then(Value::as_object_mut) {
            Some(old) => old.extend(entry),
            None => drop(all.insert(id.to_owned(), Value::Object(entry))),
        }
        self.write(&all)
    }

    /// Removes the entry with this key if it still has this token; another program may have got a new one.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    pub(super) fn remove(&self, kept: &Kept) -> Result<(), LoginError> {
        let mut all = self.read()?;
        let is_it = |entry: &Value| text(entry, "access_token") == Some(kept.access.reveal());
        if all.get(&kept.id).is_some_and(is_it) {
            all.remove(&kept.id);
            self.write(&all)?;
        }
        Ok(())
    }

    fn read(&self) -> Result<Map<String, Value>, LoginError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            LoginError::unable(format!("the tokens in {} cannot be read: {error}", self.path.display()))
        };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(error) => return Err(unreadable(&error)),
        };
        let mut bytes = Vec::new();
        file.take(LONGEST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        // The parser's words would quote what it read.
        let read =
            if bytes.len() as u64 > LONGEST_BYTES { None } else { serde_json::from_slice(&bytes).ok() };
        read.ok_or_else(|| unreadable(&"it holds something else; remove it, and log in again"))
    }

    /// Writes the file anew, for its owner only, and puts it in the place of the old one at once.
    fn write(&self, all: &Map<String, Value>) -> Result<(), LoginError> {
        self.replace(all).map_err(|error| {
            LoginError::unable(format!("tokens cannot be kept in {}: {error}", self.path.display()))
        })
    }

    fn replace(&self, all: &Map<String, Value>) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let new = folder.join(format!(".{name}.{}", std::process::id()));
        // What a process with our number left is nobody's any more.
        drop(fs::remove_file(&new));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let text = serde_json::to_string(all)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.and_then(|()| fs::rename(&new, &self.path)).inspect_err(|_| drop(fs::remove_file(&new)))
    }
}

fn kept(id: String, entry: &Value, provider: &str, scopes: &[String]) -> Option<Kept> {
    let has = |scope: &String| {
        let given = entry.get("scopes").and_then(Value::as_array);
        given.is_some_and(|given| given.iter().any(|one| one.as_str() == Some(scope)))
    };
    if text(entry, "idp") != Some(provider) || !scopes.iter().all(has) {
        return None;
    }
    let access = Secret::new(text(entry, "access_token")?);
    Some(Kept { id, access, refresh: text(entry, "refresh_token").map(Secret::new) })
}

fn text<'v>(entry: &'v Value, key: &str) -> Option<&'v str> {
    entry.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    const IDP: &str = "https://id.example.org/openidc/";

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn cache(content: &Value) -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/oidc.json");
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(&path, content.to_string()).unwrap();
        (folder, Cache::new(path))
    }

    fn scopes(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(|&scope| scope.to_owned()).collect()
    }

    #[test]
    fn a_token_counts_if_it_is_the_providers_and_has_all_scopes() {
        let entry = |idp: &str, token: &str, scopes: &[&str]| json!({"idp": idp, "access_token": token, "refresh_token": "r", "scopes": scopes, "expires_at": 1});
        let (_folder, cache) = cache(&json!({
            "a": entry("https://other/", "1", &["openid", "build"]),
            "b": entry(IDP, "2", &["openid"]),
            "c": entry(IDP, "3", &["build", "openid", "more"]),
            "d": "odd",
        }));
        let kept = cache.find(IDP, &scopes(&["openid", "build"])).unwrap().unwrap();
        assert_eq!((kept.id.as_str(), kept.access.reveal()), ("c", "3"));
        assert_eq!(cache.find(IDP, &scopes(&["admin"])), Ok(None));
    }

    #[test]
    fn what_others_wrote_stays_and_nobody_else_may_read_it() {
        let (folder, cache) = cache(&json!({
            "a": {"idp": "https://other/", "sub": 7},
            "b": {"idp": IDP, "access_token": "old", "refresh_token": "r", "scopes": [], "sub": "anna"},
        }));
        cache.put("b", object(&json!({"access_token": "new"}))).unwrap();
        let path = folder.path().join("below/oidc.json");
        let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(written["a"], json!({"idp": "https://other/", "sub": 7}));
        assert_eq!([&written["b"]["access_token"], &written["b"]["sub"]], ["new", "anna"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(folder.path().join("below")).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn an_entry_that_somebody_renewed_meanwhile_is_not_removed() {
        let (_folder, cache) = cache(&json!({"b": {"idp": IDP, "access_token": "old", "scopes": []}}));
        let old = cache.find(IDP, &[]).unwrap().unwrap();
        cache.put("b", object(&json!({"access_token": "new"}))).unwrap();
        cache.remove(&old).unwrap();
        let new = cache.find(IDP, &[]).unwrap().unwrap();
        assert_eq!(new.access.reveal(), "new");
        cache.remove(&new).unwrap();
        assert_eq!(cache.find(IDP, &[]), Ok(None));
    }

    #[test]
    fn without_a_file_there_is_no_token_and_the_first_makes_one_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("a/b.json"));
        assert_eq!(cache.find(IDP, &[]), Ok(None));
        cache.put("x", object(&json!({"idp": IDP, "access_token": "t", "scopes": []}))).unwrap();
        assert!(cache.find(IDP, &[]).unwrap().is_some());
        assert_eq!(fs::metadata(folder.path().join("a")).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_that_holds_something_else_is_named_and_left_alone() {
        let (_folder, cache) = cache(&json!(["geheim"]));
        for told in [cache.find(IDP, &[]).unwrap_err(), cache.put("a", Map::new()).unwrap_err()] {
            let told = told.to_string();
            assert!(told.contains("oidc.json cannot be read") && !told.contains("geheim"), "{told}");
        }
        assert_eq!(fs::read_to_string(&cache.path).unwrap(), r#"["geheim"]"#);
    }
}
