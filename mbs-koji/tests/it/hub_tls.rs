//! Is it the hub that we talk to, and does it learn who we are?

use std::sync::Arc;

use mbs_core::build_system::Effect;
use mbs_koji::hub::{Hub, HubError};
use mbs_koji::profile::{Login, Profile};
use mbs_koji::xmlrpc::{Call, encode_response};

use crate::certificates::Certificates;
use crate::server::{Server, Skipping, Turn};

async fn server(certificates: &Certificates) -> Server {
    let answer = Turn::xml(&encode_response(Ok(&1.into())));
    Server::start(vec![answer; 2], Some(certificates.acceptor())).await
}

fn hub(profile: &Profile) -> Result<Hub, HubError> {
    Hub::new(profile, Arc::new(Skipping::default()))
}

#[tokio::test]
async fn a_hub_is_checked_against_the_profile_s_authority() {
    let (ours, others) = (Certificates::new(), Certificates::new());
    let server = server(&ours).await;
    let mut profile = Profile::new("test", format!("{}/kojihub", server.address), Login::Anonymous);
    profile.serverca = Some(ours.authority());
    assert_eq!(hub(&profile).unwrap().read(&Call::new("a")).await, Ok(1.into()));

    for authority in [Some(others.authority()), None] {
        profile.serverca = authority;
        let error = hub(&profile).unwrap().read(&Call::new("a")).await.unwrap_err();
        assert!(
            matches!(&error, HubError::Configuration { what, .. } if what.starts_with("TLS with")),
            "{error:?}"
        );
        assert_eq!((error.effect(), error.is_transient()), (Effect::None, false));
    }
    assert_eq!(server.taken().len(), 1);

    profile.no_ssl_verify = true;
    assert_eq!(hub(&profile).unwrap().read(&Call::new("a")).await, Ok(1.into()));
}

#[tokio::test]
async fn logins_by_certificate_make_the_address_https() {
    let certificates = Certificates::new();
    let server = server(&certificates).await;
    let address = format!("{}/kojihub", server.address.replace("https:", "http:"));
    let mut profile = Profile::new("test", address, Login::Certificate { cert: certificates.client() });
    profile.serverca = Some(certificates.authority());
    assert_eq!(hub(&profile).unwrap().read(&Call::new("a")).await, Ok(1.into()));
    assert!(server.taken()[0].has_certificate);
}

#[cfg(not(feature = "gssapi"))]
#[tokio::test]
async fn a_program_without_kerberos_says_so() {
    let certificates = Certificates::new();
    let server = server(&certificates).await;
    let login = Login::Kerberos { principal: None, keytab: None };
    let profile = Profile::new("test", format!("{}/kojihub", server.address), login);
    let error = hub(&profile).unwrap().write(&Call::new("a")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the login was not accepted: this program was built without Kerberos (feature gssapi)"
    );
    assert!(server.taken().is_empty());
}

#[test]
fn files_that_hold_no_certificate_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, missing) = (folder.path().join("empty.pem"), folder.path().join("missing.pem"));
    std::fs::write(&empty, "no certificate").unwrap();
    let certificates = Certificates::new();
    let mut profile = Profile::new("test", "https://127.0.0.1/kojihub", Login::Anonymous);
    // A certificate without its key.
    for path in [&certificates.authority(), &empty, &missing] {
        profile.login = Login::Certificate { cert: path.clone() };
        let said = hub(&profile).unwrap_err().to_string();
        assert!(said.contains(&path.display().to_string()), "{said}");
    }
    profile.login = Login::Anonymous;
    for path in [&empty, &missing] {
        profile.serverca = Some(path.clone());
        let said = hub(&profile).unwrap_err().to_string();
        assert!(said.contains(&path.display().to_string()), "{said}");
    }
}
