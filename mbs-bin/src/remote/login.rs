//! Who we are at a service: as the arguments say, else as the service does.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use mbs_client::client::{Client, ClientError};
use mbs_client::login::{Kerberos, Login, LoginError, Oidc, OidcSettings, Person, token_file};
use mbs_http::Secret;

use super::show::{print, print_json};
use super::site::{Site, stop, trust};
use crate::cli::{LoginArguments, LoginMethod, Reader, ServiceArguments};
use crate::exit::{Exit, Stop};

/// The file of tokens, below the home folder, that the dist-git clients share.
const CACHE: &str = ".openidc/oidc_mbs_build.json";
/// The port that the browser comes back to; the provider has to know it.
const PORT: u16 = 13747;
/// How long somebody may take in the browser.
const PATIENCE: Duration = Duration::from_secs(600);

/// Sends whoever sits at the terminal to a page.
#[derive(Debug)]
struct AtTerminal;

impl Person for AtTerminal {
    fn visit(&self, address: &str) {
        // Nobody can be told that standard error is gone.
        drop(std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("Please visit {address} to grant authorization\n").as_bytes(),
        ));
    }
}

impl Site {
    /// Returns the client as who we are. The service is asked how people log in only if nobody has said so.
    ///
    /// # Errors
    /// `Failed`: it wants a way that is not known here. `Machine`: a token cannot be read, or the service cannot be reached.
    pub(super) async fn logged_in(&self, service: &ServiceArguments) -> Result<Client, Stop> {
        let method = match (service.login, &service.token_file) {
            (Some(method), _) => method,
            (None, Some(_)) => LoginMethod::Token,
            (None, None) => self.method().await?,
        };
        let login = match method {
            LoginMethod::None => Ok(Login::Anonymous),
            LoginMethod::Token => self.token(service),
            LoginMethod::Oidc => oidc(service).map(Login::Oidc),
            LoginMethod::Kerberos => Kerberos::of_system().map(Login::Ticket),
        };
        login.map(|login| self.client.with_login(login)).map_err(|error| stop(error.into()))
    }

    /// Asks the service how people log in. One that answers with an error is taken for one that wants tokens.
    pub(super) async fn method(&self) -> Result<LoginMethod, Stop> {
        let about = match self.client.about().await {
            Ok(about) => about,
            Err(
                error @ (ClientError::Configuration { .. } | ClientError::Unavailable { status: None, .. }),
            ) => {
                return Err(stop(error));
            }
            Err(error) => {
                tracing::info!("the service does not say how people log in: {error}");
                return Ok(LoginMethod::Oidc);
            }
        };
        match about.auth_method.as_deref() {
            Some("oidc") | None => Ok(LoginMethod::Oidc),
            Some("kerberos") => Ok(LoginMethod::Kerberos),
            Some(other) => Err(Stop::Failed(format!(
                "the service wants people to log in by {other:?}, which is not known here"
            ))),
        }
    }

    fn token(&self, service: &ServiceArguments) -> Result<Login, LoginError> {
        let path = service.token_file.as_deref();
        let path =
            path.ok_or_else(|| LoginError::Unable { reason: "which token? Say --token-file FILE".into() })?;
        token_file(path).map(Login::Token)
    }
}

/// Has the person at the terminal get a token from the provider, whatever is kept.
pub(super) async fn log_in(
    site: &Site,
    service: &ServiceArguments,
    arguments: &LoginArguments,
) -> Result<Exit, Stop> {
    let method = match service.login {
        Some(method) => method,
        None => site.method().await?,
    };
    let told = match method {
        LoginMethod::Oidc => {
            let oidc = oidc(service).map_err(|error| stop(error.into()))?;
            oidc.log_in().await.map_err(|error| stop(error.into()))?;
            "Logged in."
        }
        LoginMethod::Kerberos => "The service takes Kerberos tickets: kinit gets one.",
        LoginMethod::None => "Nobody has to log in.",
        LoginMethod::Token => "The token of --token-file needs no login.",
    };
    tell(told, method == LoginMethod::Oidc, arguments.reader())
}

/// Forgets the token that is kept.
pub(super) async fn log_out(service: &ServiceArguments, arguments: &LoginArguments) -> Result<Exit, Stop> {
    let oidc = oidc(service).map_err(|error| stop(error.into()))?;
    let was_there = oidc.log_out().await.map_err(|error| stop(error.into()))?;
    let told = if was_there { "Logged out." } else { "Nobody was logged in." };
    tell(told, false, arguments.reader())
}

fn tell(told: &str, is_logged_in: bool, reader: Reader) -> Result<Exit, Stop> {
    match reader {
        Reader::Person => print(&format!("{told}\n"))?,
        Reader::Program => print_json(&serde_json::json!({"has_token": is_logged_in, "message": told}))?,
    }
    Ok(Exit::Done)
}

/// Returns the tokens of the provider.
///
/// # Errors
/// The settings cannot be used.
pub(super) fn oidc(service: &ServiceArguments) -> Result<Oidc, LoginError> {
    let home = env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let home = home
        .ok_or_else(|| LoginError::Unable { reason: "there is no home folder to keep tokens in".into() })?;
    let settings = OidcSettings {
        provider: service.idprovider.clone(),
        trust: trust(service),
        client_id: service.oidc_client_id.clone(),
        // What every program on people's machines says; it is no secret.
        client_secret: Secret::new("notsecret"),
        scopes: service.oidc_scopes.clone(),
        cache: home.join(CACHE),
        port: PORT,
        patience: PATIENCE,
    };
    Oidc::new(settings, Some(Arc::new(AtTerminal)))
}
