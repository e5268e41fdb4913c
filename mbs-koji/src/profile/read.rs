//! Profiles out of Koji's configuration files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ini::{Ini, Section, resolved};
use super::{Login, Profile, Secret};

/// Where Koji's configuration stands on a machine, before what the user has.
const SYSTEM: [&str; 2] = ["/etc/koji.conf.d", "/etc/koji.conf"];
/// Where a user's own configuration stands, below the home directory.
const USER: [&str; 2] = [".koji/config.d", ".koji/config"];
/// Files longer than this are none of configuration.
const FILE_BYTES: u64 = 1 << 20;

/// A file of configuration: its name for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileFile {
    /// The file's name.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No file has a section of that name.
    #[error("there is no Koji profile `{name}`; {}", listed(.known))]
    Unknown {
        /// What was looked for.
        name: String,
        /// The profiles there are, sorted.
        known: Vec<String>,
    },
    /// A value cannot be used.
    #[error("{file}, section [{section}], {key}: {what}")]
    Value {
        /// The file it stands in.
        file: String,
        /// Its section.
        section: String,
        /// Its name.
        key: String,
        /// What is wrong with it. Does not quote it.
        what: String,
    },
    /// A line is none of the format.
    #[error("{file}, line {line}: {what}")]
    Line {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A file cannot be read.
    #[error("{file}: {what}")]
    File {
        /// The file.
        file: String,
        /// Why not.
        what: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none is known".to_owned() } else { format!("known are {}", names.join(", ")) }
}

impl Profile {
    /// Looks for a profile where Koji's own programs do: `/etc/koji.conf.d/*.conf`, `/etc/koji.conf`, and then the given file or
    /// directory, which has to be there, or else `~/.koji/config.d/*.conf` and `~/.koji/config`. Later files count.
    ///
    /// # Errors
    /// [`ProfileError`]: it is unknown, or a file or value cannot be used.
    pub fn find(name: &str, given: Option<&Path>) -> Result<Self, ProfileError> {
        let home = std::env::home_dir();
        let mut files = Vec::new();
        for place in SYSTEM {
            files.extend(read_place(Path::new(place), IsNeeded::No)?);
        }
        match given {
            Some(place) => files.extend(read_place(&expand(place, home.as_deref()), IsNeeded::Yes)?),
            None => {
                for place in USER.iter().filter_map(|place| Some(home.as_ref()?.join(place))) {
                    files.extend(read_place(&place, IsNeeded::No)?);
                }
            }
        }
        Self::parse(name, &files, home.as_deref())
    }

    /// Reads a profile out of texts, of which later ones count. `~` in paths is the home directory.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    ///
    /// Source: `koji.read_config`. Differs: a call has ten minutes where nothing is said; `user`, `password` and `proxyuser`
    /// may stand there too; `anon_retry` is of no effect, as every read may be repeated; values for other programs are left.
    pub fn parse(name: &str, files: &[ProfileFile], home: Option<&Path>) -> Result<Self, ProfileError> {
        let mut ini = Ini::default();
        for file in files {
            ini.read(&file.name, &file.text).map_err(|bad| ProfileError::Line {
                file: file.name.clone(),
                line: bad.line,
                what: bad.what.to_owned(),
            })?;
        }
        let section = ini.section(name).ok_or_else(|| ProfileError::Unknown {
            name: name.to_owned(),
            known: ini.names().into_iter().map(str::to_owned).collect(),
        })?;
        Values { name, section, home }.profile()
    }
}

/// The values of a section, to be read as what they should be.
struct Values<'v> {
    name: &'v str,
    section: Section,
    home: Option<&'v Path>,
}

