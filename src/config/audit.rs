//! `audit "file" "main"`: where the audit log goes.

use std::collections::BTreeMap;

use crate::audit::sinks::{FileOptions, LineOptions, RemoteKind, RemoteOptions};

use super::error::{ConfigError, Place, Warning};
use super::section::Initial::Unset;
use super::section::section;
use super::source::Stanza;

/// An audit device that the file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditDevice {
    /// Its name, without slashes at its ends.
    pub path: String,
    /// What it is.
    pub kind: AuditKind,
    /// What people say it is for.
    pub description: String,
    /// Its settings, which the kind of device knows how to read.
    pub options: BTreeMap<String, String>,
    /// Where the file declares it, for messages about its options.
    pub place: Place,
}

/// The kinds of audit devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// Lines in a file.
    File,
    /// Requests to a collector.
    Http,
    /// Lines in a stream.
    Socket,
    /// Messages to a syslog server.
    Syslog,
}

section! {
    /// An audit device as the file has it. Its settings are in its `options` block.
    RawAudit {
        /// What it is for.
        description: Option<String> = Unset("\"what this log is for\""),
    }
    blocks &["options"];
    ignored &["local"];
}

impl AuditDevice {
    pub(super) fn read(stanza: &Stanza<'_>, warnings: &mut Vec<Warning>) -> Result<Self, ConfigError> {
        let kind = match stanza.label(0) {
            "file" => AuditKind::File,
            "http" => AuditKind::Http,
            "socket" => AuditKind::Socket,
            "syslog" => AuditKind::Syslog,
            _ => {
                return Err(
                    stanza.error("this kind of audit device is not supported; use file, http, socket or syslog")
                );
            }
        };
        let path = stanza.label(1).trim_matches('/').to_owned();
        if path.is_empty() {
            return Err(stanza.error("an audit device needs a name, as in audit \"file\" \"main\" { … }"));
        }
        let raw = RawAudit::read(&stanza.entries(), warnings)?;
        let mut options = BTreeMap::new();
        for block in stanza.stanzas("options")? {
            for entry in block.entries() {
                let value = entry.item.value();
                let text = value.as_scalar().filter(|_| entry.item.labels().is_empty());
                let place = entry.place(value.position);
                let text = text.ok_or_else(|| ConfigError::at(&place, "an option of an audit device is text"))?;
                options.insert(entry.item.name().to_owned(), text.into_owned());
            }
        }
        if kind == AuditKind::File && !options.contains_key("file_path") {
            return Err(stanza.error("an audit file needs options { file_path = \"…\" }"));
        }
        let checked = match kind.remote() {
            None => FileOptions::parse(&options).err().map(|error| error.to_string()),
            Some(remote) => RemoteOptions::parse(remote, &options).err().map(|error| error.to_string()),
        };
        if let Some(wrong) = checked {
            return Err(stanza.error(wrong));
        }
        let place = stanza.place.clone();
        Ok(Self { path, kind, description: raw.description.unwrap_or_default(), options, place })
    }
}

impl AuditDevice {
    /// Whether it takes some entries only.
    pub(super) fn is_filtered(&self) -> bool {
        LineOptions::is_filtered(&self.options)
    }
}

impl AuditKind {
    /// The word for it in the file and in `sys/audit`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Http => "http",
            Self::Socket => "socket",
            Self::Syslog => "syslog",
        }
    }

    /// The kind of device whose lines go to another machine.
    fn remote(self) -> Option<RemoteKind> {
        match self {
            Self::File => None,
            Self::Http => Some(RemoteKind::Http),
            Self::Socket => Some(RemoteKind::Socket),
            Self::Syslog => Some(RemoteKind::Syslog),
        }
    }
}
