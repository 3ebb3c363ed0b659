//! Which role, if any, a client's certificates lead to.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::engine::{Client, address_is_bound};
use crate::error::{Error, Result};
use crate::time::Timestamp;

use super::constraints;
use super::crls::Issued;
use super::leaf::Leaf;
use super::roles::Role;
use super::trust::{Authority, Trust};

/// The most certificates that a client may show: more than any real chain has.
const LONGEST_CHAIN: usize = 16;

/// A client whose certificate was verified and fits a role.
#[derive(Debug)]
pub(super) struct Admission<'a> {
    pub(super) name: &'a str,
    pub(super) role: &'a Role,
    pub(super) leaf: Leaf,
}

/// Why a client is not let in; of several reasons the one nearest to success is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    /// No role trusts the certificate.
    Untrusted,
    /// One does, and the certificate is not valid.
    Invalid(&'static str),
    /// It is valid, and revoked or not what the role demands.
    Unfit,
    /// It fits, and comes from the wrong address.
    WrongAddress,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Untrusted => Self::invalid("invalid certificate or no client certificate supplied"),
            Refusal::Invalid(reason) => Self::invalid(format!("failed to verify client's certificate: {reason}")),
            Refusal::Unfit => {
                Self::invalid("no chain matching all constraints could be found for this login certificate")
            }
            Refusal::WrongAddress => Self::bad_token(),
        }
    }
}

impl Trust {
    /// The role that `client` fits: the one called `wanted`, or the first by name.
    pub(super) fn admit(&self, client: &Client, wanted: Option<&str>, now: Timestamp) -> Result<Admission<'_>> {
        let certificates: Vec<CertificateDer<'_>> =
            client.certificates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let (first, others) =
            certificates.split_first().ok_or_else(|| Error::invalid("no client certificate found"))?;
        if certificates.len() > LONGEST_CHAIN {
            return Err(Refusal::Invalid("the chain has more than 16 certificates").into());
        }
        let leaf = Leaf::parse(first).ok_or(Refusal::Invalid("it cannot be read"))?;
        let wanted = match wanted {
            Some(name) => Some(self.roles.get_key_value(name).ok_or(Refusal::Untrusted)?.0.as_str()),
            None => None,
        };
        let trusting = self.trusting(&Shown { leaf: &leaf, first, others, now }, wanted)?;
        let mut refusal = Refusal::Untrusted;
        for name in trusting {
            let Some((name, trusted)) = self.roles.get_key_value(name) else { continue };
            let role = &trusted.role;
            if !constraints::fits(role, &leaf) {
                refusal = refusal.max(Refusal::Unfit);
            } else if !address_is_bound(&role.token.token_bound_cidrs, client.address) {
                refusal = refusal.max(Refusal::WrongAddress);
            } else {
                return Ok(Admission { name, role, leaf });
            }
        }
        Err(refusal.into())
    }

    /// The names of the roles that trust the certificate, or the best reason why none does.
    fn trusting<'a>(&'a self, shown: &Shown<'_>, wanted: Option<&str>) -> Result<BTreeSet<&'a str>, Refusal> {
        let mut names = BTreeSet::new();
        let mut refusal = Refusal::Untrusted;
        let is_wanted = |name: &&'a str| wanted.is_none_or(|wanted| wanted == *name);
        let mut add = |roles: &'a BTreeSet<String>, verify: &dyn Fn() -> Result<(), Refusal>| {
            let roles: Vec<&str> = roles.iter().map(String::as_str).filter(is_wanted).collect();
            if roles.is_empty() {
                return;
            }
            match verify() {
                Ok(()) => names.extend(roles),
                Err(reason) => refusal = refusal.max(reason),
            }
        };
        if let Some(roles) = self.pins.get(&shown.leaf.fingerprint) {
            add(roles, &|| self.verify_pinned(shown));
        }
        for issuer in shown.issuers() {
            for trusted in self.authorities.get(&issuer).into_iter().flatten() {
                add(&trusted.roles, &|| self.verify_issued(shown, &trusted.authority));
            }
        }
        if names.is_empty() { Err(refusal) } else { Ok(names) }
    }

    /// A certificate that a role names byte for byte: no chain is needed, and its own bounds hold all the same.
    fn verify_pinned(&self, shown: &Shown<'_>) -> Result<(), Refusal> {
        let Shown { leaf, now, .. } = shown;
        check_validity(leaf.valid, *now)?;
        if !leaf.for_clients {
            return Err(WRONG_USAGE);
        }
        let issued = Issued::of_leaf(leaf);
        if self.lists.values().any(|list| list.revokes(&issued)) { Err(Refusal::Unfit) } else { Ok(()) }
    }

    fn verify_issued(&self, shown: &Shown<'_>, authority: &Authority) -> Result<(), Refusal> {
        let Shown { first, others, now, .. } = shown;
        check_validity(authority.valid, *now)?;
        let end_entity = EndEntityCert::try_from(*first).map_err(|error| refusal_of(&error))?;
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or_default();
        let revoked = Cell::new(false);
        let acceptable = |path: &VerifiedPath<'_>| {
            let chain = || path.intermediate_certificates().map(webpki::Cert::der);
            let depth = u32::try_from(chain().count()).unwrap_or(u32::MAX);
            if authority.path_length.is_some_and(|longest| depth > longest) {
                return Err(webpki::Error::PathLenConstraintViolated);
            }
            let authority = std::iter::once(authority.certificate.clone());
            if self.is_revoked(shown.leaf, chain().chain(authority)) {
                revoked.set(true);
                return Err(webpki::Error::CertRevoked);
            }
            Ok(())
        };
        let verified = end_entity.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            std::slice::from_ref(&authority.anchor),
            others,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::client_auth(),
            None,
            Some(&acceptable),
        );
        match verified {
            Ok(_) => Ok(()),
            Err(_) if revoked.get() => Err(Refusal::Unfit),
            Err(error) => Err(refusal_of(&error)),
        }
    }

    fn is_revoked<'c>(&self, leaf: &Leaf, mut chain: impl Iterator<Item = CertificateDer<'c>>) -> bool {
        let listed = |issued: &Issued| self.lists.values().any(|list| list.revokes(issued));
        if self.lists.is_empty() {
            return false;
        }
        // A certificate that cannot be read here was read by the verifier: rather refuse it than not look it up.
        listed(&Issued::of_leaf(leaf)) || chain.any(|der| Issued::of_certificate(&der).is_none_or(|one| listed(&one)))
    }
}

