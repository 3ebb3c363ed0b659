//! `arcad check`: looks at every record of a store that no server has open.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
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

use super::super::{Failure, files};
use super::progress::Progress;
use super::{advice, damaged, shares, store_of};

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

/// What a look at a store has shown.
enum Found {
    Report(CheckReport),
    /// It does not open, for this reason.
    Damaged(String),
}

/// Looks at the store, and says what is wrong with it: exit code 0 for nothing, 2 for something.
pub(in super::super) async fn check(options: CheckOptions) -> Result<ExitCode, Failure> {
    let (kind, folder) = store_of(&options.config)?;
    let checkpoint = options.checkpoint.as_deref().map(|file| files::checkpoint("the checkpoint", file)).transpose()?;
    if !storage::has_store(&folder, kind)? {
        let folder = folder.display();
        return Err(format!("there is no store of kind {kind} in the folder {folder}; check the configuration").into());
    }
    let found = found(kind, &folder, &options, checkpoint).await;
    // Whoever runs the server must be able to open it after root has looked.
    storage::give_to_owner(&folder, kind)?;
    let report = match found? {
        Found::Report(report) => report,
        Found::Damaged(why) => {
            let text = damaged(&folder.join(kind), &why);
            if !options.json {
                let key = Fault::Unreadable.as_str();
                let mut out = io::stdout();
                writeln!(out, "{key}  {text}")?;
                writeln!(out, "No record was looked at, for it does not open. {}", advice(&options.config))?;
                writeln!(out, "SOMETHING IS WRONG: see above.")?;
                return Ok(ExitCode::from(HURT));
            }
            unopened(text)
        }
    };
    print(&report, options.json)?;
    Ok(if report.sound { ExitCode::SUCCESS } else { ExitCode::from(HURT) })
}

async fn found(
    kind: &str,
    folder: &Path,
    options: &CheckOptions,
    checkpoint: Option<Checkpoint>,
) -> Result<Found, Failure> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let metrics = Metrics::new(SystemClock.now());
    let storage = match storage::open(kind, folder, Opening::whole(), &*entropy, &metrics) {
        Ok(storage) => storage,
        Err(StorageError::Damaged(why)) => return Ok(Found::Damaged(why)),
        Err(error) => return Err(error.into()),
    };
    let opened = if options.without_keys { None } else { unlock(&storage, &entropy).await? };
    let look = || look(&storage, opened.as_ref().map(|(barrier, _)| barrier), checkpoint.as_ref());
    let report = look().await?;
    let report = match &opened {
        Some((barrier, root)) if options.accept && accepted(barrier, root, &report).await? => look().await?,
        Some(_) | None => report,
    };
    Ok(Found::Report(report))
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

/// The report on a store that its database does not open, for programs.
fn unopened(text: String) -> CheckReport {
    let finding = Finding { fault: Fault::Unreadable, key: String::new(), detail: text };
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
        // What is wrong with the store as a whole has no key.
        let key = if key.is_empty() { String::new() } else { format!("{key:?}: ") };
        writeln!(out, "{}  {key}{detail}", fault.as_str())?;
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
    let depth = if *opened {
        "Every record was opened"
    } else {
        "Without keys: only the form of records was looked at, and of a checkpoint its number but not its signature"
    };
    let verdict = if *sound { "Nothing is wrong." } else { "SOMETHING IS WRONG: see above." };
    writeln!(out, "{depth}. {verdict}")?;
    Ok(())
}
