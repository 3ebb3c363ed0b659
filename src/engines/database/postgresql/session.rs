//! One connection, driven by whoever uses it: there is no task behind it that could outlive the engine.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Connection, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long it may take until a connection stands: name, TCP, TLS, login.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a statement may take. The database has the same limit, and gives up a little earlier.
const STATEMENT: Duration = Duration::from_secs(30);

/// A parameter of a statement: a value and its type.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// What ended a piece of work on a connection.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database, or the way to it, says this.
    Database(tokio_postgres::Error),
    /// The connection ended.
    Closed,
    /// It took too long.
    Late,
}

impl Fault {
    /// Whether the database refused a statement and the connection is still good.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Database(error) => error.as_db_error().is_some() && !error.is_closed(),
            Self::Closed | Self::Late => false,
        }
    }
}

/// An open connection.
pub(super) struct Session {
    client: Client,
    driver: Pin<Box<dyn Drive>>,
    opened: Instant,
}

impl Session {
    /// Connects and logs in.
    pub(super) async fn open(mut config: Config, tls: Option<MakeRustlsConnect>) -> Result<Self, Fault> {
        // PostgreSQL has no TLS over a Unix socket.
        let local = config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_local);
        if config.get_ssl_mode() == SslMode::Prefer && local {
            config.ssl_mode(SslMode::Disable);
        }
        if config.get_application_name().is_none() {
            config.application_name("arca");
        }
        config.connect_timeout(config.get_connect_timeout().map_or(CONNECT, |limit| (*limit).min(CONNECT)));
        let opening = async {
            match tls.filter(|_| !local) {
                Some(tls) => config.connect(tls).await.map(|(client, connection)| Self::new(client, connection)),
                None => config.connect(NoTls).await.map(|(client, connection)| Self::new(client, connection)),
            }
        };
        timeout(CONNECT, opening).await.map_err(|_| Fault::Late)?.map_err(Fault::Database)
    }

    /// When it was opened.
    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// Starts a transaction whose statements are limited in time on the database's side too, and in which quotes have
    /// the meaning that [`super::sql`] gives them.
    pub(super) async fn begin(&mut self) -> Result<(), Fault> {
        self.batch(
            "BEGIN; SET LOCAL statement_timeout = '25s'; SET LOCAL lock_timeout = '10s'; \
             SET LOCAL standard_conforming_strings = on",
        )
        .await
    }

    /// Makes the transaction last.
    pub(super) async fn commit(&mut self) -> Result<(), Fault> {
        self.batch("COMMIT").await
    }

    /// Takes the transaction back.
    pub(super) async fn rollback(&mut self) -> Result<(), Fault> {
        self.batch("ROLLBACK").await
    }

    /// Executes one statement. The protocol that it uses takes no second one, whatever is in the text.
    pub(super) async fn execute(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<(), Fault> {
        let Self { client, driver, .. } = self;
        drive(driver.as_mut(), async { client.execute_typed(statement, parameters).await.map(drop) }).await
    }

    /// The rows of one query.
    pub(super) async fn query(&mut self, query: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        let Self { client, driver, .. } = self;
        drive(driver.as_mut(), client.query_typed(query, parameters)).await
    }

    /// Executes a fixed text without values.
    pub(super) async fn batch(&mut self, text: &'static str) -> Result<(), Fault> {
        let Self { client, driver, .. } = self;
        drive(driver.as_mut(), client.batch_execute(text)).await
    }

    fn new<S, T>(client: Client, connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self { client, driver: Box::pin(connection), opened: Instant::now() }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(_) => false,
        Host::Unix(_) => true,
    }
}

/// A connection of either kind of stream.
trait Drive: Send {
    /// Moves messages; ready once the connection has ended.
    fn poll_drive(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
}

impl<S, T> Drive for Connection<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    fn poll_drive(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let connection = self.get_mut();
        loop {
            match connection.poll_message(cx) {
                // Notices may repeat values, and nobody asked for them.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Does `work` on the connection behind `driver`.
async fn drive<T>(
    mut driver: Pin<&mut dyn Drive>,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Fault> {
    let mut work = pin!(work);
    let both = poll_fn(|cx| {
        if let Poll::Ready(outcome) = work.as_mut().poll(cx) {
            return Poll::Ready(outcome.map_err(Fault::Database));
        }
        if driver.as_mut().poll_drive(cx).is_pending() {
            return Poll::Pending;
        }
        // The last message of a connection may be the answer.
        match work.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome.map_err(Fault::Database)),
            Poll::Pending => Poll::Ready(Err(Fault::Closed)),
        }
    });
    timeout(STATEMENT, both).await.map_err(|_| Fault::Late)?
}
