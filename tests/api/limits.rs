//! What the server takes from whom: sizes, depths, pace.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arca::config::{Limits, Timeouts};
use serde_json::json;

use crate::support::{Client, Setup, TestVault, eventually};

#[test]
fn a_body_over_the_limit_is_refused() {
    let setup = Setup::default();
    let limits = Limits { request_size: 4096, ..setup.limits };
    let vault = Setup { limits, ..setup }.start();
    let root = vault.root();
    root.post("cubbyhole/a", json!({"a": "x".repeat(4000)})).is(204);
    root.post("cubbyhole/a", json!({"a": "x".repeat(5000)})).refuses(413, "request body too large");
    root.get("cubbyhole/a").is(200);
}

#[test]
fn json_that_is_deep_or_has_many_texts_is_refused() {
    let vault = TestVault::new();
    let root = vault.root();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1001), "]".repeat(1001));
    root.send("POST", "cubbyhole/a", Some(deep.as_bytes())).refuses(400, "high complexity");
    let very_deep = "{\"a\":".repeat(3_000_000);
    root.send("POST", "cubbyhole/a", Some(very_deep.as_bytes())).is(400);
    let many = json!({"a": vec!["x"; 1001]});
    root.post("cubbyhole/a", many.clone()).refuses(400, "maximum number of strings");
    // Before anyone asks who it is.
    vault.anonymous().post("cubbyhole/a", many).is(400);
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    root.send("POST", "cubbyhole/a", Some(nested.as_bytes())).is(204);
    root.get("cubbyhole/a").is(200);
}

#[test]
fn a_form_of_many_fields_is_refused() {
    let vault = TestVault::new();
    let form = |fields: usize| (0..fields).map(|number| format!("f{number}=x")).collect::<Vec<_>>().join("&");
    let send = |client: &Client, fields: usize| {
        let client = client.with_header("content-type", "application/x-www-form-urlencoded");
        client.send("POST", "cubbyhole/a", Some(form(fields).as_bytes()))
    };
    send(&vault.root(), 500).is(204);
    send(&vault.root(), 501).refuses(400, "maximum number of strings");
    // Before anyone asks who it is.
    send(&vault.anonymous(), 501).refuses(400, "maximum number of strings");
}

#[test]
fn a_name_that_stands_twice_is_refused_before_a_policy_reads_one_of_its_values() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let rule = r#"path "kv/*" { capabilities = ["create", "update"] allowed_parameters = { "a" = ["good"] } }"#;
    let bound = vault.with_policy("bound", rule);
    bound.post("kv/x", json!({"a": "bad"})).is(403);
    for body in [r#"{"a":"bad","a":"good"}"#, r#"{"\u0061":"bad","a":"good"}"#, r#"{"a":"good","a":"bad"}"#] {
        bound.send("POST", "kv/x", Some(body.as_bytes())).refuses(400, "the same name twice");
        root.send("POST", "kv/x", Some(body.as_bytes())).refuses(400, "the same name twice");
    }
    root.get("kv/x").is(404);
    bound.post("kv/x", json!({"a": "good"})).is(204);
}

#[test]
fn a_flood_of_headers_costs_one_connection() {
    let vault = TestVault::new();
    let mut wire = vault.wire();
    let mut heard = wire.say(b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n");
    for number in 0..20_000 {
        if heard.is_err() {
            break;
        }
        heard = wire.say(format!("x-{number}: {}\r\n", "y".repeat(64)).as_bytes());
    }
    let answer = wire.hear().unwrap_or_default();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 400"), "{answer}");
    vault.anonymous().get("sys/health").is(200);
}

#[test]
fn slow_clients_cost_their_connections_only() {
    let setup = Setup::default();
    let timeouts =
        Timeouts { read_header: Some(Duration::from_secs(1)), idle: Some(Duration::from_secs(1)), ..setup.timeouts };
    let vault = Setup { timeouts, ..setup }.start();
    let mut slow: Vec<_> = (0..32).map(|_| vault.wire()).collect();
    for wire in &mut slow {
        wire.say(b"GET /v1/sys/hea").unwrap();
    }
    // Those that say nothing at all, not even a handshake.
    let _silent: Vec<_> = (0..32).map(|_| TcpStream::connect(vault.address).unwrap()).collect();
    vault.anonymous().get("sys/health").is(200);
    vault.root().post("cubbyhole/a", json!({"x": 1})).is(204);
    for wire in &mut slow {
        let answer = wire.hear().unwrap_or_default();
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn a_body_that_trickles_does_not_hold_the_server_forever() {
    let setup = Setup::default();
    let timeouts = Timeouts {
        read_header: Some(Duration::from_secs(1)),
        read: Some(Duration::from_secs(1)),
        request: Some(Duration::from_secs(2)),
        idle: Some(Duration::from_secs(1)),
        ..setup.timeouts
    };
    let vault = Setup { timeouts, ..setup }.start();
    let mut wire = vault.wire();
    wire.say(b"POST /v1/cubbyhole/a HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"a\":").unwrap();
    let answer = wire.hear().expect("the server ends it before the client's patience");
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
}

#[test]
fn a_client_that_takes_no_answer_is_cut_off() {
    let setup = Setup::default();
    let timeouts = Timeouts { write: Some(Duration::from_secs(1)), ..setup.timeouts };
    let vault = Setup { timeouts, ..setup }.start();
    let root = vault.root();
    root.post("cubbyhole/large", json!({"a": "x".repeat(4 << 20)})).is(204);
    let mut wire = vault.wire();
    let token = root.get("auth/token/lookup-self").ok().json()["data"]["id"].as_str().unwrap().to_owned();
    let ask = format!("GET /v1/cubbyhole/large HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\n\r\n");
    // More answers than any buffer on the way can hold.
    wire.say(ask.repeat(20).as_bytes()).unwrap();
    eventually("the end of the connection", || wire.say(b"G").err());
    root.get("cubbyhole/large").is(200);
}

#[test]
fn plain_http_on_the_tls_port_is_told_so() {
    let vault = TestVault::new();
    let mut stream = TcpStream::connect(vault.address).unwrap();
    stream.write_all(b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    assert!(
        text.starts_with("HTTP/1.0 400") && text.contains("Client sent an HTTP request to an HTTPS server."),
        "{text}"
    );
    let mut stream = TcpStream::connect(vault.address).unwrap();
    stream.write_all(&[0, 1, 2, 3, 255, 254]).unwrap();
    vault.anonymous().get("sys/health").is(200);
}

#[test]
fn urls_and_verbs_that_lead_nowhere() {
    let vault = TestVault::new();
    let root = vault.root();
    root.get("/v2/x").is(404);
    root.get("/v1").is(404);
    assert_eq!(root.get("/").is(307).headers["location"], "/ui/");
    assert_eq!(root.get("/v1/sys//health").is(307).headers["location"], "/v1/sys/health");
    root.send("FOO", "sys/health", None).is(405);
    root.send("HEAD", "sys/mounts", None).is(405);
    root.get("sys/a%0ab").is(400);
    root.with_header("x-vault-namespace", "other").get("sys/mounts").is(404);
    let answer = root.get("sys/mounts").ok();
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers.contains_key("strict-transport-security"));
    let forwarded = Client::new(vault.address, &vault.pki.ca, Some(vault.operator()));
    forwarded.with_header("x-forwarded-for", "10.0.0.1").get("sys/health").is(200);
}
