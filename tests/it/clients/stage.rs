//! What the clients are run with: a frontend over recorded state, an identity provider, and a home with tokens and settings.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use mbs_tests::Ran;
use mbs_tests::needed::left_out;
use mbs_tests::served::Served;
use mbs_tests::within::run_within_limit;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rest_golden::recordings;

/// The provider whose address `mbs-build` and `mbs-cli` have built in.
const PROVIDER: &str = "https://id.fedoraproject.org/openidc/";

/// What clients ask of it.
const SCOPES: [&str; 3] = [
    "openid",
    "https://id.fedoraproject.org/scope/groups",
    "https://mbs.fedoraproject.org/oidc/submit-build",
];

/// What must be set before ODCS and Freshmaker can be imported; the lookups use none of it.
const SERVICES: &str = "class ProdConfiguration(object):\n    PUNGI_CONF_PATH = __file__\n    AUTH_BACKEND = 'noauth'\n\n\n\
    class DevConfiguration(ProdConfiguration):\n    pass\n";

/// A frontend, and the clients.
#[derive(Debug)]
pub(super) struct Stage {
    frontend: Served,
    provider: Served,
    home: TempDir,
    installed: PathBuf,
}

impl Stage {
    /// Sets everything up with the settings of a recorded profile; `None` if something is missing and may be.
    pub(super) fn set(profile: &str) -> Option<Self> {
        let recordings = recordings()?.canonicalize().unwrap();
        let installed = installed()?;
        let mut frontend = Command::new(env!("CARGO_BIN_EXE_rest-golden-server"));
        frontend.args(["--profile", profile, "--state"]).arg(recordings);
        let frontend = Served::start(&mut frontend, tempfile::tempdir().unwrap()).unwrap();
        let mut provider = Command::new("python3");
        provider.arg(program("identity_provider.py")).arg("certificate");
        let provider = Served::start(&mut provider, tempfile::tempdir().unwrap()).unwrap();
        let stage = Self { frontend, provider, home: tempfile::tempdir().unwrap(), installed };
        stage.write("work/readme", "Where the clients are called.\n");
        stage.write("conf/config.py", SERVICES);
        stage.write(
            ".koji/config",
            "[koji]\nserver = https://koji.example.test/kojihub\nweburl = https://koji.example.test/koji\n",
        );
        stage.write("rpkg.conf", &stage.rpkg_settings());
        Some(stage)
    }

