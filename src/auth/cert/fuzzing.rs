//! What the fuzz targets run: everything that reads certificates and lists of revoked ones here.

use data_encoding::BASE64;
use webpki::BorrowedCertRevocationList;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::engine::Client;
use crate::time::Timestamp;

use super::config::Settings;
use super::constraints;
use super::crls::{Crl, Issued};
use super::leaf::{Leaf, fingerprint};
use super::pem;
use super::roles::Role;
use super::trust::{Anchors, Generation, Trust};

/// When the logins are tried, in seconds since 1970.
const NOW: i64 = 1_800_000_000;

/// Shows a certificate (behind the first line) to a role that trusts `authority`, in PEM, and to one that trusts that very
/// certificate; the first line is what a third one demands. `issued` (DER) are those that the authority did issue.
#[doc(hidden)]
pub fn fuzz_certificate(input: &[u8], authority: &str, issued: &[&[u8]]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (demand, der) = input.split_at(end);
    let (demand, der) = (String::from_utf8_lossy(demand), der.get(1..).unwrap_or_default());
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = Anchors::parse(text);
        same_blocks(text, "CERTIFICATE");
    }
    let anchors = Anchors::parse(&written(der, "CERTIFICATE"));
    let Some(leaf) = Leaf::parse(der) else { return };
    // Whichever way it is looked up in a list, it is the same.
    assert_eq!(Issued::of_certificate(der).as_ref(), Some(&Issued::of_leaf(&leaf)));
    demanded(&demand, &leaf);
    let is_pinned = match anchors {
        Ok(Anchors::Leaves(leaves)) => leaves == [fingerprint(der)],
        Ok(Anchors::Authorities(authorities)) => {
            assert!(authorities.iter().all(|authority| *authority.certificate == *der) && authorities.len() == 1);
            false
        }
        Err(_) => false,
    };
    shown(der, &leaf, is_pinned, authority, issued);
}

/// What the role that trusts the authority lets in is what the authority signed, and a pinned certificate is let in while
/// it is valid.
fn shown(der: &[u8], leaf: &Leaf, is_pinned: bool, authority: &str, issued: &[&[u8]]) {
    let mut trust = Trust::new(Generation::default(), Settings::default());
    trust.add_role("issued".to_owned(), role(|role| authority.clone_into(&mut role.certificate)), None);
    trust.add_role("pinned".to_owned(), role(|role| role.certificate = written(der, "CERTIFICATE")), None);
    let client = Client { certificates: [der.to_vec()].into(), ..Client::default() };
    let is_let_in = |role| trust.admit(&client, Some(role), Timestamp::from_unix_seconds(NOW)).is_ok();
    let is_valid = leaf.valid.0 <= NOW && NOW <= leaf.valid.1;
    if is_let_in("issued") {
        assert!(is_valid && leaf.for_clients);
        assert!(issued.iter().any(|issued| signed(issued) == signed(der)));
    }
    if is_pinned {
        assert_eq!(is_let_in("pinned"), is_valid && leaf.for_clients);
    }
}

/// What the signature of a certificate is about.
fn signed(der: &[u8]) -> Option<Vec<u8>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate.tbs_certificate.as_ref().to_vec())
}

fn role(fill: impl FnOnce(&mut Role)) -> Role {
    let mut role = Role::default();
    fill(&mut role);
    role
}

fn demanded(demand: &str, leaf: &Leaf) {
    let one = || Some(vec![demand.to_owned()]);
    let required = role(|role| role.required_extensions = one());
    assert!(!constraints::fits(&required, leaf) || constraints::check_extensions(&[demand.to_owned()]).is_ok());
    let named = role(|role| role.allowed_names = one());
    let mut names = std::iter::once(&leaf.common_name).chain(&leaf.dns_names).chain(&leaf.emails);
    // Without a star a name is what it says, and a blank one is none.
    let has_name = !demand.is_empty() && names.any(|name| name == demand);
    assert!(demand.contains('*') || constraints::fits(&named, leaf) == has_name);
}

/// Reads a list of revoked certificates, in PEM, in base64 or as it is.
#[doc(hidden)]
pub fn fuzz_crl(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        same_blocks(text, "X509 CRL");
        // What was taken is kept, and is read again at each start.
        assert!(Crl::new(text).is_ok_and(|crl| crl.parse().is_ok()) || Crl::new(text).is_err());
    }
    let (pem, base64) = (Crl::new(&written(input, "X509 CRL")), Crl::new(&BASE64.encode(input)));
    assert_eq!(pem.is_ok(), base64.is_ok());
    let (Ok(crl), Ok(list)) = (&pem, pem.as_ref().map_err(drop).and_then(|crl| crl.parse().map_err(drop))) else {
        return;
    };
    assert!(list.is_of(crl));
    // Whom another reader finds in it is in it. That one stops at a date before 1970.
    let Ok(theirs) = BorrowedCertRevocationList::from_der(input) else { return };
    for revoked in theirs.into_iter().map_while(Result::ok) {
        assert!(list.has(revoked.serial_number));
    }
}

/// What was found in PEM is found in what is written of it.
fn same_blocks(text: &str, label: &str) {
    if let Some(blocks) = pem::blocks(text, label) {
        let again: String = blocks.iter().map(|der| written(der, label)).collect();
        assert_eq!(pem::blocks(&again, label), Some(blocks));
    }
}

fn written(der: &[u8], label: &str) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}