impl Values<'_> {
    fn profile(&self) -> Result<Profile, ProfileError> {
        let server = self.text("server")?.unwrap_or_else(|| "http://localhost/kojihub".to_owned());
        let mut profile = Profile::new(self.name, server, self.login()?);
        profile.topurl = self.text("topurl")?;
        profile.weburl = Some(self.text("weburl")?.unwrap_or_else(|| "http://localhost/koji".to_owned()));
        profile.proxyuser = self.text("proxyuser")?;
        profile.serverca = self.path("serverca")?;
        profile.no_ssl_verify = self.truth("no_ssl_verify")?.unwrap_or(false);
        self.set_number("max_retries", &mut profile.retry.max_retries)?;
        self.set_secs("retry_interval", &mut profile.retry.interval)?;
        profile.retry.offline_retry = self.truth("offline_retry")?.unwrap_or(false);
        self.set_secs("offline_retry_interval", &mut profile.retry.offline_interval)?;
        self.truth("anon_retry")?;
        self.set_secs("timeout", &mut profile.timeout)?;
        self.set_secs("auth_timeout", &mut profile.auth_timeout)?;
        self.set_number("upload_blocksize", &mut profile.upload_blocksize)?;
        if profile.upload_blocksize == 0 {
            return Err(self.wrong("upload_blocksize", "a part has at least one byte"));
        }
        Ok(profile)
    }

    /// Without `authtype`, what else is said decides, as in Koji's programs.
    fn login(&self) -> Result<Login, ProfileError> {
        let (user, cert) = (self.text("user")?, self.path("cert")?);
        let said = self.text("authtype")?;
        let kind = said.as_deref().unwrap_or(match (&cert, &user) {
            (Some(_), _) => "ssl",
            (None, Some(_)) => "password",
            (None, None) => "kerberos",
        });
        match kind {
            "noauth" => Ok(Login::Anonymous),
            "password" => Ok(Login::Password {
                user: user.ok_or_else(|| self.wrong("authtype", "a password needs a `user`"))?,
                password: Secret::new(self.text("password")?.unwrap_or_default()),
            }),
            "ssl" => {
                let cert = cert.ok_or_else(|| self.wrong("authtype", "ssl needs a `cert`"))?;
                Ok(Login::Certificate { cert })
            }
            "kerberos" | "gssapi" => {
                Ok(Login::Kerberos { principal: self.text("principal")?, keytab: self.path("keytab")? })
            }
            _ => Err(self.wrong("authtype", "it is none of ssl, kerberos, password, noauth")),
        }
    }

    /// Empty values are as good as none.
    fn text(&self, key: &str) -> Result<Option<String>, ProfileError> {
        let Some(setting) = self.section.get(key) else { return Ok(None) };
        let text = resolved(&self.section, &setting.text).map_err(|what| self.wrong(key, what))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn path(&self, key: &str) -> Result<Option<PathBuf>, ProfileError> {
        Ok(self.text(key)?.map(|path| expand(Path::new(&path), self.home)))
    }

    fn truth(&self, key: &str) -> Result<Option<bool>, ProfileError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match text.to_lowercase().as_str() {
            "1" | "yes" | "true" | "on" => Ok(Some(true)),
            "0" | "no" | "false" | "off" => Ok(Some(false)),
            _ => Err(self.wrong(key, "it is neither yes nor no")),
        }
    }

    fn set_number<N: std::str::FromStr>(&self, key: &str, number: &mut N) -> Result<(), ProfileError> {
        if let Some(text) = self.text(key)? {
            *number = text.parse().map_err(|_| self.wrong(key, "it is no whole number, or too large"))?;
        }
        Ok(())
    }

    fn set_secs(&self, key: &str, time: &mut Duration) -> Result<(), ProfileError> {
        let mut secs = time.as_secs();
        self.set_number(key, &mut secs)?;
        *time = Duration::from_secs(secs);
        Ok(())
    }

    fn wrong(&self, key: &str, what: impl Into<String>) -> ProfileError {
        ProfileError::Value {
            file: self.section.get(key).map_or("the configuration", |setting| &setting.file).to_owned(),
            section: self.name.to_owned(),
            key: key.to_owned(),
            what: what.into(),
        }
    }
}

