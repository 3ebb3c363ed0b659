//! HTTP/2 as no client speaks it: headers that are forbidden there (RFC 9113 section 8.2), and floods of frames.

use std::io;
use std::time::Instant;

use super::{Served, Target, scale};
use crate::support::{TestVault, Wire};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Header fields, each literal and without an index (RFC 7541 section 6.2.2).
fn fields(list: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in list {
        block.push(0);
        for text in [name, value] {
            // A length of 127 and more takes more than one byte.
            let mut rest = text.len();
            if rest < 127 {
                block.push(u8::try_from(rest).unwrap());
            } else {
                block.push(127);
                rest -= 127;
                while rest >= 128 {
                    block.push(u8::try_from(rest % 128).unwrap() | 0x80);
                    rest /= 128;
                }
                block.push(u8::try_from(rest).unwrap());
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// Says so many-th of its frames.
type Flood<'a> = &'a dyn Fn(&mut Speaker, u32) -> io::Result<()>;

/// A connection that has said hello.
struct Speaker(Wire);

impl Speaker {
    fn to(connect: impl FnOnce() -> Wire) -> Self {
        let mut wire = connect();
        wire.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        wire.say(&frame(SETTINGS, 0, 0, &[])).unwrap();
        Self(wire)
    }

    fn say(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.0.say(&frame(kind, flags, stream, payload))
    }

    /// The kind and the payload of the first frame that answers stream 1 or ends the connection; nothing at its end.
    fn answer(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut heard: Vec<u8> = Vec::new();
        loop {
            while heard.len() >= 9 {
                let length = u32::from_be_bytes([0, heard[0], heard[1], heard[2]]) as usize;
                if heard.len() < 9 + length {
                    break;
                }
                let (kind, payload) = (heard[3], heard[9..9 + length].to_vec());
                if matches!(kind, HEADERS | RST_STREAM | GOAWAY) {
                    return Some((kind, payload));
                }
                heard.drain(..9 + length);
            }
            let more = self.0.hear_some().ok().filter(|more| !more.is_empty())?;
            heard.extend_from_slice(&more);
        }
    }
}

fn basic<'a>(path: &'a str, token: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "x"), ("x-vault-token", token)]
}

#[test]
fn forbidden_headers() {
    let vault = TestVault::new();
    let root = vault.root();
    let token = root.token();
    let (path, plain) = ("/v1/cubbyhole/h2", basic("/v1/cubbyhole/h2", token));
    let with =
        |more: &[(&'static str, &'static str)]| plain.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>();
    let without = |name: &str| plain.iter().copied().filter(|(other, _)| *other != name).collect::<Vec<_>>();
    let cases = [
        ("connection", with(&[("connection", "keep-alive")])),
        ("a coding", with(&[("transfer-encoding", "chunked")])),
        ("an upgrade", with(&[("upgrade", "h2c")])),
        ("a proxy's connection", with(&[("proxy-connection", "keep-alive")])),
        ("te", with(&[("te", "gzip")])),
        ("capitals", with(&[("X-Capital", "a")])),
        ("a name with a blank", with(&[("x a", "a")])),
        ("a name with a colon", with(&[("x:a", "a")])),
        ("an empty name", with(&[("", "a")])),
        ("a line end in a value", with(&[("x-a", "a\r\nx-vault-token: b")])),
        ("a NUL in a value", with(&[("x-a", "a\0b")])),
        ("no path", without(":path")),
        ("no method", without(":method")),
        ("no scheme", without(":scheme")),
        ("a second path", with(&[(":path", "/v1/sys/health")])),
        ("an unknown pseudo-header", with(&[(":other", "a")])),
        ("a response's pseudo-header", with(&[(":status", "200")])),
        ("a length that is not that of the body", with(&[("content-length", "3")])),
        ("two lengths", with(&[("content-length", "7"), ("content-length", "8")])),
        ("an empty path", basic("", token)),
        ("a path that does not begin with a slash", basic("v1/cubbyhole/h2", token)),
    ];
    for (what, list) in &cases {
        let mut speaker = Speaker::to(|| vault.wire_for(b"h2"));
        speaker.say(HEADERS, END_HEADERS, 1, &fields(list)).unwrap();
        let _ = speaker.say(DATA, END_STREAM, 1, b"{\"a\":1}");
        let answer = speaker.answer();
        let refused = match &answer {
            None | Some((RST_STREAM | GOAWAY, _)) => true,
            // A status of 4xx: an index into the table of HPACK, or the text itself.
            Some((_, block)) => {
                block.first() == Some(&0x8c) || block.windows(2).any(|pair| pair == b"40") || is_huffman_4xx(block)
            }
        };
        assert!(refused, "{what}: {answer:?}");
        root.get("cubbyhole/h2").is(404);
    }
    println!("forbidden_headers: {} kinds refused", cases.len());
    let mut speaker = Speaker::to(|| vault.wire_for(b"h2"));
    speaker.say(HEADERS, END_HEADERS, 1, &fields(&plain)).unwrap();
    speaker.say(DATA, END_STREAM, 1, b"{\"a\":1}").unwrap();
    assert_eq!(speaker.answer().map(|(kind, _)| kind), Some(HEADERS));
    root.get(path.trim_start_matches("/v1/")).is(200);
}

/// Whether the block begins with the status 400, 404 or 405, of which the first two have an index (RFC 7541 appendix A).
fn is_huffman_4xx(block: &[u8]) -> bool {
    matches!(block.first(), Some(0x8c | 0x8d)) || block.starts_with(&[0x48, 0x82])
}

/// Streams that are opened and reset at once (CVE-2023-44487), headers without an end (CVE-2024-27316), and floods of
/// settings and pings: each costs its connection, and no memory.
#[test]
fn floods_of_frames() {
    let target = Target::start();
    let client = target.process.anonymous();
    client.get("sys/health").is(200);
    let (ca, certificate) = target.process.certificates();
    let connect = || Wire::connect_for(target.process.address, ca, Some(certificate), b"h2");
    let rounds = 20_000 * scale();
    let before = target.process.resident();
    let head =
        fields(&[(":method", "GET"), (":scheme", "https"), (":path", "/v1/sys/seal-status"), (":authority", "x")]);
    let long = fields(&[("x-a", &"y".repeat(8_000))]);
    let mut served = Served::default();
    let floods: [(&str, Flood<'_>); 5] = [
        ("resets", &|speaker, number| {
            speaker.say(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &head)?;
            speaker.say(RST_STREAM, 0, 2 * number + 1, &8_u32.to_be_bytes())
        }),
        ("headers without an end", &|speaker, number| {
            let kind = if number == 0 { HEADERS } else { CONTINUATION };
            speaker.say(kind, 0, 1, if number == 0 { &head } else { &long })
        }),
        ("empty continuations", &|speaker, number| {
            speaker.say(if number == 0 { HEADERS } else { CONTINUATION }, 0, 1, if number == 0 { &head } else { &[] })
        }),
        ("settings", &|speaker, _| speaker.say(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1])),
        ("pings", &|speaker, _| speaker.say(PING, 0, 0, &[0; 8])),
    ];
    for (what, flood) in floods {
        let (start, mut speaker) = (Instant::now(), Speaker::to(connect));
        // Answers are not read: a server that keeps them all would grow.
        let said =
            (0..u32::try_from(rounds).unwrap()).take_while(|number| flood(&mut speaker, *number).is_ok()).count();
        served.ask(&client);
        println!("floods_of_frames: {what}: {said} of {rounds} said in {:.0?}", start.elapsed());
    }
    let held = target.process.peak().saturating_sub(before);
    println!("floods_of_frames: {} KiB more at most, {served}", held >> 10);
    assert!(held < 48 << 20, "{held} bytes");
    target.root.get("sys/mounts").is(200);
}
