//! The operational log: what happens to the server, never what is asked of it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat, LogLevel};

/// The log of this process.
pub(super) struct Logging {
    level: LogLevel,
    handle: reload::Handle<LevelFilter, Registry>,
}

/// Begins to log.
pub(super) fn start(log: &Log) -> io::Result<Logging> {
    let (filter, handle) = reload::Layer::new(filter(log.level));
    let writer = match &log.file {
        None => BoxMakeWriter::new(io::stderr),
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            BoxMakeWriter::new(Mutex::new(Arc::new(file)))
        }
    };
    let layer = fmt::layer().with_target(false).with_ansi(false).with_writer(writer);
    let layer = match log.format {
        LogFormat::Standard => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    tracing_subscriber::registry().with(filter).with(layer).try_init().map_err(io::Error::other)?;
    Ok(Logging { level: log.level, handle })
}

impl Logging {
    /// Goes back to the configured level.
    pub(super) fn reload(&self) {
        if let Err(error) = self.handle.reload(filter(self.level)) {
            tracing::error!(%error, "the log's level could not be changed");
        }
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}
