//! The comparison with answers that were recorded from another server of the same API.
//!
//! The suite is a folder of its own beside the checkout (`../shared/conformance`, or `$ARCA_CONFORMANCE`), a Python
//! program; its README says how the server under test must be set up.

mod result;
mod site;

pub(crate) use site::fresh;

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::port;
use crate::postgres::Postgres;
use crate::program::Program;
use crate::python::Python;
use crate::say;
use crate::workspace::{self, Profile};

use result::Results;
use site::Site;

/// What of the suite is about things that Arca has.
const AREAS: [&str; 15] = [
    "acl",
    "approle",
    "cert",
    "cubbyhole",
    "database",
    "http",
    "identity",
    "init",
    "jwt",
    "kv1",
    "kv2",
    "sys",
    "token",
    "userpass",
    "wrapping",
];

/// The superuser's password; it goes into a URL as it is.
const PASSWORD: &str = "conformance";

/// Runs the suite over a release build; fails if an area has fallen below its floor.
pub(crate) fn run() -> Result<(), Failure> {
    let Some(suite) = suite() else {
        say::done(
            "SKIPPED: there is no conformance suite in ../shared/conformance, and ARCA_CONFORMANCE names no other folder",
        );
        return Ok(());
    };
    let binaries = workspace::build(Profile::Release)?;
    let python = Python::provide("conformance", &suite.join("requirements.txt"))?;
    let folder = Folder::new("arca-conformance")?;
    let postgres = Postgres::start(&folder, PASSWORD)?;
    let site = Site::start(binaries, &folder)?;
    let results = compare(&suite, &python, &site, &postgres)?;
    say::line(&results.table());
    results.check()
}

fn compare(suite: &Path, python: &Python, site: &Site, postgres: &Postgres) -> Result<Results, Failure> {
    let kept = workspace::target().join("conformance");
    fs::create_dir_all(&kept).map_err(|error| Failure::file(&kept, &error))?;
    let (json, log) = (kept.join("result.json"), kept.join("run.log"));
    // What an earlier run left must not be taken for this one's.
    folder::write(&json, "")?;
    let own = copy_of_this(&kept)?;
    let ended = Program::new(python.program("python"))
        .arg(suite.join("run.py"))
        .args(["-q", "--addr", &site.address, "--fresh-port", &port::free()?.to_string(), "--json"])
        .arg(&json)
        .args(AREAS.iter().flat_map(|area| ["--only", area]))
        .env("CONF_TOKEN", &site.token)
        .env("CONF_CACERT", &site.authority)
        .env("PG_URL", format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/postgres", postgres.port))
        .env("CONF_FRESH_CMD", format!("'{}' fresh-server '{}'", own.display(), site.arcad.display()))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .end()?;
    folder::write(&log, format!("{}{}", ended.out, ended.err))?;
    for line in ended.out.lines().filter(|line| line.starts_with("FAIL")) {
        say::detail(line);
    }
    say::done(&format!("what differs is in {}", log.display()));
    Results::read(&json, &workspace::root().join("tests/conformance/floors.json"))
}

/// A copy of the program that is running. Where it was started from there may be another by now, or none: an earlier part of
/// the tests builds the workspace, and with it this program.
fn copy_of_this(kept: &Path) -> Result<PathBuf, Failure> {
    let copy = kept.join("xtask");
    fs::copy("/proc/self/exe", &copy).map_err(|error| Failure::file(&copy, &error))?;
    Ok(copy)
}

fn suite() -> Option<PathBuf> {
    let beside = || Some(workspace::root().parent()?.join("shared/conformance"));
    let folder = std::env::var_os("ARCA_CONFORMANCE").map(PathBuf::from).or_else(beside)?;
    folder.join("run.py").is_file().then_some(folder)
}
