//! The server is killed (SIGKILL) at random moments while it writes all that it can write.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arca::chain::{Kind, Link, Report, Start, Verifier, VerifyingKey};
use tempfile::TempDir;

use super::database::Database;
use super::load::{Writer, prepare, roles, settle_counter};
use super::object::{Kind as Thing, leases_fit, sound};
use super::operator::Operator;
use super::{dice, rounds};
use crate::support::{Certificates, Client, Process, Starting, TestVault, eventually};

/// Kills of one vault at most: all of its log is verified each time.
const MOST_ROUNDS: u32 = 20;
const WRITERS: u64 = 3;
/// The writes in the longest life.
const LIFE: u64 = 120;
/// In one of so many rounds the server is killed a second time, before it serves.
const ROUNDS_TO_A_SECOND: u32 = 5;
/// The longest of these second lives from the moment at which it listens, in microseconds.
const SECOND_LIFE: u64 = 300_000;

#[test]
fn what_was_acknowledged_survives_kill_9_on_redb() {
    torture("redb", rounds().unwrap_or(6));
}

#[test]
fn what_was_acknowledged_survives_kill_9_on_sled() {
    torture("sled", rounds().map_or(2, |rounds| rounds.div_ceil(4)));
}

#[derive(Default)]
struct Figures {
    acknowledged: u64,
    /// Writes that happened though nobody heard of it.
    unheard: u64,
    /// Users of the database that were there when all of their leases were revoked.
    users_left: usize,
    slowest_start: Duration,
    /// Kills before the server listened, and after that, while it was being unsealed.
    killed_starting: u32,
    killed_unsealing: u32,
    losses: Vec<String>,
}

fn torture(store: &str, rounds: u32) {
    let mut figures = Figures::default();
    let database = Database::start();
    let mut left = rounds;
    while left > 0 {
        let rounds = left.min(MOST_ROUNDS);
        torture_one_vault(store, rounds, &database, &mut figures);
        left -= rounds;
    }
    let Figures { acknowledged, unheard, users_left, slowest_start, killed_starting, killed_unsealing, losses } =
        figures;
    println!(
        "torture: kill-{store} rounds={rounds} acknowledged={acknowledged} unheard={unheard} users_left={users_left} \
         killed_starting={killed_starting} killed_unsealing={killed_unsealing} slowest_start_ms={} lost={}",
        slowest_start.as_millis(),
        losses.len()
    );
    assert!(losses.is_empty(), "{losses:#?}");
    assert_eq!(users_left, 0, "users of the database are left without a lease");
}

/// Kills a vault of its own so many times.
fn torture_one_vault(store: &str, rounds: u32, database: &Database, figures: &mut Figures) {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let config = folder.path().join("arca.hcl");
    let text = fs::read_to_string(&config).unwrap().replace("storage \"redb\"", &format!("storage {store:?}"));
    fs::write(&config, text).unwrap();
    let mut process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let mut operator = Operator::new(share);
    let mut writers: Vec<Writer> = (0..WRITERS).map(|name| Writer::new(name, database)).collect();
    let root = process.anonymous().with_token(&token);
    prepare(&root, &writers, database);
    let public = root.audit_key();
    let key = VerifyingKey::parse(public.trim()).unwrap();
    let log = folder.path().join("audit.log");
    for round in 0..rounds {
        figures.acknowledged += kill_under_load(&mut process, &token, &mut writers, &mut operator);
        let found = figures.losses.len();
        figures.losses.extend(verifies_after_a_kill(&log, &key).err());
        if round % ROUNDS_TO_A_SECOND == 1 {
            kill_before_it_serves(folder.path(), &certificates, &operator, figures);
            figures.losses.extend(verifies_after_a_kill(&log, &key).err());
        }
        let start = Instant::now();
        process = Process::start(folder.path(), &certificates);
        if let Err(loss) = operator.unseal(&process) {
            figures.losses.push(format!("{store}, round {round}: {loss}"));
            return;
        }
        figures.slowest_start = figures.slowest_start.max(start.elapsed());
        let root = process.anonymous().with_token(&token);
        // At once, before anything is undone.
        figures.losses.extend(database.is_accounted_for(&root, roles(&writers)).err());
        figures.unheard += settle(&mut writers, &mut operator, &root, &mut figures.losses);
        for loss in &mut figures.losses[found..] {
            *loss = format!("{store}, round {round}: {loss}");
        }
    }
    figures.users_left += database.revoke_all(&process.anonymous().with_token(&token));
    assert!(process.stop(), "it ends well when it is asked to");
    let report = verified(&log, &key);
    if !report.is_intact() {
        figures.losses.push(format!("{store}: the audit log does not verify at the end: {report:?}"));
    }
}

