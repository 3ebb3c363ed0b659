//! `Trace`: the spans of one request, as they are collected.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span::SpanKind, status::StatusCode};

use super::context::{SpanId, TraceContext};
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::time::Timestamp;

/// Steps of one request that are told; a request that is tried again often is told up to there.
const STEPS: usize = 32;
/// The lowest status that is the server's fault.
const SERVER_FAULT: u16 = 500;

/// The spans of one request: its own, and one for each of its steps.
pub struct Trace {
    context: TraceContext,
    own: SpanId,
    entropy: Arc<dyn Entropy>,
    wall: Timestamp,
    began: Instant,
    steps: Mutex<Vec<Step>>,
    ended: Option<(Instant, Facts)>,
}

#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    start: Instant,
    end: Instant,
}

/// All that is told of a request beside its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The HTTP method.
    pub method: &'static str,
    /// The operation: `read`, `update`, …
    pub operation: &'static str,
    /// The namespace; empty for the root. Nothing where the request named none that there is.
    pub namespace: Option<String>,
    /// The path of the mount, and its type. Nothing where the request led to none.
    pub mount: Option<(String, String)>,
    /// The HTTP status of the answer.
    pub status: u16,
}

impl Trace {
    pub(super) fn new(context: TraceContext, entropy: Arc<dyn Entropy>, wall: Timestamp, began: Instant) -> Self {
        let own = span_id(&*entropy);
        Self { context, own, entropy, wall, began, steps: Mutex::default(), ended: None }
    }

    /// Tells of a step.
    pub fn step(&self, name: &'static str, start: Instant, end: Instant) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() < STEPS {
            steps.push(Step { name, start, end });
        }
    }

    /// Ends the request.
    pub fn end(&mut self, end: Instant, facts: Facts) {
        self.ended = Some((end, facts));
    }

    /// How many spans there are.
    pub(super) fn spans(&self) -> usize {
        1 + self.steps.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The spans in the form that is exported. One that has not ended gives none.
    pub(super) fn into_spans(self) -> Vec<Span> {
        let Some((end, facts)) = &self.ended else { return Vec::new() };
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut spans = vec![self.request(*end, facts)];
        spans.extend(steps.iter().map(|step| self.child(*step)));
        spans
    }

    fn request(&self, end: Instant, facts: &Facts) -> Span {
        let Facts { method, operation, namespace, mount, status } = facts;
        let mut attributes = vec![
            text("http.request.method", *method),
            text("arca.operation", *operation),
            attribute("http.response.status_code", Value::IntValue(i64::from(*status))),
        ];
        if let Some(namespace) = namespace {
            attributes.push(text("arca.namespace", if namespace.is_empty() { "root" } else { namespace }));
        }
        let mut name = (*operation).to_owned();
        if let Some((path, kind)) = mount {
            attributes.extend([text("arca.mount.path", path.as_str()), text("arca.mount.type", kind.as_str())]);
            name = format!("{operation} {kind}");
        }
        let failed = *status >= SERVER_FAULT;
        let code = if failed { StatusCode::Error } else { StatusCode::Unset };
        Span {
            parent_span_id: self.context.parent.map_or_else(Vec::new, |parent| parent.0.to_vec()),
            kind: SpanKind::Server.into(),
            attributes,
            status: Some(Status { code: code.into(), message: String::new() }),
            ..self.span(self.own, name, self.began, end)
        }
    }

    fn child(&self, step: Step) -> Span {
        let Step { name, start, end } = step;
        Span {
            parent_span_id: self.own.0.to_vec(),
            kind: SpanKind::Internal.into(),
            ..self.span(span_id(&*self.entropy), name.to_owned(), start, end)
        }
    }

    fn span(&self, id: SpanId, name: String, start: Instant, end: Instant) -> Span {
        Span {
            trace_id: self.context.trace.0.to_vec(),
            span_id: id.0.to_vec(),
            name,
            start_time_unix_nano: self.nanos(start),
            end_time_unix_nano: self.nanos(end),
            ..Span::default()
        }
    }

    /// A moment as nanoseconds since 1970.
    fn nanos(&self, moment: Instant) -> u64 {
        let moment = self.wall.plus(moment.saturating_duration_since(self.began));
        u64::try_from(moment.unix_nanos()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace").field("context", &self.context).finish_non_exhaustive()
    }
}

/// Counts spans that are given up.
pub(super) fn give_up(spans: usize, metrics: &Metrics) {
    (0..spans).for_each(|_| metrics.traces.dropped.add());
}

/// An id for a span. Without randomness it is none, which a collector refuses; nothing else depends on it.
fn span_id(entropy: &dyn Entropy) -> SpanId {
    let mut bytes = [0; 8];
    let _ = entropy.fill(&mut bytes);
    SpanId(bytes)
}

pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}
