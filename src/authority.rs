//! A certificate authority for a first start, and what it signs: ECDSA on P-256, X.509 version 3 (RFC 5280).

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use time::OffsetDateTime;

use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::SecretText;
use crate::time::Timestamp;

/// How long the authority is good.
const AUTHORITY_LASTS: Duration = Duration::from_hours(3650 * 24);

/// A certificate and its private key, both in PEM.
#[derive(Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS #8).
    pub key: SecretText,
}

/// An authority that signs certificates for one server and its clients, and no further authorities.
pub struct Authority<'a> {
    issuer: Issuer<'static, KeyPair>,
    /// The authority's own certificate and key.
    pub own: Pair,
    now: Timestamp,
    entropy: &'a dyn Entropy,
}

impl<'a> Authority<'a> {
    /// A new authority, good from five minutes before `now`, so that clocks may differ, for ten years.
    pub fn new(now: Timestamp, entropy: &'a dyn Entropy) -> Result<Self> {
        let mut params = base("Arca CA", now, AUTHORITY_LASTS, entropy)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = new_key()?;
        let certificate = params.self_signed(&key).map_err(|error| failed(&error))?.pem();
        let own = Pair { certificate, key: SecretText::new(key.serialize_pem()) };
        Ok(Self { issuer: Issuer::new(params, key), own, now, entropy })
    }

    /// A server's certificate for these names and addresses.
    pub fn server(&self, names: Vec<String>, lasts: Duration) -> Result<Pair> {
        let common_name = names.first().cloned().unwrap_or_default();
        let mut params = base(&common_name, self.now, lasts, self.entropy)?;
        params.subject_alt_names = CertificateParams::new(names).map_err(|error| failed(&error))?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// A client's certificate, which names it as its common name.
    pub fn client(&self, name: &str, lasts: Duration) -> Result<Pair> {
        let mut params = base(name, self.now, lasts, self.entropy)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Pair> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| failed(&error))?;
        Ok(Pair { certificate: certificate.pem(), key: SecretText::new(key.serialize_pem()) })
    }
}

fn base(name: &str, now: Timestamp, lasts: Duration, entropy: &dyn Entropy) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    let moment = |at: Timestamp| {
        OffsetDateTime::from_unix_timestamp(at.unix_seconds()).map_err(|_| {
            Error::invalid("the certificate would end in a year that cannot be written; give it a shorter life")
        })
    };
    params.not_before = moment(Timestamp::from_unix_seconds(now.unix_seconds() - 300))?;
    params.not_after = moment(now.plus(lasts))?;
    let mut serial: [u8; 16] = entropy.bytes()?;
    // RFC 5280, section 4.1.2.2: positive.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| failed(&error))
}

fn failed(error: &rcgen::Error) -> Error {
    Error::invalid(format!("the certificate cannot be made: {error}; check the names: ASCII, without spaces"))
}

impl std::fmt::Debug for Authority<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}
