//! What is counted of a request on its way.

use std::sync::Arc;
use std::time::Instant;

use crate::api::Operation;
use crate::metrics::{Metrics, MountMeter, RouteOperation};
use crate::policy::Access;
use crate::sys::{Route, Routed};
use crate::trace::{Facts, Trace, Tracer};
use crate::vault::Parts;

use super::opening;
use super::request::Request;

/// The lowest status that is the server's fault.
const SERVER_FAULT: u16 = 500;

/// What is counted of one request.
#[derive(Debug)]
pub(super) struct Meter {
    metrics: Arc<Metrics>,
    start: Instant,
    method: &'static str,
    operation: RouteOperation,
    mount: Option<Arc<MountMeter>>,
    is_login: bool,
    tracer: Tracer,
    trace: Option<Box<Trace>>,
}

impl Meter {
    /// Begins to count.
    pub(super) fn start(parts: &Parts, request: &Request) -> Self {
        let operation = match request.operation {
            Operation::Read => RouteOperation::Read,
            Operation::Write => RouteOperation::Update,
            Operation::Patch => RouteOperation::Patch,
            Operation::Delete => RouteOperation::Delete,
            Operation::List => RouteOperation::List,
            Operation::Scan => RouteOperation::Scan,
            Operation::Help => RouteOperation::Help,
        };
        let parent = request.client.headers.traceparent.as_deref().unwrap_or_default();
        Self {
            metrics: parts.metrics.clone(),
            start: Instant::now(),
            method: opening::method(request.operation),
            operation,
            mount: None,
            is_login: false,
            trace: parts.tracer.begin(parent, &*parts.clock).map(Box::new),
            tracer: parts.tracer.clone(),
        }
    }

    /// What everything is counted in.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The request goes to this mount.
    pub(super) fn route(&mut self, route: &Route) {
        let Some(point) = route.target.as_ref().and_then(Routed::point) else { return };
        self.is_login = route.access() == Access::Public && point.entry.path.starts_with("auth/");
        self.mount = Some(point.meter.clone());
    }

    /// The request makes something that was not there.
    pub(super) fn creates(&mut self) {
        self.operation = RouteOperation::Create;
    }

    /// The mount has done its work, which began at `start`.
    pub(super) fn worked(&self, start: Instant) {
        if let Some(mount) = &self.mount {
            mount.routed(self.operation, start);
        }
    }

    /// A step of the request, for its trace, is done.
    pub(super) fn step(&self, name: &'static str, start: Instant, end: Instant) {
        if let Some(trace) = &self.trace {
            trace.step(name, start, end);
        }
    }

    /// The same for one that ends now.
    pub(super) fn step_since(&self, name: &'static str, start: Instant) {
        if let Some(trace) = &self.trace {
            trace.step(name, start, Instant::now());
        }
    }

    /// The request is answered with `status`. `namespace` is the one that it was for, if there is such a one.
    pub(super) fn answered(self, status: u16, namespace: Option<&str>) {
        let requests = &self.metrics.requests;
        let end = if self.is_login { requests.logins.since(self.start) } else { requests.handled.since(self.start) };
        if let Some(mount) = &self.mount {
            mount.answered(self.operation, self.start, end);
            if status >= SERVER_FAULT {
                mount.failed();
            }
        }
        if let Some(mut trace) = self.trace {
            trace.end(
                end,
                Facts {
                    method: self.method,
                    operation: self.operation.as_str(),
                    namespace: namespace.map(str::to_owned),
                    mount: self.mount.as_ref().map(|mount| (mount.path().to_owned(), mount.kind().to_owned())),
                    status,
                },
            );
            self.tracer.end(*trace);
        }
    }
}
