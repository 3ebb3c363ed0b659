//! Clients that are slow, silent, or too many.

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
    }
    println!("slow_bodies: {} cut off, {served:?}", wires.len());
    assert!(served.count > 5 && served.slowest < Duration::from_secs(3), "{served:?}");
    assert_eq!(ended(&mut wires), wires.len());
}

/// Thousands of silent connections, as many as the server takes where there is time, and as many as this process may
/// have; and some hundred that are idle between two requests. Others are served all the same.
#[test]
fn thousands_of_connections() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let most = usize::try_from(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let target = Target::start();
    let client = target.process.anonymous();
    client.get("sys/health").is(200);
    let (mut before, start, mut served) = (target.process.resident(), Instant::now(), Served::default());
    // Whoever comes beyond ten thousand waits for a place.
    let idle = 200 * scale().min(10);
    let wanted = (5_000 * scale()).min(9_900 - idle).min(most.saturating_sub(idle + 500));
    let clients: Vec<_> = (0..idle).map(|_| target.process.anonymous()).collect();
    for client in &clients {
        served.ask(client);
    }
    let each_idle = target.process.resident().saturating_sub(before) / 1024 / idle as u64;
    before = target.process.resident();
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
        "thousands_of_connections: {wanted} silent ({each} KiB each) and {idle} idle ({each_idle} KiB each) in {:?}, \
         {open} files open at a time, {served:?}",
        start.elapsed(),
    );
    // Where that takes longer than a handshake may, the first are gone before the last have come.
    assert!(open > wanted / 4, "{open} files are open");
    assert!(served.slowest < Duration::from_secs(5), "{served:?}");
    assert!(each < 32 && each_idle < 256, "{each} and {each_idle} KiB for a connection");
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
    println!("every_place_taken: the next request was served after {waited:?}, behind {} silent clients", silent.len());
    assert!(waited < Duration::from_secs(14), "{waited:?}");
}
