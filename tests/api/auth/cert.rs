//! Mounts of type `cert`: services log in with the certificate of their TLS connection.

use std::sync::Arc;

use arca::storage::MemoryStorage;
use arca::storage::fault::FaultyStorage;
use serde_json::json;

use crate::support::{Client, Clients, Issue, Setup, TestVault, issuer};

/// A server that lets anyone connect, with any certificate or none, and leaves it to the method to say who may log in.
fn open() -> TestVault {
    let vault = Setup { clients: Clients::Any, ..Setup::default() }.start();
    vault.root().post("sys/auth/cert", json!({"type": "cert"})).ok();
    vault
}

fn service(vault: &TestVault, (certificate, key): &(String, String)) -> Client {
    Client::new(vault.address, &vault.pki.ca, Some((certificate, key)))
}

#[test]
fn a_service_logs_in_with_its_certificate() {
    let vault = open();
    let authority = issuer("services");
    let role = json!({"certificate": authority.pem(), "allowed_common_names": ["billing", "*.shop"], "token_policies": ["billing"], "token_ttl": "10m"});
    vault.root().post("auth/cert/certs/billing", role).ok();
    let billing = Issue { name: "billing", ..Issue::default() }.by(&authority);
    let client = service(&vault, &billing);
    let login = client.post("auth/cert/login", json!({"name": "billing"})).auth();
    assert_eq!(
        (&login["policies"], &login["metadata"]["common_name"]),
        (&json!(["billing", "default"]), &json!("billing"))
    );
    client.post("auth/cert/login", json!({})).is(200);
    service(&vault, &Issue { name: "cart.shop", ..Issue::default() }.by(&authority))
        .post("auth/cert/login", json!({}))
        .is(200);

    // A token is renewed with the certificate that it was got with, and no other.
    let token = login["client_token"].as_str().unwrap();
    client.with_token(token).post("auth/token/renew-self", json!({})).is(200);
    let other = Issue { name: "billing", ..Issue::default() }.by(&authority);
    service(&vault, &other).with_token(token).post("auth/token/renew-self", json!({})).is(400);
}

#[test]
fn a_login_for_a_batch_token_writes_nothing() {
    let storage = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
    let vault = Setup { clients: Clients::Any, storage: storage.clone(), audited: false, ..Setup::default() }.start();
    let authority = issuer("services");
    vault.root().post("sys/auth/cert", json!({"type": "cert"})).ok();
    let role = json!({"certificate": authority.pem(), "token_type": "batch", "token_ttl": "10m"});
    vault.root().post("auth/cert/certs/billing", role).ok();
    let client = service(&vault, &Issue { name: "billing", ..Issue::default() }.by(&authority));
    // The first login of a client puts its entity on record.
    let first = client.post("auth/cert/login", json!({})).auth();
    assert_eq!(first["token_type"], "batch");
    let before = storage.commits();
    for _ in 0..20 {
        let login = client.post("auth/cert/login", json!({})).auth();
        assert_eq!(login["entity_id"], first["entity_id"]);
        client.with_token(login["client_token"].as_str().unwrap()).get("auth/token/lookup-self").is(200);
    }
    assert_eq!(storage.commits(), before);
}

#[test]
fn a_storm_of_logins_is_held_off_for_its_client_alone() {
    let vault = Setup { clients: Clients::Any, proxied: true, ..Setup::default() }.start();
    vault.root().post("sys/auth/cert", json!({"type": "cert"})).ok();
    let authority = issuer("services");
    vault.root().post("auth/cert/certs/all", json!({"certificate": authority.pem()})).ok();
    vault
        .root()
        .post("sys/quotas/rate-limit/logins", json!({"path": "auth/cert/login", "rate": 5, "interval": "1h"}))
        .ok();
    let client = service(&vault, &Issue { name: "billing", ..Issue::default() }.by(&authority));
    let at = |address: &str| client.with_header("x-forwarded-for", address);
    let log_in = |client: &Client| client.post("auth/cert/login", json!({})).status;
    let storm = (0..20).map(|_| log_in(&at("192.0.2.1")));
    assert_eq!(storm.filter(|status| *status == 429).count(), 15);
    // Someone else's logins, and what the busy client asks for otherwise, go on.
    assert_eq!(log_in(&at("192.0.2.2")), 200);
    at("192.0.2.1").get("sys/health").is(200);
}

