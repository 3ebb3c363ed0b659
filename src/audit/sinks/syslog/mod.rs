//! `syslog`: lines as messages to a syslog server (RFC 5424), over UDP, TCP, TLS or a socket of this machine.

mod datagram;
mod message;

use std::path::PathBuf;
use std::time::Duration;

use crate::audit::device::Identity;
use crate::audit::shipper::Delivery;
use crate::outbound::{Authority, Peer};

use super::remote::stream::StreamDelivery;
use super::remote::{Given, RemoteOptionsError, TlsFiles};

use datagram::{DatagramDelivery, Mailbox};
use message::{Messages, OctetCounting};

/// The options of a device of the type `syslog`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogOptions {
    /// `address`: the server.
    pub server: SyslogServer,
    /// `facility`: the part of the system that the messages say they are from; the default is `AUTH`.
    pub facility: Facility,
    /// `tag`: the application that they say they are from (`APP-NAME`); the default is `arca`.
    pub tag: String,
    /// `write_timeout`: how long the server may take to take a batch; the default is 10 seconds.
    pub write_timeout: Duration,
    /// What a connection with TLS goes by.
    pub tls: TlsFiles,
}

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogServer {
    /// `udp://host:port` (RFC 5426). Messages may get lost without anyone knowing.
    Udp(Authority),
    /// `tcp://host:port`, octet-counted (RFC 6587), or `tls://host:port` (RFC 5425).
    Stream(Peer),
    /// `unix:///path`: a datagram socket of this machine.
    Unix(PathBuf),
}

/// A facility (RFC 5424, section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

impl Facility {
    /// Reads its name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.to_ascii_uppercase();
        let code = NAMES.iter().position(|known| *known == name)?;
        u8::try_from(code).ok().map(Self)
    }

    pub(super) const fn code(self) -> u8 {
        self.0
    }
}

impl SyslogOptions {
    pub(super) const NAMES: &[&str] = &[
        "address",
        "facility",
        "tag",
        "write_timeout",
        "ca_file",
        "client_cert_file",
        "client_key_file",
        "server_name",
    ];

    pub(super) fn parse(given: Given<'_>) -> Result<Self, RemoteOptionsError> {
        let server = server(given.text("address").unwrap_or("unix:///dev/log"))?;
        let facility = Facility::parse(given.text("facility").unwrap_or("AUTH"))
            .ok_or(RemoteOptionsError::Must("facility", "the name of a syslog facility, such as AUTH or LOCAL0"))?;
        let tag = given.text("tag").unwrap_or("arca").to_owned();
        if tag.len() > 48 || !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RemoteOptionsError::Must("tag", "1 to 48 printable characters without blanks"));
        }
        let tls = TlsFiles::parse(given)?;
        if tls.are_set() && !matches!(server, SyslogServer::Stream(Peer::Tls(_))) {
            return Err(RemoteOptionsError::Must("address", "tls://host:port where there are options of TLS"));
        }
        let write_timeout = given.time("write_timeout", Duration::from_secs(10))?;
        Ok(Self { server, facility, tag, write_timeout, tls })
    }

    pub(super) fn delivery(&self, identity: &Identity) -> Box<dyn Delivery> {
        let Self { server, facility, tag, write_timeout, tls } = self.clone();
        let messages = Messages::new(facility, &tag, &host(), identity.clock.clone());
        let datagrams = |to, messages| Box::new(DatagramDelivery { to, messages, socket: None });
        match server {
            SyslogServer::Udp(authority) => datagrams(Mailbox::Udp(authority), messages),
            SyslogServer::Unix(path) => datagrams(Mailbox::Unix(path), messages),
            SyslogServer::Stream(peer) => {
                let framing = OctetCounting(messages);
                Box::new(StreamDelivery { peer, tls, write_timeout, framing, stream: None })
            }
        }
    }
}

fn server(address: &str) -> Result<SyslogServer, RemoteOptionsError> {
    let wrong =
        || RemoteOptionsError::Must("address", "udp://host:port, tcp://host:port, tls://host:port or unix:///path");
    let (scheme, rest) = address.split_once("://").ok_or_else(wrong)?;
    let authority = || Authority::parse(rest).map_err(|_| wrong());
    match scheme {
        "udp" => Ok(SyslogServer::Udp(authority()?)),
        "tcp" => Ok(SyslogServer::Stream(Peer::Tcp(authority()?))),
        "tls" => Ok(SyslogServer::Stream(Peer::Tls(authority()?))),
        "unix" if rest.starts_with('/') => Ok(SyslogServer::Unix(rest.into())),
        _ => Err(wrong()),
    }
}

/// The name of this machine, as its kernel has it; `-` where that is not to be had (RFC 5424, section 6.2.4).
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let fits = !name.is_empty() && name.len() <= 255 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { name.to_owned() } else { "-".to_owned() }
}

/// The facilities, by their codes.
const NAMES: [&str; 24] = [
    "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP", "NTP",
    "AUDIT", "ALERT", "CLOCK", "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn parse(options: &[(&str, &str)]) -> Result<SyslogOptions, RemoteOptionsError> {
        let options: BTreeMap<String, String> =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        SyslogOptions::parse(Given(&options))
    }

    #[test]
    fn the_defaults_are_those_of_the_peer() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.server, SyslogServer::Unix("/dev/log".into()));
        assert_eq!((options.facility.code(), options.tag.as_str()), (4, "arca"));
        assert_eq!(parse(&[("facility", "local7")]).unwrap().facility.code(), 23);
    }

    #[test]
    fn mistakes_are_named() {
        for (name, value) in [
            ("address", "siem:514"),
            ("address", "udp://siem"),
            ("address", "http://siem:514"),
            ("address", "unix://dev/log"),
            ("facility", "nope"),
            ("tag", "a b"),
            ("write_timeout", "0"),
        ] {
            let error = parse(&[(name, value)]).unwrap_err();
            assert!(matches!(error, RemoteOptionsError::Must(named, _) if named == name), "{name}={value}: {error}");
        }
        let files = [("address", "tls://siem:6514"), ("client_cert_file", "/c")];
        assert_eq!(parse(&files), Err(RemoteOptionsError::Missing("client_key_file")));
        assert!(parse(&[("address", "tcp://siem:514"), ("ca_file", "/ca")]).is_err());
    }
}
