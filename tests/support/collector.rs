//! Collectors of audit lines for tests: over HTTP, and over a plain connection. They take lines, or do worse.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

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
}

/// What a collector listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Http,
    Lines,
}

/// A collector. It keeps its port when it is stopped and resumed.
pub(crate) struct Collector {
    speaks: Speaks,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<String>>,
    script: Mutex<VecDeque<Does>>,
    requests: Mutex<Vec<String>>,
    stopped: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Collector {
    /// One that takes NDJSON over HTTP. What is in `script` it does with the first requests.
    pub(crate) fn http(script: &[Does]) -> Self {
        Self::new(Speaks::Http, script)
    }

    /// One that takes lines over a connection.
    pub(crate) fn lines() -> Self {
        Self::new(Speaks::Lines, &[])
    }

    fn new(speaks: Speaks, script: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Mutex::new(script.iter().copied().collect()), ..Shared::default() });
        let mut collector = Self { speaks, address, shared, accepting: None };
        collector.accept(listener);
        collector
    }

    /// What it has taken, one line after the other.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.shared.taken.lock().unwrap().clone()
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
        let (shared, speaks) = (self.shared.clone(), self.speaks);
        self.accepting = Some(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                shared.connections.lock().unwrap().push(stream.try_clone().unwrap());
                let shared = shared.clone();
                std::thread::spawn(move || {
                    let _ = match speaks {
                        Speaks::Http => shared.answer(stream),
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
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap_or("0");
        let mut body = vec![0; length.trim().parse().unwrap()];
        reader.read_exact(&mut body)?;
        self.requests.lock().unwrap().push(head);
        let does = self.script.lock().unwrap().pop_front();
        let take = || {
            let text = String::from_utf8(body).unwrap();
            self.taken.lock().unwrap().extend(text.lines().map(str::to_owned));
        };
        match does {
            None => take(),
            Some(Does::Refuses(status, seconds)) => {
                let asked = seconds.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
                return write!(stream, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\n{asked}\r\n");
            }
            Some(Does::HangsUp) => return stream.shutdown(Shutdown::Both),
            Some(Does::TakesAndHangsUp) => {
                take();
                return stream.shutdown(Shutdown::Both);
            }
            Some(Does::Delays(milliseconds)) => {
                std::thread::park_timeout(Duration::from_millis(milliseconds));
                take();
            }
        }
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{{}}")
    }

    /// All lines of a connection; one that is cut short does not count.
    fn read(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some(whole) = line.strip_suffix('\n') else { return Ok(()) };
            self.taken.lock().unwrap().push(whole.to_owned());
        }
    }
}
