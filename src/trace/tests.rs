//! A collector that takes apart what arrives, with the types of the protocol.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::entropy::SeededEntropy;
use crate::outbound::{Destination, HttpClient, Trust};
use crate::time::{ManualClock, Timestamp};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn tracer(endpoint: &str) -> (Tracer, Exporter, Arc<Metrics>) {
    let metrics = Metrics::new(Timestamp::from_unix_seconds(0));
    let settings = Settings {
        endpoint: Destination::parse(endpoint).unwrap(),
        client: HttpClient::new(Trust::default()).unwrap(),
        sample_ratio: 1.0,
    };
    let (tracer, exporter) = Tracer::new(settings, Arc::new(SeededEntropy::new(1)), metrics.clone());
    (tracer, exporter, metrics)
}

fn at(seconds: i64) -> ManualClock {
    ManualClock::new(Timestamp::from_unix_seconds(seconds))
}

fn ended(tracer: &Tracer, parent: &str, status: u16) -> Trace {
    let mut trace = tracer.begin(parent, &at(1_000)).unwrap();
    let start = Instant::now();
    trace.step("audit request", start, start + Duration::from_millis(2));
    trace.end(
        start + Duration::from_millis(5),
        Facts {
            method: "GET",
            operation: "read",
            namespace: Some(String::new()),
            mount: Some(("kv/".to_owned(), "kv".to_owned())),
            status,
        },
    );
    trace
}

/// Answers one request with `status`, and gives its head and its body.
async fn collect(listener: &TcpListener, status: u16) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        bytes.extend_from_slice(&part[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.trim().parse().unwrap();
        if bytes.len() >= end + 4 + length {
            let answer = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            return (head, bytes[end + 4..].to_vec());
        }
    }
}

fn spans(body: &[u8]) -> Vec<Span> {
    let mut request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut resource = request.resource_spans.pop().unwrap();
    let service = &resource.resource.as_ref().unwrap().attributes[0];
    assert_eq!(service.key, "service.name");
    resource.scope_spans.pop().unwrap().spans
}

#[tokio::test]
async fn a_trace_arrives_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (tracer, exporter, metrics) = tracer(&format!("http://{}/v1/traces", listener.local_addr().unwrap()));
    tracer.end(ended(&tracer, PARENT, 503));
    let shutdown = CancellationToken::new();
    let asked = async {
        let collected = collect(&listener, 200).await;
        shutdown.cancel();
        collected
    };
    let ((), (head, body)) = tokio::join!(exporter.run(shutdown.clone()), asked);
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    let [request, step] = spans(&body).try_into().unwrap();
    assert_eq!(data_encoding::HEXLOWER.encode(&request.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(data_encoding::HEXLOWER.encode(&request.parent_span_id), "00f067aa0ba902b7");
    assert_eq!((request.name.as_str(), request.kind, request.status.unwrap().code), ("read kv", 2, 2));
    assert_eq!(request.start_time_unix_nano, 1_000_000_000_000);
    assert!(request.end_time_unix_nano >= 1_000_005_000_000);
    let keys: Vec<&str> = request.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    let told = ["http.request.method", "arca.operation", "http.response.status_code", "arca.namespace"];
    assert_eq!(keys, [told.as_slice(), &["arca.mount.path", "arca.mount.type"]].concat());
    assert_eq!((step.name.as_str(), &step.parent_span_id, step.kind), ("audit request", &request.span_id, 1));
    assert_ne!(step.span_id, request.span_id);
    assert_eq!((metrics.traces.exported.total(), metrics.traces.dropped.total()), (2, 0));
}

#[tokio::test]
async fn a_collector_that_refuses_costs_its_spans_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (tracer, exporter, metrics) = tracer(&format!("http://{}/v1/traces", listener.local_addr().unwrap()));
    tracer.end(ended(&tracer, "", 200));
    let shutdown = CancellationToken::new();
    let asked = async {
        collect(&listener, 500).await;
        tracer.end(ended(&tracer, "", 200));
        shutdown.cancel();
        // What is left goes out at the end.
        collect(&listener, 200).await
    };
    let ((), (_, body)) = tokio::join!(exporter.run(shutdown.clone()), asked);
    assert_eq!(spans(&body).len(), 2);
    assert_eq!((metrics.traces.exported.total(), metrics.traces.dropped.total()), (2, 2));
}

#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let (tracer, exporter, metrics) = tracer("http://127.0.0.1:9/v1/traces");
    for _ in 0..QUEUE + 3 {
        tracer.end(ended(&tracer, "", 200));
    }
    assert_eq!(metrics.traces.dropped.total(), 6);
    drop(exporter);
    tracer.end(ended(&tracer, "", 200));
    assert_eq!(metrics.traces.dropped.total(), 8);
}

#[test]
fn a_tracer_that_is_off_begins_nothing() {
    assert!(Tracer::off().begin(PARENT, &at(0)).is_none());
}

#[test]
fn steps_are_bounded() {
    let (tracer, _exporter, _) = tracer("http://127.0.0.1:9/");
    let trace = tracer.begin("", &at(0)).unwrap();
    let start = Instant::now();
    (0..100).for_each(|_| trace.step("commit", start, start));
    assert_eq!(trace.spans(), 33);
    assert_eq!(trace.into_spans().len(), 0, "it has not ended");
}
