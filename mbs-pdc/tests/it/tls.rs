//! Is it the PDC that we talk to?

use std::path::Path;
use std::sync::Arc;

use mbs_core::build_system::Effect;
use mbs_pdc::api::{Change, Entries, Face, Filter};
use mbs_pdc::client::{Pdc, PdcError};
use mbs_pdc::server::{Login, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::client::{Skipping, ends, server};
use crate::server::{Server, json};

/// Writes the certificate of an authority, and returns a server that shows one signed by it.
async fn started(authority: &Path) -> Server {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(authority, issuer.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let shown =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![shown.der().clone()], key).unwrap();
    Server::start_tls(TlsAcceptor::from(Arc::new(config)), |_| json(200, "[]")).await
}

fn entries(told: &Server, trust: Trust) -> Result<Entries, PdcError> {
    let server = mbs_pdc::server::Server { trust, ..server(told.root.as_str(), 20_000) };
    Ok(Entries::new(Pdc::new(&server, Arc::new(Skipping::default()))?, Face::Variants))
}

#[tokio::test]
async fn a_server_is_checked_against_the_certificates_that_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, all) = (folder.path().join("ours.pem"), folder.path().join("all"));
    std::fs::create_dir(&all).unwrap();
    let told = started(&ours).await;
    let other = started(&all.join("other.0")).await;
    let found = async |told: &Server, trust: Trust| {
        ends(entries(told, trust).unwrap().find(&Filter::default())).await
    };
    assert_eq!(found(&told, Trust::File(ours.clone())).await, Ok(Vec::new()));
    assert_eq!(found(&told, Trust::Anyone).await, Ok(Vec::new()));
    assert_eq!(told.heard().len(), 2);

    for trust in [Trust::File(all.join("other.0")), Trust::File(all.clone())] {
        assert_eq!(found(&other, trust.clone()).await, Ok(Vec::new()), "{trust:?}");
        let change = Change { active: Some(true), ..Change::default() };
        let entries = entries(&told, trust).unwrap();
        let error = ends(entries.change("core-s-1", &change, "ticket 42")).await.unwrap_err();
        assert!(error.to_string().starts_with("the server's certificate is not accepted: "), "{error}");
        assert_eq!((error.effect(), error.is_transient()), (Effect::None, false));
    }
    assert_eq!(told.heard().len(), 2, "nothing was sent");

    // With ours among them, beside what is none.
    std::fs::copy(&ours, all.join("ours.0")).unwrap();
    std::fs::write(all.join("README"), "not a certificate").unwrap();
    assert_eq!(found(&told, Trust::File(all)).await, Ok(Vec::new()));
}

#[test]
fn places_without_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, missing) = (folder.path().join("empty"), folder.path().join("missing.pem"));
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(empty.join("README"), "not a certificate").unwrap();
    for path in [empty.join("README"), empty, missing] {
        let mut server = mbs_pdc::server::Server::new("https://127.0.0.1/", Login::Anonymous);
        server.trust = Trust::File(path.clone());
        let told = Pdc::new(&server, Arc::new(Skipping::default())).unwrap_err().to_string();
        assert!(
            told.starts_with("PDC server `https://127.0.0.1/`: ") && told.contains(path.to_str().unwrap()),
            "{told}"
        );
    }
}
