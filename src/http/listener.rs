//! Listens, accepts, serves. A slow or malformed client costs one connection, never the server.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Listener;
use crate::metrics::OpenConnection;
use crate::pipeline::Pipeline;
use crate::time::Timestamp;

use super::door::{self, Door, Peer};
use super::tls::{Terms, TlsError, terms};

/// How long the TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long requests in flight may take to end once the server is asked to stop.
const DRAIN: Duration = Duration::from_secs(15);
/// The first byte of a TLS connection: a record of type handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// How long a connection is kept open for the next request, at most.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// Requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 128;

/// A bound listener.
#[derive(Debug)]
pub struct Server {
    socket: TcpListener,
    settings: Arc<Listener>,
    tls: Option<Arc<RwLock<Terms>>>,
    door: Door,
    open: Arc<Open>,
}

/// A handle on a listener that serves.
#[derive(Clone, Debug)]
pub struct Listening {
    settings: Arc<Listener>,
    tls: Option<Arc<RwLock<Terms>>>,
    open: Arc<Open>,
}

/// The connections that are open, as far as they can be asked to end, by how often the vault had been sealed when they
/// were made.
#[derive(Debug, Default)]
struct Open(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    sealings: u64,
    current: GracefulShutdown,
    older: Vec<GracefulShutdown>,
}

impl Open {
    /// Tells a new connection when it is to end. One that is made after a sealing does not end with it: its client may be
    /// the one that sealed the vault, and wants to know how it stands.
    fn watcher(&self, sealings: u64) -> Watcher {
        self.at(sealings).current.watcher()
    }

    /// Ends the connections that were made before there were so many sealings; each may finish the request that it has.
    async fn end_before(&self, sealings: u64) {
        let older = std::mem::take(&mut self.at(sealings).older);
        for connections in older {
            let _ = tokio::time::timeout(DRAIN, connections.shutdown()).await;
        }
    }

    /// Ends every connection that there is; each may finish the request that it has.
    async fn end_all(&self) {
        let connections = {
            let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut connections = std::mem::take(&mut generations.older);
            connections.push(std::mem::take(&mut generations.current));
            connections
        };
        let ended = connections.into_iter().map(|each| tokio::time::timeout(DRAIN, each.shutdown()));
        futures_util::future::join_all(ended).await;
    }

    fn at(&self, sealings: u64) -> MutexGuard<'_, Generations> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.sealings < sealings {
            generations.sealings = sealings;
            let before = std::mem::take(&mut generations.current);
            generations.older.push(before);
        }
        generations
    }
}

impl Listening {
    /// Ends the connections that were made before the vault had been sealed so often, as soon as they have no request, and
    /// waits for that. Their buffers, in which tokens and secrets came and went, go with them. Clients connect again.
    pub async fn hang_up(&self, sealings: u64) {
        self.open.end_before(sealings).await;
    }

    /// Reads certificates, keys, authorities and lists of revoked certificates again, or keeps those of before. Sessions do
    /// not resume. Whether the authorities or the lists are others than before: then whoever has a connection might get
    /// none now, and [`Listening::hang_up_on_all`] is due.
    pub fn reload(&self, now: Timestamp) -> Result<bool, TlsError> {
        let (Some(slot), Some(tls)) = (&self.tls, &self.settings.tls) else { return Ok(false) };
        let fresh = terms(tls, now)?;
        let mut current = slot.write().unwrap_or_else(PoisonError::into_inner);
        let admits_others = !fresh.admit_the_same_as(&current);
        *current = fresh;
        Ok(admits_others)
    }

    /// Ends every connection as soon as it has no request, and waits for that. Clients connect again, if they may.
    pub async fn hang_up_on_all(&self) {
        self.open.end_all().await;
    }
}

impl Server {
    /// Binds a listener in front of `pipeline`.
    pub async fn bind(settings: Listener, pipeline: Arc<Pipeline>) -> io::Result<Self> {
        let tls = match &settings.tls {
            None => None,
            Some(tls) => {
                let now = pipeline.vault().parts().clock.now();
                Some(Arc::new(RwLock::new(terms(tls, now).map_err(io::Error::other)?)))
            }
        };
        let socket = TcpListener::bind(settings.address).await?;
        let settings = Arc::new(settings);
        let door = Door { pipeline, listener: settings.clone() };
        Ok(Self { socket, settings, tls, door, open: Arc::default() })
    }

    /// The address that is listened on.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// A handle for reloading.
    pub fn handle(&self) -> Listening {
        Listening { settings: self.settings.clone(), tls: self.tls.clone(), open: self.open.clone() }
    }

