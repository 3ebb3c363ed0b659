//! Checks of a store that is in use: when somebody asks, now and then when nobody does, and before anything is served.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::api::ROOT_NAMESPACE;
use crate::barrier::{Barrier, Record, Scope, Txn};
use crate::error::{Error, Kind, Result};

use super::super::Parts;
use super::super::audits;
use super::super::checkpoint::{Checkpoint, History};
use super::super::core::Core;
use super::{Check, CheckReport, Finding};

/// How long after unsealing, or after a check that could not be made, the next one comes at the earliest: services that
/// were kept waiting come first.
const SETTLING: Duration = Duration::from_hours(1);
/// How many findings of one check are kept on record and told to the log.
const KEPT: usize = 100;

/// What came of the newest check.
#[derive(Debug, Default)]
pub(in crate::vault) struct LastCheck(Mutex<Option<Arc<CheckReport>>>);

impl Record for CheckReport {}

impl LastCheck {
    /// Its key in the scope `core`.
    const KEY: &'static str = "check";

    /// The one on record. One that cannot be read is none: a check says so, and the next one replaces it.
    pub(in crate::vault) async fn load(barrier: &Arc<Barrier>) -> Self {
        let core = barrier.view(Scope::new(ROOT_NAMESPACE, "core"));
        let report: Result<Option<CheckReport>> = core.get(Self::KEY).await;
        Self(Mutex::new(report.ok().flatten().map(Arc::new)))
    }

    fn get(&self) -> Option<Arc<CheckReport>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, report: CheckReport) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(report));
    }
}

/// How much of the machine a check may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// One processor: somebody waits for it.
    Full,
    /// Half of one.
    Leisurely,
}

impl Core {
    /// Looks at every record of the store while it is in use, and puts on record what came of it.
    pub async fn check(&self, checkpoint: Option<Checkpoint>) -> Result<CheckReport> {
        self.look(checkpoint, Pace::Full).await
    }

    /// What came of the newest check, whoever asked for it; its first hundred findings. Nothing before the first one.
    pub fn last_check(&self) -> Option<Arc<CheckReport>> {
        self.last_check.get()
    }

    /// Checks the store whenever the last check was an interval ago, until it is dropped.
    pub(in crate::vault) async fn check_now_and_then(&self) -> Result<()> {
        let interval = self.settings().check_interval.duration();
        if interval.is_zero() {
            return Ok(());
        }
        let settling = SETTLING.min(interval);
        let mut wait = self.until_check(interval).max(settling);
        loop {
            sleep(wait).await;
            // Somebody may have asked for one meanwhile.
            wait = self.until_check(interval);
            if !wait.is_zero() {
                continue;
            }
            wait = match self.look(None, Pace::Leisurely).await {
                Ok(_) => interval,
                Err(error) if error.kind() == Kind::Sealed => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "the store could not be checked; it is tried again");
                    settling
                }
            };
        }
    }

    /// How long until the next check; never longer than the interval, whatever the clock said when the last one was made.
    fn until_check(&self, interval: Duration) -> Duration {
        let due = self.last_check().and_then(|last| last.time).map(|time| time.plus(interval));
        due.map_or(Duration::ZERO, |due| due.since(self.parts.clock.now()).min(interval))
    }

    /// Sealing breaks it off, and waits until it has ended.
    async fn look(&self, checkpoint: Option<Checkpoint>, pace: Pace) -> Result<CheckReport> {
        let (shutdown, awaited) = (self.shutdown.clone(), self.awaited());
        let mut worked = Instant::now();
        let go_on = move || {
            let _ = &awaited;
            if shutdown.is_cancelled() {
                return ControlFlow::Break(());
            }
            if pace == Pace::Leisurely {
                rest(worked.elapsed());
                worked = Instant::now();
            }
            ControlFlow::Continue(())
        };
        let checkpoint = checkpoint.or_else(|| self.settings().checkpoint.clone());
        let report = look(&self.parts, &self.barrier, checkpoint, go_on).await?;
        self.last_check.set(put_on_record(&self.barrier, &report).await);
        Ok(report)
    }
}

#[expect(clippy::disallowed_methods, reason = "on a thread of its own, which has nothing else to do")]
fn rest(time: Duration) {
    thread::sleep(time);
}

/// Checks the store before anything of it is served, if that is wanted. Fails if something is wrong with it, or if it is
/// not as far as the checkpoint of the settings says.
pub(in crate::vault) async fn refuse_unsound(parts: &Parts, barrier: &Arc<Barrier>) -> Result<()> {
    refuse_regress(parts, barrier).await?;
    if !parts.settings.check_on_unseal {
        return Ok(());
    }
    // The checkpoint has been looked at just now.
    let report = look(parts, barrier, None, || ControlFlow::Continue(())).await?;
    put_on_record(barrier, &report).await;
    let Some(Finding { fault, key, detail }) = report.findings.first() else { return Ok(()) };
    let fault = fault.as_str();
    let number = match report.faults() {
        1 => "1 fault".to_owned(),
        faults => format!("{faults} faults, the first of them"),
    };
    Err(Error::corrupt(format!(
        "the vault stays sealed: a check of its store found {number}, {fault} {key:?}: {detail}. See \
         `arca operator check -config=…`; restore a backup, or accept what is unaccounted for (-accept). \
         check_on_unseal = false unseals all the same"
    )))
}

async fn refuse_regress(parts: &Parts, barrier: &Arc<Barrier>) -> Result<()> {
    let Some(checkpoint) = &parts.settings.checkpoint else { return Ok(()) };
    let Some(key) = audits::verifying_key(barrier).await? else { return Ok(()) };
    let history = History::load(barrier, key).await?;
    checkpoint.compare(parts.storage.generation().await?, Some(&history)).map_err(|regress| {
        Error::corrupt(format!("the vault stays sealed: {regress}. Without checkpoint_file it can be unsealed"))
    })
}

async fn look(
    parts: &Parts,
    barrier: &Arc<Barrier>,
    checkpoint: Option<Checkpoint>,
    mut go_on: impl FnMut() -> ControlFlow<()> + Send + 'static,
) -> Result<CheckReport> {
    let (storage, barrier, now) = (parts.storage.clone(), Some(barrier.clone()), parts.clock.now());
    let check = Check { storage, barrier, checkpoint, now };
    let runtime = Handle::current();
    let looking = tokio::task::spawn_blocking(move || check.run(&runtime, &mut |_, _| go_on()));
    let report = looking.await.map_err(|error| Error::internal("the check was broken off").with_source(error))??;
    tell(&report);
    Ok(report)
}

/// Tells the log what came of a check.
fn tell(report: &CheckReport) {
    for Finding { fault, key, detail } in report.findings.iter().take(KEPT) {
        tracing::error!(fault = fault.as_str(), key, detail, "a check of the store found something wrong");
    }
    let (records, bytes, faults) = (report.records, report.bytes, report.faults());
    tracing::info!(records, bytes, faults, "the store was checked");
}

/// Gives what is kept of a report, also where it cannot be written: on a disk that is full, or broken.
async fn put_on_record(barrier: &Arc<Barrier>, report: &CheckReport) -> CheckReport {
    let mut kept = report.clone();
    kept.findings.truncate(KEPT);
    kept.more = report.faults() - kept.findings.len() as u64;
    let core = barrier.view(Scope::new(ROOT_NAMESPACE, "core"));
    let mut txn = Txn::new();
    let written = match core.put(&mut txn, LastCheck::KEY, &kept) {
        Ok(()) => core.commit(txn).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        tracing::warn!(%error, "what came of a check of the store could not be put on record");
    }
    kept
}
