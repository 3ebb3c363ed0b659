//! Whom a connection trusts.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::secret::SecretText;

use super::url::TlsMode;

/// The TLS settings of a connection, as PEM text; empty where nothing is set.
#[derive(Clone, Copy)]
pub(super) struct Material<'a> {
    /// `tls_ca`: the authorities that the database's certificate may be of.
    pub(super) ca: &'a str,
    /// `tls_certificate`: what the database is shown.
    pub(super) certificate: &'a str,
    /// `private_key`: its key.
    pub(super) private_key: &'a SecretText,
}

/// How the connection is made; nothing if it is not to be protected. The error is a sentence for the caller.
///
/// As libpq has it, a given authority is always checked: with `tls_ca`, `prefer` and `require` are `verify-ca`.
pub(super) fn client(mode: TlsMode, material: Material<'_>) -> Result<Option<ClientConfig>, &'static str> {
    let trusted = if material.ca.trim().is_empty() { None } else { Some(Trusted::parse(material.ca)?) };
    match (mode, &trusted) {
        (TlsMode::Disable, None) => return Ok(None),
        (TlsMode::Disable, Some(_)) => {
            return Err("tls_ca is set and sslmode is disable; use sslmode=verify-full, or leave tls_ca out");
        }
        (TlsMode::VerifyCa | TlsMode::VerifyFull, None) => {
            return Err("sslmode verify-ca and verify-full need tls_ca: the PEM text of the authority's certificate");
        }
        (TlsMode::Prefer | TlsMode::Require, _) | (TlsMode::VerifyCa | TlsMode::VerifyFull, Some(_)) => {}
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier { trusted, check_name: mode == TlsMode::VerifyFull, provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|_| "TLS has no protocol version left")?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let config = match client_certificate(material)? {
        Some((chain, key)) => config
            .with_client_auth_cert(chain, key)
            .map_err(|_| "tls_certificate and private_key do not belong together")?,
        None => config.with_no_client_auth(),
    };
    Ok(Some(config))
}

type Credential = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(material: Material<'_>) -> Result<Option<Credential>, &'static str> {
    match (material.certificate.trim().is_empty(), material.private_key.is_empty()) {
        (true, true) => return Ok(None),
        (false, false) => {}
        (true, false) | (false, true) => return Err("tls_certificate and private_key must be set together"),
    }
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(material.certificate.as_bytes()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or("tls_certificate must be a certificate in PEM")?;
    let key = PrivateKeyDer::from_pem_slice(material.private_key.expose().as_bytes());
    Ok(Some((chain, key.map_err(|_| "private_key must be a private key in PEM")?)))
}

/// The certificates of `tls_ca`.
#[derive(Debug)]
struct Trusted {
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn parse(pem: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "tls_ca must be one or more certificates in PEM";
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.map_err(|_| MALFORMED)?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|_| MALFORMED)?;
        }
        if roots.is_empty() { Err(MALFORMED) } else { Ok(Self { roots, certificates }) }
    }

    /// Whether the database's own certificate is among them, as with one that it signed itself.
    fn names(&self, leaf: &CertificateDer<'_>) -> bool {
        self.certificates.iter().any(|certificate| certificate.as_ref() == leaf.as_ref())
    }
}

/// Checks what the database shows. Without authorities whoever answers is taken to be the database, as libpq does for
/// `prefer` and `require`; that it holds the certificate's key is checked in any case.
#[derive(Debug)]
struct Verifier {
    trusted: Option<Trusted>,
    check_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(trusted) = &self.trusted {
            let parsed = ParsedCertificate::try_from(leaf)?;
            if trusted.names(leaf) {
                within_its_time(leaf, now)?;
            } else {
                let algorithms = self.provider.signature_verification_algorithms.all;
                verify_server_cert_signed_by_trust_anchor(&parsed, &trusted.roots, intermediates, now, algorithms)?;
            }
            if self.check_name {
                verify_server_name(&parsed, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn within_its_time(leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|_| CertificateError::BadEncoding)?;
    let seconds = i64::try_from(now.as_secs()).map_err(|_| CertificateError::BadEncoding)?;
    let validity = certificate.validity();
    if seconds < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if seconds > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}
