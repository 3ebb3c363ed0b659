//! TLS: the CA files, the client's certificate, and a server name that differs from the address.

use std::fmt;
use std::fs;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::error::{Error, Result, os_message};

/// What the operator said about TLS.
#[derive(Default)]
pub(crate) struct TlsSettings {
    /// A file with CA certificates.
    pub(crate) ca_cert: Option<PathBuf>,
    /// A folder with such files.
    pub(crate) ca_path: Option<PathBuf>,
    /// The client's certificate.
    pub(crate) client_cert: Option<PathBuf>,
    /// The client certificate's private key.
    pub(crate) client_key: Option<PathBuf>,
    /// The name that the server's certificate must have.
    pub(crate) server_name: Option<String>,
    /// Take any certificate.
    pub(crate) skip_verify: bool,
}

impl TlsSettings {
    /// The client library's configuration. Everything is read and checked here, so that a bad file is named.
    pub(crate) fn config(&self) -> Result<TlsConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = if self.skip_verify { Vec::new() } else { self.roots()? };
        let client_cert = self.client_cert(&provider)?;
        let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect::<Vec<_>>();
        Ok(TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .client_cert(client_cert)
            .disable_verification(self.skip_verify)
            .build())
    }

    /// The CA certificates of the file, else of the folder, else of the operating system.
    fn roots(&self) -> Result<Vec<CertificateDer<'static>>> {
        if let Some(file) = &self.ca_cert {
            return certificates(file, "CA certificate");
        }
        let Some(folder) = &self.ca_path else {
            return Ok(system_roots());
        };
        let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, "CA certificates", &error))?;
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.sort();
        let mut roots = Vec::new();
        for file in files {
            roots.extend(certificates(&file, "CA certificate")?);
        }
        Ok(roots)
    }

    fn client_cert(&self, provider: &Arc<CryptoProvider>) -> Result<Option<ClientCert>> {
        let (certificate, key) = match (&self.client_cert, &self.client_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) | (None, Some(_)) => {
                return Err(Error::local(
                    "Both -client-cert and -client-key are needed, and only one of them is given.",
                )
                .advise("Give both (or ARCA_CLIENT_CERT and ARCA_CLIENT_KEY), or neither."));
            }
        };
        let chain = certificates(certificate, "client certificate")?;
        let (private, kept) = private_key(key)?;
        // The client library would panic on a key that does not fit: it is tried here first.
        let trial = rustls::ClientConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let builder = builder.with_root_certificates(RootCertStore::empty());
                builder.with_client_auth_cert(chain.clone(), private)
            });
        trial.map_err(|error| {
            Error::local(format!("Error loading the client certificate {}: {error}", certificate.display()))
                .advise(format!("Check that {} is the private key of this certificate.", key.display()))
        })?;
        let chain: Vec<_> = chain.iter().map(|link| Certificate::from_der(link).to_owned()).collect();
        Ok(Some(ClientCert::new_with_certs(&chain, kept)))
    }
}

/// Where Linux distributions and BSDs keep the CA certificates of the operating system in one file.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The CA certificates of the operating system; none if it has no bundle.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let bundle = BUNDLES.iter().find_map(|path| fs::read(path).ok()).unwrap_or_default();
    CertificateDer::pem_slice_iter(&bundle).flatten().collect()
}

fn certificates(file: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let pem = fs::read(file).map_err(|error| unreadable(file, what, &error))?;
    let malformed = || {
        Error::local(format!("Error loading the {what} {}: it is not a certificate in PEM form.", file.display()))
            .advise("Give a file with -----BEGIN CERTIFICATE----- in it.")
    };
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| malformed())?;
    let mut store = RootCertStore::empty();
    for certificate in &found {
        store.add(certificate.clone()).map_err(|_| malformed())?;
    }
    if found.is_empty() { Err(malformed()) } else { Ok(found) }
}

/// The key, for trying it, and in the client library's own type.
fn private_key(file: &Path) -> Result<(PrivateKeyDer<'static>, PrivateKey<'static>)> {
    let pem = fs::read(file).map(zeroize::Zeroizing::new).map_err(|error| unreadable(file, "client key", &error))?;
    let both = PrivateKeyDer::from_pem_slice(&pem).ok().zip(PrivateKey::from_pem(&pem).ok());
    both.ok_or_else(|| {
        Error::local(format!("Error loading the client key {}: it is not a private key in PEM form.", file.display()))
            .advise("Give a file with -----BEGIN PRIVATE KEY----- in it, without a passphrase.")
    })
}

fn unreadable(file: &Path, what: &str, error: &std::io::Error) -> Error {
    Error::local(format!("Error loading the {what} {}: {}", file.display(), os_message(error)))
        .advise("Check the path and who may read it.")
}

/// Checks that a name can stand in a certificate.
pub(crate) fn check_server_name(name: &str) -> Result<()> {
    ServerName::try_from(name).map(|_| ()).map_err(|_| {
        Error::local("The TLS server name is not a host name.").advise("Give the name that the certificate has.")
    })
}

/// Sends every request to one host and port, whatever host its URL names: the URL names the host that the
/// certificate is for.
pub(crate) struct Pinned {
    /// The host without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pinned({}:{})", self.host, self.port)
    }
}

impl Resolver for Pinned {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut resolved = self.empty();
        for address in (self.host.as_str(), self.port).to_socket_addrs()?.take(16) {
            resolved.push(address);
        }
        if resolved.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(resolved) }
    }
}
