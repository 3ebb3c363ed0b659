//! Servers, clients and certificates for the tests.

mod certificates;
mod client;
pub(crate) mod postgres;
mod process;
mod vault;
mod wire;

pub(crate) use certificates::{Issue, Pki, issuer};
pub(crate) use client::{Answer, Client};
pub(crate) use process::{Certificates, Process};
pub(crate) use vault::{Clients, Setup, TestVault};
pub(crate) use wire::Wire;

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
