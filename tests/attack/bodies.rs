//! Bodies that are large, deep, or never end, from callers without a token.

use std::thread;

use super::{Target, scale};
use crate::support::{Process, Wire};

/// The server, which takes bodies of so many bytes.
fn target(largest: usize) -> Target {
    Target::with(&format!("max_request_size = {largest}\n  max_request_json_memory = {}\n", largest + (1 << 19)))
}

/// The most bytes of a body: as many as by default where there is time, fewer in a quick run.
fn largest() -> usize {
    (4 << 20) * scale().min(8)
}

/// Sends bodies that are costly to parse, two of each kind at a time; what they cost the server is bounded.
pub(crate) fn bombs(rounds: usize) {
    let size = largest();
    let target = target(size);
    let filled = |part: &str| part.repeat((size - 1024) / part.len());
    let keys: Vec<String> = (0..size / 20).map(|number| format!("\"{number}\":0")).collect();
    let bombs = [
        ("lists in lists", filled("[")),
        ("objects in objects", filled("{\"a\":")),
        ("many keys", format!("{{{}}}", keys.join(","))),
        ("many numbers", format!("{{\"a\":[{}0]}}", filled("0,"))),
        ("many short texts", format!("{{\"a\":[{}\"\"]}}", filled("\"\","))),
        ("one long number", format!("{{\"a\":{}}}", filled("9"))),
        ("a long list of nothing", format!("{{\"a\":[{}[]]}}", filled("[],"))),
        ("escapes", format!("{{\"a\":\"{}\"}}", filled("\\u0000"))),
        ("one long text", format!("{{\"password\":\"{}\"}}", filled("x"))),
    ];
    // The first time what is kept from then on is made.
    target.process.anonymous().send("POST", "auth/userpass/login/a", Some(bombs[7].1.as_bytes()));
    let (mut most, mut tenths) = (0, vec![0; bombs.len()]);
    for _ in 0..rounds {
        for ((what, body), tenths) in bombs.iter().zip(&mut tenths) {
            let before = target.process.resident();
            target.process.forget_peak();
            let statuses: Vec<u16> = thread::scope(|scope| {
                let send =
                    || target.process.anonymous().send("POST", "auth/userpass/login/a", Some(body.as_bytes())).status;
                let senders = [scope.spawn(send), scope.spawn(send)];
                senders.into_iter().map(|sender| sender.join().unwrap()).collect()
            });
            assert!(statuses.iter().all(|status| matches!(status, 400 | 403 | 413)), "{what}: {statuses:?}");
            let cost = target.process.peak().saturating_sub(before);
            *tenths = (cost * 10 / (2 * body.len() as u64)).max(*tenths);
            most = most.max(cost);
        }
    }
    let kinds = bombs.iter().zip(&tenths).map(|((what, _), tenths)| format!("{what} {}.{}", tenths / 10, tenths % 10));
    println!("bombs: bytes held at most for each byte of the body: {}", kinds.collect::<Vec<_>>().join(", "));
    target.root.get("sys/mounts").is(200);
    assert!(most < 2 * 3 * size as u64 + (8 << 20), "{} MiB for two bodies of {} MiB", most >> 20, size >> 20);
}

/// Clients that send without an end are cut off at the limit, and the server keeps nothing of what they sent.
#[test]
fn bodies_without_an_end() {
    let size = largest();
    let Target { process, root, .. } = &target(size);
    let before = process.resident();
    let senders = 2 * scale();
    let taken: Vec<usize> = thread::scope(|scope| {
        let sending: Vec<_> =
            (0..senders).map(|number| scope.spawn(move || endless(process, number % 2 == 0, size))).collect();
        sending.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let (peak, kept) = (process.peak(), process.resident().saturating_sub(before));
    let (least, most) = (taken.iter().min().unwrap() >> 20, taken.iter().max().unwrap() >> 20);
    println!(
        "bodies_without_an_end: {senders} cut off after {least} to {most} MiB, {} MiB held at most, {} MiB kept",
        peak >> 20,
        kept >> 20
    );
    assert!(taken.iter().all(|taken| *taken < 3 * size), "{taken:?}");
    assert!(peak < before + (senders * 3 * size) as u64, "{} MiB", peak >> 20);
    root.get("sys/mounts").is(200);
}

/// How many bytes were taken of a body that has no end.
fn endless(process: &Process, chunked: bool, size: usize) -> usize {
    let (ca, client) = process.certificates();
    let mut wire = Wire::connect(process.address, ca, Some(client));
    let head = if chunked { "transfer-encoding: chunked" } else { "content-length: 107374182400" };
    wire.say(format!("POST /v1/sys/unseal HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n").as_bytes()).unwrap();
    let part = "x".repeat(1 << 20);
    let part = if chunked { format!("100000\r\n{part}\r\n") } else { part };
    let mut taken = 0;
    while taken < 16 * size && wire.say(part.as_bytes()).is_ok() {
        taken += part.len();
    }
    taken
}