    /// Returns the address of the frontend.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.frontend.address)
    }

    /// Returns the URL of the build that rpkg prints.
    pub(super) fn url_of(&self, id: i64) -> String {
        format!("{}/module-build-service/2/module-builds/{id}", self.url())
    }

    /// Fills the cache of an application with a token that has expired, and one to have it renewed with.
    pub(super) fn knows_token(&self, application: &str, refresh: &str) {
        let token = json!({
            "idp": PROVIDER, "access_token": "tok-expired", "refresh_token": refresh, "token_type": "Bearer",
            "expires_at": 1, "scopes": SCOPES,
        });
        self.write(&format!(".openidc/oidc_{application}.json"), &json!({"first": token}).to_string());
    }

    /// Returns the access tokens in the cache of an application.
    pub(super) fn tokens(&self, application: &str) -> Vec<String> {
        let file = self.home.path().join(format!(".openidc/oidc_{application}.json"));
        let cache: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let entries = cache.as_object().unwrap().values();
        entries.map(|entry| entry["access_token"].as_str().unwrap().to_owned()).collect()
    }

    /// Writes a file below the home.
    pub(super) fn write(&self, name: &str, content: &str) {
        let file = self.home.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// Runs rpkg.
    pub(super) fn rpkg(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command("people/bin/python");
        command.arg(program("rpkg_site.py")).arg(self.home.path().join("rpkg.conf")).args(arguments);
        run_within_limit(&mut command).unwrap()
    }

    /// Has rpkg log in by Kerberos tickets from now on; nobody has one.
    pub(super) fn rpkg_uses_tickets(&self) {
        self.write(
            "rpkg.conf",
            &self.rpkg_settings().replace("auth_method = oidc", "auth_method = kerberos"),
        );
    }

    /// Runs what rpkg has for flatpaks, which is no command.
    pub(super) fn latest_build(&self, nsvc: &str) -> Ran {
        let mut command = self.command("people/bin/python");
        let url = format!("{}/module-build-service/2/", self.url());
        run_within_limit(command.arg(program("rpkg_latest_build.py")).args([&url, nsvc])).unwrap()
    }

    /// Runs the original `mbs-build`.
    pub(super) fn mbs_build(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command("people/bin/mbs-build");
        run_within_limit(command.args(["-s", &self.url()]).args(arguments)).unwrap()
    }

    /// Runs the original `mbs-cli`.
    pub(super) fn mbs_cli(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command("services/bin/mbs-cli");
        run_within_limit(command.args(["--server", &self.url()]).args(arguments)).unwrap()
    }

    /// Runs one of our programs that call services' own code.
    pub(super) fn service(&self, name: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command("services/bin/python");
        run_within_limit(command.arg(program(name)).args(arguments)).unwrap()
    }

    /// Does so and returns what it printed.
    #[track_caller]
    pub(super) fn found(&self, name: &str, arguments: &[&str]) -> Value {
        let ran = self.service(name, arguments);
        assert_eq!(ran.status, Some(0), "{}\n{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// A client with no more of the world around it than it needs.
    fn command(&self, client: &str) -> Command {
        let (home, trusted) = (self.home.path(), self.provider.folder.path().join("certificate"));
        let mut command = Command::new(self.installed.join(client));
        command.current_dir(home.join("work")).env_clear().env("HOME", home).env("LANG", "C.UTF-8");
        command.env("PATH", "/usr/bin:/bin").env("USER", "alice").env("LOGNAME", "alice");
        command.env("PYTHONWARNINGS", "ignore").env("MBS_CONFIG_FILE", "");
        command.env("ODCS_CONFIG_DIR", home.join("conf"));
        command.env("FRESHMAKER_CONFIG_FILE", home.join("conf/config.py"));
        // Only what is encrypted goes by way of the provider, not what goes to the frontend.
        command.env("HTTPS_PROXY", format!("http://{}", self.provider.address));
        command.env("REQUESTS_CA_BUNDLE", trusted);
        command
    }

    fn rpkg_settings(&self) -> String {
        format!(
            "[sitepkg]\nlookaside = https://none.invalid/\nlookasidehash = sha512\n\
             lookaside_cgi = https://none.invalid/\ngitbaseurl = https://src.example.test/%(module)s\n\
             anongiturl = https://src.example.test/%(module)s\nbranchre = f\\d+\nkojiprofile = koji\n\
             build_client = koji\n\n[sitepkg.mbs]\nauth_method = oidc\napi_url = {}/module-build-service/1/\n\
             oidc_id_provider = {PROVIDER}\noidc_client_id = mbs-authorizer\noidc_client_secret = notsecret\n\
             oidc_scopes = {}\n",
            self.url(),
            SCOPES.join(",")
        )
    }
}

/// Asserts that a client ended well, and returns what it printed.
#[track_caller]
pub(super) fn printed(ran: Ran) -> String {
    assert_eq!(ran.status, Some(0), "{}\n{}", ran.out, ran.err);
    ran.out
}

/// Returns the folder of the clients; `None` if they are missing and may be.
fn installed() -> Option<PathBuf> {
    let script = mbs_tests::root().join("scripts/mbs-clients");
    let output = Command::new(script).arg("--installed").output().unwrap();
    if output.status.success() {
        return Some(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    left_out(String::from_utf8_lossy(&output.stderr).trim())
}

fn program(name: &str) -> PathBuf {
    mbs_tests::root().join("tests/data/clients").join(name)
}
