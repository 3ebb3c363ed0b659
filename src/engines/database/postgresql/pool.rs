//! A few open connections, and the transactions on them.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::plugin::{Failure, Reason};
use super::failure;
use super::session::{Fault, Parameter, Session};
use super::url::Login;
use crate::secret::SecretText;

/// How long a request waits for a connection that others use.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection that was idle has to show that it is still there.
const REUSE: Duration = Duration::from_secs(5);

/// How many connections there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// At once.
    pub(super) open: usize,
    /// While nobody uses them.
    pub(super) idle: usize,
    /// Until one is replaced; zero is for ever.
    pub(super) lifetime: Duration,
}

/// Where the connections lead to.
pub(super) struct Address {
    /// `connection_url`.
    pub(super) url: SecretText,
    /// For its `{{username}}`.
    pub(super) username: String,
    /// For its `{{password}}`.
    pub(super) password: SecretText,
    /// Whether they are put in as they are.
    pub(super) disable_escaping: bool,
    /// How they are protected.
    pub(super) tls: Option<MakeRustlsConnect>,
}

/// Open connections to one database.
pub(super) struct Pool {
    address: Address,
    limits: Limits,
    permits: Semaphore,
    idle: Mutex<Vec<Session>>,
}

impl Pool {
    /// A pool without connections yet.
    pub(super) fn new(address: Address, limits: Limits) -> Self {
        Self { address, limits, permits: Semaphore::new(limits.open), idle: Mutex::default() }
    }

    /// Logs in, on a connection of its own.
    pub(super) async fn verify(&self) -> Result<(), Failure> {
        let mut session = self.connect().await?;
        session.batch("SELECT 1").await.map_err(|fault| self.failure(&fault))
    }

    /// Starts a transaction, on a connection that is there or on a new one.
    pub(super) async fn begin(&self) -> Result<Transaction<'_>, Failure> {
        let permit = timeout(PATIENCE, self.permits.acquire()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(|| {
            Failure::new(Reason::Unreachable).with_detail("all connections of the pool are in use".to_owned())
        })?;
        if let Some(mut session) = self.take() {
            if matches!(timeout(REUSE, session.begin()).await, Ok(Ok(()))) {
                return Ok(Transaction { pool: self, session, permit });
            }
            // It died while nobody looked, and so did the others, most likely; a new one does as well.
            self.close();
        }
        let mut session = self.connect().await?;
        session.begin().await.map_err(|fault| self.failure(&fault))?;
        Ok(Transaction { pool: self, session, permit })
    }

    /// Ends the connections that nobody uses.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn connect(&self) -> Result<Session, Failure> {
        let Address { url, username, password, disable_escaping, tls } = &self.address;
        let login = Login { url, username, password, disable_escaping: *disable_escaping };
        let (config, _) = login.target().map_err(|sentence| Failure::new(Reason::Misconfigured(sentence)))?;
        Session::open(config, tls.clone()).await.map_err(|fault| self.failure(&fault))
    }

    fn failure(&self, fault: &Fault) -> Failure {
        failure::of(fault, &[self.address.password.expose()])
    }

    fn take(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|session| self.is_young(session));
        idle.pop()
    }

    fn put_back(&self, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.limits.idle && self.is_young(&session) {
            idle.push(session);
        }
    }

    fn is_young(&self, session: &Session) -> bool {
        self.limits.lifetime.is_zero() || session.opened().elapsed() < self.limits.lifetime
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A transaction. Dropped, it ends its connection, and the database takes it back.
pub(super) struct Transaction<'a> {
    pool: &'a Pool,
    session: Session,
    permit: SemaphorePermit<'a>,
}

impl Transaction<'_> {
    /// Executes one statement.
    pub(super) async fn execute(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<(), Fault> {
        self.session.execute(statement, parameters).await
    }

    /// The rows of one query.
    pub(super) async fn query(&mut self, query: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        self.session.query(query, parameters).await
    }

    /// Executes a fixed text without values.
    pub(super) async fn batch(&mut self, text: &'static str) -> Result<(), Fault> {
        self.session.batch(text).await
    }

    /// Makes it last. If the connection is lost while it does, nobody knows whether it did.
    pub(super) async fn commit(mut self) -> Result<(), Failure> {
        match self.session.commit().await {
            Ok(()) => {
                self.give_back();
                Ok(())
            }
            Err(fault) if fault.is_refusal() => Err(self.pool.failure(&fault)),
            Err(fault) => Err(failure::unknown(&fault)),
        }
    }

    /// Takes it back, and keeps the connection if it is still good.
    pub(super) async fn rollback(mut self) {
        if self.session.rollback().await.is_ok() {
            self.give_back();
        }
    }

    fn give_back(self) {
        let Self { pool, session, permit } = self;
        pool.put_back(session);
        drop(permit);
    }
}
