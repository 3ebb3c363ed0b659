//! `/v1/sys/loggers`: the level of the server's log. There is one log; a change lasts until the next start or SIGHUP.

mod change;
mod change_one;
mod list;
mod read;
mod reset;
mod reset_one;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::Routes;
use crate::error::{Error, Result};
use crate::vault::{LogLevel, Unsealed};

/// What the log is called.
const NAME: &str = "arca";

/// Adds what is below `sys/loggers`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ReadLoggers>()
        .endpoint::<change::ChangeLoggers>()
        .endpoint::<reset::ResetLoggers>()
        .endpoint::<read::ReadLogger>()
        .endpoint::<change_one::ChangeLogger>()
        .endpoint::<reset_one::ResetLogger>()
}

/// Which log.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct LoggerPath {
    name: String,
}

impl LoggerPath {
    /// Refuses a name that no log has.
    fn known(&self) -> Result<()> {
        if self.name == NAME { Ok(()) } else { Err(Error::invalid(format!("logger {:?} not found", self.name))) }
    }
}

/// A new level.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Change {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    level: Option<String>,
}

impl Change {
    fn make(self, unsealed: &Unsealed) -> Result<()> {
        let text = self.level.ok_or_else(|| Error::invalid("level is required"))?;
        if text.is_empty() {
            return Err(Error::invalid("level is empty"));
        }
        let level = LogLevel::parse(&text)
            .ok_or_else(|| Error::invalid("invalid level provided: use trace, debug, info, warn or error"))?;
        unsealed.core.settings().log.change(level);
        Ok(())
    }
}
