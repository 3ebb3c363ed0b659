//! Carries out a plan.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::{JoinSet, LocalSet};

use crate::Error;
use crate::client::{Connection, Target};
use crate::plan::{Plan, Work};
use crate::process::Spent;
use crate::report::{Report, Tally};
use crate::schedule::{Due, Schedule};
use crate::tls::{self, Files};
use crate::work::Script;

/// How long a connection that broke waits before it is opened again.
const PAUSE: Duration = Duration::from_millis(20);

/// How long it may take until all connections are open.
const PATIENCE: Duration = Duration::from_mins(1);

/// What all connections share.
#[derive(Clone)]
struct Shared {
    plan: Arc<Plan>,
    target: Target,
    tally: Rc<RefCell<Tally>>,
    next: Rc<Cell<u64>>,
    /// Opens when all connections are there: how long they take to open is no part of the measurement.
    all_open: Rc<Barrier>,
    course: Rc<OnceCell<Course>>,
}

/// What begins when all connections are open.
struct Course {
    schedule: Schedule,
    spent: Spent,
}

/// Makes all the requests of `plan`.
pub(crate) async fn run(plan: Plan) -> Result<Report, Error> {
    let files = Files { authority: &plan.authority, certificate: &plan.certificate, key: &plan.key };
    let config = tls::client(files, matches!(plan.work, Work::Connect { resumed: true, .. }))?;
    let shared = Shared {
        target: Target::new(plan.address, &plan.token, config),
        tally: Rc::new(RefCell::new(Tally::new()?)),
        next: Rc::default(),
        all_open: Rc::new(Barrier::new(plan.connections)),
        course: Rc::default(),
        plan: Arc::new(plan),
    };
    let (local, mut connections) = (LocalSet::new(), JoinSet::new());
    for number in 0..shared.plan.connections {
        connections.spawn_local_on(drive(shared.clone(), number), &local);
    }
    let ended = local.run_until(async {
        while let Some(ended) = connections.join_next().await {
            ended??;
        }
        Ok::<_, Error>(())
    });
    ended.await?;
    let course = shared.course.get().ok_or("there was no connection")?;
    let took = course.schedule.elapsed();
    let spent = Spent::until_now(shared.plan.server).since(course.spent);
    let unsent = course.schedule.unsent();
    let tally = Rc::try_unwrap(shared.tally).map_err(|_| "a connection did not end")?;
    Ok(tally.into_inner().report(took, unsent, spent))
}

/// One connection, opened again whenever it ends, until there is no more to do. It fails if it cannot be opened at all.
async fn drive(shared: Shared, number: usize) -> Result<(), Error> {
    let Plan { work, seed, connections, .. } = &*shared.plan;
    let mut script = Script::new(work.clone(), *seed, number, *connections, shared.next.clone());
    if matches!(work, Work::Connect { .. }) {
        connect(&shared, &mut script).await;
        return Ok(());
    }
    let (asked, mut has_begun) = (Instant::now(), false);
    loop {
        let opened = shared.target.connected(|connection| requests(&shared, connection, &mut script, &mut has_begun));
        let error = match opened.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) | Err(error) => error,
        };
        if !has_begun && asked.elapsed() > PATIENCE {
            return Err(error);
        }
        if has_begun {
            shared.tally.borrow_mut().broke(&error);
        }
        tokio::time::sleep(PAUSE).await;
        if shared.course.get().is_some_and(|course| course.schedule.is_over(Instant::now())) {
            return Ok(());
        }
    }
}

/// Makes requests over one connection, until there is no more to do.
async fn requests(
    shared: &Shared,
    mut connection: Connection,
    script: &mut Script,
    has_begun: &mut bool,
) -> Result<(), Error> {
    if !*has_begun {
        shared.all_open.wait().await;
        *has_begun = true;
    }
    let schedule = shared.schedule();
    while let Some(due) = schedule.next(Instant::now()) {
        let begin = due.begin().await;
        let Some(ask) = script.next() else { return Ok(()) };
        let request = shared.target.request(ask)?;
        let reply = connection.send(request).await?;
        shared.tally.borrow_mut().answered(reply.status.as_u16(), begin.elapsed());
        script.learn(&reply)?;
    }
    // Whoever finds all requests taken stays: hundreds of connections that are closed at once are a load of their own.
    schedule.until_end().await;
    Ok(())
}

