//! `Device`: a log with its own hash key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::chain::{ChainWriter, Link, NodeId, SigningKey};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::AuditKey;
use crate::time::Clock;

use super::draft::Redaction;
use super::log::Log;
use super::redact::Hasher;
use super::sink::{Sink, SinkError};
use super::sinks::{FileOptions, FileSink, RemoteKind, RemoteOptions, RemoteSink};

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
                Self::with_sink(config, &options, Box::new(sink), key, (recorded, identity))
            }
            kind => {
                let kind = RemoteKind::parse(kind).ok_or_else(|| {
                    Error::invalid("unknown backend type; the audit device types are: file, http, socket, syslog")
                })?;
                let options = RemoteOptions::parse(kind, &config.options)?;
                let sink = RemoteSink::open(&options, &config.path, identity).map_err(spool_refused)?;
                Self::with_sink(config, &options.lines, Box::new(sink), key, (recorded, identity))
            }
        }
    }

    /// The same into a given sink.
    pub(super) fn with_sink(
        config: DeviceConfig,
        options: &FileOptions,
        sink: Box<dyn Sink>,
        key: &AuditKey,
        (recorded, identity): (Option<Link>, &Identity),
    ) -> Result<Self> {
        let Identity { node, key: signer, clock, .. } = identity.clone();
        let chain = ChainWriter::new(node, &config.path, &options.prefix, signer, options.checkpoint_interval)
            .map_err(|error| refused(error.into()))?;
        let log = Log::open(sink, chain, clock, recorded).map_err(refused)?;
        let redaction =
            Redaction { hasher: Hasher::new(key), hmac_accessor: options.hmac_accessor, raw: options.log_raw };
        Ok(Self { config, redaction, log, disabled: AtomicBool::new(false) })
    }
}

/// An operator's mistake more often than not: the sentence says which.
fn refused(error: SinkError) -> Error {
    let message = match &error {
        SinkError::InUse | SinkError::NoSpool | SinkError::Chain(_) => error.to_string(),
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