/// Lets the writers loose and kills the server somewhere on the way. How many writes it acknowledged.
fn kill_under_load(process: &mut Process, token: &str, writers: &mut [Writer], operator: &mut Operator) -> u64 {
    // Each life lasts for some writes; what it ends in the middle of is left to chance.
    let (done, enough) = (AtomicU64::new(0), dice(LIFE));
    let rest = || {
        done.fetch_add(1, Ordering::SeqCst);
        std::thread::park_timeout(Duration::from_millis(20 + dice(100)));
    };
    std::thread::scope(|scope| {
        for writer in writers {
            let root = process.anonymous().with_token(token);
            let done = &done;
            scope.spawn(move || writer.write(&root, done));
        }
        let root = process.anonymous().with_token(token);
        scope.spawn(move || operator.work(&root, rest));
        eventually("enough is written", || (done.load(Ordering::SeqCst) >= enough).then_some(()));
        std::thread::park_timeout(Duration::from_micros(dice(20_000)));
        process.kill();
    });
    done.into_inner()
}

/// Starts the server, gives it its share as soon as it listens, and kills it somewhere on the way.
fn kill_before_it_serves(folder: &Path, certificates: &Certificates, operator: &Operator, figures: &mut Figures) {
    let starting = Starting::begin(&mut Process::command(), folder);
    // One half of the lives ends before the slowest start so far would have listened, the other half after it listens.
    if dice(2) == 0 {
        let start = u64::try_from(figures.slowest_start.as_micros()).unwrap();
        std::thread::park_timeout(Duration::from_micros(dice(start.max(1))));
        if starting.address().is_none() {
            figures.killed_starting += 1;
            return;
        }
    }
    let address = eventually("the server listens", || starting.address());
    let mut process = starting.listens(address, certificates);
    let client = process.anonymous();
    std::thread::scope(|scope| {
        scope.spawn(|| operator.try_to_unseal(&client));
        std::thread::park_timeout(Duration::from_micros(dice(SECOND_LIFE)));
        process.kill();
    });
    figures.killed_unsealing += 1;
}

/// What was being written may be cut short; that is recorded when the log is opened again.
fn verifies_after_a_kill(log: &Path, key: &VerifyingKey) -> Result<(), String> {
    let report = verified(log, key);
    if report.findings.iter().all(|finding| matches!(finding.kind, Kind::Torn | Kind::Gap(_))) {
        return Ok(());
    }
    Err(format!("the audit log does not verify: {report:?}"))
}

/// Compares what is there with what was acknowledged. How many writes had happened that nobody heard of.
fn settle(writers: &mut [Writer], operator: &mut Operator, root: &Client, losses: &mut Vec<String>) -> u64 {
    let mut unheard = 0;
    for writer in writers.iter_mut() {
        unheard += writer.settle(root, losses);
    }
    losses.extend(operator.settle(root).err());
    losses.extend(settle_counter(writers, root).err());
    losses.extend(leases_fit(writers.iter().flat_map(|writer| &writer.objects), root).err());
    losses.extend(sound(root).err());
    unheard
}

fn verified(log: &Path, key: &VerifyingKey) -> Report {
    let mut verifier = Verifier::new(vec![key.clone()], Start::After(Link::GENESIS));
    verifier.read(&mut BufReader::new(File::open(log).unwrap())).unwrap();
    verifier.finish(None)
}

#[test]
fn a_loss_is_noticed() {
    let vault = TestVault::new();
    let root = vault.root();
    let database = Database::start();
    let writer = Writer::new(0, &database);
    prepare(&root, std::slice::from_ref(&writer), &database);
    for mut object in writer.objects {
        object.change(&root).unwrap();
        object.settle(&root).unwrap();
        let acknowledged = object.state;
        // Somebody removes it behind the writer's back.
        let mut unknown = object.clone();
        unknown.remove(&root);
        object.settle(&root).unwrap_err();
        // And here something is back that was removed.
        unknown.settle(&root).unwrap();
        assert!(acknowledged.is_some() && unknown.state.is_none());
        unknown.change(&root).unwrap();
        unknown.state = None;
        unknown.settle(&root).unwrap_err();
        if unknown.kind == Thing::Role {
            // And here a user is gone whose lease is there.
            unknown.state = acknowledged;
            unknown.settle(&root).unwrap();
            database.tamper(unknown.lent.as_ref());
            unknown.settle(&root).unwrap_err();
        }
    }
    let roles = ["role-0-0", "role-0-1"];
    database.is_accounted_for(&root, roles.into_iter()).unwrap();
    database.tamper(None);
    database.is_accounted_for(&root, roles.into_iter()).unwrap_err();
    assert_eq!(database.revoke_all(&root), 1);
}