    /// Serves until `shutdown`, then lets requests in flight end.
    pub async fn serve(self, shutdown: CancellationToken) {
        let connections = TaskTracker::new();
        let free =
            Arc::new(Semaphore::new(usize::try_from(self.settings.limits.connections).unwrap_or(usize::MAX >> 4)));
        let metrics = self.door.pipeline.vault().parts().metrics.clone();
        let sealings = self.door.pipeline.vault().sealings();
        let app = Router::new().fallback(door::answer).with_state(self.door.clone());
        loop {
            // A connection beyond the limit waits in the operating system's queue.
            let accepting = async {
                let place = free.clone().acquire_owned().await.map_err(io::Error::other)?;
                self.socket.accept().await.map(|(stream, address)| (stream, address, place))
            };
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = accepting => accepted,
            };
            let (stream, address, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or a client that went away: neither ends the listener.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // In this order: a connection by what was read before a reload is among those that are ended after it.
            let graceful = self.open.watcher(sealings.borrow().begun);
            let current =
                |slot: &Arc<RwLock<Terms>>| slot.read().unwrap_or_else(PoisonError::into_inner).config.clone();
            let connection = Connection {
                tls: self.tls.as_ref().map(current),
                settings: self.settings.clone(),
                app: app.clone(),
                graceful,
                open: OpenConnection::new(metrics.clone()),
            };
            connections.spawn(async move {
                connection.run(stream, address).await;
                drop(place);
            });
        }
        drop(self.socket);
        connections.close();
        self.open.end_before(u64::MAX).await;
        let _ = tokio::time::timeout(DRAIN, connections.wait()).await;
    }
}

struct Connection {
    tls: Option<Arc<ServerConfig>>,
    settings: Arc<Listener>,
    app: Router,
    graceful: Watcher,
    open: OpenConnection,
}

impl Connection {
    async fn run(self, stream: TcpStream, address: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let write = self.settings.timeouts.write;
        let Some(config) = self.tls.clone() else {
            let peer = Peer { address, certificates: Arc::default() };
            return self.serve(patient(stream, write), peer).await;
        };
        let start = Instant::now();
        let handshaken = tokio::time::timeout(HANDSHAKE, handshake(config, stream, write)).await;
        let connections = &self.open.metrics().connections;
        match &handshaken {
            Ok(Ok(Some(_))) => connections.handshakes.record(start, Instant::now()),
            // Whoever says nothing, or speaks no TLS, shook no hands.
            Ok(Ok(None)) => {}
            Ok(Err(_)) | Err(_) => connections.failed_handshakes.add(),
        }
        let Ok(handshaken) = handshaken else { return };
        match handshaken {
            Ok(None) => {}
            Ok(Some(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let certificates = shown.iter().map(|certificate| certificate.to_vec()).collect();
                self.serve(stream, Peer { address, certificates }).await;
            }
            Err(error) => tracing::debug!(%address, %error, "a TLS handshake failed"),
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, peer: Peer) {
        let mut builder = Builder::new(TokioExecutor::new());
        let header_bytes = usize::try_from(self.settings.limits.header_bytes).unwrap_or(usize::MAX).max(8192);
        builder.http1().timer(TokioTimer::new()).max_buf_size(header_bytes);
        builder.http1().header_read_timeout(self.silence());
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS)
            .keep_alive_interval(self.settings.timeouts.idle)
            .keep_alive_timeout(HANDSHAKE);
        let app = self.app.layer(axum::Extension(peer));
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
        if let Err(error) = self.graceful.watch(connection.into_owned()).await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

impl Connection {
    /// How long a connection may go without a whole request head. One timer serves for a slow head and for the pause
    /// between two requests, so it is not shorter than a client's keep-alive usually is.
    fn silence(&self) -> Option<Duration> {
        let read = self.settings.timeouts.read_header?;
        Some(read.max(self.settings.timeouts.idle.unwrap_or(KEEP_ALIVE).min(KEEP_ALIVE)))
    }
}

/// A stream that fails when its other end takes nothing for too long.
type Patient = Pin<Box<TimeoutStream<TcpStream>>>;

fn patient(stream: TcpStream, write: Option<Duration>) -> Patient {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(write);
    Box::pin(stream)
}

/// The TLS stream; nothing for a client that spoke plain HTTP, who is told so.
async fn handshake(
    config: Arc<ServerConfig>,
    mut stream: TcpStream,
    write: Option<Duration>,
) -> io::Result<Option<tokio_rustls::server::TlsStream<Patient>>> {
    let mut first = [0; 1];
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    if first != [TLS_HANDSHAKE] && first.iter().all(u8::is_ascii_uppercase) {
        const TEXT: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
            Client sent an HTTP request to an HTTPS server.\n";
        stream.write_all(TEXT).await?;
        return Ok(None);
    }
    TlsAcceptor::from(config).accept(patient(stream, write)).await.map(Some)
}