/// Puts the home directory in the place of `~`.
fn expand(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IsNeeded {
    Yes,
    No,
}

/// Reads a file, or the files of a directory that end in `.conf`, by name.
fn read_place(place: &Path, is_needed: IsNeeded) -> Result<Vec<ProfileFile>, ProfileError> {
    let failed = |error: std::io::Error| ProfileError::File {
        file: place.display().to_string(),
        what: error.to_string(),
    };
    let about = match std::fs::metadata(place) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_needed == IsNeeded::No => {
            return Ok(Vec::new());
        }
        about => about.map_err(failed)?,
    };
    if !about.is_dir() {
        return Ok(vec![read_file(place)?]);
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(place).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "conf") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

fn read_file(path: &Path) -> Result<ProfileFile, ProfileError> {
    let name = path.display().to_string();
    let failed = |what: String| ProfileError::File { file: name.clone(), what };
    let length = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if length > FILE_BYTES {
        return Err(failed("it is too long for configuration".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    Ok(ProfileFile { name, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, texts: &[&str]) -> Result<Profile, ProfileError> {
        let file =
            |(at, text): (usize, &&str)| ProfileFile { name: format!("{at}.conf"), text: (*text).to_owned() };
        let files: Vec<_> = texts.iter().enumerate().map(file).collect();
        Profile::parse(name, &files, Some(Path::new("/home/me")))
    }

    fn said(text: &str) -> String {
        parse("koji", &[text]).unwrap_err().to_string()
    }

    #[test]
    fn a_profile_has_what_its_section_says_and_koji_s_defaults() {
        let text = "[koji]\nserver = https://h/kojihub\nweburl = https://h/koji\ntopurl = https://h/top\n\
                    authtype = ssl\ncert = ~/.koji/me.pem\nserverca = /etc/ca.pem\nmax_retries = 3\nretry_interval = 5\n\
                    offline_retry = True\noffline_retry_interval = 7\ntimeout = 43200\nauth_timeout = 9\n\
                    upload_blocksize = 1024\nproxyuser = other\nno_ssl_verify = on\nplugin_paths = /x\n";
        let profile = parse("koji", &[text]).unwrap();
        assert_eq!(profile.login, Login::Certificate { cert: "/home/me/.koji/me.pem".into() });
        assert_eq!(
            (profile.server.as_str(), profile.serverca),
            ("https://h/kojihub", Some("/etc/ca.pem".into()))
        );
        assert_eq!(
            (profile.topurl.as_deref(), profile.weburl.as_deref()),
            (Some("https://h/top"), Some("https://h/koji"))
        );
        assert_eq!((profile.retry.max_retries, profile.retry.interval.as_secs()), (3, 5));
        assert_eq!((profile.retry.offline_retry, profile.retry.offline_interval.as_secs()), (true, 7));
        assert_eq!((profile.timeout.as_secs(), profile.auth_timeout.as_secs()), (43200, 9));
        assert_eq!((profile.upload_blocksize, profile.proxyuser.as_deref()), (1024, Some("other")));
        assert!(profile.no_ssl_verify);

        let bare = parse("koji", &["[koji]"]).unwrap();
        let kerberos = Login::Kerberos { principal: None, keytab: None };
        let mut wanted = Profile::new("koji", "http://localhost/kojihub", kerberos);
        wanted.weburl = Some("http://localhost/koji".to_owned());
        assert_eq!(bare, wanted);
        assert_eq!(
            (bare.retry.max_retries, bare.retry.interval.as_secs(), bare.timeout.as_secs()),
            (30, 20, 600)
        );
    }

    #[test]
    fn later_files_count() {
        let texts = [
            "[koji]\nserver = http://a/kojihub\ntopurl = http://a/\n",
            "[koji]\nserver = http://b/kojihub\n",
        ];
        let profile = parse("koji", &texts).unwrap();
        assert_eq!(
            (profile.server.as_str(), profile.topurl.as_deref()),
            ("http://b/kojihub", Some("http://a/"))
        );
    }

    #[test]
    fn an_unknown_profile_lists_those_there_are() {
        let error = parse("brew", &["[stg]\n[koji]\n"]).unwrap_err();
        assert_eq!(error.to_string(), "there is no Koji profile `brew`; known are koji, stg");
        assert_eq!(
            parse("brew", &[]).unwrap_err().to_string(),
            "there is no Koji profile `brew`; none is known"
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_file_section_and_key() {
        let begin = "0.conf, section [koji], ";
        let cases = [
            ("max_retries = many", "max_retries: it is no whole number, or too large"),
            ("retry_interval = -1", "retry_interval: it is no whole number, or too large"),
            ("offline_retry = perhaps", "offline_retry: it is neither yes nor no"),
            ("anon_retry = perhaps", "anon_retry: it is neither yes nor no"),
            ("authtype = magic", "authtype: it is none of ssl, kerberos, password, noauth"),
            ("authtype = ssl", "authtype: ssl needs a `cert`"),
            ("authtype = password", "authtype: a password needs a `user`"),
            ("upload_blocksize = 0", "upload_blocksize: a part has at least one byte"),
            ("topurl = %(nothing)s", "topurl: there is no `nothing`"),
        ];
        for (line, wanted) in cases {
            assert_eq!(said(&format!("[koji]\n{line}\n")), format!("{begin}{wanted}"));
        }
        assert_eq!(said("[koji]\nserver\n"), "0.conf, line 2: neither section nor value");
    }

    #[test]
    fn what_else_is_said_tells_the_login() {
        let login = |lines: &str| parse("koji", &[&format!("[koji]\n{lines}")]).unwrap().login;
        assert_eq!(login("cert = ~/c\nuser = me"), Login::Certificate { cert: "/home/me/c".into() });
        let password = Login::Password { user: "me".to_owned(), password: Secret::new("pw") };
        assert_eq!(login("user = me\npassword = pw"), password);
        assert!(!format!("{password:?}").contains("pw"));
        let kerberos = Login::Kerberos { principal: Some("me@R".to_owned()), keytab: Some("/k".into()) };
        assert_eq!(login("principal = me@R\nkeytab = /k"), kerberos);
        assert_eq!(login("authtype = noauth\ncert = x"), Login::Anonymous);
    }

    #[test]
    fn files_are_read_in_koji_s_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, server: &str| {
            std::fs::write(folder.path().join(name), format!("[mine]\nserver = {server}\n")).unwrap();
        };
        write("b.conf", "http://b/");
        write("a.conf", "http://a/");
        write("z.txt", "http://z/");
        let server = |place: &Path| Profile::find("mine", Some(place)).map(|profile| profile.server);
        assert_eq!(server(folder.path()), Ok("http://b/".to_owned()));
        assert_eq!(server(&folder.path().join("a.conf")), Ok("http://a/".to_owned()));
        let missing = server(&folder.path().join("none")).unwrap_err();
        assert!(matches!(&missing, ProfileError::File { file, .. } if file.ends_with("none")), "{missing}");
    }
}
