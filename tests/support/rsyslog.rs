//! rsyslog for tests: its own folder, its own port, gone when it is dropped.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::eventually;

/// How it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inlet {
    /// TLS with certificates on both sides (RFC 5425).
    Tls,
    /// Datagrams over UDP, and over a socket of this machine.
    Datagrams,
}

/// A syslog server that writes what it gets into a file.
pub(crate) struct Rsyslog {
    folder: PathBuf,
    inlet: Inlet,
    child: Option<Child>,
    /// Its port.
    pub(crate) port: u16,
}

impl Rsyslog {
    /// Starts one that works in `folder`, where its certificate `server.pem`, its key `server-key.pem` and the authority
    /// of its clients `ca.pem` are.
    pub(crate) fn start(folder: &Path, inlet: Inlet) -> Self {
        let port = match inlet {
            Inlet::Tls => TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
            Inlet::Datagrams => UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
        };
        let mut server = Self { folder: folder.to_owned(), inlet, child: None, port };
        fs::write(folder.join("rsyslog.conf"), server.config()).unwrap();
        server.resume();
        server
    }

    /// Starts it again after [`Rsyslog::kill`].
    pub(crate) fn resume(&mut self) {
        let child = Command::new(program())
            .arg("-n")
            .arg("-iNONE")
            .arg("-f")
            .arg(self.folder.join("rsyslog.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.join("rsyslog.err")).unwrap())
            .spawn()
            .expect("rsyslogd");
        self.child = Some(child);
        let (port, socket) = (self.port, self.socket());
        eventually("rsyslog listens", || match self.inlet {
            Inlet::Tls => TcpStream::connect(("127.0.0.1", port)).ok().map(drop),
            Inlet::Datagrams => (socket.exists() && UdpSocket::bind(("127.0.0.1", port)).is_err()).then_some(()),
        });
    }

    /// Ends it at once, as `kill -9` does: what it has not written yet is lost.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_file(self.socket());
    }

    /// Its socket for processes of this machine.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("log.socket")
    }

    /// What it has written: facility, severity, application, and message, with a blank between them.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("received.log")).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(str::to_owned).collect()
    }

    fn config(&self) -> String {
        let folder = self.folder.display();
        let port = self.port;
        let inlet = match self.inlet {
            Inlet::Tls => format!(
                "module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" \
                 StreamDriver.AuthMode=\"x509/certvalid\")\n\
                 input(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")\n"
            ),
            Inlet::Datagrams => format!(
                "module(load=\"imudp\")\ninput(type=\"imudp\" port=\"{port}\" address=\"127.0.0.1\")\n\
                 module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
                 input(type=\"imuxsock\" Socket=\"{}\" UseSpecialParser=\"off\" RateLimit.Interval=\"0\")\n",
                self.socket().display()
            ),
        };
        format!(
            "global(workDirectory=\"{folder}\" maxMessageSize=\"256k\" defaultNetstreamDriver=\"gtls\" \
             defaultNetstreamDriverCAFile=\"{folder}/ca.pem\" defaultNetstreamDriverCertFile=\"{folder}/server.pem\" \
             defaultNetstreamDriverKeyFile=\"{folder}/server-key.pem\")\n\
             {inlet}\
             template(name=\"received\" type=\"string\" \
             string=\"%syslogfacility-text% %syslogseverity-text% %app-name% %msg%\\n\")\n\
             action(type=\"omfile\" file=\"{folder}/received.log\" template=\"received\")\n"
        )
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> PathBuf {
    let found = ["/usr/sbin/rsyslogd", "/usr/bin/rsyslogd", "/sbin/rsyslogd"].map(PathBuf::from);
    match found.into_iter().find(|path| path.exists()) {
        Some(path) => path,
        None => panic!("these tests need rsyslogd; install the packages `rsyslog` and `rsyslog-gnutls`"),
    }
}