#[test]
fn a_certificate_that_does_not_fit_is_refused() {
    let vault = open();
    let (authority, stranger) = (issuer("services"), issuer("services"));
    let role = json!({
        "certificate": authority.pem(), "allowed_common_names": "billing", "allowed_organizational_units": "finance",
        "allowed_dns_sans": "billing.internal",
    });
    vault.root().post("auth/cert/certs/billing", role).ok();
    let good = Issue { name: "billing", units: &["finance"], dns: &["billing.internal"], ..Issue::default() };
    service(&vault, &good.by(&authority)).post("auth/cert/login", json!({})).is(200);
    let refused = [
        ("another authority of the same name", good.by(&stranger)),
        ("expired", Issue { days: -1, ..good }.by(&authority)),
        (
            "another name",
            Issue { name: "other", ..Issue { units: &["finance"], dns: &["billing.internal"], ..Issue::default() } }
                .by(&authority),
        ),
        ("no unit", Issue { name: "billing", dns: &["billing.internal"], ..Issue::default() }.by(&authority)),
        ("no host", Issue { name: "billing", units: &["finance"], ..Issue::default() }.by(&authority)),
    ];
    for (what, certificate) in refused {
        let answer = service(&vault, &certificate).post("auth/cert/login", json!({}));
        assert!(matches!(answer.status, 400 | 403), "{what}: {} {}", answer.status, answer.text);
    }
    Client::new(vault.address, &vault.pki.ca, None).post("auth/cert/login", json!({})).is(400);
}

#[test]
fn a_workload_logs_in_with_its_spiffe_id() {
    let vault = open();
    let authority = issuer("mesh");
    let role = json!({"certificate": authority.pem(), "allowed_uri_sans": "spiffe://prod.example/ns/shop/*", "token_policies": "shop"});
    vault.root().post("auth/cert/certs/shop", role).ok();
    let inside = Issue { uris: &["spiffe://prod.example/ns/shop/sa/cart"], ..Issue::default() }.by(&authority);
    service(&vault, &inside).post("auth/cert/login", json!({"name": "shop"})).is(200);
    for uri in ["spiffe://prod.example/ns/other/sa/cart", "spiffe://test.example/ns/shop/sa/cart"] {
        let outside = Issue { uris: &[uri], ..Issue::default() }.by(&authority);
        service(&vault, &outside).post("auth/cert/login", json!({"name": "shop"})).is(400);
    }
}

#[test]
fn no_certificate_no_connection_where_one_is_required() {
    let vault = TestVault::new();
    let stranger = Issue::default().by(&issuer("elsewhere"));
    for certificate in [None, Some((stranger.0.as_str(), stranger.1.as_str()))] {
        let client = Client::new(vault.address, &vault.pki.ca, certificate);
        assert!(client.try_send("GET", "sys/health", None).is_err());
    }
    vault.anonymous().get("sys/health").is(200);
}

#[test]
fn a_blank_pattern_lets_nobody_in() {
    let vault = open();
    let root = vault.root();
    let authority = issuer("services");
    let named = Issue { name: "billing", units: &["finance"], dns: &["billing.internal"], ..Issue::default() };
    let clients = [service(&vault, &named.by(&authority)), service(&vault, &Issue::default().by(&authority))];
    for field in [
        "allowed_names",
        "allowed_common_names",
        "allowed_dns_sans",
        "allowed_email_sans",
        "allowed_uri_sans",
        "allowed_organizational_units",
    ] {
        for blank in [json!([""]), json!([" "]), json!(","), json!([null])] {
            root.post("auth/cert/certs/r", json!({"certificate": authority.pem(), field: blank})).ok();
            for client in &clients {
                client.post("auth/cert/login", json!({"name": "r"})).is(400);
            }
            root.delete("auth/cert/certs/r").ok();
        }
        root.post("auth/cert/certs/r", json!({"certificate": authority.pem(), field: ""})).ok();
        clients[0].post("auth/cert/login", json!({"name": "r"})).is(200);
        root.delete("auth/cert/certs/r").ok();
    }
    for blank in [json!([""]), json!(" "), json!(["1.2.3:a", ""])] {
        let role = json!({"certificate": authority.pem(), "required_extensions": blank});
        root.post("auth/cert/certs/r", role).refuses(400, "a required extension must be written as");
    }
}
