//! How many instructions an operation costs, held against what is committed.
//!
//! The operations are those of `cargo bench` (`tests/benches`), and so is the program. Each is done a few times and many times
//! under callgrind; the difference is what doing it costs, without the program's start and what the operation needs to be
//! there. gungraun (iai-callgrind) would do the same with a program of its own beside it, of exactly the version of the
//! library, to be installed on each machine; what is needed of it is a subtraction.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::debian::{self, Need};
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::program::Program;
use crate::say;
use crate::workspace;

/// How often an operation is done, at least and at most.
const TIMES: (u32, u32) = (20, 220);

/// By how much the instructions of an operation may exceed what is committed: hash tables have another seed in each
/// run.
const TOLERANCE: f64 = 0.03;

/// Options of the count of instructions.
#[derive(clap::Args)]
pub(super) struct Count {
    /// Count the instructions of the operations of `cargo bench`, and fail if one costs more than what is committed
    #[arg(long)]
    instructions: bool,
    /// Commit to what is counted
    #[arg(long, requires = "instructions")]
    update: bool,
}

impl Count {
    /// Whether this was asked for.
    pub(super) const fn asked(&self) -> bool {
        self.instructions
    }
}

/// Counts, and compares.
pub(super) fn run(count: &Count) -> Result<(), Failure> {
    debian::provide(&[Need::Compiler, Need::Valgrind])?;
    let program = build()?;
    let folder = Folder::new("arca-instructions")?;
    let listed = Program::new(&program).arg("--names").capture()?;
    let mut counted = Counted::new();
    for name in listed.lines() {
        let each = instructions(&program, name, &folder.path().join("callgrind.out"))?;
        say::done(&format!("{each:>9}  {name}"));
        counted.insert(name.to_owned(), each);
    }
    let path = workspace::root().join("tests/benches/instructions.json");
    if count.update {
        let text = serde_json::to_string_pretty(&counted).map_err(Failure::answer)?;
        return folder::write(&path, format!("{text}\n"));
    }
    let comparison = Comparison::of(&committed(&path)?, &counted);
    say::line(&comparison.table);
    if comparison.improved {
        say::done("something costs less: --update commits to it");
    }
    if comparison.differing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "The instructions are more than, or not among, those of {}: {}",
            path.display(),
            comparison.differing.join(", ")
        ),
        "Look why (valgrind --tool=callgrind tells by function). Where the change is meant, run this with --update and \
         commit the file.",
    ))
}

/// What is committed.
fn committed(path: &Path) -> Result<Counted, Failure> {
    let text = std::fs::read(path).map_err(|error| error.to_string());
    let read = text.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
    read.map_err(|error| Failure::new(format!("{}: {error}", path.display()), "Restore it, or write it with --update."))
}

/// Instructions of each operation, by its name.
type Counted = BTreeMap<String, u64>;

/// What was counted beside what is committed.
struct Comparison {
    table: String,
    /// The operations that cost more by more than the tolerance, or are in one of the two only.
    differing: Vec<String>,
    /// Whether one costs less by more than the tolerance.
    improved: bool,
}

impl Comparison {
    fn of(committed: &Counted, counted: &Counted) -> Self {
        let mut table = "| operation | committed | now | change |\n|---|---|---|---|\n".to_owned();
        let (mut differing, mut improved) = (Vec::new(), false);
        let mut names: Vec<&String> = committed.keys().chain(counted.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (then, now) = (committed.get(name), counted.get(name));
            let change = then.zip(now).map(|(then, now)| change(*then, *now));
            let shown = |count: Option<&u64>| count.map_or_else(String::new, u64::to_string);
            let percent = change.map_or_else(String::new, |change| format!("{:+.1} %", change * 100.0));
            let _ = writeln!(table, "| {name} | {} | {} | {percent} |", shown(then), shown(now));
            if change.is_none_or(|change| change > TOLERANCE) {
                differing.push(name.clone());
            }
            improved |= change.is_some_and(|change| change < -TOLERANCE);
        }
        Self { table, differing, improved }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit behind the point")]
fn change(then: u64, now: u64) -> f64 {
    now as f64 / then as f64 - 1.0
}

/// Builds the program of `cargo bench`, optimised as what is installed, and says where it is.
fn build() -> Result<PathBuf, Failure> {
    let words = "bench --locked --package arca --bench operations --no-run --message-format=json-render-diagnostics";
    let messages = workspace::cargo(words).advise("The operations are in tests/benches.").capture()?;
    let executable = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
        let is_it = message.pointer("/target/name").and_then(Value::as_str) == Some("operations");
        message.get("executable").and_then(Value::as_str).filter(|_| is_it).map(PathBuf::from)
    });
    executable.ok_or_else(|| Failure::answer("cargo did not say where the program is"))
}

/// The instructions of one operation.
fn instructions(program: &Path, name: &str, out: &Path) -> Result<u64, Failure> {
    let (few, many) = TIMES;
    let (less, more) = (total(program, name, few, out)?, total(program, name, many, out)?);
    Ok(more.saturating_sub(less) / u64::from(many - few))
}

/// The instructions of a run that does the operation so many times.
fn total(program: &Path, name: &str, times: u32, out: &Path) -> Result<u64, Failure> {
    Program::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["--times", &times.to_string(), name])
        .capture()?;
    summary(&folder::read_text(out)?).ok_or_else(|| Failure::answer("callgrind wrote no summary"))
}

/// The instructions of the whole run, in callgrind's format (its manual, "Callgrind Format Specification").
fn summary(profile: &str) -> Option<u64> {
    profile
        .lines()
        .find_map(|line| line.strip_prefix("summary:").or_else(|| line.strip_prefix("totals:")))?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(all: &[(&str, u64)]) -> Counted {
        all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn the_summary_of_a_profile_is_found() {
        let profile = "version: 1\nevents: Ir\nsummary: 1234\n\nfn=(1) main\n0 1234\n\ntotals: 1234\n";
        assert_eq!(summary(profile), Some(1234));
        assert_eq!(summary("events: Ir\n"), None);
        assert_eq!(summary("summary: many\n"), None);
    }

    #[test]
    fn what_grows_beyond_the_tolerance_is_named() {
        let comparison = Comparison::of(
            &counted(&[("same", 1000), ("less", 1000), ("more", 1000), ("gone", 1)]),
            &counted(&[("same", 1029), ("less", 900), ("more", 1031), ("new", 1)]),
        );
        assert_eq!(comparison.differing, ["gone", "more", "new"]);
        assert!(comparison.improved);
        assert!(comparison.table.contains("| more | 1000 | 1031 | +3.1 % |"), "{}", comparison.table);
        assert!(comparison.table.contains("| new |  | 1 |  |"), "{}", comparison.table);
    }
}
