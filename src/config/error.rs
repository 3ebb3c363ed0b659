//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::hcl::Position;

/// A file, and a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The line and column.
    pub position: Position,
}

/// Why a configuration cannot be used. Names file, line and key, never a value.
#[derive(Debug)]
pub struct ConfigError {
    place: Option<Place>,
    message: String,
    source: Option<std::io::Error>,
}

/// Something in a configuration that does not do what its author may think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What.
    pub message: String,
}

impl ConfigError {
    /// An error about the configuration as a whole.
    pub(super) fn general(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into(), source: None }
    }

    /// An error at a place.
    pub(super) fn at(place: &Place, message: impl Into<String>) -> Self {
        Self { place: Some(place.clone()), message: message.into(), source: None }
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        let message = format!("cannot read {}; check that it exists and who may read it", path.display());
        Self { place: None, message, source: Some(source) }
    }

    /// Where the error is, unless it is about the configuration as a whole.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.position)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}
