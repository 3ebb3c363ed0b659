//! The lists of revoked certificates (RFC 5280, section 5) that a listener goes by, of the file `tls_client_crl_file`.
//!
//! A list counts for the certificates of its authority, the client's own and those between it and the authority. What no
//! list is about is let in: not every authority makes one. A list whose time is over still counts, and the log says so:
//! what was revoked does not become good again, and a list that was not renewed overnight must not keep everybody out.

use std::path::Path;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use webpki::EndEntityCert;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, ParsedExtension, X509Certificate};

use super::tls::TlsError;
use crate::time::Timestamp;

/// Lists that were read.
#[derive(Debug)]
pub(super) struct Lists {
    /// Each as DER.
    pub(super) der: Vec<CertificateRevocationListDer<'static>>,
    /// What is odd about them, for the log.
    pub(super) remarks: Vec<String>,
}

impl Lists {
    /// Those in the file `path`, in PEM. None at all, one that cannot be read, one that an authority of its name did not
    /// sign, and two that are about the same certificates are errors.
    pub(super) fn read(
        path: &Path,
        authorities: &[CertificateDer<'static>],
        algorithms: &WebPkiSupportedAlgorithms,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let refused = |reason: String| TlsError::Revocation { path: path.to_owned(), reason };
        let der: Vec<_> =
            CertificateRevocationListDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| {
                refused(format!("it cannot be read: {error}; check that it exists, and who may read it"))
            })?;
        let mut lists = Vec::new();
        for der in &der {
            lists.push(List::parse(der).ok_or_else(|| refused("it has a list that cannot be read".to_owned()))?);
        }
        if lists.is_empty() {
            return Err(refused("it has no list; an authority that revoked nothing signs an empty one".to_owned()));
        }
        let mut remarks = Vec::new();
        for (number, list) in lists.iter().enumerate() {
            if lists.iter().take(number).any(|other| list.is_about_the_same_as(other)) {
                return Err(refused(format!("it has two lists of {}; keep the newest", list.issuer)));
            }
            list.compare(authorities, algorithms, &mut remarks).map_err(refused)?;
            if list.next_update.is_some_and(|next| next < now.unix_seconds()) {
                remarks.push(format!("the time of the list of {} is over; it still counts, renew it", list.issuer));
            }
        }
        Ok(Self { der, remarks })
    }
}

/// One list, as far as it is looked at before a client comes.
struct List {
    /// The name of its authority.
    issuer: String,
    raw_issuer: Vec<u8>,
    /// Which of the authority's certificates it is about, as DER; nothing if it is about all of them.
    scope: Option<Vec<u8>>,
    /// When there should be another, seconds since the epoch.
    next_update: Option<i64>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl List {
    fn parse(der: &[u8]) -> Option<Self> {
        let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
        let scope = list
            .extensions()
            .iter()
            .find(|extension| matches!(extension.parsed_extension(), ParsedExtension::IssuingDistributionPoint(_)));
        rest.is_empty().then(|| Self {
            issuer: list.issuer().to_string(),
            raw_issuer: list.issuer().as_raw().to_vec(),
            scope: scope.map(|extension| extension.value.to_vec()),
            next_update: list.next_update().map(|time| time.timestamp()),
            signed: list.tbs_cert_list.as_ref().to_vec(),
            signature: list.signature_value.data.to_vec(),
        })
    }

    /// Whether only one of the two would be looked at for some certificates.
    fn is_about_the_same_as(&self, other: &Self) -> bool {
        let overlaps = self.scope.is_none() || other.scope.is_none() || self.scope == other.scope;
        self.raw_issuer == other.raw_issuer && overlaps
    }

    /// Looks for its authority. One that is not configured may be one between a client and those that are.
    fn compare(
        &self,
        authorities: &[CertificateDer<'static>],
        algorithms: &WebPkiSupportedAlgorithms,
        remarks: &mut Vec<String>,
    ) -> Result<(), String> {
        let is_named = |der: &&CertificateDer<'static>| {
            X509Certificate::from_der(der)
                .is_ok_and(|(_, certificate)| certificate.subject().as_raw() == self.raw_issuer)
        };
        let named: Vec<_> = authorities.iter().filter(is_named).collect();
        let signers = named.iter().filter(|authority| self.is_signed_by(authority, algorithms)).count();
        let issuer = &self.issuer;
        if named.is_empty() {
            remarks.push(format!(
                "the list of {issuer} is of none of the authorities of clients; it counts for certificates of an \
                 authority between, and for no others"
            ));
        } else if signers == 0 {
            return Err(format!("the list of {issuer} was not signed by the authority of that name"));
        } else if signers < named.len() {
            remarks.push(format!(
                "there are several authorities by the name of {issuer}; clients of those that did not sign its list are \
                 refused"
            ));
        }
        Ok(())
    }

    fn is_signed_by(&self, authority: &CertificateDer<'static>, algorithms: &WebPkiSupportedAlgorithms) -> bool {
        EndEntityCert::try_from(authority).is_ok_and(|authority| {
            let mut all = algorithms.all.iter();
            all.any(|algorithm| authority.verify_signature(*algorithm, &self.signed, &self.signature).is_ok())
        })
    }
}

/// What the fuzz target runs: a list is about the same as itself.
#[doc(hidden)]
pub fn fuzz_revocation(der: &[u8]) {
    assert!(List::parse(der).is_none_or(|list| list.is_about_the_same_as(&list)));
}
