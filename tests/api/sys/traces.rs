//! A request as a collector of OpenTelemetry sees it: with its steps, in its caller's trace, and without its secrets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use arca::outbound::{Destination, HttpClient, Trust};
use arca::trace::Settings;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;

use crate::support::Setup;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The spans that came, and the bytes that they came in.
type Collected = (Vec<Span>, Vec<u8>);

/// A collector that takes requests until it has seen a span called `last`, and gives all bytes that came.
fn collector(last: &'static str) -> (String, thread::JoinHandle<Collected>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let collecting = thread::spawn(move || {
        let (mut spans, mut raw) = (Vec::new(), Vec::new());
        while !spans.iter().any(|span: &Span| span.name == last) {
            let body = request(listener.accept().unwrap().0);
            let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            spans.extend(scopes.flat_map(|scope| scope.spans));
            raw.extend(body);
        }
        (spans, raw)
    });
    (endpoint, collecting)
}

fn request(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).unwrap();
        bytes.extend_from_slice(&part[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if bytes.len() >= end + 4 + length.trim().parse::<usize>().unwrap() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            return bytes[end + 4..].to_vec();
        }
    }
}

fn attribute(span: &Span, key: &str) -> String {
    let value = span.attributes.iter().find(|attribute| attribute.key == key).and_then(|found| found.value.clone());
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn a_request_is_told_with_its_steps_and_without_its_secrets() {
    let (endpoint, collecting) = collector("list kv");
    let settings = Settings {
        endpoint: Destination::parse(&endpoint).unwrap(),
        client: HttpClient::new(Trust::default()).unwrap(),
        sample_ratio: 1.0,
    };
    let vault = Setup { traced: Some(settings), ..Setup::default() }.start();
    let root = vault.root();
    root.post("sys/mounts/team", json!({"type": "kv"})).ok();
    let caller = root.with_header("traceparent", PARENT);
    caller.post("team/marker-path", json!({"field": "marker-value"})).ok();
    root.with_header("traceparent", &PARENT.replace("-01", "-00")).get("team/marker-path?marker=query").ok();
    root.list("team").ok();
    let (spans, raw) = collecting.join().unwrap();
    let write = spans.iter().find(|span| span.name == "create kv").expect("the write is told");
    assert_eq!(
        write.trace_id,
        PARENT.split('-').nth(1).map(|id| data_encoding::HEXLOWER.decode(id.as_bytes()).unwrap()).unwrap()
    );
    assert_eq!(data_encoding::HEXLOWER.encode(&write.parent_span_id), "00f067aa0ba902b7");
    for (key, value) in [
        ("http.request.method", "PUT"),
        ("http.response.status_code", "204"),
        ("arca.operation", "create"),
        ("arca.namespace", "root"),
        ("arca.mount.path", "team/"),
        ("arca.mount.type", "kv"),
    ] {
        assert_eq!(attribute(write, key), value, "{key}");
    }
    let steps: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == write.span_id).collect();
    let names: Vec<&str> = steps.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["authorise", "audit request", "engine", "storage commit", "audit response"]);
    let within = |span: &&Span| {
        span.start_time_unix_nano >= write.start_time_unix_nano && span.end_time_unix_nano <= write.end_time_unix_nano
    };
    assert!(steps.iter().all(within));
    assert!(!spans.iter().any(|span| span.name == "read kv"), "its caller does not record its part");
    for absent in ["marker", root.token()] {
        let found = raw.windows(absent.len()).any(|window| window == absent.as_bytes());
        assert!(!found, "{absent} went to the collector");
    }
}