/// Opens one connection after the other, for one request each.
async fn connect(shared: &Shared, script: &mut Script) {
    shared.all_open.wait().await;
    let schedule = shared.schedule();
    while let Some(due) = schedule.next(Instant::now()) {
        let begin = due.begin().await;
        let Some(ask) = script.next() else { return };
        let asked = shared.target.connected(async |mut connection| {
            let reply = connection.send(shared.target.request(ask)?).await?;
            Ok::<_, Error>(reply.status.as_u16())
        });
        match asked.await {
            Ok(Ok(status)) => shared.tally.borrow_mut().answered(status, begin.elapsed()),
            Ok(Err(error)) | Err(error) => {
                shared.tally.borrow_mut().broke(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Shared {
    /// The schedule, which begins when it is first asked for.
    fn schedule(&self) -> &Schedule {
        let begin = || {
            let schedule = Schedule::new(Instant::now(), self.plan.seconds, self.plan.rate);
            Course { schedule, spent: Spent::until_now(self.plan.server) }
        };
        &self.course.get_or_init(begin).schedule
    }
}

impl Due {
    /// Waits until the request is due, and says from when its time is counted.
    async fn begin(self) -> Instant {
        match self {
            Self::AtOnce => Instant::now(),
            Self::At(due) => {
                tokio::time::sleep_until(due.into()).await;
                due
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::fs;
    use std::net::SocketAddr;
    use std::path::Path;

    use http_body_util::Full;
    use hyper::body::Bytes;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper::{Response, StatusCode};
    use hyper_util::rt::TokioIo;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use tempfile::TempDir;
    use tokio::net::TcpListener;
    use tokio::sync::Mutex;
    use tokio_rustls::TlsAcceptor;
    use tokio_util::task::TaskTracker;

    use super::*;

    /// An authority, and a certificate for both sides.
    fn certificates() -> TempDir {
        let folder = TempDir::new().unwrap();
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        fs::write(folder.path().join("own.pem"), certificate.pem()).unwrap();
        fs::write(folder.path().join("own.key"), key.serialize_pem()).unwrap();
        folder
    }

    /// A server that answers one request after the other, each after `each`; the tenth and all after it with 503.
    async fn slow(folder: &Path, each: Duration, tasks: &TaskTracker) -> SocketAddr {
        let files = [folder.join("ca.pem"), folder.join("own.pem"), folder.join("own.key")];
        let [authority, certificate, key] = &files;
        let acceptor = TlsAcceptor::from(tls::server(Files { authority, certificate, key }).unwrap());
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, answered, inner) = (socket.local_addr().unwrap(), Arc::new(Mutex::new(0)), tasks.clone());
        tasks.spawn(async move {
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                let (acceptor, answered) = (acceptor.clone(), answered.clone());
                inner.spawn(async move {
                    let answer = service_fn(|_| async {
                        let mut answered = answered.lock().await;
                        tokio::time::sleep(each).await;
                        *answered += 1;
                        let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
                        if *answered >= 10 {
                            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                        }
                        Ok::<_, Infallible>(response)
                    });
                    let stream = acceptor.accept(stream).await.unwrap();
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        address
    }

    fn loaded(rate: Option<f64>, each: Duration) -> Report {
        let folder = certificates();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let address = slow(folder.path(), each, &TaskTracker::new()).await;
            let file = |name: &str| folder.path().join(name);
            let work = Work::Same { method: "GET".to_owned(), path: "/v1/a".to_owned(), body: None };
            let (authority, certificate, key) = (file("ca.pem"), file("own.pem"), file("own.key"));
            let (token, connections, seconds, seed) = ("token".to_owned(), 4, 0.6, 1);
            let server = Some(std::process::id());
            run(Plan { address, authority, certificate, key, token, connections, seconds, rate, server, seed, work })
                .await
                .unwrap()
        })
    }

    #[test]
    fn time_is_counted_from_when_a_request_was_due() {
        // A request each 2 ms to a server that takes 20 ms for each, for 0.6 s.
        let report = loaded(Some(500.0), Duration::from_millis(20));
        assert_eq!((report.good, report.broken), (9, 0));
        assert!(report.refused.keys().eq([&503]), "{:?}", report.refused);
        // The ninth answer comes after at least 180 ms, and was due after 16.
        assert!(report.latency.max >= 160_000, "{:?}", report.latency);
        assert!(report.unsent >= 200, "{}", report.unsent);
        assert!(report.server_cpu_seconds.is_some());
    }

    #[test]
    fn without_a_rate_time_is_counted_from_when_a_request_was_sent() {
        let report = loaded(None, Duration::from_millis(1));
        assert_eq!((report.good, report.broken, report.unsent), (9, 0, 0));
        assert!(report.seconds >= 0.6 && report.latency.p50 >= 1_000, "{report:?}");
    }
}
