//! The server is killed at random moments, over and over, while it writes audit logs in every format and puts their files
//! away; each time the logs verify.
//!
//! `ARCA_TORTURE_ROUNDS` says how often. The default fits a gate that is run before each change.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arca::chain::{Kind, Link, Report, Start, Verifier, VerifyingKey, first_seq};
use arca::entropy::{Entropy, SystemEntropy};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Certificates, Process};

const ROUNDS: u32 = 3;
/// So many for one vault: all of its logs are verified each time.
const MOST_ROUNDS: u32 = 10;
const WRITERS: usize = 3;

/// The logs beside `audit.log`, which `Certificates` declares: small files, so that many are put away in each life.
const LOGS: [(&str, &str); 4] = [
    ("plain", "rotate_bytes = \"12KiB\""),
    ("ecs", "format = \"ecs\"\n rotate_bytes = \"24KiB\"\n rotate_compress = \"gzip\""),
    ("cef", "format = \"cef\"\n rotate_bytes = \"16KiB\"\n rotate_compress = \"gzip\"\n checkpoint_interval = 3"),
    ("ocsf", "format = \"ocsf\"\n rotate_duration = \"1s\"\n filter = \"type == 'response'\""),
];

#[test]
fn logs_verify_whenever_the_server_is_killed() {
    let rounds = std::env::var_os("ARCA_TORTURE_ROUNDS").and_then(|rounds| rounds.to_str()?.parse().ok());
    let mut left = rounds.unwrap_or(ROUNDS);
    let (all, mut acknowledged, mut lost) = (left, 0, 0);
    while left > 0 {
        let rounds = left.min(MOST_ROUNDS);
        let figures = torture(rounds);
        (acknowledged, lost) = (acknowledged + figures.0, lost + figures.1);
        left -= rounds;
    }
    println!("torture: audit-logs rounds={all} logs={} acknowledged={acknowledged} lost={lost}", LOGS.len() + 1);
    assert_eq!(lost, 0, "acknowledged writes are not in the log");
}

/// Kills a vault of its own so many times. How many writes it acknowledged, and how many of them its log does not have.
fn torture(rounds: u32) -> (u64, u64) {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    declare_logs(folder.path());
    let mut process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    let public = root.audit_key();
    let key = VerifyingKey::parse(public.trim()).unwrap();
    let acknowledged = AtomicU64::new(0);
    let mut gaps = 0;
    for round in 0..rounds {
        kill_under_load(&mut process, &token, &acknowledged);
        for (log, report) in verified(folder.path(), &key) {
            // What was being written may be cut short; that is recorded when the log is opened again.
            let excused = |kind: Kind| matches!(kind, Kind::Torn | Kind::Gap(_));
            let excused = report.findings.iter().all(|finding| excused(finding.kind));
            assert!(excused, "round {round}, {log}: {report:?}");
        }
        process = Process::start(folder.path(), &certificates);
        process.unseal(&share);
    }
    assert!(process.stop(), "it ends well when it is asked to");
    for (log, report) in verified(folder.path(), &key) {
        assert!(report.is_intact() && report.counts.unsigned_lines == 0, "{log}: {report:?}");
        gaps += report.counts.gaps;
        // A gap is that something was cut short, or that the server was not closed; no line is lost.
        assert!(report.findings.iter().all(|finding| finding.kind == Kind::Gap(0)), "{log}: {report:?}");
    }
    // All five logs saw each kill, but one that came just between two files.
    assert!(gaps > 0 && gaps <= u64::from(rounds) * 5, "{gaps} gaps in {rounds} rounds");
    let text = fs::read_to_string(folder.path().join("audit.log")).unwrap();
    let writes = text.lines().filter(|line| line.contains("\"type\":\"response\"") && line.contains("\"cubbyhole/w"));
    let acknowledged = acknowledged.into_inner();
    (acknowledged, acknowledged.saturating_sub(writes.count() as u64))
}

fn declare_logs(folder: &Path) {
    let mut config = OpenOptions::new().append(true).open(folder.join("arca.hcl")).unwrap();
    for (name, options) in LOGS {
        let path = folder.join(format!("{name}.log"));
        write!(config, "audit \"file\" \"{name}\" {{\n options {{\n file_path = {path:?}\n {options}\n }}\n}}\n")
            .unwrap();
    }
}

/// Lets writers loose and kills the server within half a second, wherever it is then.
fn kill_under_load(process: &mut Process, token: &str, acknowledged: &AtomicU64) {
    let random: [u8; 2] = (&SystemEntropy::new() as &dyn Entropy).bytes().unwrap();
    let life = Duration::from_micros(u64::from(u16::from_le_bytes(random)) * 8);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let client = process.anonymous().with_token(token);
            scope.spawn(move || {
                for number in 0.. {
                    let body = json!({"n": number, "text": "x".repeat(300)}).to_string();
                    let path = format!("cubbyhole/w{writer}-{}", number % 5);
                    let Ok(answer) = client.try_send("POST", &path, Some(body.as_bytes())) else { break };
                    assert_eq!(answer.status, 204, "{}", answer.text);
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        std::thread::park_timeout(life);
        process.kill();
    });
}

/// What the verification of each log finds, over all of its files.
fn verified(folder: &Path, key: &VerifyingKey) -> Vec<(String, Report)> {
    let names = LOGS.iter().map(|(name, _)| format!("{name}.log")).chain(["audit.log".to_owned()]);
    let verify = |name: String| {
        let mut verifier = Verifier::new(vec![key.clone()], Start::After(Link::GENESIS));
        for path in files(folder, &name) {
            verifier.read(&mut BufReader::new(File::open(path).unwrap())).unwrap();
        }
        (name, verifier.finish(None))
    };
    names.map(verify).collect()
}

/// The files of a log in order. One that was compressed may still be there as well.
fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name)).collect();
    found.sort();
    let plain = found.clone();
    found.retain(|path| path.extension().is_none_or(|end| end != "gz") || !plain.contains(&path.with_extension("")));
    found.sort_by_key(|path| first_seq(BufReader::new(File::open(path).unwrap())).unwrap().unwrap_or(u64::MAX));
    found
}
