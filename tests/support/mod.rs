//! Servers, clients and certificates for the tests.

mod certificates;
mod client;
mod collector;
#[expect(dead_code, reason = "the tests beside the database engine use the rest of it")]
pub(crate) mod postgres;
mod process;
mod provider;
mod rsyslog;
pub(crate) mod signer;
mod storage;
mod vault;
mod wire;

pub(crate) use certificates::{Issue, Issuer, crl, issuer};
pub(crate) use client::{Answer, Client, text_at};
pub(crate) use collector::{Api, Collector, Does};
pub(crate) use process::{Certificates, Process, Starting, program};
pub(crate) use provider::{CLIENT, Provider, SECRET, fields};
pub(crate) use rsyslog::{Inlet, Rsyslog};
pub(crate) use storage::{Watched, Watcher};
pub(crate) use vault::{Clients, Setup, TestVault};
pub(crate) use wire::{Visitor, Wire};

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Looks again and again until `found` finds something; fails after about 20 seconds.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(value) = found() {
            return value;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("it never came: {what}");
}

/// All files below `folder`, in no order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Copies what is below `from` to `to`, a folder that is there or not.
pub(crate) fn copy_below(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, copy) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if path.is_dir() {
            copy_below(&path, &copy);
        } else {
            fs::copy(path, copy).unwrap();
        }
    }
}

/// The files of Rust among those of [`files_below`].
pub(crate) fn sources_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = files_below(folder);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files
}
