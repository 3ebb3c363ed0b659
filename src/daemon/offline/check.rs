//! `arcad check`: looks at every record of a store that no server has open.

use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::barrier::Barrier;
use crate::entropy::{Entropy, SystemEntropy};
use crate::metrics::Metrics;
use crate::secret::RootKey;
use crate::storage::{self, Opening, Storage, StorageError};
use crate::time::{Clock, SystemClock};
use crate::vault::{self, Check, CheckReport, Checkpoint, Fault, Finding, SealRecord};

use super::super::Failure;
use super::progress::Progress;
use super::{shares, store_of};

/// The exit code for a store that something is wrong with.
const HURT: u8 = 2;

/// How to look at a store.
#[derive(Debug)]
pub struct CheckOptions {
    /// The server's configuration files.
    pub config: Vec<PathBuf>,
    /// A checkpoint that the store must not be older than.
    pub checkpoint: Option<PathBuf>,
    /// Look at the form of the records only, which takes no shares.
    pub without_keys: bool,
    /// Take records as they are that the ledger does not account for.
    pub accept: bool,
    /// Write the report as JSON.
    pub json: bool,
}

/// Looks at the store, and says what is wrong with it: exit code 0 for nothing, 2 for something.
pub(in super::super) async fn check(options: CheckOptions) -> Result<ExitCode, Failure> {
    let CheckOptions { config, checkpoint, without_keys, accept, json } = options;
    let checkpoint = checkpoint.map(|file| Ok::<_, Failure>(Checkpoint::parse(&fs::read(file)?)?)).transpose()?;
    let (kind, folder) = store_of(&config)?;
    if !storage::has_store(&folder, kind)? {
        return Err(format!("there is no store of kind {kind} in this folder; check the configuration").into());
    }
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let metrics = Metrics::new(SystemClock.now());
    let report = match storage::open(kind, &folder, Opening::whole(), &*entropy, &metrics) {
        Ok(storage) => {
            let opened = if without_keys { None } else { unlock(&storage, &entropy).await? };
            let look = || look(&storage, opened.as_ref().map(|(barrier, _)| barrier), checkpoint.as_ref());
            let report = look().await?;
            match &opened {
                Some((barrier, root)) if accept && accepted(barrier, root, &report).await? => look().await?,
                Some(_) | None => report,
            }
        }
        Err(StorageError::Damaged(why)) => unopened(why),
        Err(error) => return Err(error.into()),
    };
    print(&report, json)?;
    Ok(if report.sound { ExitCode::SUCCESS } else { ExitCode::from(HURT) })
}

async fn look(
    storage: &Arc<dyn Storage>,
    barrier: Option<&Arc<Barrier>>,
    checkpoint: Option<&Checkpoint>,
) -> Result<CheckReport, Failure> {
    let (storage, barrier, checkpoint) = (storage.clone(), barrier.cloned(), checkpoint.cloned());
    let check = Check { storage, barrier, checkpoint, now: SystemClock.now() };
    let runtime = Handle::current();
    let looking = tokio::task::spawn_blocking(move || {
        let mut progress = Progress::new("Checking");
        check.run(&runtime, &mut |records, bytes| {
            progress.show(records, bytes);
            ControlFlow::Continue(())
        })
    });
    Ok(looking.await??)
}

/// Takes the records as they are, if the ledger does not account for all of them. Whether there was anything to accept.
async fn accepted(barrier: &Arc<Barrier>, root: &RootKey, report: &CheckReport) -> Result<bool, Failure> {
    let Some(records) = vault::accept(barrier, root, report, SystemClock.now()).await? else { return Ok(false) };
    writeln!(io::stderr(), "Counted anew: {records} records. This is on record, and checks will say so.")?;
    Ok(true)
}

async fn unlock(
    storage: &Arc<dyn Storage>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Option<(Arc<Barrier>, RootKey)>, Failure> {
    // A store without this record has nothing that shares would open; the check says so.
    let Some(seal) = SealRecord::of_store(&**storage).await? else { return Ok(None) };
    let root = seal.open(&shares::ask(seal.threshold())?)?;
    let barrier = Barrier::unlock(storage.clone(), &root, entropy.clone()).await?;
    Ok(Some((barrier, root)))
}

/// The report on a store that its database does not open.
fn unopened(why: String) -> CheckReport {
    let finding = Finding { fault: Fault::Unreadable, key: String::new(), detail: why };
    CheckReport { findings: vec![finding], ..CheckReport::default() }
}

fn print(report: &CheckReport, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    let CheckReport {
        time: _,
        lineage,
        generation,
        records,
        bytes,
        opened,
        sound,
        restored,
        ledger_since,
        accepted,
        findings,
        more,
    } = report;
    for Finding { fault, key, detail } in findings {
        writeln!(out, "{}  {key:?}: {detail}", fault.as_str())?;
    }
    if *more > 0 {
        writeln!(out, "… and {more} more")?;
    }
    writeln!(out, "Store {lineage}, generation {generation}: {records} records, {bytes} bytes")?;
    for restoration in restored {
        writeln!(out, "{restoration}")?;
    }
    for acceptance in accepted {
        writeln!(out, "{acceptance}")?;
    }
    if let Some(since) = ledger_since {
        writeln!(out, "The ledger accounts for every change since {since}.")?;
    }
    let depth =
        if *opened { "Every record was opened" } else { "Without keys: only the form of records was looked at" };
    let verdict = if *sound { "Nothing is wrong." } else { "SOMETHING IS WRONG: see above." };
    writeln!(out, "{depth}. {verdict}")?;
    Ok(())
}
