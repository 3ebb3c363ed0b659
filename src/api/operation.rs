//! What a request asks to be done.

use serde::{Deserialize, Serialize};

/// One of the public operations of the API. The set is closed: nothing else can come from outside.
///
/// Whether a `Write` creates or updates is decided when it is authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// `GET`, and `HEAD` where it is served.
    Read,
    /// `POST` and `PUT`, which are the same.
    Write,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
    /// `LIST`, or `GET` with `?list=true`.
    List,
    /// `SCAN`, or `GET` with `?scan=true`: a list that goes into the folders.
    Scan,
    /// `GET` with `?help=1`.
    Help,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Read, Self::Write, Self::Patch, Self::Delete, Self::List, Self::Scan, Self::Help];

    /// The word for it in logs, metrics and audit entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Scan => "scan",
            Self::Help => "help",
        }
    }

    /// Whether it names the contents of a folder, so that its path ends in a slash.
    pub const fn is_listing(self) -> bool {
        matches!(self, Self::List | Self::Scan)
    }
}
