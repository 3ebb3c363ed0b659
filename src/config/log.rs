//! `log_level`, `log_format`, `log_file`: the operational log.

use std::path::PathBuf;

use super::value::Setting;
use crate::hcl::Value;

/// The operational log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What is worth a line.
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
    /// Where lines go; nothing is standard error.
    pub file: Option<PathBuf>,
}

/// What is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What an operator wants to know.
    Info,
    /// What an operator should look at.
    Warn,
    /// What is broken.
    Error,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Standard,
    /// For machines.
    Json,
}

impl LogLevel {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl LogFormat {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Json => "json",
        }
    }
}

impl Setting for LogLevel {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.as_text().unwrap_or_default().to_ascii_lowercase().as_str() {
            "trace" => Ok(Self::Trace),
            "debug" => Ok(Self::Debug),
            "" | "info" | "notice" => Ok(Self::Info),
            "warn" | "warning" => Ok(Self::Warn),
            "err" | "error" => Ok(Self::Error),
            _ => Err("expected \"trace\", \"debug\", \"info\", \"warn\" or \"error\""),
        }
    }
}

impl Setting for LogFormat {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.as_text() {
            Some("" | "standard" | "text") => Ok(Self::Standard),
            Some("json") => Ok(Self::Json),
            _ => Err("expected \"standard\" or \"json\""),
        }
    }
}