/// What a client showed.
struct Shown<'a> {
    leaf: &'a Leaf,
    first: &'a CertificateDer<'a>,
    others: &'a [CertificateDer<'a>],
    now: Timestamp,
}

impl Shown<'_> {
    /// The names (as DER) that an authority must have to stand at the end of a chain of these certificates.
    fn issuers(&self) -> BTreeSet<Vec<u8>> {
        let issuer = |der: &CertificateDer<'_>| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            Some(certificate.issuer().as_raw().to_vec())
        };
        std::iter::once(self.leaf.issuer.clone()).chain(self.others.iter().filter_map(issuer)).collect()
    }
}

const EXPIRED: Refusal = Refusal::Invalid("a certificate in the chain has expired");
const NOT_YET: Refusal = Refusal::Invalid("a certificate in the chain is not valid yet");
const WRONG_USAGE: Refusal = Refusal::Invalid("a certificate in the chain is not for client authentication");

fn check_validity((from, until): (i64, i64), now: Timestamp) -> Result<(), Refusal> {
    match now.unix_seconds() {
        second if second < from => Err(NOT_YET),
        second if second > until => Err(EXPIRED),
        _ => Ok(()),
    }
}

/// What a client is told of a chain that does not hold. A wrong signature or another issuer of the same name is no
/// different from an unknown one.
fn refusal_of(error: &webpki::Error) -> Refusal {
    use webpki::Error as E;
    if matches!(error, E::CertExpired { .. }) {
        EXPIRED
    } else if matches!(error, E::CertNotValidYet { .. }) {
        NOT_YET
    } else if matches!(error, E::RequiredEkuNotFoundContext(_)) {
        WRONG_USAGE
    } else if matches!(error, E::UnsupportedCriticalExtension) {
        Refusal::Invalid("a certificate in the chain has a critical extension that is not known")
    } else if matches!(error, E::NameConstraintViolation | E::PathLenConstraintViolated) {
        Refusal::Invalid("an authority in the chain may not issue the certificate below it")
    } else {
        Refusal::Untrusted
    }
}
