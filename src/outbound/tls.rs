//! Whom a connection trusts.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::secret::SecretText;

use super::OutboundError;

/// Whom a connection trusts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'a> {
    /// The authorities as PEM; those of the machine where it is empty.
    pub authorities: &'a str,
    /// The names of which the server's certificate must have one; the name in the URL where there are none.
    pub server_names: &'a [String],
}

/// What a client shows of itself to the server.
#[derive(Clone, Copy, Debug)]
pub struct ClientIdentity<'a> {
    /// Its certificate as PEM, with those between it and the authority behind it.
    pub certificate: &'a str,
    /// The key of the certificate as PEM.
    pub key: &'a SecretText,
}

/// The TLS of a client that trusts `trust`, speaks HTTP and shows nothing of itself.
pub(super) fn config(trust: Trust<'_>) -> Result<Arc<ClientConfig>, OutboundError> {
    identified(trust, None, &[b"http/1.1"])
}

/// The TLS of a client that trusts `trust`, shows `identity`, and speaks one of `protocols` (ALPN, RFC 7301).
pub(super) fn identified(
    trust: Trust<'_>,
    identity: Option<ClientIdentity<'_>>,
    protocols: &[&[u8]],
) -> Result<Arc<ClientConfig>, OutboundError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(if trust.authorities.trim().is_empty() { of_machine()? } else { of_pem(trust.authorities)? });
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|_| OutboundError::Handshake)?;
    let trusting = if trust.server_names.is_empty() {
        builder.with_root_certificates(roots)
    } else {
        let verifier = AnyOfNames::new(trust.server_names, roots, provider)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    let mut config = match identity {
        None => trusting.with_no_client_auth(),
        Some(ClientIdentity { certificate, key }) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| OutboundError::Identity)?;
            let chain = chain.map_err(|_| OutboundError::Identity)?;
            trusting.with_client_auth_cert(chain, key).map_err(|_| OutboundError::Identity)?
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

fn of_pem(pem: &str) -> Result<RootCertStore, OutboundError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| OutboundError::Authorities)?;
        roots.add(certificate).map_err(|_| OutboundError::Authorities)?;
    }
    if roots.is_empty() { Err(OutboundError::Authorities) } else { Ok(roots) }
}

/// The authorities that the machine trusts. One that cannot be read is left out, as other programs do.
fn of_machine() -> Result<RootCertStore, OutboundError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(OutboundError::NoAuthorities) } else { Ok(roots) }
}

/// Takes a certificate of any of these names, whatever the name in the URL is.
#[derive(Debug)]
struct AnyOfNames {
    names: Vec<ServerName<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl AnyOfNames {
    fn new(names: &[String], roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Result<Self, OutboundError> {
        let names = names.iter().map(|name| ServerName::try_from(name.clone()).map_err(|_| OutboundError::Address));
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        Ok(Self {
            names: names.collect::<Result<_, _>>()?,
            verifier: verifier.map_err(|_| OutboundError::Authorities)?,
        })
    }
}

impl ServerCertVerifier for AnyOfNames {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut outcome = Err(rustls::Error::General("no name is taken".to_owned()));
        for name in &self.names {
            outcome = self.verifier.verify_server_cert(leaf, intermediates, name, ocsp, now);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
