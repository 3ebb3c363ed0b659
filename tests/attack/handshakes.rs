//! What is said to the port instead of a TLS handshake, or in the middle of one.
//!
//! TLS 1.3 has no renegotiation, and rustls has none for TLS 1.2 either: whoever asks for one is told so, and whoever goes
//! on asking is cut off.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arca::entropy::{Entropy, SystemEntropy};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::crypto::aws_lc_rs;
use rustls::version::TLS12;
use rustls::{ClientConfig, ClientConnection, ConnectionTrafficSecrets, ExtractedSecrets, RootCertStore, Stream};
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject;

use super::{Served, Target, scale};
use crate::support::{Setup, TestVault, Visitor, eventually};

const ASK: &[u8] = b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n\r\n";

/// What a client says first, whole.
fn client_hello(address: SocketAddr, ca: &str) -> Vec<u8> {
    let mut roots = RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::from(address.ip())).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    hello
}

/// Says `bytes` and nothing more; what comes back until the server ends the connection.
fn say(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    heard
}

#[test]
fn garbage_instead_of_a_handshake() {
    let target = Target::start();
    let (client, mut served, start) = (target.process.anonymous(), Served::default(), Instant::now());
    let watched = target.watch();
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
        let heard = say(target.process.address, bytes);
        let is_http = heard.starts_with(b"HTTP/1.0 400");
        assert!(heard.len() < 1024 && (heard.is_empty() || heard[0] == 0x15 || is_http), "{heard:?}");
        served.ask(&client);
    }
    let held = watched.held(64);
    println!(
        "garbage_instead_of_a_handshake: {} kinds in {:.0?}, {held} MiB more at most, {served}",
        said.len(),
        start.elapsed()
    );
}

#[test]
fn handshakes_that_are_cut_short_or_changed() {
    let target = Target::start();
    let (client, mut served, start) = (target.process.anonymous(), Served::default(), Instant::now());
    let (address, watched) = (target.process.address, target.watch());
    let hello = client_hello(address, target.process.certificates().0);
    assert!(say(address, &hello).len() > 100, "the whole one is answered");
    let step = (hello.len() / 60 / scale()).max(1);
    let mut tried = 0;
    for length in (0..hello.len()).step_by(step) {
        assert!(say(address, &hello[..length]).len() < 64, "{length} bytes of a handshake were answered");
        tried += 1;
    }
    for place in (0..hello.len()).step_by(step) {
        let mut changed = hello.clone();
        changed[place] ^= 0x55;
        say(address, &changed);
        let mut doubled = hello.clone();
        doubled.splice(place..place, [0xff, 0xff]);
        say(address, &doubled);
        tried += 2;
        served.ask(&client);
    }
    let held = watched.held(64);
    println!(
        "handshakes_that_are_cut_short_or_changed: {tried} in {:.0?}, {held} MiB more at most, {served}",
        start.elapsed()
    );
    assert!(tried > 100);
}

/// A handshake that is not encrypted is no record of a connection that is.
#[test]
fn a_handshake_in_clear_within_a_connection() {
    let vault = TestVault::new();
    let hello = client_hello(vault.address, &vault.pki.ca);
    let mut wire = vault.wire();
    wire.say(ASK).unwrap();
    assert!(wire.hear().unwrap().starts_with("HTTP/1.1 200"));
    wire.raw().write_all(&hello).unwrap();
    let _ = wire.say(ASK);
    let answer = wire.hear().unwrap_or_default();
    assert!(answer.is_empty(), "{answer}");
    vault.anonymous().get("sys/health").is(200);
    println!("a_handshake_in_clear_within_a_connection: refused, the connection ends");
}

/// A server that speaks TLS 1.2 and nothing newer.
fn older() -> Target {
    Target::with("tls_min_version = \"tls12\"\n  tls_max_version = \"tls12\"\n")
}

/// Renegotiation as OpenSSL asks for it: it is told that there is none, and gives up.
#[test]
fn renegotiation() {
    let target = older();
    let mut served = Served::default();
    let rounds = 4 * scale();
    for _ in 0..rounds {
        let said = renegotiate(&target);
        assert!(said.contains("HTTP/1.1 200") && said.contains("Protocol  : TLSv1.2"), "{said}");
        assert!(said.contains("RENEGOTIATING") && said.contains("no renegotiation"), "{said}");
        assert_eq!(said.matches("Certificate chain").count(), 1, "there was a second handshake: {said}");
        served.ask(&target.process.anonymous());
    }
    println!("renegotiation: {rounds} of OpenSSL refused, each connection ended, {served}");
}

