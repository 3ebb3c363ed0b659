//! What is said to the port instead of a TLS handshake, or in the middle of one.
//!
//! TLS 1.3 has no renegotiation, and rustls has none for TLS 1.2 either: whoever asks for one is cut off.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arca::entropy::{Entropy, SystemEntropy};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject;

use super::{Served, scale};
use crate::support::{Setup, TestVault};

/// What a client says first, whole.
fn client_hello(vault: &TestVault) -> Vec<u8> {
    let mut roots = RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_slice(vault.pki.ca.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::from(vault.address.ip())).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    hello
}

/// Says `bytes` and nothing more; what comes back until the server ends the connection.
fn say(vault: &TestVault, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(vault.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    heard
}

#[test]
fn garbage_instead_of_a_handshake() {
    let vault = TestVault::new();
    let (client, mut served, start) = (vault.anonymous(), Served::default(), Instant::now());
    let entropy: &dyn Entropy = &SystemEntropy::new();
    let mut said: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0x16],
        vec![0x16, 3, 1],
        vec![0x16, 3, 1, 0xff, 0xff],
        [&[0x16, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat(),
        // A handshake message that says that it has 16 MiB.
        [&[0x16, 3, 1, 0, 4][..], &[1, 0xff, 0xff, 0xff]].concat(),
        // SSL 2, an alert, application data, a heartbeat before a handshake.
        vec![0x80, 0x2e, 1, 0, 2],
        vec![0x15, 3, 3, 0, 2, 2, 40],
        vec![0x17, 3, 3, 0, 4, 0, 0, 0, 0],
        vec![0x18, 3, 2, 0, 3, 1, 0x40, 0],
        b"SSH-2.0-x\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".repeat(1000),
        vec![0xff; 1 << 20],
        [0x16, 3, 1, 0, 1, 1].repeat(100_000),
    ];
    for _ in 0..50 * scale() {
        let mut random = entropy.bytes::<512>().unwrap().to_vec();
        if random[0] % 2 == 0 {
            random[..3].copy_from_slice(&[0x16, 3, 1]);
        }
        said.push(random);
    }
    for bytes in &said {
        let heard = say(&vault, bytes);
        let is_http = heard.starts_with(b"HTTP/1.0 400");
        assert!(heard.len() < 1024 && (heard.is_empty() || heard[0] == 0x15 || is_http), "{heard:?}");
        served.ask(&client);
    }
    println!("garbage_instead_of_a_handshake: {} kinds in {:?}, {served:?}", said.len(), start.elapsed());
}

#[test]
fn handshakes_that_are_cut_short_or_changed() {
    let vault = TestVault::new();
    let (client, mut served, start) = (vault.anonymous(), Served::default(), Instant::now());
    let hello = client_hello(&vault);
    assert!(say(&vault, &hello).len() > 100, "the whole one is answered");
    let step = (hello.len() / 60 / scale()).max(1);
    let mut tried = 0;
    for length in (0..hello.len()).step_by(step) {
        assert!(say(&vault, &hello[..length]).len() < 64, "{length} bytes of a handshake were answered");
        tried += 1;
    }
    for place in (0..hello.len()).step_by(step) {
        let mut changed = hello.clone();
        changed[place] ^= 0x55;
        say(&vault, &changed);
        let mut doubled = hello.clone();
        doubled.splice(place..place, [0xff, 0xff]);
        say(&vault, &doubled);
        tried += 2;
        served.ask(&client);
    }
    println!("handshakes_that_are_cut_short_or_changed: {tried} in {:?}, {served:?}", start.elapsed());
    assert!(tried > 100);
}

/// A second handshake within a connection is no record of that connection.
#[test]
fn renegotiation() {
    let vault = TestVault::new();
    let hello = client_hello(&vault);
    let mut wire = vault.wire();
    wire.say(b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert!(wire.hear().unwrap().starts_with("HTTP/1.1 200"));
    wire.raw().write_all(&hello).unwrap();
    let _ = wire.say(b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n\r\n");
    let answer = wire.hear().unwrap_or_default();
    assert!(answer.is_empty(), "{answer}");
    vault.anonymous().get("sys/health").is(200);
    println!("renegotiation: refused, the connection ends");
}

/// The name that a client asks for decides nothing: neither what is served, nor where it is sent.
#[test]
fn names_of_other_hosts() {
    let vault = Setup::default().start();
    for host in ["evil.example", "127.0.0.1:1", "", "a b", "x\u{e9}", "sys.arca", "[::1]"] {
        let mut wire = vault.wire();
        wire.say(
            format!("GET /v1/sys//health HTTP/1.1\r\nhost: {host}\r\nx-forwarded-host: evil.example\r\n\r\n")
                .as_bytes(),
        )
        .unwrap();
        let answer = wire.hear().unwrap();
        let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
        assert!(location.is_none_or(|to| to == "/v1/sys/health"), "{host}: {answer}");
        assert!(!answer.contains("evil.example"), "{answer}");
    }
}
