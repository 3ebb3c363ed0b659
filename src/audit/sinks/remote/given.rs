//! Reads the options of a device whose lines go to another machine.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::api::{LooseBool, Ttl};
use crate::audit::sinks::OptionsError;
use crate::error::Error;

/// Why the options of such a device were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteOptionsError {
    /// An option that has to be there is not.
    #[error("{0} is required")]
    Missing(&'static str),
    /// The value of an option is none that it can have.
    #[error("{0} must be {1}")]
    Must(&'static str, &'static str),
    /// An option that is not known: it might be one that protects, misspelt.
    #[error("unknown option {0:?}; see docs/audit-sinks.md for those of this type")]
    Unknown(String),
    /// An option of the lines themselves.
    #[error(transparent)]
    Lines(#[from] OptionsError),
}

impl From<RemoteOptionsError> for Error {
    fn from(error: RemoteOptionsError) -> Self {
        Self::invalid(error.to_string())
    }
}

type Result<T> = std::result::Result<T, RemoteOptionsError>;

/// Options as they were given. An empty text is as good as none.
#[derive(Clone, Copy, Debug)]
pub(in crate::audit::sinks) struct Given<'a>(pub(in crate::audit::sinks) &'a BTreeMap<String, String>);

impl<'a> Given<'a> {
    pub(in crate::audit::sinks) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(in crate::audit::sinks) fn required(self, name: &'static str) -> Result<&'a str> {
        self.text(name).ok_or(RemoteOptionsError::Missing(name))
    }

    pub(in crate::audit::sinks) fn path(self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    pub(in crate::audit::sinks) fn flag(self, name: &'static str) -> Result<bool> {
        let Some(text) = self.text(name) else { return Ok(false) };
        LooseBool::parse(text).map(|flag| flag.0).ok_or(RemoteOptionsError::Must(name, "true or false"))
    }

    /// A number of bytes within `range`, of which `must` is the description.
    pub(in crate::audit::sinks) fn bytes(
        self,
        name: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
        must: &'static str,
    ) -> Result<u64> {
        let number = self.text(name).map_or(Ok(default), str::parse);
        number.ok().filter(|number| range.contains(number)).ok_or(RemoteOptionsError::Must(name, must))
    }

    /// A time from one second to five minutes.
    pub(in crate::audit::sinks) fn time(self, name: &'static str, default: Duration) -> Result<Duration> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let time = Ttl::parse(text).ok().map(|ttl| Duration::from_secs(ttl.seconds()));
        time.filter(|time| (Duration::from_secs(1)..=Duration::from_mins(5)).contains(time))
            .ok_or(RemoteOptionsError::Must(name, "a time from 1s to 5m, such as 10s"))
    }
}