/// Asks for something, and for a new handshake once it is answered; all that OpenSSL says until it ends by itself.
fn renegotiate(target: &Target) -> String {
    let folder = target.folder.path();
    let mut child = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-connect", &target.process.address.to_string(), "-verify_return_error"])
        .args([OsStr::new("-CAfile"), folder.join("ca.pem").as_os_str(), OsStr::new("-cert")])
        .args([folder.join("client.pem").as_os_str(), OsStr::new("-key"), folder.join("client-key.pem").as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl");
    let said = Arc::new(Mutex::new(Vec::new()));
    let mut input = child.stdin.take().unwrap();
    let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let listening = [gather(output, said.clone()), gather(errors, said.clone())];
    let text = || String::from_utf8_lossy(&said.lock().unwrap()).into_owned();
    input.write_all(ASK).unwrap();
    eventually("an answer", || text().contains("HTTP/1.1 200").then_some(()));
    input.write_all(b"R\n").unwrap();
    // Its input stays open: it has no reason to end but the server's answer.
    let status = eventually("the end", || child.try_wait().unwrap());
    assert!(!status.success(), "{}", text());
    for thread in listening {
        thread.join().unwrap();
    }
    drop(input);
    text()
}

/// Keeps what comes.
fn gather(mut from: impl Read + Send + 'static, said: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut part) {
            said.lock().unwrap().extend_from_slice(&part[..count]);
        }
    })
}

/// A client that goes on asking: the server tells it once, and then ends the connection.
#[test]
fn renegotiation_again_and_again() {
    let target = older();
    let (mut served, mut asked, rounds) = (Served::default(), 0, 4 * scale());
    for _ in 0..rounds {
        let mut insistent = Insistent::connect(&target);
        let first = insistent.ask();
        assert_eq!(first, Some(ALERT), "it is told");
        asked += 1;
        let mut last = first;
        while last.is_some() && asked < 1000 {
            last = insistent.ask();
            asked += 1;
        }
        assert_eq!(last, None, "the connection goes on");
        served.ask(&target.process.anonymous());
    }
    println!("renegotiation_again_and_again: {rounds} connections ended after {asked} requests, {served}");
    assert!(asked <= 3 * rounds, "{asked} requests were heard");
}

/// Types of records (RFC 5246, section 6.2.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// A client of TLS 1.2 that encrypts its records by itself once it is connected, and sends what no library would.
struct Insistent {
    stream: TcpStream,
    key: LessSafeKey,
    /// What each nonce begins with.
    salt: [u8; 4],
    /// How many records were sent.
    count: u64,
    hello: Vec<u8>,
}

impl Insistent {
    fn connect(target: &Target) -> Self {
        let (ca, (certificate, key)) = target.process.certificates();
        let mut config = Visitor::config(ca, Some((certificate, key)), &[&TLS12], b"http/1.1");
        config.enable_secret_extraction = true;
        let config = Arc::new(config);
        let name = ServerName::from(target.process.address.ip());
        let mut stream = TcpStream::connect(target.process.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut connection = ClientConnection::new(config.clone(), name.clone()).unwrap();
        let mut both = Stream::new(&mut connection, &mut stream);
        both.write_all(ASK).unwrap();
        let (mut heard, mut part) = (String::new(), [0; 4096]);
        while !heard.ends_with("}\n") {
            let count = both.read(&mut part).unwrap();
            assert!(count > 0, "{heard}");
            heard.push_str(&String::from_utf8_lossy(&part[..count]));
        }
        let ExtractedSecrets { tx: (count, secrets), .. } = connection.dangerous_extract_secrets().unwrap();
        let (algorithm, key, iv) = match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { .. } | _ => panic!("another cipher"),
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key.as_ref()).unwrap());
        let salt = iv.as_ref()[..4].try_into().unwrap();
        // What a client says first, without the head of its record.
        let mut hello = Vec::new();
        ClientConnection::new(config, name).unwrap().write_tls(&mut hello).unwrap();
        Self { stream, key, salt, count, hello: hello.split_off(5) }
    }

    /// Asks for a new handshake; the type of the record that is the answer, and nothing at the end of the connection.
    fn ask(&mut self) -> Option<u8> {
        let mut sealed = self.hello.clone();
        let count = self.count.to_be_bytes();
        let length = u16::try_from(sealed.len()).unwrap().to_be_bytes();
        // RFC 5246, section 6.2.3.3; RFC 5288, section 3.
        let bound = [&count[..], &[HANDSHAKE, 3, 3], &length].concat();
        let nonce = [&self.salt[..], &count].concat().try_into().unwrap();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(bound), &mut sealed).unwrap();
        let length = u16::try_from(sealed.len() + count.len()).unwrap().to_be_bytes();
        let record = [&[HANDSHAKE, 3, 3][..], &length, &count, &sealed].concat();
        self.count += 1;
        self.stream.write_all(&record).ok()?;
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).ok()?;
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        self.stream.read_exact(&mut body).ok()?;
        Some(head[0])
    }
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
