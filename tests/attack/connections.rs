//! Clients that are slow, silent, or too many.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use arca::config::Timeouts;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Served, Target, scale};
use crate::support::{Setup, TestVault, Wire};

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
    let vault = impatient();
    let client = vault.anonymous();
    client.get("sys/health").is(200);
    let mut wires: Vec<Wire> = (0..48 * scale()).map(|_| vault.wire()).collect();
    let (start, mut served) = (Instant::now(), Served::default());
    for wire in &mut wires {
        wire.say(b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n").unwrap();
    }
    // A header now and then, and never the last.
    let mut gone = 0;
    while gone < wires.len() && start.elapsed() < Duration::from_secs(8) {
        served.ask(&client);
        std::thread::park_timeout(Duration::from_millis(100));
        gone = wires.iter_mut().filter_map(|wire| wire.say(b"x-a: b\r\n").err()).count();
    }
    println!("slow_headers: {gone} of {} cut off within {:?}, {served:?}", wires.len(), start.elapsed());
    assert_eq!(gone, wires.len(), "a header now and then kept connections open");
    assert!(served.count > 5 && served.slowest < Duration::from_secs(3), "{served:?}");
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
    let mut answers = 0;
    while start.elapsed() < Duration::from_millis(2500) {
        served.ask(&client);
        std::thread::park_timeout(Duration::from_millis(100));
        for (number, wire) in wires.iter_mut().enumerate() {
            let _ = wire.say(if number % 2 == 0 { b"{" } else { b"1\r\n{\r\n" });
        }
    }
    for wire in &mut wires {
        let answer = wire.hear().unwrap_or_default();
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
        answers += usize::from(answer.starts_with("HTTP/1.1 400"));
    }
    println!("slow_bodies: {} cut off, {answers} of them told why, {served:?}", wires.len());
    assert!(served.count > 5 && served.slowest < Duration::from_secs(3), "{served:?}");
    assert_eq!(ended(&mut wires), wires.len());
}

/// As many connections as the server takes, and as many as this process may have: others are served all the same.
#[test]
fn ten_thousand_connections() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let most = usize::try_from(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let target = Target::start();
    let client = target.process.anonymous();
    client.get("sys/health").is(200);
    let before = target.process.resident();
    // Somewhat less than the server takes at a time: whoever comes beyond that waits.
    let wanted = 9_900.min(most.saturating_sub(500));
    let start = Instant::now();
    let silent: Vec<TcpStream> = (0..wanted).map_while(|_| TcpStream::connect(target.process.address).ok()).collect();
    let mut served = Served::default();
    for _ in 0..20 {
        served.ask(&client);
        served.ask(&target.process.anonymous());
    }
    let held = target.process.resident().saturating_sub(before);
    println!(
        "ten_thousand_connections: {} in {:?}, {} KiB each, {served:?}",
        silent.len(),
        start.elapsed(),
        held / 1024 / silent.len() as u64
    );
    assert_eq!(silent.len(), wanted, "connections were refused");
    assert!(served.slowest < Duration::from_secs(5), "{served:?}");
    // A debug build of the server, before a handshake.
    assert!(held < silent.len() as u64 * 32 * 1024, "{held} bytes for {} connections", silent.len());
    drop(silent);
    target.root.get("sys/mounts").is(200);
}

/// Whoever takes every place there is keeps it for as long as a handshake may take, and no longer.
#[test]
fn every_place_taken() {
    let setup = Setup::default();
    let limits = arca::config::Limits { connections: 64, ..setup.limits };
    let vault = Setup { limits, ..setup }.start();
    let mut silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(vault.address).unwrap()).collect();
    let start = Instant::now();
    // 136 of them wait for a place themselves, before this request does; they come and go 64 at a time.
    drop(silent.split_off(128));
    vault.anonymous().get("sys/health").is(200);
    let waited = start.elapsed();
    println!("every_place_taken: the next request was served after {waited:?}");
    assert!(waited < Duration::from_secs(28), "{waited:?}");
    for mut stream in silent.drain(..) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(15)));
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "a silent client was answered");
    }
}
