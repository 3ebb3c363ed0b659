//! `Device`: a log with its own hash key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::chain::{ChainWriter, Framing, Link, NodeId, SigningKey};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::{AuditKey, SecretBytes};
use crate::time::Clock;

use super::filter::{Filter, FilterFacts};
use super::log::{Log, Ticket};
use super::members::Redaction;
use super::redact::Hasher;
use super::sink::{Sink, SinkError};
use super::sinks::{FileOptions, FileSink, LineOptions, RemoteKind, RemoteOptions, RemoteSink};

/// A device as it is on record; the vault stores it beside the device's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceConfig {
    /// Its path, with its slash.
    pub path: String,
    /// Its type: `file`, `http`, `socket` or `syslog`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the operator says about it.
    #[serde(default)]
    pub description: String,
    /// Its options as they were given.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Whether it is not replicated; always false where nothing is.
    #[serde(default)]
    pub local: bool,
}

impl DeviceConfig {
    /// Whether the device has a filter, and so may pass over entries.
    pub fn is_filtered(&self) -> bool {
        LineOptions::is_filtered(&self.options)
    }
}

/// Whose logs these are: what every line of this node is written with.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The node.
    pub node: NodeId,
    /// Signs checkpoints.
    pub key: Arc<SigningKey>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where the spools of devices are that have no `spool_path`.
    pub spools: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) config: DeviceConfig,
    pub(super) redaction: Redaction,
    pub(super) log: Log,
    /// Makes lines of another format out of recorded ones.
    framing: Option<Framing>,
    /// Which entries it takes, if not all.
    filter: Option<Filter>,
    /// Whether an operator took it out of use: requests in flight need no longer wait for it.
    pub(super) disabled: AtomicBool,
}

impl Device {
    /// Opens the device that `config` describes. Files are opened here: call it where waiting is allowed.
    pub(super) fn open(
        config: DeviceConfig,
        key: &AuditKey,
        recorded: Option<Link>,
        identity: &Identity,
    ) -> Result<Self> {
        match config.kind.as_str() {
            "file" => {
                let options = FileOptions::parse(&config.options)?;
                let sink = FileSink::open(&options).map_err(refused)?;
                Self::with_sink(config, options.lines, Box::new(sink), key, (recorded, identity))
            }
            kind => {
                let kind = RemoteKind::parse(kind).ok_or_else(|| {
                    Error::invalid("unknown backend type; the audit device types are: file, http, socket, syslog")
                })?;
                let options = RemoteOptions::parse(kind, &config.options)?;
                let sink = RemoteSink::open(&options, &config.path, identity).map_err(spool_refused)?;
                Self::with_sink(config, options.lines, Box::new(sink), key, (recorded, identity))
            }
        }
    }

    /// The same into a given sink.
    pub(super) fn with_sink(
        config: DeviceConfig,
        options: LineOptions,
        sink: Box<dyn Sink>,
        key: &AuditKey,
        (recorded, identity): (Option<Link>, &Identity),
    ) -> Result<Self> {
        let Identity { node, key: signer, clock, .. } = identity.clone();
        let LineOptions { format, prefix, filter, hmac_accessor, log_raw, checkpoint_interval } = options;
        let framing = format.framing();
        let chain = ChainWriter::new(node, &config.path, &prefix, signer, checkpoint_interval)
            .map_err(|error| refused(error.into()))?
            .framed(framing);
        let log = Log::open(sink, chain, clock, recorded).map_err(refused)?;
        let redaction = Redaction { hasher: Hasher::new(key), hmac_accessor, raw: log_raw };
        Ok(Self { config, redaction, log, framing, filter, disabled: AtomicBool::new(false) })
    }

    /// Whether the device has a filter.
    pub(super) fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether the device takes an entry.
    pub(super) fn takes(&self, facts: &FilterFacts<'_>) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.takes(facts, &self.config.path))
    }

    /// Queues a recorded line in the device's format; `framed` is room for it.
    pub(super) fn enqueue(&self, line: &[u8], framed: &mut SecretBytes) -> Ticket<'_> {
        let Some(framing) = self.framing else { return self.log.enqueue(line) };
        framed.clear();
        framing(line, framed);
        self.log.enqueue(framed)
    }
}

/// An operator's mistake more often than not: the sentence says which.
fn refused(error: SinkError) -> Error {
    let message = match &error {
        SinkError::InUse | SinkError::NoSpool | SinkError::Chain(_) => error.to_string(),
        SinkError::Io(io) if io.kind() == std::io::ErrorKind::PermissionDenied => {
            "sanity check failed; the audit device cannot be opened for writing: the server must have the permission to \
             write to the folder of file_path, and where the kernel confines the server the configuration must name that \
             folder (writable_paths of the block sandbox)"
                .to_owned()
        }
        SinkError::Closed | SinkError::Full | SinkError::Lost | SinkError::Io(_) => {
            "sanity check failed; the audit device cannot be opened for writing: check file_path and its permissions"
                .to_owned()
        }
    };
    Error::invalid(message).with_source(error)
}

/// The same for a spool.
fn spool_refused(error: SinkError) -> Error {
    let message = match &error {
        SinkError::InUse | SinkError::NoSpool | SinkError::Full | SinkError::Chain(_) => error.to_string(),
        SinkError::Closed | SinkError::Lost | SinkError::Io(_) => {
            "the spool of the audit device cannot be opened for writing: check spool_path and its permissions"
                .to_owned()
        }
    };
    Error::invalid(message).with_source(error)
}
