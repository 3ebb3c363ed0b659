//! The client's side and the floor's side of mTLS.

use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// A certificate with its key, and the authority of the other side, all in PEM.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'a> {
    pub(crate) authority: &'a Path,
    pub(crate) certificate: &'a Path,
    pub(crate) key: &'a Path,
}

/// How a client connects.
pub(crate) fn client(files: Files<'_>, resumed: bool) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(default_provider().into()).with_protocol_versions(&[&TLS13])?;
    let builder = builder.with_root_certificates(roots(files)?);
    let mut config = builder.with_client_auth_cert(chain(files)?, PrivateKeyDer::from_pem_file(files.key)?)?;
    config.resumption = if resumed { Resumption::in_memory_sessions(4096) } else { Resumption::disabled() };
    Ok(Arc::new(config))
}

/// How the floor listens.
pub(crate) fn server(files: Files<'_>) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(files)?), provider.clone()).build()?;
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13])?;
    let builder = builder.with_client_cert_verifier(verifier);
    Ok(Arc::new(builder.with_single_cert(chain(files)?, PrivateKeyDer::from_pem_file(files.key)?)?))
}

fn roots(files: Files<'_>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(files.authority)? {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

fn chain(files: Files<'_>) -> Result<Vec<CertificateDer<'static>>, Error> {
    Ok(CertificateDer::pem_file_iter(files.certificate)?.collect::<Result<_, _>>()?)
}
