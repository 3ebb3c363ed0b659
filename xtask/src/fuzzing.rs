//! A short run of every fuzz target, from its seeds on.
//!
//! The targets are built with the stable compiler: `-C passes=sancov-module` measures coverage as `cargo fuzz` has it
//! measured. What needs the nightly compiler (AddressSanitizer) is left to `cargo fuzz`; the crate has no unsafe code.

mod keeping;

#[cfg(test)]
mod decoders;

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder;
use crate::program::Program;
use crate::say;
use crate::workspace;

/// How long each target runs.
const SECONDS: u32 = 1;

/// What measures coverage.
const FLAGS: &str = "-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
                     -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares \
                     --cfg fuzzing";

/// The longest input that is tried, in bytes.
const LONGEST: usize = 4096;

/// Options of a run at will.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// These targets alone
    targets: Vec<String>,
    /// How long each of them runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Put what was found into fuzz/seeds, as far as it reaches more of the code than what is there
    #[arg(long)]
    keep: bool,
}

/// Builds the targets and runs them quickly, one after the other.
pub(crate) fn run() -> Result<(), Failure> {
    run_for(SECONDS).map(drop)
}

/// Builds the targets and runs each of them for so many seconds. How many inputs each one met, by its name.
pub(crate) fn run_for(seconds: u32) -> Result<Vec<(String, u64)>, Failure> {
    let home = workspace::root().join("fuzz");
    let programs = built(&home)?;
    let mut met = Vec::new();
    for target in targets(&home)? {
        let inputs = fuzz(&home, &programs, &target, seconds)?;
        say::done(&format!("{target}: {inputs} inputs in {seconds} seconds, none of which broke it"));
        met.push((target, inputs));
    }
    Ok(met)
}

/// Runs the targets that were asked for, or all, and keeps what they found if that was asked for.
pub(crate) fn at_will(args: &Args) -> Result<(), Failure> {
    let home = workspace::root().join("fuzz");
    let known = targets(&home)?;
    if let Some(unknown) = args.targets.iter().find(|name| !known.contains(name)) {
        let advice = format!("There are {}.", known.join(", "));
        return Err(Failure::new(format!("There is no fuzz target {unknown}."), advice));
    }
    let programs = built(&home)?;
    for target in known.iter().filter(|name| args.targets.is_empty() || args.targets.contains(name)) {
        let inputs = fuzz(&home, &programs, target, args.seconds)?;
        say::done(&format!("{target}: {inputs} inputs in {} seconds, none of which broke it", args.seconds));
        if args.keep {
            let kept = keeping::keep(&home, &programs, target)?;
            say::done(&format!("{target}: {kept} of them kept"));
        }
    }
    Ok(())
}

/// Builds the targets. Where their programs are.
fn built(home: &Path) -> Result<PathBuf, Failure> {
    let host = host()?;
    Program::new("cargo")
        .words("build --bins --target")
        .arg(&host)
        .env("RUSTFLAGS", FLAGS)
        .folder(home)
        .advise("The fuzz targets need a C++ compiler for libFuzzer: apt-get install g++.")
        .show()?;
    Ok(home.join("target").join(host).join("debug"))
}

/// How many inputs were tried.
fn fuzz(home: &Path, programs: &Path, target: &str, seconds: u32) -> Result<u64, Failure> {
    let corpus = home.join("corpus").join(target);
    let found = home.join("artifacts").join(target);
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    let advice = format!("The input is in {}. Make it a test, then mend the decoder.", found.display());
    let ended = Program::new(programs.join(target))
        .args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", found.display())])
        .arg(format!("-max_len={LONGEST}"))
        .words("-timeout=10 -rss_limit_mb=2048 -print_final_stats=1")
        .arg(&corpus)
        .arg(home.join("seeds").join(target))
        .end()?;
    let log = home.join("target").join(format!("{target}.log"));
    folder::write(&log, &ended.err)?;
    if ended.code != 0 {
        let last: Vec<&str> = ended.err.lines().rev().take(30).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return Err(Failure::new(format!("The fuzz target {target} failed:\n{}", last.join("\n")), advice));
    }
    let executed = ended.err.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    executed
        .and_then(|inputs| inputs.trim().parse().ok())
        .ok_or_else(|| Failure::answer(format!("the fuzz target {target} does not say how many inputs it met")))
}

/// The names of the targets, in order.
fn targets(home: &Path) -> Result<Vec<String>, Failure> {
    let folder = home.join("fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|error| Failure::file(&folder, &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut names: Vec<String> =
        paths.filter_map(|path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// The compiler's own platform. Naming it keeps the flags away from build scripts and macros.
fn host() -> Result<String, Failure> {
    let version = Program::new("rustc").arg("-vV").capture()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::answer("`rustc -vV` names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_program_and_has_seeds() {
        let home = workspace::root().join("fuzz");
        let manifest = folder::read_text(&home.join("Cargo.toml")).unwrap();
        let names = targets(&home).unwrap();
        assert!(!names.is_empty());
        for name in &names {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
            assert!(fs::read_dir(home.join("seeds").join(name)).unwrap().next().is_some(), "{name} has no seed");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), names.len());
    }
}
