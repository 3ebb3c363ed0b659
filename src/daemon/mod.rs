//! The server process: from its command line to its last line in the log.

mod args;
mod confinement;
mod dev;
mod files;
mod logging;
mod missing;
mod offline;
mod settings;
mod signals;
mod stacks;
mod traces;

pub use args::{Args, Command};
pub use offline::{CheckOptions, RestoreOptions};

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Confinement;
use crate::config::{Config, Storage as StorageConfig, Warning};
use crate::entropy::{Entropy, SystemEntropy};
use crate::http::{Listening, Server};
use crate::metrics::Metrics;
use crate::mount::Registry;
use crate::pipeline::Pipeline;
use crate::storage::{self, Opening, StorageError};
use crate::time::{Clock, SystemClock};
use crate::trace::Exporter;
use crate::vault::{LogControl, Parts, Sealings, Vault};

use signals::Signals;

/// What went wrong at start, as the operator reads it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Does what the command line says. Serving ends with SIGTERM or SIGINT, and is a success.
pub fn run(args: Args) -> ExitCode {
    let outcome = match args.command() {
        Command::Check { files, without_files } => check(&files, without_files),
        Command::Serve(files) => match load(&files) {
            Ok((config, warnings)) => serve(&config, &warnings).map_err(|failure| explained(failure, &config, &files)),
            Err(failure) => Err(failure),
        },
        Command::Dev(options) => dev::serve(options),
        Command::CheckStore(options) => match offline(offline::check(options)) {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Restore(options) => offline(offline::restore(options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "arcad: {}", text(&*failure));
            ExitCode::FAILURE
        }
    }
}

/// A failure with its causes, for the operator.
fn text(failure: &(dyn std::error::Error + 'static)) -> String {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The failure of a server of these files to serve, with what to do about a store that is damaged. It is in the log too,
/// if that is not where everything is told anyway.
fn explained(failure: Failure, config: &Config, files: &[std::path::PathBuf]) -> Failure {
    let failure = match (&config.storage, failure.downcast_ref()) {
        (StorageConfig::Redb(path) | StorageConfig::Sled(path), Some(StorageError::Damaged(why))) => {
            let damaged = offline::damaged(&path.join(config.storage.kind()), why);
            format!("{damaged}. {}", offline::advice(files)).into()
        }
        (StorageConfig::Memory | StorageConfig::Redb(_) | StorageConfig::Sled(_), _) => failure,
    };
    if config.log.file.is_some() {
        tracing::error!("the server ends: {}", text(&*failure));
    }
    failure
}

fn load(files: &[std::path::PathBuf]) -> Result<(Config, Vec<Warning>), Failure> {
    Ok(Config::load(files)?)
}

fn check(files: &[std::path::PathBuf], without_files: bool) -> Result<(), Failure> {
    let (config, warnings) = load(files)?;
    let mut out = std::io::stdout();
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    let missing = if without_files { Vec::new() } else { missing::of(&config) };
    if missing.is_empty() {
        writeln!(out, "The configuration is good.")?;
        return Ok(());
    }
    let missing = missing.join("\n  ");
    Err(format!(
        "the text of the configuration is good, but the server would not start with it:\n  {missing}\n\
         Put these files where they are named, or name them where they are. On another machine than the server's, \
         --without-files looks at the text alone."
    )
    .into())
}

/// Serves what `config` says until the process is asked to stop.
fn serve(config: &Config, warnings: &[Warning]) -> Result<(), Failure> {
    let log = logging::start(&config.log)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let _pid = signals::PidFile::write(config.pid_file.as_deref())?;
    let confinement = confinement::enter(config, None);
    runtime()?.block_on(serve_until_stopped(config, confinement, &log))
}

/// Does what is done to a store that no server has open.
fn offline<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(work)
}

/// The threads that everything runs on. What is left on their stacks does not outlive them.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().on_thread_stop(stacks::wipe_own).build()
}

async fn serve_until_stopped(config: &Config, confinement: Confinement, log: &Arc<LogControl>) -> Result<(), Failure> {
    // From here on a signal waits for its turn: a start that is interrupted ends like any other run.
    let mut signals = Signals::new()?;
    let running = Running::start(config, confinement, log).await?;
    for address in &running.addresses {
        tracing::info!(%address, "listening");
    }
    signals::ready();
    while signals.reload_or_stop().await == signals::Wish::Reload {
        running.reload();
        log.reset();
    }
    running.stop().await;
    Ok(())
}

/// A server with its listeners.
struct Running {
    pipeline: Arc<Pipeline>,
    addresses: Vec<SocketAddr>,
    listening: Vec<Listening>,
    serving: TaskTracker,
    shutdown: CancellationToken,
    exporting: Exporting,
}

/// The export of traces. It ends after the requests have, so that the last of them are told too.
struct Exporting {
    task: TaskTracker,
    shutdown: CancellationToken,
}

impl Exporting {
    fn start(exporter: Option<Exporter>) -> Self {
        let (task, shutdown) = (TaskTracker::new(), CancellationToken::new());
        if let Some(exporter) = exporter {
            task.spawn(exporter.run(shutdown.clone()));
        }
        Self { task, shutdown }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.close();
        self.task.wait().await;
    }
}

impl Running {
    /// Opens the store and binds the listeners.
    async fn start(config: &Config, confinement: Confinement, log: &Arc<LogControl>) -> Result<Self, Failure> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let path = match &config.storage {
            StorageConfig::Memory => std::path::Path::new(""),
            StorageConfig::Redb(path) | StorageConfig::Sled(path) => path,
        };
        let metrics = Metrics::new(SystemClock.now());
        let storage = storage::open(config.storage.kind(), path, Opening::default(), &*entropy, &metrics)?;
        let mut settings = settings::of(config, confinement, log.clone());
        if let Some(file) = &config.checkpoint_file {
            let checkpoint = files::checkpoint("checkpoint_file", file)?;
            // By its number alone; the rest once there are keys.
            if let Err(regress) = checkpoint.compare(storage.generation().await?, None) {
                return Err(format!("checkpoint_file: {}: {regress}", file.display()).into());
            }
            settings.checkpoint = Some(checkpoint);
        }
        let (tracer, exporter) = traces::tracer(&config.telemetry, &entropy, &metrics)?;
        let mut kinds = crate::engines::kinds();
        kinds.extend(crate::auth::kinds());
        let vault = Vault::open(Parts {
            storage,
            clock: Arc::new(SystemClock),
            entropy,
            registry: Registry::new(kinds),
            settings: Arc::new(settings),
            metrics,
            tracer,
        })
        .await?;
        let pipeline = Pipeline::new(vault);
        let (serving, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let exporting = Exporting::start(exporter);
        let (mut addresses, mut listening) = (Vec::new(), Vec::new());
        for listener in &config.listeners {
            if listener.tls.is_none() {
                tracing::warn!(address = %listener.address, "TLS is off: whoever is on the way reads every secret");
            }
            let server = Server::bind(listener.clone(), pipeline.clone()).await.map_err(|error| {
                std::io::Error::new(
                    error.kind(),
                    format!("the listener {} cannot be opened: {error}", listener.address),
                )
            })?;
            addresses.push(server.address()?);
            listening.push(server.handle());
            serving.spawn(server.serve(shutdown.clone()));
        }
        serving.spawn(leave_nothing(pipeline.vault().sealings(), listening.clone(), shutdown.clone()));
        Ok(Self { pipeline, addresses, listening, serving, shutdown, exporting })
    }

    /// Reads certificates again, ends the connections that there are if others are let in than before, and opens audit
    /// logs anew under their names.
    fn reload(&self) {
        for listening in &self.listening {
            match listening.reload(SystemClock.now()) {
                Ok(admits_others) => {
                    tracing::info!("the certificates were read again");
                    if admits_others {
                        tracing::info!(
                            "other clients are let in than before: open connections end, clients connect again"
                        );
                        let listening = listening.clone();
                        self.serving.spawn(async move { listening.hang_up_on_all().await });
                    }
                }
                Err(error) => tracing::error!(%error, "the certificates could not be read; those of before stay"),
            }
        }
        if let Ok(unsealed) = self.pipeline.vault().unsealed() {
            let reopened = unsealed.clone();
            unsealed.spawn("reopen the audit logs", async move { reopened.core.audit.reopen().await });
        }
    }

    /// Lets requests in flight end, seals the vault and closes the store.
    async fn stop(self) {
        signals::stopping();
        tracing::info!("stopping: no new connections, requests in flight end");
        self.shutdown.cancel();
        self.serving.close();
        self.serving.wait().await;
        self.pipeline.vault().seal().await;
        self.exporting.stop().await;
        tracing::info!("stopped");
    }
}

/// Each time that the vault was sealed, ends the connections, whose buffers hold what was sent, and wipes the stacks.
async fn leave_nothing(
    mut sealings: watch::Receiver<Sealings>,
    listening: Vec<Listening>,
    shutdown: CancellationToken,
) {
    let mut wiped = 0;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = sealings.changed() => if changed.is_err() { return },
        }
        let now = *sealings.borrow_and_update();
        for listening in &listening {
            listening.hang_up(now.begun).await;
        }
        if now.done > wiped {
            stacks::wipe().await;
            wiped = now.done;
            tracing::debug!("connections were ended and stacks wiped after sealing");
        }
    }
}
