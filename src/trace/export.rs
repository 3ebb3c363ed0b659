//! `Exporter`: brings traces to the collector, as OTLP over HTTP with protobuf
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::span::{Trace, give_up, text};
use crate::metrics::Metrics;
use crate::outbound::{Destination, HttpClient};

/// Traces in one request to the collector, at most.
const BATCH: usize = 256;
/// How long a trace waits for others.
const PAUSE: Duration = Duration::from_secs(1);
/// How long what is left may take at the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where traces go, and how many.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The collector: a whole URL, most often with the path `/v1/traces`.
    pub endpoint: Destination,
    /// What reaches it.
    pub client: HttpClient,
    /// The share of requests that are looked at, from 0 to 1; those of callers with a trace are as the caller says.
    pub sample_ratio: f64,
}

/// Brings traces to the collector.
#[derive(Debug)]
pub struct Exporter {
    settings: Settings,
    waiting: mpsc::Receiver<Trace>,
    metrics: Arc<Metrics>,
    /// Whether the last batch arrived: what is wrong is told once, and not for each batch.
    reached: bool,
}

impl Exporter {
    pub(super) fn new(settings: Settings, waiting: mpsc::Receiver<Trace>, metrics: Arc<Metrics>) -> Self {
        Self { settings, waiting, metrics, reached: true }
    }

    /// Exports until `shutdown`, and then what is left, if the collector takes it in time.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let mut batch = Vec::new();
            let count = tokio::select! {
                () = shutdown.cancelled() => break,
                count = self.waiting.recv_many(&mut batch, BATCH) => count,
            };
            if count == 0 {
                return;
            }
            self.export(batch).await;
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        self.waiting.close();
        let _ = tokio::time::timeout(FAREWELL, self.export_rest()).await;
    }

    async fn export_rest(&mut self) {
        loop {
            let mut batch = Vec::new();
            if self.waiting.recv_many(&mut batch, BATCH).await == 0 {
                return;
            }
            self.export(batch).await;
        }
    }

    /// Sends one batch. What the collector does not take is given up.
    async fn export(&mut self, batch: Vec<Trace>) {
        let spans: Vec<Span> = batch.into_iter().flat_map(Trace::into_spans).collect();
        let count = spans.len();
        let body = request(spans).encode_to_vec();
        let Settings { endpoint, client, .. } = &self.settings;
        match client.send(endpoint, "application/x-protobuf", body).await {
            Ok(_) => {
                (0..count).for_each(|_| self.metrics.traces.exported.add());
                if !std::mem::replace(&mut self.reached, true) {
                    tracing::info!("the collector takes traces again");
                }
            }
            Err(error) => {
                give_up(count, &self.metrics);
                if std::mem::replace(&mut self.reached, false) {
                    tracing::warn!(%error, "the collector does not take traces; they are dropped until it does");
                }
            }
        }
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let version = env!("CARGO_PKG_VERSION");
    let resource = Resource {
        attributes: vec![text("service.name", "arca"), text("service.version", version)],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "arca".to_owned(),
        version: version.to_owned(),
        ..InstrumentationScope::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}
