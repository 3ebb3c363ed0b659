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
