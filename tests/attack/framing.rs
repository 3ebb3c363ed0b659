//! Requests whose end is not where everyone sees it. A server behind a proxy must not see another request than the proxy
//! did: what is ambiguous is refused, and the connection ends there.

use super::{Served, Target, scale};
use crate::support::TestVault;

/// A request that is hidden in another, and what would show that it was taken for one.
fn hidden(token: &str) -> String {
    format!(
        "POST /v1/cubbyhole/smuggled HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\nconnection: close\r\ncontent-length: 7\r\n\r\n{{\"a\":1}}"
    )
}

/// A request that a hidden one follows: what is wrong with it, the lines of its head, and what stands before the hidden
/// one. `{size}` is the size of that one, `{hex}` the same as a chunk has it, `{longer}` five more.
const AMBIGUOUS: [(&str, &str, &str); 26] = [
    ("CL.TE", "content-length: {longer}\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
    ("TE.CL", "transfer-encoding: chunked\r\ncontent-length: 4\r\n", "{hex}\r\n"),
    ("two lengths", "content-length: 0\r\ncontent-length: {size}\r\n", ""),
    ("a list of lengths", "content-length: 0, {size}\r\n", ""),
    ("a signed length", "content-length: +0\r\n", ""),
    ("a negative length", "content-length: -1\r\n", ""),
    ("a hexadecimal length", "content-length: 0x0\r\n", ""),
    ("a length that overflows", "content-length: 18446744073709551616\r\n", ""),
    ("an empty length", "content-length: \r\n", ""),
    ("a coding that is not the last", "transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
    ("an unknown coding", "transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
    ("a coding in quotes", "transfer-encoding: \"chunked\"\r\n", "0\r\n\r\n"),
    ("a coding twice", "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", "0\r\n\r\n"),
    ("a tab before a coding", "transfer-encoding:\tchunked, x\r\n", "0\r\n\r\n"),
    ("a blank before a colon", "content-length : 0\r\n", ""),
    ("a blank before a coding's colon", "transfer-encoding : chunked\r\n", "0\r\n\r\n"),
    ("a folded line", "x-a: b\r\n content-length: 0\r\n", ""),
    ("a folded coding", "transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n"),
    ("a NUL in a header", "x-a: b\0c\r\n", ""),
    ("a CR in a header", "x-a: b\rcontent-length: 0\r\n", ""),
    ("a name with blanks", "x a: b\r\n", ""),
    ("no name", ": b\r\n", ""),
    ("a chunk size that overflows", "transfer-encoding: chunked\r\n", "10000000000000000\r\n"),
    ("a chunk size with a sign", "transfer-encoding: chunked\r\n", "-1\r\n"),
    ("a chunk size with a prefix", "transfer-encoding: chunked\r\n", "0x0\r\n\r\n"),
    ("a chunk without its end", "transfer-encoding: chunked\r\n", "1\r\nab\r\n0\r\n\r\n"),
];

/// First lines of a request that nobody should read on behind.
const STARTS: [(&str, &str, &str); 3] = [
    ("an old version with a coding", "POST /v1/sys/tools/random/1 HTTP/1.0", "transfer-encoding: chunked\r\n"),
    ("an unknown version", "POST /v1/sys/tools/random/1 HTTP/1.9", ""),
    ("a target with a blank", "POST /v1/sys/tools/random/ 1 HTTP/1.1", ""),
];

/// All of them, with the hidden request.
fn requests(hidden: &str) -> Vec<(&'static str, String)> {
    let size = hidden.len();
    let filled = |text: &str| {
        let (size, hex, longer) = (size.to_string(), format!("{size:x}"), (size + 5).to_string());
        text.replace("{size}", &size).replace("{hex}", &hex).replace("{longer}", &longer)
    };
    let ambiguous = AMBIGUOUS.iter().map(|(what, lines, before)| {
        let head = format!("POST /v1/sys/tools/random/1 HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
        (*what, filled(&head) + &filled(before) + hidden)
    });
    let starts = STARTS
        .iter()
        .map(|(what, start, lines)| (*what, format!("{start}\r\nhost: x\r\n{lines}\r\n0\r\n\r\n{hidden}")));
    ambiguous.chain(starts).collect()
}

#[test]
fn ambiguous_framing() {
    let vault = TestVault::new();
    let root = vault.root();
    let hidden = hidden(root.token());
    let cases = requests(&hidden);
    let mut refused = 0;
    for (what, request) in &cases {
        let mut wire = vault.wire();
        wire.say(request.as_bytes()).unwrap();
        let mut heard = String::new();
        while let Ok(more) = wire.hear() {
            heard.push_str(&more);
            if more.is_empty() {
                break;
            }
        }
        let answers = heard.matches("HTTP/1.").count();
        assert!(answers <= 1, "{what}: {answers} answers\n{heard}");
        assert!(
            heard.is_empty()
                || heard.starts_with("HTTP/1.1 4")
                || heard.starts_with("HTTP/1.0 4")
                || heard.starts_with("HTTP/1.1 501"),
            "{what}: {heard}"
        );
        root.get("cubbyhole/smuggled").is(404);
        refused += 1;
    }
    println!("ambiguous_framing: {refused} kinds refused, none with a second answer");
    // What is hidden would have worked.
    let mut wire = vault.wire();
    wire.say(hidden.as_bytes()).unwrap();
    assert!(wire.hear().unwrap().starts_with("HTTP/1.1 204"));
    root.get("cubbyhole/smuggled").is(200);
}

/// What is unusual and has one meaning: it is served or refused, and what follows is a request of its own either way.
#[test]
fn unusual_framing() {
    let vault = TestVault::new();
    let root = vault.root();
    let token = root.token();
    let cases = [
        ("an extension of a chunk", "transfer-encoding: chunked\r\n", "7;a=b;c=\"d\"\r\n{\"a\":1}\r\n0\r\n\r\n"),
        ("zeros before a size", "transfer-encoding: chunked\r\n", "0007\r\n{\"a\":1}\r\n000\r\n\r\n"),
        (
            "trailers",
            "transfer-encoding: chunked\r\n",
            "7\r\n{\"a\":1}\r\n0\r\nx-vault-token: other\r\ncontent-length: 5\r\n\r\n",
        ),
        ("the same length twice", "content-length: 7\r\ncontent-length: 7\r\n", "{\"a\":1}"),
        ("a coding in capitals", "Transfer-Encoding: CHUNKED\r\n", "7\r\n{\"a\":1}\r\n0\r\n\r\n"),
        ("asks to go on", "expect: 100-continue\r\ncontent-length: 7\r\n", "{\"a\":1}"),
    ];
    for (number, (what, lines, body)) in cases.iter().enumerate() {
        let path = format!("cubbyhole/unusual{number}");
        let mut wire = vault.wire();
        let request = format!(
            "POST /v1/{path} HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\nconnection: close\r\n{lines}\r\n{body}"
        );
        wire.say(request.as_bytes()).unwrap();
        let mut heard = wire.hear().unwrap_or_default();
        if heard.starts_with("HTTP/1.1 100") && !heard.contains("HTTP/1.1 204") {
            heard = wire.hear().unwrap_or_default();
        }
        let done = heard.contains("HTTP/1.1 204");
        assert!(done || heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{what}: {heard}");
        assert_eq!(root.get(&path).status, if done { 200 } else { 404 }, "{what}");
        println!("unusual_framing: {what}: {}", if done { "served" } else { "refused" });
    }
    // A head that ends in bare line feeds is one head, whoever reads it.
    let mut wire = vault.wire();
    wire.say(b"GET /v1/sys/health HTTP/1.1\nhost: x\n\n").unwrap();
    let answer = wire.hear().unwrap_or_default();
    assert!(answer.is_empty() || answer.matches("HTTP/1.1 ").count() == 1, "{answer}");
}

#[test]
fn floods_of_headers() {
    let server = Target::start();
    let client = server.process.anonymous();
    let (mut served, watched) = (Served::default(), server.watch());
    let long = format!("x-a: {}\r\n", "y".repeat(200_000));
    let many = (0..5_000).map(|number| format!("x-{number}: y")).collect::<Vec<_>>().join("\r\n") + "\r\n";
    let same = "x-vault-token: a\r\n".repeat(3_000);
    let target = "a/".repeat(60_000);
    let requests = [
        format!("GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n{long}\r\n"),
        format!("GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
        format!("GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n{same}\r\n"),
        format!("GET /v1/{target} HTTP/1.1\r\nhost: x\r\n\r\n"),
        format!("{} /v1/sys/health HTTP/1.1\r\nhost: x\r\n\r\n", "G".repeat(200_000)),
        "\r\n".repeat(200_000),
    ];
    let rounds = 4 * scale();
    for _ in 0..rounds {
        for request in &requests {
            let mut wire = server.wire();
            let _ = wire.say(request.as_bytes());
            let answer = wire.hear().unwrap_or_default();
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{request:.200}: {answer:.200}");
        }
        served.ask(&client);
    }
    let held = watched.held(64);
    println!("floods_of_headers: {} refused, {held} MiB more at most, {served}", rounds * requests.len());
}
