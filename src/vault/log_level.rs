//! The level of the server's log, which operators change while it runs.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What an operator wants to know.
    #[default]
    Info,
    /// What an operator should look at.
    Warn,
    /// What is broken.
    Error,
}

impl LogLevel {
    /// The level of that name, in any case and with its other spellings.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" | "notice" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "error" | "err" => Self::Error,
            _ => return None,
        })
    }

    /// Its name.
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

/// The level as it is, and what makes a change of it take effect.
pub struct LogControl {
    configured: LogLevel,
    present: Mutex<LogLevel>,
    apply: Box<dyn Fn(LogLevel) + Send + Sync>,
}

impl LogControl {
    /// A log of the level that is configured; `apply` is called with each new one.
    pub fn new(configured: LogLevel, apply: impl Fn(LogLevel) + Send + Sync + 'static) -> Self {
        Self { configured, present: Mutex::new(configured), apply: Box::new(apply) }
    }

    /// The level.
    pub fn level(&self) -> LogLevel {
        *self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the level until the next start, or the next [`Self::reset`].
    pub fn change(&self, level: LogLevel) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        *present = level;
        (self.apply)(level);
    }

    /// Goes back to the configured level.
    pub fn reset(&self) {
        self.change(self.configured);
    }
}

impl Default for LogControl {
    fn default() -> Self {
        Self::new(LogLevel::default(), |_| {})
    }
}

impl fmt::Debug for LogControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogControl").field("level", &self.level()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_change_takes_effect_and_can_be_taken_back() {
        let applied = Arc::new(Mutex::new(Vec::new()));
        let seen = applied.clone();
        let log = LogControl::new(LogLevel::Warn, move |level| seen.lock().unwrap().push(level));
        log.change(LogLevel::Trace);
        assert_eq!(log.level(), LogLevel::Trace);
        log.reset();
        assert_eq!((log.level(), &*applied.lock().unwrap()), (LogLevel::Warn, &vec![LogLevel::Trace, LogLevel::Warn]));
    }

    #[test]
    fn names() {
        for (text, level) in [("WARN", LogLevel::Warn), (" notice", LogLevel::Info), ("err", LogLevel::Error)] {
            assert_eq!(LogLevel::parse(text), Some(level));
            assert_eq!(LogLevel::parse(level.as_str()), Some(level));
        }
        assert!(LogLevel::parse("").is_none() && LogLevel::parse("off").is_none());
    }
}
