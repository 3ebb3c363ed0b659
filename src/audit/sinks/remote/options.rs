//! The options of a device whose lines go to another machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::audit::sinks::http::HttpOptions;
use crate::audit::sinks::socket::SocketOptions;
use crate::audit::sinks::syslog::SyslogOptions;
use crate::audit::sinks::{LineOptions, OptionsError};
use crate::audit::spool::{Bounds, WhenFull};

use super::RemoteOptionsError;
use super::given::Given;

/// The options of a device whose lines go to another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteOptions {
    /// What the lines are like.
    pub lines: LineOptions,
    /// `spool_path`: the folder of the spool.
    pub spool_path: Option<PathBuf>,
    /// `spool_max_bytes`, `spool_full` and `sync`.
    pub bounds: Bounds,
    /// Where the lines go.
    pub target: RemoteTarget,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteTarget {
    /// To a syslog server.
    Syslog(SyslogOptions),
    /// Into a stream.
    Socket(SocketOptions),
    /// To a collector that is asked over HTTP.
    Http(HttpOptions),
}

/// The types of such devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteKind {
    /// `syslog`.
    Syslog,
    /// `socket`.
    Socket,
    /// `http`.
    Http,
}

impl RemoteKind {
    /// Reads the name of a type; nothing for one of another device.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "syslog" => Some(Self::Syslog),
            "socket" => Some(Self::Socket),
            "http" => Some(Self::Http),
            _ => None,
        }
    }
}

impl RemoteOptions {
    /// Reads the options as `sys/audit` and the configuration have them.
    pub fn parse(kind: RemoteKind, options: &BTreeMap<String, String>) -> Result<Self, RemoteOptionsError> {
        let given = Given(options);
        let (target, own) = match kind {
            RemoteKind::Syslog => (RemoteTarget::Syslog(SyslogOptions::parse(given)?), SyslogOptions::NAMES),
            RemoteKind::Socket => (RemoteTarget::Socket(SocketOptions::parse(given)?), SocketOptions::NAMES),
            RemoteKind::Http => (RemoteTarget::Http(HttpOptions::parse(given)?), HttpOptions::NAMES),
        };
        check_names(options, own)?;
        let must = "a number of bytes from 1048576 to 1099511627776";
        let bounds = Bounds {
            max_bytes: given.bytes("spool_max_bytes", 1 << 30, 1 << 20..=1 << 40, must)?,
            full: match given.text("spool_full") {
                None | Some("block") => WhenFull::Block,
                Some("drop") => WhenFull::Drop,
                Some(_) => return Err(RemoteOptionsError::Must("spool_full", "\"block\" or \"drop\"")),
            },
            durable: match given.text("sync") {
                None | Some("os") => false,
                Some("always") => true,
                Some(_) => return Err(OptionsError::Sync.into()),
            },
        };
        let spool_path = given.path("spool_path");
        if spool_path.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err(RemoteOptionsError::Must("spool_path", "an absolute path"));
        }
        Ok(Self { lines: LineOptions::parse(options)?, spool_path, bounds, target })
    }
}

/// Refuses an option that neither a device of this type nor every device has.
fn check_names(options: &BTreeMap<String, String>, own: &[&str]) -> Result<(), RemoteOptionsError> {
    let known = |name: &str| own.contains(&name) || SPOOL.contains(&name) || LineOptions::NAMES.contains(&name);
    match options.keys().find(|name| !known(name)) {
        Some(unknown) => Err(RemoteOptionsError::Unknown(unknown.clone())),
        None => Ok(()),
    }
}

const SPOOL: [&str; 4] = ["spool_path", "spool_max_bytes", "spool_full", "sync"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: RemoteKind, options: &[(&str, &str)]) -> Result<RemoteOptions, RemoteOptionsError> {
        let owned = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        RemoteOptions::parse(kind, &owned.collect())
    }

    #[test]
    fn the_spool_has_defaults() {
        let options = parse(RemoteKind::Socket, &[("address", "siem:1")]).unwrap();
        assert_eq!(options.bounds, Bounds { max_bytes: 1 << 30, full: WhenFull::Block, durable: false });
        assert_eq!(options.spool_path, None);
        let more =
            [("address", "siem:1"), ("spool_full", "drop"), ("spool_path", "/s"), ("sync", "always"), ("log_raw", "1")];
        let options = parse(RemoteKind::Socket, &more).unwrap();
        assert_eq!(options.bounds, Bounds { max_bytes: 1 << 30, full: WhenFull::Drop, durable: true });
        assert_eq!((options.spool_path, options.lines.log_raw), (Some("/s".into()), true));
    }

    #[test]
    fn mistakes_are_named() {
        let with = |name, value| parse(RemoteKind::Socket, &[("address", "siem:1"), (name, value)]).unwrap_err();
        for (name, value) in [
            ("spool_max_bytes", "7"),
            ("spool_max_bytes", "x"),
            ("spool_full", "wait"),
            ("spool_path", "relative"),
            ("socket_type", "raw"),
            ("write_timeout", "soon"),
        ] {
            assert!(matches!(with(name, value), RemoteOptionsError::Must(named, _) if named == name), "{name}");
        }
        for unknown in ["file_path", "mode", "spool_maxbytes", "url", "facility", "tokenfile"] {
            assert_eq!(with(unknown, "x"), RemoteOptionsError::Unknown(unknown.to_owned()));
        }
        assert_eq!(with("sync", "x"), RemoteOptionsError::Lines(OptionsError::Sync));
        for (kind, option) in [(RemoteKind::Socket, "address"), (RemoteKind::Http, "url")] {
            assert_eq!(parse(kind, &[]), Err(RemoteOptionsError::Missing(option)));
        }
    }
}
