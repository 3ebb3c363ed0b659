//! Devices whose lines go to another machine, by way of a spool.

mod given;
pub(super) mod line;
mod options;
pub(super) mod stream;
mod tls;

pub(super) use given::Given;
pub use given::RemoteOptionsError;
pub use options::{RemoteKind, RemoteOptions, RemoteTarget};
pub use tls::TlsFiles;
pub(super) use tls::text;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::audit::device::Identity;
use crate::audit::shipper::{Delivery, SETTLED, Shipper, Work};
use crate::audit::sink::{Sink, SinkError};
use crate::audit::spool::{Dropped, Room, Spool, SpoolWriter};
use crate::audit::state::Gauges;
use crate::chain::{Link, Recovered};
use crate::time::Timestamp;

/// The sink of a device whose lines go to another machine: they are in the spool, and are shipped in the background.
#[derive(Debug)]
pub struct RemoteSink {
    writer: SpoolWriter,
    shipper: Shipper,
    durable: bool,
}

impl RemoteSink {
    /// Opens the spool of the device at `path` and begins to ship what is in it. Has to be called within a runtime.
    pub fn open(options: &RemoteOptions, path: &str, identity: &Identity) -> Result<Self, SinkError> {
        let folder = match (&options.spool_path, &identity.spools) {
            (Some(folder), _) => folder.clone(),
            (None, Some(spools)) => folder(spools, path),
            (None, None) => return Err(SinkError::NoSpool),
        };
        let (writer, cursor) = Spool::open(&folder, options.bounds.clone(), Arc::default())?;
        let work = Work {
            device: path.to_owned(),
            spool: writer.spool().clone(),
            cursor,
            delivery: delivery(options, path, identity),
            settled: SETTLED,
            clock: identity.clock.clone(),
            entropy: identity.entropy.clone(),
        };
        Ok(Self { writer, shipper: Shipper::start(work), durable: options.bounds.durable })
    }
}

impl Sink for RemoteSink {
    fn append(&mut self, lines: &[u8]) -> Result<(), SinkError> {
        Ok(self.writer.append(lines)?)
    }

    fn recover(&mut self) -> Result<Recovered, SinkError> {
        Ok(self.writer.recover()?)
    }

    /// The spool stays; the connection is made anew, with certificates as they are now.
    fn reopen(&mut self) -> Result<(), SinkError> {
        self.shipper.reconnect();
        Ok(())
    }

    fn waits(&self) -> bool {
        self.durable
    }

    fn room(&mut self, bytes: usize) -> Room {
        self.writer.room(bytes)
    }

    fn drop_entries(&mut self, entries: u64, after: Link, now: Timestamp) -> Result<(), SinkError> {
        Ok(self.writer.drop_entries(entries, after, now)?)
    }

    fn dropped(&self) -> Option<Dropped> {
        self.writer.dropped()
    }

    fn dropped_is_told(&mut self) {
        self.writer.dropped_is_told();
    }

    fn close(&mut self) {
        self.shipper.finish();
    }

    fn gauges(&self) -> Option<Arc<Gauges>> {
        Some(self.writer.spool().gauges().clone())
    }
}

fn delivery(options: &RemoteOptions, path: &str, identity: &Identity) -> Box<dyn Delivery> {
    match &options.target {
        RemoteTarget::Syslog(syslog) => syslog.delivery(identity),
        RemoteTarget::Socket(socket) => socket.delivery(),
        RemoteTarget::Http(http) => http.delivery(path, identity),
    }
}

/// The spool of the device at `path`: one folder for each, whatever characters the path has.
fn folder(spools: &Path, path: &str) -> PathBuf {
    spools.join(utf8_percent_encode(path.trim_matches('/'), IN_A_NAME).to_string())
}

/// A name is never `.` or `..`: a dot is encoded too.
const IN_A_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{NodeId, SigningKey};
    use crate::entropy::SeededEntropy;
    use crate::time::ManualClock;

    #[tokio::test]
    async fn a_collector_of_http_alone_says_that_it_has_the_lines() {
        let pkcs8 = SigningKey::generate(&SeededEntropy::new(1)).unwrap();
        let identity = Identity {
            node: NodeId::new("n1").unwrap(),
            key: Arc::new(SigningKey::from_pkcs8(&pkcs8).unwrap()),
            clock: Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_700_000_000))),
            entropy: Arc::new(SeededEntropy::new(2)),
            spools: None,
        };
        for (kind, option, place, is_acknowledged) in [
            (RemoteKind::Http, "url", "https://siem.example/lines", true),
            (RemoteKind::Socket, "address", "siem.example:1514", false),
            (RemoteKind::Syslog, "address", "tcp://siem.example:601", false),
            (RemoteKind::Syslog, "address", "udp://siem.example:514", false),
        ] {
            let options = [(option.to_owned(), place.to_owned())].into_iter().collect();
            let options = RemoteOptions::parse(kind, &options).unwrap();
            assert_eq!(delivery(&options, "siem/", &identity).is_acknowledged(), is_acknowledged, "{place}");
        }
    }

    #[test]
    fn each_device_has_a_folder_of_its_own() {
        let of = |path| folder(Path::new("/spools"), path).display().to_string();
        assert_eq!(of("siem/"), "/spools/siem");
        assert_eq!(of("a/b/"), "/spools/a%2Fb");
        assert_eq!(of("../x/"), "/spools/%2E%2E%2Fx");
    }
}
