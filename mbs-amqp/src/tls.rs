//! How connections are encrypted and who is trusted. Files are read anew for each connection: whoever replaces a certificate
//! need not restart anything.

use std::path::Path;

use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use mbs_http::{TrustError, pem_file};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Identity, Settings};

/// Makes what encrypts connections.
///
/// # Errors
/// A file cannot be read or holds something else; certificate and key do not belong together.
pub(crate) fn connector(settings: &Settings) -> Result<RustlsConnector, TrustError> {
    let config = match &settings.ca {
        Some(path) => trusting(certificates(path)?),
        None => RustlsConnectorConfig::new_with_native_certs().map_err(|error| unusable(&error))?,
    };
    let connector = match &settings.identity {
        Some(Identity { cert, key }) => {
            config.connector_with_single_cert(certificates(cert)?, private_key(key)?)
        }
        None => config.connector_with_no_client_auth(),
    };
    connector.map_err(|error| unusable(&error))
}

fn trusting(certificates: Vec<CertificateDer<'static>>) -> RustlsConnectorConfig {
    let mut config = RustlsConnectorConfig::default();
    config.add_parsable_certificates(certificates);
    config
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    const WANTED: &str = "certificates";
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem_file(path, WANTED)?).collect();
    read.ok().filter(|found| !found.is_empty()).ok_or_else(|| TrustError::content(path, WANTED))
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TrustError> {
    const WANTED: &str = "private key";
    let pem = pem_file(path, WANTED)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TrustError::content(path, WANTED))
}

fn unusable(error: &std::io::Error) -> TrustError {
    TrustError::Tls(error.to_string())
}
