//! Authorities and certificates.

use std::time::Duration;

use arca::authority::Authority;
use arca::entropy::SystemEntropy;
use arca::time::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

const DAY: Duration = Duration::from_hours(24);

/// What a server and its clients need for mutual TLS, in PEM, made as `arca tls bootstrap` makes it.
pub(crate) struct Pki {
    /// The authority of both sides.
    pub(crate) ca: String,
    /// The server's certificate and key.
    pub(crate) server: (String, String),
    /// The operator's certificate and key.
    pub(crate) client: (String, String),
}

impl Pki {
    /// For a server on 127.0.0.1.
    pub(crate) fn new() -> Self {
        let entropy = SystemEntropy::new();
        let authority = Authority::new(SystemClock.now(), &entropy).unwrap();
        let server = authority.server(vec!["127.0.0.1".to_owned(), "localhost".to_owned()], DAY).unwrap();
        let client = authority.client("operator", DAY).unwrap();
        let ca = authority.own.certificate.clone();
        let both = |pair: arca::authority::Pair| (pair.certificate, pair.key.expose().to_owned());
        Self { ca, server: both(server), client: both(client) }
    }
}

/// An authority of a test's own.
pub(crate) type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A new authority.
pub(crate) fn issuer(name: &str) -> Issuer {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A client's certificate that is to be issued.
pub(crate) struct Issue<'a> {
    /// Its common name.
    pub(crate) name: &'a str,
    /// Its organisational units.
    pub(crate) units: &'a [&'a str],
    /// Its names of hosts.
    pub(crate) dns: &'a [&'a str],
    /// Its URIs.
    pub(crate) uris: &'a [&'a str],
    /// Until when it is good, in days from now; it is good from a year ago.
    pub(crate) days: i64,
}

impl Default for Issue<'_> {
    fn default() -> Self {
        Self { name: "service", units: &[], dns: &[], uris: &[], days: 30 }
    }
}

impl Issue<'_> {
    /// The certificate and its key, in PEM.
    pub(crate) fn by(&self, issuer: &Issuer) -> (String, String) {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, self.name);
        for unit in self.units {
            params.distinguished_name.push(DnType::OrganizationalUnitName, *unit);
        }
        let dns = self.dns.iter().map(|name| SanType::DnsName((*name).try_into().unwrap()));
        let uris = self.uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names = dns.chain(uris).collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().unix_seconds()).unwrap();
        params.not_before = now - time::Duration::days(365);
        params.not_after = now + time::Duration::days(self.days);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}
