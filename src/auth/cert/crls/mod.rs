//! Lists of revoked certificates (RFC 5280, section 5) that an operator uploads.
//!
//! A list is believed as it is: whoever may upload it could as well delete the role. It stays in force when its time is
//! over, since a certificate that was revoked does not become good again.

mod delete;
mod list;
mod read;
mod write;

pub(super) use delete::DeleteCrl;
pub(super) use list::ListCrls;
pub(super) use read::ReadCrl;
pub(super) use write::WriteCrl;

use std::collections::HashSet;

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::num_bigint::BigUint;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, ParsedExtension, X509Certificate, X509Extension};

use crate::engine::Record;
use crate::error::{Error, Result};

use super::leaf::{Leaf, fingerprint, without_colons};
use super::pem;

/// Where the records are.
pub(super) const FOLDER: &str = "crl/";

/// The most lists of one mount.
const MAX_LISTS: usize = 64;

/// The key of a list's record.
pub(super) fn key(name: &str) -> String {
    format!("{FOLDER}{name}")
}

/// The path of one list.
#[derive(Deserialize, JsonSchema)]
pub(super) struct CrlPath {
    /// Its name.
    name: String,
}

/// A list as it was uploaded.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Crl {
    /// DER in Base64.
    der: String,
}

impl Record for Crl {}

impl Crl {
    /// A list out of PEM, or of DER in Base64.
    pub(super) fn new(text: &str) -> Result<Self> {
        let der = match pem::blocks(text, "X509 CRL") {
            Some(blocks) => <[Vec<u8>; 1]>::try_from(blocks).map_err(|_| unreadable())?.concat(),
            None => BASE64.decode(text.trim().as_bytes()).map_err(|_| unreadable())?,
        };
        let crl = Self { der: BASE64.encode(&der) };
        crl.parse()?;
        Ok(crl)
    }

    /// The list in the form that a login asks for.
    pub(super) fn parse(&self) -> Result<RevocationList> {
        let der = BASE64.decode(self.der.as_bytes()).map_err(|_| unreadable())?;
        let (rest, list) = CertificateRevocationList::from_der(&der).map_err(|_| unreadable())?;
        if !rest.is_empty() {
            return Err(unreadable());
        }
        if has(list.extensions(), DELTA_CRL_INDICATOR) {
            return Err(Error::invalid("a delta CRL says too little on its own; upload the complete one"));
        }
        let mut serials = HashSet::new();
        for entry in list.iter_revoked_certificates() {
            if has(entry.extensions(), CERTIFICATE_ISSUER) {
                return Err(Error::invalid("indirect CRLs are not supported; upload one CRL for each authority"));
            }
            serials.insert(significant(entry.raw_serial()).into());
        }
        Ok(RevocationList {
            fingerprint: self.fingerprint(),
            issuer: list.issuer().as_raw().to_vec(),
            authority_key_id: list.extensions().iter().find_map(authority_key_id),
            serials,
        })
    }

    fn fingerprint(&self) -> String {
        fingerprint(self.der.as_bytes())
    }
}

/// A list in the form that a login asks for.
#[derive(Debug)]
pub(super) struct RevocationList {
    fingerprint: String,
    /// The name of the authority, as DER.
    issuer: Vec<u8>,
    authority_key_id: Option<Vec<u8>>,
    /// Serial numbers, big endian, without leading zeros.
    serials: HashSet<Box<[u8]>>,
}

impl RevocationList {
    /// Whether this was made out of `crl`.
    pub(super) fn is_of(&self, crl: &Crl) -> bool {
        self.fingerprint == crl.fingerprint()
    }

    /// Whether the certificate is in it. Numbers count for their authority only, which is known by its name or by its
    /// key: either is enough.
    pub(super) fn revokes(&self, issued: &Issued) -> bool {
        let same_key = self.authority_key_id.is_some() && self.authority_key_id == issued.authority_key_id;
        (self.issuer == issued.issuer || same_key) && self.has(&issued.serial)
    }

    /// Whether this number (big endian) is in it.
    pub(super) fn has(&self, serial: &[u8]) -> bool {
        self.serials.contains(significant(serial))
    }

    /// The serial numbers in decimal.
    fn numbers(&self) -> impl Iterator<Item = String> {
        self.serials.iter().map(|serial| BigUint::from_bytes_be(serial).to_string())
    }
}

/// What a list knows a certificate by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Issued {
    issuer: Vec<u8>,
    authority_key_id: Option<Vec<u8>>,
    serial: Vec<u8>,
}

impl Issued {
    /// Of a client's certificate.
    pub(super) fn of_leaf(leaf: &Leaf) -> Self {
        let authority_key_id = without_colons(&leaf.authority_key_id).filter(|id| !id.is_empty());
        Self { issuer: leaf.issuer.clone(), authority_key_id, serial: leaf.raw_serial.clone() }
    }

    /// Of another certificate of the chain; nothing if it cannot be read.
    pub(super) fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Self {
            issuer: certificate.issuer().as_raw().to_vec(),
            authority_key_id: certificate.extensions().iter().find_map(authority_key_id),
            serial: certificate.raw_serial().to_vec(),
        })
    }
}

const DELTA_CRL_INDICATOR: &str = "2.5.29.27";
const CERTIFICATE_ISSUER: &str = "2.5.29.29";

fn has(extensions: &[X509Extension<'_>], oid: &str) -> bool {
    extensions.iter().any(|extension| extension.oid.to_id_string() == oid)
}

fn authority_key_id(extension: &X509Extension<'_>) -> Option<Vec<u8>> {
    if let ParsedExtension::AuthorityKeyIdentifier(id) = extension.parsed_extension() {
        // An empty one names no key.
        id.key_identifier.as_ref().map(|id| id.0.to_vec()).filter(|id| !id.is_empty())
    } else {
        None
    }
}

/// A number without its leading zeros.
fn significant(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeros..).unwrap_or_default()
}

fn unreadable() -> Error {
    Error::invalid("failed to parse CRL: send one X.509 CRL as PEM")
}
