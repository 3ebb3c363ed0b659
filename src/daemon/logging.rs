//! The operational log: what happens to the server, never what is asked of it.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, reload};

use crate::config::{Log, LogFormat};
use crate::vault::{LogControl, LogLevel};

use super::{Failure, files};

/// Begins to log.
pub(super) fn start(log: &Log) -> Result<Arc<LogControl>, Failure> {
    let level = LogLevel::parse(log.level.as_str()).unwrap_or_default();
    let (layer_filter, handle) = reload::Layer::new(filter(level));
    let writer = match &log.file {
        None => BoxMakeWriter::new(io::stderr),
        Some(path) => BoxMakeWriter::new(Mutex::new(Arc::new(files::append("log_file", path)?))),
    };
    let layer = fmt::layer().with_target(false).with_ansi(false).with_writer(writer);
    let layer = match log.format {
        LogFormat::Standard => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    tracing_subscriber::registry().with(layer_filter).with(layer).try_init()?;
    Ok(Arc::new(LogControl::new(level, move |level| {
        if let Err(error) = handle.reload(filter(level)) {
            tracing::error!(%error, "the log's level could not be changed");
        }
    })))
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
