//! Carries out a plan.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::Error;
use crate::client::{Connection, Target};
use crate::plan::{Plan, Work};
use crate::report::{Report, Tally};
use crate::tls::{self, Files};
use crate::work::Script;

/// How long a connection that broke waits before it is opened again.
const PAUSE: Duration = Duration::from_millis(20);

/// What all connections share.
#[derive(Clone)]
struct Shared {
    plan: Arc<Plan>,
    target: Target,
    tally: Rc<RefCell<Tally>>,
    next: Rc<Cell<u64>>,
    begin: Instant,
    /// When no request is begun any more.
    end: Instant,
}

/// Makes all the requests of `plan`.
pub(crate) async fn run(plan: Plan) -> Result<Report, Error> {
    let files = Files { authority: &plan.authority, certificate: &plan.certificate, key: &plan.key };
    let config = tls::client(files, matches!(plan.work, Work::Connect { resumed: true, .. }))?;
    let plan = Arc::new(plan);
    let begin = Instant::now();
    let shared = Shared {
        target: Target::new(plan.clone(), config),
        tally: Rc::new(RefCell::new(Tally::new()?)),
        next: Rc::default(),
        begin,
        end: begin + Duration::from_secs_f64(plan.seconds),
        plan,
    };
    let local = LocalSet::new();
    for number in 0..shared.plan.connections {
        local.spawn_local(drive(shared.clone(), number));
    }
    local.await;
    let took = begin.elapsed();
    let tally = Rc::try_unwrap(shared.tally).map_err(|_| "a connection did not end")?;
    Ok(tally.into_inner().report(took))
}

/// One connection, opened again whenever it ends, until there is no more to do.
async fn drive(shared: Shared, number: usize) {
    let Plan { work, seed, connections, .. } = &*shared.plan;
    let mut script = Script::new(work.clone(), *seed, number, *connections, shared.next.clone());
    let mut pace = Pace::new(&shared, number);
    while Instant::now() < shared.end {
        let start = Instant::now();
        let once = matches!(work, Work::Connect { .. });
        let opened = shared.target.connected(|connection| requests(&shared, connection, &mut script, &mut pace, once));
        match opened.await {
            Ok(Ok(Next::Again)) => {}
            Ok(Ok(Next::Connected(status))) => shared.tally.borrow_mut().answered(status, start.elapsed()),
            Ok(Ok(Next::Done)) => return,
            Ok(Err(error)) | Err(error) => {
                shared.tally.borrow_mut().broke(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Why a connection's requests ended.
enum Next {
    /// Time is up.
    Again,
    /// One request was asked for, and has this answer.
    Connected(u16),
    /// There is no more to do.
    Done,
}

async fn requests(
    shared: &Shared,
    mut connection: Connection,
    script: &mut Script,
    pace: &mut Pace,
    once: bool,
) -> Result<Next, Error> {
    loop {
        pace.wait().await;
        let Some(ask) = script.next() else { return Ok(Next::Done) };
        let request = shared.target.request(ask)?;
        let start = Instant::now();
        let reply = connection.send(request).await?;
        if once {
            return Ok(Next::Connected(reply.status.as_u16()));
        }
        shared.tally.borrow_mut().answered(reply.status.as_u16(), start.elapsed());
        script.learn(&reply)?;
        if Instant::now() >= shared.end {
            return Ok(Next::Again);
        }
    }
}

/// When a connection begins its next request.
struct Pace {
    next: Instant,
    /// The time from one request to the next; zero for as soon as possible.
    every: Duration,
}

impl Pace {
    fn new(shared: &Shared, number: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "there are not so many connections")]
        let (number, connections) = (number as f64, shared.plan.connections as f64);
        let every = shared.plan.rate.map_or(0.0, |rate| connections / rate);
        let first = Duration::from_secs_f64(every * number / connections);
        Self { next: shared.begin + first, every: Duration::from_secs_f64(every) }
    }

    /// Waits until the next request is due. What is late is not made up for: the server refused it a place.
    async fn wait(&mut self) {
        if self.every.is_zero() {
            return;
        }
        tokio::time::sleep_until(self.next.into()).await;
        self.next = Instant::now().max(self.next + self.every);
    }
}
