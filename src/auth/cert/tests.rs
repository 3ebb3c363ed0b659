use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

use super::Cert;
use crate::api::Operation;
use crate::engine::harness::Harness;
use crate::engine::{AuthMethod, Client, Content, Engine as _, Identity, TokenType};
use crate::error::Kind;

/// An authority of its own key.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

/// A certificate and, with it, the serial number it has.
#[derive(Clone)]
struct Shown {
    der: Vec<u8>,
    pem: String,
    serial: u64,
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn ca_of(params: CertificateParams) -> Ca {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Ca { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
}

fn ca(name: &str) -> Ca {
    ca_of(ca_params(name))
}

fn leaf_params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from(serial));
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::ExplicitNoCa;
    params
}

impl Ca {
    fn sign(&self, params: &CertificateParams) -> Shown {
        self.sign_key(params, &KeyPair::generate().unwrap())
    }

    fn sign_key(&self, params: &CertificateParams, key: &KeyPair) -> Shown {
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        let bytes = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        let serial = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Shown { der: certificate.der().to_vec(), pem: certificate.pem(), serial }
    }

    fn leaf(&self, name: &str, serial: u64) -> Shown {
        self.sign(&leaf_params(name, serial))
    }

    fn intermediate(&self, params: CertificateParams) -> Ca {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Ca { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    fn crl(&self, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2026, 2, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

async fn harness() -> Harness<Cert> {
    Harness::open(json!({})).await
}

async fn role(harness: &Harness<Cert>, name: &str, body: Value) {
    harness.call(Operation::Write, &format!("certs/{name}"), body).await.unwrap();
}

fn client(chain: &[&[u8]]) -> Client {
    let certificates: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
    Client { certificates: certificates.into(), address: "10.1.2.3".parse().ok(), ..Client::default() }
}

/// Logs in with `chain`; the error is what the caller reads.
async fn log_in(harness: &mut Harness<Cert>, name: &str, chain: &[&[u8]]) -> Result<Identity, String> {
    harness.client = client(chain);
    let answer = harness.call(Operation::Write, "login", json!({"name": name})).await;
    let Content::Login(login) = answer.map_err(|error| error.to_string())?.content else { panic!("not a login") };
    Ok(login.identity)
}

const NO_CERTIFICATE: &str = "no client certificate found";
const UNTRUSTED: &str = "invalid certificate or no client certificate supplied";
const UNFIT: &str = "no chain matching all constraints could be found for this login certificate";

#[tokio::test]
async fn a_login_tells_who_the_certificate_is_of() {
    let mut harness = harness().await;
    harness.mount.path = "auth/cert/".to_owned();
    let ca = ca("Login CA");
    let mut params = leaf_params("web.example.com", 0x1122_3344_5566_7788);
    params.custom_extensions = vec![
        CustomExtension::from_oid_content(&[1, 2, 3, 4], b"\x0c\x05hello".to_vec()),
        CustomExtension::from_oid_content(&[1, 2, 3, 5], b"\x04\x03abc".to_vec()),
    ];
    let web = ca.sign(&params);
    let body = json!({
        "certificate": ca.pem, "token_policies": "B,a", "token_ttl": "5m", "display_name": "webby",
        "allowed_metadata_extensions": ["1.2.3.4", "1.2.3.5", "9.9"],
    });
    role(&harness, "Web", body).await;
    for name in ["web", "WEB", ""] {
        let identity = log_in(&mut harness, name, &[&web.der]).await.unwrap();
        assert_eq!(identity.alias, "web.example.com");
        assert_eq!(identity.display_name, "cert-webby");
        assert_eq!(identity.policies, ["B", "a"]);
        let metadata = identity.metadata;
        assert_eq!(metadata["cert_name"], "web");
        assert_eq!(metadata["serial_number"], "1234605616436508552");
        assert_eq!(metadata["subject_key_id"].len(), 59);
        assert_eq!(metadata["authority_key_id"].len(), 59);
        assert_eq!((metadata["1-2-3-4"].as_str(), metadata["1-2-3-5"].as_str()), ("hello", ""));
        assert!(identity.alias_metadata.is_empty() && !metadata.contains_key("9-9"));
    }
    harness.call(Operation::Write, "config", json!({"enable_identity_alias_metadata": true})).await.unwrap();
    let identity = log_in(&mut harness, "web", &[&web.der]).await.unwrap();
    assert_eq!(identity.alias_metadata, identity.metadata);
}

#[tokio::test]
async fn a_login_writes_nothing() {
    let mut harness = harness().await;
    let ca = ca("CA");
    role(&harness, "web", json!({"certificate": ca.pem})).await;
    let before = harness.view.scan("").await.unwrap();
    log_in(&mut harness, "", &[&ca.leaf("web", 1).der]).await.unwrap();
    assert_eq!(harness.view.scan("").await.unwrap(), before);
}

#[tokio::test]
async fn what_is_refused_and_why() {
    let mut harness = harness().await;
    let (mine, other) = (ca("CA"), ca("Other CA"));
    let namesake = ca("CA");
    role(&harness, "web", json!({"certificate": mine.pem})).await;
    assert_eq!(log_in(&mut harness, "web", &[]).await.unwrap_err(), NO_CERTIFICATE);
    assert_eq!(log_in(&mut harness, "none", &[]).await.unwrap_err(), NO_CERTIFICATE);
    let good = mine.leaf("web", 1);
    assert_eq!(log_in(&mut harness, "none", &[&good.der]).await.unwrap_err(), UNTRUSTED);
    for stranger in [&other, &namesake] {
        let leaf = stranger.leaf("web", 1);
        assert_eq!(log_in(&mut harness, "web", &[&leaf.der]).await.unwrap_err(), UNTRUSTED);
        assert_eq!(log_in(&mut harness, "", &[&leaf.der, &stranger.der]).await.unwrap_err(), UNTRUSTED);
        // Another's certificate behind it does not make it trusted.
        assert_eq!(log_in(&mut harness, "", &[&leaf.der, &mine.der]).await.unwrap_err(), UNTRUSTED);
    }
    let mut server = leaf_params("web", 2);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut old = leaf_params("web", 3);
    old.not_after = date_time_ymd(2026, 1, 1);
    let mut early = leaf_params("web", 4);
    early.not_before = date_time_ymd(2050, 1, 1);
    for (params, reason) in [(server, "not for client"), (old, "has expired"), (early, "not valid yet")] {
        let message = log_in(&mut harness, "web", &[&mine.sign(&params).der]).await.unwrap_err();
        assert!(
            message.starts_with("failed to verify client's certificate: ") && message.contains(reason),
            "{message}"
        );
    }
    assert!(log_in(&mut harness, "web", &[b"garbage"]).await.is_err());
    let cut = good.der.len() - 1;
    assert!(log_in(&mut harness, "web", &[&good.der[..cut]]).await.is_err());
    let long: Vec<&[u8]> = std::iter::repeat_n(good.der.as_slice(), 17).collect();
    assert!(log_in(&mut harness, "web", &long).await.is_err());
    assert!(log_in(&mut harness, "web", &[&good.der]).await.is_ok());
}

#[tokio::test]
async fn a_changed_byte_is_never_let_in() {
    let mut harness = harness().await;
    let ca = ca("CA");
    role(&harness, "web", json!({"certificate": ca.pem})).await;
    let good = ca.leaf("web", 1).der;
    for index in 0..good.len() {
        let mut bad = good.clone();
        bad[index] ^= 0x01;
        assert!(log_in(&mut harness, "web", &[&bad]).await.is_err(), "byte {index}");
    }
    for length in 0..good.len() {
        assert!(log_in(&mut harness, "web", &[&good[..length]]).await.is_err(), "length {length}");
    }
}

#[tokio::test]
async fn chains_end_at_an_authority_of_the_role() {
    let mut harness = harness().await;
    let root = ca("Root");
    let mut params = ca_params("Middle");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let middle = root.intermediate(params);
    let leaf = middle.leaf("web", 1);
    role(&harness, "root", json!({"certificate": root.pem})).await;
    assert_eq!(log_in(&mut harness, "root", &[&leaf.der]).await.unwrap_err(), UNTRUSTED);
    assert!(log_in(&mut harness, "root", &[&leaf.der, &middle.der]).await.is_ok());
    assert!(log_in(&mut harness, "root", &[&leaf.der, &middle.der, &root.der]).await.is_ok());
    // An authority in the middle may stand for itself, with the bound on its chains.
    role(&harness, "middle", json!({"certificate": middle.pem})).await;
    assert!(log_in(&mut harness, "middle", &[&leaf.der]).await.is_ok());
    let lower = middle.intermediate(ca_params("Lower"));
    let deep = lower.leaf("web", 2);
    for name in ["root", "middle"] {
        let message = log_in(&mut harness, name, &[&deep.der, &lower.der, &middle.der]).await.unwrap_err();
        assert!(message.contains("may not issue"), "{name}: {message}");
    }
    // Both in one role: the leaf needs nothing beside it.
    role(&harness, "both", json!({"certificate": format!("{}{}", root.pem, middle.pem)})).await;
    assert!(log_in(&mut harness, "both", &[&leaf.der]).await.is_ok());
    // A leaf cannot issue.
    let key = KeyPair::generate().unwrap();
    let holder = root.sign_key(&leaf_params("holder", 7), &key);
    let forger = Ca { issuer: Issuer::new(leaf_params("holder", 7), key), pem: String::new(), der: holder.der.clone() };
    let forged = forger.leaf("admin", 8);
    assert!(log_in(&mut harness, "root", &[&forged.der, &holder.der]).await.is_err());
}

#[tokio::test]
async fn an_expired_authority_trusts_nobody() {
    let mut harness = harness().await;
    let mut params = ca_params("Old CA");
    params.not_after = date_time_ymd(2026, 1, 1);
    let old = ca_of(params);
    role(&harness, "old", json!({"certificate": old.pem})).await;
    assert!(log_in(&mut harness, "old", &[&old.leaf("web", 1).der]).await.unwrap_err().contains("has expired"));
}

#[tokio::test]
async fn a_leaf_in_a_role_is_that_very_certificate() {
    let mut harness = harness().await;
    let ca = ca("CA");
    let key = KeyPair::generate().unwrap();
    let pinned = ca.sign_key(&leaf_params("web", 1), &key);
    role(&harness, "leaf", json!({"certificate": format!("{}{}", pinned.pem, ca.pem)})).await;
    assert_eq!(log_in(&mut harness, "leaf", &[&pinned.der]).await.unwrap().metadata["cert_name"], "leaf");
    // The same name and number with another key, the same key in another certificate, a sibling, one by the leaf.
    let twin = ca.leaf("web", 1);
    let again = ca.sign_key(&leaf_params("web", 2), &key);
    let forger = Ca { issuer: Issuer::new(leaf_params("web", 1), key), pem: String::new(), der: pinned.der.clone() };
    for other in [&twin, &again, &ca.leaf("other", 3), &forger.leaf("web", 1)] {
        assert_eq!(log_in(&mut harness, "leaf", &[&other.der]).await.unwrap_err(), UNTRUSTED);
        assert_eq!(log_in(&mut harness, "", &[&other.der, &pinned.der]).await.unwrap_err(), UNTRUSTED);
    }
    let mut params = leaf_params("old", 9);
    params.not_after = date_time_ymd(2026, 1, 1);
    let old = ca.sign(&params);
    role(&harness, "old", json!({"certificate": old.pem})).await;
    assert!(log_in(&mut harness, "old", &[&old.der]).await.unwrap_err().contains("has expired"));
    harness.call(Operation::Write, "crls/x", json!({"crl": ca.crl(&[1])})).await.unwrap();
    assert_eq!(log_in(&mut harness, "leaf", &[&pinned.der]).await.unwrap_err(), UNFIT);
}

#[tokio::test]
async fn constraints_are_those_of_the_leaf() {
    let mut harness = harness().await;
    let ca = ca("ca.example.com");
    let mut params = leaf_params("app.example.com", 1);
    params.distinguished_name.push(DnType::OrganizationalUnitName, "ops");
    params.subject_alt_names = vec![
        SanType::DnsName("app.internal".try_into().unwrap()),
        SanType::Rfc822Name("app@example.com".try_into().unwrap()),
        SanType::URI("spiffe://example.com/app".try_into().unwrap()),
    ];
    params.custom_extensions = vec![
        CustomExtension::from_oid_content(&[1, 2, 3, 4], b"\x0c\x05hello".to_vec()),
        CustomExtension::from_oid_content(&[1, 2, 3, 5], b"\x04\x03abc".to_vec()),
    ];
    let app = ca.sign(&params);
    let cases = [
        ("allowed_common_names", "*.example.com", true),
        ("allowed_common_names", "APP.example.com", false),
        ("allowed_common_names", "ca.example.com", false),
        ("allowed_names", "app.example.com", true),
        ("allowed_names", "app.internal", true),
        ("allowed_names", "app@*", true),
        ("allowed_names", "spiffe*", false),
        ("allowed_dns_sans", "other,*.internal", true),
        ("allowed_dns_sans", "app.example.com", false),
        ("allowed_email_sans", "*@example.com", true),
        ("allowed_email_sans", "*@example.org", false),
        ("allowed_uri_sans", "spiffe://example.com/*", true),
        ("allowed_uri_sans", "spiffe://example.org/*", false),
        ("allowed_organizational_units", "dev,o*", true),
        ("allowed_organizational_units", "sales", false),
        ("required_extensions", "1.2.3.4:hel*", true),
        ("required_extensions", "1.2.3.4:HEL*", false),
        ("required_extensions", "1.2.3.5:abc", false),
        ("required_extensions", "hex:1.2.3.5:0403616263", true),
        ("required_extensions", "hex:1.2.3.5:*6263", true),
        ("required_extensions", "hex:1.2.3.5:0404*", false),
        ("required_extensions", "1.2.3.4:*,1.2.3.6:*", false),
        ("allowed_names", "", true),
    ];
    for (field, value, fits) in cases {
        harness.call(Operation::Delete, "certs/r", json!(null)).await.unwrap();
        role(&harness, "r", json!({"certificate": ca.pem, field: value})).await;
        let outcome = log_in(&mut harness, "r", &[&app.der]).await;
        assert_eq!(outcome.is_ok(), fits, "{field} {value}");
        assert!(outcome.err().is_none_or(|message| message == UNFIT));
    }
    // One miss is enough.
    let both = json!({"certificate": ca.pem, "allowed_names": "*", "allowed_organizational_units": "sales"});
    role(&harness, "r", both).await;
    assert_eq!(log_in(&mut harness, "r", &[&app.der]).await.unwrap_err(), UNFIT);
}

#[tokio::test]
async fn the_first_role_by_name_that_fits_is_taken() {
    let mut harness = harness().await;
    let (ca, other) = (ca("CA"), ca("Other"));
    role(&harness, "a", json!({"certificate": other.pem})).await;
    role(&harness, "b", json!({"certificate": ca.pem, "allowed_common_names": "nobody"})).await;
    role(&harness, "far", json!({"certificate": ca.pem, "token_bound_cidrs": "203.0.113.0/24"})).await;
    let web = ca.leaf("web", 1);
    let refused = log_in(&mut harness, "", &[&web.der]).await.unwrap_err();
    assert_eq!(refused, "permission denied");
    assert_eq!(log_in(&mut harness, "far", &[&web.der]).await.unwrap_err(), "permission denied");
    role(&harness, "z", json!({"certificate": ca.pem, "token_bound_cidrs": "10.0.0.0/8"})).await;
    role(&harness, "y", json!({"certificate": ca.pem})).await;
    assert_eq!(log_in(&mut harness, "", &[&web.der]).await.unwrap().metadata["cert_name"], "y");
    assert!(log_in(&mut harness, "z", &[&web.der]).await.is_ok());
}

#[tokio::test]
async fn roles_of_one_authority_share_its_verification() {
    let mut harness = harness().await;
    let ca = ca("CA");
    for index in 0..200 {
        let body = json!({"certificate": ca.pem, "allowed_common_names": format!("host-{index}")});
        role(&harness, &format!("r{index:03}"), body).await;
    }
    let identity = log_in(&mut harness, "", &[&ca.leaf("host-199", 1).der]).await.unwrap();
    assert_eq!(identity.metadata["cert_name"], "r199");
    assert_eq!(log_in(&mut harness, "", &[&ca.leaf("host", 1).der]).await.unwrap_err(), UNFIT);
    let trust = harness.engine.trust().await.unwrap();
    let authorities: Vec<_> = trust.authorities.values().flatten().collect();
    assert_eq!((authorities.len(), authorities[0].roles.len()), (1, 200));
    // Nothing has changed: nothing is read again.
    assert!(std::sync::Arc::ptr_eq(&trust, &harness.engine.trust().await.unwrap()));
}

#[tokio::test]
async fn an_authority_that_may_not_sign_certificates_is_refused() {
    let harness = harness().await;
    let mut params = ca_params("CA");
    params.key_usages = vec![KeyUsagePurpose::CrlSign];
    let error = harness.call(Operation::Write, "certs/x", json!({"certificate": ca_of(params).pem})).await;
    assert_eq!(error.unwrap_err().kind(), Kind::InvalidRequest);
}

#[tokio::test]
async fn revoked_certificates_are_refused_at_once_and_after_a_restart() {
    let mut harness = harness().await;
    let (ca, other) = (ca("CA"), ca("Other"));
    let middle = ca.intermediate({
        let mut params = ca_params("Middle");
        params.serial_number = Some(SerialNumber::from(50));
        params
    });
    role(&harness, "web", json!({"certificate": ca.pem})).await;
    let (bad, good, below) = (ca.leaf("bad", 300), ca.leaf("good", 301), middle.leaf("below", 302));
    let chain: [&[u8]; 2] = [&below.der, &middle.der];
    assert!(log_in(&mut harness, "web", &[&bad.der]).await.is_ok());
    // A list of another authority says nothing about the number.
    harness.call(Operation::Write, "crls/other", json!({"crl": other.crl(&[300])})).await.unwrap();
    assert!(log_in(&mut harness, "web", &[&bad.der]).await.is_ok());
    harness.call(Operation::Write, "crls/Mine", json!({"crl": ca.crl(&[300])})).await.unwrap();
    assert_eq!(log_in(&mut harness, "web", &[&bad.der]).await.unwrap_err(), UNFIT);
    assert_eq!(log_in(&mut harness, "", &[&bad.der]).await.unwrap_err(), UNFIT);
    assert!(log_in(&mut harness, "", &[&good.der]).await.is_ok());
    assert!(log_in(&mut harness, "", &chain).await.is_ok());
    harness.engine = Cert::open(harness.view.clone(), &json!({}), harness.deps.clone()).await.unwrap();
    assert_eq!(log_in(&mut harness, "web", &[&bad.der]).await.unwrap_err(), UNFIT);
    let read = harness.data(Operation::Read, "crls/mine", json!(null)).await.unwrap();
    assert_eq!(read, json!({"serials": {"300": {}}}));
    let list = harness.data(Operation::List, "crls", json!(null)).await.unwrap();
    assert_eq!(list, json!({"keys": ["mine", "other"]}));
    // An authority in the middle of the chain, too.
    harness.call(Operation::Write, "crls/mine", json!({"crl": ca.crl(&[50])})).await.unwrap();
    assert_eq!(log_in(&mut harness, "web", &chain).await.unwrap_err(), UNFIT);
    harness.call(Operation::Delete, "crls/mine", json!(null)).await.unwrap();
    assert!(log_in(&mut harness, "web", &chain).await.is_ok());
    assert!(harness.call(Operation::Delete, "crls/mine", json!(null)).await.is_err());
    assert!(harness.data(Operation::Read, "crls/mine", json!(null)).await.is_err());
}

#[tokio::test]
async fn lists_that_cannot_be_used() {
    let harness = harness().await;
    let ca = ca("CA");
    for body in [
        json!({}),
        json!({"crl": "junk"}),
        json!({"crl": ca.pem}),
        json!({"crl": format!("{0}{0}", ca.crl(&[1]))}),
        json!({"url": "http://127.0.0.1:1/crl"}),
    ] {
        let error = harness.call(Operation::Write, "crls/x", body.clone()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{body}");
    }
    let der = x509_parser::pem::parse_x509_pem(ca.crl(&[1]).as_bytes()).unwrap().1.contents;
    for length in (0..der.len()).step_by(7) {
        let text = data_encoding::BASE64.encode(&der[..length]);
        assert!(harness.call(Operation::Write, "crls/x", json!({"crl": text})).await.is_err());
    }
    let text = data_encoding::BASE64.encode(&der);
    harness.call(Operation::Write, "crls/x", json!({"crl": text})).await.unwrap();
}

#[tokio::test]
async fn a_renewal_needs_the_same_certificate_and_the_same_role() {
    let mut harness = harness().await;
    let ca = ca("CA");
    role(&harness, "web", json!({"certificate": ca.pem, "token_policies": "p", "token_ttl": "60"})).await;
    let key = KeyPair::generate().unwrap();
    let web = ca.sign_key(&leaf_params("web", 1), &key);
    let identity = log_in(&mut harness, "web", &[&web.der]).await.unwrap();
    let renew = async |chain: &[&[u8]]| harness.engine.renew(&identity, &client(chain)).await;
    assert_eq!(renew(&[&web.der]).await.unwrap().unwrap().ttl.seconds(), 60);
    assert_eq!(renew(&[]).await.unwrap_err().to_string(), NO_CERTIFICATE);
    let sibling = ca.leaf("web", 1);
    let again = ca.sign_key(&leaf_params("web", 2), &key);
    for other in [&sibling, &again] {
        let message = renew(&[&other.der]).await.unwrap_err().to_string();
        assert!(message.starts_with("client identity during renewal not matching"), "{message}");
    }
    role(&harness, "web", json!({"token_ttl": "77"})).await;
    assert_eq!(renew(&[&web.der]).await.unwrap().unwrap().ttl.seconds(), 77);
    role(&harness, "web", json!({"allowed_common_names": "other"})).await;
    assert_eq!(renew(&[&web.der]).await.unwrap_err().to_string(), UNFIT);
    harness.call(Operation::Write, "config", json!({"disable_binding": true})).await.unwrap();
    assert!(renew(&[]).await.unwrap().is_some());
    role(&harness, "web", json!({"token_policies": "p,q"})).await;
    assert_eq!(renew(&[&web.der]).await.unwrap(), None);
    harness.call(Operation::Delete, "certs/web", json!(null)).await.unwrap();
    assert_eq!(renew(&[&web.der]).await.unwrap(), None);
}

#[tokio::test]
async fn a_revoked_certificate_renews_nothing() {
    let mut harness = harness().await;
    let ca = ca("CA");
    role(&harness, "web", json!({"certificate": ca.pem})).await;
    let web = ca.leaf("web", 1);
    let identity = log_in(&mut harness, "web", &[&web.der]).await.unwrap();
    harness.call(Operation::Write, "crls/c", json!({"crl": ca.crl(&[web.serial])})).await.unwrap();
    let error = harness.engine.renew(&identity, &client(&[&web.der])).await.unwrap_err();
    assert_eq!(error.to_string(), UNFIT);
}

#[tokio::test]
async fn a_changed_role_counts_at_the_next_login() {
    let mut harness = harness().await;
    let (first, second) = (ca("First"), ca("Second"));
    let (old, new) = (first.leaf("web", 1), second.leaf("web", 1));
    role(&harness, "web", json!({"certificate": first.pem})).await;
    role(&harness, "same", json!({"certificate": first.pem, "allowed_names": "nobody"})).await;
    assert!(log_in(&mut harness, "web", &[&old.der]).await.is_ok());
    role(&harness, "web", json!({"certificate": second.pem})).await;
    assert_eq!(log_in(&mut harness, "web", &[&old.der]).await.unwrap_err(), UNTRUSTED);
    assert!(log_in(&mut harness, "web", &[&new.der]).await.is_ok());
    harness.call(Operation::Delete, "certs/web", json!(null)).await.unwrap();
    assert_eq!(log_in(&mut harness, "web", &[&new.der]).await.unwrap_err(), UNTRUSTED);
}

#[tokio::test]
async fn roles_are_written_read_and_listed() {
    let harness = harness().await;
    let ca = ca("CA");
    let body = json!({"certificate": ca.pem, "ttl": 60, "policies": ["B", "a"], "token_bound_cidrs": "127.0.0.1/32"});
    role(&harness, "Web", body).await;
    let read = harness.data(Operation::Read, "certs/web", json!(null)).await.unwrap();
    assert_eq!(read["certificate"], json!(ca.pem));
    assert_eq!(read["display_name"], "web");
    assert_eq!((&read["ttl"], &read["token_ttl"]), (&json!(60), &json!(60)));
    assert_eq!((&read["policies"], &read["token_policies"]), (&json!(["a", "b"]), &json!(["a", "b"])));
    assert_eq!(read["token_bound_cidrs"], json!(["127.0.0.1"]));
    assert_eq!((&read["allowed_names"], &read["token_type"]), (&Value::Null, &json!("default")));
    assert!(read.get("max_ttl").is_none() && read.get("bound_cidrs").is_none());
    assert_eq!(read.as_object().unwrap().len(), 27);
    role(&harness, "web", json!({"display_name": "other", "allowed_names": [], "token_ttl": 90})).await;
    let read = harness.data(Operation::Read, "certs/web", json!(null)).await.unwrap();
    assert_eq!((&read["display_name"], &read["allowed_names"]), (&json!("other"), &json!([])));
    assert_eq!((read.get("ttl"), &read["token_ttl"]), (None, &json!(90)));
    role(&harness, "web", json!({"display_name": ""})).await;
    let read = harness.data(Operation::Read, "certs/web", json!(null)).await.unwrap();
    assert_eq!(read["display_name"], "web", "without one it has that of the role");
    let list = harness.data(Operation::List, "certs", json!(null)).await.unwrap();
    assert_eq!(list, json!({"keys": ["web"]}));
    harness.call(Operation::Delete, "certs/WEB", json!(null)).await.unwrap();
    let gone = harness.call(Operation::Read, "certs/web", json!(null)).await.unwrap_err();
    assert_eq!(gone.kind(), Kind::NotFound);
    assert_eq!(harness.call(Operation::List, "certs", json!(null)).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn roles_that_make_no_sense() {
    let harness = harness().await;
    let ca = ca("CA");
    let mut server = leaf_params("web", 2);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap().serialize_pem();
    let cut = ca.pem.replace("MII", "");
    for body in [
        json!({}),
        json!({"certificate": "not a certificate"}),
        json!({"certificate": key}),
        json!({"certificate": format!("{}{key}", ca.pem)}),
        json!({"certificate": cut}),
        json!({"certificate": ca.sign(&server).pem}),
        json!({"certificate": ca.pem.repeat(200)}),
        json!({"certificate": ca.pem, "ocsp_enabled": true}),
        json!({"certificate": ca.pem, "required_extensions": "1.2.3"}),
        json!({"certificate": ca.pem, "token_ttl": "2h", "token_max_ttl": "1h"}),
        json!({"certificate": ca.pem, "token_type": "batch", "token_period": "1h"}),
    ] {
        let error = harness.call(Operation::Write, "certs/bad", body.clone()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{body}");
    }
    for size in [1, -1, 100_001] {
        assert!(harness.call(Operation::Write, "config", json!({"ocsp_cache_size": size})).await.is_err());
    }
}

#[tokio::test]
async fn a_role_may_ask_for_batch_tokens() {
    let mut harness = harness().await;
    let ca = ca("CA");
    role(&harness, "b", json!({"certificate": ca.pem, "token_type": "batch"})).await;
    harness.client = client(&[&ca.leaf("web", 1).der]);
    let answer = harness.call(Operation::Write, "login", json!({})).await.unwrap();
    let Content::Login(login) = answer.content else { panic!("not a login") };
    assert_eq!(login.terms.token_type, Some(TokenType::Batch));
}

/// The certificates that the fuzz targets begin with; made anew where `ARCA_UPDATE_SEEDS` is set.
#[tokio::test]
async fn what_fuzzing_begins_with_is_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if std::env::var_os("ARCA_UPDATE_SEEDS").is_some() {
        write_seeds(&folder);
    }
    let seed = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let issued = seed("seeds/x509/issued");
    let der = issued.splitn(2, |byte| *byte == b'\n').nth(1).unwrap();
    let mut harness = harness().await;
    let authority = String::from_utf8(seed("authority.pem")).unwrap();
    role(&harness, "web", json!({"certificate": authority})).await;
    log_in(&mut harness, "web", &[der]).await.unwrap();
    super::fuzz_certificate(&issued, &authority, &[der]);
    let list = String::from_utf8(seed("seeds/crl/pem")).unwrap();
    harness.call(Operation::Write, "crls/one", json!({"crl": list})).await.unwrap();
    log_in(&mut harness, "web", &[der]).await.unwrap_err();
    super::fuzz_crl(&seed("seeds/crl/der"));
}

/// Makes the certificates that the fuzz targets begin with. Their keys are forgotten.
fn write_seeds(folder: &Path) {
    let write = |name: &str, text: &[u8]| std::fs::write(folder.join(name), text).unwrap();
    for target in ["x509", "crl"] {
        std::fs::create_dir_all(folder.join("seeds").join(target)).unwrap();
    }
    let root = ca("root");
    let behind = |demand: &str, der: &[u8]| [demand.as_bytes(), b"\n", der].concat();
    write("authority.pem", root.pem.as_bytes());
    write("seeds/x509/issued", &behind("web", &root.leaf("web", 7).der));
    write("seeds/x509/authority", &behind("", &root.der));
    write("seeds/x509/pem", [root.pem.as_str(), &root.leaf("web", 8).pem].concat().as_bytes());
    let mut params = leaf_params("rich", 0x0102_0304);
    params.distinguished_name.push(DnType::OrganizationalUnitName, "ops");
    params.subject_alt_names = vec![
        SanType::DnsName("web.example".try_into().unwrap()),
        SanType::Rfc822Name("a@example.com".try_into().unwrap()),
        SanType::URI("spiffe://example/web".try_into().unwrap()),
        SanType::IpAddress("192.0.2.1".parse().unwrap()),
    ];
    let text = [0x0c, 3, b'o', b'p', b's'].to_vec();
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 2, 3, 4], text)];
    write("seeds/x509/rich", &behind("1.2.3.4:o*", &root.sign(&params).der));
    write("seeds/x509/hex", &behind("hex:1.2.3.4:0c*", &root.sign(&params).der));
    let list = root.crl(&[7, 0x0102_0304]);
    let der = super::pem::blocks(&list, "X509 CRL").unwrap().concat();
    write("seeds/crl/pem", list.as_bytes());
    write("seeds/crl/der", &der);
    write("seeds/crl/base64", data_encoding::BASE64.encode(&der).as_bytes());
    write("seeds/crl/empty", &super::pem::blocks(&root.crl(&[]), "X509 CRL").unwrap().concat());
}
