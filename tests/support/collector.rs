//! Collectors of audit lines for tests: over HTTP, and over a plain connection, with TLS or without. They take lines, or do
//! worse.

mod intake;
mod wire;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::ServerConfig;

use intake::{Intake, Request};
use wire::Wire;

pub(crate) use intake::Api;

/// What a collector does with a request instead of taking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Says that it cannot take it now: the status, and after how many seconds it can.
    Refuses(u16, Option<u32>),
    /// Hangs up without an answer.
    HangsUp,
    /// Takes it, and hangs up before it has said so.
    TakesAndHangsUp,
    /// Takes it after this many milliseconds.
    Delays(u64),
    /// A bulk API's: answers for the first documents with these statuses, does not take those that are no success, and takes
    /// what comes behind.
    TakesPartly(&'static [u16]),
}

/// What a collector listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Http(Api),
    Lines,
}

/// A collector. It keeps its port, and what it has, when it is stopped and resumed.
pub(crate) struct Collector {
    speaks: Speaks,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    intake: Mutex<Intake>,
    script: Mutex<VecDeque<Does>>,
    requests: Mutex<Vec<String>>,
    stopped: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Collector {
    /// One that takes NDJSON over HTTP. What is in `script` it does with the first requests.
    pub(crate) fn http(script: &[Does]) -> Self {
        Self::new(Speaks::Http(Api::Webhook), None, script)
    }

    /// One that speaks the HTTP API of a product.
    pub(crate) fn product(api: Api, script: &[Does]) -> Self {
        Self::new(Speaks::Http(api), None, script)
    }

    /// The same over TLS, for clients that show a certificate: the server's certificate, its key and the authority of its
    /// clients are in `folder`.
    pub(crate) fn product_over_tls(api: Api, folder: &Path, script: &[Does]) -> Self {
        Self::new(Speaks::Http(api), Some(wire::server(folder)), script)
    }

    /// One that takes lines over a connection.
    pub(crate) fn lines() -> Self {
        Self::new(Speaks::Lines, None, &[])
    }

    /// The same over TLS, as with [`Collector::product_over_tls`].
    pub(crate) fn lines_over_tls(folder: &Path) -> Self {
        Self::new(Speaks::Lines, Some(wire::server(folder)), &[])
    }

    fn new(speaks: Speaks, tls: Option<Arc<ServerConfig>>, script: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Mutex::new(script.iter().copied().collect()), ..Shared::default() });
        let mut collector = Self { speaks, address, tls, shared, accepting: None };
        collector.accept(listener);
        collector
    }

    /// What it has taken, one line after the other.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.shared.intake.lock().unwrap().lines.clone()
    }

    /// How many documents were there already when they came again.
    pub(crate) fn known_already(&self) -> usize {
        self.shared.intake.lock().unwrap().known_already
    }

    /// What is wrong with requests that came, by the rules of its API.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.shared.intake.lock().unwrap().faults.clone()
    }

    /// Whether all of its script was played.
    pub(crate) fn has_played(&self) -> bool {
        self.shared.script.lock().unwrap().is_empty()
    }

    /// The heads of the requests that came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Ends all connections, and makes no new ones until it is resumed.
    pub(crate) fn stop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Someone has to knock for it to look up.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
        self.hang_up();
    }

    /// Ends all connections.
    pub(crate) fn hang_up(&self) {
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Listens again.
    pub(crate) fn resume(&mut self) {
        self.shared.stopped.store(false, Ordering::SeqCst);
        let listener = super::eventually("the port is free", || TcpListener::bind(self.address).ok());
        self.accept(listener);
    }

    fn accept(&mut self, listener: TcpListener) {
        let (shared, speaks, tls) = (self.shared.clone(), self.speaks, self.tls.clone());
        self.accepting = Some(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                shared.connections.lock().unwrap().push(stream.try_clone().unwrap());
                let (shared, tls) = (shared.clone(), tls.clone());
                std::thread::spawn(move || {
                    let stream = BufReader::new(Wire::new(stream, tls));
                    let _ = match speaks {
                        Speaks::Http(api) => shared.answer(stream, api),
                        Speaks::Lines => shared.read(stream),
                    };
                });
            }
        }));
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// One request of a connection, which is closed behind it.
    fn answer(&self, mut stream: BufReader<Wire>, api: Api) -> std::io::Result<()> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap_or("0");
        let mut body = vec![0; length.trim().parse().unwrap()];
        stream.read_exact(&mut body)?;
        self.requests.lock().unwrap().push(head.clone());
        let does = self.script.lock().unwrap().pop_front();
        let wire = stream.get_mut();
        let take = |statuses: &[u16]| self.intake.lock().unwrap().take(api, &Request { head, body }, statuses);
        let (status, answer) = match does {
            None => take(&[]),
            Some(Does::TakesPartly(statuses)) => take(statuses),
            Some(Does::Refuses(status, seconds)) => {
                let asked = seconds.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
                write!(wire, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\n{asked}\r\n")?;
                return wire.close();
            }
            Some(Does::HangsUp) => return wire.hang_up(),
            Some(Does::TakesAndHangsUp) => {
                take(&[]);
                return wire.hang_up();
            }
            Some(Does::Delays(milliseconds)) => {
                std::thread::park_timeout(Duration::from_millis(milliseconds));
                take(&[])
            }
        };
        write!(wire, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())?;
        wire.close()
    }

    /// All lines of a connection; one that is cut short does not count.
    fn read(&self, mut stream: BufReader<Wire>) -> std::io::Result<()> {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some(whole) = line.strip_suffix('\n') else { return stream.get_mut().close() };
            self.intake.lock().unwrap().lines.push(whole.to_owned());
        }
    }
}
