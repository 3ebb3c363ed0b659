//! Authorities and certificates.

use std::time::Duration;

use arca::authority::Authority;
use arca::entropy::SystemEntropy;
use arca::time::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
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
    /// From when it is good, in days from now.
    pub(crate) from: i64,
    /// Until when it is good, in days from now.
    pub(crate) days: i64,
    /// Its serial number; one left to chance if there is none.
    pub(crate) serial: Option<u64>,
}

impl Default for Issue<'_> {
    fn default() -> Self {
        Self { name: "service", units: &[], dns: &[], uris: &[], from: -365, days: 30, serial: None }
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
        params.not_before = now() + time::Duration::days(self.from);
        params.not_after = now() + time::Duration::days(self.days);
        params.serial_number = self.serial.map(SerialNumber::from);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// The authority's list of these certificates as revoked, which is good for so many days from now.
pub(crate) fn crl(authority: &Issuer, serials: &[u64], days: i64) -> String {
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: now() - time::Duration::hours(1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: now() - time::Duration::days(100),
        next_update: now() + time::Duration::days(days),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(authority).unwrap().pem().unwrap()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(SystemClock.now().unix_seconds()).unwrap()
}
