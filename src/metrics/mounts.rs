//! What is counted of each mount, within bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use super::counter::Counter;
use super::histogram::Histogram;
use super::interval::Epoch;
use super::page::{Labels, Page};
use super::summary::Summary;

/// The meters of mounts. At most [`MountMeters::MOST`] mounts have labels of their own, whoever enables how many; all
/// beyond them share one, `other`. A mount that is disabled is not shown any more.
#[derive(Debug)]
pub struct MountMeters {
    epoch: Epoch,
    /// By namespace and path.
    known: Mutex<HashMap<(String, String), Weak<MountMeter>>>,
    other: Arc<MountMeter>,
}

/// What is counted of one mount; resolved when the mount is opened, and kept with it.
#[derive(Debug)]
pub struct MountMeter {
    namespace: String,
    path: String,
    kind: String,
    epoch: Epoch,
    operations: [OnceLock<Box<Operated>>; RouteOperation::ALL.len()],
    failures: Counter,
    service_tokens: Counter,
    batch_tokens: Counter,
}

/// What is counted of one operation at one mount; made when it is first asked for.
#[derive(Debug)]
struct Operated {
    /// The work of the mount itself.
    route: Summary,
    /// The whole of the request.
    answered: Histogram,
}

/// What is done at a mount, as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteOperation {
    /// A read.
    Read,
    /// A write of something new, where that is known.
    Create,
    /// Any other write.
    Update,
    /// A patch.
    Patch,
    /// A removal.
    Delete,
    /// A list.
    List,
    /// A list that goes into folders.
    Scan,
    /// A question for what there is.
    Help,
}

impl RouteOperation {
    const ALL: [Self; 8] =
        [Self::Read, Self::Create, Self::Update, Self::Patch, Self::Delete, Self::List, Self::Scan, Self::Help];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Scan => "scan",
            Self::Help => "help",
        }
    }
}

impl MountMeters {
    /// How many mounts have labels of their own.
    pub const MOST: usize = 200;

    pub(super) fn new(epoch: Epoch) -> Self {
        let other = MountMeter::new("", "other", "other", epoch);
        Self { epoch, known: Mutex::default(), other: Arc::new(other) }
    }

    /// The meter of the mount at `path` in the namespace `namespace` (empty, or ending in a slash).
    pub fn meter(&self, namespace: &str, path: &str, kind: &str) -> Arc<MountMeter> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.to_owned(), path.to_owned());
        if let Some(meter) = known.get(&key).and_then(Weak::upgrade).filter(|meter| meter.kind == kind) {
            return meter;
        }
        if known.len() >= Self::MOST && !known.contains_key(&key) {
            known.retain(|_, meter| meter.strong_count() > 0);
            if known.len() >= Self::MOST {
                return self.other.clone();
            }
        }
        let meter = Arc::new(MountMeter::new(namespace, path, kind, self.epoch));
        known.insert(key, Arc::downgrade(&meter));
        meter
    }

    pub(super) fn show(&self, page: &mut Page) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut meters: Vec<_> = known.values().filter_map(Weak::upgrade).collect();
        drop(known);
        meters.sort_by(|a, b| (&a.namespace, &a.path).cmp(&(&b.namespace, &b.path)));
        for meter in meters.iter().chain([&self.other]) {
            meter.show(page);
        }
    }
}

impl MountMeter {
    fn new(namespace: &str, path: &str, kind: &str, epoch: Epoch) -> Self {
        Self {
            namespace: namespace.to_owned(),
            path: path.to_owned(),
            kind: kind.to_owned(),
            epoch,
            operations: Default::default(),
            failures: Counter::new(epoch),
            service_tokens: Counter::new(epoch),
            batch_tokens: Counter::new(epoch),
        }
    }

    /// The path of the mount as labels have it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The type of the mount.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Counts the work of the mount itself, which began at `start` and ends now.
    pub fn routed(&self, operation: RouteOperation, start: Instant) {
        if let Some(operated) = self.operated(operation) {
            operated.route.since(start);
        }
    }

    /// Counts a request to the mount, from its arrival to its answer.
    pub fn answered(&self, operation: RouteOperation, start: Instant, end: Instant) {
        if let Some(operated) = self.operated(operation) {
            operated.answered.record(start, end);
        }
    }

    /// Counts a request that failed for a reason that is not the caller's.
    pub fn failed(&self) {
        self.failures.add();
    }

    /// Counts a token that the mount gave out.
    pub fn gave_token(&self, is_batch: bool) {
        if is_batch { self.batch_tokens.add() } else { self.service_tokens.add() }
    }

    fn operated(&self, operation: RouteOperation) -> Option<&Operated> {
        let operated = self.operations.get(operation as usize)?;
        let new = || Box::new(Operated { route: Summary::new(self.epoch), answered: Histogram::of_durations() });
        Some(operated.get_or_init(new))
    }

    fn labels(&self) -> Labels {
        vec![("namespace", self.namespace_shown()), ("mount", self.path.clone()), ("type", self.kind.clone())]
    }

    fn namespace_shown(&self) -> String {
        if self.namespace.is_empty() { "root".to_owned() } else { self.namespace.clone() }
    }

    fn show(&self, page: &mut Page) {
        for (operation, operated) in RouteOperation::ALL.into_iter().zip(&self.operations) {
            let Some(operated) = operated.get() else { continue };
            let word = operation.as_str();
            let place = format!("{}{}", self.namespace, self.path).replace('/', "-");
            let help = "Time of the work of a mount, its commit among it, in ms";
            page.summary(&format!("vault.route.{word}.{place}"), help, &operated.route);
            let mut labels = self.labels();
            labels.push(("operation", word.to_owned()));
            let help = "Time to answer a request, in seconds";
            page.histogram("arca.request_seconds", help, labels, &operated.answered);
        }
        if self.operations.iter().any(|operated| operated.get().is_some()) {
            let help = "Requests that failed for a reason that is not the caller's";
            page.counter("arca.request_failures_total", help, self.labels(), &self.failures);
        }
        for (kind, counter) in [("service", &self.service_tokens), ("batch", &self.batch_tokens)] {
            if counter.total() > 0 {
                let labels = vec![
                    ("auth_method", self.kind.clone()),
                    ("mount_point", self.path.clone()),
                    ("namespace", self.namespace_shown()),
                    ("token_type", kind.to_owned()),
                ];
                page.counter("vault.token.creation", "Tokens that were given out", labels, counter);
            }
        }
    }
}
