//! Client certificates that an attacker would make, and lists of revoked ones.

use arca::time::{Clock, SystemClock};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, SerialNumber};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::support::{Client, Clients, Setup, TestVault};

/// A server that lets anyone connect, and leaves it to its `cert` method to say who may log in.
pub(crate) fn vault() -> TestVault {
    let vault = Setup { clients: Clients::Any, ..Setup::default() }.start();
    vault.root().post("sys/auth/cert", json!({"type": "cert"})).ok();
    vault
}

pub(crate) fn client(vault: &TestVault, (certificate, key): &(String, String)) -> Client {
    Client::new(vault.address, &vault.pki.ca, Some((certificate, key)))
}

/// A client's certificate of this name and number.
#[derive(Clone, Copy)]
pub(crate) struct Leaf<'a> {
    pub(crate) name: &'a str,
    pub(crate) serial: u64,
}

impl Leaf<'_> {
    /// Issued by `issuer`, with a new key; both in PEM.
    pub(crate) fn by(self, issuer: &crate::support::Issuer) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (self.params().signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Signed with its own key.
    pub(crate) fn by_itself(self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (self.params().self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// Signed with the key of another leaf, and shown with that one.
    pub(crate) fn below(self, parent: &(String, String)) -> (String, String) {
        let issuer = Issuer::from_ca_cert_pem(&parent.0, KeyPair::from_pem(&parent.1).unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let child = Leaf { name: "child", serial: self.serial + 1 }.params().signed_by(&key, &issuer).unwrap();
        (child.pem() + &parent.0, key.serialize_pem())
    }

    fn params(self) -> CertificateParams {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, self.name);
        params.serial_number = Some(SerialNumber::from(self.serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = now() - Duration::days(1);
        params.not_after = now() + Duration::days(30);
        params
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(SystemClock.now().unix_seconds()).unwrap()
}
