//! Clients that are slow, silent, or too many.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arca::config::Timeouts;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::client::Resumption;
use rustls::version::TLS13;

use super::{Served, Target, scale};
use crate::support::{Setup, TestVault, Visitor, Wire, eventually};

/// A server with little patience.
fn impatient() -> TestVault {
    let setup = Setup::default();
    let second = Some(Duration::from_secs(1));
    let timeouts = Timeouts { read_header: second, idle: second, read: second, ..setup.timeouts };
    Setup { timeouts, ..setup }.start()
}

/// How many of the connections have ended, as far as can be told by writing to them.
fn ended(wires: &mut [Wire]) -> usize {
    wires.iter_mut().filter_map(|wire| wire.say(b"x").and_then(|()| wire.say(b"y")).err()).count()
}

#[test]
fn slow_headers() {
    let target = Target::with("http_read_header_timeout = \"1s\"\n  http_idle_timeout = \"1s\"\n");
    let client = target.process.anonymous();
    client.get("sys/health").is(200);
    let watched = target.watch();
    let mut wires: Vec<Wire> = (0..48 * scale()).map(|_| target.wire()).collect();
    let (start, mut served) = (Instant::now(), Served::default());
    for wire in &mut wires {
        wire.say(b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n").unwrap();
    }
    // A header now and then, and never the last.
    let mut gone = 0;
    while gone < wires.len() && start.elapsed() < Duration::from_secs(8) {
        served.ask(&client);
        thread::park_timeout(Duration::from_millis(100));
        gone = wires.iter_mut().filter_map(|wire| wire.say(b"x-a: b\r\n").err()).count();
    }
    let held = watched.held(64);
    println!(
        "slow_headers: {gone} of {} cut off within {:.1?}, {held} MiB more at most, {served}",
        wires.len(),
        start.elapsed()
    );
    assert_eq!(gone, wires.len(), "a header now and then kept connections open");
    assert!(served.count > 5 && served.slowest < Duration::from_secs(3), "{served}");
}

#[test]
fn slow_bodies() {
    let vault = impatient();
    let client = vault.anonymous();
    client.get("sys/health").is(200);
    let mut wires: Vec<Wire> = (0..48 * scale()).map(|_| vault.wire()).collect();
    let (start, mut served) = (Instant::now(), Served::default());
    for (number, wire) in wires.iter_mut().enumerate() {
        let framing = if number % 2 == 0 { "content-length: 100000" } else { "transfer-encoding: chunked" };
        wire.say(format!("POST /v1/sys/unseal HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n").as_bytes()).unwrap();
    }
    while start.elapsed() < Duration::from_millis(2500) {
        served.ask(&client);
        thread::park_timeout(Duration::from_millis(100));
        for (number, wire) in wires.iter_mut().enumerate() {
            let _ = wire.say(if number % 2 == 0 { b"{" } else { b"1\r\n{\r\n" });
        }
    }
    for wire in &mut wires {
        let answer = wire.hear().unwrap_or_default();
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    println!("slow_bodies: {} cut off, {served}", wires.len());
    assert!(served.count > 5 && served.slowest < Duration::from_secs(3), "{served}");
    assert_eq!(ended(&mut wires), wires.len());
}

/// Thousands of clients with a certificate, each with a connection of HTTP/2 on which there is no request: all are open at
/// one moment, and others are served meanwhile. At a scale of 5 they are ten thousand.
#[test]
fn thousands_of_connections() {
    let wanted = (2_000 * scale()).min(10_000);
    let most = raise_limit(wanted + 1_000);
    assert!(most >= wanted + 500, "raise the limit on open files: {most} are too few for {wanted} connections");
    let target = Target::with("max_connections = 11000\n");
    let client = target.process.anonymous();
    let (mut served, start) = (Served::default(), Instant::now());
    served.ask(&client);
    let (before, files) = (target.process.resident(), target.process.open_files());
    let (crowd, visitor) = (Crowd::default(), visitor(&target));
    let (mut open, mut held) = (0, 0);
    thread::scope(|scope| {
        let (crowd, visitor) = (&crowd, &visitor);
        for number in 0..CROWDS {
            let share = wanted / CROWDS + usize::from(number < wanted % CROWDS);
            scope.spawn(move || crowd.sit(visitor, share));
        }
        let end = OnDrop(&crowd.left);
        // Whoever comes with a new connection is served as well as who has one.
        while crowd.seated.load(Ordering::Relaxed) < wanted && start.elapsed() < Duration::from_mins(10) {
            served.ask(&client);
            served.ask(&target.process.anonymous());
            thread::park_timeout(Duration::from_millis(50));
        }
        open = target.process.open_files().saturating_sub(files);
        held = target.process.resident().saturating_sub(before);
        for _ in 0..20 {
            served.ask(&client);
            served.ask(&target.process.anonymous());
        }
        drop(end);
    });
    let (each, lost) = (held / 1024 / wanted as u64, crowd.lost.load(Ordering::Relaxed));
    println!(
        "thousands_of_connections: {open} connections with certificates open at one moment, {} MiB held ({each} KiB each), \
         {lost} lost, after {:.1?}, {served}",
        held >> 20,
        start.elapsed(),
    );
    assert!(open >= wanted, "{open} of {wanted} connections were open");
    assert_eq!(lost, 0, "idle connections were ended");
    assert!(served.slowest < Duration::from_secs(10), "{served}");
    assert!(each < 256, "{each} KiB for a connection");
    target.root.get("sys/mounts").is(200);
    eventually("they are gone", || (target.process.open_files() < files + 100).then_some(()));
}

/// How many threads the clients are of.
const CROWDS: usize = 4;

fn visitor(target: &Target) -> Visitor {
    let (ca, (certificate, key)) = target.process.certificates();
    let mut config = Visitor::config(ca, Some((certificate, key)), &[&TLS13], b"h2");
    // Each shows its certificate.
    config.resumption = Resumption::disabled();
    Visitor::by(target.process.address, config)
}

/// Many connections that do nothing.
#[derive(Default)]
struct Crowd {
    seated: AtomicUsize,
    lost: AtomicUsize,
    left: AtomicBool,
}

impl Crowd {
    /// Opens so many connections, and keeps them until it is time to leave. They must be open still then.
    fn sit(&self, visitor: &Visitor, share: usize) {
        let mut wires: Vec<Wire> = Vec::new();
        while !self.left.load(Ordering::Relaxed) {
            if wires.len() == share {
                thread::park_timeout(Duration::from_millis(20));
                continue;
            }
            let mut wire = visitor.connect();
            wire.say(HELLO).unwrap();
            let answer = wire.hear_some().unwrap();
            assert!(answer.get(3) == Some(&SETTINGS) && !wire.is_resumed(), "a client was not let in: {answer:?}");
            wires.push(wire);
            self.seated.fetch_add(1, Ordering::Relaxed);
        }
        let lost = wires.iter_mut().filter_map(|wire| wire.say(PING).and_then(|()| wire.say(PING)).err()).count();
        self.lost.fetch_add(lost, Ordering::Relaxed);
    }
}

/// What a client of HTTP/2 says first (RFC 9113, section 3.4), and a frame that asks whether the other end is there.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0arcaarca";
/// The type of the frame that a server says first.
const SETTINGS: u8 = 4;

/// Says so when it goes, also where a test fails.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets this process, and those that it starts, have so many files open, or as many as it can; how many that is.
fn raise_limit(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.maximum.map(|maximum| maximum.max(wanted as u64));
    for maximum in [enough, limit.maximum] {
        if setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
            break;
        }
    }
    usize::try_from(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
}

/// Thousands of connections that say nothing, as many as this process may have. They last as long as a handshake may
/// take, so the first are gone before the last have come; others are served all the same.
#[test]
fn thousands_of_silent_connections() {
    let most = raise_limit(9_900);
    let target = Target::start();
    let client = target.process.anonymous();
    client.get("sys/health").is(200);
    let (before, start, mut served) = (target.process.resident(), Instant::now(), Served::default());
    let wanted = (5_000 * scale()).min(9_900).min(most.saturating_sub(500));
    let (mut silent, mut open) = (Vec::new(), 0);
    while silent.len() < wanted {
        silent.push(TcpStream::connect(target.process.address).expect("a connection"));
        // Those that are not accepted yet would fill the system's queue: this one is behind them in it.
        if silent.len() % 500 == 0 {
            served.ask(&target.process.anonymous());
            open = open.max(target.process.open_files());
        }
    }
    for _ in 0..20 {
        served.ask(&client);
    }
    let each = target.process.resident().saturating_sub(before) / 1024 / wanted as u64;
    println!(
        "thousands_of_silent_connections: {wanted} ({each} KiB each) in {:.1?}, {open} files open at a time, {served}",
        start.elapsed(),
    );
    assert!(open > wanted / 4, "{open} files are open");
    assert!(served.slowest < Duration::from_secs(5), "{served}");
    assert!(each < 32, "{each} KiB for a connection");
    drop(silent);
    target.root.get("sys/mounts").is(200);
}

/// Whoever takes every place there is keeps it for as long as a handshake may take, and no longer.
#[test]
fn every_place_taken() {
    let setup = Setup::default();
    let limits = arca::config::Limits { connections: 64, ..setup.limits };
    let vault = Setup { limits, ..setup }.start();
    let start = Instant::now();
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(vault.address).unwrap()).collect();
    vault.anonymous().get("sys/health").is(200);
    let waited = start.elapsed();
    println!(
        "every_place_taken: the next request was served after {waited:.1?}, behind {} silent clients",
        silent.len()
    );
    assert!(waited < Duration::from_secs(14), "{waited:?}");
}
