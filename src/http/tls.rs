//! TLS by rustls: which certificate is shown, and what is asked of clients.
//!
//! A reload builds a whole new configuration, with a session store of its own: a session that was made under the old
//! authorities, or before a certificate was revoked, cannot be resumed under the new ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};

use super::revocation::Lists;
use crate::config::{ClientAuth, Tls, TlsVersion};
use crate::time::Timestamp;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has nothing of the kind in it.
    #[error("{}: no {what} in PEM could be read; check the path, the permissions and the content", path.display())]
    File {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificate, key and authorities do not fit together. Names the files.
    #[error("{0}")]
    Refused(String),
    /// The lists of revoked certificates cannot be used.
    #[error("{}: the lists of revoked certificates cannot be used: {reason}", path.display())]
    Revocation {
        /// Where they are.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// What the handshakes of a listener go by.
#[derive(Debug)]
pub(super) struct Terms {
    /// For rustls.
    pub(super) config: Arc<ServerConfig>,
    /// Whose certificates are good.
    admitted: Admitted,
}

/// What decides about the certificates of clients, as DER.
#[derive(Debug, Default, PartialEq, Eq)]
struct Admitted {
    authorities: Vec<CertificateDer<'static>>,
    revoked: Vec<CertificateRevocationListDer<'static>>,
}

impl Terms {
    /// Whether the certificates of the same clients are good by these as by `other`.
    pub(super) fn admit_the_same_as(&self, other: &Self) -> bool {
        self.admitted == other.admitted
    }
}

/// Reads what the configuration of a listener names, at the time `now`.
pub(super) fn terms(tls: &Tls, now: Timestamp) -> Result<Terms, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&tls.cert_file)?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file).map_err(|error| file("private key", &tls.key_file, error))?;
    let versions: Vec<_> = [(TlsVersion::Tls13, &rustls::version::TLS13), (TlsVersion::Tls12, &rustls::version::TLS12)]
        .into_iter()
        .filter(|(version, _)| (tls.min_version..=tls.max_version).contains(version))
        .map(|(_, version)| version)
        .collect();
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions)
        .map_err(|error| TlsError::Refused(error.to_string()))?;
    let admitted = Admitted::read(tls, &provider, now)?;
    let builder = match client_verifier(tls, &admitted, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        let (chain, key) = (tls.cert_file.display(), tls.key_file.display());
        TlsError::Refused(format!(
            "the certificate in {chain} cannot be used with the key in {key}: {error}; give the two that belong together"
        ))
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Terms { config: Arc::new(config), admitted })
}

impl Admitted {
    fn read(tls: &Tls, provider: &CryptoProvider, now: Timestamp) -> Result<Self, TlsError> {
        let (ClientAuth::Required(path) | ClientAuth::Optional(Some(path))) = &tls.client_auth else {
            return Ok(Self::default());
        };
        let authorities = certificates(path)?;
        let Some(path) = &tls.client_crl_file else { return Ok(Self { authorities, revoked: Vec::new() }) };
        let lists = Lists::read(path, &authorities, &provider.signature_verification_algorithms, now)?;
        for remark in lists.remarks {
            tracing::warn!(file = %path.display(), "{remark}");
        }
        Ok(Self { authorities, revoked: lists.der })
    }
}

fn client_verifier(
    tls: &Tls,
    admitted: &Admitted,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let of_authorities = |required: bool| {
        let mut roots = RootCertStore::empty();
        for certificate in &admitted.authorities {
            roots.add(certificate.clone()).map_err(|error| unfit(tls, &error))?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let builder = if required { builder } else { builder.allow_unauthenticated() };
        // The whole chain is looked up. What no list is about is let in.
        let builder = builder.with_crls(admitted.revoked.iter().cloned()).allow_unknown_revocation_status();
        builder.build().map_err(|error| unusable(tls, &error))
    };
    match &tls.client_auth {
        ClientAuth::Required(_) => of_authorities(true).map(Some),
        ClientAuth::Optional(Some(_)) => of_authorities(false).map(Some),
        ClientAuth::Optional(None) => Ok(Some(Arc::new(AnyCertificate(provider)))),
        ClientAuth::Off => Ok(None),
    }
}

fn unusable(tls: &Tls, error: &VerifierBuilderError) -> TlsError {
    match (&tls.client_crl_file, error) {
        (Some(path), VerifierBuilderError::InvalidCrl(_)) => {
            TlsError::Revocation { path: path.clone(), reason: error.to_string() }
        }
        _ => unfit(tls, error),
    }
}

fn unfit(tls: &Tls, error: &dyn std::error::Error) -> TlsError {
    let path = match &tls.client_auth {
        ClientAuth::Required(path) | ClientAuth::Optional(Some(path)) => path.display().to_string(),
        ClientAuth::Optional(None) | ClientAuth::Off => "no file".to_owned(),
    };
    TlsError::Refused(format!("the authorities of clients in {path} cannot be used: {error}"))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| file("certificate", path, error))?;
    let chain: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| file("certificate", path, error))?;
    if chain.is_empty() {
        return Err(file("certificate", path, "the file has none"));
    }
    Ok(chain)
}

fn file(what: &'static str, path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TlsError {
    TlsError::File { what, path: path.to_owned(), source: source.into() }
}

/// Takes any certificate whose key the client holds, and none. Whom it names, and whether that is believed, is for the
/// `cert` auth method to say.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
