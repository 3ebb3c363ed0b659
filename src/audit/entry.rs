//! `Entry`: the two lines about one request. `Admitted`: that the first of them is on record.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::{Error, Kind, Result};
use crate::policy::Permit;
use crate::secret::SecretBytes;
use crate::time::{Clock, Timestamp};

use super::device::Device;
use super::draft::Draft;
use super::facts::{AuthFacts, RequestFacts, ResponseFacts};
use super::filter::FilterFacts;
use super::log::Ticket;
use super::mounted::AuditedMount;
use super::sink::SinkError;

/// What is on record about one request. It begins with what came in, is told what is found out, and writes a line before
/// the request is carried out ([`Entry::admit`]) and one behind it ([`Entry::close`]).
#[derive(Debug)]
#[must_use = "every request has to be closed"]
pub struct Entry {
    devices: Arc<Vec<Arc<Device>>>,
    /// One for each device.
    drafts: Vec<Draft>,
    clock: Arc<dyn Clock>,
    operation: String,
    /// What filters ask for; nothing if there are none.
    place: Option<Place>,
    mount: Option<Arc<AuditedMount>>,
    routed: bool,
    /// Whether the request line was tried.
    requested: bool,
    /// Used again for every line.
    line: Vec<u8>,
    /// The same, for lines in another format than the recorded one.
    framed: SecretBytes,
}

/// Where a request goes, as far as it is known before it is routed.
#[derive(Debug)]
struct Place {
    path: String,
    namespace: String,
}

/// A request whose permit is on record. Only [`Entry::admit`] makes it; an engine asks for it.
#[derive(Debug)]
pub struct Admitted {
    permit: Permit,
}

impl Admitted {
    /// The permit.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }
}

impl Entry {
    pub(super) fn open(devices: Arc<Vec<Arc<Device>>>, clock: Arc<dyn Clock>, facts: &RequestFacts<'_>) -> Self {
        let drafts: Vec<Draft> = devices.iter().map(|device| Draft::open(facts, &device.redaction)).collect();
        let operation = if drafts.is_empty() { String::new() } else { facts.operation.to_owned() };
        let filtered = devices.iter().any(|device| device.is_filtered());
        let place = filtered
            .then(|| Place { path: facts.path.as_str().to_owned(), namespace: facts.namespace.path.to_owned() });
        Self {
            devices,
            drafts,
            clock,
            operation,
            place,
            mount: None,
            routed: false,
            requested: false,
            line: Vec::new(),
            framed: SecretBytes::default(),
        }
    }

    /// Whether anyone listens. Facts that cost something need not be gathered otherwise.
    pub fn is_idle(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Says what a write turned out to be: `create` or `update`. Has an effect until the first line is written.
    pub fn operation(&mut self, operation: &str) {
        if !self.is_idle() {
            operation.clone_into(&mut self.operation);
        }
    }

    /// Says whose request it is.
    pub fn identify(&mut self, auth: &AuthFacts<'_>) {
        for (device, draft) in self.devices.iter().zip(&mut self.drafts) {
            draft.identify(auth, &device.redaction);
        }
    }

    /// Says where it goes.
    pub fn route(&mut self, mount: &Arc<AuditedMount>) {
        if !self.is_idle() {
            self.mount = Some(Arc::clone(mount));
        }
    }

    /// Writes the request line. The request must not be carried out unless this succeeds.
    ///
    /// Fails with [`crate::error::Kind::Internal`] when no device takes the line.
    pub async fn admit(&mut self, permit: Permit) -> Result<Admitted> {
        self.requested = true;
        for (device, draft) in self.devices.iter().zip(&mut self.drafts) {
            draft.allow(&permit, &device.redaction);
        }
        self.request_line(&Failure::default(), Taking::Filtered).await.map_err(|error| {
            Error::internal(
                "the request could not be recorded in the audit log and was not carried out; check the audit devices",
            )
            .with_source(error)
        })?;
        Ok(Admitted { permit })
    }

    /// Writes the response line, and before it the request line if the request was not admitted. The answer must be
    /// withheld unless this succeeds.
    ///
    /// Fails with [`crate::error::Kind::Internal`] when no device takes the line.
    pub async fn close(mut self, outcome: &ResponseFacts<'_>) -> Result<()> {
        let withheld = |error| {
            Error::internal(
                "the response could not be recorded in the audit log and is withheld; if the request changed \
                 something, the change may have been made; check the audit devices",
            )
            .with_source(error)
        };
        if !self.requested {
            self.requested = true;
            if outcome.error.is_some_and(|error| error.kind() == Kind::Forbidden) {
                for (device, draft) in self.devices.iter().zip(&mut self.drafts) {
                    draft.deny(&device.redaction);
                }
            }
            self.request_line(&Failure::of(outcome.error), Taking::Filtered).await.map_err(withheld)?;
        }
        let failure = if self.place.is_some() { Failure::of(outcome.error) } else { Failure::default() };
        let mount = self.mount.clone();
        let write = |draft: &Draft, device: &Device, now, line: &mut Vec<u8>| {
            draft.response_line(now, outcome, mount.as_deref(), &device.redaction, line);
        };
        self.lines(("response", &failure), Taking::Filtered, write).await.map_err(withheld)
    }

    /// Writes the request line of a test, to which there is no response. Filters do not apply: it tries the device.
    pub(super) async fn write_test(mut self) -> Result<()> {
        self.request_line(&Failure::default(), Taking::All)
            .await
            .map_err(|error| Error::invalid("audit device failed test; check that it takes lines").with_source(error))
    }

    async fn request_line(&mut self, failure: &Failure, taking: Taking) -> Result<(), Arc<SinkError>> {
        if !std::mem::replace(&mut self.routed, true) {
            for (device, draft) in self.devices.iter().zip(&mut self.drafts) {
                draft.route(&self.operation, self.mount.as_deref(), &device.redaction);
            }
        }
        let write =
            |draft: &Draft, _: &Device, now, line: &mut Vec<u8>| draft.request_line(now, &failure.message, line);
        self.lines(("request", failure), taking, write).await
    }

    /// Writes a line to each device that takes it, and waits for them.
    async fn lines(
        &mut self,
        (kind, failure): (&'static str, &Failure),
        taking: Taking,
        write: impl Fn(&Draft, &Device, Timestamp, &mut Vec<u8>),
    ) -> Result<(), Arc<SinkError>> {
        let now = self.clock.now();
        let is_alone = self.is_alone();
        let devices = Arc::clone(&self.devices);
        let mut tickets = Vec::with_capacity(devices.len());
        for (device, draft) in devices.iter().zip(&self.drafts) {
            if taking == Taking::Filtered && device.is_filtered() && !device.takes(&self.filter_facts(kind, failure)) {
                continue;
            }
            self.line.clear();
            write(draft, device, now, &mut self.line);
            tickets.push((device, device.enqueue(&self.line, &mut self.framed)));
        }
        if !is_alone {
            // Those that are ready come as far as this before anything is written: one write serves them all.
            tokio::task::yield_now().await;
        }
        taken(tickets).await
    }

    /// Whether no other request is under way: each has a hold of the devices, as the broker has.
    fn is_alone(&self) -> bool {
        Arc::strong_count(&self.devices) <= 2
    }

    fn filter_facts<'a>(&'a self, kind: &'static str, failure: &'a Failure) -> FilterFacts<'a> {
        let mount = self.mount.as_deref().map(AuditedMount::facts);
        FilterFacts {
            kind,
            path: self.place.as_ref().map_or("", |place| &place.path),
            operation: &self.operation,
            namespace: self.place.as_ref().map_or("", |place| &place.namespace),
            mount_point: mount.map_or("", |mount| &mount.point),
            mount_type: mount.map_or("", |mount| &mount.kind),
            mount_class: mount.map_or("", |mount| mount.class),
            error: &failure.message,
            denied: failure.denied,
        }
    }
}

/// Whether filters apply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    All,
    Filtered,
}

/// What went wrong, as a line and a filter have it; empty if nothing did.
#[derive(Debug, Default)]
struct Failure {
    message: String,
    denied: bool,
}

impl Failure {
    fn of(error: Option<&Error>) -> Self {
        error.map_or_else(Self::default, |error| Self {
            message: error.to_string(),
            denied: error.kind() == Kind::Forbidden,
        })
    }
}

/// Waits for all devices. At least one has to take its line, unless all have been disabled since.
async fn taken(tickets: Vec<(&Arc<Device>, Ticket<'_>)>) -> Result<(), Arc<SinkError>> {
    let (mut any, mut failure) = (false, None);
    for (device, ticket) in tickets {
        match ticket.wait().await {
            Ok(()) => any = true,
            Err(error) if matches!(*error, SinkError::Closed) && device.disabled.load(Ordering::SeqCst) => {}
            Err(error) => {
                let source = &*error as &dyn std::error::Error;
                tracing::error!(device = device.config.path, error = source, "an audit device took no line");
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if !any => Err(error),
        Some(_) | None => Ok(()),
    }
}
